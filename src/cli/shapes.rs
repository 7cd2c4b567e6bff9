//! The values that give a load its shape, as they are typed: ramps, stages, steps, the law of
//! arrivals. What they mean beside the other flags is for `load`.
//!
//! ```text
//! rps      = rate | rate ":" rate                 a ramp over the run
//! stage    = duration ":" (rate | count)          to that level in that time
//! steps    = count ".." count "/" count "@" duration
//! arrivals = "uniform" | "poisson" | "burst:" count
//! warmup   = duration | "auto"
//! ```

use super::values;
use crate::error::{Error, Result};
use crate::plan::{Rate, Warmup};
use crate::time::Nanos;
use crate::units::{parse_count, parse_duration, quote};

/// What `--rps` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rps {
    Steady(Rate),
    Ramp(Rate, Rate),
}

/// To a level in a time, which may be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage<Level> {
    pub length: Nanos,
    pub level: Level,
}

/// From a rate to a rate, each held for the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    pub from: u64,
    pub to: u64,
    /// At least 1.
    pub by: u64,
    pub each: Nanos,
}

/// What `--arrivals` takes; the seed is a flag of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    Uniform,
    Poisson,
    Burst(u64),
}

impl Steps {
    /// Every step's rate.
    pub fn levels(&self) -> Vec<u64> {
        let distance = self.from.abs_diff(self.to);
        let level = |step: u64| match self.from <= self.to {
            true => self.from + step,
            false => self.from - step,
        };
        // One more than can be had is enough to be refused.
        let most = crate::plan::shape::MOST_STAGES + 1;
        let steps = (0..=distance).step_by(usize::try_from(self.by).unwrap_or(usize::MAX));
        steps.take(most).map(level).collect()
    }
}

pub fn rps(text: &str) -> Result<Rps> {
    match text.split_once(':') {
        None => values::rate(text).map(Rps::Steady),
        Some((from, to)) => match (values::level(from)?, values::level(to)?) {
            (Rate { count: 0, .. }, Rate { count: 0, .. }) => {
                Err(Error::usage(format!("{} never rises above 0; give more", quote(text))))
            }
            (from, to) => Ok(Rps::Ramp(from, to)),
        },
    }
}

pub fn rate_stage(text: &str) -> Result<Stage<Rate>> {
    stage(text, values::level, "30s:1k")
}

pub fn connection_stage(text: &str) -> Result<Stage<u64>> {
    let number = |text: &str| match parse_count(text)? {
        0 => Ok(0),
        _ => values::connections(text).map(u64::from),
    };
    stage(text, number, "5m:100")
}

fn stage<L>(text: &str, level: impl Fn(&str) -> Result<L>, such_as: &str) -> Result<Stage<L>> {
    let Some((length, to)) = text.split_once(':') else {
        let given = quote(text);
        return Err(Error::usage(format!(
            "{given} is no stage; write a time and the level to reach in it, such as `{such_as}`"
        )));
    };
    Ok(Stage { length: parse_duration(length)?, level: level(to)? })
}

pub fn steps(text: &str) -> Result<Steps> {
    let parts = || {
        let (range, each) = text.rsplit_once('@')?;
        let (from, rest) = range.split_once("..")?;
        let (to, by) = rest.split_once('/')?;
        Some((from, to, by, each))
    };
    let Some((from, to, by, each)) = parts() else {
        let given = quote(text);
        return Err(Error::usage(format!(
            "{given} are no steps; write the first rate, the last, the step between them and the \
             time of each, such as `1k..10k/1k@10s`"
        )));
    };
    Ok(Steps {
        from: parse_count(from)?,
        to: parse_count(to)?,
        by: values::at_least_one(by)?,
        each: values::time_limit(each)?,
    })
}

pub fn arrivals(text: &str) -> Result<Arrivals> {
    match (text, text.split_once(':')) {
        ("uniform", _) => Ok(Arrivals::Uniform),
        ("poisson", _) => Ok(Arrivals::Poisson),
        (_, Some(("burst", size))) => values::at_least_one(size).map(Arrivals::Burst),
        _ => Err(Error::usage(format!(
            "{} is no law of arrivals; use `uniform`, `poisson` or `burst:N`, such as `burst:100`",
            quote(text)
        ))),
    }
}

