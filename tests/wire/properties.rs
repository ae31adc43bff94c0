//! Properties of what reads and shows structured text: any bytes, any split, there and back.

use data_encoding::{BASE64, HEXLOWER};
use proptest::prelude::*;
use serde_json::json;
use wstap::error::Error;
use wstap::http::challenge::challenges;
use wstap::http::cookie::{CookieOrigin, Jar};
use wstap::http::head::{HeadError, HeadLimits, HeadReader, Header, Response};
use wstap::protocol::frame::{LengthForm, Opcode};
use wstap::repl;
use wstap::run::command::Command;
use wstap::run::frame::{FrameSpec, MaskSpec};
use wstap::run::input::Piece;
use wstap::run::json;
use wstap::text::{Untrusted, UntrustedLines, is_dangerous, is_plain};
use wstap::transport::Target;

type Head = Result<Option<(Response, Vec<u8>)>, HeadError>;

/// Feeds pieces of these lengths, over and over; what is left when it is done belongs to the rest.
fn read_head(bytes: &[u8], lengths: &[usize]) -> Head {
    let mut reader = HeadReader::new(HeadLimits { bytes: 300, headers: 5 });
    let (mut left, mut lengths) = (bytes, lengths.iter().cycle());
    while !left.is_empty() {
        let (piece, later) = left.split_at(left.len().min(*lengths.next().unwrap()));
        left = later;
        if let Some((head, rest)) = reader.feed(piece)? {
            return Ok(Some((head, [&rest, left].concat())));
        }
    }
    Ok(None)
}

/// Bytes that are a head, or nearly one.
fn nearly_a_head() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"\r\n".to_vec()),
        2 => Just(b"\n".to_vec()),
        2 => Just(b"HTTP/1.1 101 Switching Protocols\r\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => Just(b" ".to_vec()),
        1 => Just(b":".to_vec()),
        2 => "[A-Za-z-]{1,8}: [ -~]{0,60}\r\n".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    let begin = prop_oneof![5 => Just("HTTP/1.1 200 OK\r\n"), 1 => Just("HTTP/1"), 1 => Just("")];
    (begin, prop::collection::vec(piece, 0..14))
        .prop_map(|(begin, pieces)| [begin.as_bytes(), &pieces.concat()].concat())
}

/// A frame that a command can ask for.
fn specs() -> impl Strategy<Value = FrameSpec> {
    let mask = prop_oneof![
        Just(MaskSpec::Fresh),
        Just(MaskSpec::None),
        any::<[u8; 4]>().prop_map(MaskSpec::Key)
    ];
    let form = prop_oneof![
        Just(None),
        Just(Some(LengthForm::Bits16)),
        Just(Some(LengthForm::Bits64)),
        Just(Some(LengthForm::Bits7)),
    ];
    let payload = prop::collection::vec(any::<u8>(), 0..40);
    let length = prop::option::of(any::<u64>());
    (any::<bool>(), 0..8u8, 0..16u8, mask, length, form, payload).prop_map(
        |(fin, rsv, opcode, mask, length, length_form, payload)| {
            let opcode = Opcode::from_bits(opcode);
            FrameSpec { fin, rsv, opcode, mask, length, length_form, payload }
        },
    )
}

fn bits(form: LengthForm) -> u8 {
    match form {
        LengthForm::Bits7 => 7,
        LengthForm::Bits16 => 16,
        LengthForm::Bits64 => 64,
    }
}

/// As it is typed at the prompt.
fn typed(spec: &FrameSpec) -> String {
    let mask = match spec.mask {
        MaskSpec::Fresh => "random".to_owned(),
        MaskSpec::Key(key) => HEXLOWER.encode(&key),
        MaskSpec::None => "none".to_owned(),
    };
    let length = spec.length.map(|length| format!(" length={length}")).unwrap_or_default();
    let form = spec.length_form.map(|form| format!(" form={}", bits(form))).unwrap_or_default();
    let (fin, rsv, opcode) = (u8::from(spec.fin), spec.rsv, spec.opcode.bits());
    let payload = BASE64.encode(&spec.payload);
    format!("/frame fin={fin} rsv={rsv} op={opcode} mask={mask}{length}{form} base64={payload}")
}

/// As it is written for `--input json`.
fn in_json(spec: &FrameSpec) -> String {
    let mask = match spec.mask {
        MaskSpec::Fresh => json!(true),
        MaskSpec::Key(key) => json!(HEXLOWER.encode(&key)),
        MaskSpec::None => json!(false),
    };
    json!({
        "type": "frame", "fin": spec.fin, "rsv": spec.rsv, "opcode": spec.opcode.bits(),
        "mask": mask, "length": spec.length, "length_form": spec.length_form.map(bits),
        "base64": BASE64.encode(&spec.payload),
    })
    .to_string()
}

