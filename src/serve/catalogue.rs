//! What there is of plans, for people to choose from: the files of a folder, read when they are asked
//! for, and those that blast brings along.

use std::fs;
use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

use super::plans::PRESETS;
use crate::plan::file::{VarSheet, Word, Written};
use crate::plan::mask::sounds_secret;
use crate::units::{parse_count, parse_duration};

/// More files than this are no list to choose from.
const MOST: usize = 500;

/// No plan that is written by hand is as long.
const LONGEST: u64 = 1 << 20;

/// A plan, as somebody who chooses sees it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PlanRow {
    pub name: String,
    /// The comment that the file begins with, or what is wrong with it.
    pub description: Option<String>,
    pub is_usable: bool,
    pub variables: Vec<Variable>,
    /// Where the plan says so in figures.
    pub connections: Option<u64>,
    pub rps: Option<f64>,
    pub duration_s: Option<f64>,
    /// As `--stages` takes it.
    pub stages: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Variable {
    pub name: String,
    /// None: it has to be given, or it is a secret.
    pub default: Option<String>,
    pub is_secret: bool,
    pub help: Option<String>,
}

/// Those that blast brings along.
pub fn ready() -> Vec<PlanRow> {
    PRESETS.iter().map(|(name, text)| row(name, text.to_string())).collect()
}

/// Those of a folder, by name.
pub fn of_folder(folder: &Path) -> Vec<PlanRow> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let mut files: Vec<_> = files.filter(|path| path.is_file()).take(MOST).collect();
    files.sort();
    files.iter().filter_map(|path| of_file(path)).collect()
}

fn of_file(path: &Path) -> Option<PlanRow> {
    let name = path.file_stem()?.to_str()?;
    let is_short = fs::metadata(path).is_ok_and(|file| file.len() <= LONGEST);
    let text = is_short.then(|| fs::read_to_string(path).ok()).flatten();
    Some(match text {
        Some(text) => row(name, text),
        None => unusable(name, "it cannot be read".to_string()),
    })
}

fn row(name: &str, text: String) -> PlanRow {
    let written = match Written::read(&format!("{name}.toml"), text) {
        Ok(written) => written,
        Err(error) => return unusable(name, error.message),
    };
    let load = &written.sheet.load;
    let connections = load.connections.as_ref().or(load.users.as_ref());
    PlanRow {
        name: name.to_string(),
        description: written.comment(),
        is_usable: true,
        variables: written.sheet.vars.iter().map(|(name, sheet)| variable(name, sheet)).collect(),
        connections: first(connections).and_then(|text| parse_count(text).ok()),
        rps: first(load.rps.as_ref()).and_then(|text| parse_count(text).ok()).map(|n| n as f64),
        duration_s: first(load.duration.as_ref()).and_then(seconds),
        stages: load.stages.as_ref().map(|word| word.0.join(",")),
    }
}

fn unusable(name: &str, why: String) -> PlanRow {
    PlanRow {
        name: name.to_string(),
        description: Some(why),
        is_usable: false,
        variables: Vec::new(),
        connections: None,
        rps: None,
        duration_s: None,
        stages: None,
    }
}

fn variable(name: &str, sheet: &VarSheet) -> Variable {
    let is_secret = sounds_secret(name);
    let default = sheet.default_value().filter(|_| !is_secret).map(str::to_string);
    Variable { name: name.to_string(), default, is_secret, help: sheet.help().map(str::to_string) }
}

fn first(word: Option<&Word>) -> Option<&str> {
    word?.0.first().map(String::as_str)
}

fn seconds(text: &str) -> Option<f64> {
    parse_duration(text).ok().map(|length| length.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ready_plan_says_what_it_is_and_asks_for() {
        let rows = ready();
        for row in &rows {
            assert!(row.is_usable && row.description.is_some(), "{row:?}");
        }
        let figures = |row: &PlanRow| (row.connections, row.rps, row.duration_s);
        // SEEDS: the four levels of the telemetry guide.
        assert_eq!(
            rows.iter().take(4).map(figures).collect::<Vec<_>>(),
            [
                (Some(10), Some(100.0), Some(60.0)),
                (Some(25), Some(500.0), Some(120.0)),
                (Some(50), Some(1_000.0), Some(60.0)),
                (Some(100), Some(5_000.0), Some(60.0)),
            ]
        );
        let [channel, key] = &rows[0].variables[..] else { panic!("{rows:?}") };
        assert_eq!((&*channel.name, channel.default.as_deref()), ("channel", Some("1")));
        assert_eq!((key.is_secret, key.default.as_deref()), (true, None));
    }

    #[test]
    fn plans_of_a_folder_are_listed_and_a_wrong_one_says_what_is_wrong() {
        let folder = std::env::temp_dir().join(format!("blast-plans-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("b.toml"), "# Good.\nurl = \"http://h\"\n").unwrap();
        fs::write(folder.join("a.toml"), "urrl = 1\n").unwrap();
        fs::write(folder.join("c.txt"), "").unwrap();
        let rows = of_folder(&folder);
        fs::remove_dir_all(&folder).unwrap();
        let [a, b] = &rows[..] else { panic!("{rows:?}") };
        assert!(
            !a.is_usable && a.description.as_ref().unwrap().contains("a.toml:1:1: unknown key")
        );
        assert_eq!((&*b.name, b.description.as_deref()), ("b", Some("Good.")));
        assert!(of_folder(&folder).is_empty());
    }
}
