//! One connection: its state, and what an event means in it. Sans-IO: bytes and readings in, an
//! [`Action`] out; the core carries the action out and keeps the books.

use super::groups::Sorter;
use super::script::reading::Reading;
use super::wire::Event;
use crate::evidence::{Evidence, Reached};
use crate::failure::Kind;
use crate::http::{End, HeadPool, Look, Pattern, Progress, Reader, Response, Sighting};
use crate::time::Nanos;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not there: not dialled yet, or waiting to be dialled again.
    Down,
    /// The connect is under way.
    Opening,
    Open,
    /// The driver was told to close it; all but `Closed` is ignored.
    Closing,
}

/// What has to be done about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Nothing,
    /// It opened: requests may be sent on it.
    Ready,
    /// The attempt to connect failed.
    NotOpened(Kind),
    /// A response is complete. `used` bytes of the input belong to it; the rest is to be given
    /// to `on` again, unless the connection must close.
    Answered {
        response: Response,
        used: usize,
        /// Its body holds what it is expected to.
        found: bool,
    },
    /// The connection is of no more use; each request on it has failed.
    Lost(Kind),
    /// It ended while no request was on it: nobody's failure.
    EndedIdle,
    /// Bytes came that no request asked for.
    Unsolicited,
    /// It is closed, and may be dialled again.
    Gone,
}

/// What the answers of a run are read with.
#[derive(Debug, Default)]
pub struct Asked<'a> {
    /// The requests are HEAD.
    pub head: bool,
    /// What a body is looked through for.
    pub body: Option<&'a Pattern>,
    /// What is kept of it.
    pub keep: Option<&'a mut Reading>,
    /// Who wants to know whose answer it is.
    pub sort: Option<Sorter<'a>>,
}

/// All who look at an answer: for a pattern in its body, and how far; for what is kept; for its
/// group.
struct Search<'a> {
    pattern: Option<(&'a Pattern, &'a mut Sighting)>,
    reading: Option<&'a mut Reading>,
    sort: Option<Sorter<'a>>,
}

impl Look for Search<'_> {
    fn head(&mut self, head: &[u8]) {
        if let Some(reading) = &mut self.reading {
            reading.head(head);
        }
        if let Some(sorter) = &mut self.sort {
            sorter.head(head);
        }
    }

    #[inline]
    fn body(&mut self, piece: &[u8]) {
        if let Some((pattern, sighting)) = &mut self.pattern {
            pattern.look(sighting, piece);
        }
        if let Some(reading) = &mut self.reading {
            reading.body(piece);
        }
    }
}

#[derive(Debug)]
pub struct Connection {
    pub state: State,
    /// In the queue of free connections (or still there from an earlier life).
    pub queued: bool,
    /// It does not take part for now, and waits for no dial.
    pub resting: bool,
    /// A confirmed send is not wholly written yet, or a send has failed: nothing more is sent.
    pub sending: bool,
    /// The errno of a send that met a reset, or 0.
    send_errno: i32,
    /// Its connect takes a place in the window.
    pub in_window: bool,
    /// It was open at some time before.
    pub reopening: bool,
    /// It was open, or failed to open, at least once.
    pub settled: bool,
    /// The answer to a request that was given up at the end of a load may still come.
    pub owes: bool,
    /// Losses in a row without an answer.
    pub losses: u8,
    /// Attempts to connect that failed: each moves on to the target's next address.
    pub detours: u8,
    /// Times in a row that the listen queue was found full (Unix sockets).
    pub waits: u8,
    /// The target's address it goes to, as an index.
    pub address: usize,
    reader: Reader,
    /// How far the answer's body was looked through; `None` before its first byte.
    sighting: Option<Sighting>,
    /// Requests ever sent and ever ended on this slot; the difference is in flight.
    pub sent: u32,
    pub ended: u32,
    /// Which request's answer came in pieces last, by its number, and when the first of them did.
    pub begun: (u32, Nanos),
    /// Requests this life of the connection may still carry.
    pub allowance: u32,
    /// Which dial this is, so that a settled connect is recognised.
    pub dial: u32,
    /// When it last became free (in the sense of having room for a request).
    pub free_since: Nanos,
    pub dialled: Nanos,
    /// When the kernel had it open; TLS comes after that.
    pub connected: Nanos,
}

impl Connection {
    pub fn new() -> Connection {
        Connection {
            state: State::Down,
            queued: false,
            resting: false,
            sending: false,
            send_errno: 0,
            in_window: false,
            reopening: false,
            settled: false,
            owes: false,
            losses: 0,
            detours: 0,
            waits: 0,
            address: 0,
            reader: Reader::default(),
            sighting: None,
            sent: 0,
            ended: 0,
            begun: (u32::MAX, Nanos::ZERO),
            allowance: 0,
            dial: 0,
            free_since: Nanos::ZERO,
            dialled: Nanos::ZERO,
            connected: Nanos::ZERO,
        }
    }

