//! The table of what can be judged: the rows of the latency table with their statistics, the
//! totals, and the kinds of failures and rejections. Parsing, judging and the sentence that lists
//! what exists all read it.

use std::fmt;

use super::{Figures, Gauge};
use crate::failure::{Kind, Scope};
use crate::metrics::{self, Account, Distribution, Rejection, Summary};

/// What one rule looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Latency(&'static Row, Statistic),
    Total(&'static Total),
    Failures(Kind),
    Rejections(Rejection),
    /// Answers that this check rejected.
    Check(String),
    /// What is read beside the load.
    Gauge(Gauge),
}

impl What {
    pub fn class(&self) -> Class {
        match self {
            What::Latency(..) => Class::Time,
            What::Total(total) => total.class,
            What::Failures(_) | What::Rejections(_) | What::Check(_) => Class::ShareOrCount,
            What::Gauge(gauge) => Class::Gauge(gauge.unit()),
        }
    }

    pub fn reach(&self) -> Reach {
        match self {
            What::Latency(row, _) => row.reach,
            What::Total(total) => total.reach,
            What::Failures(kind) if kind.scope() == Scope::Connection => Reach::WholeRun,
            What::Failures(_) | What::Rejections(_) => Reach::Everywhere,
            What::Check(_) | What::Gauge(_) => Reach::WholeRun,
        }
    }
}

/// Where a metric exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Everywhere,
    /// Only where requests are due by a clock.
    OpenLoop,
    /// Only at the end of a run: neither over a window nor of a stage.
    WholeRun,
    /// Only at the end of a run whose requests are due by a clock.
    OpenRun,
}

/// How the value that a metric is compared with is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// With its unit.
    Time,
    /// With its unit, or plain: the metric's name has it.
    Micros,
    /// In percent.
    Share,
    /// In percent, or as a whole count.
    ShareOrCount,
    /// Plain, `k` and `M` included.
    Rate,
    /// In the unit of a gauge.
    Gauge(metrics::Unit),
}

/// A distribution of the latency table, by the name it has in JSON.
pub struct Row {
    pub name: &'static str,
    pub reach: Reach,
    pub read: fn(&Figures) -> Distribution,
}

/// The row that is meant when none is named.
pub static RESPONSE: &Row = &ROWS[0];

/// As the document's rows are made.
pub static ROWS: [Row; 9] = [
    Row {
        name: "response",
        reach: Reach::Everywhere,
        read: |f| Distribution::ranked(&f.fates.good, &f.fates.censored),
    },
    Row {
        name: "good_only",
        reach: Reach::Everywhere,
        read: |f| Distribution::of(f.fates.good.clone()),
    },
    Row {
        name: "service",
        reach: Reach::Everywhere,
        read: |f| Distribution::bounded(f.fates.service(f.mode), f.fates.counters.good),
    },
    Row {
        name: "send_lag",
        reach: Reach::OpenLoop,
        read: |f| Distribution::of(f.fates.send_lag.clone()),
    },
    Row {
        name: "send_lag_blast",
        reach: Reach::OpenRun,
        read: |f| Distribution::of(f.fates.late.clone()),
    },
    Row {
        name: "send_lag_connection",
        reach: Reach::OpenRun,
        read: |f| Distribution::of(f.fates.blocked.clone()),
    },
    Row {
        name: "connect",
        reach: Reach::WholeRun,
        read: |f| {
            Distribution::of(f.run.map(|run| run.connections.connect.clone()).unwrap_or_default())
        },
    },
    Row {
        name: "rejected",
        reach: Reach::Everywhere,
        read: |f| Distribution::of(f.fates.rejected.clone()),
    },
    Row {
        name: "failed",
        reach: Reach::Everywhere,
        read: |f| Distribution::of(f.fates.failed.clone()),
    },
];

/// One figure of a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// A share above 0 and below 1.
    Quantile(f64),
    Mean,
    Min,
    Max,
    Stdev,
}

/// The statistics that have names; the last two are k6's. Quantiles have a grammar of their own.
pub const STATISTICS: [(&str, Statistic); 6] = [
    ("mean", Statistic::Mean),
    ("min", Statistic::Min),
    ("max", Statistic::Max),
    ("stdev", Statistic::Stdev),
    ("avg", Statistic::Mean),
    ("med", Statistic::Quantile(0.5)),
];

