//! Any text is a template that makes one request with the length that it says, whatever is drawn
//! and whatever it was captured from, or it is one sentence; and what stands for itself is sent as
//! it is.

use std::collections::BTreeMap;

use blast::dice::Dice;
use blast::http::Request;
use blast::plan::template::{Context, Escape, Message, Piece, Scope, body, literal};

use super::is_one_sentence;

/// The first line is the value of a header, the rest is a body.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // What is captured of JSON is text.
    let data = text.as_bytes();
    let (header, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let request = request_of(header);
    let escapes = [Escape::Raw, Escape::Url, Escape::Form, Escape::Header, Escape::Json];
    for escape in escapes {
        let pieces = [Piece::Text(rest.to_string(), escape)];
        for compile in [Message::compile, Message::shown] {
            match compile(&request, &pieces, &scope(&names(), &vars())) {
                Ok(message) => is_one_request(&message, data),
                Err(error) => is_one_sentence(&error),
            }
        }
    }
    stands_for_itself(&text);
    let value = serde_json::json!({ &*text: [&*text] });
    if let Ok(message) =
        Message::compile(&request_of(""), &body::json(&value), &scope(&names(), &vars()))
    {
        let sent = sent(&message, data);
        let (_, json) = halves(&sent);
        assert!(serde_json::from_slice::<serde_json::Value>(json).is_ok(), "{text:?}");
    }
}

fn is_one_request(message: &Message, data: &[u8]) {
    let sent = sent(message, data);
    assert_eq!(sent, self::sent(message, data), "the same dice, other bytes");
    let (head, body) = halves(&sent);
    let head = String::from_utf8_lossy(head).into_owned();
    let lines: Vec<&str> = head.split("\r\n").collect();
    assert_eq!(lines.len(), 5, "{head:?}");
    assert!(!head.contains('\0') && lines.iter().all(|line| !line.contains(['\r', '\n'])));
    let length = lines.iter().find_map(|line| line.strip_prefix("Content-Length: "));
    // What is hidden is counted, and not written.
    let said: usize = length.expect("a POST").parse().expect("a number");
    assert!(said == body.len() || sent.windows(3).any(|bytes| bytes == b"***"), "{head:?}");
}

fn stands_for_itself(text: &str) {
    let pieces = [Piece::Text(literal(text), Escape::Raw)];
    let message = Message::compile(&request_of(""), &pieces, &scope(&names(), &vars()));
    let sent = sent(&message.expect("nothing in it is a placeholder"), b"");
    assert_eq!(halves(&sent).1, text.as_bytes());
}

fn request_of(header: &str) -> Request {
    let mut request = Request::new("POST", "/", "h");
    request.headers.push(("X-A".to_string(), header.to_string()));
    request
}

fn sent(message: &Message, data: &[u8]) -> Vec<u8> {
    let captures = [Some(data.into()), None];
    let mut dice = Dice::of(data.len() as u64, 1, 2);
    let dice = &mut dice;
    let mut context =
        Context { dice, number: 3, id: 3, user: 4, captures: &captures, rows: &[], jar: None };
    let (mut body, mut into) = (Vec::new(), Vec::new());
    message.write(&mut context, &mut body, &mut into);
    [&into[..], message.tail()].concat()
}

fn halves(sent: &[u8]) -> (&[u8], &[u8]) {
    let end = sent.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an end of the head");
    (&sent[..end], &sent[end + 4..])
}

fn scope<'a>(captures: &'a [String], vars: &'a BTreeMap<String, String>) -> Scope<'a> {
    let env = &|name: &str| (name == "A").then(|| "a value".to_string());
    Scope { tables: &[], captures, vars, env, has_users: true, has_cookies: false }
}

fn names() -> Vec<String> {
    vec!["a".to_string(), "b".to_string()]
}

fn vars() -> BTreeMap<String, String> {
    [("a".to_string(), "\r\n{{int 1 2}}\0\"".to_string())].into()
}

/// Without the clock, which may go on between two draws that are to be the same.
pub const SEEDS: &[&[u8]] = &[
    b"{{int 1 100}}\n{\"v\": {{float -1 1 2}}}",
    b"{{choice a \"b c\" \"\\\"}}\"}}\n{{uuid}}{{seq}}",
    b"{{string 12}}\n{{hex 16}}",
    b"{{env A}}\n{{capture.a}}{{capture.b}}{{user.id}}",
    b"{{var.a}}\nuser=1&password={{hex 4}}&c={{\"{{\"}}",
    b"x\n{\"token\": \"{{capture.a}}\", \"b\": {{{seq}}}}",
    b"{{data.users.email}}",
    b"{{itn 1 2}}",
    b"{{{{",
];

pub const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{",
    "}",
    "\"",
    "\\",
    "\\\"",
    " ",
    "\n",
    "\r\n",
    "\0",
    "&",
    "=",
    ":",
    ",",
    "int",
    "float",
    "choice",
    "uuid",
    "seq",
    "string",
    "hex",
    "env A",
    "data.",
    "capture.a",
    "capture.b",
    "user.id",
    "var.a",
    "-9223372036854775808",
    "9223372036854775807",
    "0",
    "1",
    "-1",
    ".5",
    "1.999",
    "1e3",
    "15",
    "16",
    "1048576",
    "token",
    "password",
    "\u{e9}",
    "{{int 1 9}}",
    "{{seq}}",
    "{{hex 3}}",
    "{{capture.a}}",
    "{{\"{{\"}}",
];
