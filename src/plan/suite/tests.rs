//! Suite files: the schema that is shipped, what they mean, and what is said where they are wrong.

use super::*;
use crate::time::Nanos;

fn generated() -> String {
    let mut schema = schemars::schema_for!(SuiteSheet);
    schema.insert("title".into(), "blast.suite_file/1".into());
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

const FULL: &str = r#"
url = "http://localhost:8080"
headers = { X-Key = "{{env.KEY}}", User-Agent = false }
thresholds = ["errors<1%"]

[load]
threads = 1

[monitor]
watch = 8080
watch_log = "app.log:ERROR"

[ready]
url = "/health"
status = 200
timeout = "10s"
every = "100ms"

[server]
before = "./start --workers $WORKERS"
after = ["./stop", "now"]
timeout = 5

[matrix]
WORKERS = [1, 2]
MODE = ["a", "b"]

[[runs]]
name = "smoke"
load = { rps = 10, duration = "5s" }
required = true
pause = "2s"

[[runs]]
name = "users"
plan = "hospital.toml"
target = "staging"
vars = { a = 1 }

[[runs]]
name = "ceiling"
kind = "ceiling"
budget = "1m"
thresholds = ["p99<10ms"]
"#;

fn refusal(text: &str) -> String {
    let read = Written::read("s.toml", text.to_string());
    let error = read.and_then(|written| Suite::of(&written)).expect_err("it was accepted");
    assert_eq!(error.exit, crate::Exit::Usage);
    error.message
}

#[test]
fn the_schema_that_is_shipped_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/plan/suite/suite.schema.json");
    if std::env::var_os("BLAST_GOLDEN").is_some() {
        std::fs::write(path, generated()).unwrap();
        return;
    }
    assert!(generated() == SCHEMA, "BLAST_GOLDEN=write cargo test the_schema writes it anew");
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let full: toml::Table = toml::from_str(FULL).unwrap();
    let full = serde_json::to_value(full).unwrap();
    let errors: Vec<String> = validator.iter_errors(&full).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(!validator.is_valid(&serde_json::json!({ "runs": [{ "nam": "a" }] })));
}

#[test]
fn a_file_says_the_order_the_settings_and_the_times() {
    let written = Written::read("s.toml", FULL.to_string()).unwrap();
    let suite = Suite::of(&written).unwrap();
    let names: Vec<&str> = suite.turns.iter().map(|turn| &*turn.name).collect();
    assert_eq!(names, ["smoke", "users", "ceiling"]);
    assert_eq!(suite.turns[0].pause, Nanos::from_secs(2));
    assert!(suite.turns[0].required && !suite.turns[1].required);
    assert_eq!(suite.turns[2].kind, Kind::Ceiling);
    let shown: Vec<String> = suite.settings.iter().map(Setting::shown).collect();
    assert_eq!(
        shown,
        ["WORKERS=1 MODE=a", "WORKERS=1 MODE=b", "WORKERS=2 MODE=a", "WORKERS=2 MODE=b"]
    );
    assert_eq!(suite.settings[3].folder().as_deref(), Some("WORKERS=2_MODE=b"));
    let times = (suite.ready_within, suite.ready_every, suite.command_limit);
    assert_eq!(times, (Nanos::from_secs(10), Nanos::from_millis(100), Nanos::from_secs(5)));
}

#[test]
fn a_suite_without_a_matrix_has_one_setting_and_the_usual_times() {
    let text = "[[runs]]\nname = \"a/b\"\n[[runs]]\nname = \"..\"";
    let suite = Suite::of(&Written::read("s", text.to_string()).unwrap()).unwrap();
    assert_eq!(suite.settings, [Setting::default()]);
    assert!(!suite.has_matrix() && suite.settings[0].folder().is_none());
    assert_eq!(suite.ready_within, Nanos::from_secs(30));
    let folders: Vec<String> = suite.turns.iter().map(Turn::folder).collect();
    assert_eq!(folders, ["a-b", "-."], "no run leaves its folder");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, expected) in [
        ("url = \"http://localhost/\"", "s.toml:1:1: there are no runs; add [[runs]]"),
        ("runs = []", "s.toml:1:1: there are no runs"),
        ("[[runs]]\nrps = 5", "s.toml:2:1: unknown key \"rps\" in [[runs]]"),
        ("[[runs]]\nload = {}", "the key \"name\" is missing in [[runs]]"),
        ("[[runs]]\nname = \"\"", "s.toml:2:8: a run's name is empty"),
        ("[[runs]]\nname = \"a\"\n[[runs]]\nname = \"a\"", "s.toml:4:8: another run has this name"),
        ("[[runs]]\nname = \"a b\"\n[[runs]]\nname = \"a-b\"", "s.toml:4:8: its folder would be"),
        ("[[runs]]\nname = \"a\"\nkind = \"ramp\"", "s.toml:3:8: \"kind\" is one of \"run\""),
        ("[[runs]]\nname = \"a\"\npause = \"x\"", "s.toml:3:9: "),
        ("[[runs]]\nname = \"a\"\nbudget = \"1m\"", "it is a ceiling's; add kind"),
        ("[[runs]]\nname = \"a\"\nvars = { a = 1 }", "they are a plan file's"),
        ("[matrix]\nN = []\n[[runs]]\nname = \"a\"", "s.toml:2:1: there are no values"),
        ("[matrix]\n\"a b\" = [1]\n[[runs]]\nname = \"a\"", "this is no name of a variable"),
        ("[matrix]\nAPI_KEY = [1]\n[[runs]]\nname = \"a\"", "it sounds like a secret"),
        ("[matrix]\nN = [1, 2]\n[[runs]]\nname = \"a\"", "nothing would differ"),
        ("[matrix]\nN = [1, 1]\n[[runs]]\nname = \"a\"", "two of its values are alike"),
        ("[matrix]\nN = 5\n[[runs]]\nname = \"a\"", "\"N\" takes a list in brackets"),
        ("[server]\nbefore = 5\n[[runs]]\nname = \"a\"", "\"before\" takes a line of the shell"),
        ("[ready]\ntimeout = \"soon\"\n[[runs]]\nname = \"a\"", "s.toml:2:11: "),
    ] {
        let message = refusal(text);
        assert!(message.contains(expected), "{text}\n{message}");
    }
}
