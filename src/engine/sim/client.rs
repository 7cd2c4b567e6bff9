//! The client's side of the network: what the core asks for, whether it may, and what the kernel
//! makes of it.

use super::answer::Then;
use super::life::{Life, Mood};
use super::net::{Net, Place, State, Telling, Told, What};
use super::weather::Death;
use crate::engine::job::Arrivals;
use crate::engine::timeline::Gate;
use crate::engine::wire::{Parcel, Slot, Wire};
use crate::failure::Kind;
use crate::time::Nanos;

impl Wire for Net {
    fn open(&mut self, slot: Slot, address: usize) {
        let place = self.places[slot as usize];
        if place.state != State::Closed {
            self.complain(format!("slot {slot} is opened while it is {:?}", place.state));
        }
        if self.is_hasty(&place) {
            self.complain(format!("slot {slot} is dialled without patience: {place:?}"));
        }
        let life = self.lives.len();
        self.lives.push(Life::new(slot, self.now));
        let place = &mut self.places[slot as usize];
        (place.state, place.life) = (State::Opening, life);
        self.note(life, "open", address as i64);
        self.connect(life, address);
    }

    fn send(&mut self, slot: Slot, copies: u32) {
        let lengths = vec![self.job.request.length() as u64; copies as usize];
        self.give(slot, &lengths, self.job.confirms_sends());
    }

    fn deliver(&mut self, slot: Slot, parcel: Parcel) {
        self.give(slot, &[parcel.length() as u64], parcel.confirmed);
    }

    fn write(&mut self, slot: Slot, _: &[u8]) {
        self.complain(format!("slot {slot} writes records, and nothing here is https"));
    }

    fn close(&mut self, slot: Slot) {
        let Place { state, life, .. } = self.places[slot as usize];
        match state {
            State::Opening => self.give_up(life),
            State::Open => self.part_with(life),
            _ => return self.complain(format!("slot {slot} is closed while it is {state:?}")),
        }
        self.note(life, "close", 0);
        self.places[slot as usize].state = State::Closing;
        let at =
            self.now + if self.dice.percent(80) { Nanos::ZERO } else { self.dice.millis(0..=5) };
        self.push(at, life, What::Closed);
    }
}

impl Net {
    /// Requests of these lengths, to be written together.
    fn give(&mut self, slot: Slot, lengths: &[u64], confirms: bool) {
        let Place { state, life, .. } = self.places[slot as usize];
        let (now, copies) = (self.now, lengths.len());
        if state != State::Open || copies == 0 {
            return self.complain(format!("{copies} are sent on slot {slot}, which is {state:?}"));
        }
        self.note(life, "send", copies as i64);
        let connection = &mut self.lives[life];
        if std::mem::replace(&mut connection.sending, confirms) {
            return self.complain(format!("slot {slot} sends while it is sending"));
        }
        connection.sent += copies as u64;
        connection.in_flight.extend((0..copies).map(|_| now));
        connection.server.expect(lengths);
        let (in_flight, sent) = (connection.in_flight.len() as u64, connection.sent);
        if in_flight > u64::from(self.job.pipeline) || sent > self.allowance() {
            self.complain(format!("slot {slot} has {in_flight} in flight, and sent {sent}"));
        }
        self.ledger.sent += copies as u64;
        self.ledger.sent_at.extend((0..copies).map(|_| now));
        let bytes = lengths.iter().sum();
        self.ledger.bytes_sent += bytes;
        let all: usize = self.lives_in_use().map(|life| life.in_flight.len()).sum();
        if all as u64 > self.job.max_in_flight {
            self.complain(format!("{all} are in flight"));
        }
        self.write(life, bytes, confirms);
    }

    pub fn allowance(&self) -> u64 {
        self.job.per_connection.unwrap_or(u64::MAX)
    }

    /// Connections come and go with the level of the load.
    pub(super) fn takes_turns(&self) -> bool {
        let is_edited = self.job.timeline.edited() > 0;
        match &self.job.arrivals {
            Arrivals::Open(_) => false,
            Arrivals::Closed { users, .. } => users.is_some() || is_edited,
        }
    }

    /// The connections that the core holds.
    pub fn lives_in_use(&self) -> impl Iterator<Item = &Life> {
        let used = self.places.iter().filter(|place| place.state != State::Closed);
        used.map(|place| &self.lives[place.life])
    }

    fn connect(&mut self, life: usize, address: usize) {
        let takes = self.dice.micros(0..=self.weather.latency_us * 2);
        let mut at = self.now + takes;
        if self.dead_address == Some(address) {
            return self.push(at, life, What::Connected(Err(libc::ECONNREFUSED)));
        }
        let open = self.job.timeline.gate() == Gate::Open;
        let bad = self.weather.is_bad(self.now) && (open || self.weather.fragile);
        if let Some(outage) = self.weather.outage(self.now).filter(|_| bad) {
            if outage.how != Death::Silence {
                self.push(at, life, What::Connected(Err(libc::ECONNREFUSED)));
            }
            return;
        }
        if bad && self.dice.permille(self.weather.bad_connects) {
            match self.dice.below(3) {
                0 => {
                    let errno = self.dice.errno();
                    return self.push(at, life, What::Connected(Err(errno)));
                }
                1 => return self.note(life, "connect without an answer", 0),
                // At about the time at which it is given up.
                _ => at = self.now + self.job.connect_timeout - takes + self.dice.micros(0..=500),
            }
        }
        if at > self.now + takes && self.dice.percent(50) {
            return self.push(at, life, What::Connected(Err(libc::ETIMEDOUT)));
        }
        self.push(at, life, What::Connected(Ok(())));
        if let Some(outage) = self.weather.next_outage(self.now) {
            self.push(outage.from, life, What::Dies(outage.how));
        }
    }

