//! Reading requests (RFC 9112, sections 2 to 7), sans-IO: bytes in, events out. The answer does not
//! depend on how the bytes were split over reads.
//!
//! Written apart from `blast::http` on purpose: a misreading there must not be hidden by the same
//! misreading here. It is lenient where a load test gains from it (bare LF, no Host field) and
//! strict where two readings of one message are possible (lengths, codings, spaces before colons).

/// The longest head that is read; beyond it 431.
pub(super) const HEAD_LIMIT: usize = 16 * 1024;
/// The longest body that is read; beyond it 413.
pub(super) const BODY_LIMIT: u64 = 1 << 30;
const METHOD_LIMIT: usize = 24;
/// A chunk-size line or a trailer section longer than this is refused.
const LINE_LIMIT: u32 = 4096;

/// One request's head, as far as an answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    /// Path and query, as sent.
    pub target: &'a [u8],
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
    /// A head; when it announces a body, [`Event::End`] follows once that was read.
    Head(Request<'a>),
    /// The body ended.
    End,
    /// Not a request that can be served: answer with this status and close.
    Refused(u16),
}

/// Or the status that refuses it.
type Outcome<T> = std::result::Result<T, u16>;

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
            State::Counted(left) => {
                let used = (*left).min(input.len() as u64);
                *input = &input[used as usize..];
                *left -= used;
                if *left > 0 {
                    return Event::More;
                }
                self.state = State::Head;
                Event::End
            }
            State::Chunked(chunked) => match chunked.skip(input) {
                Ok(false) => Event::More,
                Ok(true) => {
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
    let mut request = request_line(line)?;
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
    Ok(Request { target, head, old, keep_alive, expects, body: Body::None })
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

/// A chunked body being skipped (RFC 9112, 7.1).
#[derive(Debug, Default)]
struct Chunked {
    part: Part,
    /// The size read so far, then what is left of the chunk.
    size: u64,
    /// Bytes of the present line, or of all trailers.
    line: u32,
    total: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Size,
    Extension,
    Data,
    /// The line end behind the data.
    DataEnd,
    /// At the start of a trailer line, where an empty line ends the body.
    TrailerStart,
    Trailer,
}

impl Chunked {
    /// Skips as much as it can; `true` when the body has ended.
    fn skip(&mut self, input: &mut &[u8]) -> Outcome<bool> {
        while let Some((&byte, rest)) = input.split_first() {
            if self.part == Part::Data {
                let used = self.size.min(input.len() as u64);
                *input = &input[used as usize..];
                self.size -= used;
                if self.size == 0 {
                    self.part = Part::DataEnd;
                }
                continue;
            }
            *input = rest;
            if self.step(byte)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn step(&mut self, byte: u8) -> Outcome<bool> {
        self.line += 1;
        if self.line > LINE_LIMIT {
            return Err(431);
        }
        match (self.part, byte) {
            (Part::Size, b'\r' | b'\n' | b';' | b' ' | b'\t') if self.line == 1 => return Err(400),
            (Part::Size | Part::Extension, b'\n') => self.end_of_size()?,
            (Part::Size, b';' | b' ' | b'\t' | b'\r') => self.part = Part::Extension,
            (Part::Size, digit) => self.digit(digit)?,
            (Part::DataEnd, b'\r') if self.line == 1 => {}
            (Part::DataEnd, b'\n') => self.start(Part::Size),
            (Part::DataEnd, _) => return Err(400),
            (Part::TrailerStart, b'\n') => return Ok(true),
            (Part::TrailerStart, b'\r') => {}
            (Part::Trailer, b'\n') => self.part = Part::TrailerStart,
            (Part::TrailerStart, _) => self.part = Part::Trailer,
            (Part::Extension | Part::Trailer | Part::Data, _) => {}
        }
        Ok(false)
    }

    fn digit(&mut self, byte: u8) -> Outcome<()> {
        let digit = char::from(byte).to_digit(16).ok_or(400_u16)?;
        let shifted = self.size.checked_mul(16).ok_or(413_u16)?;
        self.size = shifted + u64::from(digit);
        Ok(())
    }

    fn end_of_size(&mut self) -> Outcome<()> {
        self.total = self.total.saturating_add(self.size);
        if self.total > BODY_LIMIT {
            return Err(413);
        }
        self.line = 0;
        self.part = if self.size == 0 { Part::TrailerStart } else { Part::Data };
        Ok(())
    }

    fn start(&mut self, part: Part) {
        (self.part, self.size, self.line) = (part, 0, 0);
    }
}
