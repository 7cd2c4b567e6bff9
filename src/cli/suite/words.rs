//! What each run of a suite is: the file's keys become words of the command line, so that a run is
//! read, judged and carried out as `blast URL`, `blast run` or `blast ceiling` would. All of it
//! before anything is sent: what is wrong in the last run is told before the first.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::cli::ceiling::{self, CeilingArgs};
use crate::cli::low::{Cli, LoadArgs, Verb};
use crate::cli::run_plan::words::{FileWord, beside, blamed, dropped, of_load, without_flag};
use crate::cli::run_plan::{self, guard};
use crate::cli::{Outputs, Parsed, high, parse};
use crate::error::{Error, Result};
use crate::http::Request;
use crate::plan::file::{Field, LoadSheet, Pairs, Place};
use crate::plan::suite::{Kind, RunSheet, Suite, Written};
use crate::plan::{Expected, Load, Plan, Statuses, Threshold, Warmup, Watch};

/// All runs, and what is asked first.
pub struct Meant {
    pub work: Vec<Work>,
    pub ready: Plan,
    /// Of the readings from the first run to the last.
    pub watch: Watch,
    pub watch_pool: Option<u16>,
}

pub enum Work {
    Load(Box<Loaded>),
    Ceiling(Box<CeilingArgs>),
}

pub struct Loaded {
    pub plan: Plan,
    pub outputs: Outputs,
}

/// What says how a server is reached, and is heeded when it is asked whether it answers.
const WAYS: [&str; 17] = [
    "--unix-socket",
    "--resolve",
    "--connect-to",
    "--ipv4",
    "--ipv6",
    "--bind",
    "--cacert",
    "--cert",
    "--key",
    "--sni",
    "--alpn",
    "--tls-min",
    "--tls-max",
    "--ciphers",
    "--tls-resumption",
    "--insecure",
    "--engine",
];

/// What a search for a ceiling finds out itself.
const SEARCHED: [&str; 12] = [
    "rps",
    "stages",
    "steps",
    "connections_stages",
    "spawn_rate",
    "duration",
    "requests",
    "arrivals",
    "deadline",
    "max_in_flight",
    "at_most",
    "warmup",
];

/// What was typed beside the file.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    pub is_check: bool,
    pub quiet: bool,
    /// A protected target that is meant.
    pub yes: Option<String>,
}

pub fn mean(written: &Written, suite: &Suite, folder: &Path, wishes: &Wishes) -> Result<Meant> {
    let reader = Reader { written, folder, wishes };
    let runs = suite.turns.iter().zip(&written.sheet.runs).enumerate();
    let work = runs.map(|(at, (turn, run))| match (turn.kind, &run.plan) {
        (Kind::Ceiling, _) => reader.ceiling(at, run),
        (Kind::Run, Some(plan)) => reader.plan_file(at, run, plan),
        (Kind::Run, None) => reader.url(at, run),
    });
    let work: Vec<Work> = work.collect::<Result<_>>()?;
    let ready = reader.ready(&work)?;
    let watched = load_args(&reader.read(&reader.monitor(), &[], &Place::top("monitor"))?)?;
    Ok(Meant {
        work,
        ready,
        watch: watched.watch.watch.clone().unwrap_or_default(),
        watch_pool: watched.watch.watch_pool,
    })
}

/// A log that the server is to write is there before the server is: empty.
pub fn make_log(written: &Written, folder: &Path) -> Result<()> {
    let sheet = &written.sheet;
    let Some(text) = sheet.monitor.watch_log.as_deref().filter(|_| sheet.server.before.is_some())
    else {
        return Ok(());
    };
    let place = Place::top("monitor").then("watch_log");
    if log_file(folder, text).is_some() {
        return Ok(());
    }
    let file = folder.join(text.split(':').next().unwrap_or(text));
    let made = fs::File::options().create(true).append(true).open(&file);
    made.map(drop).map_err(|error| {
        let reason = crate::cli::reason(&error);
        let message = format!("the log is not there and cannot be made ({reason}); name another");
        Error { ..written.error(&place, message) }
    })
}

