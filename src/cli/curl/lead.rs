//! What is in front of a pasted command: comments, a prompt, a program that runs it.

/// Where the word curl is in a pasted text: behind comments, a prompt, or a program that runs it.
pub fn begin(text: &str) -> Option<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let uncommented = bare.trim_start_matches(['#', '%', '$', '>', ' ']);
        let is_comment = ["#", "//", "::", "REM ", "rem ", "```", "~~~"]
            .iter()
            .any(|sign| bare.starts_with(sign))
            && !uncommented.split_whitespace().next().is_some_and(is_curl);
        if !bare.is_empty() && !is_comment {
            return begin_in_line(line).map(|at| start + at);
        }
        start += line.len();
    }
    None
}

fn begin_in_line(line: &str) -> Option<usize> {
    const RUN: [&str; 8] = ["!", "sudo", "time", "env", "command", "exec", "nohup", "winpty"];
    // A prompt may have words before its end: `PS C:\Users\me>`, `me@host ~ %`.
    let is_prompt = |word: &str| word.ends_with(['$', '%', '#', '>', '❯', '➜', '»', 'λ', '~', '✗']);
    let mut may_follow = true;
    for word in line.split_whitespace() {
        let bare = word.trim_start_matches(['!', '(', '@']);
        if may_follow && is_curl(bare) {
            return Some(bare.as_ptr().addr() - line.as_ptr().addr());
        }
        may_follow = is_prompt(word) || RUN.contains(&word) || is_assignment(word);
    }
    None
}

/// Whether a shell would set a variable with a word.
pub(super) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// Whether a command's first word calls curl. A URL's path can end with `curl`, too.
fn is_curl(word: &str) -> bool {
    let local = word.starts_with(['/', '.', '~']) || word.get(1..3) == Some(":\\");
    let name = if local { word.rsplit(['/', '\\']).next().unwrap_or_default() } else { word };
    matches!(name, "curl" | "curl.exe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curl_by_its_name() {
        for word in ["curl", "curl.exe", "/usr/bin/curl", "./curl", r"C:\\x\curl.exe"] {
            assert!(is_curl(word), "{word}");
        }
        for word in ["", "curly", "https://h/curl", "h/curl", "é:\\curl"] {
            assert!(!is_curl(word), "{word}");
        }
    }
}
