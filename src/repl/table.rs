//! The commands that a line can begin with: one table for parsing, help, hints and completion.

/// A command as a person knows it.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name without the slash.
    pub(super) name: &'static str,
    /// Other names that mean the same.
    pub(super) aliases: &'static [&'static str],
    /// What follows the name, as in a usage line; empty if nothing does.
    pub(super) arguments: &'static str,
    /// One line for `/help`.
    pub(super) help: &'static str,
    /// More lines, for `/help NAME`.
    pub(super) more: &'static [&'static str],
    /// What can be completed after the name.
    pub(super) completes: Completes,
    /// What it does.
    pub(super) verb: Verb,
}

impl Entry {
    /// The whole usage: `/close [CODE [REASON]]`.
    pub(super) fn usage(&self) -> String {
        let space = if self.arguments.is_empty() { "" } else { " " };
        format!("/{}{space}{}", self.name, self.arguments)
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.name == other.name
    }
}

/// What can be completed after a command's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completes {
    /// Close codes with their meanings.
    CloseCodes,
    /// The commands' names.
    Commands,
    /// File names.
    Files,
    /// The keys and values of a hand-made frame.
    Frame,
    /// Nothing.
    Nothing,
    /// Settings, then their values.
    Settings,
    /// The names of other tools.
    Tools,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    As,
    Base64,
    Bin,
    Close,
    Connect,
    Edit,
    Explain,
    File,
    Fragment,
    Frame,
    Headers,
    Help,
    Hex,
    Json,
    Ping,
    Pong,
    Quit,
    Reconnect,
    Set,
    Status,
    Text,
    Timing,
    Tls,
}

/// Every command, in the order of `/help`: sending, control frames, the connection, looking, the
/// rest.
pub(super) const COMMANDS: &[Entry] = &[
    Entry {
        name: "text",
        aliases: &[],
        arguments: "TEXT",
        help: "send a text message exactly as typed",
        more: &["Also sends what begins with a slash or a space, and an empty message."],
        completes: Completes::Nothing,
        verb: Verb::Text,
    },
    Entry {
        name: "bin",
        aliases: &["binary"],
        arguments: "TEXT",
        help: r"send a binary message; escapes: \x00 \n \t \\ \u{1f600}",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Bin,
    },
    Entry {
        name: "hex",
        aliases: &[],
        arguments: "00ff 01..",
        help: "send a binary message given in hex, spaced as you like",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Hex,
    },
    Entry {
        name: "base64",
        aliases: &[],
        arguments: "DATA",
        help: "send a binary message given in base64",
        more: &["Either alphabet, with or without padding."],
        completes: Completes::Nothing,
        verb: Verb::Base64,
    },
    Entry {
        name: "json",
        aliases: &[],
        arguments: "VALUE",
        help: "check that VALUE is JSON and send it without its white space",
        more: &["Numbers, duplicate keys and the order of keys stay as typed."],
        completes: Completes::Nothing,
        verb: Verb::Json,
    },
    Entry {
        name: "file",
        aliases: &[],
        arguments: "PATH [--text|--binary]",
        help: "send a file as one message: text if it is UTF-8, else binary",
        more: &["The PATH is the rest of the line; ~/ is your home directory."],
        completes: Completes::Files,
        verb: Verb::File,
    },
    Entry {
        name: "edit",
        aliases: &[],
        arguments: "",
        help: "write a text message in $VISUAL or $EDITOR",
        more: &["Nothing is sent when the text is empty or the editor fails."],
        completes: Completes::Nothing,
        verb: Verb::Edit,
    },
    Entry {
        name: "fragment",
        aliases: &[],
        arguments: "N TEXT",
        help: "send a text message in frames of at most N bytes",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Fragment,
    },
    Entry {
        name: "frame",
        aliases: &[],
        arguments: "[fin=0] [op=3] [rsv=4] [mask=none] [length=N] [form=64] [text=..|hex=..|base64=..]",
        help: "send one frame exactly like this, right or wrong",
        more: &[
            "fin=0|1; rsv=0..7 (RSV1 is 4, RSV2 is 2, RSV3 is 1)",
            "op=text, binary, continuation, close, ping, pong, or 0..15",
            "mask=random, none, or a key of eight hex digits such as 00000000",
            "length=N declares N bytes whatever the payload; form=7|16|64 is how it is written",
            "text=, hex= or base64= comes last and takes the rest of the line",
        ],
        completes: Completes::Frame,
        verb: Verb::Frame,
    },
    Entry {
        name: "ping",
        aliases: &[],
        arguments: "[TEXT]",
        help: "send a ping and see the round trip of its pong",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Ping,
    },
    Entry {
        name: "pong",
        aliases: &[],
        arguments: "[TEXT]",
        help: "send a pong that nobody asked for",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Pong,
    },
    Entry {
        name: "close",
        aliases: &[],
        arguments: "[--force] [CODE [REASON]]",
        help: "close the connection (1000 unless told otherwise) and stay here",
        more: &[
            "Codes that an endpoint may send: 1000-1003, 1007-1014, 3000-4999.",
            "--force sends any other, to see what the server makes of it.",
        ],
        completes: Completes::CloseCodes,
        verb: Verb::Close,
    },
    Entry {
        name: "reconnect",
        aliases: &[],
        arguments: "",
        help: "leave this connection and open it again",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Reconnect,
    },
    Entry {
        name: "connect",
        aliases: &[],
        arguments: "URL",
        help: "leave this connection and open another",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Connect,
    },
    Entry {
        name: "status",
        aliases: &[],
        arguments: "",
        help: "readyState, bufferedAmount, subprotocol, extensions, counters, RTT",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Status,
    },
    Entry {
        name: "headers",
        aliases: &[],
        arguments: "",
        help: "the opening handshake: request and response",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Headers,
    },
    Entry {
        name: "tls",
        aliases: &[],
        arguments: "",
        help: "what TLS agreed on, and the certificates",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Tls,
    },
    Entry {
        name: "timing",
        aliases: &[],
        arguments: "",
        help: "how long each phase of the opening took",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Timing,
    },
    Entry {
        name: "as",
        aliases: &[],
        arguments: "curl|js|python|websocat|wscat [--show-secrets]",
        help: "this connection as a command or a program for another tool",
        more: &[
            "What the tool has nothing for is said in a comment. Secrets are *** without",
            "--show-secrets. /as curl does the opening handshake; wstap curl takes it back.",
        ],
        completes: Completes::Tools,
        verb: Verb::As,
    },
    Entry {
        name: "set",
        aliases: &[],
        arguments: "pretty|hex|timestamps|verbose on|off|N",
        help: "change what is shown: /set pretty on, /set verbose 2",
        more: &[
            "pretty: JSON indented and coloured; hex: binary messages in whole as hex",
            "timestamps: a time before each line; verbose: 0 to 3, the number of -v",
        ],
        completes: Completes::Settings,
        verb: Verb::Set,
    },
    Entry {
        name: "explain",
        aliases: &[],
        arguments: "WORDS..",
        help: "what a close code, frame bytes or a header mean: /explain 1006",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Explain,
    },
    Entry {
        name: "help",
        aliases: &["h", "?"],
        arguments: "[COMMAND]",
        help: "this list, or more about one command",
        more: &[],
        completes: Completes::Commands,
        verb: Verb::Help,
    },
    Entry {
        name: "quit",
        aliases: &["q", "exit"],
        arguments: "",
        help: "close in order and leave; also Ctrl-D",
        more: &[],
        completes: Completes::Nothing,
        verb: Verb::Quit,
    },
];