    /// The kernel takes bytes to be sent: at once and in full, or bit by bit, or it fails.
    fn write(&mut self, life: usize, bytes: u64, confirms: bool) {
        let now = self.now;
        let mut at = now + self.dice.micros(0..=self.weather.latency_us);
        if self.lives[life].server.state == Mood::Gone {
            if self.dice.percent(70) {
                let errno = self.dice.one(&[libc::EPIPE, libc::ECONNRESET]);
                self.push(at, life, What::Wrote(Err(errno)));
            }
            return;
        }
        let fails = self.weather.is_bad(now) && self.dice.permille(self.weather.bad_sends);
        let bytes_through = if fails { self.dice.below(bytes) } else { bytes };
        let mut left = bytes_through;
        while left > 0 {
            let part = if self.dice.percent(60) { left } else { 1 + self.dice.below(left) };
            // In order, whatever is drawn: it is one stream.
            at = at.max(self.lives[life].arrives_by);
            self.lives[life].arrives_by = at;
            self.push(at, life, What::Arrives { bytes: part });
            left -= part;
            at += self.dice.micros(0..=300);
        }
        if fails && self.dice.percent(80) {
            let errno = if self.dice.percent(20) { libc::EPIPE } else { self.dice.errno() };
            self.push(at, life, What::Wrote(Err(errno)));
        } else if fails && confirms {
            self.note(life, "the server stops reading", bytes_through as i64);
        } else if fails {
            // It fits the socket's buffer, so the kernel says nothing yet; what follows is lost too.
            self.note(life, "the path is cut", bytes_through as i64);
            self.fall_silent(life);
        } else if confirms {
            // Its completion may come after that of the answer.
            let late = if self.dice.percent(20) { self.weather.service_us * 2 } else { 0 };
            let at = at + self.dice.micros(0..=late);
            self.push(at, life, What::Wrote(Ok(())));
        }
    }

    /// Something comes out of the client's kernel. `now`: when the driver looks.
    pub(super) fn at_client(&mut self, life: usize, what: What, now: Nanos) -> Option<Told> {
        let slot = self.slot(life);
        let place = self.places[slot as usize];
        if place.life != life || self.lives[life].over {
            return None;
        }
        let closing = place.state == State::Closing;
        let closed = matches!(what, What::Closed);
        // What had happened before the close may have been told already, or never is.
        if closing && !closed && self.dice.percent(50) {
            return None;
        }
        let what = match what {
            What::Connected(Ok(())) => Telling::Opened,
            What::Connected(Err(errno)) => Telling::OpenFailed(errno),
            What::Wrote(Ok(())) => Telling::Sent,
            What::Wrote(Err(errno)) => {
                self.break_off(life, errno, now);
                Telling::SendFailed(errno)
            }
            What::Closed => Telling::Closed,
            _ => self.readable(life, place.state, now)?,
        };
        Some(Told { life, slot, what })
    }

    /// A reset that a send has met ends what can be received, after what is there already.
    fn break_off(&mut self, life: usize, errno: i32, now: Nanos) {
        if Kind::of_send(errno) != Kind::SendReset {
            return;
        }
        let end = if self.dice.percent(50) { Then::Fin } else { Then::Fail(libc::ECONNRESET) };
        let connection = &mut self.lives[life];
        connection.server.state = Mood::Gone;
        connection.ending.get_or_insert(end);
        let later = if self.dice.percent(50) { 0 } else { self.weather.latency_us };
        self.wake_reader(life, now, later);
    }

    fn readable(&mut self, life: usize, state: State, now: Nanos) -> Option<Telling> {
        if state == State::Opening {
            // The receive is armed when the connect is over.
            self.lives[life].is_readable = false;
            return None;
        }
        let most = self.most_at_once;
        let at_most = if self.dice.percent(80) { most } else { self.dice.within(1..=most) };
        let connection = &mut self.lives[life];
        connection.is_readable = false;
        let length = connection.inbox.len().min(at_most as usize);
        let telling = if length > 0 {
            let rest = connection.inbox.split_off(length);
            Telling::Received(std::mem::replace(&mut connection.inbox, rest))
        } else {
            match connection.ending.take()? {
                Then::Fail(errno) => Telling::ReceiveFailed(errno),
                _ => Telling::Fin,
            }
        };
        self.wake_reader(life, now, 0);
        Some(telling)
    }
}
