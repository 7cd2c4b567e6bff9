//! Above the ceiling: where errors begin, where the server gives up, and how it comes back.
//!
//! ```text
//! calm      half the ceiling, to know what it looks like
//! climb     steps of a fifth, each a short run, until good/s falls clearly below its best, errors
//!           exceed 5 % or no good answer comes
//! recover   half the ceiling again, in short windows, until 2 s of them together look as before
//! ```

use crate::error::Result;
use crate::report::ceiling::{Ceiling, Failure, Push};
use crate::time::Nanos;
use crate::units::format_count;

/// What it asks of the world.
pub trait Overload {
    /// A run at this rate.
    fn run(&mut self, rate_per_s: f64, length: Length) -> Result<Moment>;

    /// Since it began.
    fn elapsed(&self) -> Nanos;

    /// Told of each step of the climb.
    fn tell(&mut self, push: &Push);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Long enough for figures.
    Step,
    /// As short as can be: recovery is told in these.
    Window,
}

/// How a run was.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    pub push: Push,
    /// How many errors its `error_share` is made of.
    pub errors: u64,
    /// Good answers, whenever they came, over what was due.
    pub answered: f64,
    pub end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Interrupted,
    /// blast or its host was the limit: why.
    Blast(String),
    /// It could not even begin: why.
    Dead(String),
}

/// What was found, and the three figures of the ceiling.
#[derive(Clone, Debug, PartialEq)]
pub struct Fate {
    pub errors_begin_per_s: Option<f64>,
    pub collapse_per_s: Option<f64>,
    pub recovery_s: Option<f64>,
    pub failure: Failure,
}

impl Fate {
    pub fn enter(self, ceiling: &mut Ceiling) {
        ceiling.errors_begin_per_s = self.errors_begin_per_s;
        ceiling.collapse_per_s = self.collapse_per_s;
        ceiling.recovery_s = self.recovery_s;
        ceiling.failure = Some(self.failure);
    }

    pub fn is_interrupted(&self) -> bool {
        self.failure.ended_by == "interrupted"
    }
}

/// From one rate to the next, and the highest, in ceilings.
const UP: f64 = 1.2;
const MOST: f64 = 4.0;

/// good/s has fallen when it is below this share of its best; so far below that no second look is
/// needed.
const FALLEN: f64 = 0.85;
const CLEARLY: f64 = 0.6;

/// Errors have begun; they are a failure.
const ERRORS: f64 = 0.001;
const LEAST_ERRORS: u64 = 3;
const TOO_MANY: f64 = 0.05;

/// The share of the budget after which the climb ends, so that there is time to recover.
const CLIMBING: f64 = 0.6;

/// Of the ceiling: where the server is to come back to.
const RETURN: f64 = 0.5;

/// It is as before while the median is at most this many times what it was, and so much.
const AS_BEFORE: f64 = 2.0;
const SLACK_US: f64 = 500.0;

/// And errors are no more than so much above, and this share of what is due is answered.
const MORE_ERRORS: f64 = 0.01;
const ANSWERED: f64 = 0.95;

/// Over so long.
const ROLLING: Nanos = Nanos::from_secs(2);

/// The ceiling, and what it looked like there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    pub rate_per_s: f64,
    pub good_per_s: f64,
    pub p50_us: Option<f64>,
}

pub fn to_failure(world: &mut dyn Overload, start: Start, budget: Nanos) -> Result<Fate> {
    let calm = world.run(start.rate_per_s * RETURN, Length::Step)?;
    let mut climb = Climb {
        world,
        ceiling: start.rate_per_s,
        budget,
        best: start.good_per_s,
        errors_begin: None,
        curve: Vec::new(),
    };
    let (ended_by, why) = match &calm.end {
        End::Interrupted => ended("interrupted", "interrupted before anything was tried"),
        End::Dead(why) => ended("dead", &format!("even half the ceiling was too much: {why}")),
        End::Done | End::Blast(_) => climb.up()?,
    };
    let is_of_server = matches!(ended_by.as_str(), "good_falls" | "errors" | "dead");
    let (best_good_per_s, errors_begin_per_s) = (climb.best, climb.errors_begin);
    let most_per_s = climb.curve.iter().map(|push| push.rate_per_s).fold(0.0, f64::max);
    let collapse_per_s = climb.curve.last().map(|push| push.rate_per_s).filter(|_| is_of_server);
    let curve = std::mem::take(&mut climb.curve);
    let recovery = match ended_by.as_str() {
        "interrupted" => Recovery { took: None, recovered: None, watched: Nanos::ZERO },
        _ => recover(world, &calm, start.p50_us, budget)?,
    };
    Ok(Fate {
        errors_begin_per_s,
        collapse_per_s,
        recovery_s: recovery.took.map(Nanos::as_secs_f64),
        failure: Failure {
            ended_by,
            why,
            budget_s: budget.as_secs_f64(),
            took_s: world.elapsed().as_secs_f64(),
            best_good_per_s,
            most_per_s,
            calm: calm.push,
            recovered: recovery.recovered,
            watched_s: recovery.watched.as_secs_f64(),
            curve,
        },
    })
}

