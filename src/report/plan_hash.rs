//! Which runs are of one plan: those whose figures may stand in one row.
//!
//! The hash is over what is sent and how it is sent:
//!
//! ```text
//! in    where to (URL, socket, --resolve, --connect-to, --bind, TLS), the requests as they are
//!       written with their weights, steps and thinking times, what makes an answer a good one,
//!       the load (closed or the rate with its arrivals and stages), connections, pipelining,
//!       keep-alive, timeouts, whether there is a warm-up, and how blast itself works (engine,
//!       threads, cores, waiting): all that moves a figure on the same server
//! out   label, file and outputs; rules, ratings and what is watched; how long a steady load goes
//!       on (-d, -n, --drain); seeds and ids; what blast calls itself in User-Agent; rows of data
//! ```
//!
//! Secrets are not in it: they stand as `***`, so that a new token is no new plan, and nobody can
//! try which one it was. What is shown of a plan, and where its file lies, is not in it either.
//!
//! It is the first 64 bits of SHA-256 over a text of lines (`outline`) that a change to blast's own
//! types does not move. A change to that text begins all trends anew: a test holds some hashes.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::http::Request;
use crate::plan::mask::{MASK, is_secret_header, mask_query, mask_text};
use crate::plan::scenario::{Exchange, Flow, Model, Scenario, Step, Steps, Think};
use crate::plan::{Expected, Law, Load, Offered, OfferedRate, Pin, Plan, Route, Shape, Warmup};
use crate::tls::{Resumption, Settings, Sni};

/// 16 digits of base 16: the same for plans whose runs can be compared.
pub fn plan_hash(plan: &Plan) -> String {
    let digest = Sha256::digest(outline(plan));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn outline(plan: &Plan) -> String {
    let mut lines = Lines::default();
    place(&mut lines, plan);
    match &plan.scenario {
        None => lines.add("request", sent(&plan.request)),
        Some(scenario) => of_scenario(&mut lines, scenario),
    }
    expected(&mut lines, &plan.expected);
    load(&mut lines, &plan.load);
    connections(&mut lines, plan);
    own_ways(&mut lines, plan);
    lines.0
}

/// `name value`, a line each; a value that has lines of its own is known by its length.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: impl std::fmt::Display) {
        let value = value.to_string();
        // A String takes whatever is written to it.
        let _ = writeln!(self.0, "{name} {} {value}", value.len());
    }

    /// Nothing where there is nothing: what is new in blast leaves the plans without it alone.
    fn some(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}

fn place(lines: &mut Lines, plan: &Plan) {
    lines.add("url", &plan.url.shown);
    let Route { unix_socket, connect_to, resolve, family, dns_refresh: _ } = &plan.route;
    lines.some("unix_socket", unix_socket.as_ref().map(|name| name.as_str()));
    connect_to.iter().for_each(|rule| lines.add("connect_to", &rule.text));
    resolve.iter().for_each(|rule| lines.add("resolve", &rule.text));
    lines.some("family", family.map(|family| family.names().1));
    plan.bind.iter().for_each(|network| lines.add("bind", network));
    if let Some(settings) = &plan.tls {
        tls(lines, settings);
    }
}

fn tls(lines: &mut Lines, settings: &Settings) {
    match &settings.sni {
        Sni::Host => {}
        Sni::Name(name) => lines.add("sni", name),
        Sni::Off => lines.add("sni", ""),
    }
    let (oldest, newest) = (settings.oldest.name(), settings.newest.name());
    lines.add("tls", format!("{oldest} {newest} {}", settings.protocols.join(",")));
    settings.suites.iter().for_each(|suite| lines.add("cipher", suite.name()));
    lines.add("resumption", settings.resumption == Resumption::On);
    lines.add("ktls", settings.ktls.name());
    lines.add("client_certificate", settings.identity.is_some());
}

/// A request that is the same each time.
fn sent(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method, mask_query(&request.target));
    for (name, value) in request.headers.iter().filter(|(name, value)| is_of_plan(name, value)) {
        let value = if is_secret_header(name) { MASK } else { value };
        let _ = writeln!(text, "{name}: {value}");
    }
    text + &body(&request.body)
}

