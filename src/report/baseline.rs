//! What an earlier run measured of what a rule looks at, for rules such as `p95<=baseline*1.05`.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::plan::Threshold;
use crate::plan::threshold::Subject;

/// Totals that a result has in a place of their own.
const TOTALS: [(&str, &str); 9] = [
    ("errors", "/requests/error_share"),
    ("success", "/requests/success_share"),
    ("efficiency", "/rate/efficiency"),
    ("good_per_s", "/rate/good_per_s"),
    ("sent_per_s", "/rate/sent_per_s"),
    ("completed_per_s", "/rate/completed_per_s"),
    ("offered_per_s", "/rate/offered_per_s"),
    ("peak_1s_per_s", "/rate/peak_1s_per_s"),
    ("cpu_us_per_request", "/client/cpu_us_per_request"),
];

/// The baseline's figure, in the rule's unit. `saved`: its document; `run`: its number.
pub fn figure(rule: &Threshold, saved: &[u8], run: i64) -> Result<f64> {
    let unknown = |why: &str| {
        Error::usage(format!(
            "{}: {why} of run {run}, the baseline; compare something else with it, such as `p95`, \
             `errors` or `good_per_s`",
            rule.shown()
        ))
    };
    let document: Value = serde_json::from_slice(saved).map_err(|_| unknown("nothing is known"))?;
    if is_bound(rule, &document) {
        return Err(unknown("only a lower bound is known, for its errors,"));
    }
    let found = place(rule).and_then(|place| document.pointer(&place)?.as_f64());
    found.ok_or_else(|| unknown("nothing is kept"))
}

/// A JSON pointer (RFC 6901).
fn place(rule: &Threshold) -> Option<String> {
    match rule.subject()? {
        Subject::Latency(row, field) => Some(format!("/latency/{row}/{field}_us")),
        Subject::Total(name) => {
            let found = TOTALS.iter().find(|(total, _)| *total == name);
            found.map(|(_, place)| place.to_string())
        }
    }
}

/// Errors rank above every good answer.
fn is_bound(rule: &Threshold, document: &Value) -> bool {
    let Some(Subject::Latency(row, field)) = rule.subject() else { return false };
    let of_row = |key: &str| document.pointer(&format!("/latency/{row}/{key}"))?.as_f64();
    match rule.quantile() {
        Some(share) => of_row("exact_up_to").is_some_and(|exact| share > exact),
        None => field != "min" && of_row("censored").is_some_and(|censored| censored > 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, json};

    fn of(rule: &str, run: &str) -> Result<f64> {
        let saved = json::bytes(&fixture::named(run).document()).unwrap();
        figure(&Threshold::parse(rule).unwrap(), &saved, 12)
    }

    #[test]
    fn the_figure_of_a_baseline_is_the_one_of_its_document() {
        let document = fixture::held().document();
        let row = &document.latency.response;
        assert_eq!(of("p95<=baseline", "held").ok(), row.p95_us);
        assert_eq!(of("p99.9<=baseline", "held").ok(), row.p99_9_us);
        assert_eq!(of("mean<=baseline", "held").ok(), row.mean_us);
        assert_eq!(of("service.max<=baseline", "held").ok(), document.latency.service.max_us);
        assert_eq!(of("good_per_s>=baseline", "held").ok(), Some(document.rate.good_per_s));
        assert_eq!(of("errors<=baseline", "held").ok(), Some(document.requests.error_share));
        for (total, place) in TOTALS {
            let json = serde_json::to_value(&document).unwrap();
            let rule = if total == "errors" { "<=" } else { ">=" };
            let found = of(&format!("{total}{rule}baseline"), "held").ok();
            assert_eq!(found, json.pointer(place).unwrap().as_f64(), "{total}");
        }
    }

    #[test]
    fn what_a_baseline_does_not_say_is_one_sentence() {
        for (rule, run, expected) in [
            ("p97<=baseline", "held", "nothing is kept of run 12"),
            ("busy<=baseline", "held", "nothing is kept of run 12"),
            ("p99<=baseline", "behind", "only a lower bound is known"),
            ("max<=baseline", "behind", "only a lower bound is known"),
            ("p99<=baseline", "empty", "nothing is kept of run 12"),
        ] {
            let error = of(rule, run).unwrap_err();
            assert!(error.message.contains(expected), "{rule}: {error}");
            assert_eq!(error.exit, crate::Exit::Usage);
        }
    }
}
