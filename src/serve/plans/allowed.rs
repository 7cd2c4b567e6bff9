//! What a plan of a panel may say: a list of what is allowed, so that a key that a later version adds
//! is refused until somebody thought of it.
//!
//! A text comes from whoever may start runs: it names nothing of the panel's host, no file, no
//! command, no socket, no value of its environment, and no other place to go than the target. A file
//! in the folder of `--plans` was put there by who looks after the host; it may have data beside it,
//! and still runs no command and writes no file.

use toml::Value;

use super::MOST;
use crate::plan::template::reads_environment;
use crate::serve::refusal::Refusal;
use crate::units::quote;

/// Refuses a text that says more than it may.
pub fn check_text(text: &str) -> Result<(), Refusal> {
    let table = parse(text)?;
    let looked = Look { where_from: "here", reads_environment: false };
    looked.keys(&table, &OF_TEXT, "")
}

/// The same of a file of the folder.
pub fn check_file(text: &str) -> Result<(), Refusal> {
    let table = parse(text)?;
    let looked = Look { where_from: "a panel", reads_environment: true };
    looked.keys(&table, &OF_FILE, "")
}

fn parse(text: &str) -> Result<toml::Table, Refusal> {
    if text.len() as u64 > MOST {
        return Err(Refusal::usage("plan_text", "the plan is over 1 MB", "make it shorter"));
    }
    // What is wrong with it is said by who reads plans.
    Ok(toml::from_str(text).unwrap_or_default())
}

