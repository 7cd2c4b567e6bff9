//! blast's result document, with the invariants of every run checked when it is read.

use serde_json::Value;

/// What came of it, or what went wrong in a sentence.
pub type Outcome<T> = Result<T, String>;

pub struct Document(Value);

impl Document {
    pub fn parse(text: &str) -> Outcome<Document> {
        let value = serde_json::from_str(text).map_err(|error| format!("no document: {error}"))?;
        let document = Document(value);
        match document.broken()?.as_slice() {
            [] => Ok(document),
            broken => Err(format!("does not hold: {}", broken.join("; "))),
        }
    }

    /// Of a study: its runs were checked as they ended.
    pub fn of_study(text: &str) -> Outcome<Document> {
        serde_json::from_str(text).map(Document).map_err(|error| format!("no document: {error}"))
    }

    fn at(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.0, |value, name| value.get(name))
    }

    pub fn count(&self, path: &str) -> Outcome<u64> {
        self.at(path).and_then(Value::as_u64).ok_or_else(|| format!("no count `{path}`"))
    }

    pub fn number(&self, path: &str) -> Outcome<f64> {
        self.at(path).and_then(Value::as_f64).ok_or_else(|| format!("no number `{path}`"))
    }

    pub fn text(&self, path: &str) -> Outcome<&str> {
        self.at(path).and_then(Value::as_str).ok_or_else(|| format!("no text `{path}`"))
    }

    /// A time of `latency`, in seconds: `response.p99`.
    pub fn latency(&self, path: &str) -> Outcome<f64> {
        self.number(&format!("latency.{path}_us")).map(|time| time / 1e6)
    }

    pub fn requests(&self, name: &str) -> Outcome<u64> {
        self.count(&format!("requests.{name}"))
    }

    pub fn warns(&self, code: &str) -> bool {
        let warnings = self.at("warnings").and_then(Value::as_array);
        warnings.is_some_and(|all| all.iter().any(|warning| warning["code"] == code))
    }

    fn sum(&self, path: &str) -> u64 {
        let fields = self.at(path).and_then(Value::as_object);
        fields.map_or(0, |fields| fields.values().filter_map(Value::as_u64).sum())
    }

    /// It was not cut short.
    pub fn is_complete(&self) -> bool {
        self.flag("complete") == 1
    }

    /// A count of one interval, from 0.
    pub fn interval(&self, index: usize, name: &str) -> Outcome<u64> {
        self.interval_value(index, name).and_then(Value::as_u64).ok_or_else(|| absent(index, name))
    }

    pub fn interval_number(&self, index: usize, name: &str) -> Outcome<f64> {
        self.interval_value(index, name).and_then(Value::as_f64).ok_or_else(|| absent(index, name))
    }

    fn interval_value(&self, index: usize, name: &str) -> Option<&Value> {
        self.at("intervals")?.get(index)?.get(name)
    }

    /// The invariants of each run that do not hold.
    fn broken(&self) -> Outcome<Vec<String>> {
        let mut broken = Vec::new();
        let mut equal = |what: &str, left: u64, right: u64| {
            if left != right {
                broken.push(format!("{what}: {left} and not {right}"));
            }
        };
        let of = |name| self.requests(name);
        equal("scheduled = sent + dropped", of("scheduled")?, of("sent")? + of("dropped")?);
        let fates = of("completed")? + of("failed")? + of("abandoned")?;
        equal("sent = completed + failed + abandoned", of("sent")?, fates);
        equal("completed = good + rejected", of("completed")?, of("good")? + of("rejected")?);
        equal("completed = sum of statuses", of("completed")?, self.sum("statuses"));
        equal("failed = sum of kinds", of("failed")?, self.sum("failures"));
        let response = |name| self.count(&format!("latency.response.{name}"));
        equal("response.count = scheduled", response("count")?, of("scheduled")?);
        equal(
            "good + censored = scheduled",
            response("good")? + response("censored")?,
            of("scheduled")?,
        );
        if self.text("plan.mode")? == "open" {
            equal("send_lag.count = sent", self.count("latency.send_lag.count")?, of("sent")?);
        }
        equal("audit.ok", self.flag("audit.ok"), 1);
        Ok(broken)
    }

    fn flag(&self, path: &str) -> u64 {
        self.at(path).and_then(Value::as_bool).map_or(0, u64::from)
    }
}

fn absent(index: usize, name: &str) -> String {
    format!("no `{name}` in interval {index}")
}
