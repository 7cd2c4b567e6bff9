//! Plan files: the schema that is shipped, reading back what is written, and what is built.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::error::Error;
use crate::plan::Expected;
use crate::plan::scenario::{Model, Part, Steps, Think};
use crate::time::Nanos;

/// The schema as the types make it.
fn generated() -> String {
    let mut schema = schemars::schema_for!(Sheet);
    schema.insert("title".into(), "blast.plan/1".into());
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

#[test]
fn the_schema_that_is_shipped_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/plan/file/plan.schema.json");
    if std::env::var_os("BLAST_GOLDEN").is_some() {
        std::fs::write(path, generated()).unwrap();
        return;
    }
    assert!(generated() == SCHEMA, "BLAST_GOLDEN=write cargo test the_schema writes it anew");
}

#[test]
fn the_schema_takes_what_the_types_take_and_refuses_what_they_refuse() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let as_json =
        |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    let full = as_json(FULL);
    let errors: Vec<String> = validator.iter_errors(&full).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for wrong in [
        "urll = \"h\"",
        "url = 5",
        "[load]\nrpss = 1",
        "[monitor]\nsamples = { a = \"b\" }",
        "[load]\nrps = true",
        "[[requests]]\nweight = \"x\"",
        "[[requests]]\nweight = -1",
        "[[requests]]\nchecks = [{ json = \"/a\" }]",
        "[session]\norder = \"any\"",
        "[vars]\na = { defalt = 1 }",
        "[targets.a]\nprotected = true",
    ] {
        assert!(!validator.is_valid(&as_json(wrong)), "the schema takes {wrong}");
        assert!(toml::from_str::<Sheet>(wrong).is_err(), "the types take {wrong}");
    }
}

#[test]
fn every_ready_plan_is_valid_by_the_schema() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/plans");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let plans: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    assert!(plans.len() >= 19, "{}", plans.len());
    for plan in plans {
        let text = std::fs::read_to_string(&plan).unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&serde_json::to_value(table).unwrap())
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{plan:?}: {errors:?}");
    }
}

#[test]
fn what_is_written_reads_back_the_same() {
    let sheet: Sheet = toml::from_str(FULL).unwrap();
    let written = toml::to_string(&sheet).unwrap();
    assert!(toml::from_str::<Sheet>(&written).unwrap() == sheet, "{written}");
    assert_eq!(toml::to_string(&Sheet::default()).unwrap(), "");
}

#[test]
fn fields_stay_in_the_order_they_are_written() {
    let sheet: Sheet = toml::from_str(
        "[[requests]]\nheaders = { Z = \"1\", A = \"2\", M = \"\" }\nform = { b = 1, a = true }",
    )
    .unwrap();
    let names: Vec<&str> = sheet.requests[0].headers.names().collect();
    assert_eq!(names, ["Z", "A", "M"]);
    let form: Vec<_> = sheet.requests[0].form.as_ref().unwrap().iter().collect();
    assert_eq!(form, [("b", &Text::from("1")), ("a", &Text::from("true"))]);
}

fn built(text: &str) -> Result<Built, Error> {
    built_with(text, false)
}

fn built_with(text: &str, has_rate: bool) -> Result<Built, Error> {
    let written = Written::read("p.toml", text.to_string())?;
    let around = Around {
        folder: Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plans")),
        base: written.sheet.url.as_deref().unwrap_or("http://h"),
        read: &|_| Err(Error::usage("nothing is read here")),
        env: &|name| (name == "KEY").then(|| "s3cret".to_string()),
        vars: &BTreeMap::new(),
        dress: &|_| Ok(()),
        request_id: None,
        expected: &Expected::default(),
        has_rate,
        has_rule_by_name: false,
        seed: 1,
        is_shown: false,
    };
    build(&written, &around)
}

fn scenario(text: &str) -> std::sync::Arc<crate::plan::Scenario> {
    built(text).unwrap_or_else(|error| panic!("{text}: {error}")).scenario.expect("a scenario")
}

