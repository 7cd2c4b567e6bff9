//! One connection, sans-IO: bytes in, answers queued in the order of their requests, bytes to send
//! out. The ring operations around it are `server.rs`'s.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::app::{App, Call};
use super::catalogue::{Catalogue, Course};
use super::ledger::Ledger;
use super::log::{Entry, Log, UNKEPT};
use super::request::{Body, Event, Reader, Request};
use super::response::Response;
use crate::target::Stats;
use crate::time::Nanos;

/// What all connections of a thread share while a slice of completions is handled.
pub(super) struct Context {
    pub catalogue: Catalogue,
    /// The demonstration application, where it is served.
    pub app: Option<App>,
    pub log: Option<Log>,
    pub ledger: Option<Ledger>,
    pub stats: Stats,
    pub started: Nanos,
    /// Read when the slice began.
    pub now: Nanos,
}

/// Answers that wait, at most, before a connection is read no further (a client that pipelines and
/// never reads must not fill our memory); and when it is read again.
pub(super) const CROWDED: usize = 512;
pub(super) const RELAXED: usize = 128;

/// Different answers to pipelined requests are copied together up to this much.
const GATHERED: u64 = 16 * 1024;

#[derive(Default)]
pub(super) struct Connection {
    /// Goes up each time the slot is freed.
    pub generation: u32,
    pub phase: Phase,
    pub flight: Flight,
    /// A multishot receive is in flight: the slot may not be reused.
    pub armed: bool,
    /// Receiving was cancelled because too many answers wait.
    pub paused: bool,
    /// Stands in the list of connections to look at before the turn ends.
    pub dirty: bool,
    /// Has an entry in the timer heap.
    pub timed: bool,
    /// The client will send no more.
    pub half_closed: bool,
    /// It sent what is not read any more, and may send on.
    pub overrun: bool,
    /// A shutdown is in flight, in a thread of the kernel's: the slot may not be reused.
    pub shutting: bool,
    reader: Reader,
    answers: Answers,
    /// What is being sent. The kernel may read it while `flight` is not idle.
    pub out: Option<Outgoing>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Free,
    Open,
    /// Our side is shut; what the client still sends is thrown away until it closes too. A plain
    /// close would answer those bytes with a reset, which can destroy an answer not yet read.
    Lingering,
    /// Waits for the final completions of what was cancelled.
    Closing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flight {
    #[default]
    Idle,
    /// Ended within its submission. No completion by the end of the next reaping means success.
    Quick,
    /// Reports when it has sent all of its piece.
    Send,
}

/// A stretch of bytes on its way: `offset..end` of a response (or of its row).
pub(super) struct Outgoing {
    pub response: Rc<Response>,
    pub offset: u64,
    pub end: u64,
    /// The client must be seen to have taken it, or did not take it at once.
    pub slow: bool,
}

/// What a connection has to send now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Load {
    Nothing,
    Later(Nanos),
    Ready,
}

impl Connection {
    /// Takes over a free slot for a new client.
    pub fn open(&mut self, number: u64) {
        assert!(self.phase == Phase::Free, "the kernel accepted into a slot that is in use");
        let answers = Answers { number, ..Answers::default() };
        *self = Connection { generation: self.generation, answers, ..Connection::default() };
        self.phase = Phase::Open;
    }

    /// Frees the slot and everything it held.
    pub fn free(&mut self) {
        let generation = self.generation.wrapping_add(1);
        *self = Connection { generation, ..Connection::default() };
    }

    /// Reads what the client sent and queues the answers.
    pub fn receive(&mut self, mut input: &[u8], cx: &mut Context) {
        while !self.answers.finished {
            match self.reader.next(&mut input) {
                Event::More => return,
                Event::Head(request) => self.answers.admit(&request, cx),
                Event::Data(bytes) => self.answers.body(bytes),
                Event::End => self.answers.body_ended(cx),
                Event::Refused(status) => {
                    self.answers.refuse(status, cx);
                    self.overrun = true;
                }
            }
        }
        self.overrun |= !input.is_empty();
    }

    /// Makes sure that `out` holds what is next to send.
    pub fn load(&mut self, cx: &Context) -> Load {
        if self.out.is_some() {
            return Load::Ready;
        }
        let Some(first) = &self.answers.first else { return Load::Nothing };
        if first.due > cx.now {
            return Load::Later(first.due);
        }
        self.out = self.answers.take_ready(cx);
        if let Some(out) = &mut self.out {
            out.slow = self.half_closed || self.answers.finished || self.answers.ready(cx.now);
        }
        Load::Ready
    }

    /// When the first answer that still waits is due.
    pub fn next_due(&self) -> Option<Nanos> {
        self.answers.first.as_ref().map(|answer| answer.due)
    }

    /// Everything was sent and nothing can come: time to close.
    pub fn is_over(&self) -> bool {
        let empty = self.answers.first.is_none() && self.out.is_none();
        empty && (self.answers.finished || self.half_closed)
    }

    /// How many answers wait.
    pub fn waiting(&self) -> usize {
        self.answers.len()
    }
}

/// The answers of one connection, in order.
#[derive(Default)]
struct Answers {
    /// Apart from the others, so that a connection that does not pipeline needs no allocation.
    first: Option<Answer>,
    rest: VecDeque<Answer>,
    /// Its body is still being read.
    unfinished: Option<Unfinished>,
    served: u64,
    number: u64,
    /// The last answer is queued; nothing more is read.
    finished: bool,
}

