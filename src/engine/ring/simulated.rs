//! A simulated kernel under the sockets: it is asked through a ring that is never entered, and
//! answers what the real one may, in any order that it may: completions that race a cancel, short
//! and failed sends, receives that end by themselves or find no buffer.
//!
//! A seed is a run. The slots are few, so that each lives many times.

use std::collections::VecDeque;
use std::sync::Arc;

use super::outbox::Outbox;
use super::setup::Setup;
use super::sockets::{Outcome, Sockets};
use super::token::{Token, Verb};
use crate::engine::core::tests;
use crate::engine::job::{Arrivals, Job};
use crate::engine::sim::dice::Dice;
use crate::engine::wire::{Parcel, Slot, Wire};
use crate::http::Payload;
use crate::tls::KernelKeys;

const SLOTS: u32 = 3;

/// As many entries as the ring holds without being entered, and some to spare.
const ENTRIES: usize = 200;

/// What the ring holds: with more it would be entered.
const MOST_ENTRIES: usize = 256;

/// Steps in which all is asked, and in which all comes to its end.
const STEPS: usize = 5_000;

/// An operation that the kernel has.
#[derive(Clone, Copy, Debug)]
struct Op {
    token: Token,
    cancelled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Opening,
    Open,
    Closing,
}

struct Kernel {
    dice: Dice,
    sockets: Sockets,
    confirms: bool,
    /// What each parcel is a part of; `None`: the request is sent over and over.
    delivers: Option<Vec<u8>>,
    /// https: nothing is sent before the kernel has its keys, and every end of a send is told.
    secure: bool,
    /// Who has been asked for that, and who does it.
    offered: [bool; SLOTS as usize],
    encrypts: [bool; SLOTS as usize],
    /// The length of one request.
    length: u64,
    ops: Vec<Op>,
    /// Completions that are not reaped yet, oldest first.
    completions: VecDeque<(Token, i32, u32)>,
    states: [State; SLOTS as usize],
    sending: [bool; SLOTS as usize],
    /// Bytes of body still to come.
    left: [u64; SLOTS as usize],
    /// Shut down: nothing more can be sent.
    shut: [bool; SLOTS as usize],
    asked: usize,
    closed: u64,
    /// The end: the core only closes, and nothing comes to an end by itself.
    peers_are_silent: bool,
}

#[test]
fn whatever_order_completions_come_in_a_place_is_closed_once_and_when_nothing_works_on_it() {
    let mut closed = 0;
    for seed in 1..=200 {
        println!("seed {seed}");
        let mut kernel = Kernel::new(seed);
        for _ in 0..STEPS {
            if kernel.asked < ENTRIES {
                kernel.step();
            }
        }
        kernel.peers_are_silent = true;
        (0..STEPS).for_each(|_| kernel.step());
        assert!((ENTRIES..MOST_ENTRIES).contains(&kernel.asked), "{} asked", kernel.asked);
        assert_eq!(kernel.states, [State::Closed; SLOTS as usize], "all come to their end");
        assert!(kernel.ops.is_empty() && kernel.completions.is_empty(), "{:?}", kernel.ops);
        assert!(kernel.sockets.broken.is_none());
        closed += kernel.closed;
    }
    assert!(closed > 2_000, "{closed}");
}

impl Kernel {
    fn new(seed: u64) -> Kernel {
        let mut dice = Dice::new(seed);
        let is_large = dice.percent(50);
        let delivers = dice.percent(40);
        let secure = !delivers && dice.percent(60);
        let length = if is_large { 50_000 } else { 100 };
        let request = vec![b'r'; length as usize];
        let arrivals = Arrivals::Closed { budget: 1, users: None };
        let job = Job { request: Payload::of(&request, 1), ..tests::job(SLOTS, arrivals) };
        let mut sockets = Sockets::new(Arc::new(job), &Setup::DEFAULT).expect("a ring");
        if secure {
            sockets.outboxes = (0..SLOTS).map(|_| Outbox::default()).collect();
        }
        Kernel {
            dice,
            sockets,
            // Parcels that are not confirmed have a verb of their own.
            confirms: is_large || secure || delivers,
            delivers: delivers.then_some(request),
            secure,
            offered: [false; SLOTS as usize],
            encrypts: [false; SLOTS as usize],
            length,
            ops: Vec::new(),
            completions: VecDeque::new(),
            states: [State::Closed; SLOTS as usize],
            sending: [false; SLOTS as usize],
            left: [0; SLOTS as usize],
            shut: [false; SLOTS as usize],
            asked: 0,
            closed: 0,
            peers_are_silent: false,
        }
    }

    /// Something happens: the core asks, the kernel completes, or the driver reaps.
    fn step(&mut self) {
        match self.dice.below(3) {
            0 => self.ask(!self.peers_are_silent),
            1 if !self.ops.is_empty() => self.complete(),
            _ => self.reap(),
        }
        for token in std::mem::take(&mut self.sockets.pushed) {
            self.asked += 1;
            self.take(token);
        }
        self.check_receives();
    }

