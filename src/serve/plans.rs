//! Plans by name or as text, and what such a plan may say: a list of what is allowed, so that a key
//! that a later version adds is refused until somebody thought of it.
//!
//! A text comes from whoever may start runs: it names nothing of the panel's host, no file, no
//! command, no socket, no value of its environment, and no other place to go than the target. A file
//! in the folder of `--plans` was put there by who looks after the host; it may have data beside it,
//! and still runs no command and writes no file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::Value;

use super::refusal::Refusal;
use crate::plan::template::reads_environment;
use crate::units::{nearest, quote};

/// A plan that is there under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub name: String,
    pub text: String,
    /// `None`: it came with blast.
    pub file: Option<PathBuf>,
}

/// Where they are looked for.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    /// Files that end in `.toml`.
    pub folder: Option<PathBuf>,
}

/// Bytes of a plan.
const MOST: u64 = 1 << 20;

/// The most plans that a list shows.
const MOST_NAMES: usize = 1_000;

macro_rules! preset {
    ($name:literal) => {
        ($name, include_str!(concat!("../../scripts/plans/", $name, ".toml")))
    };
}

/// Plans that come with blast, and need nothing beside them.
pub const PRESETS: [(&str, &str); 15] = [
    preset!("telemetry-1"),
    preset!("telemetry-2"),
    preset!("telemetry-3"),
    preset!("telemetry-4"),
    preset!("ladder-light"),
    preset!("ladder-medium"),
    preset!("ladder-heavy"),
    preset!("ladder-extreme"),
    preset!("gateway-50"),
    preset!("gateway-100"),
    preset!("gateway-200"),
    preset!("gateway-1000"),
    preset!("gateway-5000"),
    preset!("hospital-quick"),
    preset!("hospital"),
];

impl Plans {
    /// Its name is one of the list: nothing in it leads elsewhere.
    pub fn named(&self, name: &str) -> Result<Plan, Refusal> {
        if let Some(path) = self.path(name) {
            let text = read(&path).map_err(|error| {
                Refusal::failed(format!("the plan {} cannot be read ({error})", quote(name)))
            })?;
            return Ok(Plan { name: name.to_string(), text, file: Some(path) });
        }
        let preset = PRESETS.iter().find(|(preset, _)| *preset == name);
        if let Some((name, text)) = preset {
            return Ok(Plan { name: name.to_string(), text: text.to_string(), file: None });
        }
        let names = self.names();
        let hint = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "choose one of the list".to_string(),
        };
        Err(Refusal::usage("plan", format!("there is no plan {}", quote(name)), hint))
    }

    /// All of them, those of the folder first.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.files();
        names.sort();
        names.truncate(MOST_NAMES);
        let others = PRESETS.iter().map(|(name, _)| name.to_string());
        let others: Vec<String> = others.filter(|name| !names.contains(name)).collect();
        names.extend(others);
        names
    }

    fn files(&self) -> Vec<String> {
        let entries = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
        let name =
            |file: std::ffi::OsString| Some(file.to_str()?.strip_suffix(".toml")?.to_string());
        names.filter_map(name).filter(|name| !name.starts_with('.')).collect()
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let path = self.folder.as_ref()?.join(format!("{name}.toml"));
        path.is_file().then_some(path)
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    // One more, so that what is too long is seen to be.
    File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    Ok(text)
}

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
    fn the_presets_are_plans_that_anybody_may_send() {
        for (name, text) in PRESETS {
            check_text(text).unwrap_or_else(|refusal| panic!("{name}: {}", refusal.message));
            let plan = Plans::default().named(name).unwrap();
            assert!(plan.text == text && plan.file.is_none());
        }
        assert_eq!(Plans::default().names().len(), PRESETS.len());
        let refusal = Plans::default().named("telemetry-5").unwrap_err();
        assert!(refusal.hint.is_some_and(|hint| hint.contains("telemetry")));
    }

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

    #[test]
    fn a_plan_of_the_folder_comes_before_the_preset_of_its_name() {
        let folder = std::env::temp_dir().join(format!("blast-plans-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("telemetry-1.toml"), "url = \"http://a/\"").unwrap();
        let plans = Plans { folder: Some(folder.clone()) };
        let plan = plans.named("telemetry-1").unwrap();
        assert_eq!((&*plan.text, plan.file.is_some()), ("url = \"http://a/\"", true));
        assert_eq!(plans.names().iter().filter(|name| *name == "telemetry-1").count(), 1);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
