//! By what runs of one plan are known: a hash of what is sent, how, and how much. Rules, grades and
//! what is read beside the load judge a run and do not change it; they are no part of it. Nor are
//! secrets: a token that is renewed makes no other plan.

use sha2::{Digest, Sha256};

use super::mask::{MASK, is_secret_header, mask_query};
use super::{Plan, Scenario};
use crate::http::Request;

/// Hex digits that are kept: 64 bits tell the plans of a lifetime apart.
const DIGITS: usize = 16;

/// Of a body so many bytes are looked at, and its length: it may be a file of gigabytes.
const BODY: usize = 1 << 20;

/// The same for the same plan, on any host. `kind`: what is made of it; a search is no run.
pub fn identity(plan: &Plan, kind: &str) -> String {
    let mut lines = vec![kind.to_string(), plan.url.shown.clone(), plan.engine.name().to_string()];
    match &plan.scenario {
        None => {
            lines.extend(of_request(&plan.request));
            let body = &plan.request.body;
            lines.push(format!("{} {}", body.len(), hash(&body[..body.len().min(BODY)])));
        }
        Some(scenario) => lines.extend(of_scenario(scenario)),
    }
    lines.extend(of_load(plan));
    hash(lines.join("\n").as_bytes())
}

fn of_request(request: &Request) -> Vec<String> {
    let field = |(name, value): &(String, String)| match is_secret_header(name) {
        true => format!("{name}: {MASK}"),
        // A newer blast is no other plan.
        false if name.eq_ignore_ascii_case("user-agent") => format!("{name}:"),
        false => format!("{name}: {value}"),
    };
    let line = format!("{} {}", request.method, mask_query(&request.target));
    std::iter::once(line).chain(request.headers.iter().map(field)).collect()
}

fn of_scenario(scenario: &Scenario) -> Vec<String> {
    let mut lines = vec![format!("{} {:?}", scenario.model.name(), scenario.model.flow())];
    lines.extend(scenario.entries.iter().map(|entry| format!("{entry:?}")));
    for exchange in &scenario.requests {
        lines.push(exchange.name.clone());
        lines.extend(of_request(&exchange.request));
        lines.extend(exchange.checks.iter().map(|check| check.name.clone()));
    }
    lines.push(format!("{:?} {:?} {}", scenario.captures, scenario.checks, scenario.seed));
    lines
}

fn of_load(plan: &Plan) -> Vec<String> {
    let expected = &plan.expected;
    vec![
        format!("{:?}", plan.load),
        format!("{} {:?} {}", plan.connections, plan.threads, plan.pipeline),
        format!("{} {:?}", plan.keepalive, plan.requests_per_connection),
        format!("{:?} {:?} {:?}", plan.warmup, plan.duration, plan.requests),
        format!("{:?} {:?} {:?}", plan.timeout, plan.deadline, plan.max_in_flight),
        format!("{:?}", expected.statuses.as_ref().map(ToString::to_string)),
        format!("{:?}", expected.size.as_ref().map(ToString::to_string)),
        format!("{:?}", expected.body.as_ref().map(|pattern| &pattern.text)),
    ]
}

fn hash(bytes: &[u8]) -> String {
    let mut digits = format!("{:x}", Sha256::digest(bytes));
    digits.truncate(DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Load, Rate, Threshold, Url};

    fn plan(url: &str) -> Plan {
        let url = Url::parse(url).unwrap();
        let request = Request::new("GET", "/", "h");
        Plan::new(url, request)
    }

    #[test]
    fn what_is_sent_and_how_much_makes_another_plan_and_what_judges_it_does_not() {
        let base = plan("http://h/");
        let of = |plan: &Plan| identity(plan, "run");
        let rule = Threshold::parse("p99<10ms").unwrap();
        assert_eq!(of(&base), of(&Plan { thresholds: vec![rule], rating: None, ..base.clone() }));
        let others = [
            plan("http://other/"),
            Plan { connections: 65, ..base.clone() },
            Plan { load: Load::steady(Rate::per_second(5)), ..base.clone() },
            Plan { duration: None, ..base.clone() },
            Plan { request: Request::new("GET", "/x", "h"), ..base.clone() },
        ];
        for other in &others {
            assert_ne!(of(&base), of(other), "{other:?}");
        }
        assert_ne!(of(&base), identity(&base, "soak"));
        assert_eq!(of(&base).len(), DIGITS);
    }

    #[test]
    fn a_token_that_is_renewed_makes_no_other_plan() {
        let with = |token: &str| {
            let mut plan = plan(&format!("http://h/?api_key={token}"));
            plan.request.headers.push(("Authorization".to_string(), token.to_string()));
            plan.request.target = format!("/?api_key={token}");
            identity(&plan, "run")
        };
        assert_eq!(with("old"), with("new"));
    }
}
