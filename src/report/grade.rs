//! Grades as people read them: the names of measures, their values and limits, and the one line
//! that says how the grade came about.

use super::console::text::Tone;
use super::document::{Limit, Mark, Rating};
use super::number::{count, exact_per_second, exact_percent, micros};
use crate::plan::rating::Grade;
use crate::units::{format_bytes, format_count};

/// `host CPU`, `p95 of service`: the measure in words.
pub fn label(mark: &Mark) -> String {
    let name = in_words(&mark.measure);
    // The rows whose names say it themselves need no second word.
    match mark.of.as_deref() {
        Some("service") if !mark.measure.starts_with("service.") => format!("{name} of service"),
        _ => name.to_string(),
    }
}

/// The measures of the sets that have a name; others are shown as they are written.
pub fn in_words(measure: &str) -> &str {
    match measure {
        "good_only.mean" => "average",
        "p50" => "median",
        "good_per_s" => "rate",
        "host.cpu" => "host CPU",
        "host.memory" => "host memory",
        other => other,
    }
}

/// What was measured; `>=`: it is that or more.
pub fn value_of(mark: &Mark) -> String {
    let bound = if mark.lower_bound { ">= " } else { "" };
    format!("{bound}{}", shown(mark.value, &mark.unit))
}

/// `<= 500 ms`.
pub fn limit_of(limit: &Limit, unit: &str) -> String {
    format!("{} {}", limit.op, shown(limit.value, unit))
}

/// All limits of a measure: `excellent <= 500 ms, good <= 1 s`.
pub fn limits(mark: &Mark) -> String {
    let each = mark.limits.all();
    let each = each.map(|(grade, limit)| format!("{grade} {}", limit_of(limit, &mark.unit)));
    each.collect::<Vec<_>>().join(", ")
}

/// Shares and rates are not rounded over their limits, nor are processors and memory.
fn shown(value: f64, unit: &str) -> String {
    match unit {
        "s" => micros(value * 1e6),
        "share" => exact_percent(value),
        "percent" => exact_percent(value / 100.0),
        "bytes" => format_bytes(value),
        "bytes_per_s" => format!("{}/s", format_bytes(value)),
        "per_s" => format!("{}/s", exact_per_second(value)),
        "count" => count(value as u64),
        _ => format_count(value),
    }
}

/// Whether it is one to do something about.
pub fn is_bad(grade: &str) -> bool {
    [Grade::Poor, Grade::Critical].iter().any(|bad| bad.name() == grade)
}

/// How a grade is shown.
pub fn tone(grade: Option<&str>) -> Tone {
    match grade {
        None => Tone::Plain,
        Some(grade) if is_bad(grade) => Tone::Bad,
        Some(grade) if grade == Grade::Acceptable.name() => Tone::Doubtful,
        Some(_) => Tone::Good,
    }
}

/// `good`, or `none`.
pub fn name(rating: &Rating) -> &str {
    rating.grade.as_deref().unwrap_or("none")
}

/// How the grade came about: `host CPU 61.5 % (< 70 % is good); excellent: success, p95`; or why
/// there is none.
pub fn grounds(rating: &Rating) -> String {
    let Some(grade) = &rating.grade else {
        return rating.why.clone().unwrap_or_default();
    };
    if grade == Grade::Excellent.name() {
        return rating.of_grade(grade).map(label).collect::<Vec<_>>().join(", ");
    }
    let mut parts = vec![rating.of_grade(grade).map(decisive).collect::<Vec<_>>().join(", ")];
    for better in Grade::LIMITED.into_iter().rev().map(Grade::name).filter(|name| name != grade) {
        let labels: Vec<String> = rating.of_grade(better).map(label).collect();
        if !labels.is_empty() {
            parts.push(format!("{better}: {}", labels.join(", ")));
        }
    }
    parts.join("; ")
}

/// The measure with its value, and the limit that it met, or the last one, which it missed.
fn decisive(mark: &Mark) -> String {
    let met = mark.limits.all().find(|(grade, _)| *grade == mark.grade);
    let limit = met
        .or(mark.limits.all().last())
        .map(|(grade, limit)| format!(" ({} is {grade})", limit_of(limit, &mark.unit)));
    format!("{} {}{}", label(mark), value_of(mark), limit.unwrap_or_default())
}