#[test]
fn one_request_that_never_changes_makes_no_scenario() {
    let plain = built("[[requests]]\npath = \"/a?b=c\"\nheaders = { A = \"1\" }").unwrap();
    assert!(plain.scenario.is_none());
    assert_eq!(plain.request.target, "/a?b=c");
    assert_eq!(plain.url.shown, "http://h/a?b=c");
    let body = built("[[requests]]\nbody = \"abc\"\nexpect = { status = 201 }").unwrap();
    assert!(body.scenario.is_none() && body.expected.statuses.is_some());
    assert_eq!((&*body.request.method, &body.request.body[..]), ("POST", &b"abc"[..]));
    for more in [
        "[[requests]]\npath = \"/{{int 1 9}}\"",
        "[[requests]]\nchecks = [{ name = \"a\", contains = \"b\" }]",
        "[[requests]]\ncapture = { a = { header = \"B\" } }",
        "[[requests]]\nheaders = { K = \"{{env KEY}}\" }",
        "[[requests]]\n[session]",
        "[[requests]]\n[[requests]]",
    ] {
        assert!(built(more).unwrap().scenario.is_some(), "{more}");
    }
}

#[test]
fn a_mix_is_of_all_requests_that_are_for_nothing_else() {
    let made = scenario(
        "[[requests]]\nname=\"in\"\ncapture = { t = { json = \"/t\" } }\n[[requests]]\nname=\"a\"\nweight=3\n\
         headers = { T = \"{{capture.t}}\" }\n[[requests]]\nweight=0\n[[requests]]\npath=\"/x\"\n\
         [setup]\nsteps=[\"in\"]",
    );
    let Model::Mix(mix) = &made.model else { panic!("{:?}", made.model) };
    assert_eq!(mix.entries, [(1, 3), (2, 1)]);
    let rows: Vec<_> = made.entries.iter().map(|row| (&*row.name, row.part, row.weight)).collect();
    let expected = [("in", Part::Setup, 0), ("a", Part::Main, 3), ("GET /x", Part::Main, 1)];
    assert_eq!(rows, expected);
    assert_eq!(made.run_setup, [0]);
    assert_eq!(made.captures, ["t"]);
}

#[test]
fn steps_have_think_times_repeats_and_names_of_their_own() {
    let made = scenario(
        "[[requests]]\nname=\"a\"\n[[requests]]\nname=\"b\"\nweight=4\n[session]\nthink=\"1s..3s\"\nrounds=2\n\
         steps=[\"a\", {request=\"a\", repeat=\"1..3\", think=\"exp 2s\", probability=0.5}, \
         {one_of=[\"b\", {request=\"b\", name=\"again\", weight=1, think=0}]}, {steps=[\"a\"], repeat=2}]",
    );
    let Model::Users(flow) = &made.model else { panic!("{:?}", made.model) };
    let names: Vec<&str> = made.entries.iter().map(|row| &*row.name).collect();
    assert_eq!(names, ["a", "a (2)", "b", "again", "a (3)"]);
    let second = Nanos::from_secs(1);
    assert_eq!(flow.rounds, Some(2));
    assert_eq!(flow.steps[0].think, Think::Uniform(second, Nanos::from_secs(3)));
    assert_eq!((flow.steps[1].repeat, flow.steps[1].probability), ((1, 3), 0.5));
    assert_eq!(flow.steps[1].think, Think::Exponential(Nanos::from_secs(2)));
    let Steps::OneOf(either) = &flow.steps[2].what else { panic!() };
    assert_eq!(either.iter().map(|step| step.weight).collect::<Vec<_>>(), [4, 1]);
    assert_eq!(either[1].think, Think::Not);
    assert_eq!((&flow.steps[3].repeat, flow.steps[3].think), (&(2, 2), Think::Not));
    assert!(made.has_cookies && !flow.weighted);
}

#[test]
fn a_base_with_a_path_stands_before_every_path() {
    for (base, path, target) in [
        ("http://h", "", "/"),
        ("http://h/api", "", "/api"),
        ("http://h/api", "path = \"/\"", "/api/"),
        ("http://h/api/", "path = \"/x\"", "/api/x"),
        ("http://h/api", "path = \"x\"", "/api/x"),
        ("h:8080", "path = \"/x y\"", "/x%20y"),
        ("h", "path = \"/a?b=1\"\nquery = { c = \"d&e\", f = 2 }", "/a?b=1&c=d%26e&f=2"),
    ] {
        let made = built(&format!("url = \"{base}\"\n[[requests]]\n{path}")).unwrap();
        assert_eq!(made.request.target, target, "{base} {path}");
    }
}