    /// Who is open is listened to, or is about to be told why not.
    fn check_receives(&self) {
        let of = |token: &Token, slot| token.slot == slot && is_receive(token.verb);
        for slot in (0..SLOTS).filter(|slot| self.states[*slot as usize] == State::Open) {
            let armed = self.ops.iter().any(|op| of(&op.token, slot));
            let ended = self.completions.iter().any(|(token, ..)| of(token, slot));
            assert!(armed || ended, "slot {slot} is open and nobody listens");
        }
    }

    fn ask(&mut self, goes_on: bool) {
        let slot = self.dice.below(SLOTS.into()) as Slot;
        let at = slot as usize;
        match self.states[at] {
            State::Closed if goes_on => {
                self.states[at] = State::Opening;
                self.sending[at] = false;
                self.left[at] = 0;
                (self.offered[at], self.encrypts[at]) = (false, false);
                self.sockets.open(slot, 0);
            }
            State::Open if goes_on && self.secure && !self.offered[at] => {
                self.offered[at] = true;
                let keys = KernelKeys::trials().next().expect("keys");
                assert_eq!(self.sockets.offload(slot, keys), None);
            }
            State::Open
                if goes_on
                    && !self.sending[at]
                    && self.secure == self.encrypts[at]
                    && self.dice.percent(80) =>
            {
                self.send(slot);
            }
            State::Opening | State::Open if !goes_on || self.dice.percent(20) => self.close(slot),
            _ => {}
        }
    }

    fn send(&mut self, slot: Slot) {
        let Some(bytes) = &self.delivers else {
            self.sending[slot as usize] = self.confirms;
            return self.sockets.send(slot, 1);
        };
        let confirmed = self.dice.percent(50);
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        let parcel = Parcel::new(head, if confirmed { tail } else { &[] }, confirmed);
        self.sending[slot as usize] = confirmed;
        self.sockets.deliver(slot, parcel);
    }

    fn close(&mut self, slot: Slot) {
        self.states[slot as usize] = State::Closing;
        self.sockets.close(slot);
    }

    /// After bytes came, or a receive ended: it may have been the head of an answer, small or large.
    fn go_on(&mut self, slot: Slot, length: usize) {
        let left = &mut self.left[slot as usize];
        if length > 0 {
            *left = left.saturating_sub(length as u64);
            if *left == 0 {
                *left = self.dice.one(&[0, 0, 5_000, 30_000, 1_000_000]);
            }
        }
        let left = *left;
        self.sockets.keep_receiving(slot, length, || left);
    }

    /// The kernel gets an entry.
    fn take(&mut self, token: Token) {
        let works = |op: &Op, verb| op.token.slot == token.slot && op.token.verb == verb;
        match token.verb {
            Verb::Cancel => {
                let target = self.sockets.cancels.pop_front().expect("a target of each cancel");
                let found = self.ops.iter_mut().find(|op| op.token == target);
                match found {
                    Some(op) => op.cancelled = true,
                    None => self.completions.push_back((token, -libc::ENOENT, 0)),
                }
                return;
            }
            Verb::Receive | Verb::Discard => {
                let armed = |op: &Op| works(op, Verb::Receive) || works(op, Verb::Discard);
                assert!(!self.ops.iter().any(armed), "two receives would share the bytes");
            }
            Verb::Close | Verb::Connect => {
                let left = |op: &&Op| {
                    let needs_no_word = match op.token.verb {
                        Verb::Send => !self.confirms,
                        verb => verb == Verb::Deliver,
                    };
                    op.token.slot == token.slot && !needs_no_word
                };
                let left: Vec<_> = self.ops.iter().filter(left).collect();
                assert!(left.is_empty(), "{token:?} while the kernel works on {left:?}");
            }
            Verb::Send | Verb::Deliver | Verb::Shutdown | Verb::Learn | Verb::Keys => {}
            // Done at once, and in silence. (The first ring rings no bell of its own.)
            Verb::Await | Verb::Bell | Verb::Ask => return,
        }
        match token.verb {
            Verb::Connect => self.shut[token.slot as usize] = false,
            Verb::Shutdown => self.shut[token.slot as usize] = true,
            _ => {}
        }
        self.ops.push(Op { token, cancelled: false });
    }

