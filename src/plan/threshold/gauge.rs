//! Rules about gauges: which there are, what is said of one over measure, and how its limit is
//! written.
//!
//! ```text
//! metric = gauge [ "." ( "min" | "mean" | "max" | "last" | "growth_per_min" ) ]   mean by default
//!        | gauge "_growth_per_min"                                  of gauges with names of ours
//! gauge  = "host." name | "server." name | "pool" | "log.lines_per_s"
//!        | "sample." NAME | "scrape." NAME
//! ```

use super::table::What;
use super::{Threshold, Unit};
use crate::error::Result;
use crate::metrics::{self, Course, Summary};
use crate::units::{nearest, parse_amount, parse_size, quote};

/// One figure of one gauge.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    pub name: String,
    of: Of,
    unit: metrics::Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Min,
    Mean,
    Max,
    Last,
    GrowthPerMin,
}

/// What a run reads besides this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched<'a> {
    pub server: bool,
    pub pool: bool,
    pub log: bool,
    pub samples: Vec<&'a str>,
    pub scrapes: Vec<&'a str>,
}

const FIGURES: [(&str, Of); 5] = [
    ("min", Of::Min),
    ("mean", Of::Mean),
    ("max", Of::Max),
    ("last", Of::Last),
    ("growth_per_min", Of::GrowthPerMin),
];

/// Those whose names are given; cores, samples and scrapes are named by number or by the user.
#[rustfmt::skip]
const GAUGES: [(&str, metrics::Unit); 32] = {
    use metrics::Unit::*;
    [
        ("host.cpu", Percent), ("host.cpu_user", Percent), ("host.cpu_system", Percent),
        ("host.cpu_iowait", Percent), ("host.cpu_steal", Percent),
        ("host.memory", Percent), ("host.memory_used", Bytes),
        ("host.net_received", BytesPerSecond), ("host.net_sent", BytesPerSecond),
        ("host.net_use", Percent),
        ("host.retransmits", PerSecond), ("host.segments_sent", PerSecond),
        ("host.listen_drops", PerSecond),
        ("host.sockets_established", Count), ("host.sockets_time_wait", Count),
        ("host.sockets_orphaned", Count),
        ("host.disk_read", BytesPerSecond), ("host.disk_written", BytesPerSecond),
        ("host.context_switches", PerSecond),
        ("host.pressure_cpu", Percent), ("host.pressure_memory", Percent),
        ("host.pressure_io", Percent),
        ("client.cpu", Percent),
        ("server.cpu", Percent), ("server.core_max", Percent), ("server.rss", Bytes),
        ("server.threads", Count), ("server.fds", Count), ("server.connections", Count),
        ("pool", Count), ("log.lines_per_s", PerSecond),
        // As many as there are cores: the name of the first stands for them all.
        ("host.core0", Percent),
    ]
};

/// The figure that a metric names; `None`: it is about no gauge.
pub fn read(metric: &str) -> Option<Gauge> {
    let gauge = |name: &str, of| {
        let unit = unit_of(name)?;
        Some(Gauge { name: name.to_string(), of, unit })
    };
    let behind = |(figure, of): &(&str, Of)| {
        let name = metric.strip_suffix(figure)?.strip_suffix('.')?;
        gauge(name, *of)
    };
    let grows = || {
        let name = metric.strip_suffix("_growth_per_min")?;
        gauge(name, Of::GrowthPerMin)
    };
    gauge(metric, Of::Mean).or_else(|| FIGURES.iter().find_map(behind)).or_else(grows)
}

fn unit_of(name: &str) -> Option<metrics::Unit> {
    let by_user = name.strip_prefix("sample.").or(name.strip_prefix("scrape."));
    if let Some(name) = by_user {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-:".contains(c);
        return (!name.is_empty() && name.chars().all(is_part)).then_some(metrics::Unit::Number);
    }
    let core = name.strip_prefix("host.core").unwrap_or_default();
    if !core.is_empty() && core.len() <= 5 && core.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(metrics::Unit::Percent);
    }
    GAUGES.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
}