/// A figure of the whole load.
pub struct Total {
    pub name: &'static str,
    pub class: Class,
    pub reach: Reach,
    pub read: fn(&Figures) -> Read,
}

/// What a total comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Read {
    /// So many of so many.
    Part(u64, u64),
    /// `None`: there is nothing to tell it from.
    Number(Option<f64>),
}

pub static TOTALS: [Total; 12] = [
    Total {
        name: "errors",
        class: Class::ShareOrCount,
        reach: Reach::Everywhere,
        read: |f| {
            let attempts = f.failed_attempts();
            Read::Part(f.fates.counters.errors() + attempts, f.requests + attempts)
        },
    },
    Total {
        name: "success",
        class: Class::ShareOrCount,
        reach: Reach::Everywhere,
        read: |f| Read::Part(f.fates.counters.good, f.requests),
    },
    Total {
        name: "efficiency",
        class: Class::Share,
        reach: Reach::OpenLoop,
        // Within 10 ms of its due time: a window may send a few that became due before it.
        read: |f| Read::Part(f.fates.counters.on_schedule.min(f.due), f.due),
    },
    Total {
        name: "good_per_s",
        class: Class::Rate,
        reach: Reach::Everywhere,
        read: |f| Read::Number(f.per_second(f.events.good)),
    },
    Total {
        name: "sent_per_s",
        class: Class::Rate,
        reach: Reach::Everywhere,
        read: |f| Read::Number(f.per_second(f.events.sent)),
    },
    Total {
        name: "completed_per_s",
        class: Class::Rate,
        reach: Reach::Everywhere,
        read: |f| Read::Number(f.per_second(f.events.completed)),
    },
    Total {
        name: "offered_per_s",
        class: Class::Rate,
        reach: Reach::OpenLoop,
        read: |f| Read::Number(f.per_second(f.events.scheduled)),
    },
    Total {
        name: "peak_1s_per_s",
        class: Class::Rate,
        reach: Reach::WholeRun,
        read: |f| Read::Number(f.run.map(|run| run.peak_good_per_s)),
    },
    Total {
        name: "abandoned",
        class: Class::ShareOrCount,
        reach: Reach::WholeRun,
        read: |f| Read::Part(f.fates.counters.abandoned, f.requests),
    },
    Total {
        name: "dropped",
        class: Class::ShareOrCount,
        reach: Reach::WholeRun,
        read: |f| Read::Part(f.fates.counters.dropped, f.requests),
    },
    Total {
        name: "busy",
        class: Class::Share,
        reach: Reach::WholeRun,
        read: |f| Read::Number(f.run.and_then(busiest)),
    },
    Total {
        name: "cpu_us_per_request",
        class: Class::Micros,
        reach: Reach::WholeRun,
        read: |f| Read::Number(f.run.and_then(|run| run.cpu_us_per_request())),
    },
];

/// Totals that no single request has.
pub const OF_THE_WHOLE: [&str; 4] =
    ["offered_per_s", "peak_1s_per_s", "busy", "cpu_us_per_request"];

/// Of all workers the one with the least time left.
fn busiest(run: &Summary) -> Option<f64> {
    run.client.workers.iter().map(|worker| worker.busy()).reduce(f64::max)
}

/// All of one kind. A failed attempt to connect stands beside the requests, not among them.
pub fn failures(figures: &Figures, kind: Kind) -> Read {
    let of_kind = match (kind.scope(), figures.run) {
        (Scope::Connection, Some(run)) => run.connections.failures[kind as usize],
        _ => figures.fates.counters.failures[kind as usize],
    };
    Read::Part(of_kind, figures.requests)
}

pub fn rejections(figures: &Figures, rejection: Rejection) -> Read {
    Read::Part(figures.fates.counters.rejections[rejection as usize], figures.requests)
}

/// What the check of that name rejected.
pub fn of_check(figures: &Figures, name: &str) -> Read {
    let place = figures.checks.iter().position(|check| check.name == name);
    let of_account = |account: &Account| place.map_or(0, |place| account.checks[place].count);
    let rejected = figures.accounts.iter().map(|account| of_account(account)).sum();
    Read::Part(rejected, figures.requests)
}

/// By name: a row stands for itself.
macro_rules! is_its_name {
    ($type:ty) => {
        impl PartialEq for $type {
            fn eq(&self, other: &$type) -> bool {
                self.name == other.name
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name)
            }
        }
    };
}

is_its_name!(Row);
is_its_name!(Total);
