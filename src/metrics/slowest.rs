//! The slowest requests: of the whole run and of each interval, as they were.
//!
//! Each worker keeps its own, in room that is made before the load. A request is compared with one
//! instant, the bar, and only one that takes longer is looked at: in a steady run that is a few
//! dozen an interval, whatever the rate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Phase, Rejection};
use crate::evidence::Excerpt;
use crate::failure::Kind;
use crate::time::Nanos;

/// How many of the run are kept.
pub const SLOWEST: usize = 100;

/// How many intervals have a slowest of their own at most; past that neighbours merge and the
/// slower one stays. An hour of them is a document of less than a megabyte.
pub const SLOW_INTERVALS: usize = 900;

/// One slow request. Instants are from the start of warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slow {
    /// When it was due. In closed loop: when it was sent.
    pub intended: Nanos,
    pub sent: Nanos,
    /// `None`: no byte of an answer came.
    pub first_byte: Option<Nanos>,
    /// Its end, whatever that was.
    pub done: Nanos,
    pub fate: Fate,
    /// The phase it was due in.
    pub phase: Phase,
    /// The place of the scenario's entry; 0 without one.
    pub entry: u16,
    /// Its number in the run, where requests have an id; else 0.
    pub number: u64,
    pub status: Option<u16>,
    /// The connection's number over all workers.
    pub connection: u64,
    /// How long that had been open when it was sent.
    pub age: Nanos,
    /// Requests that were sent on it before, in this life of it.
    pub before: u32,
    /// What the kernel said of the socket at its end.
    pub found: Found,
    /// The beginning of the answer, where it was at hand.
    pub received: Excerpt,
}

impl Slow {
    /// What a user waited: what it is ranked by.
    #[inline]
    pub fn response(&self) -> Nanos {
        self.done - self.intended
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Good,
    Rejected(Rejection),
    Failed(Kind),
    /// Unanswered when the drain ended.
    Abandoned,
}

impl Fate {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Fate::Good => "good",
            Fate::Rejected(_) => "rejected",
            Fate::Failed(_) => "failed",
            Fate::Abandoned => "abandoned",
        }
    }

    /// What it was rejected for, or how it failed.
    pub fn kind(self) -> Option<&'static str> {
        match self {
            Fate::Rejected(rejection) => Some(rejection.name()),
            Fate::Failed(kind) => Some(kind.name()),
            Fate::Good | Fate::Abandoned => None,
        }
    }
}

/// What the kernel said of a socket, as far as it was asked and knew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub local_port: Option<u16>,
    pub tcp: Option<Tcp>,
}

/// Of tcp(7), TCP_INFO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// The smoothed round-trip time, and its mean deviation.
    pub rtt: Nanos,
    pub rtt_var: Nanos,
    /// Segments that were sent again, over the connection's life.
    pub retransmits: u32,
}

/// Which of those that were kept: others take their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u32);

/// One worker's slowest.
#[derive(Debug)]
pub struct Slowest {
    /// What takes at least this long is looked at.
    bar: Nanos,
    /// In measure: those of the run are looked for.
    measures: bool,
    /// By their places in `run`, the least slow first; never more than [`SLOWEST`].
    ranks: BinaryHeap<Reverse<(Nanos, u8)>>,
    run: Vec<(Ticket, Slow)>,
    /// The interval it is, as the series counts them, and how often neighbours were merged.
    interval: u32,
    halvings: u32,
    /// In order, at most one for each stretch of intervals.
    intervals: Vec<(u32, Ticket, Slow)>,
    tickets: u32,
}

impl Default for Slowest {
    /// With no room, and no wish for any.
    fn default() -> Slowest {
        Slowest {
            bar: Nanos::MAX,
            measures: false,
            ranks: BinaryHeap::new(),
            run: Vec::new(),
            interval: 0,
            halvings: 0,
            intervals: Vec::new(),
            tickets: 0,
        }
    }
}

impl Slowest {
    /// With the room made for all that may be kept.
    pub fn reserved() -> Slowest {
        Slowest {
            bar: Nanos::ZERO,
            ranks: BinaryHeap::with_capacity(SLOWEST),
            run: Vec::with_capacity(SLOWEST),
            intervals: Vec::with_capacity(SLOW_INTERVALS + 1),
            ..Slowest::default()
        }
    }

    /// Whether a request that took so long may be one of them.
    #[inline]
    pub fn may_be(&self, response: Nanos) -> bool {
        response >= self.bar
    }

    /// It is this interval now. `measures`: measure has begun.
    pub fn turn(&mut self, interval: u32, measures: bool) {
        (self.interval, self.measures) = (interval, measures);
        self.set_bar();
    }

    /// Keeps a request that just ended, if it is one of them. The ticket is for what is found out
    /// about it later.
    #[cold]
    pub fn keep(&mut self, slow: &Slow) -> Option<Ticket> {
        if slow.phase == Phase::Aside {
            return None;
        }
        let ticket = Ticket(self.tickets);
        let of_run = slow.phase != Phase::Warmup && self.keep_of_run(ticket, slow);
        let of_interval = self.keep_of_interval(ticket, slow);
        if !of_run && !of_interval {
            return None;
        }
        self.tickets = self.tickets.wrapping_add(1);
        self.set_bar();
        Some(ticket)
    }