struct Climb<'a> {
    world: &'a mut dyn Overload,
    ceiling: f64,
    budget: Nanos,
    best: f64,
    errors_begin: Option<f64>,
    curve: Vec<Push>,
}

/// What ended it, and why.
type Ended = (String, String);

fn ended(by: &str, why: &str) -> Ended {
    (by.to_string(), why.to_string())
}

impl Climb<'_> {
    fn up(&mut self) -> Result<Ended> {
        let mut rate = self.ceiling;
        loop {
            rate *= UP;
            if rate > self.ceiling * MOST {
                let text = format!(
                    "it did not collapse up to {}/s: good answers stayed at {}/s",
                    format_count(rate / UP),
                    format_count(self.best)
                );
                return Ok(ended("nothing", &text));
            }
            if self.is_late() {
                return Ok(ended(
                    "budget",
                    "the time for this was over; give --failure-budget more",
                ));
            }
            let mut found = self.step(rate)?;
            if matches!(&found, Some((by, _, false)) if by == "good_falls") {
                // On a host with other work a server that can do it falls short now and then.
                found = self.step(rate)?;
            }
            if let Some((by, why, _)) = found {
                return Ok((by, why));
            }
        }
    }

    /// What this rate ended, why, and whether that is beyond doubt.
    fn step(&mut self, rate: f64) -> Result<Option<(String, String, bool)>> {
        let moment = self.world.run(rate, Length::Step)?;
        let push = moment.push;
        if moment.end != End::Interrupted {
            self.world.tell(&push);
            self.curve.push(push.clone());
        }
        let found = |by: &str, why: String, clear| Some((by.to_string(), why, clear));
        match moment.end {
            End::Interrupted => return Ok(found("interrupted", "interrupted".to_string(), true)),
            End::Dead(why) => return Ok(found("dead", why, true)),
            End::Blast(why) => return Ok(found("blast", why, true)),
            End::Done => {}
        }
        if push.error_share > ERRORS && moment.errors >= LEAST_ERRORS {
            self.errors_begin.get_or_insert(rate);
        }
        let share = push.good_per_s / self.best.max(f64::MIN_POSITIVE);
        self.best = self.best.max(push.good_per_s);
        Ok(match () {
            () if push.good_per_s == 0.0 => {
                found("dead", "no good answer came at all".to_string(), true)
            }
            () if push.error_share > TOO_MANY => {
                let text = format!("{:.1} % of the answers were errors", push.error_share * 100.0);
                found("errors", text, true)
            }
            () if share < FALLEN => {
                let text = format!(
                    "good answers fell to {}/s, from {}/s at best",
                    format_count(push.good_per_s),
                    format_count(self.best)
                );
                found("good_falls", text, share < CLEARLY)
            }
            () => None,
        })
    }

    fn is_late(&self) -> bool {
        self.world.elapsed().as_secs_f64() >= self.budget.as_secs_f64() * CLIMBING
    }
}

struct Recovery {
    took: Option<Nanos>,
    recovered: Option<bool>,
    watched: Nanos,
}

fn recover(
    world: &mut dyn Overload,
    calm: &Moment,
    healthy_us: Option<f64>,
    budget: Nanos,
) -> Result<Recovery> {
    let began = world.elapsed();
    let mut rolling: Vec<(Nanos, Moment)> = Vec::new();
    loop {
        let now = world.elapsed();
        let window = world.run(calm.push.rate_per_s, Length::Window)?;
        let watched = world.elapsed() - began;
        if window.end == End::Interrupted {
            return Ok(Recovery { took: None, recovered: None, watched });
        }
        rolling.push((now, window));
        let now = world.elapsed();
        let is_whole = |windows: &[(Nanos, Moment)]| {
            windows.first().is_some_and(|(from, _)| now - *from >= ROLLING)
        };
        // The last two seconds alone.
        while is_whole(&rolling[1..]) {
            rolling.remove(0);
        }
        if is_whole(&rolling) && is_as_before(&rolling, calm, healthy_us) {
            let quick =
                |(_, window): &&(Nanos, Moment)| is_quick(window.push.p50_us, calm, healthy_us);
            let since = rolling.iter().find(quick).map_or(began, |(from, _)| *from);
            return Ok(Recovery { took: Some(since - began), recovered: Some(true), watched });
        }
        if world.elapsed() >= budget {
            return Ok(Recovery { took: None, recovered: Some(false), watched });
        }
    }
}

