//! Counters: where each request ended, and what happened when.
//!
//! Two kinds that must not be mixed. [`Counters`] follow the *requests* due in one phase to their
//! fate, wherever it ends (in closed loop: sent in the phase). [`Events`] count what *happened*
//! within a span of time, whichever phase the request was due in; rates come from these.

use crate::failure::Kind;

/// The fates of the requests that were due in one phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Due (closed loop: sent). `scheduled = sent + dropped`.
    pub scheduled: u64,
    /// Written to a connection. `sent = completed + failed + abandoned`.
    pub sent: u64,
    /// Sent within 10 ms of the intended time.
    pub on_schedule: u64,
    /// Answered in full. `completed = good + rejected`.
    pub completed: u64,
    /// Completed as expected: status 200 to 399 unless the plan expects something else.
    pub good: u64,
    /// Sent but unanswered when the drain ended.
    pub abandoned: u64,
    /// Due but never sent.
    pub dropped: u64,
    /// The same by reason.
    pub drops: [u64; Drop::COUNT],
    /// Ended in a failure, by kind.
    pub failures: [u64; Kind::COUNT],
    /// Completed, but not as expected, by kind.
    pub rejections: [u64; Rejection::COUNT],
    /// Completed, by status; `status < 1000` (three digits).
    pub statuses: Box<[u64; 1000]>,
}

impl Counters {
    pub fn rejected(&self) -> u64 {
        self.completed - self.good
    }

    pub fn failed(&self) -> u64 {
        self.failures.iter().sum()
    }

    /// The kinds that happened, with their counts, in the table's order.
    pub fn failures(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        kinds(&self.failures)
    }

    /// The statuses that came, with their counts.
    pub fn statuses(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        (0u16..).zip(self.statuses.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// The kinds of rejection that happened, with their counts, in the table's order.
    pub fn rejections(&self) -> impl Iterator<Item = (Rejection, u64)> + '_ {
        let each = Rejection::ALL.iter().map(|kind| (*kind, self.rejections[*kind as usize]));
        each.filter(|(_, count)| *count > 0)
    }

    /// Where this many requests were due, how many of them came to nothing good.
    pub fn errors(&self) -> u64 {
        self.failed() + self.rejected() + self.abandoned + self.dropped
    }

    pub fn add(&mut self, other: &Counters) {
        self.scheduled += other.scheduled;
        self.sent += other.sent;
        self.on_schedule += other.on_schedule;
        self.completed += other.completed;
        self.good += other.good;
        self.abandoned += other.abandoned;
        self.dropped += other.dropped;
        add_each(&mut self.drops, &other.drops);
        add_each(&mut self.failures, &other.failures);
        add_each(&mut self.rejections, &other.rejections);
        add_each(&mut self.statuses[..], &other.statuses[..]);
    }

    /// Takes away what was added.
    pub fn remove(&mut self, other: &Counters) {
        for (from, other) in [
            (&mut self.scheduled, other.scheduled),
            (&mut self.sent, other.sent),
            (&mut self.on_schedule, other.on_schedule),
            (&mut self.completed, other.completed),
            (&mut self.good, other.good),
            (&mut self.abandoned, other.abandoned),
            (&mut self.dropped, other.dropped),
        ] {
            *from = from.saturating_sub(other);
        }
        remove_each(&mut self.drops, &other.drops);
        remove_each(&mut self.failures, &other.failures);
        remove_each(&mut self.rejections, &other.rejections);
        remove_each(&mut self.statuses[..], &other.statuses[..]);
    }

    pub fn clear(&mut self) {
        let Counters { scheduled, sent, on_schedule, completed, good, abandoned, dropped, .. } =
            self;
        for counter in [scheduled, sent, on_schedule, completed, good, abandoned, dropped] {
            *counter = 0;
        }
        self.drops.fill(0);
        self.failures.fill(0);
        self.rejections.fill(0);
        self.statuses.fill(0);
    }
}

impl Default for Counters {
    fn default() -> Counters {
        Counters {
            scheduled: 0,
            sent: 0,
            on_schedule: 0,
            completed: 0,
            good: 0,
            abandoned: 0,
            dropped: 0,
            drops: [0; Drop::COUNT],
            failures: [0; Kind::COUNT],
            rejections: [0; Rejection::COUNT],
            statuses: Box::new([0; 1000]),
        }
    }
}

/// Why a request that was due was never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Drop {
    /// Older than `--deadline`.
    Deadline,
    /// It became due while `--max-in-flight` were on their way.
    MaxInFlight,
    /// No connection was free for it before the drain ended.
    Unsent,
}

impl Drop {
    pub const ALL: [Drop; 3] = [Drop::Deadline, Drop::MaxInFlight, Drop::Unsent];
    pub const COUNT: usize = Drop::ALL.len();

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Drop::Deadline => "deadline",
            Drop::MaxInFlight => "max_in_flight",
            Drop::Unsent => "unsent",
        }
    }

    /// What it means to the reader of the page.
    pub fn text(self) -> &'static str {
        match self {
            Drop::Deadline => "older than --deadline before a connection was free",
            Drop::MaxInFlight => "due while --max-in-flight were on their way",
            Drop::Unsent => "due, but no connection was free in time",
        }
    }
}

