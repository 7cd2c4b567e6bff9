//! `blast report RUN.json`: a saved document as any of the views, offline. Without `-o` and
//! `--csv`: the page.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::outputs::{Format, Outputs};
use super::study::Views;
use super::{print, reason, run, terminal};
use crate::error::{Error, Exit, Result};
use crate::report::document::SCHEMA_NAME;
use crate::report::{
    Document, PageOptions, ab, calibration, ceiling, comparison, ladder, ndjson, page, schema,
    suite, versus,
};
use crate::units::quote;

/// No document is nearly as long: an hour of a second each takes 5 MB.
const MOST: u64 = 256 << 20;

/// What `blast report` takes.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// What `-o RUN.json` or `--json` of a run wrote; - is stdin
    #[arg(value_name = "RUN.json", value_hint = ValueHint::FilePath)]
    #[arg(required_unless_present = "schema")]
    pub document: Option<PathBuf>,

    /// Write the result to FILE.json, .hgrm, .xml (JUnit), .md, .ndjson or, for tables of
    /// CSV, DIR/ (repeatable)
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(alias = "html")]
    pub files: Vec<PathBuf>,

    /// Write tables as Locust does: PREFIX_stats.csv, _failures, _stats_history, _exceptions
    #[arg(long, value_name = "PREFIX", value_hint = ValueHint::FilePath)]
    pub csv: Option<PathBuf>,

    /// Show the full latency spectrum
    #[arg(short = 'L', long)]
    pub latency: bool,

    /// Show the first failures of each kind
    #[arg(short, long)]
    pub verbose: bool,

    /// Print the JSON schema of what `--json` writes: of a run (result), or of another verb
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(schema::names()))]
    #[arg(exclusive = true)]
    pub schema: Option<String>,
}

pub fn run(args: ReportArgs) -> Result<Exit> {
    if let Some(schema) = args.schema.as_deref().and_then(schema::named) {
        return print(schema);
    }
    let saved = Saved::read(args.document.as_deref().unwrap_or(Path::new("")))?;
    draw(
        &saved,
        &Wanted {
            files: &args.files,
            csv: args.csv.as_deref(),
            latency: args.latency,
            verbose: args.verbose,
        },
    )
}

/// What is to be made of a document: these files, or else the page.
pub struct Wanted<'a> {
    pub files: &'a [PathBuf],
    pub csv: Option<&'a Path>,
    pub latency: bool,
    pub verbose: bool,
}

/// A document of any kind as any of its views.
pub fn draw(saved: &Saved, args: &Wanted) -> Result<Exit> {
    let outputs = Outputs::to(args.files, args.csv)?;
    if let Some(log) = outputs.of_format(Format::Hlog).next() {
        return Err(Error::usage(format!(
            "--output: {} is written while a run goes on, a document does not hold it; leave it \
             away",
            quote(&log.to_string_lossy())
        )));
    }
    match saved.schema.as_str() {
        ceiling::SCHEMA_NAME => return again(&super::ceiling::VIEWS, saved, args),
        ladder::SCHEMA_NAME => return again(&super::ladder::VIEWS, saved, args),
        comparison::SCHEMA_NAME => return again(&super::compare::VIEWS, saved, args),
        ab::SCHEMA_NAME => return again(&super::ab::VIEWS, saved, args),
        versus::SCHEMA_NAME => return again(&super::versus::VIEWS, saved, args),
        calibration::SCHEMA_NAME => return again(&super::calibrate::VIEWS, saved, args),
        suite::SCHEMA_NAME => return again(&super::suite::VIEWS, saved, args),
        _ => {}
    }
    let document = saved.result()?;
    if outputs.is_empty() {
        let options = PageOptions {
            spectrum: args.latency,
            verbose: args.verbose,
            color: terminal::color(),
            width: terminal::width(&io::stdout()),
        };
        return print(&page(&document, &options));
    }
    let streams = outputs.of_format(Format::Ndjson).map(|path| ndjson::save(&document, path));
    let saved = outputs.save(&document).into_iter().chain(streams);
    let written = saved.fold(Ok(()), run::keep_first);
    written.map(|()| Exit::Done)
}

/// The document of a study as any of its views.
fn again<D: Serialize + DeserializeOwned + 'static>(
    views: &Views<D>,
    saved: &Saved,
    args: &Wanted,
) -> Result<Exit> {
    if args.csv.is_some() {
        return Err(Error::usage(format!(
            "--csv: {} is of `blast {}`, which has no such tables; leave it away",
            saved.name, views.verb
        )));
    }
    let files = views.accept(args.files)?;
    let document = saved.document()?;
    let written = match files.is_empty() {
        true => views.show(&document, false),
        false => views.save(&document, &files),
    };
    written.map(|()| Exit::Done)
}

/// A saved result; whatever else the file is, one sentence says so.
pub fn read(path: &Path) -> Result<Document> {
    Saved::read(path)?.result()
}

/// A document of blast, of whatever kind.
pub struct Saved {
    /// The file's, in quotes, or the run's number.
    name: String,
    text: Vec<u8>,
    schema: String,
}

/// Which document it is stands first: another one is not worth a list of missing fields.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

impl Saved {
    fn read(path: &Path) -> Result<Saved> {
        let name = quote(&path.to_string_lossy());
        let text = match path == Path::new("-") {
            true => read_all(io::stdin().lock()),
            false => File::open(path).and_then(read_all),
        };
        let text = text.map_err(|error| {
            let reason = reason(&error);
            Error::usage(format!("{name} cannot be read ({reason}); name what `-o RUN.json` wrote"))
        })?;
        Saved::of(name, text)
    }

    pub fn of(name: String, text: Vec<u8>) -> Result<Saved> {
        let Ok(Head { schema }) = serde_json::from_slice(&text) else {
            return Err(Error::usage(format!(
                "{name} is no result of blast; name what `blast -o RUN.json URL` wrote"
            )));
        };
        Ok(Saved { name, text, schema })
    }

    fn result(&self) -> Result<Document> {
        if self.schema != SCHEMA_NAME {
            let found = quote(&self.schema);
            let (kind, _) = SCHEMA_NAME.split_once('/').unwrap_or_default();
            // A later version of the same, or another document of this blast.
            let advice = match self.schema.split_once('/') {
                Some((found, _)) if found == kind => "use the blast that wrote it",
                _ => "name what `blast -o RUN.json URL` wrote",
            };
            return Err(Error::usage(format!(
                "{} is {found} and not `{SCHEMA_NAME}`; {advice}",
                self.name
            )));
        }
        self.document()
    }

    fn document<D: DeserializeOwned>(&self) -> Result<D> {
        serde_json::from_slice(&self.text).map_err(|error| {
            Error::usage(format!(
                "{} is a damaged result ({error}); name the file as `-o RUN.json` wrote it",
                self.name
            ))
        })
    }
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
            let read = Saved::of("`x`".to_string(), text.into()).and_then(|saved| saved.result());
            let what = read.unwrap_err().message;
            assert!(what.starts_with(&format!("`x` {expected}")), "{text}: {what}");
        }
        let hint = |schema: &str| {
            let text = format!("{{\"schema\":\"{schema}\"}}");
            let saved = Saved::of("`x`".to_string(), text.into());
            saved.and_then(|saved| saved.result()).unwrap_err().message
        };
        assert!(hint("blast.result/9").ends_with("; use the blast that wrote it"));
        assert!(hint("blast.versus/1").ends_with("; name what `blast -o RUN.json URL` wrote"));
    }
}
