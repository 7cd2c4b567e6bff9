//! What a tool says of its run, in its own words made alike. A pure function of its output each, in
//! `tools`; what cannot be read is one sentence.

use serde_json::Value;

/// All times in microseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Answers of any status.
    pub completed: u64,
    /// Those among them that the tool takes for good; `None`: it does not tell them apart.
    pub good: Option<u64>,
    /// Whatever ended otherwise: sockets, timeouts.
    pub errors: u64,
    /// How long it says it ran.
    pub seconds: Option<f64>,
    /// Answers per second, where it says more than the two above.
    pub rate_per_s: Option<f64>,
    pub mean_us: Option<f64>,
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
}

impl Said {
    pub fn good(&self) -> u64 {
        self.good.unwrap_or(self.completed)
    }

    /// Good answers per second: by its own rate, by its own time, or by the time it was watched.
    pub fn good_per_s(&self, watched_s: f64) -> f64 {
        let share = self.good() as f64 / self.completed.max(1) as f64;
        let seconds = self.seconds.filter(|seconds| *seconds > 0.0).unwrap_or(watched_s);
        self.rate_per_s.unwrap_or(self.completed as f64 / seconds.max(1e-9)) * share
    }

    /// Of all requests that ended.
    pub fn error_share(&self) -> f64 {
        let bad = self.completed.saturating_sub(self.good()) + self.errors;
        bad as f64 / (self.completed + self.errors).max(1) as f64
    }
}

/// A time as C tools print it, in microseconds: `850.00us`, `1.23ms`, `2.01s`, `1.50m`.
pub fn time(text: &str) -> Option<f64> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..unit].trim().parse().ok()?;
    let us = match &text[unit..] {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 60e6,
        "h" => 3_600e6,
        _ => return None,
    };
    (number >= 0.0).then_some(number * us)
}

/// The first number behind a label that begins a line, such as `Failed requests:`.
pub fn behind<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim_start);
    let rest = lines.find_map(|line| line.strip_prefix(label))?;
    rest.split_whitespace().next()
}

/// The same as a number.
pub fn number<T: std::str::FromStr>(text: &str, label: &str) -> Option<T> {
    behind(text, label)?.trim_end_matches(',').parse().ok()
}

/// What is missing, as a sentence.
pub fn lacks(what: &str) -> String {
    format!("its output has no {what}")
}

/// The JSON in an output, which may have other lines before it.
pub fn json(text: &str) -> Result<Value, String> {
    let whole = serde_json::from_str(text);
    whole.or_else(|error| {
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with('{'));
        let read = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()).next_back();
        read.ok_or_else(|| format!("its output is no JSON ({error})"))
    })
}

/// A number of a document, by its path.
pub fn at(value: &Value, path: &[&str]) -> Option<f64> {
    let found = path.iter().try_fold(value, |value, key| value.get(key))?;
    found.as_f64().filter(|number| number.is_finite() && *number >= 0.0)
}

/// Counts by status, `{"200": 5, "503": 1}`: all, and those below 400.
pub fn statuses(value: Option<&Value>) -> (u64, u64) {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries.fold((0, 0), |(all, good), (status, count)| {
        let count = count.as_u64().unwrap_or(0);
        // A status of 0 is Go's for no answer at all.
        match status.parse::<u16>() {
            Ok(200..=399) => (all + count, good + count),
            Ok(0) | Err(_) => (all, good),
            Ok(_) => (all + count, good),
        }
    })
}