/// What says the same whatever is sent, or something else each time.
fn is_of_plan(name: &str, value: &str) -> bool {
    match name.to_ascii_lowercase().as_str() {
        "content-length" => false,
        "user-agent" => !value.starts_with("blast/"),
        _ => true,
    }
}

/// Of what is no text, and so nothing that a name would tell a secret in, each byte.
fn body(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.lines().map(|line| mask_text(line) + "\n").collect(),
        Err(_) => Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn of_scenario(lines: &mut Lines, scenario: &Scenario) {
    for exchange in &scenario.requests {
        let id = scenario.request_id.as_ref().map(|id| id.header.as_str());
        lines.add("request", written(exchange, id));
        expected(lines, &exchange.expected);
        exchange.checks.iter().for_each(|check| lines.add("check", &check.name));
        exchange.captures.iter().for_each(|capture| lines.add("capture", &capture.name));
    }
    for entry in &scenario.entries {
        lines.add("entry", format!("{} {} {}", entry.request, entry.weight, entry.name));
    }
    for (name, once) in [("setup", &scenario.run_setup), ("teardown", &scenario.run_teardown)] {
        once.iter().for_each(|entry| lines.add(name, entry));
    }
    lines.add("cookies", scenario.has_cookies);
    lines.add("model", scenario.model.name());
    match &scenario.model {
        Model::Mix(mix) => {
            lines.add("random", mix.random);
            let weights = mix.entries.iter().map(|(entry, weight)| format!("{entry}:{weight}"));
            lines.add("mix", weights.collect::<Vec<_>>().join(" "));
        }
        Model::Users(flow) | Model::Sessions(flow) => of_flow(lines, flow),
    }
}

/// A request that varies: as it is written, with how each part is drawn.
fn written(exchange: &Exchange, id: Option<&str>) -> String {
    let outline = exchange.message.outline();
    let end = outline.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let (head, rest) = outline.split_at(end.map_or(outline.len(), |at| at + 4));
    let head = String::from_utf8_lossy(head);
    let is_kept = |line: &&str| match line.split_once(": ") {
        Some((name, value)) => {
            is_of_plan(name, value) && !id.is_some_and(|id| id.eq_ignore_ascii_case(name))
        }
        None => true,
    };
    let head = head.lines().filter(is_kept).map(|line| mask_text(line) + "\n");
    head.collect::<String>() + &body(rest)
}

fn of_flow(lines: &mut Lines, flow: &Flow) {
    lines.add("weighted", flow.weighted);
    lines.some("rounds", flow.rounds);
    for (name, once) in [("first", &flow.setup), ("last", &flow.teardown)] {
        once.iter().for_each(|entry| lines.add(name, entry));
    }
    flow.steps.iter().for_each(|step| lines.add("step", of_step(step)));
}

fn of_step(step: &Step) -> String {
    let all = |steps: &[Step]| steps.iter().map(of_step).collect::<Vec<_>>().join(", ");
    let what = match &step.what {
        Steps::One(entry) => entry.to_string(),
        Steps::Group(steps) => format!("all ({})", all(steps)),
        Steps::OneOf(steps) => format!("one of ({})", all(steps)),
    };
    let think = match step.think {
        Think::Not => "0".to_string(),
        Think::Constant(time) => time.0.to_string(),
        Think::Uniform(from, to) => format!("{}-{}", from.0, to.0),
        Think::Exponential(mean) => format!("exponential {}", mean.0),
    };
    let (least, most) = step.repeat;
    format!("{what} x{least}-{most} p{} w{} then {think}", step.probability, step.weight)
}

fn expected(lines: &mut Lines, expected: &Expected) {
    lines.some("status", expected.statuses.as_ref());
    lines.some("size", expected.size.as_ref());
    lines.some("body", expected.body.as_ref().map(|pattern| mask_text(&pattern.text)));
}

fn load(lines: &mut Lines, load: &Load) {
    match load {
        Load::Closed { users: None } => lines.add("load", "closed"),
        Load::Closed { users: Some(shape) } => lines.add("load", format!("closed {}", of(shape))),
        Load::Open(offered) => lines.add("load", rate(offered)),
    }
}

fn rate(offered: &Offered) -> String {
    let law = match offered.law() {
        Law::Uniform => "uniform".to_string(),
        Law::Poisson { .. } => "poisson".to_string(),
        Law::Burst(size) => format!("burst:{size}"),
    };
    match offered.rate() {
        OfferedRate::Steady(rate) => format!("open {law} {}/s", rate.per_s()),
        OfferedRate::Shaped { shape, period } => {
            format!("open {law} in {} ns {}", period.0, of(shape))
        }
    }
}

fn of(shape: &Shape) -> String {
    let stages = shape.stages().iter();
    let stages = stages.map(|stage| format!("{}-{} in {}", stage.from, stage.to, stage.length.0));
    stages.collect::<Vec<_>>().join(", ")
}

fn connections(lines: &mut Lines, plan: &Plan) {
    lines.add("connections", plan.connections);
    lines.add("pipeline", plan.pipeline);
    lines.some("at_most", plan.at_most.map(|rate| rate.per_s()));
    lines.add("keepalive", plan.keepalive);
    lines.some("requests_per_connection", plan.requests_per_connection);
    lines.some("connect_rate", plan.connect_rate.map(|rate| rate.per_s()));
    lines.add("timeout", plan.timeout.0);
    lines.some("deadline", plan.deadline.map(|deadline| deadline.0));
    lines.some("max_in_flight", plan.max_in_flight);
    lines.add("warm", plan.warmup != Warmup::NONE);
}

/// The host is not among them: it is kept beside the hash.
fn own_ways(lines: &mut Lines, plan: &Plan) {
    lines.add("engine", plan.engine.name());
    lines.add("wait", plan.wait.name());
    lines.some("threads", plan.threads);
    match &plan.pin {
        Pin::Auto => {}
        Pin::Off => lines.add("pin", "off"),
        Pin::List(cores) => lines.add("pin", format!("{cores:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;

    use super::*;
    use crate::plan::scenario::{Entry, Mix, Part};
    use crate::plan::template::{Escape, Message, Piece, Scope};
    use crate::plan::{Rate, RequestId, Threshold, Url};
    use crate::report::fixture;
    use crate::time::Nanos;

    type Change = fn(&mut Plan);

    fn plan() -> Plan {
        let url = Url::parse("http://127.0.0.1:8080/items?token=s3cr3t").unwrap();
        let mut request = Request::new("GET", &url.target, &url.authority);
        request.set_header("Authorization", "Bearer s3cr3t").unwrap();
        request.set_body(Bytes::from_static(b"{\"password\": \"s3cr3t\", \"a\": 1}"), None);
        Plan::new(url, request)
    }

    fn changed(change: impl FnOnce(&mut Plan)) -> String {
        let mut plan = plan();
        change(&mut plan);
        plan_hash(&plan)
    }

    #[test]
    fn what_moves_a_figure_is_another_plan() {
        let all: [(&str, Change); 14] = [
            ("url", |plan| plan.url = Url::parse("http://127.0.0.1:8080/other").unwrap()),
            ("method", |plan| plan.request.method = "PUT".to_string()),
            ("header", |plan| plan.request.add_header("X-A", "1").unwrap()),
            ("body", |plan| plan.request.body = Bytes::from_static(b"{\"a\": 2}")),
            ("rate", |plan| plan.load = Load::steady(Rate::per_second(100))),
            ("connections", |plan| plan.connections = 65),
            ("pipeline", |plan| plan.pipeline = 2),
            ("at_most", |plan| plan.at_most = Some(Rate::per_second(5))),
            ("keepalive", |plan| plan.keepalive = false),
            ("timeout", |plan| plan.timeout = Nanos::from_secs(1)),
            ("warm-up", |plan| plan.warmup = Warmup::Auto),
            ("threads", |plan| plan.threads = Some(1)),
            ("pin", |plan| plan.pin = Pin::Off),
            ("engine", |plan| plan.engine = crate::plan::Engine::Epoll),
        ];
        let mut seen = vec![plan_hash(&plan())];
        for (name, change) in all {
            let hash = changed(change);
            assert!(!seen.contains(&hash), "{name}");
            seen.push(hash);
        }
    }

    #[test]
    fn what_says_how_a_run_is_judged_shown_or_ended_is_not() {
        let all: [(&str, Change); 8] = [
            ("rules", |plan| plan.thresholds = vec![Threshold::parse("p99<1ms").unwrap()]),
            ("rating", |plan| plan.rating = None),
            ("length", |plan| plan.duration = Some(Nanos::from_secs(60))),
            ("requests", |plan| plan.requests = Some(5)),
            ("file", |plan| plan.file = Some("plan.toml".to_string())),
            ("version", |plan| plan.request.set_header("User-Agent", "blast/9.9.9").unwrap()),
            ("authorization", |plan| {
                plan.request.set_header("Authorization", "Bearer other").unwrap();
                plan.url = Url::parse("http://127.0.0.1:8080/items?token=other").unwrap();
                plan.request.target = plan.url.target.clone();
            }),
            ("password", |plan| {
                let body = Bytes::from_static(b"{\"password\": \"longer\", \"a\": 1}");
                plan.request.set_body(body, None);
            }),
        ];
        for (name, change) in all {
            assert_eq!(changed(change), plan_hash(&plan()), "{name}");
        }
    }

    /// A mix of two requests, one of which has a token and a number that is drawn.
    fn mix(body: &str, seed: u64, weight: u64) -> Plan {
        let url = Url::parse("http://127.0.0.1:8080/").unwrap();
        let mut request = Request::new("POST", "/items", &url.authority);
        request.set_header("Authorization", "Bearer {{env TOKEN}}").unwrap();
        request.set_header("X-Id", &format!("{seed}-{{{{seq}}}}")).unwrap();
        let vars = BTreeMap::from([("channel".to_string(), "7".to_string())]);
        let scope = Scope {
            tables: &[],
            captures: &[],
            vars: &vars,
            env: &|_| Some(format!("s3cr3t{}", "x".repeat(seed as usize))),
            has_users: false,
            has_cookies: false,
        };
        let body = [Piece::Text(body.to_string(), Escape::Json)];
        let exchange = Exchange {
            name: "save".to_string(),
            message: Message::compile(&request, &body, &scope).unwrap(),
            request: request.clone(),
            expected: Expected::default(),
            checks: Vec::new(),
            captures: Vec::new(),
        };
        let entry = |name: &str, weight| Entry {
            name: name.to_string(),
            request: 0,
            part: Part::Main,
            weight,
        };
        let scenario = Scenario {
            requests: vec![exchange],
            entries: vec![entry("save", 3), entry("again", weight)],
            model: Model::Mix(Mix { entries: vec![(0, 3), (1, weight)], random: false }),
            run_setup: Vec::new(),
            run_teardown: Vec::new(),
            tables: Vec::new(),
            captures: Vec::new(),
            checks: Vec::new(),
            seed,
            has_cookies: false,
            body_limit: 0,
            request_id: Some(RequestId { header: "X-Id".to_string(), run: seed, after: 0 }),
        };
        Plan { scenario: Some(scenario.into()), ..Plan::new(url, request) }
    }

    const BODY: &str = "{\"channel\": \"{{var.channel}}\", \"a\": {{int 1 9}}}";

    #[test]
    fn ids_tokens_and_dice_of_a_scenario_are_none_of_its_plan_and_what_it_draws_is() {
        let hash = plan_hash(&mix(BODY, 1, 1));
        assert_eq!(plan_hash(&mix(BODY, 2, 1)), hash);
        assert_ne!(plan_hash(&mix(BODY, 1, 2)), hash);
        assert_ne!(plan_hash(&mix(&BODY.replace("1 9", "1 8"), 1, 1)), hash);
        assert_ne!(plan_hash(&mix(&BODY.replace("{{var.channel}}", "8"), 1, 1)), hash);
        assert!(!outline(&mix(BODY, 1, 1)).contains("s3cr3t"));
    }

    /// Whoever changes them begins all trends anew, and says so in the notes of a version.
    #[test]
    fn a_plan_keeps_its_hash_from_version_to_version() {
        let hash = |name: &str| plan_hash(&fixture::named(name).plan);
        let found = [plan_hash(&plan()), hash("shaped"), plan_hash(&mix(BODY, 1, 1))];
        assert_eq!(found, ["16b071d603717f0e", "3aefd5a01e530011", "e4d4019d07020f13"]);
    }

    #[test]
    fn no_secret_is_in_what_is_hashed() {
        for (name, run) in fixture::all() {
            assert!(!outline(&run.plan).contains(fixture::SECRET), "{name}");
        }
        assert!(!outline(&plan()).contains("s3cr3t"));
    }
}
