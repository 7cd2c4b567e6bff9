//! What one side is against another: in a sentence, and drawn with its intervals.

use maud::{Markup, html};

use crate::report::ab::AbDocument;
use crate::report::chart::forest::{Forest, Row, Sure};
use crate::report::chart::{Axis, ratio};
use crate::report::comparison::{Comparison, Difference, Metric};
use crate::report::console::text::Tone;
use crate::report::console::{ab, compare};

/// The figures in which one is better and worse than the other.
pub struct Finding {
    first: String,
    other: String,
    better: Vec<String>,
    worse: Vec<String>,
    /// Some interval is known.
    is_known: bool,
}

impl Finding {
    pub fn of(first: &str, other: &str) -> Finding {
        let (first, other) = (first.to_string(), other.to_string());
        Finding { first, other, better: Vec::new(), worse: Vec::new(), is_known: false }
    }

    pub fn add(&mut self, name: &str, tone: Tone, significant: Option<bool>) {
        self.is_known |= significant.is_some();
        match tone {
            Tone::Good => self.better.push(name.to_string()),
            Tone::Bad => self.worse.push(name.to_string()),
            _ => {}
        }
    }

    pub fn in_words(&self) -> String {
        let Finding { first, other, better, worse, .. } = self;
        let (better, worse) = (better.join(", "), worse.join(", "));
        match (better.is_empty(), worse.is_empty()) {
            (true, true) if !self.is_known => {
                format!("How {other} differs from {first} is not known")
            }
            (true, true) => format!("{other} does not differ from {first} by more than chance"),
            (false, true) => format!("{other} is better than {first}: {better}"),
            (true, false) => format!("{other} is worse than {first}: {worse}"),
            (false, false) => {
                format!("{other} against {first} is better in {better}, and worse in {worse}")
            }
        }
    }
}

/// Of the header that says so.
pub fn class(findings: &[Finding], has_failed: bool) -> &'static str {
    let any = |of: fn(&Finding) -> &Vec<String>| findings.iter().any(|one| !of(one).is_empty());
    match (any(|one| &one.better), any(|one| &one.worse)) {
        _ if has_failed => "bad",
        (true, true) => "doubtful",
        (true, false) => "good",
        (false, true) => "bad",
        (false, false) => "",
    }
}

pub fn figure(forest: &Forest) -> Markup {
    html! { figure { h3 { (forest.title) } (forest.svg()) } }
}

/// Changes in percent, and of shares, which have none, in points.
pub fn of_run(document: &Comparison, at: usize, title: &str) -> Vec<Forest> {
    let known = document.metrics.iter().filter(|metric| metric.better.is_some());
    let known = known.filter_map(|metric| Some((metric, metric.differences.get(at - 1)?)));
    let known: Vec<_> = known.filter(|(_, difference)| difference.absolute.is_some()).collect();
    let changes = known.iter().filter_map(|(metric, difference)| {
        let percent = difference.percent?;
        let (low, high) = (difference.percent_low, difference.percent_high);
        Some(row(metric, difference, [Some(percent), low, high], compare::in_percent(difference)))
    });
    let shares = known.iter().filter(|(metric, _)| metric.unit == "share");
    let shares = shares.map(|(metric, difference)| {
        let ends = [difference.absolute, difference.low, difference.high];
        let points = ends.map(|end| end.map(|share| share * 100.0));
        row(metric, difference, points, compare::absolute(difference, "share"))
    });
    let forests = [
        in_percent(format!("{title}, in percent"), changes.collect()),
        in_points(format!("{title}, in points of a share"), shares.collect()),
    ];
    forests.into_iter().flatten().collect()
}

/// B against A.
pub fn of_ab(document: &AbDocument) -> Option<Forest> {
    let rows = document.metrics.iter().map(|metric| Row {
        name: compare::in_words(&metric.name).to_string(),
        at: metric.percent,
        low: metric.percent_low,
        high: metric.percent_high,
        sure: match (metric.significant, ab::tone(metric)) {
            (None, _) => Sure::Unknown,
            (_, Tone::Good) => Sure::Better,
            (_, Tone::Bad) => Sure::Worse,
            _ => Sure::Unclear,
        },
        shown: compare::in_points(&[compare::points(metric.percent)]),
    });
    in_percent("B against A, in percent".to_string(), rows.collect())
}

/// `[at, low, high]`, in percent or in points; a lower bound reaches up without an end.
fn row(metric: &Metric, difference: &Difference, ends: [Option<f64>; 3], shown: String) -> Row {
    let [at, low, high] = ends;
    let sure = match (difference.significant, compare::meaning(metric, difference).1) {
        (None, _) => Sure::Unknown,
        (Some(false), _) => Sure::Unclear,
        (_, Tone::Good) => Sure::Better,
        (_, Tone::Bad) => Sure::Worse,
        _ if at == Some(0.0) => Sure::Unclear,
        _ => Sure::Other,
    };
    let high = high.filter(|_| !difference.lower_bound);
    let name = compare::in_words(&metric.name).to_string();
    Row { name, at: at.unwrap_or(0.0), low, high, sure, shown }
}

/// Rows in percent, placed by their factor.
fn in_percent(title: String, rows: Vec<Row>) -> Option<Forest> {
    let (low, high) = reach(&rows)?;
    let rows = rows.into_iter().map(|row| Row {
        at: ratio(row.at),
        low: row.low.map(ratio),
        high: row.high.map(ratio),
        ..row
    });
    let axis = Axis::changes(low, high);
    Some(Forest { title, axis, nothing: ratio(0.0), rows: rows.collect() })
}

fn in_points(title: String, rows: Vec<Row>) -> Option<Forest> {
    let (low, high) = reach(&rows)?;
    let axis = Axis::span(low.min(-0.01), high.max(0.01), "");
    Some(Forest { title, axis, nothing: 0.0, rows })
}

/// From the lowest end to the highest, with nothing among them.
fn reach(rows: &[Row]) -> Option<(f64, f64)> {
    let ends = rows.iter().flat_map(|row| [Some(row.at), row.low, row.high]).flatten();
    let both = |(low, high): (f64, f64), end: f64| (low.min(end), high.max(end));
    (!rows.is_empty()).then(|| ends.fold((0.0, 0.0), both))
}