    pub fn in_flight(&self) -> u32 {
        self.sent.wrapping_sub(self.ended)
    }

    /// How many more requests it can take now, at most `pipeline` in flight.
    pub fn room(&self, pipeline: u32) -> u32 {
        match self.state {
            // A confirmed send goes out alone: its end is what allows the next.
            State::Open if !self.sending => {
                pipeline.saturating_sub(self.in_flight()).min(self.allowance)
            }
            _ => 0,
        }
    }

    /// How far the oldest request in flight has got.
    pub fn evidence(&self, pool: &HeadPool) -> Evidence {
        let evidence = self.reader.so_far(pool);
        match evidence.reached {
            Reached::Wait if self.sending => Evidence { reached: Reached::Send, ..evidence },
            _ => evidence,
        }
    }

    /// Bytes still to come that are certainly body.
    #[inline]
    pub fn body_left(&self) -> u64 {
        if self.state == State::Open { self.reader.body_left() } else { 0 }
    }

    /// What `event` means here.
    #[inline]
    pub fn on(&mut self, event: Event, asked: Asked<'_>, pool: &mut HeadPool) -> Action {
        match (self.state, event) {
            (State::Open, Event::Received(bytes)) => self.read(bytes, asked, pool),
            (State::Open, Event::Discarded(bytes)) => match self.reader.skip(bytes) {
                Progress::Complete(response) => self.answered(response, 0, asked.body),
                _ => Action::Nothing,
            },
            (State::Open, Event::Sent) => {
                self.sending = false;
                Action::Nothing
            }
            (State::Open, Event::Fin) => self.fin(asked, pool),
            (State::Open, Event::Cut) => self.cut(asked, pool),
            (State::Open, Event::ReceiveFailed(errno)) => {
                let unsent = self.send_errno != 0 && self.reader.is_idle();
                self.lost(if unsent { Kind::SendReset } else { Kind::of_receive(errno) })
            }
            (State::Open, Event::SendFailed(errno)) => self.send_failed(errno),

            (State::Opening, Event::Opened) => {
                self.state = State::Open;
                (self.sending, self.send_errno) = (false, 0);
                self.reader.reset(pool);
                self.sighting = None;
                Action::Ready
            }
            (State::Opening, Event::OpenFailed(errno)) => {
                self.state = State::Down;
                Action::NotOpened(Kind::of_connect(errno))
            }

            (State::Closing, Event::Closed) => {
                self.state = State::Down;
                self.reader.reset(pool);
                Action::Gone
            }
            // A connect that was given up may still end in any way; so may what was in flight.
            (State::Closing, _) => Action::Nothing,
            (State::Down | State::Opening | State::Open, _) => {
                debug_assert!(false, "{event:?} in {:?}", self.state);
                Action::Nothing
            }
        }
    }

    #[inline]
    fn read(&mut self, bytes: &[u8], asked: Asked<'_>, pool: &mut HeadPool) -> Action {
        if self.in_flight() == 0 {
            return Action::Unsolicited;
        }
        let Asked { head, body, keep, sort } = asked;
        let read = match (body, keep, sort) {
            (None, None, None) => self.reader.read(bytes, head, pool),
            (None, None, Some(mut sorter)) => {
                self.reader.read_shown(bytes, head, pool, &mut sorter)
            }
            (None, Some(reading), None) => self.reader.read_shown(bytes, head, pool, reading),
            (body, reading, sort) => {
                let sighting = &mut self.sighting;
                let pattern =
                    body.map(|pattern| (pattern, sighting.get_or_insert(pattern.start())));
                let search = &mut Search { pattern, reading, sort };
                self.reader.read_shown(bytes, head, pool, search)
            }
        };
        match read {
            (used, Progress::Complete(response)) => self.answered(response, used, body),
            (_, Progress::Partial) => Action::Nothing,
            (_, Progress::Broken(kind)) => Action::Lost(kind),
        }
    }

    /// A response is complete: was it looked through in vain?
    #[inline]
    fn answered(&mut self, response: Response, used: usize, body: Option<&Pattern>) -> Action {
        let found = body.is_none_or(|pattern| {
            pattern.is_in(self.sighting.take().unwrap_or_else(|| pattern.start()))
        });
        Action::Answered { response, used, found }
    }

    fn fin(&mut self, asked: Asked<'_>, pool: &mut HeadPool) -> Action {
        match self.reader.fin(pool) {
            End::Complete(response) => self.answered(response, 0, asked.body),
            End::Truncated => Action::Lost(Kind::Truncated),
            End::Idle if self.send_errno != 0 => self.lost(Kind::SendReset),
            End::Idle => self.lost(Kind::ClosedBeforeResponse),
        }
    }

