//! The servers: what they do with what they read, and how they end.

use super::answer::{self, Answer, Mark, Then};
use super::life::Mood;
use super::net::{Net, Told, What};
use super::weather::Death;
use crate::time::Nanos;

impl Net {
    /// Bytes of requests reach the server.
    pub(super) fn arrives(&mut self, life: usize, bytes: u64, at: Nanos) -> Option<Told> {
        let server = &mut self.lives[life].server;
        if server.state == Mood::Gone {
            return None;
        }
        server.read(bytes);
        while self.lives[life].server.handled < self.lives[life].server.requests {
            self.handle(life, at);
        }
        // A server that refuses a large request need not read it to the end.
        let early = self.weather.is_bad(at) && self.job.confirms_sends() && self.dice.percent(5);
        if early && self.lives[life].server.is_amid() {
            self.note(life, "early answer", 0);
            self.handle(life, at);
        }
        None
    }

    /// The server deals with the next request.
    fn handle(&mut self, life: usize, at: Nanos) {
        let server = &mut self.lives[life].server;
        server.handled += 1;
        if server.state != Mood::Alive {
            return;
        }
        let begins = self.weather.awake(at.max(server.busy_until));
        let bad = self.weather.is_bad(at) && !self.weather.is_calm();
        let faulty = bad && self.dice.permille(self.weather.bad_answers);
        let answer = if faulty {
            answer::bad(&mut self.dice, self.job.is_head)
        } else {
            answer::good(&mut self.dice, self.job.is_head, !bad)
        };
        let mut begins = begins + self.dice.micros(0..=self.weather.service_us);
        let timeout_us = self.job.timeout.0 / 1_000;
        let mut lasts = [0, 0, 0, 200, 3_000][self.dice.below(5) as usize];
        if faulty && self.dice.percent(20) {
            self.note(life, "slow answer", 0);
            match self.dice.below(2) {
                0 => begins += self.dice.micros(0..=timeout_us * 2),
                _ => lasts = timeout_us * 3 / 2,
            }
        }
        self.speak(life, answer, begins, lasts);
        if bad && self.dice.permille(self.weather.idle_deaths) {
            let parts = self.lives[life].server.busy_until + self.dice.millis(0..=50);
            self.push(parts, life, What::Parts);
        }
    }

    /// The server says `answer` from `begins` on, in pieces.
    fn speak(&mut self, life: usize, answer: Answer, begins: Nanos, lasts_us: u64) {
        let Answer { bytes, marks, then } = answer;
        let broken = |mark: &&Mark| matches!(mark.what, answer::What::Broken(_));
        let answers = marks.len() - marks.iter().filter(broken).count();
        let extra = (answers as u64).saturating_sub(1);
        let connection = &mut self.lives[life];
        connection.script(bytes.len(), &marks);
        connection.server.extra += extra;
        match then {
            Then::Stay => {}
            Then::Silence => self.fall_silent(life),
            Then::Fin | Then::Fail(_) => self.lives[life].server.state = Mood::Gone,
        }
        let latency = self.dice.micros(0..=self.weather.latency_us);
        let pieces = self.pieces(bytes.len());
        let gap = Nanos(lasts_us * 1_000 / pieces.len().max(1) as u64);
        let (mut at, mut start) = (begins.max(self.lives[life].server.busy_until) + latency, 0);
        let last = pieces.len() - 1;
        for (index, end) in pieces.into_iter().enumerate() {
            let then = if index == last { then } else { Then::Stay };
            self.push(at, life, What::Says { bytes: bytes[start..end].to_vec(), then });
            start = end;
            at += gap;
        }
        self.lives[life].server.busy_until = at;
    }

    /// Where so many bytes are cut; the last cut is their end.
    fn pieces(&mut self, length: usize) -> Vec<usize> {
        if length < 2 {
            return vec![length];
        }
        let mut cuts: Vec<usize> = match self.dice.below(10) {
            0 if length < 300 => (1..length).collect(),
            0..=3 => (0..self.dice.within(1..=4))
                .map(|_| 1 + self.dice.below(length as u64 - 1) as usize)
                .collect(),
            _ => vec![],
        };
        cuts.push(length);
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// A piece reaches the client's host.
    pub(super) fn says(
        &mut self,
        life: usize,
        bytes: &[u8],
        then: Then,
        at: Nanos,
    ) -> Option<Told> {
        let connection = &mut self.lives[life];
        if connection.over || connection.ending.is_some() {
            return None;
        }
        connection.inbox.extend_from_slice(bytes);
        if matches!(then, Then::Fin | Then::Fail(_)) {
            connection.ending = Some(then);
        }
        let delay_us = if self.dice.percent(50) { 0 } else { 200 };
        self.wake_reader(life, at, delay_us);
        None
    }

    /// The client will be told within a while; what comes in the meantime comes with it.
    pub(super) fn wake_reader(&mut self, life: usize, at: Nanos, delay_us: u64) {
        let connection = &mut self.lives[life];
        let anything = !connection.inbox.is_empty() || connection.ending.is_some();
        if anything && !connection.is_readable {
            connection.is_readable = true;
            let delay = Nanos(self.dice.below(delay_us * 1_000 + 1));
            self.push(at + delay, life, What::Readable);
        }
    }

    /// The server has enough of an idle connection.
    pub(super) fn parts(&mut self, life: usize, at: Nanos) -> Option<Told> {
        if self.lives[life].server.state == Mood::Alive && self.weather.is_bad(at) {
            self.note(life, "idle death", 0);
            let parting = answer::parting(&mut self.dice);
            self.lives[life].server.extra += 1;
            self.speak(life, parting, at, 0);
        }
        None
    }

    /// The server dies, or comes back and knows nothing of the connection.
    pub(super) fn dies(&mut self, life: usize, death: Death, at: Nanos) -> Option<Told> {
        if self.lives[life].server.state == Mood::Gone {
            return None;
        }
        let at = at + self.dice.micros(0..=self.weather.latency_us);
        let then = match death {
            Death::Reset => Then::Fail(libc::ECONNRESET),
            Death::Fin => Then::Fin,
            Death::Silence => {
                self.note(life, "silence", 0);
                self.fall_silent(life);
                return None;
            }
        };
        self.note(life, "death", 0);
        self.lives[life].server.state = Mood::Gone;
        self.push(at, life, What::Says { bytes: Vec::new(), then });
        None
    }

    /// Says nothing more, until the weather clears and the host answers again that it knows
    /// nothing of this connection.
    pub(super) fn fall_silent(&mut self, life: usize) {
        self.lives[life].server.state = Mood::Silent;
        if self.weather.heals < Nanos::MAX {
            self.push(self.weather.heals, life, What::Dies(Death::Reset));
        }
    }
}
