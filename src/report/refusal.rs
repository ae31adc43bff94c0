//! What a server says when it refuses the upgrade: often a whole page of HTML.

use std::io;

use crate::http::head::Response;
use crate::redact::Guarded;
use crate::report::lines::{Lines, Mark};
use crate::text::Untrusted;
use crate::text::units::Count;

/// How much of a page is shown: lines, and bytes of each.
const PAGE: (usize, usize) = (20, 400);

/// Where a page's tags are looked for.
const HEAD: usize = 8 << 10;

/// Shows the body: of HTML the title and the first lines, unless all of it is wanted.
pub(super) fn body(
    lines: &mut Lines<'_>,
    response: &Guarded<Response>,
    is_whole: bool,
) -> io::Result<()> {
    let body = response.body().strip_suffix(b"\n").unwrap_or(response.body());
    let mut rows =
        body.split(|byte| *byte == b'\n').map(|row| row.strip_suffix(b"\r").unwrap_or(row));
    match is_html(body) && !is_whole {
        true => page(lines, body, &mut rows)?,
        false if body.is_empty() => {}
        false => rows.try_for_each(|row| received(lines, row))?,
    }
    match response.body_cut() {
        Some(why) => lines.warn(format_args!("the body is not whole: {}", Untrusted::text(why))),
        None => Ok(()),
    }
}

fn page(
    lines: &mut Lines<'_>,
    body: &[u8],
    rows: &mut dyn Iterator<Item = &[u8]>,
) -> io::Result<()> {
    if let Some(title) = title(body) {
        lines.info(format_args!("a page of HTML: \"{}\"", Untrusted::text(&title)))?;
    }
    let (most_rows, most_bytes) = PAGE;
    let (mut shown, mut is_cut) = (0, false);
    for row in rows.filter(|row| !row.trim_ascii().is_empty()) {
        if shown == most_rows {
            is_cut = true;
            break;
        }
        shown += 1;
        match row.get(..most_bytes) {
            Some(begin) if row.len() > most_bytes => {
                is_cut = true;
                let begin = begin.utf8_chunks().next().map_or("", |chunk| chunk.valid());
                let begin = Untrusted::text(begin);
                lines.line(Mark::Received, format_args!("{begin}…"))?;
            }
            _ => received(lines, row)?,
        }
    }
    match is_cut {
        true => {
            let size = Count(body.len() as u64, "byte");
            lines.info(format_args!("the page has {size}; -v shows all of it"))
        }
        false => Ok(()),
    }
}

fn received(lines: &mut Lines<'_>, row: &[u8]) -> io::Result<()> {
    lines.line(Mark::Received, format_args!("{}", Untrusted(row)))
}

fn is_html(body: &[u8]) -> bool {
    let head = body.get(..HEAD).unwrap_or(body).trim_ascii_start();
    head.starts_with(b"<")
        && [&b"<!doctype html"[..], b"<html", b"<head"].iter().any(|tag| find(head, tag).is_some())
}

/// The text of the title, on one line; `None` if there is none.
fn title(body: &[u8]) -> Option<String> {
    let head = body.get(..HEAD).unwrap_or(body);
    let inner = head.get(find(head, b"<title")?..)?;
    let inner = inner.get(memchr::memchr(b'>', inner)? + 1..)?;
    let inner = inner.get(..find(inner, b"</title")?)?;
    let text = String::from_utf8_lossy(inner);
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, meaning) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        text = text.replace(name, meaning);
    }
    Some(text).filter(|text| !text.is_empty())
}

/// Where the lower-case `tag` begins, in either case.
fn find(text: &[u8], tag: &[u8]) -> Option<usize> {
    text.windows(tag.len()).position(|part| part.eq_ignore_ascii_case(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_tags() {
        for page in
            ["<!DOCTYPE html>", "\r\n<HTML><head>", "<!-- x --><html lang=en>", "<head></head>"]
        {
            assert!(is_html(page.as_bytes()), "{page}");
        }
        for other in ["", "{\"html\":\"<html>\"}", "<?xml version='1.0'?><Error/>", "see <html>"] {
            assert!(!is_html(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn the_title_is_one_line_of_text() {
        for (page, wanted) in [
            ("<title>404 Not Found</title>", Some("404 Not Found")),
            ("<TITLE id=x>\n  a &amp;lt; &quot;b&quot;\n c </TITLE>", Some("a &lt; \"b\" c")),
            ("<title></title>", None),
            ("<title>open", None),
            ("<titl", None),
        ] {
            assert_eq!(title(page.as_bytes()).as_deref(), wanted, "{page}");
        }
    }
}
