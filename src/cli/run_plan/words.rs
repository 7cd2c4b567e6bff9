//! `[load]`, `[monitor]`, thresholds and outputs as words of the command line.
//!
//! A typed value wins over the file's. A typed shape of the load takes the place of the file's
//! shape, whatever that is; otherwise the two would only contradict each other.

use std::ffi::OsString;
use std::path::Path;

use crate::cli::low::{Cli, LoadArgs, RunArgs, Verb};
use crate::cli::{Parsed, parse, rating};
use crate::error::{Error, Result};
use crate::monitor::elsewhere::Scrape;
use crate::monitor::profile::Tool;
use crate::plan::file::{LoadSheet, MonitorSheet, Place, Written};

/// A word, and where in the file it comes from.
#[derive(Clone, Debug)]
pub struct FileWord {
    pub place: Place,
    /// `--rps`.
    pub flag: String,
    pub word: String,
}

/// Keys that are other names of flags.
const OTHER_NAMES: [(&str, &str); 3] =
    [("users", "connections"), ("users_stages", "connections_stages"), ("run_time", "duration")];

/// Keys that name files, relative to the plan file.
const FILES: [&str; 3] = ["cacert", "cert", "key"];

/// The key of the one set that a run is graded by; it is no list.
const RATING: &str = "rating";

/// Flags that are given once for each value.
const REPEATED: [&str; 2] = ["resolve", "connect_to"];

/// What stands in the file, but for what was typed.
pub fn of_file(written: &Written, folder: &Path, typed: &LoadArgs) -> Result<Vec<FileWord>> {
    let dropped = dropped(typed, &written.sheet.load);
    let refuse = |place: &Place, message: &str| written.error(place, message);
    let mut words = of_load(&written.sheet.load, &Place::top("load"), folder, &dropped, &refuse)?;
    words.extend(beside(&written.sheet.monitor, folder, typed));
    words.extend(profile(written, typed)?);
    words.extend(lists(written, folder));
    Ok(words)
}

/// A table of flags of a load, but for those that are `dropped`.
pub fn of_load(
    load: &LoadSheet,
    table: &Place,
    folder: &Path,
    dropped: &[&str],
    refuse: &dyn Fn(&Place, &str) -> Error,
) -> Result<Vec<FileWord>> {
    let mut words = Vec::new();
    for (key, values) in values(load) {
        let place = table.then(&*key);
        let other = OTHER_NAMES.iter().find(|(name, _)| *name == key);
        let meant = other.map_or(&*key, |(_, meant)| meant);
        if other.is_some() && values_of(load, meant) {
            let message = format!("`{key}` and `{meant}` are two names of one key; keep one");
            return Err(refuse(&place, &message));
        }
        if dropped.contains(&meant) {
            continue;
        }
        let flag = format!("--{}", meant.replace('_', "-"));
        let in_folder = |value: String| match FILES.contains(&meant) {
            true => folder.join(value).to_string_lossy().into_owned(),
            false => value,
        };
        let values: Vec<String> = values.into_iter().map(in_folder).collect();
        let word = |word: String| FileWord { place: place.clone(), flag: flag.clone(), word };
        match meant {
            _ if values == ["\u{1}"] => words.push(word(flag.clone())),
            _ if REPEATED.contains(&meant) => {
                words.extend(values.iter().map(|value| word(format!("{flag}={value}"))));
            }
            _ => words.push(word(format!("{flag}={}", values.join(",")))),
        }
    }
    Ok(words)
}