/// Any whole number, 0 too.
pub fn seed(text: &str) -> Result<u64> {
    parse_count(text)
}

pub fn warmup(text: &str) -> Result<Warmup> {
    match text {
        "auto" => Ok(Warmup::Auto),
        _ => parse_duration(text).map(Warmup::For).map_err(|error| {
            Error::usage(format!("{}; or `auto` for until the answers are steady", error.message))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = Nanos::from_secs(1);

    fn per_s(count: u64) -> Rate {
        Rate::per_second(count)
    }

    #[test]
    fn a_rate_is_steady_or_a_ramp() {
        assert_eq!(rps("50k"), Ok(Rps::Steady(per_s(50_000))));
        assert_eq!(rps("100:1k"), Ok(Rps::Ramp(per_s(100), per_s(1_000))));
        assert_eq!(rps("0:1k"), Ok(Rps::Ramp(per_s(0), per_s(1_000))));
        let per_minute = Rate { count: 60, period: Nanos::from_secs(60) };
        assert_eq!(rps("60/m:1"), Ok(Rps::Ramp(per_minute, per_s(1))));
        for text in ["", ":", "1:", ":1", "0:0", "1:2:3", "0", "a:b", "1k-2k"] {
            assert!(rps(text).is_err(), "{text}");
        }
    }

    #[test]
    fn stages_have_a_time_and_a_level() {
        assert_eq!(
            rate_stage("30s:1k"),
            Ok(Stage { length: Nanos::from_secs(30), level: per_s(1_000) })
        );
        assert_eq!(rate_stage("0s:5"), Ok(Stage { length: Nanos::ZERO, level: per_s(5) }));
        assert_eq!(
            connection_stage("5m:100"),
            Ok(Stage { length: Nanos::from_secs(300), level: 100 })
        );
        assert_eq!(connection_stage("1:0"), Ok(Stage { length: SECOND, level: 0 }));
        for text in ["", "30s", "30s:", ":5", "5:30s", "30s=5", "1s:-5"] {
            assert!(rate_stage(text).is_err() && connection_stage(text).is_err(), "{text}");
        }
        assert!(connection_stage("1s:2M").is_err());
    }

    #[test]
    fn steps_go_up_or_down_as_far_as_they_fit() {
        let levels = |text| steps(text).unwrap().levels();
        assert_eq!(levels("1k..4k/1k@10s"), [1_000, 2_000, 3_000, 4_000]);
        assert_eq!(levels("10..1/4@1s"), [10, 6, 2]);
        assert_eq!(levels("5..5/1@1s"), [5]);
        assert_eq!(steps("1..2/1@250ms").unwrap().each, Nanos::from_millis(250));
        assert_eq!(levels("1..18446744073709551615/1@1s").len(), 101);
        for text in ["", "1..2", "1..2/1", "1..2/0@1s", "1..2/1@0", "1-2/1@1s", "..2/1@1", "1../@"]
        {
            assert!(steps(text).is_err(), "{text}");
        }
    }

    #[test]
    fn laws_and_warm_ups_are_named() {
        assert_eq!(arrivals("uniform"), Ok(Arrivals::Uniform));
        assert_eq!(arrivals("poisson"), Ok(Arrivals::Poisson));
        assert_eq!(arrivals("burst:10"), Ok(Arrivals::Burst(10)));
        for text in ["", "burst", "burst:0", "burst:", "Poisson", "poisson:5", "normal"] {
            assert!(arrivals(text).is_err(), "{text}");
        }
        assert_eq!(warmup("auto"), Ok(Warmup::Auto));
        assert_eq!(warmup("2s"), Ok(Warmup::For(Nanos::from_secs(2))));
        assert!(warmup("always").unwrap_err().message.contains("`auto`"));
    }
}
