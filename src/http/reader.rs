//! The reader: the bytes of a connection in, responses out.
//!
//! It does no IO, knows no clock and keeps no body. A small response that stands whole in one read,
//! the usual case, costs one pass of httparse and no copy. The loop is [`Reader::read`]; each part
//! of a response has one state and one function.

use super::body::Chunked;
use super::framing::{Body, Framing};
use super::look::{Look, Unseen};
use super::pool::{HeadPool, Lease};
use super::scan::Scan;
use super::{MAX_HEAD, head};
use crate::evidence::{Evidence, Excerpt, Reached};
use crate::failure::Kind;

/// Reads the responses of one connection. Holds no bytes but those of a split head, and these are
/// borrowed from the worker's [`HeadPool`]: always pass the same pool.
#[derive(Debug, Default)]
pub struct Reader {
    state: State,
    /// Body bytes so far; of a counted body, all of them from the start.
    body_bytes: u64,
    status: u16,
    keep_alive: bool,
    /// 1xx responses skipped on the way to this one; at most [`MAX_INTERIM`].
    interim: u8,
}

/// What a call of [`Reader::read`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All input is used up, and the response is not complete.
    Partial,
    /// One response is complete; the input may hold more.
    Complete(Response),
    /// The bytes are no answer (`Malformed`, `HeadTooLarge`), or there was no memory to read it
    /// with (`BuffersExhausted`). The connection is of no further use.
    Broken(Kind),
}

/// A complete response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// The connection may carry another request.
    pub keep_alive: bool,
    /// Bytes of body, decoded (chunk framing not counted).
    pub body_bytes: u64,
}

/// What a FIN means where it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Between responses.
    Idle,
    /// It completes a close-delimited response.
    Complete(Response),
    /// Inside a head or a counted or chunked body, or after a 1xx.
    Truncated,
}

/// What the next byte belongs to.
#[derive(Debug, Default)]
enum State {
    /// The first byte of a head.
    #[default]
    Head,
    /// A head of which a part stands in the pool.
    SplitHead(Lease, Scan),
    /// A counted body: the bytes still to come.
    Counted(u64),
    Chunked(Chunked),
    ToFin,
}

/// What a part of a response came to.
#[derive(Clone, Copy)]
enum Step {
    /// Done; the state says what is next.
    Next,
    /// It needs more input.
    Wait,
    /// It was the last.
    Done,
}

/// 1xx responses before a final one. No real server sends more than two or three.
const MAX_INTERIM: u8 = 64;

impl Reader {
    /// Reads up to the end of one response. Returns how many bytes of `input` were used: all of
    /// them unless a response is complete. `head`: the request was HEAD.
    #[inline]
    pub fn read(&mut self, input: &[u8], head: bool, pool: &mut HeadPool) -> (usize, Progress) {
        self.read_shown(input, head, pool, &mut Unseen)
    }

    /// The same, and `look` is shown what passes: compiled for each looker, so that who does not
    /// look pays nothing.
    #[inline]
    pub fn read_shown(
        &mut self,
        input: &[u8],
        head: bool,
        pool: &mut HeadPool,
        look: &mut impl Look,
    ) -> (usize, Progress) {
        let mut used = 0;
        loop {
            match self.step(&input[used..], head, pool, look) {
                Ok((n, Step::Next)) => used += n,
                Ok((n, Step::Wait)) => return (used + n, Progress::Partial),
                Ok((n, Step::Done)) => {
                    let response = self.response();
                    self.restart();
                    return (used + n, Progress::Complete(response));
                }
                Err(kind) => {
                    pool.note(self.evidence(input, used, pool));
                    self.reset(pool);
                    return (input.len(), Progress::Broken(kind));
                }
            }
        }
    }

    /// Bytes that are certainly body, whatever they are: all that is still to come of a counted
    /// body, of the chunk, or of a body that ends with the connection.
    #[inline]
    pub fn body_left(&self) -> u64 {
        match &self.state {
            State::Counted(left) => *left,
            State::Chunked(chunked) => chunked.data_left(),
            State::ToFin => u64::MAX,
            State::Head | State::SplitHead(..) => 0,
        }
    }

