//! The network of one worker and the servers behind it, as far as the client can see: what comes,
//! and when. [`Wire`] is its client side (`client.rs`); what the servers do is in `servers.rs`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::answer::Then;
use super::dice::Dice;
use super::ledger::Ledger;
use super::life::Life;
use super::trace::Trace;
use super::weather::{Death, Weather};
use crate::engine::job::Job;
use crate::engine::wire::{Event, Slot};
use crate::failure::Kind;
use crate::time::Nanos;

pub struct Net {
    pub job: Arc<Job>,
    pub weather: Arc<Weather>,
    pub dice: Dice,
    /// The reading that the core was given last.
    pub now: Nanos,
    pub places: Vec<Place>,
    /// Every connection there ever was.
    pub lives: Vec<Life>,
    pub ledger: Ledger,
    pub trace: Trace,
    /// The first breach of a rule that was seen.
    pub complaint: Option<String>,
    /// Why the core may close a connection just now.
    pub cause: Cause,
    /// Answers on each slot in fair weather that has lasted for a while.
    pub tail: Vec<u64>,
    pub tail_from: Nanos,
    /// An address that has refused from the start.
    pub dead_address: Option<usize>,
    /// The most that one delivery holds.
    pub most_at_once: u64,
    queue: BinaryHeap<Happening>,
    number: u64,
}

/// A slot, as the core must see it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub state: State,
    /// Its connection, as an index.
    pub life: usize,
    pub was_open: bool,
    /// This connection of it was.
    pub was_open_now: bool,
    /// Connections in a row that came to no answer, and when the last one ended.
    pub fruitless: u32,
    pub over_at: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Closed,
    Opening,
    Open,
    Closing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Time alone.
    Turn,
    /// Something that was told, and how requests end if the connection is closed for it.
    Told { ends: Option<(Kind, Kind)>, excused: bool },
}

#[derive(Debug)]
pub struct Happening {
    at: Nanos,
    /// Keeps equal times in order.
    number: u64,
    pub life: usize,
    pub what: What,
}

/// What can happen to a connection.
#[derive(Debug)]
pub enum What {
    // At the client: told to the core.
    Connected(Result<(), i32>),
    Wrote(Result<(), i32>),
    Readable,
    Closed,
    // In the network and at the server.
    Arrives { bytes: u64 },
    Says { bytes: Vec<u8>, then: Then },
    Parts,
    Dies(Death),
}

/// What the core is told. Owns its bytes: the network goes on meanwhile.
#[derive(Debug)]
pub struct Told {
    pub life: usize,
    pub slot: Slot,
    pub what: Telling,
}

#[derive(Debug)]
pub enum Telling {
    Opened,
    OpenFailed(i32),
    Received(Vec<u8>),
    Fin,
    ReceiveFailed(i32),
    SendFailed(i32),
    Sent,
    Closed,
}

impl Net {
    pub fn new(job: Arc<Job>, weather: Arc<Weather>, mut dice: Dice, now: Nanos) -> Net {
        let slots = job.connections as usize;
        let vacant = Place {
            state: State::Closed,
            life: 0,
            was_open: false,
            was_open_now: false,
            fruitless: 0,
            over_at: Nanos::ZERO,
        };
        let most_at_once = dice.one(&[4_096, 4_096, 4_096, 700]);
        let dead_address =
            (job.addresses.count() > 1).then(|| dice.below(job.addresses.count() as u64) as usize);
        Net {
            trace: Trace::new(job.worker),
            weather,
            dice,
            now,
            places: vec![vacant; slots],
            lives: Vec::new(),
            ledger: Ledger::default(),
            complaint: None,
            cause: Cause::Turn,
            tail: vec![0; slots],
            tail_from: Nanos::MAX,
            dead_address,
            most_at_once,
            queue: BinaryHeap::new(),
            number: 0,
            job,
        }
    }

    pub fn push(&mut self, at: Nanos, life: usize, what: What) {
        self.number += 1;
        self.queue.push(Happening { at, number: self.number, life, what });
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<Nanos> {
        self.queue.peek().map(|happening| happening.at)
    }

    /// Lets the network and the servers go on to `now`, up to something the core has to be told.
    pub fn next(&mut self, now: Nanos) -> Option<Told> {
        while self.next_at()? <= now {
            let Happening { at, life, what, .. } = self.queue.pop()?;
            let told = match what {
                What::Arrives { bytes } => self.arrives(life, bytes, at),
                What::Says { bytes, then } => self.says(life, &bytes, then, at),
                What::Parts => self.parts(life, at),
                What::Dies(death) => self.dies(life, death, at),
                what => self.at_client(life, what, now),
            };
            if told.is_some() {
                return told;
            }
        }
        None
    }

    pub fn slot(&self, life: usize) -> Slot {
        self.lives[life].slot
    }

    pub fn note(&mut self, life: usize, what: &'static str, number: i64) {
        self.trace.note(self.now, self.lives[life].slot, what, number);
    }

    #[track_caller]
    pub fn complain(&mut self, what: impl Into<String>) {
        let place = std::panic::Location::caller();
        let (what, now) = (what.into(), self.now.as_secs_f64());
        self.complaint.get_or_insert_with(|| format!("{now:.9}: {what} ({place})"));
    }
}

impl Told {
    pub fn event(&self) -> Event<'_> {
        match &self.what {
            Telling::Opened => Event::Opened,
            Telling::OpenFailed(errno) => Event::OpenFailed(*errno),
            Telling::Received(bytes) => Event::Received(bytes),
            Telling::Fin => Event::Fin,
            Telling::ReceiveFailed(errno) => Event::ReceiveFailed(*errno),
            Telling::SendFailed(errno) => Event::SendFailed(*errno),
            Telling::Sent => Event::Sent,
            Telling::Closed => Event::Closed,
        }
    }
}

/// The earliest is the greatest, as `BinaryHeap` wants it.
impl Ord for Happening {
    fn cmp(&self, other: &Happening) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Happening {
    fn partial_cmp(&self, other: &Happening) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Happening {
    fn eq(&self, other: &Happening) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Happening {}