/// What is wrong with a metric that begins as a gauge does and is none.
pub fn unknown(metric: &str) -> Option<String> {
    let (family, meant) = metric.split_once('.')?;
    let in_family = |name: &&'static str| name.split('.').next() == Some(family);
    let of_family: Vec<&str> = GAUGES.iter().map(|(name, _)| *name).filter(in_family).collect();
    let names = || of_family.iter().filter_map(|name| Some(name.split_once('.')?.1));
    let meant = match (family, nearest(meant, names())) {
        ("sample" | "scrape", _) => {
            return Some(format!(
                "names no figure of a {family}; write `{family}.NAME`, or .min, .mean, .max, .last \
                 or .growth_per_min behind it"
            ));
        }
        _ if of_family.is_empty() => return None,
        (_, Some(near)) => format!("did you mean `{family}.{near}`?"),
        (_, None) => format!("there are {}", of_family.join(", ")),
    };
    Some(format!(
        "names no gauge; {meant} (.min, .mean, .max, .last or .growth_per_min may stand behind it)"
    ))
}

impl Gauge {
    pub fn unit(&self) -> metrics::Unit {
        self.unit
    }

    /// What its figure is counted in.
    pub(super) fn counted_in(&self) -> Unit {
        match self.of {
            Of::GrowthPerMin => Unit::GaugePerMin(self.unit),
            _ => Unit::Gauge(self.unit),
        }
    }

    /// Over measure; `None`: it was not read in that time.
    pub(super) fn figure(&self, run: &Summary) -> Option<f64> {
        let Course { min, mean, max, last, growth_per_min } = run.gauge(&self.name)?;
        Some(match self.of {
            Of::Min => min,
            Of::Mean => mean,
            Of::Max => max,
            Of::Last => last,
            Of::GrowthPerMin => growth_per_min,
        })
    }
}

/// A limit in the unit of its gauge. It may be below nothing: samples and growth are.
pub fn limit(unit: metrics::Unit, value: &str) -> Option<f64> {
    let (sign, size) = match value.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, value),
    };
    let size = match unit {
        metrics::Unit::Percent => parse_amount(size.strip_suffix('%')?.trim_end()).ok(),
        metrics::Unit::Bytes | metrics::Unit::BytesPerSecond => bytes(size),
        _ => parse_amount(size).ok(),
    };
    size.map(|size| sign * size)
}

/// `2g`, `1.5M`, `512kB`, `1GiB`; `/s` may stand behind it.
fn bytes(text: &str) -> Option<f64> {
    let text = text.strip_suffix("/s").unwrap_or(text);
    if let Ok(size) = parse_size(text) {
        return Some(size as f64);
    }
    let number = text.strip_suffix('B').unwrap_or(text);
    let upper = number
        .strip_suffix(['k', 'm', 'g'])
        .map(|rest| format!("{rest}{}", number[rest.len()..].to_ascii_uppercase()));
    parse_amount(upper.as_deref().unwrap_or(number)).ok()
}

/// How a limit is written.
pub fn wrong_limit(unit: metrics::Unit, value: &str) -> String {
    let what = match unit {
        metrics::Unit::Percent if parse_amount(value).is_ok() => {
            return format!("compares a percentage with a plain number; write `{value}%`");
        }
        metrics::Unit::Percent => "a percentage with what is none; write one such as `80%`",
        metrics::Unit::Bytes => "bytes with what is none; write them as `512M`, `2g` or `1GiB`",
        metrics::Unit::BytesPerSecond => {
            "bytes per second with what is none; write them as `100M` or `512k`"
        }
        _ => "a gauge with what is no number; write one such as `50`, `0.9` or `10k`",
    };
    format!("compares {what} (for a request of that name, put it in quotes: `'NAME'.p99<10ms`)")
}

impl Threshold {
    /// The gauge that it is about.
    pub fn gauge(&self) -> Option<&Gauge> {
        match &self.what {
            What::Gauge(gauge) => Some(gauge),
            _ => None,
        }
    }

