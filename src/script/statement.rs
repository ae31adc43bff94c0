//! What a script consists of, behind the parser.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::ScriptOption;
use crate::pattern::{Check, Path, Template, TemplateValue};
use crate::protocol::frame::Opcode;
use crate::script::source::{Place, Sources};
use crate::script::values::Values;

/// A script that was read and checked.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its files.
    pub(crate) sources: Sources,
    /// Played at the start of each test.
    pub(crate) prelude: Vec<Statement>,
    /// Its tests, in order.
    pub(crate) tests: Vec<Test>,
    /// Variables with values that were known before the run.
    pub(crate) variables: BTreeMap<String, String>,
    /// Values that no report may show.
    pub(crate) secrets: Vec<String>,
}

/// A test.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) tags: Vec<String>,
    pub(crate) body: Vec<Statement>,
}

/// A statement.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) place: Place,
    /// What a failure points at: the pattern, or the beginning.
    pub(crate) mark: Place,
    /// The connection's name; `None` for the last unnamed one.
    pub(crate) name: Option<String>,
    pub(crate) kind: Kind,
}

/// What a statement does.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// `var NAME = VALUE`, where the value isn't known before the run.
    Var { name: String, value: Template },
    /// `connect [NAME] URL`; the name is the statement's.
    Connect { url: Template, options: Vec<ConnectOption> },
    /// `> TEXT`
    Send(Payload),
    /// `/command …`, without the slash.
    Command(Template),
    /// `< PATTERN`
    Receive(Receive),
    /// `expect …`
    Expect(Expect),
    /// `on REGEX > TEXT`
    On { regex: Template, reply: Template },
    /// `every TIME > TEXT`
    Every { time: Duration, payload: Payload },
    /// `wait TIME`
    Wait(Duration),
    /// `within TIME`
    Within(Duration),
    /// `repeat N` … `end`
    Repeat { count: u64, body: Vec<Statement> },
}

/// An option below `connect`.
#[derive(Clone, Debug)]
pub(crate) struct ConnectOption {
    pub(crate) place: Place,
    pub(crate) option: ScriptOption,
    pub(crate) value: Option<Template>,
}

/// What is sent, or expected byte by byte.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Text(Template),
    /// Binary, in hex or base64.
    Encoded(Encoding, Template),
    /// The content of a file.
    File {
        opcode: Opcode,
        path: PathPattern,
    },
}

/// The path of a file, and the folder that it starts from.
#[derive(Clone, Debug)]
pub(crate) struct PathPattern {
    pub(crate) folder: PathBuf,
    pub(crate) path: Template,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Hex,
    Base64,
}

/// `<…`
#[derive(Clone, Debug)]
pub(crate) struct Receive {
    pub(crate) pattern: Wanted,
    /// `?`: passes over others.
    pub(crate) passes: bool,
    pub(crate) within: Option<Duration>,
    pub(crate) below: Vec<Below>,
}

/// The pattern of `<…`, before its values are filled in.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// `<*`, so many times.
    Any(u64),
    /// `<b`
    Binary(Payload),
    /// `<=`
    Exact(Template),
    /// `<`
    Like(Template),
    /// `<~`
    Regex(Template),
}

/// An indented line below `<`.
#[derive(Clone, Debug)]
pub(crate) struct Below {
    pub(crate) place: Place,
    pub(crate) look: Look,
}

/// What it does.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// `NAME = .path`
    Capture { name: String, path: Path },
    /// `.path OP VALUE`
    Assert { check: Check, operand: Template },
}

/// `expect …`
#[derive(Clone, Debug)]
pub(crate) struct Expect {
    pub(crate) what: Expected,
    pub(crate) within: Option<Duration>,
    pub(crate) below: Vec<AnswerCheck>,
}

/// What is expected besides messages.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    Open,
    Status(u16),
    Subprotocol(Template),
    Extension(Template),
    Header(HeaderCheck),
    Ping(Option<Template>),
    Pong(Option<Template>),
    Close {
        code: Option<u16>,
        reason: Option<Reason>,
    },
    Cut,
    TlsFailure,
    Violation(Option<String>),
    /// No frame of any kind, or (`<!`) no message.
    Silence {
        time: Duration,
        frames: bool,
    },
}

/// The reason of a Close frame.
#[derive(Clone, Debug)]
pub(crate) enum Reason {
    Equal(Template),
    Regex(Template),
}

/// A field of the answer: present, or with this value.
#[derive(Clone, Debug)]
pub(crate) struct HeaderCheck {
    pub(crate) name: String,
    pub(crate) value: Option<Template>,
}

/// An indented line below `expect open` or `expect status`.
#[derive(Clone, Debug)]
pub(crate) struct AnswerCheck {
    pub(crate) place: Place,
    pub(crate) what: AnswerPart,
}

/// What it looks at.
#[derive(Clone, Debug)]
pub(crate) enum AnswerPart {
    Header(HeaderCheck),
    /// `body ~ REGEX`
    BodyRegex(Template),
    /// `body json {…}`
    BodyJson(Template),
}

impl Script {
    /// The first URL that is known before the run.
    pub fn first_url(&self) -> Option<String> {
        let bodies = self.tests.iter().flat_map(|test| &test.body);
        self.prelude.iter().chain(bodies).find_map(|statement| match &statement.kind {
            Kind::Connect { url, .. } => {
                let is_known = |(value, _): (&TemplateValue, usize)| match value {
                    TemplateValue::Variable(name) => self.variables.contains_key(name),
                    _ => true,
                };
                let known = url.values().all(is_known);
                known.then(|| Values::new(&self.variables).fill(url, str::to_owned))
            }
            _ => None,
        })
    }
}