/// What happened within a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Became due.
    pub scheduled: u64,
    pub sent: u64,
    pub completed: u64,
    pub good: u64,
    pub failed: u64,
    pub dropped: u64,
    /// Bytes off and onto the connections: heads, bodies, framing.
    pub bytes_received: u64,
    pub bytes_sent: u64,
    /// Of the bodies of complete answers, decoded.
    pub body_bytes: u64,
}

impl Events {
    pub fn rejected(&self) -> u64 {
        self.completed - self.good
    }

    pub fn add(&mut self, other: &Events) {
        self.scheduled += other.scheduled;
        self.sent += other.sent;
        self.completed += other.completed;
        self.good += other.good;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.bytes_received += other.bytes_received;
        self.bytes_sent += other.bytes_sent;
        self.body_bytes += other.body_bytes;
    }
}

/// Why a complete answer was not a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Rejection {
    Status429,
    Status4xx,
    Status5xx,
    /// Three digits, but no status of RFC 9110 (or an informational one as a final answer).
    StatusOther,
    /// None of those that `--expect-status` names. With it, the kinds above do not occur.
    UnexpectedStatus,
    /// Of another size than `--expect-size` says, decoded from chunks.
    UnexpectedSize,
    /// Without what `--expect-body` asks for.
    UnexpectedBody,
    /// As expected but for a named check; which one is counted by name.
    Check,
}

impl Rejection {
    pub const ALL: [Rejection; 8] = [
        Rejection::Status429,
        Rejection::Status4xx,
        Rejection::Status5xx,
        Rejection::StatusOther,
        Rejection::UnexpectedStatus,
        Rejection::UnexpectedSize,
        Rejection::UnexpectedBody,
        Rejection::Check,
    ];
    pub const COUNT: usize = Rejection::ALL.len();

    /// By the status alone, where nothing else is asked for; `None` for an expected one.
    #[inline]
    pub fn of(status: u16) -> Option<Rejection> {
        match status {
            200..=399 => None,
            429 => Some(Rejection::Status429),
            400..=499 => Some(Rejection::Status4xx),
            500..=599 => Some(Rejection::Status5xx),
            _ => Some(Rejection::StatusOther),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Rejection::Status429 => "status_429",
            Rejection::Status4xx => "status_4xx",
            Rejection::Status5xx => "status_5xx",
            Rejection::StatusOther => "status_other",
            Rejection::UnexpectedStatus => "unexpected_status",
            Rejection::UnexpectedSize => "unexpected_size",
            Rejection::UnexpectedBody => "unexpected_body",
            Rejection::Check => "check",
        }
    }

    pub fn hint(self) -> &'static str {
        match self {
            Rejection::Status429 => "the server limits the rate: a policy, not its ceiling",
            Rejection::Status4xx => {
                "the server refuses this request: check URL, method, headers and body"
            }
            Rejection::Status5xx => "the server fails on this request: look at its log",
            Rejection::StatusOther => "the status is none of HTTP's",
            Rejection::UnexpectedStatus => "the status is none of --expect-status",
            Rejection::UnexpectedSize => "the body is not of the size that --expect-size says",
            Rejection::UnexpectedBody => "the body lacks what --expect-body asks for",
            Rejection::Check => "a check of the plan does not hold",
        }
    }
}

/// The kinds with a count, in the table's order.
pub fn kinds(counts: &[u64; Kind::COUNT]) -> impl Iterator<Item = (Kind, u64)> + '_ {
    Kind::ALL.iter().map(|kind| (*kind, counts[*kind as usize])).filter(|(_, count)| *count > 0)
}

fn remove_each(from: &mut [u64], other: &[u64]) {
    from.iter_mut().zip(other).for_each(|(from, other)| *from = from.saturating_sub(*other));
}

pub fn add_each(to: &mut [u64], from: &[u64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_429_is_not_also_a_4xx() {
        for (status, name) in [
            (199, Some("status_other")),
            (200, None),
            (399, None),
            (404, Some("status_4xx")),
            (429, Some("status_429")),
            (500, Some("status_5xx")),
            (999, Some("status_other")),
        ] {
            assert_eq!(Rejection::of(status).map(Rejection::name), name, "{status}");
        }
    }

    #[test]
    fn the_table_of_rejections_is_indexed_by_the_kind_itself() {
        let mut counters = Counters::default();
        for (count, kind) in (1..).zip(Rejection::ALL) {
            counters.rejections[kind as usize] = count;
        }
        let kinds: Vec<_> = counters.rejections().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, Rejection::ALL);
    }

    #[test]
    fn clear_leaves_what_default_makes() {
        let mut counters =
            Counters { scheduled: 9, on_schedule: 1, dropped: 2, ..Counters::default() };
        counters.statuses[200] = 3;
        counters.failures[0] = 4;
        counters.rejections[1] = 5;
        counters.clear();
        assert_eq!(counters, Counters::default());
    }
}