    /// So many bytes of body came and were thrown away unread, at most as many as
    /// [`Reader::body_left`] said.
    pub fn skip(&mut self, bytes: u64) -> Progress {
        debug_assert!(bytes <= self.body_left());
        match &mut self.state {
            State::Counted(left) => {
                *left = left.saturating_sub(bytes);
                if *left == 0 {
                    let response = self.response();
                    self.restart();
                    return Progress::Complete(response);
                }
            }
            State::Chunked(chunked) => {
                chunked.skip(bytes);
                self.body_bytes += bytes;
            }
            State::ToFin => self.body_bytes += bytes,
            State::Head | State::SplitHead(..) => {}
        }
        Progress::Partial
    }

    /// The peer sent FIN.
    pub fn fin(&mut self, pool: &mut HeadPool) -> End {
        let end = match self.state {
            State::ToFin => End::Complete(self.response()),
            _ if self.is_idle() => End::Idle,
            _ => {
                pool.note(self.so_far(pool));
                End::Truncated
            }
        };
        self.reset(pool);
        end
    }

    /// No byte of a response has been read since the last complete one.
    #[inline]
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Head) && self.interim == 0
    }

    /// Forgets everything, for a new connection.
    pub fn reset(&mut self, pool: &mut HeadPool) {
        if let State::SplitHead(lease, _) = std::mem::take(&mut self.state) {
            pool.give(lease);
        }
        self.restart();
    }

    /// How far the answer has been read.
    pub fn so_far(&self, pool: &HeadPool) -> Evidence {
        self.evidence(&[], 0, pool)
    }

    /// The same where `input` is being read and `used` bytes of it belong to what came before.
    #[cold]
    fn evidence(&self, input: &[u8], used: usize, pool: &HeadPool) -> Evidence {
        let rest = &input[used..];
        match &self.state {
            State::Head if rest.is_empty() && self.interim == 0 => Evidence::none(Reached::Wait),
            State::Head => {
                Evidence { received: Excerpt::of(rest), ..Evidence::none(Reached::Head) }
            }
            State::SplitHead(lease, _) => {
                let kept = pool.bytes(lease);
                let received = Excerpt::of(if kept.is_empty() { rest } else { kept });
                Evidence { received, ..Evidence::none(Reached::Head) }
            }
            State::Counted(_) | State::Chunked(_) | State::ToFin => Evidence {
                flaw: None,
                reached: Reached::Body,
                status: Some(self.status),
                // A piece from the middle may begin within a secret, which nobody could tell.
                received: if used > 0 { Excerpt::of(rest) } else { Excerpt::EMPTY },
            },
        }
    }

    #[inline]
    fn step(
        &mut self,
        input: &[u8],
        head: bool,
        pool: &mut HeadPool,
        look: &mut impl Look,
    ) -> Result<(usize, Step), Kind> {
        match &mut self.state {
            State::Head => match head::parse(input, head)? {
                Some((len, framing)) => {
                    let step = self.begin_body(framing)?;
                    if !framing.is_interim() {
                        look.head(&input[..len]);
                    }
                    Ok((len, step))
                }
                None => self.keep_head(input, pool, look),
            },
            State::SplitHead(..) => self.split_head(input, head, pool, look),
            State::Counted(left) => {
                let n = (*left).min(input.len() as u64);
                *left -= n;
                look.body(&input[..n as usize]);
                Ok((n as usize, if *left == 0 { Step::Done } else { Step::Wait }))
            }
            State::Chunked(chunked) => {
                let (n, ended) = chunked.read(input, &mut self.body_bytes, look)?;
                Ok((n, if ended { Step::Done } else { Step::Wait }))
            }
            State::ToFin => {
                self.body_bytes += input.len() as u64;
                look.body(input);
                Ok((input.len(), Step::Wait))
            }
        }
    }

    /// A head has been read: what is next?
    #[inline]
    fn begin_body(&mut self, framing: Framing) -> Result<Step, Kind> {
        match framing.status {
            // An upgrade that nobody asked for: what follows is not HTTP.
            101 => return Err(Kind::Malformed),
            _ if framing.is_interim() => return self.skip_interim(),
            _ => {}
        }
        self.status = framing.status;
        self.keep_alive = framing.keep_alive;
        self.state = match framing.body {
            Body::None | Body::Counted(0) => return Ok(Step::Done),
            Body::Counted(length) => {
                self.body_bytes = length;
                State::Counted(length)
            }
            Body::Chunked => State::Chunked(Chunked::new()),
            Body::ToFin => State::ToFin,
        };
        Ok(Step::Next)
    }

    /// RFC 9110, 15.2: any number may come; without a bound a server could hold us for ever.
    #[cold]
    fn skip_interim(&mut self) -> Result<Step, Kind> {
        if self.interim == MAX_INTERIM {
            return Err(Kind::Malformed);
        }
        self.interim += 1;
        self.state = State::Head;
        Ok(Step::Next)
    }

    /// `input` is a head that has not ended: keep it.
    #[cold]
    fn keep_head(
        &mut self,
        input: &[u8],
        pool: &mut HeadPool,
        look: &mut impl Look,
    ) -> Result<(usize, Step), Kind> {
        if input.is_empty() {
            return Ok((0, Step::Wait));
        }
        let lease = pool.take().ok_or(Kind::BuffersExhausted)?;
        self.state = State::SplitHead(lease, Scan::head());
        // Scans and keeps; it cannot end here, as httparse has just said.
        self.split_head(input, false, pool, look)
    }

    #[cold]
    fn split_head(
        &mut self,
        input: &[u8],
        head: bool,
        pool: &mut HeadPool,
        look: &mut impl Look,
    ) -> Result<(usize, Step), Kind> {
        let State::SplitHead(lease, scan) = &mut self.state else {
            return Ok((0, Step::Next));
        };
        let room = MAX_HEAD - pool.bytes(lease).len();
        let input = &input[..input.len().min(room)];
        let scanned = scan.read(input);
        let end = scanned.unwrap_or(None);
        let used = end.unwrap_or(input.len());
        if scanned == Ok(None) && used == room {
            return Err(Kind::HeadTooLarge);
        }
        // Also where it is refused: what came is evidence.
        let kept = pool.append(lease, &input[..used]);
        scanned?;
        if !kept {
            return Err(Kind::BuffersExhausted);
        }
        if end.is_none() {
            return Ok((used, Step::Wait));
        }
        // The scan and httparse agree on where a head ends, so `None` does not come.
        let (_, framing) = head::parse(pool.bytes(lease), head)?.ok_or(Kind::Malformed)?;
        self.end_split_head(framing, pool, look).map(|step| (used, step))
    }

    /// Gives the buffer of a split head back, unless the head is refused and so is evidence.
    #[cold]
    fn end_split_head(
        &mut self,
        framing: Framing,
        pool: &mut HeadPool,
        look: &mut impl Look,
    ) -> Result<Step, Kind> {
        let split = std::mem::take(&mut self.state);
        let begun = self.begin_body(framing);
        match (begun, split) {
            (Ok(_), State::SplitHead(lease, _)) => {
                if !framing.is_interim() {
                    look.head(pool.bytes(&lease));
                }
                pool.give(lease);
            }
            (_, split) => self.state = split,
        }
        begun
    }

    fn response(&self) -> Response {
        Response { status: self.status, keep_alive: self.keep_alive, body_bytes: self.body_bytes }
    }

    #[inline]
    fn restart(&mut self) {
        self.state = State::Head;
        self.body_bytes = 0;
        self.interim = 0;
    }
}

#[cfg(test)]
mod tests;