/// What is read beside the load. A typed sample or scrape takes the place of the file's of its name;
/// others stand beside them.
pub fn beside(sheet: &MonitorSheet, folder: &Path, typed: &LoadArgs) -> Vec<FileWord> {
    let table = || Place::top("monitor");
    let word = |place: Place, flag: &str, value: &str| FileWord {
        place,
        flag: flag.to_string(),
        word: format!("{flag}={value}"),
    };
    let mut words = Vec::new();
    for (key, value) in [("watch", &sheet.watch), ("watch_pool", &sheet.watch_pool)] {
        let flag = format!("--{}", key.replace('_', "-"));
        words.extend(value.iter().map(|value| word(table().then(key), &flag, &value.0.join(","))));
    }
    for (name, command) in sheet.sample.iter() {
        if !typed.elsewhere.samples.iter().any(|sample| sample.name == name) {
            let value = format!("{name}={command}");
            words.push(word(table().then("sample").then(name), "--sample", &value));
        }
    }
    let is_typed = |text: &str| {
        let meant = Scrape::parse(text);
        meant.is_ok_and(|meant| typed.elsewhere.scrapes.iter().any(|one| one.name == meant.name))
    };
    for (index, text) in sheet.scrape.iter().enumerate().filter(|(_, text)| !is_typed(text)) {
        words.push(word(table().then("scrape").then(index), "--scrape", text));
    }
    if let Some(log) = &sheet.watch_log {
        let log = folder.join(log).to_string_lossy().into_owned();
        words.push(word(table().then("watch_log"), "--watch-log", &log));
    }
    words
}

/// The profiler, unless one was typed. Only one that is known: whoever gets a plan from somebody else
/// gets no command with it that looks into a server.
fn profile(written: &Written, typed: &LoadArgs) -> Result<Option<FileWord>> {
    let Some(tool) = written.sheet.monitor.profile.as_deref() else { return Ok(None) };
    let place = Place::top("monitor").then("profile");
    if Tool::parse(tool).is_ok_and(|tool| tool.is_command()) {
        let message = "a plan names no command that profiles; write \"auto\", \"perf\" or \"py-spy\", or \
                       type the command: --profile 'COMMAND'";
        return Err(written.error(&place, message));
    }
    let (flag, word) = ("--profile".to_string(), format!("--profile={tool}"));
    Ok(typed.elsewhere.profile.is_none().then_some(FileWord { place, flag, word }))
}

/// Thresholds, rules to abort on, outputs: typed ones stand beside them.
fn lists(written: &Written, folder: &Path) -> Vec<FileWord> {
    let sheet = &written.sheet;
    let outputs: Vec<String> =
        sheet.outputs.iter().map(|file| folder.join(file).to_string_lossy().into_owned()).collect();
    let rating: Vec<String> =
        sheet.rating.iter().map(|set| rating::in_folder(set, folder)).collect();
    let lists = [
        ("thresholds", "--threshold", &sheet.thresholds),
        ("abort_on", "--abort-on", &sheet.abort_on),
        ("outputs", "--output", &outputs),
        (RATING, "--rating", &rating),
    ];
    let words = lists.iter().flat_map(|(key, flag, values)| {
        values.iter().enumerate().map(move |(index, value)| FileWord {
            place: if *key == RATING { Place::top(key) } else { Place::top(key).then(index) },
            flag: flag.to_string(),
            word: format!("{flag}={value}"),
        })
    });
    words.collect()
}

/// The keys that are given, and their values; a flag without one has a mark in its place.
fn values(load: &LoadSheet) -> Vec<(String, Vec<String>)> {
    let table = toml::Table::try_from(load).unwrap_or_default();
    let texts = |value: toml::Value| match value {
        toml::Value::String(text) => Some(vec![text]),
        toml::Value::Boolean(true) => Some(vec!["\u{1}".to_string()]),
        toml::Value::Boolean(false) => None,
        toml::Value::Array(items) => Some(
            items.into_iter().map(|item| item.as_str().unwrap_or_default().to_string()).collect(),
        ),
        other => Some(vec![other.to_string()]),
    };
    table.into_iter().filter_map(|(key, value)| Some((key, texts(value)?))).collect()
}

fn values_of(load: &LoadSheet, key: &str) -> bool {
    values(load).iter().any(|(name, _)| name == key)
}

