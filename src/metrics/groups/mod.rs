//! Answers by the value of one of their headers: which of the backends behind a balancer they came
//! from. Only answers have headers, so that what failed or was never answered is in no group.

mod even;

use super::{Distribution, Histogram, Rejection};
use crate::time::Nanos;

pub use even::{Evenness, Of, Untold, upper_tail};

/// The answers of the requests due in measure, by group.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// What tells them apart: `header:X-Served-By`.
    pub by: String,
    /// Those with the most answers first; what has no value of its own comes last.
    pub rows: Vec<Group>,
    /// Connections with answers of more than one group.
    pub strayed: u64,
    /// Answers that were of another group than the one before them on their connection.
    pub switches: u64,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub value: Value,
    pub book: Book,
}

/// What the header said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Printable and without secrets.
    Text(String),
    /// One of those beyond the number that is told apart.
    Further,
    /// It was not there.
    Absent,
}

impl Value {
    /// As people read it.
    pub fn shown(&self) -> &str {
        match self {
            Value::Text(text) if text.is_empty() => "(empty)",
            Value::Text(text) => text,
            Value::Further => "(other)",
            Value::Absent => "(none)",
        }
    }

    /// The name of its kind in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "value",
            Value::Further => "other",
            Value::Absent => "none",
        }
    }
}

/// The books of one group.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// By kind.
    pub rejections: [u64; Rejection::COUNT],
    /// Good answers, from when they were due (closed loop: sent).
    pub good: Histogram,
    /// The others, from the same instant.
    pub rejected: Histogram,
    /// Good answers, from sent. Open loop only: in closed loop `good` is the same.
    pub service: Histogram,
    /// Connections all of whose answers were of this group.
    pub connections: u64,
}

impl Book {
    /// With room made for good answers.
    pub fn reserved(open_loop: bool) -> Book {
        let service = if open_loop { Histogram::reserved() } else { Histogram::default() };
        Book { good: Histogram::reserved(), service, ..Book::coarse() }
    }

    /// Of one of many: with two significant digits, and the room made when it is needed.
    pub fn coarse() -> Book {
        let coarse = Histogram::coarse;
        Book { good: coarse(), rejected: coarse(), service: coarse(), ..Book::default() }
    }

    /// `service`: from sent, in an open loop.
    #[inline]
    pub fn answered(
        &mut self,
        response: Nanos,
        service: Option<Nanos>,
        rejection: Option<Rejection>,
    ) {
        match rejection {
            Some(rejection) => {
                self.rejections[rejection as usize] += 1;
                self.rejected.record(response);
            }
            None => {
                self.good.record(response);
                service.into_iter().for_each(|time| self.service.record(time));
            }
        }
    }

    pub fn completed(&self) -> u64 {
        self.good.count() + self.rejected()
    }

    pub fn rejected(&self) -> u64 {
        self.rejections.iter().sum()
    }

    pub fn error_share(&self) -> f64 {
        self.rejected() as f64 / self.completed().max(1) as f64
    }

    /// Of all its answers; those that were not good rank above the others.
    pub fn response(&self) -> Distribution {
        Distribution::ranked(&self.good, &self.rejected)
    }

    /// What the backend took for its good answers.
    pub fn service(&self) -> &Histogram {
        if self.service.is_empty() { &self.good } else { &self.service }
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Book) {
        super::counters::add_each(&mut self.rejections, &other.rejections);
        self.good.add(&other.good);
        self.rejected.add(&other.rejected);
        self.service.add(&other.service);
        self.connections += other.connections;
    }
}

impl Groups {
    pub fn completed(&self) -> u64 {
        self.rows.iter().map(|row| row.book.completed()).sum()
    }

    /// Those that answered, whatever the header said.
    pub fn connections(&self) -> u64 {
        self.rows.iter().map(|row| row.book.connections).sum::<u64>() + self.strayed
    }

    /// Those with a value of their own.
    pub fn told_apart(&self) -> impl Iterator<Item = &Group> {
        self.rows.iter().filter(|row| matches!(row.value, Value::Text(_)))
    }

    /// The answers of this kind of group.
    pub fn completed_of(&self, value: &Value) -> u64 {
        let of_it = self.rows.iter().filter(|row| row.value == *value);
        of_it.map(|row| row.book.completed()).sum()
    }
}
