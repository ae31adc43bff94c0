//! `--input json`: one command per line, with the field names of the events (docs/events.md).

use data_encoding::BASE64;
use serde_json::{Map, Value};

use crate::error::{Error, Exit, Stage};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::frame::Opcode;
use crate::run::command::Command;
use crate::run::frame::{Field, FrameSpec, Given, no_such};
use crate::run::gate::Wait;
use crate::run::input::Piece;
use crate::text::Untrusted;
use crate::text::typed::{pattern, time};

type Read = fn(&Fields) -> Result<Command, String>;

/// The commands: their `type`, which is that of the matching event, the fields that they take, and the
/// further ones of the event.
pub const COMMANDS: [(&str, &[&str], &[&str], Read); 5] = [
    (
        "message",
        &["data", "base64", "opcode", "fragment"],
        &["fragments", "length", "wire_length", "compressed", "saved_percent"],
        Fields::message,
    ),
    ("ping", PAYLOAD, &[], |fields| Ok(Command::Ping(fields.control_payload()?))),
    ("pong", PAYLOAD, &["rtt"], |fields| Ok(Command::Pong(fields.control_payload()?))),
    ("close", &["code", "reason"], &["meaning", "reason_base64", "first"], Fields::close),
    (
        "frame",
        &["data", "base64", "fin", "rsv", "opcode", "mask", "length", "length_form"],
        &[],
        Fields::frame,
    ),
];

const PAYLOAD: &[&str] = &["data", "base64"];

/// Fields of every event.
const EVENT: &[&str] = &["at", "t", "seq", "client", "direction"];

/// What a line asks for.
#[derive(Clone, Debug)]
pub enum Step {
    /// Nothing: it is empty, or an event that is no command.
    Nothing,
    /// Nothing: the event of a message that went the other way.
    LeftOut,
    /// To send something.
    Send(Command),
    /// To wait for a message.
    Wait(Wait),
}

