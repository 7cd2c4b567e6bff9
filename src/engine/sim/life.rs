//! One life of a connection: what the server said and meant, what reached the client, and so what
//! the client's books must say about each request on it.
//!
//! A second, independent account: it knows the meaning of the bytes from the server that made them
//! and never parses one.

use std::collections::VecDeque;

use super::answer::{Mark, Then, What};
use crate::engine::wire::Slot;
use crate::failure::Kind;
use crate::time::Nanos;

#[derive(Debug)]
pub struct Life {
    pub slot: Slot,
    /// When the core asked for it.
    pub dialled: Nanos,
    /// When each request in flight was sent, oldest first.
    pub in_flight: VecDeque<Nanos>,
    /// Requests ever sent on it, and answered in full.
    pub sent: u64,
    pub completed: u64,
    /// A confirmed send is under way, or one has met a reset.
    pub sending: bool,
    /// The second of these.
    pub reset_unsent: bool,
    /// When the last of its bytes so far reaches the server.
    pub arrives_by: Nanos,
    /// The client has closed it.
    pub over: bool,
    pub server: Server,
    /// What has reached the client's kernel and is not delivered.
    pub inbox: Vec<u8>,
    pub ending: Option<Then>,
    /// A delivery is on its way.
    pub is_readable: bool,
    /// The meaning of the stream from the server, by places in it.
    marks: VecDeque<Mark>,
    scripted: usize,
    delivered: usize,
    /// Where the last whole answer that was delivered ended.
    answered_to: usize,
}

/// The other end.
#[derive(Debug, Default)]
pub struct Server {
    /// It takes part: answers what it reads.
    pub state: Mood,
    /// Bytes of requests that reached it.
    pub bytes: u64,
    /// Where those end that did not reach it in full yet, by the bytes of all.
    ends: VecDeque<u64>,
    /// Where the last one ends that was written, and the last one that reached it in full.
    written_to: u64,
    read_to: u64,
    /// Requests received in full: the server's own count.
    pub requests: u64,
    /// Requests it has dealt with, some before they were there in full.
    pub handled: u64,
    /// Answers that no request asked for.
    pub extra: u64,
    pub busy_until: Nanos,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Alive,
    /// It says nothing more.
    Silent,
    /// It is gone: what reaches its host is reset.
    Gone,
}

/// What the books must make of something that the client is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// The answers that it completes: status, and when the request was sent.
    pub answers: Vec<(u16, Nanos)>,
    pub unsolicited: u64,
    pub must_close: bool,
    /// How the oldest request and those behind it end if the client closes for it.
    pub ends: Option<(Kind, Kind)>,
}

impl Server {
    /// Requests of these lengths are on their way.
    pub fn expect(&mut self, lengths: &[u64]) {
        for length in lengths {
            self.written_to += length;
            self.ends.push_back(self.written_to);
        }
    }

    /// So many bytes more have reached it.
    pub fn read(&mut self, bytes: u64) {
        self.bytes += bytes;
        while let Some(end) = self.ends.front().copied().filter(|end| *end <= self.bytes) {
            self.ends.pop_front();
            self.read_to = end;
            self.requests += 1;
        }
    }

    /// It has a part of a request, and not all.
    pub fn is_amid(&self) -> bool {
        self.bytes > self.read_to
    }
}

impl Life {
    pub fn new(slot: Slot, dialled: Nanos) -> Life {
        Life {
            slot,
            dialled,
            in_flight: VecDeque::new(),
            sent: 0,
            completed: 0,
            sending: false,
            reset_unsent: false,
            arrives_by: Nanos::ZERO,
            over: false,
            server: Server::default(),
            inbox: Vec::new(),
            ending: None,
            is_readable: false,
            marks: VecDeque::new(),
            scripted: 0,
            delivered: 0,
            answered_to: 0,
        }
    }

    /// The server will say so many bytes that mean this.
    pub fn script(&mut self, bytes: usize, marks: &[Mark]) {
        let start = self.scripted;
        let moved = |mark: &Mark| Mark { from: mark.from + start, to: mark.to + start, ..*mark };
        self.marks.extend(marks.iter().map(moved));
        self.scripted += bytes;
    }

    /// `length` more bytes are delivered. `allowance`: requests one life may carry.
    pub fn receive(&mut self, length: usize, allowance: u64) -> Meaning {
        let mut meaning = Meaning::default();
        self.delivered += length;
        if self.in_flight.is_empty() {
            meaning.unsolicited = length as u64;
            meaning.must_close = true;
            return meaning;
        }
        while let Some(&Mark { from, to, what }) = self.marks.front() {
            match what {
                What::Whole { status, last } if to <= self.delivered => {
                    self.marks.pop_front();
                    self.answered_to = to;
                    self.complete(status, &mut meaning);
                    let none_left = self.in_flight.is_empty();
                    let spent = none_left && self.sent == allowance;
                    if last || spent || none_left && self.sending {
                        meaning.must_close = true;
                        meaning.ends = Some((CLOSED, CLOSED));
                        return meaning;
                    }
                    if none_left {
                        meaning.unsolicited = (self.delivered - to) as u64;
                        meaning.must_close = to < self.delivered;
                        return meaning;
                    }
                }
                What::Broken(kind) if from < self.delivered => {
                    meaning.must_close = to <= self.delivered;
                    meaning.ends = Some((kind, CLOSED));
                    return meaning;
                }
                _ => break,
            }
        }
        meaning
    }

    /// The peer's last byte was delivered before.
    pub fn fin(&mut self) -> Meaning {
        let mut meaning = Meaning { must_close: true, ..Meaning::default() };
        if self.in_flight.is_empty() {
            return meaning;
        }
        meaning.ends = Some((CLOSED, CLOSED));
        match self.marks.front() {
            Some(&Mark { to, what: What::ToFin { status }, .. }) if to <= self.delivered => {
                self.complete(status, &mut meaning);
            }
            _ if self.delivered > self.answered_to => {
                meaning.ends = Some((Kind::Truncated, CLOSED));
            }
            _ if self.reset_unsent => meaning.ends = Some((Kind::SendReset, Kind::SendReset)),
            _ => {}
        }
        meaning
    }

    /// Nothing more can be received. The error is of the same kind for each request.
    pub fn receive_failed(&self, errno: i32) -> Meaning {
        let unsent = self.reset_unsent && self.delivered == self.answered_to;
        self.fail(if unsent { Kind::SendReset } else { Kind::of_receive(errno) })
    }

    /// A send met an error. After a reset, what was answered before it may still be received.
    pub fn send_failed(&mut self, errno: i32) -> Meaning {
        let kind = Kind::of_send(errno);
        if kind != Kind::SendReset || self.in_flight.is_empty() {
            return self.fail(kind);
        }
        (self.sending, self.reset_unsent) = (true, true);
        Meaning::default()
    }

    fn fail(&self, kind: Kind) -> Meaning {
        Meaning { must_close: true, ends: Some((kind, kind)), ..Meaning::default() }
    }

    fn complete(&mut self, status: u16, meaning: &mut Meaning) {
        if let Some(sent) = self.in_flight.pop_front() {
            self.completed += 1;
            meaning.answers.push((status, sent));
        }
    }
}

const CLOSED: Kind = Kind::ClosedBeforeResponse;
