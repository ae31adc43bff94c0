//! The lines that `wstap -vvv` shows for a frame: its header in brackets, then rows of its payload.

use super::rows;
use super::shown::Dump;
use crate::text::typed::hex;

/// The frames; `None` if there is no header of one.
pub(super) fn read(text: &str) -> Option<Dump> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut masked = false;
    for line in text.lines() {
        let line = line.trim();
        if let Some(header) = field(line, "header") {
            let header = hex(header.strip_prefix('[')?.strip_suffix(']')?).ok()?;
            parts.push(header);
            masked = false;
        } else if let (Some(row), Some(part)) = (field(line, "masked"), parts.last_mut()) {
            part.extend(rows::bytes(row)?);
            masked = true;
        } else if let (Some(row), Some(part)) = (field(line, "payload"), parts.last_mut())
            // Of a masked frame, the rows with the mask were on the wire.
            && !masked
        {
            part.extend(rows::bytes(row)?);
        }
    }
    let kind = "the lines of wstap -vvv".to_owned();
    (!parts.is_empty()).then(|| Dump { kind, notes: Vec::new(), parts, streams: false })
}

fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(name)?;
    rest.starts_with(' ').then(|| rest.trim())
}
