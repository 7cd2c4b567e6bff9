//! Thresholds: rules over what was measured that hold or do not.
//!
//! ```text
//! rule    = [ ROW "." ] METRIC OP VALUE       p99<10ms   service.p99.9<5ms   errors<0.1%
//!         | "stage" N "." rule                stage2.p99<10ms
//!         | NAME "." rule                     'POST /items'.p99<10ms
//!         | GAUGE [ "." FIGURE ] OP value     host.cpu<80%   pool.max<=20
//! OP      = "<" | "<=" | ">" | ">=" | "==" | "!="
//! VALUE   = ... | "baseline" [ "*" number ]         p95<=baseline*1.05
//! ```
//!
//! The same rule is judged over a whole run (`--threshold`) or over its last seconds
//! (`--abort-on`).
//!
//! ```text
//! table    what can be judged: names, units, and how each is read
//! grammar  from text to a rule, by the table
//! name     rules about one request of a plan
//! baseline rules against an earlier run
//! gauge    rules about what is read beside the load
//! figures  what is read from: a run, or a window of it
//! judge    whether a rule holds
//! measure  the parts of a rule that ratings are made of
//! guard    rules over a sliding window, one of which may end the run
//! ```

mod baseline;
mod figures;
mod gauge;
mod grammar;
mod guard;
mod judge;
mod measure;
mod name;
mod table;

#[cfg(test)]
mod tests;

use super::Expected;
use crate::error::Result;
use crate::metrics::{self, Rejection};
use crate::time::Nanos;

pub use baseline::{Baseline, Known, Subject};
pub use figures::Figures;
pub use gauge::{Gauge, Watched};
pub use guard::{Guard, WINDOW};
pub use judge::Outcome;

use table::{Reach, Statistic, What};

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As it was typed, without the spaces around it.
    pub expr: String,
    /// Of the requests of this name alone.
    name: Option<String>,
    /// Of this stage alone, counted from 0.
    stage: Option<usize>,
    what: What,
    op: Op,
    /// In `unit`; of a rule against a baseline that is not known yet: not a number.
    limit: f64,
    /// What the limit is made of, where it is that of an earlier run.
    baseline: Option<Baseline>,
    /// What the metric is read in: a share may also be compared as a count.
    unit: Unit,
}

impl Threshold {
    /// Reads a rule. The error is one sentence that repeats the text.
    pub fn parse(text: &str) -> Result<Threshold> {
        grammar::parse(text)
    }

    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether it is about a row of the latency table.
    pub fn is_latency(&self) -> bool {
        matches!(self.what, What::Latency(..))
    }

    /// The share below the quantile that it is about.
    pub fn quantile(&self) -> Option<f64> {
        match self.what {
            What::Latency(_, Statistic::Quantile(share)) => Some(share),
            _ => None,
        }
    }

    /// Where it keeps a share of all responses of the run below a time: that, and the share that may
    /// take longer.
    pub fn tolerance(&self) -> Option<(Nanos, f64)> {
        let is_upper = matches!(self.op, Op::Less | Op::AtMost) && self.limit.is_finite();
        let is_of_all = self.name.is_none() && self.stage.is_none();
        let is_of_response = self.row() == Some("response");
        let share = self.quantile().filter(|_| is_upper && is_of_all && is_of_response)?;
        // A float becomes an integer by saturation.
        Some((Nanos((self.limit * 1e3) as u64), 1.0 - share))
    }

    /// Refuses what a closed loop does not have.
    pub fn check_closed_loop(&self) -> Result<()> {
        match self.what.reach() {
            Reach::OpenLoop | Reach::OpenRun => self.refuse(
                "needs requests that are due at a time, and a closed loop has none; give a rate \
                 with `--rps`",
            ),
            Reach::Everywhere | Reach::WholeRun => Ok(()),
        }
    }

    /// Refuses what cannot be read over the last seconds of a run that goes on.
    pub fn check_window(&self) -> Result<()> {
        if self.name.is_some() {
            return self.refuse(
                "is about one request, and a run is ended by what all of them do; judge it with \
                 `--threshold`",
            );
        }
        if self.baseline.is_some() {
            return self.refuse(
                "compares with a whole run, and a run is ended by its last seconds; judge it with \
                 `--threshold`",
            );
        }
        match self.what.reach() {
            Reach::Everywhere | Reach::OpenLoop if self.stage.is_none() => Ok(()),
            _ => self.refuse(
                "can be told only at the end, so it cannot end a run; judge it with `--threshold`",
            ),
        }
    }

    /// Refuses a kind of rejection that cannot happen: the rule would hold whatever comes.
    pub fn check_rejections(&self, expected: &Expected) -> Result<()> {
        let What::Rejections(kind) = self.what else { return Ok(()) };
        let refuse = |why: &str| self.refuse(why);
        match kind {
            Rejection::UnexpectedStatus if expected.statuses.is_none() => {
                refuse("is about answers that nothing was said of; add `--expect-status`")
            }
            Rejection::UnexpectedSize if expected.size.is_none() => {
                refuse("is about answers that nothing was said of; add `--expect-size`")
            }
            Rejection::UnexpectedBody if expected.body.is_none() => {
                refuse("is about answers that nothing was said of; add `--expect-body`")
            }
            Rejection::Status4xx
            | Rejection::Status429
            | Rejection::Status5xx
            | Rejection::StatusOther
                if expected.statuses.is_some() =>
            {
                refuse("never happens beside --expect-status; write `rejections.unexpected_status`")
            }
            _ => Ok(()),
        }
    }

    /// Refuses a stage that a load of so many does not have, and what no stage has.
    pub fn check_stages(&self, stages: usize) -> Result<()> {
        let Some(stage) = self.stage else { return Ok(()) };
        let refuse = |why: String| self.refuse(&why);
        match self.what.reach() {
            Reach::WholeRun | Reach::OpenRun => {
                refuse("can be told only of the whole run; leave the stage away".to_string())
            }
            _ if stages == 0 => refuse(
                "names a stage, and a steady load has none; add `--stages` or `--steps`"
                    .to_string(),
            ),
            _ if stage >= stages => refuse(format!(
                "names a stage that is not there; this load has {stages}, counted from 1"
            )),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Unequal,
}

impl Op {
    const ALL: [Op; 6] = [Op::Less, Op::AtMost, Op::More, Op::AtLeast, Op::Equal, Op::Unequal];

    fn text(self) -> &'static str {
        match self {
            Op::Less => "<",
            Op::AtMost => "<=",
            Op::More => ">",
            Op::AtLeast => ">=",
            Op::Equal => "==",
            Op::Unequal => "!=",
        }
    }

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Op::Less => value < limit,
            Op::AtMost => value <= limit,
            Op::More => value > limit,
            Op::AtLeast => value >= limit,
            Op::Equal => value == limit,
            Op::Unequal => value != limit,
        }
    }

    /// Whether a lower bound of the value says that it holds.
    fn is_proved_by(self, bound: f64, limit: f64) -> bool {
        matches!(self, Op::More | Op::AtLeast) && self.holds(bound, limit)
    }
}

/// What a value is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Micros,
    Share,
    Count,
    PerSecond,
    /// A figure of a gauge, or how much that grows.
    Gauge(metrics::Unit),
    GaugePerMin(metrics::Unit),
}

impl Unit {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Micros => "us",
            Unit::Share => "share",
            Unit::Count => "count",
            Unit::PerSecond => "per_s",
            Unit::Gauge(unit) => unit.name(),
            Unit::GaugePerMin(unit) => unit.name_per_min(),
        }
    }
}