struct Answer {
    response: Rc<Response>,
    /// Zero: at once.
    due: Nanos,
    entry: Entry,
}

struct Unfinished {
    course: Rc<RefCell<Course>>,
    response: Rc<Response>,
    last: bool,
    /// It was beyond the limit, and waits for nobody.
    away: bool,
    /// The application answers instead, once the body is here.
    call: Option<Box<Call>>,
    /// Method and target, where a ledger is kept.
    line: Option<Box<[u8]>>,
    bytes: u64,
}

impl Answers {
    fn admit(&mut self, request: &Request<'_>, cx: &mut Context) {
        let course = match cx.catalogue.find(request.target) {
            Ok(course) => course,
            Err(status) => return self.refuse(status, cx),
        };
        self.served += 1;
        let limit = course.borrow().behaviour.close_after;
        let last = !request.keep_alive || limit.is_some_and(|limit| self.served >= limit);
        let away = course.borrow().turns_away(cx.now);
        let response = course.borrow_mut().answer(request, last, away);
        let call = match &cx.app {
            Some(app) if response.status == 200 && !away => app.take(request, last),
            _ => None,
        };
        let line = || [request.method, request.target].join(&b' ').into_boxed_slice();
        let line = cx.ledger.is_some().then(line);
        let unfinished = Unfinished { course, response, last, away, call, line, bytes: 0 };
        if request.body == Body::None {
            return self.complete(unfinished, cx);
        }
        if request.expects {
            let response = Rc::clone(&cx.catalogue.go_on);
            self.push(Answer { response, due: Nanos::ZERO, entry: UNKEPT });
        }
        self.unfinished = Some(unfinished);
    }

    fn body(&mut self, bytes: &[u8]) {
        if let Some(unfinished) = &mut self.unfinished {
            unfinished.bytes += bytes.len() as u64;
            if let Some(call) = &mut unfinished.call {
                call.extend(bytes);
            }
        }
    }

    fn body_ended(&mut self, cx: &mut Context) {
        if let Some(unfinished) = self.unfinished.take() {
            self.complete(unfinished, cx);
        }
    }

    /// The whole request is here.
    fn complete(&mut self, request: Unfinished, cx: &mut Context) {
        cx.stats.requests += 1;
        let due = (!request.away).then(|| request.course.borrow_mut().due(cx.now));
        let due = due.flatten().unwrap_or(Nanos::ZERO);
        let entry = match &cx.log {
            Some(log) => log.arrived(cx.now - cx.started, self.number),
            None => UNKEPT,
        };
        self.finished = request.last;
        let response = match (&cx.app, &request.call) {
            (Some(app), Some(call)) => app.answer(call),
            _ => request.response,
        };
        if let (Some(ledger), Some(line)) = (&mut cx.ledger, &request.line) {
            let at = cx.now - cx.started;
            ledger.enter(at, self.number, line, response.status, request.bytes);
        }
        self.push(Answer { response, due, entry });
    }

    fn refuse(&mut self, status: u16, cx: &mut Context) {
        cx.stats.refused += 1;
        self.finished = true;
        self.unfinished = None;
        let response = cx.catalogue.refusal(status);
        self.push(Answer { response, due: Nanos::ZERO, entry: UNKEPT });
    }

    /// As much as one send can carry: a run of the same answer, straight from its row; or a few
    /// different ones, copied together; or one large one.
    fn take_ready(&mut self, cx: &Context) -> Option<Outgoing> {
        let response = self.pop(cx)?;
        let (one, row) = (response.length(), response.row() as u64);
        let mut count = 1;
        while count < row && self.next_is(&response, cx.now) {
            self.pop(cx);
            count += 1;
        }
        let run = Outgoing { end: one * count, response, offset: 0, slow: false };
        if run.end < GATHERED && self.ready(cx.now) {
            Some(self.gather(run, cx))
        } else {
            Some(run)
        }
    }

    fn gather(&mut self, run: Outgoing, cx: &Context) -> Outgoing {
        let mut bytes = run.response.piece(0, run.end).to_vec();
        while self.ready(cx.now) {
            let Some(whole) = self.first.as_ref().and_then(|next| next.response.whole()) else {
                break;
            };
            if (bytes.len() + whole.len()) as u64 > GATHERED {
                break;
            }
            bytes.extend_from_slice(whole);
            self.pop(cx);
        }
        let end = bytes.len() as u64;
        Outgoing { response: Rc::new(Response::made(0, bytes)), offset: 0, end, slow: false }
    }

    fn ready(&self, now: Nanos) -> bool {
        self.first.as_ref().is_some_and(|next| next.due <= now)
    }

    fn next_is(&self, response: &Rc<Response>, now: Nanos) -> bool {
        let same = |next: &Answer| next.due <= now && Rc::ptr_eq(&next.response, response);
        self.first.as_ref().is_some_and(same)
    }

    fn push(&mut self, answer: Answer) {
        match self.first {
            None => self.first = Some(answer),
            Some(_) => self.rest.push_back(answer),
        }
    }

    fn pop(&mut self, cx: &Context) -> Option<Rc<Response>> {
        let answer = self.first.take()?;
        self.first = self.rest.pop_front();
        if let Some(log) = &cx.log {
            log.answered(answer.entry, cx.now - cx.started);
        }
        Some(answer.response)
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }
}