#[test]
fn defaults_are_for_all_requests_and_each_may_change_them() {
    let made = scenario(
        "[defaults]\nheaders = { A = \"1\", B = \"2\" }\nexpect = { status = 200, size = \"1..\" }\n\
         [[requests]]\nheaders = { a = \"3\", B = false, User-Agent = false, C = \"\" }\n\
         expect = { status = [201, \"3xx\"] }\n[[requests]]\n",
    );
    let fields = |place: usize| {
        let fields = made.requests[place].request.headers.iter();
        fields.map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(fields(0), "Host=h a=3 C=");
    assert!(fields(1).starts_with("Host=h User-Agent=blast/") && fields(1).ends_with(" A=1 B=2"));
    let expected = &made.requests[0].expected;
    assert!(expected.statuses.as_ref().unwrap().has(302) && expected.size.is_some());
    assert!(made.requests[1].expected.statuses.as_ref().unwrap().has(200));
}

#[test]
fn sessions_arrive_by_a_rate_and_users_have_none() {
    let plan = "[[requests]]\n[session]\nmodel = \"sessions\"";
    assert!(matches!(built_with(plan, true).unwrap().scenario.unwrap().model, Model::Sessions(_)));
    assert!(built(plan).is_err());
    assert!(built_with("[[requests]]\n[session]", true).is_err());
}

/// Every key of the format.
const FULL: &str = r#"
url = "http://127.0.0.1:8080"
thresholds = ["p99<500ms"]
abort_on = ["errors>50%"]
outputs = ["run.json"]
[targets.staging]
url = "https://staging.example.com"
protected = true
[vars]
plain = 5
channel = { default = 1, help = "channel to test" }
token = { help = "required" }
[monitor]
watch = 8080
watch_pool = 5432
sample = { db = "psql -tAc 'select 1'" }
scrape = ["http://127.0.0.1:9090/metrics#up"]
watch_log = "app.log:ERROR"
[load]
connections = 64
duration = "30s"
stages = [["30s", "1k"], ["1m", 10000]]
bind = ["127.0.0.1"]
no_keepalive = true
timeout = 2.5
[defaults]
headers = { Accept = "application/json" }
expect = { status = "200" }
[[requests]]
name = "POST /patient"
weight = 25
method = "POST"
path = "/patient"
query = { page = "{{int 1 9}}" }
headers = { X-Key = "{{env API_KEY}}", A = "", Accept = false }
json = { name = "{{choice a b c}}", list = [1, 2.5, true], deep = { a = "b" } }
expect = { status = [200, "3xx"], size = "1k..2k", body = "/regex/" }
checks = [
  { name = "a", json = "/id" }, { name = "b", json = "/id", equals = 5 },
  { name = "c", contains = "ok" }, { name = "d", regex = "id=(\\d+)" },
  { name = "e", header = "Content-Type", contains = "json" },
  { name = "f", status = "200,201" }, { name = "g", size = "..2k" },
  { name = "h", latency = "500ms" },
]
capture = { token = { json = "/token" }, sid = { cookie = "sid" }, next = { header = "Location" }, id = { regex = "id=(\\d+)" } }
[[requests]]
body = "text {{int 1 100}}"
content_type = "text/plain"
[[requests]]
body_file = "x.bin"
template = true
[[requests]]
form = { user = "{{data.users.email}}" }
[[requests]]
multipart = [ { name = "user_id", value = "{{user.id}}" }, { name = "file", file = "voice.ogg", filename = "v.ogg", type = "audio/ogg" } ]
[data.users]
file = "users.csv"
order = "unique"
when_exhausted = "stop"
[mix]
choice = "random"
[session]
model = "sessions"
setup = ["login"]
teardown = ["logout"]
order = "weighted"
think = "1s..3s"
cookies = false
rounds = 5
steps = [
  "list",
  { request = "search", think = "exp 2s", repeat = 3, probability = 0.5, weight = 2, name = "search again" },
  { repeat = "1..3", steps = [ "list" ] },
  { one_of = [ "list", { request = "x" } ] },
]
[setup]
steps = ["admin login"]
[teardown]
steps = ["cleanup"]
[limits]
body = "256k"
"#;

#[test]
fn more_requests_than_there_are_rows_for_are_refused() {
    let plan = |count: usize| -> String {
        (0..count).map(|n| format!("[[requests]]\npath = \"/{n}\"\n")).collect()
    };
    assert!(built(&plan(300)).is_ok());
    let error = built(&plan(10_001)).expect_err("too many").message;
    assert!(error.contains("10001 places") && error.contains("room for 10000"), "{error}");
}
