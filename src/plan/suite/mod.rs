//! Suite files: TOML, several runs in order against one server, format `blast.suite_file/1`.
//!
//! [`SuiteSheet`] is the file as it is written; [`Suite`] is what it means, but for what each run
//! sends: its keys are words of the command line, which reads them. Nothing here reads a file.

mod check;
mod sheet;
#[cfg(test)]
mod tests;

pub use check::{Setting, Suite, Turn};
pub use sheet::{CommandSheet, Kind, ReadySheet, RunSheet, ServerSheet, SuiteSheet};

use super::file::Place;
use super::file::read::{explain, located};
use crate::error::{Error, Result};

/// The JSON schema of the format.
pub const SCHEMA: &str = include_str!("suite.schema.json");

/// A suite file, read.
#[derive(Clone, Debug)]
pub struct Written {
    /// As errors name it.
    pub name: String,
    pub text: String,
    pub sheet: SuiteSheet,
}

impl Written {
    pub fn read(name: &str, text: String) -> Result<Written> {
        match toml::from_str(&text) {
            Ok(sheet) => Ok(Written { name: name.to_string(), text, sheet }),
            Err(error) => Err(explain(name, &text, &error)),
        }
    }

    /// An error of what stands at a place.
    pub fn error(&self, place: &Place, message: impl AsRef<str>) -> Error {
        located(&self.name, &self.text, place.find(&self.text).start, message.as_ref())
    }
}
