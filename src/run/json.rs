//! `--input json`: one command per line, with the field names of the events (docs/events.md).

use data_encoding::BASE64;
use serde_json::{Map, Value};

use crate::error::{Error, Exit, Stage};
use crate::protocol::close::{CloseCode, CloseStatus};
use crate::protocol::frame::Opcode;
use crate::run::command::Command;
use crate::run::frame::{Field, FrameSpec, Given};
use crate::run::input::Piece;
use crate::text::Untrusted;

type Read = fn(&Fields) -> Result<Command, String>;

/// The commands by their `type`, which is that of the matching event.
pub const COMMANDS: [(&str, Read); 5] = [
    ("message", Fields::message),
    ("ping", |fields| Ok(Command::Ping(fields.control_payload()?))),
    ("pong", |fields| Ok(Command::Pong(fields.control_payload()?))),
    ("close", Fields::close),
    ("frame", Fields::frame),
];

/// Parses a line. `None` for an empty line and for events that aren't commands, so that the output
/// of one session can be the input of another.
///
/// # Errors
/// Exit 13, with the line number and what is wrong.
pub fn command(piece: &Piece<'_>) -> Result<Option<Command>, Error> {
    if piece.bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    parse(piece.bytes).map_err(|why| {
        let what = format!("line {} of standard input: {why}", piece.number);
        Error::new(Stage::Input, Exit::Local, what)
            .hint(r#"a command looks like {"type":"message","data":"hello"}; see docs/events.md"#)
    })
}

fn parse(line: &[u8]) -> Result<Option<Command>, String> {
    let value: Value = serde_json::from_slice(line).map_err(|e| format!("not JSON: {e}"))?;
    let Value::Object(fields) = value else {
        return Err("not a JSON object".to_owned());
    };
    let fields = Fields(fields);
    // An event of a message sent by another session.
    if fields.text("direction")? == Some("out") {
        return Ok(None);
    }
    let is_event = fields.0.contains_key("seq");
    let name = fields.text("type")?.ok_or("the field \"type\" is missing")?;
    match COMMANDS.iter().find(|(known, _)| *known == name) {
        // The message that a reported frame belongs to is reported too.
        Some(("frame", _)) if is_event => Ok(None),
        Some((_, read)) => read(&fields).map(Some),
        None if is_event => Ok(None),
        None => {
            let [others @ .., last] = COMMANDS.map(|(name, _)| name);
            let (name, others) = (Untrusted::text(name), others.join(", "));
            Err(format!("\"{name}\" is no command: {others} or {last}"))
        }
    }
}

/// The fields of a JSON object.
pub struct Fields(Map<String, Value>);

impl Fields {
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
        parse(line.as_bytes())
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
        assert_eq!(read(r#"{"type":"open","seq":3}"#), Ok(None));
        assert_eq!(read(r#"{"type":"frame","seq":3,"direction":"in"}"#), Ok(None));
    }

    #[test]
    fn errors_say_what() {
        for (line, part) in [
            ("{", "not JSON"),
            ("[1]", "not a JSON object"),
            ("{}", "\"type\" is missing"),
            (r#"{"type":"mesage"}"#, "no command"),
            (r#"{"type":"message","data":1}"#, "must be a string"),
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
