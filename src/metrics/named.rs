//! What happened by name: the entries of a scenario, its checks, its sessions.
//!
//! An entry is a place where a request is sent from. Its books hold what was due in measure, or
//! for setup and teardown all of it; together they say the same as the books of the whole.

use super::{Events, Fates, Histogram, Rejection};
use crate::failure::Kind;
use crate::time::Nanos;

/// The names of the models: whose requests they are. A connection of a mix sends whatever is next;
/// users begin anew when they are done; sessions arrive by a schedule.
pub const MIX: &str = "mix";
pub const USERS: &str = "users";
pub const SESSIONS: &str = "sessions";

/// What a request is for. Only the main part is in the headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Setup,
    Main,
    Teardown,
}

impl Part {
    pub fn name(self) -> &'static str {
        match self {
            Part::Setup => "setup",
            Part::Main => "main",
            Part::Teardown => "teardown",
        }
    }
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// It took all of its steps.
    Completed,
    /// It took all of its steps, and the answer to one of them was not good.
    Failed,
    /// The run was over before.
    Cut,
}

/// How often something was seen, and when: from the start of measure, and zero for before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sightings {
    pub count: u64,
    pub first: Nanos,
    pub last: Nanos,
}

impl Sightings {
    pub fn see(&mut self, at: Nanos) {
        self.add(&Sightings { count: 1, first: at, last: at });
    }

    pub fn add(&mut self, other: &Sightings) {
        if other.count == 0 {
            return;
        }
        self.first = if self.count == 0 { other.first } else { self.first.min(other.first) };
        self.last = self.last.max(other.last);
        self.count += other.count;
    }
}

/// The books of one entry.
#[derive(Clone, Debug)]
pub struct Account {
    /// `scheduled` is `sent + dropped`: whose turn a request is, is decided when it is sent.
    pub fates: Fates,
    /// What happened within measure, but for what became due and the bytes.
    pub events: Events,
    pub failures: [Sightings; Kind::COUNT],
    pub rejections: [Sightings; Rejection::COUNT],
    /// Answers that each check of the scenario rejected.
    pub checks: Vec<Sightings>,
}

impl Account {
    pub fn new(fates: Fates, checks: usize) -> Account {
        Account {
            fates,
            events: Events::default(),
            failures: [Sightings::default(); Kind::COUNT],
            rejections: [Sightings::default(); Rejection::COUNT],
            checks: vec![Sightings::default(); checks],
        }
    }

    /// All that was seen was seen so much later.
    pub fn put_off(&mut self, by: Nanos) {
        let all = self.failures.iter_mut().chain(&mut self.rejections).chain(&mut self.checks);
        for seen in all.filter(|seen| seen.count > 0) {
            (seen.first, seen.last) = (seen.first + by, seen.last + by);
        }
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Account) {
        self.fates.add(&other.fates);
        self.events.add(&other.events);
        add_each(&mut self.failures, &other.failures);
        add_each(&mut self.rejections, &other.rejections);
        add_each(&mut self.checks, &other.checks);
    }
}

fn add_each(to: &mut [Sightings], from: &[Sightings]) {
    to.iter_mut().zip(from).for_each(|(to, from)| to.add(from));
}

/// A row of the results.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: String,
    pub method: String,
    pub part: Part,
    /// 0 where there is no choice.
    pub weight: u64,
    /// Of the requests of the main part, where there is a choice.
    pub share_asked: Option<f64>,
    pub account: Account,
}

/// How often a check was made of an answer, warm-up aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckCount {
    pub name: String,
    pub passed: u64,
    pub failed: u64,
}

/// The sessions that ended after warm-up.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    pub completed: u64,
    pub failed: u64,
    pub cut: u64,
    /// How long those took that completed, and those that failed. What the end of the run cut says
    /// nothing of the server.
    pub completed_in: Histogram,
    pub failed_in: Histogram,
}

impl Sessions {
    pub fn reserved() -> Sessions {
        let completed_in = Histogram::reserved();
        Sessions { completed_in, failed_in: Histogram::reserved(), ..Sessions::default() }
    }

    pub fn started(&self) -> u64 {
        self.completed + self.failed + self.cut
    }

    pub fn ended(&mut self, outcome: SessionEnd, length: Nanos) {
        match outcome {
            SessionEnd::Completed => {
                self.completed += 1;
                self.completed_in.record(length);
            }
            SessionEnd::Failed => {
                self.failed += 1;
                self.failed_in.record(length);
            }
            SessionEnd::Cut => self.cut += 1,
        }
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Sessions) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.cut += other.cut;
        self.completed_in.add(&other.completed_in);
        self.failed_in.add(&other.failed_in);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sightings_of_workers_have_the_first_and_the_last_of_all() {
        let mut all = Sightings::default();
        all.add(&Sightings::default());
        assert_eq!(all, Sightings::default());
        let mut other = Sightings::default();
        other.see(Nanos(7));
        other.see(Nanos(5));
        other.see(Nanos(6));
        all.add(&other);
        all.add(&Sightings::default());
        assert_eq!(all, Sightings { count: 3, first: Nanos(5), last: Nanos(7) });
        all.add(&Sightings { count: 2, first: Nanos(1), last: Nanos(6) });
        assert_eq!(all, Sightings { count: 5, first: Nanos(1), last: Nanos(7) });
    }

    #[test]
    fn a_session_that_was_cut_has_no_length() {
        let mut sessions = Sessions::default();
        sessions.ended(SessionEnd::Completed, Nanos(5));
        sessions.ended(SessionEnd::Failed, Nanos(3));
        sessions.ended(SessionEnd::Cut, Nanos(1));
        let mut both = Sessions::default();
        both.add(&sessions);
        both.add(&sessions);
        assert_eq!((both.started(), both.completed, both.failed, both.cut), (6, 2, 2, 2));
        assert_eq!((both.completed_in.count(), both.failed_in.count()), (2, 2));
    }
}
