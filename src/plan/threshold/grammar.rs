//! From text to a rule. Whatever the text, the result is a rule or one sentence that repeats the
//! text and says what is accepted.
//!
//! ```text
//! rule     = [ "stage" number "." | name "." ] metric OP value
//! metric   = [ row "." ] statistic
//!          | total
//!          | gauge                             see `gauge`
//!          | "failures." kind | "rejections." kind | [ "rejections." ] "check:" text
//! name     = "'" text "'" | '"' text '"' | text
//! quantile = "p" number | "p(" number ")"       above 0 and below 100
//! ```
//!
//! Spaces may stand around the operator. A name without quotes ends at the first point behind which
//! there is a metric and an operator; what is a rule without a name has none.

use super::table::{self, Class, Row, Statistic, What};
use super::{Baseline, Op, Threshold, Unit, gauge};
use crate::error::{Error, Result};
use crate::failure::Kind;
use crate::metrics::Rejection;
use crate::units::{parse_amount, parse_count, parse_duration, parse_percent, quote};

/// What is wrong with a text, fit to follow it.
type Parsed<T> = std::result::Result<T, String>;

pub fn parse(text: &str) -> Result<Threshold> {
    let expr = text.trim();
    rule(expr).map_err(|flaw| Error::usage(format!("{} {flaw}", quote(text))))
}

fn rule(expr: &str) -> Parsed<Threshold> {
    let (name, unnamed) = name(expr);
    let (metric, op, value) = split(unnamed)?;
    let (stage, metric) = match stage(metric) {
        Some((stage, metric)) => (Some(stage), metric),
        None => (None, metric),
    };
    if name.is_some() && stage.is_some() {
        return Err("names both a stage and a request; leave one of them away".to_string());
    }
    let what = what(metric)?;
    let (expr, name) = (expr.to_string(), name.map(str::to_string));
    if let Some(baseline) = Baseline::parse(value).transpose()? {
        if name.is_some() || stage.is_some() {
            return Err(
                "is about a part of the run, and the baseline is of a whole run; leave the \
                        name or the stage away"
                    .to_string(),
            );
        }
        let unit = Threshold::unit_of_baseline(&what)?;
        let (limit, baseline) = (f64::NAN, Some(baseline));
        return Ok(Threshold { expr, name, stage, what, op, limit, baseline, unit });
    }
    let (limit, unit) = limit(what.class(), value)?;
    let unit = if let What::Gauge(gauge) = &what { gauge.counted_in() } else { unit };
    Ok(Threshold { expr, name, stage, what, op, limit, baseline: None, unit })
}

/// The name in front, and what follows it.
fn name(expr: &str) -> (Option<&str>, &str) {
    for quotes in ["'", "\""] {
        let Some(inner) = expr.strip_prefix(quotes) else { continue };
        // A rule as a shell is given it, in a file.
        if let Some(whole) = inner.strip_suffix(quotes) {
            return name(whole);
        }
        if let Some((name, rest)) = inner.split_once(&format!("{quotes}.")) {
            return (Some(name), rest);
        }
    }
    let points = expr.match_indices('.').map(|(at, _)| (expr[..at].trim(), &expr[at + 1..]));
    let named = |(name, rest): &(&str, &str)| !name.is_empty() && compares_a_metric(rest);
    let mut points = points.take(MOST_POINTS).filter(named);
    match points.next() {
        Some((name, rest)) if !compares_a_metric(expr) => (Some(name), rest),
        _ => (None, expr),
    }
}

/// Points of a text that a name may end at.
const MOST_POINTS: usize = 100;

fn compares_a_metric(text: &str) -> bool {
    let metric = split(text).map(|(metric, ..)| stage(metric).map_or(metric, |(_, rest)| rest));
    metric.is_ok_and(|metric| what(metric).is_ok())
}

/// The stage that is named before the first point, from 0, and what follows it.
fn stage(metric: &str) -> Option<(usize, &str)> {
    let (number, rest) = metric.strip_prefix("stage")?.split_once('.')?;
    let number: usize = number.parse().ok()?;
    Some((number.checked_sub(1)?, rest))
}

/// Metric, operator and value.
fn split(expr: &str) -> Parsed<(&str, Op, &str)> {
    let is_op = |c: char| "<>=!".contains(c);
    let start = expr.find(is_op).unwrap_or(expr.len());
    let (metric, rest) = expr.split_at(start);
    let end = rest.find(|c| !is_op(c)).unwrap_or(rest.len());
    let (op, value) = rest.split_at(end);
    match (op, Op::ALL.into_iter().find(|known| known.text() == op)) {
        // A shell takes `p99<10ms` without quotes as a file to read from.
        ("", _) => Err("compares nothing; write a rule such as 'p99<10ms', in quotes".to_string()),
        (_, Some(op)) => Ok((metric.trim(), op, value.trim())),
        (op, None) => {
            let given = quote(op);
            Err(format!(
                "compares with {given}, which is no operator; write one of {}",
                operators()
            ))
        }
    }
}

