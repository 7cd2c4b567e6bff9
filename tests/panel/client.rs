//! HTTP as a program with a token speaks it: a connection a request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::LIMIT;

#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    /// Fields that say who asks, each with its line's end.
    who: String,
}

impl Client {
    pub fn new(address: SocketAddr, token: &str) -> Client {
        Client { address, who: String::new() }.saying(&format!("Authorization: Bearer {token}"))
    }

    /// The same panel, asked by nobody that it knows.
    pub fn nobody(&self) -> Client {
        Client { who: String::new(), ..self.clone() }
    }

    /// With one more field.
    pub fn saying(&self, field: &str) -> Client {
        Client { who: format!("{}{field}\r\n", self.who), ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(body))
    }

    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut from = self.send(method, path, body);
        let (status, head) = head(&mut from);
        assert_eq!(field(&head, "Transfer-Encoding"), None, "{method} {path} is a stream");
        let mut body = Vec::new();
        from.read_to_end(&mut body).unwrap();
        Answer { status, head, body }
    }

    /// What a run tells.
    pub fn events(&self, id: i64) -> Events {
        self.events_after(id, 0)
    }

    pub fn events_after(&self, id: i64, after: u64) -> Events {
        let mut from = self.send("GET", &format!("/api/v1/runs/{id}/events?after={after}"), None);
        let (status, head) = head(&mut from);
        assert_eq!((status, field(&head, "Content-Type")), (200, Some("text/event-stream")));
        Events { from }
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let body = body.map(Value::to_string).unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let (address, who, length) = (self.address, &self.who, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{who}{kind}\
             Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        BufReader::new(stream)
    }
}

/// The status, and all of it as it came.
fn head(from: &mut impl BufRead) -> (u16, String) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(from.read_line(&mut head).unwrap() > 0, "it ended in its head: {head}");
    }
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    (status.unwrap_or_else(|| panic!("no status: {head}")), head)
}

/// A field by its name.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn field(&self, name: &str) -> &str {
        field(&self.head, name).unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }
}

/// Server-sent events. Each comes as a chunk of its own, so that a line is never in two of them.
pub struct Events {
    from: BufReader<TcpStream>,
}

impl Iterator for Events {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            match self.from.read_line(&mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => panic!("nothing was told for {LIMIT:?}: {error}"),
            }
            if let Some(data) = line.strip_prefix("data: ") {
                let value = serde_json::from_str(data);
                return Some(value.unwrap_or_else(|error| panic!("{error}: {data}")));
            }
        }
    }
}

impl Events {
    /// The next line of that kind, and all before it.
    pub fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        for line in self {
            let is_it = line["type"] == kind;
            seen.push(line);
            if is_it {
                return seen;
            }
        }
        panic!("it ended without {kind}: {seen:#?}");
    }

    /// How long it takes until nothing is told any more.
    pub fn until_cut_off(self) -> Duration {
        let start = Instant::now();
        // A run that goes on tells a line a second.
        for _ in self {
            assert!(start.elapsed() < LIMIT, "it goes on");
        }
        start.elapsed()
    }
}