    /// Refuses a gauge that this run does not read.
    pub fn check_gauges(&self, watched: &Watched) -> Result<()> {
        let Some(Gauge { name, .. }) = self.gauge() else { return Ok(()) };
        let flag = match name.split_once('.') {
            Some(("sample", sample)) => {
                return self.check_named(
                    name,
                    &watched.samples,
                    &format!("--sample {sample}=COMMAND"),
                );
            }
            Some(("scrape", scrape)) => {
                let flag = format!("--scrape {scrape}=URL#METRIC");
                return self.check_named(name, &watched.scrapes, &flag);
            }
            Some(("server", _)) if !watched.server => "--watch PID",
            Some(("log", _)) if !watched.log => "--watch-log FILE",
            None if !watched.pool => "--watch-pool PORT",
            _ => return Ok(()),
        };
        self.refuse(&format!("is about {name}, which nothing reads; add `{flag}`"))
    }

    fn check_named(&self, gauge: &str, names: &[&str], flag: &str) -> Result<()> {
        let (family, name) = gauge.split_once('.').unwrap_or((gauge, ""));
        if names.contains(&name) {
            return Ok(());
        }
        let there = match names {
            [] => String::new(),
            names => {
                let all: Vec<String> =
                    names.iter().map(|name| format!("{family}.{name}")).collect();
                format!("; there are {}", all.join(", "))
            }
        };
        let gauge = quote(gauge);
        self.refuse(&format!("is about {gauge}, which nothing reads; add `{flag}`{there}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Gauges, Label, Mode, fixture};
    use crate::time::Nanos;

    fn rule(text: &str) -> Threshold {
        Threshold::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refusal(text: &str) -> String {
        Threshold::parse(text).expect_err(text).message
    }

    /// Ten seconds, of which the fifth was not read.
    fn run() -> Summary {
        use metrics::Unit::*;
        let labels = [
            ("host.cpu", Percent),
            ("server.rss", Bytes),
            ("pool", Count),
            ("sample.db", Number),
            ("scrape.never", Number),
        ];
        let labels = labels.map(|(name, unit)| Label::new(name, unit)).to_vec();
        let mut gauges = Gauges::new(Nanos::from_secs(1), labels);
        for second in 1..=10u32 {
            let at = f64::from(second);
            let row = [Some(70.0 + at), Some(1e9 + at * 1e4), Some(20.0), Some(-at), None];
            let row = if second == 5 { [None; 5] } else { row };
            gauges.push(Nanos::from_secs(second.into()), &row);
        }
        Summary { gauges: Some(gauges), ..fixture::blank(Mode::Open) }
    }

    #[test]
    fn a_gauge_is_judged_by_its_mean_or_by_the_figure_behind_it() {
        for (text, ok) in [
            ("host.cpu<80%", true),
            ("host.cpu<75%", false),
            ("host.cpu.mean<75.6%", true),
            ("host.cpu.max<=80 %", true),
            ("host.cpu.min>=71%", true),
            ("host.cpu.last<80%", false),
            ("server.rss.max<2g", true),
            ("server.rss.max<1GiB", true),
            ("server.rss.max<1000M", false),
            ("server.rss_growth_per_min<1m", true),
            ("server.rss.growth_per_min<500k", false),
            ("server.rss.growth_per_min>=0.59MB", true),
            ("pool.max<=20", true),
            ("pool<20", false),
            ("sample.db.max<0", true),
            ("sample.db>-5.6", true),
            ("sample.db.growth_per_min<-59.9", true),
        ] {
            let outcome = rule(text).judge(&run());
            assert_eq!(outcome.ok, ok, "{outcome:?}");
            assert_eq!(outcome.why, None, "{text}");
        }
    }

    #[test]
    fn what_was_never_read_holds_no_rule() {
        for text in ["scrape.never>=0", "scrape.other<1", "log.lines_per_s<5", "host.core3<5%"] {
            let outcome = rule(text).judge(&run());
            assert_eq!((outcome.ok, outcome.value), (false, None), "{text}");
            assert_eq!(outcome.why.as_deref(), Some("it was not read in the measured time"));
        }
    }

    #[test]
    fn a_value_is_counted_in_the_unit_of_its_gauge() {
        for (text, unit) in [
            ("host.cpu<80%", "percent"),
            ("server.cpu<350%", "percent"),
            ("host.net_sent.max<100M", "bytes_per_s"),
            ("host.net_use<90%", "percent"),
            ("host.net_sent.max<100MB/s", "bytes_per_s"),
            ("server.rss_growth_per_min<1m", "bytes_per_min"),
            ("host.cpu.growth_per_min<5%", "percent_per_min"),
            ("pool<5", "count"),
            ("log.lines_per_s.max<5", "per_s"),
            ("sample.x_growth_per_min<5", "number"),
            ("sample.max<5", "number"),
            ("scrape.http:requests_total.last<1k", "number"),
        ] {
            assert_eq!(rule(text).unit().name(), unit, "{text}");
        }
    }

    #[test]
    fn a_wrong_rule_says_what_is_accepted() {
        for (text, expected) in [
            ("host.cup<80%", "did you mean `host.cpu`?"),
            ("host.xyzzy<80%", "there are host.cpu, host.cpu_user"),
            ("log.lines<5", "there are log.lines_per_s"),
            ("sample.<5", "write `sample.NAME`"),
            ("sample.a b<5", "write `sample.NAME`"),
            ("host.cpu<80", "write `80%`"),
            ("host.cpu<x%", "write one such as `80%`"),
            ("server.rss<80%", "write them as `512M`"),
            ("pool.max<50ms", "`'NAME'.p99<10ms`"),
            ("sample.db<--5", "no number"),
        ] {
            let message = refusal(text);
            assert!(message.starts_with(&quote(text)), "{message}");
            assert!(message.contains(expected) && message.len() < 700, "{text}: {message}");
        }
        // They are names of requests.
        for text in ["server.p99<10ms", "'pool'.max<10ms", "host.errors<1%", "log.mean<5ms"] {
            assert!(rule(text).gauge().is_none() && rule(text).name().is_some(), "{text}");
        }
    }

    #[test]
    fn a_gauge_that_nothing_reads_is_refused_with_the_flag_that_does() {
        let none = Watched::default();
        let refused = |text: &str, watched: &Watched| {
            rule(text).check_gauges(watched).expect_err(text).message
        };
        for (text, flag) in [
            ("server.rss<5k", "`--watch PID`"),
            ("pool.max<5", "`--watch-pool PORT`"),
            ("log.lines_per_s<5", "`--watch-log FILE`"),
            ("sample.db<5", "`--sample db=COMMAND`"),
            ("scrape.up>0", "`--scrape up=URL#METRIC`"),
        ] {
            assert!(refused(text, &none).contains(flag), "{}", refused(text, &none));
        }
        let all = Watched {
            server: true,
            pool: true,
            log: true,
            samples: vec!["db"],
            scrapes: vec!["up"],
        };
        for text in ["server.rss<5k", "pool<5", "log.lines_per_s<5", "sample.db<5", "scrape.up>0"] {
            assert!(rule(text).check_gauges(&all).is_ok(), "{text}");
        }
        assert!(refused("sample.bd<5", &all).ends_with("; there are sample.db"));
        assert!(
            rule("host.cpu<5%").check_gauges(&none).is_ok()
                && rule("p99<5s").check_gauges(&none).is_ok()
        );
    }

    #[test]
    fn a_gauge_is_of_the_whole_run() {
        for text in ["host.cpu>5%", "pool>5"] {
            let ends = rule(text).check_window().expect_err(text).message;
            assert!(ends.contains("`--threshold`"), "{ends}");
            let stage = format!("stage1.{text}");
            assert!(rule(&stage).check_stages(3).is_err(), "{stage}");
        }
    }
}
