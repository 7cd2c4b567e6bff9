//! Which rows are meant.

use std::time::SystemTime;

use rusqlite::types::Value;

use super::Status;
use crate::time::Nanos;

/// All conditions hold; none is no condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Part of the target.
    pub target: Option<String>,
    /// Part of the label.
    pub label: Option<String>,
    pub status: Option<Status>,
    pub grade: Option<String>,
    pub kind: Option<String>,
    /// The beginning of the plan's hash, or part of its name.
    pub plan: Option<String>,
    /// Older than this run.
    pub before: Option<i64>,
    /// Started before this instant, in RFC 3339.
    pub started_before: Option<String>,
    pub limit: Option<u32>,
}

impl Filter {
    /// The condition, with a question mark for each value.
    pub(super) fn condition(&self) -> (String, Vec<Value>) {
        let text = |value: &Option<String>| value.clone().map(Value::Text);
        let status = self.status.map(|status| Value::Text(status.name().to_string()));
        let parts = [
            ("instr(lower(target), lower(?)) > 0", text(&self.target)),
            ("instr(lower(label), lower(?)) > 0", text(&self.label)),
            ("status = ?", status),
            ("grade = ?", text(&self.grade)),
            ("kind = ?", text(&self.kind)),
            (
                "(instr(plan_hash, ?) = 1 OR instr(lower(plan_name), lower(?)) > 0)",
                text(&self.plan),
            ),
            ("id < ?", self.before.map(Value::Integer)),
            ("started_at < ?", text(&self.started_before)),
        ];
        let (mut conditions, mut values) = (vec!["1"], Vec::new());
        for (condition, value) in parts {
            if let Some(value) = value {
                let marks = condition.matches('?').count();
                conditions.push(condition);
                values.extend(std::iter::repeat_n(value, marks));
            }
        }
        (conditions.join(" AND "), values)
    }
}

/// So long before now, as `started_at` is written. Nothing is older than the clock.
pub fn older_than(age: Nanos, now: SystemTime) -> String {
    let clock = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let then = clock.saturating_sub(age.into());
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + then).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_reaches_back_to_where_the_clock_begins_and_no_further() {
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(86_400);
        assert_eq!(older_than(Nanos::from_secs(3_600), now), "1970-01-01T23:00:00.000Z");
        for age in [Nanos::from_secs(86_401), Nanos(u64::MAX)] {
            assert_eq!(older_than(age, now), "1970-01-01T00:00:00.000Z");
        }
    }
}
