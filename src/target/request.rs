//! Reading requests (RFC 9112, sections 2 to 7), sans-IO: bytes in, events out. The answer does not
//! depend on how the bytes were split over reads.
//!
//! Written apart from `blast::http` on purpose: a misreading there must not be hidden by the same
//! misreading here. It is lenient where a load test gains from it (bare LF, no Host field) and
//! strict where two readings of one message are possible (lengths, codings, spaces before colons).

use super::chunked::{Chunked, Step};

/// The longest head that is read; beyond it 431.
pub(super) const HEAD_LIMIT: usize = 16 * 1024;
/// The longest body that is read; beyond it 413.
pub(super) const BODY_LIMIT: u64 = 1 << 30;
const METHOD_LIMIT: usize = 24;

/// One request's head, as far as an answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub method: &'a [u8],
    /// Path and query, as sent.
    pub target: &'a [u8],
    /// The lines of its fields.
    pub fields: &'a [u8],
    /// Asked with HEAD: the answer has no body.
    pub head: bool,
    /// HTTP/1.0: the answer may not be chunked.
    pub old: bool,
    pub keep_alive: bool,
    /// The client waits for a 100 before it sends the body.
    pub expects: bool,
    pub body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Length(u64),
    Chunked,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// All input is used up.
    More,
    /// A head; when it announces a body, its pieces follow, and [`Event::End`] behind the last.
    Head(Request<'a>),
    /// The next bytes of a body.
    Data(&'a [u8]),
    /// The body ended.
    End,
    /// Not a request that can be served: answer with this status and close.
    Refused(u16),
}

/// Or the status that refuses it.
pub(super) type Outcome<T> = std::result::Result<T, u16>;

/// Where a connection stands in its stream of requests.
#[derive(Debug, Default)]
pub(super) struct Reader {
    state: State,
    /// The beginning of a head that was split over reads; empty when heads arrive whole.
    partial: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Head,
    /// The last event borrowed from `partial`: forget it first.
    HeadTaken(Body),
    Counted(u64),
    Chunked(Chunked),
}

impl Reader {
    /// Takes bytes from the front of `input` until something happened.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Event<'a> {
        if let State::HeadTaken(body) = self.state {
            self.partial = Vec::new();
            self.enter_body(body);
        }
        match &mut self.state {
            State::Counted(0) => {
                self.state = State::Head;
                Event::End
            }
            State::Counted(_) if input.is_empty() => Event::More,
            State::Counted(left) => {
                let (data, rest) = input.split_at((*left).min(input.len() as u64) as usize);
                *input = rest;
                *left -= data.len() as u64;
                Event::Data(data)
            }
            State::Chunked(chunked) => match chunked.next(input) {
                Ok(Step::More) => Event::More,
                Ok(Step::Data(data)) => Event::Data(data),
                Ok(Step::End) => {
                    self.state = State::Head;
                    Event::End
                }
                Err(status) => Event::Refused(status),
            },
            State::Head | State::HeadTaken(_) => self.head(input),
        }
    }

    fn enter_body(&mut self, body: Body) {
        self.state = match body {
            Body::None => State::Head,
            Body::Length(length) => State::Counted(length),
            Body::Chunked => State::Chunked(Chunked::default()),
        };
    }

    fn head<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Event<'a> {
        if self.partial.is_empty() {
            // RFC 9112, 2.2: empty lines before a request line are skipped.
            while let [b'\r' | b'\n', rest @ ..] = *input {
                *input = rest;
            }
            if let Some(end) = head_end(input, 0) {
                let (head, rest) = input.split_at(end);
                *input = rest;
                return match parse(head) {
                    Ok(request) => {
                        self.enter_body(request.body);
                        Event::Head(request)
                    }
                    Err(status) => Event::Refused(status),
                };
            }
        }
        self.split_head(input)
    }

    fn split_head<'a>(&'a mut self, input: &mut &[u8]) -> Event<'a> {
        let seen = self.partial.len();
        self.partial.extend_from_slice(input);
        let Some(end) = head_end(&self.partial, seen.saturating_sub(2)) else {
            *input = &[];
            return unfinished(&self.partial);
        };
        *input = &input[end - seen..];
        self.partial.truncate(end);
        match parse(&self.partial) {
            Ok(request) => {
                self.state = State::HeadTaken(request.body);
                Event::Head(request)
            }
            Err(status) => Event::Refused(status),
        }
    }
}