    /// One of the operations comes to something.
    fn complete(&mut self) {
        let index = self.dice.below(self.ops.len() as u64) as usize;
        let Op { token, cancelled: op_cancelled } = self.ops[index];
        let errno = -self.dice.errno();
        // What was on its way when the cancel came still comes.
        let cancelled = op_cancelled && self.dice.percent(60);
        let shut = self.shut[token.slot as usize];
        let (result, flags, stays) = match token.verb {
            Verb::Connect | Verb::Receive | Verb::Discard
                if self.peers_are_silent && !op_cancelled =>
            {
                return;
            }
            Verb::Connect if cancelled => (-libc::ECANCELED, 0, false),
            Verb::Connect => (self.dice.one(&[0, 0, 0, errno]), 0, false),
            Verb::Receive | Verb::Discard if cancelled => (-libc::ECANCELED, 0, false),
            // Never more than was asked for; often less.
            Verb::Discard => {
                let left = self.left[token.slot as usize].max(1);
                let part = 1 + self.dice.below(left) as i32;
                (self.dice.one(&[left as i32, part, part, 0, errno]), 0, false)
            }
            Verb::Receive => match self.dice.below(8) {
                0..=1 => (100, BUFFER | MORE, true),
                2..=3 => (4_096, BUFFER | MORE, true),
                4 => (self.dice.one(&[100, 4_096]), BUFFER, false),
                5 => (self.dice.one(&[-libc::ENOBUFS, -libc::EINTR, -libc::EAGAIN]), 0, false),
                6 => (0, 0, false),
                _ => (errno, 0, false),
            },
            // A peer that does not read: until it is shut down.
            Verb::Send
                if self.confirms && !shut && (self.peers_are_silent || self.dice.percent(30)) =>
            {
                return;
            }
            Verb::Send => {
                let unsent = self.sockets.unsent(token.slot) as u64;
                let most = if self.confirms { unsent } else { self.length };
                let part = 1 + self.dice.below(most.max(1)) as i32;
                let result = self.dice.one(&[most as i32, most as i32, part, errno]);
                if !self.confirms && result == self.length as i32 {
                    // Success needs no word.
                    self.ops.swap_remove(index);
                    return;
                }
                (result, 0, false)
            }
            Verb::Deliver => {
                let result = self.dice.one(&[0, 0, 1, errno, -libc::ENOBUFS]);
                if result == 0 {
                    // Success needs no word.
                    self.ops.swap_remove(index);
                    return;
                }
                (result, 0, false)
            }
            Verb::Shutdown => (self.dice.one(&[0, -libc::ENOTCONN]), 0, false),
            Verb::Learn | Verb::Keys => {
                (self.dice.one(&[0, 0, 0, -libc::ENOENT, -libc::ECANCELED]), 0, false)
            }
            Verb::Close | Verb::Cancel => (0, 0, false),
            Verb::Await | Verb::Bell | Verb::Ask => return,
        };
        if !stays {
            self.ops.swap_remove(index);
        }
        self.completions.push_back((token, result, flags));
    }

    /// The driver takes the oldest completion, and the core is told.
    fn reap(&mut self) {
        let Some((token, result, flags)) = self.completions.pop_front() else { return };
        let Some((slot, outcome)) = self.sockets.meaning(token, result, flags) else { return };
        let state = self.states[slot as usize];
        let brought = match outcome {
            Outcome::Received { length, .. } => Some(length),
            Outcome::Discarded(bytes) => {
                let left = &mut self.left[slot as usize];
                assert!(state != State::Open || bytes <= *left, "a byte of the next head");
                *left = left.saturating_sub(bytes);
                Some(0)
            }
            Outcome::Rearm => Some(0),
            _ => None,
        };
        if let Some(length) = brought {
            assert!(matches!(state, State::Open | State::Closing), "{outcome:?} in {state:?}");
            return self.go_on(slot, length);
        }
        let next = match (outcome, state) {
            (Outcome::Opened, State::Opening) => State::Open,
            (Outcome::OpenFailed(_), State::Opening) => State::Closed,
            (Outcome::Closed, State::Closing) => {
                self.closed += 1;
                State::Closed
            }
            (Outcome::Sent, State::Open) => {
                assert!(std::mem::take(&mut self.sending[slot as usize]), "sent what nobody sends");
                State::Open
            }
            (Outcome::Offloaded(taken), State::Open) => {
                assert!(self.offered[slot as usize], "nobody asked for it");
                self.encrypts[slot as usize] = taken;
                State::Open
            }
            (Outcome::Fin | Outcome::ReceiveFailed(_) | Outcome::SendFailed(_), State::Open) => {
                return self.close(slot);
            }
            (Outcome::Closed | Outcome::OpenFailed(_) | Outcome::Opened, _)
            | (_, State::Closed | State::Opening | State::Open) => {
                panic!("{outcome:?} in {state:?}")
            }
            (_, State::Closing) => state,
        };
        self.states[slot as usize] = next;
    }
}

fn is_receive(verb: Verb) -> bool {
    matches!(verb, Verb::Receive | Verb::Discard)
}

// From linux/io_uring.h.
const BUFFER: u32 = 1 << 0;
const MORE: u32 = 1 << 1;