fn operators() -> String {
    Op::ALL.map(|op| format!("`{}`", op.text())).join(" ")
}

fn what(metric: &str) -> Parsed<What> {
    if let Some(kind) = metric.strip_prefix("failures.") {
        return named("failure", kind, Kind::ALL, |kind| kind.name()).map(What::Failures);
    }
    let rejection = metric.strip_prefix("rejections.");
    if let Some(name) = rejection.unwrap_or(metric).strip_prefix("check:") {
        return Ok(What::Check(name.to_string()));
    }
    if let Some(kind) = rejection {
        let kind = named("rejection", kind, &Rejection::ALL, |kind| kind.name());
        return kind.map(What::Rejections);
    }
    if let Some(total) = table::TOTALS.iter().find(|total| total.name == metric) {
        return Ok(What::Total(total));
    }
    if let Some(gauge) = gauge::read(metric) {
        return Ok(What::Gauge(gauge));
    }
    match row(metric) {
        Some((row, name)) => in_row(row, name),
        None => in_row(table::RESPONSE, metric),
    }
    .map_err(|flaw| flaw.or_else(|| gauge::unknown(metric)).unwrap_or_else(unknown))
}

/// The kind of that name, or else all that there are.
fn named<K: Copy>(
    what: &str,
    name: &str,
    all: &[K],
    name_of: impl Fn(K) -> &'static str,
) -> Parsed<K> {
    all.iter().copied().find(|kind| name_of(*kind) == name).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|kind| name_of(*kind)).collect();
        format!("names no kind of {what}; there are {}", names.join(", "))
    })
}

/// The row that is named before the first point, and what follows it.
fn row(metric: &str) -> Option<(&'static Row, &str)> {
    let (name, rest) = metric.split_once('.')?;
    table::ROWS.iter().find(|row| row.name == name).map(|row| (row, rest))
}

/// A statistic of a row; `None` where the name is of no metric at all.
fn in_row(row: &'static Row, name: &str) -> std::result::Result<What, Option<String>> {
    if let Some((_, statistic)) = table::STATISTICS.iter().find(|(known, _)| *known == name) {
        return Ok(What::Latency(row, *statistic));
    }
    let quantile = quantile(name).ok_or(None)?;
    match quantile {
        share if share > 0.0 && share < 1.0 => Ok(What::Latency(row, Statistic::Quantile(share))),
        _ => Err(Some(
            "asks for a quantile that is not above 0 and below 100; write one such as `p99.9`, or \
             `min` or `max`"
                .to_string(),
        )),
    }
}

/// `p99.9`, or k6's `p(99.9)`, as a share. What is no share is infinite.
fn quantile(name: &str) -> Option<f64> {
    let number = name.strip_prefix('p')?;
    let number = match number.strip_prefix('(') {
        Some(bracketed) => bracketed.strip_suffix(')')?,
        None => number,
    };
    let is_number = number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    is_number.then(|| parse_percent(&format!("{number}%")).unwrap_or(f64::INFINITY))
}

/// The sentence that lists what exists.
pub fn unknown() -> String {
    let rows: Vec<_> = table::ROWS.iter().map(|row| row.name).collect();
    let totals: Vec<_> = table::TOTALS.iter().map(|total| total.name).collect();
    format!(
        "names no metric; there are p50, p99.9 and every other quantile, mean, min, max, stdev \
         (also behind {}, as in `service.p99`), {}, failures.KIND, rejections.KIND, \
         check:NAME and gauges such as host.cpu; \
         `stage2.` in front asks for one stage, `'NAME'.` for one request of a plan",
        rows.join(", "),
        totals.join(", ")
    )
}

/// The value, and what it says that the metric is counted in.
fn limit(class: Class, value: &str) -> Parsed<(f64, Unit)> {
    let limit = match class {
        Class::Time => time(value),
        Class::Micros => time(value).or_else(|| Some((parse_amount(value).ok()?, Unit::Micros))),
        Class::Share => share(value),
        Class::ShareOrCount => share(value).or_else(|| count(value)),
        Class::Rate => parse_amount(value).ok().map(|rate| (rate, Unit::PerSecond)),
        Class::Gauge(unit) => gauge::limit(unit, value).map(|limit| (limit, Unit::Gauge(unit))),
    };
    limit.ok_or_else(|| wrong_value(class, value))
}