    /// What was found out about one of them, if it still is one.
    pub fn found(&mut self, ticket: Ticket, found: Found) {
        let run = self.run.iter_mut().map(|(of, slow)| (of, slow));
        let intervals = self.intervals.iter_mut().rev().take(2).map(|(_, of, slow)| (of, slow));
        let of_it = run.chain(intervals).filter(|(of, _)| **of == ticket);
        of_it.for_each(|(_, slow)| slow.found = found);
    }

    fn keep_of_run(&mut self, ticket: Ticket, slow: &Slow) -> bool {
        let response = slow.response();
        if self.run.len() < SLOWEST {
            self.ranks.push(Reverse((response, self.run.len() as u8)));
            self.run.push((ticket, *slow));
            return true;
        }
        let Some(mut least) = self.ranks.peek_mut() else { return false };
        let Reverse((bar, place)) = *least;
        if response <= bar {
            return false;
        }
        *least = Reverse((response, place));
        self.run[usize::from(place)] = (ticket, *slow);
        true
    }

    fn keep_of_interval(&mut self, ticket: Ticket, slow: &Slow) -> bool {
        let stretch = self.stretch();
        match self.intervals.last_mut() {
            Some((of, ..)) if *of > stretch => false,
            Some((of, _, slowest)) if *of == stretch && slowest.response() >= slow.response() => {
                false
            }
            Some(last) if last.0 == stretch => {
                *last = (stretch, ticket, *slow);
                true
            }
            _ => {
                self.intervals.push((stretch, ticket, *slow));
                self.halve();
                true
            }
        }
    }

    fn stretch(&self) -> u32 {
        self.interval >> self.halvings
    }

    fn halve(&mut self) {
        while self.intervals.len() > SLOW_INTERVALS {
            self.halvings += 1;
            self.intervals.iter_mut().for_each(|(stretch, ..)| *stretch /= 2);
            self.intervals.dedup_by(|later, earlier| {
                let is_same = later.0 == earlier.0;
                if is_same && later.2.response() > earlier.2.response() {
                    *earlier = *later;
                }
                is_same
            });
        }
    }

    fn set_bar(&mut self) {
        let longer = |time: Nanos| time + Nanos(1);
        let of_run = match self.ranks.peek() {
            _ if !self.measures => Nanos::MAX,
            Some(Reverse((least, _))) if self.run.len() == SLOWEST => longer(*least),
            _ => Nanos::ZERO,
        };
        let of_interval = match self.intervals.last() {
            Some((stretch, _, slowest)) if *stretch >= self.stretch() => longer(slowest.response()),
            _ => Nanos::ZERO,
        };
        self.bar = of_run.min(of_interval);
    }
}

/// The slowest of the run over all workers, slowest first.
pub fn of_run<'a>(workers: impl IntoIterator<Item = &'a Slowest>) -> Vec<Slow> {
    let each = workers.into_iter().flat_map(|worker| worker.run.iter().map(|(_, slow)| *slow));
    let mut all: Vec<Slow> = each.collect();
    all.sort_by_key(|slow| (Reverse(slow.response()), slow.done, slow.connection));
    all.truncate(SLOWEST);
    all
}