/// The file of `FILE[:REGEX]`, if it is there.
pub fn log_file(folder: &Path, text: &str) -> Option<std::path::PathBuf> {
    let text = folder.join(text).to_string_lossy().into_owned();
    crate::monitor::elsewhere::Log::parse(&text).ok().map(|log| log.file)
}

struct Reader<'a> {
    written: &'a Written,
    folder: &'a Path,
    wishes: &'a Wishes,
}

impl Reader<'_> {
    fn url(&self, at: usize, run: &RunSheet) -> Result<Work> {
        let place = Place::top("runs").then(at);
        let mut words = self.load(at, run, &[])?;
        words.extend(self.request(at, run)?);
        words.extend(self.rules(at, run));
        words.extend(self.monitor());
        let url = self.url_of(at, run)?;
        let cli = self.read(&words, &["blast", &url], &place)?;
        let load = load_args(&cli)?;
        let meant = high::plan(&load).and_then(|mut plan| {
            plan.file = None;
            Ok(Loaded { plan, outputs: Outputs::of(&load)? })
        });
        let loaded = meant.map_err(|error| self.blame(&words, error, &place))?;
        Ok(Work::Load(Box::new(loaded)))
    }

    /// What the plan says is heeded, unless the run says otherwise; the suite's own load is not for
    /// it.
    fn plan_file(&self, at: usize, run: &RunSheet, plan: &str) -> Result<Work> {
        let place = Place::top("runs").then(at);
        let table = place.then("load");
        let mut words = of_load(&run.load, &table, self.folder, &[], &self.refuse())?;
        words.extend(self.headers(at, run));
        words.extend(self.rules(at, run));
        words.extend(self.monitor());
        let mut word = |key: &str, flag: &str, value: &str| {
            words.push(FileWord {
                place: place.then(key),
                flag: flag.to_string(),
                word: format!("{flag}={value}"),
            });
        };
        run.target.iter().for_each(|name| word("target", "--target", name));
        run.vars.iter().for_each(|(name, value)| word("vars", "--var", &format!("{name}={value}")));
        self.wishes.yes.iter().for_each(|name| word("plan", "--yes", name));
        let name = self.folder.join(plan).to_string_lossy().into_owned();
        let url = match (&run.url, &run.target) {
            (None, Some(_)) => None,
            (None, None) => self.written.sheet.url.clone(),
            (Some(_), _) => Some(self.url_of(at, run)?),
        };
        let first = [&["blast", "run", &name][..], &url.as_deref().into_iter().collect::<Vec<_>>()];
        let arguments = arguments(&words, &first.concat());
        let cli = self.read(&words, &first.concat(), &place)?;
        let Some(Verb::Run(typed)) = &cli.verb else { return Err(no_command_line()) };
        let of_file = |error: &Error| error.message.starts_with(&format!("{name}:"));
        let meant = run_plan::mean(typed, &arguments).map_err(|error| match of_file(&error) {
            true => error,
            false => self.blame(&words, error, &place.then("plan")),
        })?;
        guard::pass(&meant).map_err(|error| self.blame(&words, error, &place.then("plan")))?;
        Ok(Work::Load(Box::new(Loaded { plan: meant.plan, outputs: meant.outputs })))
    }

    fn ceiling(&self, at: usize, run: &RunSheet) -> Result<Work> {
        let place = Place::top("runs").then(at);
        let mut words = self.load(at, run, &SEARCHED)?;
        words.extend(self.request(at, run)?);
        words.extend(self.rules(at, run));
        words.extend(run.budget.iter().map(|budget| FileWord {
            place: place.then("budget"),
            flag: "--budget".to_string(),
            word: format!("--budget={budget}"),
        }));
        if self.wishes.quiet {
            words.push(FileWord {
                place: place.clone(),
                flag: "--quiet".to_string(),
                word: "--quiet".to_string(),
            });
        }
        let url = self.url_of(at, run)?;
        let cli = self.read(&words, &["blast", "ceiling", &url], &place)?;
        let Some(Verb::Ceiling(args)) = cli.verb else { return Err(no_command_line()) };
        ceiling::sought(&args, &[]).map_err(|error| self.blame(&words, error, &place))?;
        Ok(Work::Ceiling(args))
    }

    /// One request on one connection, sent again and again until it is answered.
    fn ready(&self, work: &[Work]) -> Result<Plan> {
        let (sheet, place) = (&self.written.sheet, Place::top("ready"));
        let first = sheet.runs.first().filter(|run| run.plan.is_none());
        let url = match (&sheet.ready.url, &sheet.url) {
            (Some(url), _) => Some(self.joined(url, &place.then("url"))?),
            (None, Some(url)) => Some(url.clone()),
            (None, None) => first.map(|run| self.url_of(0, run)).transpose()?,
        };
        let plan = match (url, work.first()) {
            (Some(url), _) => {
                let table = Place::top("load");
                let words = of_load(&sheet.load, &table, self.folder, &[], &self.refuse())?;
                let is_way = |word: &FileWord| WAYS.contains(&&*word.flag);
                let mut words: Vec<FileWord> = words.into_iter().filter(is_way).collect();
                words.extend(self.headers_of(&sheet.headers, &Place::top("headers")));
                let cli = self.read(&words, &["blast", &url], &place)?;
                let plan = high::plan(&load_args(&cli)?);
                plan.map_err(|error| self.blame(&words, error, &place))?
            }
            (None, Some(Work::Load(loaded))) => {
                let url = loaded.plan.url.clone();
                let request = Request::new("GET", &url.target, &url.authority);
                Plan { url, request, ..loaded.plan.clone() }
            }
            (None, _) => return Err(self.written.error(&place, NO_URL)),
        };
        let status = sheet.ready.status.as_ref().map_or("100-599", |status| &status.0);
        let statuses = Statuses::parse(status)
            .map_err(|error| self.written.error(&place.then("status"), error.message))?;
        Ok(Plan {
            scenario: None,
            expected: Expected { statuses: Some(statuses), ..Expected::default() },
            load: Load::CLOSED,
            connections: 1,
            threads: Some(1),
            pipeline: 1,
            warmup: Warmup::NONE,
            duration: None,
            requests: Some(1),
            deadline: None,
            max_in_flight: None,
            at_most: None,
            thresholds: Vec::<Threshold>::new(),
            abort_on: Vec::new(),
            watch: Watch::Off,
            watch_pool: None,
            rating: None,
            ..plan
        })
    }

    /// The suite's load where the run has none of its own; a shape of the run's takes the place of
    /// the suite's, whatever that is.
    fn load(&self, at: usize, run: &RunSheet, unasked: &[&str]) -> Result<Vec<FileWord>> {
        let (folder, refuse) = (self.folder, self.refuse());
        let place = Place::top("runs").then(at);
        let own = of_load(&run.load, &place.then("load"), folder, &[], &refuse)?;
        let typed = load_args(&self.read(&own, &["blast"], &place)?)?;
        let general: &LoadSheet = &self.written.sheet.load;
        let left = [dropped(&typed, general), unasked.to_vec()].concat();
        let mut words = of_load(general, &Place::top("load"), folder, &left, &refuse)?;
        words.extend(own);
        Ok(words)
    }

    fn request(&self, at: usize, run: &RunSheet) -> Result<Vec<FileWord>> {
        let place = Place::top("runs").then(at);
        if run.body.as_deref().is_some_and(|body| body.starts_with('@')) {
            let message =
                "a body from a file is a plan's (`body_file`); write it here, or use `plan`";
            return Err(self.written.error(&place.then("body"), message));
        }
        let word = |key: &str, value: &Option<String>| {
            let flag = format!("--{key}");
            let place = place.then(key);
            value.as_ref().map(|value| FileWord { place, word: format!("{flag}={value}"), flag })
        };
        let mut words = self.headers(at, run);
        words.extend(word("method", &run.method));
        words.extend(word("body", &run.body));
        Ok(words)
    }

    /// The suite's, but for those that the run has as well, and the run's.
    fn headers(&self, at: usize, run: &RunSheet) -> Vec<FileWord> {
        let is_own = |name: &str| run.headers.names().any(|own| own.eq_ignore_ascii_case(name));
        let general = self.written.sheet.headers.iter().filter(|(name, _)| !is_own(name));
        let general: Pairs<Field> =
            general.map(|(name, field)| (name.to_string(), field.clone())).collect();
        let mut words = self.headers_of(&general, &Place::top("headers"));
        let own = Place::top("runs").then(at).then("headers");
        words.extend(self.headers_of(&run.headers, &own));
        words
    }

    fn headers_of(&self, headers: &Pairs<Field>, table: &Place) -> Vec<FileWord> {
        let words = headers.iter().map(|(name, field)| FileWord {
            place: table.then(name),
            flag: "--header".to_string(),
            word: match field {
                Field::Remove => format!("--header={name}:"),
                Field::Send(value) if value.is_empty() => format!("--header={name};"),
                Field::Send(value) => format!("--header={name}: {value}"),
            },
        });
        words.collect()
    }

    fn rules(&self, at: usize, run: &RunSheet) -> Vec<FileWord> {
        let own = Place::top("runs").then(at);
        let general = (&self.written.sheet.thresholds, Place::top("thresholds"));
        let thresholds = run.thresholds.as_ref().map(|rules| (rules, own.then("thresholds")));
        let word = |flag: &str, rule: &String, place: Place| FileWord {
            place,
            flag: flag.to_string(),
            word: format!("{flag}={rule}"),
        };
        let (rules, table) = thresholds.unwrap_or(general);
        let rules = rules.iter().enumerate();
        let rules = rules.map(|(index, rule)| word("--threshold", rule, table.then(index)));
        let table = own.then("abort_on");
        let ends = run.abort_on.iter().enumerate();
        rules.chain(ends.map(|(index, rule)| word("--abort-on", rule, table.then(index)))).collect()
    }

    fn monitor(&self) -> Vec<FileWord> {
        let sheet = &self.written.sheet.monitor;
        let mut read = sheet.clone();
        if self.wishes.is_check && self.written.sheet.server.before.is_some() {
            // What the server is to write may not be there yet.
            read.watch_log = read.watch_log.filter(|log| log_file(self.folder, log).is_some());
        }
        let mut words = beside(&read, self.folder, &LoadArgs::default());
        words.extend(sheet.profile.iter().map(|tool| FileWord {
            place: Place::top("monitor").then("profile"),
            flag: "--profile".to_string(),
            word: format!("--profile={tool}"),
        }));
        words
    }

    fn url_of(&self, at: usize, run: &RunSheet) -> Result<String> {
        let place = Place::top("runs").then(at);
        match (&run.url, &self.written.sheet.url) {
            (Some(url), _) => self.joined(url, &place.then("url")),
            (None, Some(url)) => Ok(url.clone()),
            (None, None) => Err(self.written.error(&place.then("url"), NO_URL)),
        }
    }

    /// A path is of the suite's server.
    fn joined(&self, url: &str, place: &Place) -> Result<String> {
        if !url.starts_with('/') {
            return Ok(url.to_string());
        }
        match &self.written.sheet.url {
            Some(base) => Ok(format!("{}{url}", origin(base))),
            None => Err(self.written.error(
                place,
                "it is a path, and there is no `url` at the top of the file; add it",
            )),
        }
    }

    /// What the command line makes of the words; `first` is what stands before them, and the URL.
    fn read(&self, words: &[FileWord], first: &[&str], place: &Place) -> Result<Cli> {
        let all = parse(&arguments(words, first)).map_err(|error| {
            let verb = if first.get(1) == Some(&"ceiling") { "ceiling" } else { "run" };
            let alone = words.iter().find_map(|word| {
                let alone = ["blast", verb, "localhost", &word.word].map(OsString::from);
                Some((word, parse(&alone).err()?))
            });
            match alone {
                Some((word, error)) => {
                    self.written.error(&word.place, without_flag(&error.message, &word.flag))
                }
                None => self.blame(words, error, place),
            }
        })?;
        match all {
            Parsed::Cli(cli) => Ok(*cli),
            Parsed::Text(_) => Err(no_command_line()),
        }
    }

    fn refuse(&self) -> impl Fn(&Place, &str) -> Error + '_ {
        |place, message| self.written.error(place, message)
    }

    /// An error is told with the line that it is about, or else with the table.
    fn blame(&self, words: &[FileWord], error: Error, place: &Place) -> Error {
        let (place, message) = match blamed(words, &error) {
            Some(word) => (&word.place, without_flag(&error.message, &word.flag)),
            None => (place, &*error.message),
        };
        Error { exit: error.exit, ..self.written.error(place, message) }
    }
}