/// Reads a line. The output of one session can be the input of another: of its events those are
/// commands that it has received, or, to replay it, the messages that it has sent.
///
/// # Errors
/// Exit 13, with the line number and what is wrong.
pub fn step(piece: &Piece<'_>, replay_out: bool) -> Result<Step, Error> {
    if piece.bytes.trim_ascii().is_empty() {
        return Ok(Step::Nothing);
    }
    parse(piece.bytes, replay_out).map_err(|why| {
        let what = format!("line {} of standard input: {why}", piece.number);
        Error::new(Stage::Input, Exit::Local, what)
            .hint(r#"a command looks like {"type":"message","data":"hello"}; see docs/events.md"#)
    })
}

fn parse(line: &[u8], replay_out: bool) -> Result<Step, String> {
    let value: Value = serde_json::from_slice(line).map_err(|e| format!("not JSON: {e}"))?;
    let Value::Object(fields) = value else {
        return Err("not a JSON object".to_owned());
    };
    let fields = Fields(fields);
    let name = fields.text("type")?.ok_or("the field \"type\" is missing")?;
    let is_event = fields.0.contains_key("seq") && fields.0.contains_key("at");
    let outwards = match fields.text("direction")? {
        None => None,
        Some("in") => Some(false),
        Some("out") => Some(true),
        Some(other) => {
            let other = Untrusted::text(other);
            return Err(format!("\"direction\" must be \"in\" or \"out\", not \"{other}\""));
        }
    };
    if name == "wait" {
        fields.check(name, &["for", "within"], &[])?;
        return fields.wait().map(Step::Wait);
    }
    let Some((_, keys, of_event, read)) = COMMANDS.iter().find(|(known, ..)| *known == name) else {
        return match is_event {
            true => Ok(Step::Nothing),
            false => Err(no_such("command", name, &COMMANDS.map(|(name, ..)| name))),
        };
    };
    match (name, outwards) {
        (_, None) if !is_event => fields.check(name, keys, &[])?,
        // The message that a reported frame belongs to is reported too.
        ("frame", _) => return Ok(Step::Nothing),
        _ => fields.check(name, keys, &[of_event, EVENT])?,
    }
    match (name, outwards) {
        (_, None) => {}
        ("message", Some(outwards)) if outwards != replay_out => return Ok(Step::LeftOut),
        ("message", _) => {}
        // A replay keeps its own pings, and its own end.
        (_, Some(outwards)) if outwards || replay_out => return Ok(Step::Nothing),
        _ => {}
    }
    read(&fields).map(Step::Send)
}

/// The fields of a JSON object.
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Whether there is no field but these, and those that only an event has.
    fn check(&self, name: &str, keys: &[&str], of_event: &[&[&str]]) -> Result<(), String> {
        let is_known = |key: &str| {
            key == "type" || keys.contains(&key) || of_event.iter().any(|keys| keys.contains(&key))
        };
        match self.0.keys().find(|key| !is_known(key)) {
            None => Ok(()),
            Some(key) => Err(no_such(&format!("field of \"{name}\""), key, keys)),
        }
    }

    fn wait(&self) -> Result<Wait, String> {
        let pattern = self.text("for")?.map(pattern).transpose();
        let pattern = pattern.map_err(|why| format!("\"for\" {why}"))?;
        let within = match self.0.get("within") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(time(text)),
            Some(Value::Number(number)) => Some(time(&number.to_string())),
            Some(_) => Some(Err("a time is a number of seconds, or like \"2s\"".to_owned())),
        };
        let within = within.transpose().map_err(|why| format!("\"within\": {why}"))?;
        Ok(Wait { pattern, within })
    }

    fn text(&self, name: &str) -> Result<Option<&str>, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("the field \"{name}\" must be a string")),
        }
    }

    fn number(&self, name: &str) -> Result<Option<u64>, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(format!("the field \"{name}\" must be a number, 0 or more")),
            },
        }
    }

    fn payload(&self) -> Result<Vec<u8>, String> {
        match (self.text("data")?, self.text("base64")?) {
            (Some(data), None) => Ok(data.as_bytes().to_vec()),
            (None, Some(encoded)) => BASE64
                .decode(encoded.as_bytes())
                .map_err(|e| format!("the field \"base64\" can't be decoded: {e}")),
            (None, None) => Ok(Vec::new()),
            (Some(_), Some(_)) => Err("\"data\" or \"base64\", not both".to_owned()),
        }
    }

    fn control_payload(&self) -> Result<Vec<u8>, String> {
        match self.payload()? {
            long if long.len() > 125 => {
                Err(format!("a control frame takes 125 bytes at most, not {}", long.len()))
            }
            payload => Ok(payload),
        }
    }

    fn message(&self) -> Result<Command, String> {
        let payload = self.payload()?;
        let opcode = match self.text("opcode")? {
            Some("text") => Opcode::Text,
            Some("binary") => Opcode::Binary,
            None if self.0.contains_key("base64") => Opcode::Binary,
            None => Opcode::Text,
            Some(other) => {
                let other = Untrusted::text(other);
                return Err(format!("\"opcode\" must be \"text\" or \"binary\", not \"{other}\""));
            }
        };
        if opcode == Opcode::Text && std::str::from_utf8(&payload).is_err() {
            return Err("a text message must be UTF-8; use \"opcode\":\"binary\"".to_owned());
        }
        let fragment = match self.number("fragment")? {
            Some(0) => return Err("\"fragment\" must be 1 or more".to_owned()),
            size => size.map(|size| usize::try_from(size).unwrap_or(usize::MAX)),
        };
        Ok(Command::Message { opcode, payload, fragment })
    }

    fn close(&self) -> Result<Command, String> {
        let code = match self.number("code")? {
            None => None,
            Some(code) => Some(CloseCode(
                u16::try_from(code).map_err(|_| "\"code\" must be below 65536".to_owned())?,
            )),
        };
        // Events report a Close without a code as 1005.
        let code = code.filter(|code| *code != CloseCode(1005));
        let reason = self.text("reason")?.unwrap_or_default().as_bytes().to_vec();
        if reason.len() > CloseStatus::MAX_REASON {
            return Err(format!("\"reason\" takes 123 bytes at most, not {}", reason.len()));
        }
        if code.is_none() && !reason.is_empty() {
            return Err("a \"reason\" needs a \"code\"".to_owned());
        }
        Ok(Command::Close(CloseStatus { code, reason }))
    }

    fn frame(&self) -> Result<Command, String> {
        let mut spec = FrameSpec { payload: self.payload()?, ..FrameSpec::default() };
        for field in &Field::ALL {
            let given = match self.0.get(field.json) {
                None | Some(Value::Null) => continue,
                Some(Value::Bool(on)) => Given::Flag(*on),
                Some(Value::String(text)) => Given::Text(text),
                Some(value) => value.as_u64().map_or(Given::Other, Given::Number),
            };
            field.set(&mut spec, given, &format!("\"{}\"", field.json))?;
        }
        spec.check_length()?;
        Ok(Command::Frame(spec))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::frame::LengthForm;
    use crate::run::frame::MaskSpec;

    fn read(line: &str) -> Result<Option<Command>, String> {
        replayed(line, false)
    }

    fn replayed(line: &str, replay_out: bool) -> Result<Option<Command>, String> {
        Ok(match parse(line.as_bytes(), replay_out)? {
            Step::Send(command) => Some(command),
            _ => None,
        })
    }

    fn message(opcode: Opcode, payload: &[u8]) -> Option<Command> {
        Some(Command::Message { opcode, payload: payload.to_vec(), fragment: None })
    }

    #[test]
    fn commands() {
        let text = r#"{"type":"message","data":"hi \u00fc"}"#;
        assert_eq!(read(text), Ok(message(Opcode::Text, "hi ü".as_bytes())));
        let binary = r#"{"type":"message","opcode":"binary","base64":"AP8="}"#;
        assert_eq!(read(binary), Ok(message(Opcode::Binary, b"\x00\xff")));
        assert_eq!(read(r#"{"type":"ping"}"#), Ok(Some(Command::Ping(Vec::new()))));
        let close = Command::Close(CloseStatus::new(CloseCode(4000), "bye"));
        assert_eq!(read(r#"{"type":"close","code":4000,"reason":"bye"}"#), Ok(Some(close)));
        let frame = FrameSpec {
            fin: false,
            rsv: 4,
            opcode: Opcode::Reserved(3),
            mask: MaskSpec::Key([0; 4]),
            length: Some(300),
            length_form: Some(LengthForm::Bits64),
            payload: b"x".to_vec(),
        };
        let line = r#"{"type":"frame","fin":false,"rsv":4,"opcode":3,"mask":"00000000",
            "length":300,"length_form":64,"data":"x"}"#;
        assert_eq!(read(line), Ok(Some(Command::Frame(frame))));
    }

    #[test]
    fn what_came_out_of_a_session_can_go_into_one() {
        let event = r#"{"type":"message","at":"x","t":1.5,"seq":9,"direction":"in",
            "opcode":"text","data":"a","fragments":1}"#;
        assert_eq!(read(event), Ok(message(Opcode::Text, b"a")));
        let own = event.replace("\"in\"", "\"out\"");
        assert_eq!(read(&own), Ok(None));
        assert_eq!(replayed(&own, true), Ok(message(Opcode::Text, b"a")));
        assert_eq!(replayed(event, true), Ok(None));
        assert!(matches!(parse(own.as_bytes(), false), Ok(Step::LeftOut)));
        assert_eq!(read(r#"{"type":"open","at":"x","seq":3}"#), Ok(None));
        assert_eq!(read(r#"{"type":"frame","at":"x","seq":3,"direction":"in","x":1}"#), Ok(None));
        let close = r#"{"type":"close","direction":"out","code":1000,"meaning":"x","first":"us"}"#;
        assert_eq!((read(close), replayed(close, true)), (Ok(None), Ok(None)));
        assert!(read(&close.replace("out", "in")).unwrap().is_some());
    }

    #[test]
    fn errors_say_what() {
        for (line, part) in [
            ("{", "not JSON"),
            ("[1]", "not a JSON object"),
            ("{}", "\"type\" is missing"),
            (r#"{"type":"mesage"}"#, "no command"),
            (r#"{"type":"mesage","seq":1}"#, "did you mean message?"),
            (r#"{"type":"message","data":1}"#, "must be a string"),
            (
                r#"{"type":"message","hex":"00"}"#,
                "no field of \"message\" is called 'hex'; there are",
            ),
            (r#"{"type":"message","dat":"00"}"#, "called 'dat'; did you mean data?"),
            (r#"{"type":"message","data":"","length":0}"#, "called 'length'"),
            (r#"{"type":"message","direction":"in","payload":"x"}"#, "called 'payload'"),
            (r#"{"type":"message","direction":"up","data":"x"}"#, "\"in\" or \"out\", not \"up\""),
            (r#"{"type":"ping","opcode":"text"}"#, "called 'opcode'"),
            (r#"{"type":"wait","fro":"x"}"#, "did you mean for?"),
            (r#"{"type":"wait","for":"("}"#, "\"for\" is not a regular expression"),
            (r#"{"type":"wait","within":-1}"#, "\"within\": a time is"),
            (r#"{"type":"message","opcode":"text","base64":"/w=="}"#, "must be UTF-8"),
            (r#"{"type":"message","base64":"?"}"#, "can't be decoded"),
            (r#"{"type":"close","code":70000}"#, "below 65536"),
            (r#"{"type":"close","reason":"x"}"#, "needs a \"code\""),
            (r#"{"type":"frame","opcode":16}"#, "0 to 15"),
            (r#"{"type":"frame","length":126,"length_form":7}"#, "ends at 125"),
            (r#"{"type":"frame","length":65536,"length_form":16}"#, "ends at 65535"),
        ] {
            let why = read(line).unwrap_err();
            assert!(why.contains(part), "{line}: {why}");
        }
        let long = format!(r#"{{"type":"ping","data":"{}"}}"#, "x".repeat(126));
        assert!(read(&long).unwrap_err().contains("125 bytes at most"));
    }
}
