//! Rules about one request of a plan: whose they are, and whether there is such a one.

use super::table::{Reach, Total, What};
use super::{Threshold, grammar, table};
use crate::error::{Error, Result};
use crate::failure::Scope;
use crate::metrics::Rejection;
use crate::plan::mask::mask_query;
use crate::units::{alike, quote};

/// How many names are told that may have been meant.
const MOST: usize = 3;

impl Threshold {
    /// The request that it is about alone.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// As it was typed, but for what may be secret in the query of a request's name.
    pub fn shown(&self) -> String {
        match &self.name {
            Some(name) => self.expr.replace(name.as_str(), &mask_query(name)),
            None => self.expr.clone(),
        }
    }

    /// Refuses a request that is none of these, and what no request has for itself.
    pub fn check_names(&self, names: &[String]) -> Result<()> {
        let Some(name) = &self.name else { return Ok(()) };
        if names.is_empty() {
            // Without names to choose from it was rather a metric that was meant.
            return self.refuse(&grammar::unknown());
        }
        if !names.contains(name) {
            let which = nearest(name, names);
            return self.refuse(&format!("is about {}, which is no request; {which}", quote(name)));
        }
        match self.what.is_by_name() {
            true => Ok(()),
            false => self.refuse("can be told only of the whole run; leave the name away"),
        }
    }