/// The slowest of each interval over all workers, in order; of several together where one of them
/// has merged so many.
pub fn by_interval<'a>(workers: impl IntoIterator<Item = &'a Slowest>) -> Vec<Slow> {
    let workers: Vec<&Slowest> = workers.into_iter().collect();
    let mut halvings = workers.iter().map(|worker| worker.halvings).max().unwrap_or(0);
    let of = |worker: &&'a Slowest| {
        let start = worker.halvings;
        worker.intervals.iter().map(move |(stretch, _, slow)| (*stretch, start, *slow))
    };
    let mut all: Vec<(u32, u32, Slow)> = workers.iter().flat_map(of).collect();
    loop {
        let stretch = |(stretch, start, _): &(u32, u32, Slow)| stretch >> (halvings - start);
        all.sort_by_key(|one| (stretch(one), Reverse(one.2.response())));
        all.dedup_by_key(|one| stretch(one));
        if all.len() <= SLOW_INTERVALS {
            return all.into_iter().map(|(.., slow)| slow).collect();
        }
        halvings += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    const SECOND: Nanos = Nanos::from_secs(1);

    fn slow(done: Nanos, response: Nanos, phase: Phase) -> Slow {
        Slow {
            intended: done - response,
            sent: done - response,
            first_byte: None,
            done,
            fate: Fate::Good,
            phase,
            entry: 0,
            number: 0,
            status: Some(200),
            connection: 0,
            age: Nanos::ZERO,
            before: 0,
            found: Found::default(),
            received: Excerpt::EMPTY,
        }
    }

    /// As a worker does it: only what passes the bar is offered.
    fn offer(slowest: &mut Slowest, slow: &Slow) -> Option<Ticket> {
        slowest.may_be(slow.response()).then(|| slowest.keep(slow)).flatten()
    }

    fn responses(kept: &[Slow]) -> Vec<u64> {
        kept.iter().map(|slow| slow.response().0).collect()
    }

    /// Random requests in order of their end, dealt out to so many workers.
    fn random(workers: usize, seed: u64, seconds: u64) -> (Vec<Slowest>, Vec<Slow>) {
        let mut dice = Dice::of(seed, 0, 0);
        let mut slowest: Vec<_> = (0..workers).map(|_| Slowest::reserved()).collect();
        let mut all = Vec::new();
        for second in 0..seconds {
            slowest.iter_mut().for_each(|worker| worker.turn(second as u32, second > 0));
            for number in 0..dice.below(400) {
                let done = Nanos(second * SECOND.0 + number);
                let phase = if second == 0 { Phase::Warmup } else { Phase::Measure };
                // Some of the times occur more than once.
                let scale = 1 + dice.below(30);
                let response = Nanos(dice.below(1 << scale).min(done.0));
                let one = slow(done, response, phase);
                offer(&mut slowest[dice.below(workers as u64) as usize], &one);
                all.push(one);
            }
        }
        (slowest, all)
    }

    #[test]
    fn exactly_the_slowest_of_the_run_are_kept_whoever_saw_them() {
        for workers in [1, 3] {
            for seed in 0..20 {
                let (slowest, all) = random(workers, seed, 12);
                let mut expected: Vec<u64> = all
                    .iter()
                    .filter(|slow| slow.phase == Phase::Measure)
                    .map(|slow| slow.response().0)
                    .collect();
                expected.sort_unstable_by_key(|response| Reverse(*response));
                expected.truncate(SLOWEST);
                assert_eq!(responses(&of_run(&slowest)), expected, "seed {seed}");
            }
        }
    }

    #[test]
    fn each_interval_has_its_slowest_and_merged_ones_the_slower() {
        for workers in [1, 3] {
            for (seed, seconds) in [(1, 5), (2, 12), (3, 2_000)] {
                let (slowest, all) = random(workers, seed, seconds);
                let kept = by_interval(&slowest);
                assert!(kept.len() <= SLOW_INTERVALS);
                let stretch = if seconds > 900 { 4 } else { 1 } * SECOND.0;
                for slow in &kept {
                    let same = |other: &&Slow| other.done.0 / stretch == slow.done.0 / stretch;
                    let most = all.iter().filter(same).map(Slow::response).max();
                    assert_eq!(most, Some(slow.response()), "seed {seed}, {:?}", slow.done);
                }
                let ends: std::collections::BTreeSet<_> =
                    all.iter().map(|slow| slow.done.0 / stretch).collect();
                assert_eq!(kept.len(), ends.len(), "seed {seed}");
            }
        }
    }

    #[test]
    fn warm_up_is_in_its_intervals_alone_and_what_is_done_aside_nowhere() {
        let mut slowest = Slowest::reserved();
        let at = Nanos::from_millis(10);
        assert!(offer(&mut slowest, &slow(at, at, Phase::Warmup)).is_some());
        slowest.turn(1, true);
        assert!(offer(&mut slowest, &slow(SECOND + at, at, Phase::Aside)).is_none());
        assert!(offer(&mut slowest, &slow(SECOND + at, Nanos(5), Phase::Measure)).is_some());
        assert_eq!(responses(&of_run([&slowest])), [5]);
        assert_eq!(responses(&by_interval([&slowest])), [at.0, 5]);
    }

    #[test]
    fn what_is_found_out_later_reaches_the_request_it_is_about_or_none() {
        let mut slowest = Slowest::reserved();
        slowest.turn(0, true);
        let found = |port| Found { local_port: Some(port), tcp: None };
        let first = offer(&mut slowest, &slow(SECOND, Nanos(1), Phase::Measure));
        let second = offer(&mut slowest, &slow(SECOND, Nanos(2), Phase::Measure));
        // The first loses its place.
        (0..99).for_each(|n| {
            offer(&mut slowest, &slow(SECOND, Nanos(3 + n), Phase::Measure));
        });
        slowest.found(first.expect("it was kept"), found(1));
        slowest.found(second.expect("it was kept"), found(2));
        let ports: Vec<_> =
            of_run([&slowest]).iter().filter_map(|slow| slow.found.local_port).collect();
        assert_eq!(ports, [2]);
    }

    #[test]
    fn a_usual_request_is_below_the_bar() {
        let mut slowest = Slowest::reserved();
        slowest.turn(0, true);
        let mut dice = Dice::of(7, 0, 0);
        let mut looked_at = 0;
        for _ in 0..200_000 {
            let one = slow(SECOND, Nanos(dice.below(1_000_000)), Phase::Measure);
            looked_at += u32::from(slowest.may_be(one.response()));
            offer(&mut slowest, &one);
        }
        // 100 (1 + ln(200,000 / 100)) = 860 records are expected.
        assert!(looked_at < 1_200, "{looked_at}");
    }
}