/// A head whose end has not come: wait, or refuse what can never become one.
fn unfinished(head: &[u8]) -> Event<'static> {
    if head.len() > HEAD_LIMIT {
        return Event::Refused(431);
    }
    if newline(head).is_some() {
        return request_line(split_line(head).0).map_or_else(Event::Refused, |_| Event::More);
    }
    // Bytes of another protocol (TLS begins with 0x16) may never bring a line end.
    let method = head.split(|byte| *byte == b' ').next().unwrap_or(head);
    let possible = method.len() <= METHOD_LIMIT && method.iter().all(|byte| is_token(*byte));
    if possible { Event::More } else { Event::Refused(400) }
}

/// Just behind the empty line that ends a head; the search starts at `from`.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += newline(&bytes[at..])? + 1;
        match bytes[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

fn newline(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

/// Reads a whole head. An `Err` is the status to refuse it with.
fn parse(head: &[u8]) -> Outcome<Request<'_>> {
    if head.len() > HEAD_LIMIT {
        return Err(431);
    }
    let (line, mut rest) = split_line(head);
    let mut fields = Fields::default();
    let mut request = Request { fields: rest, ..request_line(line)? };
    while !rest.is_empty() {
        let (line, after) = split_line(rest);
        rest = after;
        if !line.is_empty() {
            fields.read(line)?;
        }
    }
    request.body = fields.body(request.old)?;
    request.keep_alive = fields.keep_alive.unwrap_or(!request.old);
    request.expects = fields.expects && !request.old && request.body != Body::None;
    Ok(request)
}

/// `GET /path HTTP/1.1`
fn request_line(line: &[u8]) -> Outcome<Request<'_>> {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(400);
    };
    if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) {
        return Err(400);
    }
    if target.is_empty() || target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
        return Err(400);
    }
    let old = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => return Err(505),
        _ => return Err(400),
    };
    let (head, keep_alive, expects) = (method == b"HEAD", !old, false);
    let (fields, body) = (&[][..], Body::None);
    Ok(Request { method, target, fields, head, old, keep_alive, expects, body })
}

/// A line without its end, and what follows it.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some(end) = newline(bytes) else { return (bytes, &[]) };
    let line = &bytes[..end];
    (line.strip_suffix(b"\r").unwrap_or(line), &bytes[end + 1..])
}

/// The four fields that change how a message is read.
#[derive(Default)]
struct Fields {
    length: Option<u64>,
    chunked: bool,
    keep_alive: Option<bool>,
    expects: bool,
}