/// A length without a unit would be seconds to some and milliseconds to others.
fn time(value: &str) -> Option<(f64, Unit)> {
    let has_unit = value.ends_with(char::is_alphabetic);
    let length = parse_duration(value).ok().filter(|_| has_unit)?;
    Some((length.as_micros_f64(), Unit::Micros))
}

fn share(value: &str) -> Option<(f64, Unit)> {
    parse_percent(value).ok().map(|share| (share, Unit::Share))
}

fn count(value: &str) -> Option<(f64, Unit)> {
    parse_count(value).ok().map(|count| (count as f64, Unit::Count))
}

fn wrong_value(class: Class, value: &str) -> String {
    let plain = parse_amount(value).ok();
    let fraction = plain.filter(|number| *number < 1.0).map(percentage);
    match (class, plain, fraction) {
        (Class::Gauge(unit), ..) => gauge::wrong_limit(unit, value),
        (Class::Time, Some(_), _) => {
            "gives a time without its unit; write one such as `10ms`, `250us` or `1.5s`".into()
        }
        (Class::Time, ..) => {
            "compares a time with what is none; write one such as `10ms`, `250us` or `1.5s`".into()
        }
        (Class::Micros, ..) => {
            "compares a time with what is none; write microseconds such as `20`, or `20us`".into()
        }
        (Class::ShareOrCount, _, Some(percent)) => format!(
            "compares a share or a count with a fraction; write `{percent}` or a whole count"
        ),
        (Class::Share, _, Some(percent)) => {
            format!("compares a share with a plain number; write `{percent}`")
        }
        (Class::Share, ..) => {
            "compares a share with what is none; write a percentage up to 100 such as `99.9%`"
                .into()
        }
        (Class::ShareOrCount, ..) => {
            "compares a share or a count with neither; write a percentage \
                                      up to 100 such as `0.1%`, or a whole count such as `5`"
                .into()
        }
        (Class::Rate, ..) => {
            "compares a rate with what is none; write a number per second such as `500` or `49k`"
                .into()
        }
    }
}

