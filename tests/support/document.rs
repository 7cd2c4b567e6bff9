//! The result document, with the invariants of every run checked when it is read.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(blast::report::document::SCHEMA).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// What a verb of this name wrote, valid by its schema.
pub fn of_verb(name: &str, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let schema = blast::report::schema::named(name).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    if let Some(error) = validator.iter_errors(&value).next() {
        panic!("{}: {error}", error.instance_path());
    }
    value
}

pub struct Document(Value);

impl Document {
    /// Refuses a document that breaks the schema, an audit that failed, and sums that do not add
    /// up.
    pub fn parse(text: &str) -> Result<Document, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if let Some(error) = SCHEMA.iter_errors(&value).next() {
            return Err(format!("{}: {error}", error.instance_path()));
        }
        let document = Document(value);
        match document.broken().as_slice() {
            [] => Ok(document),
            broken => Err(format!("these do not hold: {broken:#?}")),
        }
    }

    /// A value by its path: `latency.response.p99_us`.
    pub fn at(&self, path: &str) -> &Value {
        let found = path.split('.').try_fold(&self.0, |value, name| value.get(name));
        found.unwrap_or_else(|| panic!("no {path} in the document"))
    }

    pub fn count(&self, path: &str) -> u64 {
        self.at(path).as_u64().unwrap_or_else(|| panic!("{path} is {}", self.at(path)))
    }

    pub fn number(&self, path: &str) -> f64 {
        self.at(path).as_f64().unwrap_or_else(|| panic!("{path} is {}", self.at(path)))
    }

    pub fn text(&self, path: &str) -> &str {
        self.at(path).as_str().unwrap_or_else(|| panic!("{path} is {}", self.at(path)))
    }

    /// Counts by name, such as `failures`.
    pub fn counts(&self, path: &str) -> BTreeMap<&str, u64> {
        let fields = self.at(path).as_object().unwrap_or_else(|| panic!("{path} is no object"));
        fields.iter().map(|(name, count)| (name.as_str(), count.as_u64().unwrap())).collect()
    }

    pub fn intervals(&self) -> &[Value] {
        self.at("intervals").as_array().unwrap()
    }

    pub fn warnings(&self) -> Vec<&str> {
        let warnings = self.at("warnings").as_array().unwrap();
        warnings.iter().map(|warning| warning["code"].as_str().unwrap()).collect()
    }

    pub fn is_complete(&self) -> bool {
        self.at("complete").as_bool().unwrap()
    }

    /// All of `names` in `requests`, in that order: `fates(["sent", "good"])`.
    pub fn fates<const N: usize>(&self, names: [&str; N]) -> [u64; N] {
        names.map(|name| self.count(&format!("requests.{name}")))
    }

    /// The server heard each completed request, and nothing that was not sent.
    pub fn agrees_with(&self, heard: u64) -> &Document {
        let completed = self.in_all("completed");
        let sent = self.in_all("sent");
        assert!((completed..=sent).contains(&heard), "{completed} <= {heard} <= {sent}");
        self
    }

    /// Warm-up and measure together.
    fn in_all(&self, name: &str) -> u64 {
        let warmup = &self.0["warmup"]["requests"][name];
        self.count(&format!("requests.{name}")) + warmup.as_u64().unwrap_or(0)
    }

    fn in_intervals(&self, name: &str) -> u64 {
        self.intervals().iter().map(|interval| interval[name].as_u64().unwrap()).sum()
    }

    /// How many times an interval's buckets hold.
    fn heat(interval: &Value) -> u64 {
        let buckets = interval["heat"].as_array().unwrap();
        buckets.iter().map(|bucket| bucket[1].as_u64().unwrap()).sum()
    }

    /// The invariants of DESIGN 2 and 7 that do not hold.
    fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut equal = |what: &str, left: u64, right: u64| {
            if left != right {
                broken.push(format!("{what}: {left} = {right}"));
            }
        };
        let phases = ["", "warmup."];
        for phase in phases.into_iter().filter(|p| p.is_empty() || !self.at("warmup").is_null()) {
            let of = |name: &str| self.count(&format!("{phase}requests.{name}"));
            equal("scheduled", of("scheduled"), of("sent") + of("dropped"));
            equal("sent", of("sent"), of("completed") + of("failed") + of("abandoned"));
            equal("completed", of("completed"), of("good") + of("rejected"));
            let of = |name: &str| self.count(&format!("{phase}latency.{name}"));
            let scheduled = self.count(&format!("{phase}requests.scheduled"));
            equal("response.count", of("response.count"), scheduled);
            equal("censored", of("response.good") + of("response.censored"), scheduled);
            let open = self.text("plan.mode") == "open";
            let lags = if open { self.count(&format!("{phase}requests.sent")) } else { 0 };
            equal("send_lag.count", of("send_lag.count"), lags);
        }
        let sum = |path: &str| self.counts(path).values().sum();
        equal("statuses", self.count("requests.completed"), sum("statuses"));
        equal("rejections", self.count("requests.rejected"), sum("rejections"));
        equal("failures", self.count("requests.failed"), sum("failures"));
        equal("good_only", self.count("requests.good"), self.count("latency.good_only.count"));
        for name in ["scheduled", "sent", "good", "rejected", "failed", "dropped"] {
            equal(&format!("intervals' {name}"), self.in_intervals(name), self.in_all(name));
        }
        let heat: u64 = self.intervals().iter().map(Document::heat).sum();
        equal("intervals' heat", heat, self.in_all("scheduled"));
        let connections = |name: &str| self.count(&format!("connections.{name}"));
        if connections("open_peak") > connections("asked") {
            broken.push("more connections than asked for".to_string());
        }
        if !self.at("audit.ok").as_bool().unwrap() {
            broken.push(format!("the audit: {}", self.at("audit.checks")));
        }
        broken
    }
}