    /// An answer whose end is the end of the connection may lack a part (RFC 9112, 9.8).
    fn cut(&mut self, asked: Asked<'_>, pool: &mut HeadPool) -> Action {
        match self.fin(asked, pool) {
            Action::Answered { .. } => Action::Lost(Kind::Truncated),
            other => other,
        }
    }

    /// A server that refuses a request may answer first and reset then, and the answer may still
    /// be on its way through the kernel. What can be received is, and then the reset is told.
    #[cold]
    fn send_failed(&mut self, errno: i32) -> Action {
        let kind = Kind::of_send(errno);
        if kind == Kind::SendReset && self.in_flight() > 0 {
            (self.sending, self.send_errno) = (true, errno);
            return Action::Nothing;
        }
        self.lost(kind)
    }

    /// Why a send failed, if one did.
    pub fn send_errno(&self) -> Option<i32> {
        (self.send_errno != 0).then_some(self.send_errno)
    }

    /// An end that is a failure only if a request is waiting.
    fn lost(&self, kind: Kind) -> Action {
        if self.in_flight() == 0 { Action::EndedIdle } else { Action::Lost(kind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (Connection, HeadPool) {
        let mut connection = Connection::new();
        connection.state = State::Opening;
        connection.allowance = u32::MAX;
        let mut pool = HeadPool::new(1);
        assert_eq!(connection.on(Event::Opened, Asked::default(), &mut pool), Action::Ready);
        (connection, pool)
    }

    #[test]
    fn the_end_of_an_idle_connection_is_nobodys_failure() {
        for event in [Event::Fin, Event::ReceiveFailed(libc::ECONNRESET)] {
            let (mut connection, mut pool) = open();
            assert_eq!(connection.on(event, Asked::default(), &mut pool), Action::EndedIdle);
        }
    }

    #[test]
    fn the_same_end_after_a_request_is_a_failure_with_a_kind() {
        for (event, kind) in [
            (Event::Fin, Kind::ClosedBeforeResponse),
            (Event::ReceiveFailed(libc::ECONNRESET), Kind::ReceiveReset),
            (Event::SendFailed(libc::ENOBUFS), Kind::NoMemory),
            (Event::SendFailed(libc::EFAULT), Kind::SendFailed),
        ] {
            let (mut connection, mut pool) = open();
            connection.sent += 1;
            assert_eq!(connection.on(event, Asked::default(), &mut pool), Action::Lost(kind));
        }
    }

    #[test]
    fn a_send_that_meets_a_reset_is_told_when_nothing_more_can_be_received() {
        for event in [Event::Fin, Event::ReceiveFailed(libc::ECONNRESET)] {
            let (mut connection, mut pool) = open();
            connection.sent += 1;
            let failed = Event::SendFailed(libc::EPIPE);
            assert_eq!(connection.on(failed, Asked::default(), &mut pool), Action::Nothing);
            assert_eq!(connection.room(9), 0);
            assert_eq!(
                connection.on(event, Asked::default(), &mut pool),
                Action::Lost(Kind::SendReset)
            );
            assert_eq!(connection.send_errno(), Some(libc::EPIPE));
        }
    }

    #[test]
    fn an_answer_that_came_before_the_reset_counts() {
        let (mut connection, mut pool) = open();
        connection.sent += 1;
        let failed = Event::SendFailed(libc::ECONNRESET);
        assert_eq!(connection.on(failed, Asked::default(), &mut pool), Action::Nothing);
        let answer = Event::Received(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
        let action = connection.on(answer, Asked::default(), &mut pool);
        assert!(matches!(action, Action::Answered { response, .. } if response.status == 413));
    }

    #[test]
    fn what_comes_after_the_close_is_ignored() {
        let (mut connection, mut pool) = open();
        connection.sent += 1;
        connection.state = State::Closing;
        for event in [Event::Received(b"HTTP/1.1 200 OK\r\n"), Event::Fin, Event::Opened] {
            assert_eq!(connection.on(event, Asked::default(), &mut pool), Action::Nothing);
        }
        assert_eq!(connection.on(Event::Closed, Asked::default(), &mut pool), Action::Gone);
        assert_eq!(connection.state, State::Down);
    }

    #[test]
    fn bytes_that_nobody_asked_for_are_unsolicited() {
        let (mut connection, mut pool) = open();
        let event = Event::Received(b"HTTP/1.1 408 Request Timeout\r\n\r\n");
        assert_eq!(connection.on(event, Asked::default(), &mut pool), Action::Unsolicited);
    }
}
