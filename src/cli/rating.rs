//! `--rating`: by which set of measures the run is graded.

use std::path::Path;

use super::source::{Source, Sources};
use crate::error::{Error, Result};
use crate::plan::rating::Set;
use crate::plan::{Load, Scenario};
use crate::units::{nearest, quote};

const FLAG: &str = "--rating";

/// The run has no grade.
const OFF: &str = "off";

/// The set that is meant; what ends in `.toml`, or has a `/` in it, is a file.
pub fn set(typed: Option<&str>, load: &Load, scenario: Option<&Scenario>) -> Result<Option<Set>> {
    let Some(typed) = typed else { return Ok(Some(Set::usual())) };
    if typed == OFF {
        return Ok(None);
    }
    if let Some(set) = Set::named(typed) {
        return Ok(Some(set));
    }
    if !is_file(typed) {
        return Err(unknown(typed));
    }
    let text = Sources::default().text(FLAG, &Source::File(typed.to_string()))?;
    let in_flag = |error: Error| Error { message: format!("{FLAG}: {error}"), ..error };
    let set = Set::read(typed, &text).map_err(in_flag)?;
    let in_file = |error: Error| Error { message: format!("{FLAG}: {typed}: {error}"), ..error };
    set.check(load.stages().len(), scenario).map_err(in_file)?;
    Ok(Some(set))
}

/// A plan file names files beside it.
pub fn in_folder(named: &str, folder: &Path) -> String {
    match is_file(named) {
        true => folder.join(named).to_string_lossy().into_owned(),
        false => named.to_string(),
    }
}

fn is_file(text: &str) -> bool {
    text.ends_with(".toml") || text.contains('/')
}

fn unknown(typed: &str) -> Error {
    let sets = Set::names().into_iter().chain([OFF]);
    let near = nearest(typed, sets.clone()).map(|near| format!("; did you mean `{near}`?"));
    let sets: Vec<&str> = sets.collect();
    Error::usage(format!(
        "{FLAG}: {} is no set of measures; there are {}, or name a file that ends in `.toml`{}",
        quote(typed),
        sets.join(", "),
        near.unwrap_or_default()
    ))
}