/// A fraction as a percentage, without the noise of its last bits.
fn percentage(fraction: f64) -> String {
    let digits = format!("{:.6}", fraction * 100.0);
    format!("{}%", digits.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Threshold {
        parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refusal(text: &str) -> String {
        let error = parse(text).expect_err(text);
        assert_eq!(error.exit, crate::Exit::Usage, "{text}");
        error.message
    }

    #[test]
    fn spellings_of_one_rule_mean_the_same() {
        for (forms, same) in [
            (&["response.p99<10ms", " p99 < 10ms ", "p99<0.01s", "p(99)<10000us"][..], "p99<10ms"),
            (&["p(99.9)>=1s", "response.p99.90>=1000ms"], "p99.9>=1s"),
            (&["med<1ms", "p(50)<1ms", "p50.0<1ms"], "p50<1ms"),
            (&["avg<1ms", "response.avg<1ms"], "mean<1ms"),
            (&["service.med!=1ms"], "service.p50!=1ms"),
            (&["errors<0.1 %", "errors\t<\t.1%"], "errors<0.1%"),
            (&["errors<5k", "errors<5.0k"], "errors<5000"),
            (&["good_per_s>=49k", "good_per_s >= 49_000"], "good_per_s>=49000"),
            (&["cpu_us_per_request<20us"], "cpu_us_per_request<20"),
        ] {
            for form in forms {
                let mut form = rule(form);
                form.expr = same.to_string();
                assert_eq!(form, rule(same));
            }
        }
        assert_eq!(rule("  p99 < 10ms ").expr, "p99 < 10ms");
    }

    #[test]
    fn every_metric_of_the_table_is_read() {
        for row in &table::ROWS {
            for statistic in ["p50", "p99", "p99.999", "p0.1", "med", "avg", "mean", "min", "stdev"]
            {
                assert!(rule(&format!("{}.{statistic}<1ms", row.name)).is_latency());
            }
        }
        for total in &table::TOTALS {
            let value = match total.class {
                Class::Share | Class::ShareOrCount => "5%",
                _ => "5",
            };
            assert!(!rule(&format!("{}<{value}", total.name)).is_latency());
        }
        for kind in Kind::ALL {
            assert_eq!(rule(&format!("failures.{}==0", kind.name())).unit(), Unit::Count);
        }
        for kind in Rejection::ALL {
            assert_eq!(rule(&format!("rejections.{}<1%", kind.name())).unit(), Unit::Share);
        }
    }

    #[test]
    fn a_rule_may_be_about_one_stage() {
        for (text, same) in [
            ("stage2.p99<10ms", "p99<10ms"),
            ("stage2.service.p99.9<10ms", "service.p99.9<10ms"),
            ("stage2.good_per_s>=1k", "good_per_s>=1k"),
        ] {
            let (mut of_stage, mut whole) = (rule(text), rule(same));
            assert_eq!(of_stage.stage.take(), Some(1));
            whole.expr = of_stage.expr.clone();
            assert_eq!(of_stage, whole);
        }
        assert!(refusal("stage1p99<1ms").contains("names no metric"));
        for text in ["stage0.p99<1ms", "stage.p99<1ms", "stage-1.p99<1ms"] {
            // They may be names of requests.
            let message = rule(text).check_names(&[]).expect_err(text).message;
            assert!(message.contains("names no metric"), "{message}");
        }
        let refused = |text: &str, stages| rule(text).check_stages(stages).unwrap_err().message;
        assert!(rule("stage3.errors<1%").check_stages(3).is_ok());
        assert!(refused("stage4.errors<1%", 3).contains("this load has 3"));
        assert!(refused("stage1.errors<1%", 0).contains("`--steps`"));
        assert!(refused("stage1.busy<50%", 3).contains("whole run"));
        assert!(rule("stage1.errors>1%").check_window().is_err());
    }

    #[test]
    fn a_wrong_rule_is_one_sentence_that_says_what_is_accepted() {
        for (text, expected) in [
            ("", "'p99<10ms'"),
            ("p99", "in quotes"),
            ("p99=10ms", "`=`, which is no operator; write one of `<` `<=` `>` `>=` `==` `!="),
            ("p99=<10ms", "`=<`"),
            ("p99<>10ms", "`<>`"),
            ("p99<10", "without its unit; write one such as `10ms`"),
            ("p99<0", "without its unit"),
            ("p99<", "write one such as `10ms`"),
            ("p99<fast", "write one such as `10ms`"),
            ("p99<10ms<20ms", "write one such as `10ms`"),
            ("p99<-1ms", "write one such as `10ms`"),
            ("p99<5%", "write one such as `10ms`"),
            ("p0<1ms", "not above 0 and below 100"),
            ("p100<1ms", "`max`"),
            ("p101<1ms", "not above 0 and below 100"),
            ("p(99<1ms", "names no metric"),
            ("p9_9<1ms", "names no metric"),
            ("P99<1ms", "names no metric; there are p50"),
            ("latency<1ms", "service, send_lag"),
            ("servce.p98765<1ms", "efficiency, good_per_s"),
            ("service.error<1%", "failures.KIND"),
            ("service.<1ms", "names no metric"),
            (".p99<1ms", "names no metric"),
            ("<1ms", "names no metric"),
            ("failures.oops<1", "no kind of failure; there are timeout, receive_reset"),
            ("failures<1", "names no metric"),
            ("rejections.404<1", "no kind of rejection; there are status_429, status_4xx"),
            ("errors<0.01", "write `1%` or a whole count"),
            ("errors<0.0007", "write `0.07%` or a whole count"),
            ("errors<1.5", "or a whole count such as `5`"),
            ("errors<101%", "up to 100"),
            ("errors<1ms", "a whole count such as `5`"),
            ("efficiency>0.99", "write `99%`"),
            ("efficiency>5", "a percentage up to 100"),
            ("busy<half", "a percentage up to 100"),
            ("good_per_s>5%", "a number per second"),
            ("good_per_s>1/s", "a number per second"),
            ("cpu_us_per_request<x", "`20us`"),
            ("errors<99999999999999999999", "a whole count"),
            ("p99<99999999999999h", "write one such as `10ms`"),
            ("p99≤10ms", "compares nothing"),
            ("p９９<10ms", "names no metric"),
            ("日本<語", "names no metric"),
            ("p99<10ms\n", ""),
            ("p99\u{0}<10ms", "names no metric"),
        ] {
            if expected.is_empty() {
                rule(text);
                continue;
            }
            let message = refusal(text);
            assert!(message.starts_with(&quote(text)), "{message}");
            assert!(message.contains(expected), "{text:?}: {message}");
            assert!(!message.contains('\n') && message.len() < 600, "{text:?}: {message}");
        }
    }

    #[test]
    fn no_short_text_makes_the_parser_panic() {
        const LETTERS: [&str; 12] =
            ["p", "9", ".", "(", "<", "=", "!", "%", " ", "m", "é", "errors"];
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            let longer =
                texts.iter().flat_map(|text| LETTERS.iter().map(move |l| format!("{text}{l}")));
            texts = longer.collect();
            for text in &texts {
                if let Err(error) = parse(text) {
                    assert!(error.message.starts_with(&quote(text)), "{error}");
                }
            }
        }
        for text in ["<".repeat(10_000), "p".repeat(10_000), format!("p{}<1ms", "9".repeat(10_000))]
        {
            assert!(refusal(&text).len() < 600);
        }
    }
}