const NO_URL: &str =
    "there is no URL; add `url = \"http://localhost:8080\"` at the top of the file";

fn no_command_line() -> Error {
    Error::usage("a word of the suite file is a verb; name the URL with its scheme")
}

/// The verb and what it is of, and then the words.
fn arguments(words: &[FileWord], first: &[&str]) -> Vec<OsString> {
    let first = first.iter().map(OsString::from);
    first.chain(words.iter().map(|word| OsString::from(&word.word))).collect()
}

fn load_args(cli: &Cli) -> Result<LoadArgs> {
    match &cli.verb {
        None => Ok(cli.load.clone()),
        Some(_) => Err(no_command_line()),
    }
}

/// Scheme and authority, as they are written.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(text: &str) -> Result<Meant> {
        let written = Written::read("s.toml", text.to_string())?;
        let suite = Suite::of(&written)?;
        mean(&written, &suite, Path::new(""), &Wishes::default())
    }

    fn plan(text: &str) -> Plan {
        match &meant(text).unwrap().work[0] {
            Work::Load(loaded) => loaded.plan.clone(),
            Work::Ceiling(_) => panic!("a ceiling"),
        }
    }

    #[test]
    fn a_run_is_what_the_same_flags_would_make() {
        let plan = plan(
            "url = \"h:8080/base\"\nheaders = { A = \"1\", b = \"2\" }\nthresholds = [\"p99<9ms\"]\n\
             load = { connections = 3, duration = \"5s\", rps = 7 }\n\
             [[runs]]\nname = \"a\"\nurl = \"/x?y=1\"\nheaders = { B = \"3\", User-Agent = false }\n\
             body = \"z\"\nload = { rps = 50 }\n",
        );
        assert_eq!(plan.url.shown, "http://h:8080/x?y=1");
        assert_eq!((plan.connections, plan.load.per_s()), (3, Some(50.0)));
        assert_eq!(plan.request.method, "POST");
        let sent = |name: &str| {
            let all = plan.request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            all.map(|(_, value)| &**value).collect::<Vec<_>>()
        };
        assert_eq!((sent("a"), sent("b"), sent("user-agent")), (vec!["1"], vec!["3"], vec![]));
        assert_eq!(plan.thresholds[0].expr, "p99<9ms");
    }

    #[test]
    fn the_shipped_suite_has_requests_enough_for_its_rules() {
        let text = include_str!("../../../scripts/suites/ci.toml");
        let all = meant(text).unwrap().work;
        let loads = all.iter().filter_map(|work| match work {
            Work::Load(loaded) => Some(&loaded.plan),
            Work::Ceiling(_) => None,
        });
        let steady = loads.filter_map(|plan| Some((plan, plan.load.per_s()?, plan.duration?)));
        for (plan, per_s, duration) in steady {
            let is_of_p99 = plan.thresholds.iter().any(|rule| rule.expr.starts_with("p99"));
            let requests = per_s * duration.as_secs_f64();
            assert!(!is_of_p99 || requests >= 500.0, "{requests} requests have no p99");
        }
    }

    #[test]
    fn a_shape_and_thresholds_of_its_own_take_the_place_of_the_suite_s() {
        let plan = plan(
            "url = \"h\"\nthresholds = [\"p99<9ms\"]\nload = { rps = 7, duration = \"5s\" }\n\
             [[runs]]\nname = \"a\"\nthresholds = []\nload = { stages = [[\"2s\", 10]] }",
        );
        assert!(plan.thresholds.is_empty());
        assert_eq!(plan.duration, Some(crate::time::Nanos::from_secs(2)));
    }

    #[test]
    fn what_is_asked_first_is_one_request_to_the_server_by_its_ways() {
        let ready = |more: &str| {
            let head = "url = \"https://h/base?token=x\"\nheaders = { Key = \"k\" }\n\
                        load = { insecure = true, rps = 50, stages = [] }\n";
            let text = format!("{head}{more}[[runs]]\nname = \"a\"\nload = {{ rps = 1 }}");
            meant(&text.replace(", stages = []", "")).unwrap().ready
        };
        let usual = ready("");
        assert_eq!(usual.url.shown, "https://h/base?token=***");
        assert_eq!((usual.requests, usual.connections, usual.load), (Some(1), 1, Load::CLOSED));
        assert!(usual.expected.judge(503, 0, true).is_none(), "any answer is one");
        let health = ready("[ready]\nurl = \"/health\"\nstatus = 200\n");
        assert_eq!(health.url.shown, "https://h/health");
        assert!(health.expected.judge(503, 0, true).is_some());
    }

    #[test]
    fn what_a_flag_would_refuse_is_told_with_its_line() {
        let mut others = Vec::new();
        for (text, expected) in [
            ("[[runs]]\nname = \"a\"", "s.toml:1:1: there is no URL"),
            ("url = \"h\"\n[[runs]]\nname = \"a\"\nload = { rps = \"x\" }", "s.toml:4:16: "),
            ("url = \"h\"\n[load]\nduration = \"x\"\n[[runs]]\nname = \"a\"", "s.toml:3:12: "),
            (
                "url = \"h\"\nthresholds = [\"p99<9ms\", \"p99<\"]\n[[runs]]\nname = \"a\"",
                "s.toml:2:26: ",
            ),
            (
                "url = \"h\"\n[[runs]]\nname = \"a\"\nload = { arrivals = \"poisson\" }",
                "s.toml:4:21: ",
            ),
            (
                "url = \"h\"\n[[runs]]\nname = \"a\"\nkind = \"ceiling\"\nload = { rps = 5 }",
                "s.toml:5:16: ",
            ),
            (
                "url = \"h\"\n[[runs]]\nname = \"a\"\nkind = \"ceiling\"\nbudget = \"1s\"",
                "takes 10 s at least",
            ),
            ("[[runs]]\nname = \"a\"\nurl = \"/x\"", "s.toml:3:7: it is a path"),
            ("url = \"h\"\n[[runs]]\nname = \"a\"\nplan = \"none.toml\"", "s.toml:4:8: "),
            (
                "url = \"h\"\n[[runs]]\nname = \"a\"\nbody = \"@f\"",
                "s.toml:4:8: a body from a file",
            ),
            ("url = \"h\"\n[ready]\nstatus = \"x\"\n[[runs]]\nname = \"a\"", "s.toml:3:10: "),
        ] {
            let error = meant(text).map(drop).expect_err(text);
            assert_eq!(error.exit, crate::Exit::Usage);
            if !error.message.contains(expected) {
                others.push(format!("{text}\n{expected}\n{}", error.message));
            }
        }
        assert!(others.is_empty(), "{}", others.join("\n\n"));
    }

    #[test]
    fn a_path_is_joined_to_scheme_and_host() {
        for (url, expected) in [
            ("localhost:8080/a/b", "localhost:8080"),
            ("https://u:p@h?x", "https://u:p@h"),
            ("http://[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(origin(url), expected);
        }
    }

    #[test]
    fn the_suites_that_are_shipped_are_valid() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/suites"));
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let files: Vec<_> = files.filter(|file| file.extension().is_some()).collect();
        assert!(files.len() >= 2, "{files:?}");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let name = file.display().to_string();
            let written = Written::read(&name, text).unwrap();
            let suite = Suite::of(&written).unwrap();
            let meant = mean(&written, &suite, folder, &Wishes::default()).unwrap();
            assert_eq!(meant.work.len(), suite.turns.len());
        }
    }
}