    /// Refuses a check that is none of these, and any where there are none.
    pub fn check_checks(&self, checks: &[String]) -> Result<()> {
        match &self.what {
            What::Rejections(Rejection::Check) if checks.is_empty() => {
                self.refuse("is about checks, and there are none; write `checks` into a plan file")
            }
            What::Check(name) if !checks.contains(name) => {
                let which = match checks {
                    [] => "there are none; write `checks` into a plan file".to_string(),
                    checks => nearest(name, checks),
                };
                self.refuse(&format!("counts {}, which is no check; {which}", quote(name)))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn refuse(&self, why: &str) -> Result<()> {
        Err(Error::usage(format!("{} {why}", quote(&self.expr))))
    }
}

impl What {
    /// Whether it is known of one request: what belongs to the run or to its connections is not.
    pub(super) fn is_by_name(&self) -> bool {
        let of_total = |total: &Total| !table::OF_THE_WHOLE.contains(&total.name);
        match self {
            What::Latency(row, _) => matches!(row.reach, Reach::Everywhere | Reach::OpenLoop),
            What::Total(total) => of_total(total),
            What::Failures(kind) => kind.scope() == Scope::Request,
            What::Rejections(_) | What::Check(_) => true,
            What::Gauge(_) => false,
        }
    }
}

/// `did you mean 'a' or 'b'?`, or some of the names.
fn nearest(name: &str, names: &[String]) -> String {
    let mut meant = alike(name, names.iter().map(String::as_str));
    meant.truncate(MOST);
    let quoted = |names: &[&str], between: &str| {
        names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(between)
    };
    if !meant.is_empty() {
        return format!("did you mean {}?", quoted(&meant, " or "));
    }
    let some: Vec<&str> = names.iter().take(2 * MOST).map(String::as_str).collect();
    let more = if names.len() > some.len() { " and more" } else { "" };
    format!("there are {}{more}", quoted(&some, ", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Threshold {
        Threshold::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn names() -> Vec<String> {
        ["GET /", "POST /patient", "GET /v1.2/items", "list", "GET /?a=1"]
            .map(str::to_string)
            .to_vec()
    }

    #[test]
    fn a_name_stands_in_front_with_quotes_or_without() {
        for (text, name, same) in [
            ("'POST /patient'.errors<1%", "POST /patient", "errors<1%"),
            ("\"POST /patient\".errors<1%", "POST /patient", "errors<1%"),
            ("POST /patient.errors<1%", "POST /patient", "errors<1%"),
            ("'POST /patient.errors<1%'", "POST /patient", "errors<1%"),
            ("'GET /'.p95<230ms", "GET /", "p95<230ms"),
            ("GET /.p95 < 230ms", "GET /", "p95 < 230ms"),
            ("GET /.service.p99.9<1.5ms", "GET /", "service.p99.9<1.5ms"),
            ("GET /v1.2/items.p99.9<1.5ms", "GET /v1.2/items", "p99.9<1.5ms"),
            ("'GET /v1.2/items'.send_lag.max<1s", "GET /v1.2/items", "send_lag.max<1s"),
            ("GET /?a=1.p(99)<1s", "GET /?a=1", "p(99)<1s"),
            ("'GET /?a=1'.failures.timeout==0", "GET /?a=1", "failures.timeout==0"),
            ("list.rejections.check:ok<5", "list", "rejections.check:ok<5"),
            ("list.good_per_s>=5k", "list", "good_per_s>=5k"),
        ] {
            let (named, whole) = (rule(text), rule(same));
            assert_eq!(named.name(), Some(name), "{text}");
            assert_eq!(Threshold { name: None, expr: whole.expr.clone(), ..named.clone() }, whole);
            let expr = named.expr.trim_matches('\'').to_string();
            assert!(text.contains(&expr) && named.check_names(&names()).is_ok(), "{text}");
        }
        for text in ["p99.9<1.5ms", "service.p99<1ms", "stage2.errors<1%", "failures.timeout<5"] {
            assert_eq!(rule(text).name(), None, "{text}");
        }
    }

    #[test]
    fn a_secret_in_a_name_is_not_shown() {
        let shown = rule("'GET /?api_key=s3cr3t'.p99<1s").shown();
        assert_eq!(shown, "'GET /?api_key=***'.p99<1s");
        assert_eq!(rule("p99<1s").shown(), "p99<1s");
    }

    #[test]
    fn a_name_that_is_not_there_is_refused_with_the_nearest() {
        let refusal = |text: &str| rule(text).check_names(&names()).expect_err(text).message;
        let text = refusal("'POST /pateint'.p99<1s");
        assert!(text.ends_with("did you mean `POST /patient`?"), "{text}");
        let text = refusal("lists.p99<1s");
        assert!(text.ends_with("is about `lists`, which is no request; did you mean `list`?"));
        assert!(refusal("xyz.p99<1s").contains("there are `"));
        let text = rule("servce.p99<1ms").check_names(&[]).expect_err("a typing error").message;
        assert!(text.contains("names no metric; there are p50"), "{text}");
    }

    #[test]
    fn what_only_the_whole_run_has_is_refused_of_a_name() {
        for metric in [
            "busy<50%",
            "cpu_us_per_request<5",
            "offered_per_s>5",
            "peak_1s_per_s>5",
            "connect.p99<1s",
            "send_lag_blast.max<1s",
            "failures.connect_refused==0",
        ] {
            let refused = rule(&format!("list.{metric}")).check_names(&names());
            assert!(refused.expect_err(metric).message.contains("only of the whole run"));
        }
        for metric in ["dropped==0", "abandoned==0", "efficiency>5%", "completed_per_s>1"] {
            assert!(rule(&format!("list.{metric}")).check_names(&names()).is_ok(), "{metric}");
        }
    }

    #[test]
    fn a_run_is_ended_by_all_requests_and_not_by_one_name_or_check() {
        for text in ["list.errors>50%", "rejections.check:ok>5%"] {
            let message = rule(text).check_window().expect_err(text).message;
            assert!(message.contains("--threshold"), "{message}");
        }
        assert!(rule("rejections.check>5%").check_window().is_ok());
        let message = Threshold::parse("list.stage2.p99<1s").expect_err("both").message;
        assert!(message.contains("a stage and a request"), "{message}");
    }

    #[test]
    fn a_check_that_is_not_there_is_refused() {
        let checks = ["has an id".to_string()];
        for text in ["check:has an id<1%", "rejections.check:has an id==0"] {
            assert!(rule(text).check_checks(&checks).is_ok(), "{text}");
        }
        let refused = rule("check:has id<1%").check_checks(&checks).expect_err("none").message;
        assert!(refused.ends_with("did you mean `has an id`?"), "{refused}");
        let refused = rule("check:has id<1%").check_checks(&[]).expect_err("none").message;
        assert!(refused.contains("into a plan file"), "{refused}");
        assert!(rule("rejections.check==0").check_checks(&checks).is_ok());
        assert!(rule("rejections.check==0").check_checks(&[]).is_err());
    }
}