/// What a value may be.
enum Shape {
    /// No keys of its own, or such as go to the target.
    Any,
    /// A table of these, or a list of such tables.
    Of(Keys),
    /// A table of whatever names, each of which is this.
    Each(&'static Shape),
}

type Keys = &'static [(&'static str, &'static Shape)];

static ANY: Shape = Shape::Any;
static EACH: Shape = Shape::Each(&ANY);
static EXPECT: Shape = Shape::Of(&[("status", &ANY), ("size", &ANY), ("body", &ANY)]);
static DEFAULTS: Shape = Shape::Of(&[("headers", &EACH), ("expect", &EXPECT)]);
static ONCE: Shape = Shape::Of(&[("steps", &ANY)]);
static MIX: Shape = Shape::Of(&[("choice", &ANY)]);
static VARS: Shape = Shape::Each(&VAR);
static VAR: Shape = Shape::Of(&[("default", &ANY), ("help", &ANY)]);
static CHECKS: Shape = Shape::Of(&[
    ("name", &ANY),
    ("json", &ANY),
    ("header", &ANY),
    ("equals", &ANY),
    ("contains", &ANY),
    ("regex", &ANY),
    ("status", &ANY),
    ("size", &ANY),
    ("latency", &ANY),
]);
static CAPTURES: Shape = Shape::Each(&CAPTURE);
static CAPTURE: Shape =
    Shape::Of(&[("json", &ANY), ("header", &ANY), ("cookie", &ANY), ("regex", &ANY)]);
static PARTS: Shape =
    Shape::Of(&[("name", &ANY), ("value", &ANY), ("filename", &ANY), ("type", &ANY)]);
static PARTS_OF_FILES: Shape = Shape::Of(&[
    ("name", &ANY),
    ("value", &ANY),
    ("filename", &ANY),
    ("type", &ANY),
    ("file", &ANY),
]);
static STEPS: Shape = Shape::Of(&[
    ("request", &ANY),
    ("name", &ANY),
    ("think", &ANY),
    ("repeat", &ANY),
    ("probability", &ANY),
    ("weight", &ANY),
    ("steps", &STEPS),
    ("one_of", &STEPS),
]);
static SESSION: Shape = Shape::Of(&[
    ("model", &ANY),
    ("setup", &ANY),
    ("teardown", &ANY),
    ("order", &ANY),
    ("think", &ANY),
    ("cookies", &ANY),
    ("rounds", &ANY),
    ("steps", &STEPS),
]);

macro_rules! request {
    ($($more:expr),*) => {
        Shape::Of(&[
            ("name", &ANY),
            ("weight", &ANY),
            ("method", &ANY),
            ("path", &ANY),
            ("query", &EACH),
            ("headers", &EACH),
            ("body", &ANY),
            ("json", &ANY),
            ("form", &EACH),
            ("content_type", &ANY),
            ("expect", &EXPECT),
            ("checks", &CHECKS),
            ("capture", &CAPTURES),
            $($more),*
        ])
    };
}
static REQUEST: Shape = request!(("multipart", &PARTS));
static REQUEST_OF_FILES: Shape =
    request!(("multipart", &PARTS_OF_FILES), ("body_file", &ANY), ("template", &ANY));

macro_rules! load {
    ($($more:expr),*) => {
        Shape::Of(&[
            ("users", &ANY),
            ("connections", &ANY),
            ("rps", &ANY),
            ("duration", &ANY),
            ("run_time", &ANY),
            ("requests", &ANY),
            ("warmup", &ANY),
            ("drain", &ANY),
            ("stages", &ANY),
            ("steps", &ANY),
            ("arrivals", &ANY),
            ("seed", &ANY),
            ("connections_stages", &ANY),
            ("users_stages", &ANY),
            ("spawn_rate", &ANY),
            ("at_most", &ANY),
            ("deadline", &ANY),
            ("max_in_flight", &ANY),
            ("timeout", &ANY),
            ("request_id", &ANY),
            ("group_by", &ANY),
            ("connect_timeout", &ANY),
            ("pipeline", &ANY),
            ("requests_per_connection", &ANY),
            ("connect_rate", &ANY),
            ("no_keepalive", &ANY),
            ("sni", &ANY),
            ("alpn", &ANY),
            ("tls_min", &ANY),
            ("tls_max", &ANY),
            ("ciphers", &ANY),
            ("tls_resumption", &ANY),
            ("insecure", &ANY),
            $($more),*
        ])
    };
}
static LOAD: Shape = load!();
static LOAD_OF_FILE: Shape = load!(
    ("ipv4", &ANY),
    ("ipv6", &ANY),
    ("cacert", &ANY),
    ("cert", &ANY),
    ("key", &ANY),
    ("ktls", &ANY),
    ("threads", &ANY),
    ("engine", &ANY),
    ("wait", &ANY),
    ("pin", &ANY)
);

macro_rules! top {
    ($load:expr, $request:expr $(, $more:expr)*) => {
        Shape::Of(&[
            ("url", &ANY),
            ("thresholds", &ANY),
            ("abort_on", &ANY),
            ("vars", &VARS),
            ("load", $load),
            ("defaults", &DEFAULTS),
            ("setup", &ONCE),
            ("teardown", &ONCE),
            ("mix", &MIX),
            ("session", &SESSION),
            ("requests", $request),
            $($more),*
        ])
    };
}
static OF_TEXT: Shape = top!(&LOAD, &REQUEST);
static OF_FILE: Shape = top!(
    &LOAD_OF_FILE,
    &REQUEST_OF_FILES,
    ("rating", &ANY),
    ("targets", &EACH),
    ("limits", &EACH),
    ("data", &EACH)
);

struct Look {
    where_from: &'static str,
    reads_environment: bool,
}

impl Look {
    fn keys(&self, table: &toml::Table, shape: &Shape, place: &str) -> Result<(), Refusal> {
        for (key, value) in table {
            let within = match shape {
                Shape::Any => &ANY,
                Shape::Each(each) => each,
                Shape::Of(keys) => match keys.iter().find(|(name, _)| name == key) {
                    Some((_, shape)) => shape,
                    None => return Err(self.refused(key, place)),
                },
            };
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            self.text(key, &place)?;
            self.value(value, within, &place)?;
        }
        Ok(())
    }

    fn value(&self, value: &Value, shape: &Shape, place: &str) -> Result<(), Refusal> {
        match value {
            Value::Table(table) => self.keys(table, shape, place),
            Value::Array(items) => items.iter().try_for_each(|item| self.value(item, shape, place)),
            Value::String(text) => self.text(text, place),
            _ => Ok(()),
        }
    }

