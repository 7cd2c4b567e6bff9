//! What the application answers: a status, a JSON body, perhaps a cookie.

use serde_json::{Value, json};

use crate::target::response::reason;

/// What the bytes depend on besides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Answers HEAD: the head alone.
    pub head: bool,
    /// Answers HTTP/1.0: a connection that stays says so.
    pub old: bool,
    /// The connection ends after it.
    pub last: bool,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub body: Value,
    /// A line of the head, with its line end; or nothing.
    line: String,
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Reply {
        Reply { status, body, line: String::new() }
    }

    pub fn error(status: u16, what: &str) -> Reply {
        let reply = Reply::json(status, json!({ "error": what }));
        match status {
            // RFC 9110, 11.6.1: a 401 says how to do better.
            401 => Reply { line: "WWW-Authenticate: Bearer\r\n".to_owned(), ..reply },
            _ => reply,
        }
    }

    pub fn not_allowed(methods: &str) -> Reply {
        let line = format!("Allow: {methods}\r\n");
        Reply { line, ..Reply::error(405, "no such method here") }
    }

    /// `cookie`: the value of Set-Cookie.
    pub fn and_set(self, cookie: &str) -> Reply {
        Reply { line: format!("Set-Cookie: {cookie}\r\n"), ..self }
    }

    pub fn bytes(&self, shape: &Shape) -> Vec<u8> {
        let body = self.body.to_string();
        let connection = match (shape.last, shape.old) {
            (true, _) => "Connection: close\r\n",
            (false, true) => "Connection: keep-alive\r\n",
            (false, false) => "",
        };
        let mut bytes = format!(
            "HTTP/1.1 {} {}\r\nServer: blast\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{}{connection}\r\n",
            self.status,
            reason(self.status),
            body.len(),
            self.line,
        );
        if !shape.head {
            bytes += &body;
        }
        bytes.into_bytes()
    }
}
