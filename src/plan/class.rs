//! What kind of load a plan is, as far as a request's cost to blast goes: what is measured of one
//! load says something of another of its kind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::units::{format_bytes, format_exact};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Class {
    pub engine: String,
    pub tls: bool,
    pub keepalive: bool,
    pub pipeline: u32,
    /// `static`, or whose requests they are: `mix`, `users` or `sessions`.
    pub content: String,
    /// Of one worker.
    pub connections: u64,
    /// A request's body; of a scenario, the longest request with its head.
    pub request_bytes: u64,
    /// An answer, with its head; null: nobody knows.
    pub answer_bytes: Option<u64>,
}

/// Steps that classes may be apart and are still near: powers of ten of the connections, classes
/// of size. (64 connections and 10,000 differ by a third in what a request costs.)
const NEAR: u32 = 2;

/// Bodies differ in more than that.
const NEAR_SIZE: u32 = 1;

impl Class {
    /// `engine`: the one that runs; `workers`: threads that share the connections.
    pub fn of(plan: &Plan, engine: &str, workers: usize, answer_bytes: Option<u64>) -> Class {
        let scenario = plan.scenario.as_ref();
        let longest = scenario.map(|scenario| {
            let lengths = scenario.requests.iter().map(|one| {
                let message = &one.message;
                (message.most() + message.tail().len()) as u64
            });
            lengths.max().unwrap_or(0)
        });
        Class {
            engine: engine.to_string(),
            tls: plan.tls.is_some(),
            keepalive: plan.keepalive && plan.requests_per_connection.is_none(),
            pipeline: plan.pipeline,
            content: scenario.map_or("static", |scenario| scenario.model.name()).to_string(),
            connections: u64::from(plan.connections).div_ceil(workers.max(1) as u64),
            request_bytes: longest.unwrap_or(plan.request.body.len() as u64),
            answer_bytes,
        }
    }

    /// How many steps the two are apart, 0: of one class; `None`: nothing follows from one for the
    /// other.
    pub fn distance(&self, other: &Class) -> Option<u32> {
        let kind = |class: &Class| {
            let Class { engine, tls, keepalive, pipeline, content, .. } = class.clone();
            (engine, tls, keepalive, pipeline, content)
        };
        let power = |class: &Class| class.connections.max(1).ilog10();
        let request = size(self.request_bytes).abs_diff(size(other.request_bytes));
        let answers = self.answer_bytes.zip(other.answer_bytes);
        let answer = answers.map_or(0, |(here, there)| size(here).abs_diff(size(there)));
        let sizes = request + answer;
        let steps = power(self).abs_diff(power(other)) + sizes;
        (kind(self) == kind(other) && sizes <= NEAR_SIZE && steps <= NEAR).then_some(steps)
    }

    /// In what this one is near to `other` and not of its class: `64 connections a worker, not 5,000`.
    pub fn apart_from(&self, other: &Class) -> Option<String> {
        let mut parts = Vec::new();
        if self.connections.max(1).ilog10() != other.connections.max(1).ilog10() {
            let (here, there) = (format_exact(self.connections), format_exact(other.connections));
            parts.push(format!("{here} connections a worker, not {there}"));
        }
        let mut sizes = vec![("requests", self.request_bytes, other.request_bytes)];
        sizes.extend(self.answer_bytes.zip(other.answer_bytes).map(|(a, b)| ("answers", a, b)));
        for (what, here, there) in sizes.into_iter().filter(|(_, a, b)| size(*a) != size(*b)) {
            let (here, there) = (format_bytes(here as f64), format_bytes(there as f64));
            parts.push(format!("{what} of {here}, not {there}"));
        }
        (!parts.is_empty()).then(|| parts.join(" and "))
    }
}

/// Up to 1 kB, up to 10 kB, up to 100 kB, and so on.
fn size(bytes: u64) -> u32 {
    match bytes {
        0..=1_000 => 0,
        more => (more - 1).ilog10() - 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::{Load, Rate, Url};

    fn plan(connections: u32) -> Plan {
        let request = Request::new("GET", "/", "h");
        Plan { connections, ..Plan::new(Url::parse("http://h/").unwrap(), request) }
    }

    fn class(connections: u32) -> Class {
        Class::of(&plan(connections), "ring", 1, Some(130))
    }

    #[test]
    fn a_size_is_of_the_power_of_ten_that_it_fits_in() {
        let sizes = [0, 1, 1_000, 1_001, 10_000, 10_001, 100_000, 1_000_001].map(size);
        assert_eq!(sizes, [0, 0, 0, 1, 1, 2, 2, 4]);
    }

    #[test]
    fn loads_of_about_as_many_connections_are_of_one_class_at_any_rate() {
        let open = Plan { load: Load::steady(Rate::per_second(5)), ..plan(99) };
        let open = Class::of(&open, "ring", 1, None);
        assert_eq!(class(10).distance(&open), Some(0));
        assert_eq!(class(10).apart_from(&open), None);
        assert_eq!(class(10), Class::of(&plan(20), "ring", 2, Some(130)));
    }

    #[test]
    fn a_near_one_says_in_what_it_is_not_the_same() {
        let far = Class { answer_bytes: Some(4_000), ..class(5_000) };
        assert_eq!(class(64).distance(&class(5_000)), Some(2));
        let words = class(64).apart_from(&class(5_000)).unwrap();
        assert_eq!(words, "64 connections a worker, not 5,000");
        assert_eq!(class(640).distance(&far), Some(2));
        let words = class(640).apart_from(&far).unwrap();
        assert_eq!(words, "640 connections a worker, not 5,000 and answers of 130 B, not 4.00 kB");
        assert_eq!(class(64).distance(&far), None, "three steps are too many");
        let large = Class { answer_bytes: Some(40_000), ..class(64) };
        assert_eq!(class(64).distance(&large), None, "sizes are not that near");
    }

    #[test]
    fn nothing_follows_for_another_kind_of_load() {
        let here = class(64);
        for other in [
            Class { engine: "epoll".to_string(), ..here.clone() },
            Class { tls: true, ..here.clone() },
            Class { keepalive: false, ..here.clone() },
            Class { pipeline: 8, ..here.clone() },
            Class { content: "mix".to_string(), ..here.clone() },
        ] {
            assert_eq!(here.distance(&other), None, "{other:?}");
        }
    }
}
