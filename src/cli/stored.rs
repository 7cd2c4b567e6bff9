//! A document that was saved: a file, or the number of a run in the history.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::reason;
use crate::error::{Error, Result};
use crate::report::Document;
use crate::report::document::SCHEMA_NAME;
use crate::report::views::schema_of;
use crate::units::quote;

/// No document is nearly as long: an hour of a second each takes 5 MB.
const MOST: u64 = 256 << 20;

/// Some document of blast.
pub struct Stored {
    /// The file's, in quotes, or the run's.
    pub name: String,
    pub text: Vec<u8>,
    pub schema: String,
}

impl Stored {
    /// What is called so: the file, where there is one, or else the run of that number. `history`:
    /// the file of the history, where one was named.
    pub fn find(word: &Path, history: Option<&Path>) -> Result<Stored> {
        match number(word) {
            None => Stored::read(word),
            Some(id) if word.exists() => {
                // Where stderr is gone, it is read all the same.
                let _ = writeln!(
                    io::stderr(),
                    "blast: {} is read as the file of that name, not as run {id} of the history",
                    quote(&word.to_string_lossy())
                );
                Stored::read(word)
            }
            Some(id) => Stored::of_run(id, history),
        }
    }

    fn read(path: &Path) -> Result<Stored> {
        let name = quote(&path.to_string_lossy());
        let text = match path == Path::new("-") {
            true => read_all(io::stdin().lock()),
            false => File::open(path).and_then(read_all),
        };
        let text = text.map_err(|error| {
            let reason = reason(&error);
            Error::usage(format!("{name} cannot be read ({reason}); name what `-o RUN.json` wrote"))
        })?;
        Stored::of(name, text)
    }

    #[cfg(feature = "history")]
    fn of_run(id: i64, history: Option<&Path>) -> Result<Stored> {
        use crate::history::{History, Status};
        let mut history = History::there(&super::save::place(history)?)?;
        let row = history.show(id)?;
        let text = history.document(id)?.ok_or_else(|| match row.status {
            Status::Pending | Status::Running => {
                Error::usage(format!("run {id} still goes on; ask again when it has ended"))
            }
            _ => Error::usage(format!(
                "run {id} has no result ({}); `blast history` lists the others",
                row.reason.as_deref().unwrap_or("it did not end by itself")
            )),
        })?;
        Stored::of(format!("run {id}"), text)
    }

    #[cfg(not(feature = "history"))]
    fn of_run(id: i64, _: Option<&Path>) -> Result<Stored> {
        Err(Error::usage(format!(
            "`{id}` is no file, and this build has no history; name what `-o RUN.json` wrote"
        )))
    }

    pub fn of(name: String, text: Vec<u8>) -> Result<Stored> {
        let Some(schema) = schema_of(&text) else {
            return Err(Error::usage(format!(
                "{name} is no result of blast; name what `blast -o RUN.json URL` wrote"
            )));
        };
        Ok(Stored { name, text, schema })
    }

    /// The one that a run has.
    pub fn result(&self) -> Result<Document> {
        match self.schema == SCHEMA_NAME {
            true => self.document(),
            false => Err(self.is_no_result()),
        }
    }

    pub fn is_no_result(&self) -> Error {
        let found = quote(&self.schema);
        let (kind, _) = SCHEMA_NAME.split_once('/').unwrap_or_default();
        // A later version of the same, or another document of this blast.
        let advice = match self.schema.split_once('/') {
            Some((found, _)) if found == kind => "use the blast that wrote it",
            _ => "name what `blast -o RUN.json URL` wrote",
        };
        Error::usage(format!("{} is {found} and not `{SCHEMA_NAME}`; {advice}", self.name))
    }

    fn document<D: DeserializeOwned>(&self) -> Result<D> {
        serde_json::from_slice(&self.text).map_err(|error| self.is_damaged(&error.to_string()))
    }

    fn is_damaged(&self, error: &str) -> Error {
        Error::usage(format!(
            "{} is a damaged result ({error}); name the file as `-o RUN.json` wrote it",
            self.name
        ))
    }

    /// What could not be drawn of it, with its name.
    pub fn check<T>(&self, drawn: Result<T>) -> Result<T> {
        drawn.map_err(|error| Error { message: format!("{}: {error}", self.name), ..error })
    }
}

/// Of a run, where it may be one.
fn number(word: &Path) -> Option<i64> {
    let word = word.to_str().filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()))?;
    word.parse().ok()
}

/// What may have no end, such as a device, is given up before it has eaten the memory.
fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    from.take(MOST + 1).read_to_end(&mut text)?;
    match text.len() as u64 > MOST {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is over 256 MB")),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_given_up() {
        let error = read_all(io::repeat(0)).unwrap_err();
        assert_eq!(reason(&error), "it is over 256 MB");
        assert_eq!(read_all(&b"{}"[..]).unwrap(), b"{}");
    }

    #[test]
    fn what_is_no_result_is_said_to_be_none() {
        for (text, expected) in [
            ("", "is no result of blast"),
            ("[1, 2]", "is no result of blast"),
            ("{\"a\":1}", "is no result of blast"),
            ("{\"schema\":\"blast.doctor/1\"}", "is `blast.doctor/1` and not `blast.result/1`"),
            ("{\"schema\":\"blast.result/1\"}", "is a damaged result (missing field"),
        ] {
            let read =
                Stored::of("`x`".to_string(), text.into()).and_then(|stored| stored.result());
            let what = read.unwrap_err().message;
            assert!(what.starts_with(&format!("`x` {expected}")), "{text}: {what}");
        }
        let hint = |schema: &str| {
            let text = format!("{{\"schema\":\"{schema}\"}}");
            let stored = Stored::of("`x`".to_string(), text.into());
            stored.and_then(|stored| stored.result()).unwrap_err().message
        };
        assert!(hint("blast.result/9").ends_with("; use the blast that wrote it"));
        assert!(hint("blast.versus/1").ends_with("; name what `blast -o RUN.json URL` wrote"));
    }

    #[test]
    fn a_run_is_a_number_and_nothing_else_is() {
        let of = |word: &str| number(Path::new(word));
        assert_eq!((of("12"), of("007")), (Some(12), Some(7)));
        for word in ["", "-", "-1", "+1", "1.0", "12.json", "./12", "99999999999999999999"] {
            assert_eq!(of(word), None, "{word}");
        }
    }
}