    fn refused(&self, key: &str, place: &str) -> Refusal {
        let key = quote(key);
        let place = if place.is_empty() { String::new() } else { format!(" in {}", quote(place)) };
        Refusal::usage(
            "plan_text",
            format!("a plan from {} takes no {key}{place}", self.where_from),
            "drop it: such a plan names no file, command or socket of the panel's host, and no \
             other place to go than the target",
        )
    }

    fn text(&self, text: &str, place: &str) -> Result<(), Refusal> {
        if self.reads_environment || !reads_environment(text) {
            return Ok(());
        }
        Err(Refusal::usage(
            "plan_text",
            format!("{} reads the environment of the panel's host", quote(place)),
            "make it a variable: {{var.NAME}}",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_nothing_of_the_panels_host() {
        for text in [
            "outputs = [\"/tmp/a.json\"]",
            "rating = \"/etc/limits.toml\"",
            "[monitor]\nprofile = \"perf\"",
            "[monitor.sample]\na = \"id\"",
            "[monitor]\nwatch_log = \"/etc/passwd\"",
            "[monitor]\nscrape = [\"http://10.0.0.1/#a\"]",
            "[monitor]\nwatch = \"cgroup:/a\"",
            "[data.a]\nfile = \"/etc/passwd\"",
            "[targets.a]\nurl = \"http://10.0.0.1/\"",
            "[load]\nunix_socket = \"/run/docker.sock\"",
            "[load]\nresolve = \"h:80:10.0.0.1\"",
            "[load]\nconnect_to = \"::10.0.0.1:80\"",
            "[load]\ndns_refresh = \"1s\"",
            "[load]\ncacert = \"a\"",
            "[load]\ncert = \"a\"",
            "[load]\nkey = \"a\"",
            "[load]\nbind = \"10.0.0.1\"",
            "[load]\npin = \"0\"",
            "[[requests]]\nbody_file = \"/etc/passwd\"",
            "[[requests]]\nmultipart = [{ name = \"a\", file = \"/etc/passwd\" }]",
            "[[requests]]\npath = \"/{{env HOME}}\"",
            "[[requests]]\njson = { a = [{ b = \"{{ env HOME }}\" }] }",
            "[[requests]]\nheaders = { A = \"{{env \\\"HOME\\\"}}\" }",
            "[session]\nsteps = [{ one_of = [{ run = \"id\" }] }]",
            "something = 1",
        ] {
            let refusal = check_text(text).expect_err(text);
            assert_eq!(refusal.status, 422, "{text}");
            assert!(refusal.hint.is_some(), "{text}");
        }
    }

    #[test]
    fn what_only_goes_to_the_target_is_taken() {
        let text = r#"
            thresholds = ["p99<1ms"]
            [vars]
            a = { default = 1, help = "environment" }
            [load]
            rps = 5
            [[requests]]
            name = "environment"
            json = { file = "a", command = { b = "{{var.a}} {{\"{{env\"}}" } }
            headers = { File = "x" }
            multipart = [{ name = "a", value = "b", filename = "c" }]
            checks = [{ name = "a", json = "/env" }]
            capture = { token = { json = "/token" } }
            [session]
            steps = ["environment", { steps = [{ request = "environment" }], repeat = 2 }]
        "#;
        assert!(toml::from_str::<toml::Table>(text).is_ok());
        check_text(text).unwrap();
    }

    #[test]
    fn a_file_of_the_folder_has_data_and_runs_nothing() {
        check_file("[data.a]\nfile = \"a.csv\"\n[[requests]]\npath = \"/{{env A}}\"").unwrap();
        for text in [
            "outputs = [\"a.json\"]",
            "[monitor.sample]\na = \"id\"",
            "[monitor]\nprofile = \"perf\"",
            "[load]\nunix_socket = \"/run/docker.sock\"",
            "[load]\nresolve = \"h:80:10.0.0.1\"",
        ] {
            assert!(check_file(text).is_err(), "{text}");
        }
    }
}
