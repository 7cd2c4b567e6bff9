//! The account that is kept while the run goes on: what each thing that the core is told must come
//! to, and whether each connection that it closes had to be closed.

use super::life::Meaning;
use super::net::{Cause, Net, Place, State, Telling, Told};
use crate::engine::wire::Slot;
use crate::failure::Kind;
use crate::time::Nanos;

impl Net {
    /// Books what the core is about to be told, and what it may do about it.
    pub fn foresee(&mut self, told: &Told) -> Meaning {
        self.book_bytes(told);
        let place = &mut self.places[told.slot as usize];
        let (state, now) = (place.state, self.now);
        let life = &mut self.lives[told.life];
        let idle = life.in_flight.is_empty();
        let allowance = self.job.per_connection.unwrap_or(u64::MAX);
        let mut meaning = Meaning::default();
        match (&told.what, state) {
            (Telling::Opened, State::Opening) => {
                self.ledger.opened(std::mem::replace(&mut place.was_open, true));
                (place.state, place.was_open_now) = (State::Open, true);
            }
            (Telling::OpenFailed(errno), State::Opening) => {
                self.ledger.refused[Kind::of_connect(*errno) as usize] += 1;
                self.tail_failed(told.slot);
                self.over(told.slot);
            }
            (Telling::Received(bytes), State::Open) => {
                meaning = life.receive(bytes.len(), allowance)
            }
            (Telling::Fin, State::Open) => meaning = life.fin(),
            (Telling::ReceiveFailed(errno), State::Open) => meaning = life.receive_failed(*errno),
            (Telling::SendFailed(errno), State::Open) => meaning = life.send_failed(*errno),
            (Telling::Sent, State::Open) => life.sending = false,
            (Telling::Closed, State::Closing) => self.over(told.slot),
            (_, State::Closing) => {}
            (what, state) => {
                let what = format!("the simulation is wrong: {what:?} in {state:?}");
                self.complain(what);
            }
        }
        let ended =
            matches!(told.what, Telling::Fin | Telling::ReceiveFailed(_) | Telling::SendFailed(_));
        self.ledger.reset_idle += u64::from(ended && idle && state == State::Open);
        self.ledger.read(&meaning, now);
        if now >= self.tail_from {
            self.tail[told.slot as usize] += meaning.answers.len() as u64;
        }
        // Who takes part no longer is closed after an answer.
        let excused = self.takes_turns();
        self.cause = Cause::Told { ends: meaning.ends, excused: excused || meaning.must_close };
        meaning
    }

    /// The core has been told: did it do what it had to?
    pub fn look_back(&mut self, told: &Told, meaning: &Meaning) {
        if matches!(told.what, Telling::Opened) {
            self.wake_reader(told.life, self.now, 0);
        }
        self.cause = Cause::Turn;
        let state = self.places[told.slot as usize].state;
        if meaning.must_close && state == State::Open {
            self.complain(format!("slot {} is still open after {:?}", told.slot, told.what));
        }
    }

    fn book_bytes(&mut self, told: &Told) {
        let (name, number) = match &told.what {
            Telling::Opened => ("opened", 0),
            Telling::OpenFailed(errno) => ("open failed", *errno),
            Telling::Received(bytes) => ("received", bytes.len() as i32),
            Telling::Fin => ("fin", 0),
            Telling::ReceiveFailed(errno) => ("receive failed", *errno),
            Telling::SendFailed(errno) => ("send failed", *errno),
            Telling::Sent => ("sent", 0),
            Telling::Closed => ("closed", 0),
        };
        self.note(told.life, name, number.into());
        if name.ends_with("failed") {
            self.trace.seen.errno(name, number);
        }
        if self.places[told.slot as usize].state == State::Closing && name != "closed" {
            self.note(told.life, "told before closed", 0);
        }
        if let Telling::Received(bytes) = &told.what {
            self.ledger.bytes_received += bytes.len() as u64;
        }
    }

    /// When the first thing that is under way has taken too long.
    pub fn next_timeout(&self) -> Option<Nanos> {
        let over = |place: &Place| {
            let life = self.lives.get(place.life)?;
            match place.state {
                State::Opening => Some(life.dialled + self.job.connect_timeout),
                State::Open => Some(*life.in_flight.front()? + self.job.timeout),
                _ => None,
            }
        };
        self.places.iter().filter_map(over).min()
    }

    /// After a turn, nothing is under way for longer than it may be.
    pub fn no_one_is_forgotten(&mut self) {
        if self.next_timeout().is_some_and(|over| over <= self.now) {
            self.complain("something is under way for longer than it may be");
        }
    }

    /// The core gives a connect up.
    pub(super) fn give_up(&mut self, life: usize) {
        if self.now < self.lives[life].dialled + self.job.connect_timeout {
            self.complain(format!("slot {} is given up before its time", self.slot(life)));
        }
        self.ledger.refused[Kind::ConnectTimeout as usize] += 1;
        self.tail_failed(self.slot(life));
    }

    /// The core closes a connection: each request on it has its fate.
    pub(super) fn part_with(&mut self, life: usize) {
        self.ledger.open_now -= 1;
        let (now, slot) = (self.now, self.slot(life));
        let in_flight = std::mem::take(&mut self.lives[life].in_flight);
        let Some(oldest) = in_flight.front().copied() else {
            let excused = match self.cause {
                Cause::Turn => self.takes_turns(),
                Cause::Told { excused, .. } => excused,
            };
            if !excused {
                self.complain(format!("slot {slot} is closed for no reason"));
            }
            return;
        };
        let why = match self.cause {
            Cause::Turn if oldest + self.job.timeout <= now => (Kind::Timeout, Kind::Timeout),
            Cause::Told { ends: Some(why), .. } => why,
            _ => return self.complain(format!("slot {slot} is lost for no reason")),
        };
        self.tail_failed(slot);
        self.ledger.failed(in_flight.into_iter(), why, now);
    }

    fn over(&mut self, slot: Slot) {
        let place = &mut self.places[slot as usize];
        let life = &mut self.lives[place.life];
        place.fruitless = match (life.completed, place.was_open_now) {
            (0, true) => place.fruitless + 1,
            (0, false) => (place.fruitless + 1).max(2),
            _ => 0,
        };
        (place.state, place.over_at, place.was_open_now) = (State::Closed, self.now, false);
        life.over = true;
    }

    /// Whether the core dials a slot again too soon, after so many connections without an answer.
    pub(super) fn is_hasty(&self, place: &Place) -> bool {
        let patience = match place.fruitless {
            0 | 1 => return false,
            2..=7 => Nanos::from_micros(7_500),
            _ => Nanos::from_millis(375),
        };
        let counts = self.dead_address.is_none() && !self.takes_turns();
        counts && self.now < place.over_at + patience
    }

    fn tail_failed(&mut self, slot: Slot) {
        if self.now >= self.tail_from {
            self.complain(format!("slot {slot} fails in fair weather"));
        }
    }
}