fn json_command(line: &[u8]) -> Result<Option<Command>, Error> {
    Ok(match json::step(&Piece { bytes: line, offset: 0, number: 1 }, false)? {
        json::Step::Send(command) => Some(command),
        _ => None,
    })
}

const HERE: CookieOrigin<'_> =
    CookieOrigin { host: "a.example.com", is_address: false, target: "/x/y?z", secure: true };

/// What may stand nowhere but in an escape; joiners and tags may stand inside an emoji or a word.
fn misleads(c: char) -> bool {
    is_dangerous(c) && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{e0020}'..='\u{e007f}')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// How the network cuts a head into pieces changes neither what is read, nor the kind of the error,
    /// nor where the rest begins.
    #[test]
    fn a_head_is_the_same_in_any_pieces(
        bytes in nearly_a_head(),
        lengths in prop::collection::vec(1..30usize, 1..10),
    ) {
        let whole = read_head(&bytes, &[usize::MAX]);
        match (read_head(&bytes, &lengths), &whole) {
            // The evidence is what had come.
            (Err(HeadError::NotHttp(early)), Err(HeadError::NotHttp(late))) => {
                prop_assert!(late.starts_with(&early));
            }
            (pieces, whole) => prop_assert_eq!(&pieces, whole),
        }
        if let Ok(Some((head, rest))) = whole {
            prop_assert!(head.head.len() <= 300 && head.headers.len() <= 5);
            prop_assert_eq!([head.head, rest].concat(), bytes);
        }
    }

    /// Fields arrive as they were sent, in their order, case and number.
    #[test]
    fn the_fields_of_a_head_are_those_that_were_sent(
        status in 100..600u16,
        fields in prop::collection::vec(("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", "([!-~]([ -~]{0,20}[!-~])?)?"), 0..5),
    ) {
        let lines: String = fields.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
        let head = format!("HTTP/1.1 {status} x\r\n{lines}\r\n");
        let (response, rest) = read_head(head.as_bytes(), &[7]).unwrap().unwrap();
        let sent: Vec<Header> = fields.into_iter().map(|(n, v)| Header::new(n, v)).collect();
        prop_assert_eq!((response.status, response.headers, rest), (status, sent, Vec::new()));
    }

    /// Challenges that share a field, or don't, are told apart, with their parameters.
    #[test]
    fn challenges_are_told_apart(
        all in prop::collection::vec(
            ("[A-Za-z]{1,8}", prop::collection::btree_map("[a-z]{1,6}", "[ !#-\\[\\]-~]{0,12}", 1..4)),
            1..5,
        ),
        comma in prop_oneof![Just(", "), Just(","), Just(" ,\t,")],
    ) {
        let texts: Vec<String> = all
            .iter()
            .map(|(scheme, params)| {
                let params: Vec<String> = params.iter().map(|(n, v)| format!("{n}=\"{v}\"")).collect();
                format!("{scheme} {}", params.join(comma))
            })
            .collect();
        let one = [Header::new("WWW-Authenticate", texts.join(comma))];
        let each: Vec<Header> =
            texts.iter().map(|text| Header::new("www-authenticate", text.as_str())).collect();
        let found = challenges(&one, "WWW-Authenticate");
        prop_assert_eq!(&challenges(&each, "WWW-Authenticate"), &found);
        prop_assert_eq!(found.len(), all.len());
        for (challenge, (scheme, params)) in found.iter().zip(&all) {
            prop_assert!(challenge.is(scheme));
            for (name, value) in params {
                prop_assert_eq!(challenge.param(name), Some(value.as_bytes()));
            }
        }
    }

    /// A jar is the same after its file was written and read; and whatever a server sets, a request
    /// stays one field on one line.
    #[test]
    fn a_jar_comes_back_from_its_file(
        fields in prop::collection::vec(
            prop_oneof![
                3 => ("[a-c]{1,2}", "[ -~]{0,12}", prop_oneof![
                    Just(""), Just("; Path=/x"), Just("; Domain=example.com"), Just("; HttpOnly"),
                    Just("; Max-Age=100; Secure"), Just("; Max-Age=0"), Just("; Path=/x/y; Domain=.A.example.com"),
                ])
                    .prop_map(|(name, value, more)| format!("{name}={value}{more}").into_bytes()),
                1 => prop::collection::vec(any::<u8>(), 0..40),
            ],
            0..20,
        ),
    ) {
        const NOW: i64 = 1_000_000_000;
        let mut jar = Jar::default();
        for field in &fields {
            let _ = jar.set(field, &HERE, NOW);
        }
        let file = jar.write(NOW);
        let read = Jar::read(&file);
        prop_assert_eq!(read.unreadable(), 0);
        prop_assert_eq!(read.write(NOW), file);
        let field = jar.field(&HERE, &[], NOW);
        prop_assert_eq!(read.field(&HERE, &[], NOW), field.clone());
        let field = field.unwrap_or_default();
        prop_assert!(field.iter().all(|byte| !matches!(byte, b'\r' | b'\n' | b'\0')));
    }

    /// A URL that was understood names the same target when it is written out: nothing is guessed
    /// twice. Its parts can't break the lines of a request.
    #[test]
    fn a_url_that_was_understood_is_understood_again(
        typed in prop_oneof![
            1 => any::<String>(),
            2 => "\\PC{0,30}",
            6 => "(ws://|wss://|HTTPS://|)([a-z]{1,3}(:[!-~]{0,3})?@)?([a-zA-Z0-9ü.-]{1,12}|\\[::1\\]|127\\.1)(:[0-9]{1,5})?([/?#]\\PC{0,20})?",
        ],
    ) {
        if let Ok((target, _)) = Target::parse(&typed) {
            let (mut again, notes) = Target::parse(&target.url()).unwrap();
            prop_assert_eq!(again.url(), target.url());
            prop_assert!(notes.is_empty(), "{:?}", notes);
            prop_assert!(again.same_origin(&target));
            again.typed_host.clone_from(&target.typed_host);
            again.userinfo.clone_from(&target.userinfo);
            prop_assert_eq!(&again, &target);
            prop_assert!(target.path.starts_with('/'));
            prop_assert!(target.path.bytes().all(|byte| byte.is_ascii_graphic()), "{}", target.path);
            prop_assert!(target.authority().bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    /// Whatever is shown, a terminal obeys nothing in it, it stays on its line, and it is bounded; what is
    /// harmless is shown as it is.
    #[test]
    fn what_is_shown_is_harmless_and_bounded(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            any::<String>().prop_map(String::into_bytes),
        ],
        plain in "[\\PC&&[^\u{fe00}-\u{fe0f}]]{0,100}",
    ) {
        let shown = Untrusted(&bytes).to_string();
        prop_assert!(!shown.contains(misleads) && is_plain(&shown), "{shown:?}");
        prop_assert!(shown.len() <= 4 * bytes.len());
        let lines = UntrustedLines(&bytes).to_string();
        prop_assert!(!lines.contains(|c| misleads(c) && !matches!(c, '\n' | '\t')), "{lines:?}");
        let newlines = bytes.iter().filter(|byte| **byte == b'\n').count();
        prop_assert_eq!(lines.matches('\n').count(), newlines);
        prop_assume!(!plain.contains(is_dangerous));
        prop_assert_eq!(Untrusted::text(&plain).to_string(), plain);
    }

    /// A frame is the same typed at the prompt and in JSON, and both refuse the same lengths.
    #[test]
    fn a_frame_is_the_same_at_the_prompt_and_in_json(spec in specs()) {
        let (prompt, json) = (repl::command(&typed(&spec)), json_command(in_json(&spec).as_bytes()));
        if spec.check_length().is_err() {
            prop_assert!(prompt.is_err() && json.is_err());
        } else {
            prop_assert_eq!(prompt.unwrap(), Some(Command::Frame(spec.clone())));
            prop_assert_eq!(json.unwrap(), Some(Command::Frame(spec)));
        }
    }

    /// Any text is one message with just that payload, whatever its characters mean to JSON.
    #[test]
    fn any_text_comes_through_json(text in any::<String>(), fragment in prop::option::of(1..9usize)) {
        let line = json!({"type": "message", "data": text, "fragment": fragment}).to_string();
        let message = Command::Message { opcode: Opcode::Text, payload: text.into_bytes(), fragment };
        prop_assert_eq!(json_command(line.as_bytes()).unwrap(), Some(message));
    }

    /// What can't be understood is an error that shows nothing that a terminal obeys.
    #[test]
    fn what_is_not_understood_is_refused_harmlessly(
        begin in prop_oneof![
            Just(""), Just("/"), Just("/frame "), Just("/close "), Just("/hex "), Just("/set "), Just("/ping "),
            Just(r#"{"type":"#), Just(r#"{"type":"frame","mask":"#), Just(r#"{"type":"message","opcode":""#),
        ],
        rest in any::<String>(),
    ) {
        let line = format!("{begin}{rest}");
        for error in [repl::command(&line).err(), json_command(line.as_bytes()).err()].into_iter().flatten() {
            let shown = error.to_string();
            prop_assert!(!shown.contains(|c| is_dangerous(c) && c != '\n'), "{shown:?}");
        }
    }
}