/// The close codes worth completing: those that an endpoint may send and that have a meaning.
pub(super) const CLOSE_CODES: &[u16] = &[
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3003, 3008, 4000,
];

/// The settings of `/set`.
pub(super) const SETTINGS: &[&str] = &["pretty", "hex", "timestamps", "verbose"];

/// The command of that name (without the slash).
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    COMMANDS.iter().find(|entry| entry.names().any(|known| known == name))
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = |name: &str| match name.starts_with(typed) && !typed.is_empty() {
        true => 0,
        false => distance(typed, name),
    };
    let limit = match typed.chars().count() {
        0 | 1 => 0,
        2 | 3 => 1,
        _ => 2,
    };
    known
        .into_iter()
        .map(|name| (near(name), name))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// All names, aliases included, for [`nearest`].
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().flat_map(Entry::names)
}

/// How many characters must be put in, left out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    // Nothing that long is a misspelt command.
    if a.len() > 32 {
        return usize::MAX;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = changed.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(table[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let mut all: Vec<_> = names().collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.into_iter().all(|name| find(name).is_some()));
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        for (typed, meant) in [
            ("hlep", "help"),
            ("stat", "status"),
            ("conect", "connect"),
            ("pign", "ping"),
            ("recon", "reconnect"),
            ("base46", "base64"),
        ] {
            assert_eq!(nearest(typed, names()), Some(meant), "{typed}");
        }
        assert_eq!(nearest("xyzzy", names()), None);
        assert_eq!(nearest("", names()), None);
    }

    #[test]
    fn every_completed_close_code_may_be_sent() {
        use crate::protocol::close::CloseCode;
        assert!(CLOSE_CODES.iter().all(|&code| CloseCode(code).is_allowed_on_wire()));
    }
}