impl Fields {
    fn read(&mut self, line: &[u8]) -> Outcome<()> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(400_u16)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // An empty name, a space before the colon and a folded line all end here.
        if name.is_empty() || name.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
            return Err(400);
        }
        // Four lengths: most fields of a request are told apart without looking at a letter.
        match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => self.content_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.coding(value),
            10 if name.eq_ignore_ascii_case(b"connection") => {
                self.connection(value);
                Ok(())
            }
            6 if name.eq_ignore_ascii_case(b"expect") => {
                self.expects |= value.eq_ignore_ascii_case(b"100-continue");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn content_length(&mut self, value: &[u8]) -> Outcome<()> {
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return Err(400);
        }
        let digits = value.iter().map(|digit| u64::from(digit - b'0'));
        let length = digits.fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(digit));
        match self.length.replace(length) {
            Some(earlier) if earlier != length => Err(400),
            _ if length > BODY_LIMIT => Err(413),
            _ => Ok(()),
        }
    }

    fn coding(&mut self, value: &[u8]) -> Outcome<()> {
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(501);
        }
        self.chunked = true;
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',') {
            let option = option.trim_ascii();
            if option.eq_ignore_ascii_case(b"close") {
                self.keep_alive = Some(false);
            } else if option.eq_ignore_ascii_case(b"keep-alive") && self.keep_alive.is_none() {
                self.keep_alive = Some(true);
            }
        }
    }

    fn body(&self, old: bool) -> Outcome<Body> {
        match (self.chunked, self.length) {
            // RFC 9112, 6.1 and 6.3: two lengths, or a coding the version does not know, are how
            // requests are smuggled.
            (true, Some(_)) => Err(400),
            (true, None) if old => Err(400),
            (true, None) => Ok(Body::Chunked),
            (false, None | Some(0)) => Ok(Body::None),
            (false, Some(length)) => Ok(Body::Length(length)),
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::chunked::LINE_LIMIT;

    /// What came of a stream of bytes, in words.
    fn read(pieces: &[&[u8]]) -> String {
        let mut reader = Reader::default();
        let mut story = String::new();
        for piece in pieces {
            let mut input = *piece;
            loop {
                match reader.next(&mut input) {
                    Event::More => break,
                    Event::Data(_) => {}
                    Event::End => story += "end ",
                    Event::Refused(status) => return story + &status.to_string(),
                    Event::Head(request) => {
                        let target = String::from_utf8_lossy(request.target);
                        let Request { head, old, keep_alive, expects, body, .. } = request;
                        for (set, word) in
                            [(head, "HEAD"), (old, "old"), (!keep_alive, "last"), (expects, "100")]
                        {
                            story += if set { word } else { "" };
                        }
                        story += &match body {
                            Body::None => format!("{target} "),
                            Body::Length(length) => format!("{target}+{length} "),
                            Body::Chunked => format!("{target}+chunks "),
                        };
                    }
                }
            }
        }
        story
    }

    const CASES: &[(&str, &str)] = &[
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "/ "),
        ("GET /a?b=c HTTP/1.1\n\nGET /2 HTTP/1.1\r\n\r\n", "/a?b=c /2 "),
        ("\r\n\r\nHEAD / HTTP/1.1\r\n\r\n", "HEAD/ "),
        ("GET / HTTP/1.0\r\n\r\n", "oldlast/ "),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "old/ "),
        ("GET / HTTP/1.1\r\nconnection: x, CLOSE, keep-alive\r\n\r\n", "last/ "),
        ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n\r\n", "/+3 end /2 "),
        ("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "/ "),
        ("POST / HTTP/1.1\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nab", "/+2 end "),
        ("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", "100/+1 end "),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
            "/+chunks end /2 ",
        ),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n", "/+chunks end "),
        ("\x16\x03\x01", "400"),
        ("hello\r\n", "400"),
        ("GET  / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nbad\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nContent-Length : 3\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nA: b\r\n folded: c\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501"),
        ("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "413"),
        ("PRI * HTTP/2.0\r\n\r\n", "505"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "/+chunks 400"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "/+chunks 400"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", "/+chunks 400"),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            "/+chunks 413",
        ),
    ];

    #[test]
    fn requests_are_read_as_the_table_says() {
        for (bytes, story) in CASES {
            assert_eq!(read(&[bytes.as_bytes()]), *story, "{bytes:?}");
        }
    }

    #[test]
    fn no_split_of_the_bytes_changes_what_is_read() {
        for (bytes, story) in CASES {
            let bytes = bytes.as_bytes();
            for at in 1..bytes.len() {
                let (one, two) = bytes.split_at(at);
                assert_eq!(read(&[one, two]), *story, "{:?} split at {at}", bytes.escape_ascii());
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(&single), *story, "{:?} byte by byte", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_never_ends_is_refused_at_its_limit() {
        let long = "x".repeat(HEAD_LIMIT);
        assert_eq!(read(&[format!("GET /{long}").as_bytes()]), "431");
        assert_eq!(read(&[format!("GET / HTTP/1.1\r\nA: {long}\r\n\r\n").as_bytes()]), "431");
        let chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let extension = format!("{chunks}1;{}", "x".repeat(LINE_LIMIT as usize));
        assert_eq!(read(&[extension.as_bytes()]), "/+chunks 431");
        let trailers = format!("{chunks}0\r\n{}", "a: b\r\n".repeat(1000));
        assert_eq!(read(&[trailers.as_bytes()]), "/+chunks 431");
        assert_eq!(read(&["A".repeat(METHOD_LIMIT + 1).as_bytes()]), "400");
    }
}
