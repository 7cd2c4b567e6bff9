//! Where the result goes, and how much of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[cfg(feature = "serve")]
use super::child::Feed;
use super::elsewhere::elsewhere;
use super::groups::LoadArgs;
use super::save::Saving;
use crate::error::{Error, Result};
use crate::monitor::Elsewhere;
use crate::monitor::profile::Tool;
use crate::report::otlp::Endpoint;
use crate::report::views::RESULT;
use crate::report::{Document, csv, staged};
use crate::units::quote;

pub use crate::report::views::Format;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    /// The JSON document alone on stdout, in the page's place.
    pub json_stdout: bool,
    /// Each takes what its extension says; that it is one was checked.
    pub files: Vec<PathBuf>,
    /// Prefixes of tables of CSV; that these can be written was checked.
    pub tables: Vec<PathBuf>,
    /// The page shows the full latency spectrum.
    pub spectrum: bool,
    /// The page shows the first failures of each kind.
    pub verbose: bool,
    /// What wrk would have printed stands beside it.
    pub as_wrk: bool,
    /// No live line on stderr.
    pub quiet: bool,
    /// Where the metrics are served while the run goes on.
    pub prometheus: Option<SocketAddr>,
    /// Where they are sent.
    pub otlp: Option<Endpoint>,
    /// The whole screen in its place.
    pub tui: bool,
    /// What is read beside the load. It may run commands, and is no part of the plan: a plan that
    /// somebody else sends cannot bring any.
    pub elsewhere: Elsewhere,
    /// The profiler of the watched server. It may be a command as well ([`Tool::is_command`]), and
    /// is no part of the plan either.
    pub profile: Option<Tool>,
    /// Where in the history it is kept; `None`: it is not.
    pub save: Option<Saving>,
    /// Who is told of the run as it goes, and steers it: a panel.
    #[cfg(feature = "serve")]
    pub feed: Option<Feed>,
}

impl Outputs {
    /// The files that take this format.
    pub fn of_format(&self, format: Format) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().filter(move |file| Format::of(file) == Some(format))
    }

    /// Refuses a file that could not be written, before the run and not after it.
    pub fn of(args: &LoadArgs) -> Result<Outputs> {
        #[cfg(feature = "tui")]
        if args.page.tui && args.output.quiet {
            return Err(Error::usage("--tui shows the run and --quiet does not; drop one of them"));
        }
        Ok(Outputs {
            json_stdout: args.page.json,
            spectrum: args.page.latency,
            verbose: args.page.verbose,
            as_wrk: args.page.as_wrk,
            quiet: args.output.quiet,
            prometheus: args.output.prometheus,
            otlp: args.output.otlp.clone(),
            #[cfg(feature = "tui")]
            tui: args.page.tui,
            elsewhere: elsewhere(&args.elsewhere)?,
            profile: args.elsewhere.profile.clone(),
            save: args.save.saving()?,
            ..Outputs::to(&args.output.files, args.output.csv.as_deref())?
        })
    }

    /// These files, and tables with this prefix.
    pub fn to(named: &[PathBuf], prefix: Option<&Path>) -> Result<Outputs> {
        let is_folder = |file: &&PathBuf| file.as_os_str().as_encoded_bytes().ends_with(b"/");
        let (folders, files): (Vec<&PathBuf>, Vec<_>) = named.iter().partition(is_folder);
        files.iter().try_for_each(|file| check(file))?;
        let folders = folders.iter().map(|folder| ("--output", folder.join("results")));
        let prefix = prefix.map(|prefix| ("--csv", prefix.to_path_buf()));
        let tables: Vec<_> = folders.chain(prefix).collect();
        tables.iter().try_for_each(|(flag, prefix)| check_tables(flag, prefix))?;
        Ok(Outputs {
            files: files.into_iter().cloned().collect(),
            tables: tables.into_iter().map(|(_, prefix)| prefix).collect(),
            ..Outputs::default()
        })
    }

    /// Nothing goes to a file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.tables.is_empty()
    }

    /// Writes each view of the document that has a file. One that fails does not keep the others
    /// from being written.
    pub fn save(&self, document: &Document) -> Vec<Result<()>> {
        let mut saved = self.save_json(document);
        saved.extend(self.save_views(document));
        saved
    }

    pub fn save_json(&self, document: &Document) -> Vec<Result<()>> {
        self.of_format(Format::Json).map(|path| RESULT.save_one(document, path)).collect()
    }

    /// All but the document itself, and what is written while a run goes on.
    pub fn save_views(&self, document: &Document) -> Vec<Result<()>> {
        const OTHERS: [Format; 3] = [Format::Json, Format::Hlog, Format::Ndjson];
        let is_view =
            |file: &&PathBuf| Format::of(file).is_some_and(|format| !OTHERS.contains(&format));
        let views = self.files.iter().filter(is_view);
        let saved = views.map(|path| RESULT.save_one(document, path));
        saved.chain(self.tables.iter().map(|prefix| csv::save(document, prefix))).collect()
    }
}

/// Where they are built in.
const PIXELS: &str = if cfg!(feature = "pictures") { ", `.png`" } else { "" };

/// As an error lists them.
const ENDINGS: &str = "`.json`, `.html`, `.svg`, `.hgrm`, `.hlog`, `.xml`, `.md`, `.ndjson`";

/// Tables make their folder; what is there of the way to it has to allow that.
fn check_tables(flag: &str, prefix: &Path) -> Result<()> {
    let name = quote(&prefix.to_string_lossy());
    for file in csv::files(prefix) {
        let nearest = file.ancestors().skip(1).find(|folder| folder.exists());
        let nearest = nearest.unwrap_or(Path::new(""));
        if file.is_dir() || nearest.is_file() {
            return Err(Error::usage(format!(
                "{flag}: {name} cannot be the prefix of files; name one in a folder"
            )));
        }
        let probed = if file.parent() == Some(nearest) { file } else { nearest.join("results") };
        staged::probe(&probed).map_err(|error| {
            let reason = super::reason(&error);
            Error::failed(format!(
                "{flag}: {name} cannot be written ({reason}); choose another place"
            ))
        })?;
    }
    Ok(())
}

fn check(file: &Path) -> Result<()> {
    let name = quote(&file.to_string_lossy());
    // "x.json" alone has the empty parent, which is the current directory.
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    if file == Path::new("-") {
        Err(Error::usage("--output: `-` is no file; use `--json` for the document on stdout"))
    } else if Format::of(file).is_none() {
        Err(Error::usage(format!(
            "--output: {name} is not accepted; its name must end in {ENDINGS}{PIXELS}, or for tables of CSV \
             in `/`"
        )))
    } else if file.is_dir() || parent.is_some_and(|parent| !parent.is_dir()) {
        Err(Error::usage(format!(
            "--output: {name} cannot be a file; name one in a directory that exists"
        )))
    } else {
        staged::probe(file).map_err(|error| {
            let reason = super::reason(&error);
            Error::failed(format!(
                "--output: {name} cannot be written ({reason}); choose another place"
            ))
        })
    }
}