/// The windows together: a moment of another program's on this host is no relapse.
fn is_as_before(windows: &[(Nanos, Moment)], calm: &Moment, healthy_us: Option<f64>) -> bool {
    let of = |figure: fn(&Moment) -> f64| {
        let sum: f64 = windows.iter().map(|(_, window)| figure(window)).sum();
        sum / windows.len().max(1) as f64
    };
    let quick = windows.iter().filter(|(_, window)| is_quick(window.push.p50_us, calm, healthy_us));
    quick.count() * 2 > windows.len()
        && of(|window| window.push.error_share) <= calm.push.error_share + MORE_ERRORS
        && of(|window| window.answered) >= ANSWERED.min(calm.answered)
}

/// As before, or no slower than at the ceiling, where the thresholds were met.
fn is_quick(median: Option<f64>, calm: &Moment, healthy_us: Option<f64>) -> bool {
    match (median, calm.push.p50_us) {
        (Some(now), Some(before)) => {
            now <= (before * AS_BEFORE + SLACK_US).max(healthy_us.unwrap_or(0.0))
        }
        (now, before) => now.is_some() || before.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that carries `capacity`, and beyond `breaks` does something worse than queue.
    struct Model {
        capacity: f64,
        breaks: f64,
        how: How,
        /// How long it takes to come back.
        heals: Nanos,
        clock: Nanos,
        broke_at: Option<Nanos>,
        /// Interrupted at this run, counted from 0.
        until: usize,
        runs: usize,
        own: f64,
        told: usize,
    }

    #[derive(Clone, Copy)]
    enum How {
        /// To this share of its capacity.
        Falls(f64),
        /// This share of the answers.
        Errs(f64),
        Dies,
    }

    fn at(capacity: f64) -> Start {
        Start { rate_per_s: capacity, good_per_s: capacity, p50_us: Some(2_000.0) }
    }

    impl Model {
        fn of(capacity: f64, breaks: f64, how: How) -> Model {
            Model {
                capacity,
                breaks,
                how,
                heals: Nanos::from_secs(5),
                clock: Nanos::ZERO,
                broke_at: None,
                until: usize::MAX,
                runs: 0,
                own: f64::INFINITY,
                told: 0,
            }
        }

        fn is_broken(&self) -> bool {
            self.broke_at.is_some_and(|at| self.clock < at + self.heals)
        }

        fn fate(&mut self) -> Fate {
            let start = at(self.capacity);
            to_failure(self, start, Nanos::from_secs(60)).unwrap()
        }
    }

    impl Overload for Model {
        fn run(&mut self, rate_per_s: f64, length: Length) -> Result<Moment> {
            if rate_per_s > self.breaks {
                self.broke_at = Some(self.clock);
            }
            let broken = rate_per_s > self.breaks || self.is_broken();
            let (good, share, end) = match (broken, self.how) {
                (false, _) => (self.capacity.min(rate_per_s), 0.0, End::Done),
                (true, How::Falls(to)) => ((self.capacity * to).min(rate_per_s), 0.0, End::Done),
                (true, How::Errs(share)) => (self.capacity * (1.0 - share), share, End::Done),
                (true, How::Dies) => (0.0, 1.0, End::Dead("connection refused".to_string())),
            };
            let slow = broken || rate_per_s > self.capacity;
            self.clock += match length {
                Length::Step => Nanos::from_secs(2),
                Length::Window => Nanos::from_millis(500),
            };
            self.runs += 1;
            let end = match () {
                () if self.runs > self.until => End::Interrupted,
                () if rate_per_s > self.own => End::Blast("a worker was busy".to_string()),
                () => end,
            };
            let p50_us = (good > 0.0).then_some(if slow { 900_000.0 } else { 2_000.0 });
            let push =
                Push { rate_per_s, good_per_s: good, error_share: share, p50_us, p99_us: p50_us };
            let errors = (share * rate_per_s) as u64;
            Ok(Moment { push, errors, answered: good / rate_per_s, end })
        }

        fn elapsed(&self) -> Nanos {
            self.clock
        }

        fn tell(&mut self, _: &Push) {
            self.told += 1;
        }
    }

    #[test]
    fn a_server_that_collapses_is_pushed_until_it_does_and_its_recovery_timed() {
        for (breaks, heals) in [(1_700.0, 3), (2_500.0, 8), (1_100.0, 0)] {
            let mut model = Model::of(1_000.0, breaks, How::Falls(0.3));
            model.heals = Nanos::from_secs(heals);
            // The run that broke it takes 2 s of that.
            let expected = heals.saturating_sub(2) as f64;
            let fate = model.fate();
            assert_eq!(fate.failure.ended_by, "good_falls", "{fate:?}");
            let at = fate.collapse_per_s.unwrap();
            assert!(at > breaks && at <= breaks * UP, "{breaks}: {at}");
            assert_eq!(fate.errors_begin_per_s, None);
            let took = fate.recovery_s.unwrap();
            assert!((took - expected).abs() <= 0.501, "{heals}: {took}");
            assert_eq!(fate.failure.recovered, Some(true));
            assert!(model.told == fate.failure.curve.len() && model.told > 0);
            assert!(fate.failure.why.contains("from 1,000/s at best"), "{}", fate.failure.why);
        }
    }

    #[test]
    fn errors_are_told_from_where_they_begin_and_end_it_when_they_are_many() {
        let fate = Model::of(1_000.0, 1_500.0, How::Errs(0.2)).fate();
        assert_eq!(fate.failure.ended_by, "errors");
        assert_eq!(fate.errors_begin_per_s, fate.collapse_per_s);
        assert!(fate.failure.why.contains("20.0 % of the answers were errors"));
        // A few are no end.
        let fate = Model::of(1_000.0, 1_500.0, How::Errs(0.02)).fate();
        assert_eq!((fate.failure.ended_by.as_str(), fate.collapse_per_s), ("nothing", None));
        assert!(fate.errors_begin_per_s.is_some_and(|at| at > 1_500.0 && at < 1_800.0));
    }

    #[test]
    fn a_server_that_dies_did_not_recover_and_the_time_that_was_given_is_said() {
        let mut model = Model::of(1_000.0, 1_500.0, How::Dies);
        model.heals = Nanos::from_secs(1_000_000);
        let fate = model.fate();
        assert_eq!(fate.failure.ended_by, "dead");
        assert_eq!(fate.failure.why, "connection refused");
        assert!(fate.collapse_per_s.is_some());
        assert_eq!((fate.failure.recovered, fate.recovery_s), (Some(false), None));
        let left = 60.0 - 2.0 * (1.0 + fate.failure.curve.len() as f64);
        assert!((fate.failure.watched_s - left).abs() < 1.0, "{:?}", fate.failure);
        assert!(model.clock < Nanos::from_secs(61));
    }

    #[test]
    fn one_that_only_saturates_never_collapses_and_that_is_said() {
        let fate = Model::of(1_000.0, f64::INFINITY, How::Dies).fate();
        assert_eq!(fate.failure.ended_by, "nothing");
        assert_eq!((fate.collapse_per_s, fate.errors_begin_per_s), (None, None));
        assert!(fate.failure.why.starts_with("it did not collapse up to 3,583/s"), "{fate:?}");
        assert_eq!(fate.recovery_s, Some(0.0));
        assert!(fate.failure.most_per_s > 3_000.0);
    }

    #[test]
    fn blast_at_its_own_limit_an_interrupt_and_the_end_of_the_budget_are_no_collapse() {
        let mut model = Model::of(1_000.0, 2_500.0, How::Dies);
        model.own = 1_500.0;
        let fate = model.fate();
        assert_eq!((fate.failure.ended_by.as_str(), fate.collapse_per_s), ("blast", None));
        for until in 0..4 {
            let mut model = Model::of(1_000.0, 2_500.0, How::Dies);
            model.until = until;
            let fate = model.fate();
            assert!(fate.is_interrupted() && fate.failure.recovered.is_none(), "{until}");
            assert_eq!((fate.collapse_per_s, model.runs), (None, until + 1));
        }
        let mut model = Model::of(1_000.0, f64::INFINITY, How::Dies);
        let fate = to_failure(&mut model, at(1_000.0), Nanos::from_secs(6)).unwrap();
        assert_eq!(fate.failure.ended_by, "budget");
        assert!(fate.failure.why.contains("--failure-budget"));
    }
}