/// The file's keys that what was typed takes the place of.
pub fn dropped(typed: &LoadArgs, file: &LoadSheet) -> Vec<&'static str> {
    const SHAPES: [&str; 5] = ["rps", "stages", "steps", "connections_stages", "spawn_rate"];
    const OF_A_RATE: [&str; 3] = ["arrivals", "deadline", "max_in_flight"];
    let (size, shape) = (&typed.size, &typed.shape);
    let to_rates = !shape.stages.is_empty() || shape.steps.is_some();
    let to_users = !shape.connections_stages.is_empty();
    let spawns = shape.spawn_rate.is_some();
    let file_has_users_stages = file.users_stages.is_some() || file.connections_stages.is_some();
    let mut dropped = Vec::new();
    if size.rps.is_some() || to_rates || to_users || spawns {
        dropped.extend(SHAPES);
    }
    if to_rates || to_users {
        dropped.push("duration");
    }
    if size.rps.is_some() || to_rates {
        dropped.push("at_most");
    }
    if to_users || spawns {
        dropped.extend(OF_A_RATE);
        dropped.push("warmup");
    }
    if to_users || (size.rps.is_some() || to_rates) && file_has_users_stages {
        dropped.push("connections");
    }
    // A number of users is all of them from the start, unless they are spawned.
    if size.connections.is_some() && file_has_users_stages {
        dropped.push("connections_stages");
    }
    let lists = [
        ("bind", !typed.connection.bind.is_empty()),
        ("resolve", !typed.route.resolve.is_empty()),
        ("connect_to", !typed.route.connect_to.is_empty()),
        ("alpn", !typed.tls.alpn.is_empty()),
        ("ciphers", !typed.tls.ciphers.is_empty()),
    ];
    dropped.extend(lists.iter().filter(|(_, is_typed)| *is_typed).map(|(key, _)| *key));
    dropped
}

/// What was typed behind `blast run`, or a verb that carries plans out.
pub fn typed(arguments: &[OsString]) -> Result<RunArgs> {
    match parse(arguments)? {
        Parsed::Cli(cli) => match *cli {
            Cli { verb: Some(Verb::Run(args)), .. } => Ok(*args),
            Cli { verb: Some(Verb::Ceiling(args)), .. } => Ok(args.of_plan()),
            Cli { verb: Some(Verb::Soak(args)), .. } => Ok(args.run),
            _ => Err(Error::usage("this is no plan's command line; write `blast run plan.toml`")),
        },
        Parsed::Text(_) => Err(Error::usage("help was asked for; write `blast run plan.toml`")),
    }
}

/// The file's words, and behind them the typed ones.
pub fn merge(written: &Written, words: &[FileWord], arguments: &[OsString]) -> Result<RunArgs> {
    let mut all: Vec<OsString> = arguments.iter().take(2).cloned().collect();
    all.extend(words.iter().map(|word| OsString::from(&word.word)));
    all.extend(arguments.iter().skip(2).cloned());
    typed(&all).map_err(|error| {
        // The typed ones alone were read before: it is one of the file's.
        let alone = words.iter().find_map(|word| {
            let arguments = ["blast", "run", "plan"].map(OsString::from);
            let arguments = [&arguments[..], &[OsString::from(&word.word)]].concat();
            let error = typed(&arguments).err()?;
            Some(written.error(&word.place, without_flag(&error.message, &word.flag)))
        });
        alone.unwrap_or(error)
    })
}

/// The file is told where to look, not which flag was meant.
pub fn without_flag<'a>(message: &'a str, flag: &str) -> &'a str {
    let rest = message.strip_prefix(flag).and_then(|rest| rest.strip_prefix(": "));
    rest.unwrap_or(message)
}

/// An error of flags that do not go together is told with the first of them that is the file's.
pub fn blame(written: &Written, words: &[FileWord], error: Error) -> Error {
    match blamed(words, &error) {
        Some(word) => {
            let message = without_flag(&error.message, &word.flag);
            Error { exit: error.exit, ..written.error(&word.place, message) }
        }
        None => error,
    }
}

/// The first word that an error of several is about.
pub fn blamed<'a>(words: &'a [FileWord], error: &Error) -> Option<&'a FileWord> {
    let of_rule = words.iter().find(|word| {
        let rule = word.word.strip_prefix(&word.flag).and_then(|rest| rest.strip_prefix('='));
        let is_rule = word.flag == "--threshold" || word.flag == "--abort-on";
        is_rule && rule.is_some_and(|rule| error.message.contains(rule))
    });
    let names = |word: &&FileWord| {
        let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
        error
            .message
            .match_indices(&word.flag)
            .any(|(at, flag)| is_end(error.message[at + flag.len()..].chars().next()))
    };
    of_rule.or_else(|| words.iter().find(names))
}
