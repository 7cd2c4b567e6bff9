//! Where the result goes, and how much of it.

use std::path::{Path, PathBuf};

use super::low::LoadArgs;
use crate::error::{Error, Result};
use crate::report::staged;
use crate::units::quote;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// The JSON document alone on stdout, in the page's place.
    pub json_stdout: bool,
    /// Each takes what its extension says; that it is one was checked.
    pub files: Vec<PathBuf>,
    /// The page shows the full latency spectrum.
    pub spectrum: bool,
    /// The page shows the first failures of each kind.
    pub verbose: bool,
    /// What wrk would have printed stands beside it.
    pub as_wrk: bool,
    /// No live line on stderr.
    pub quiet: bool,
}

impl Outputs {
    /// The files that take this format.
    pub fn of_format(&self, format: Format) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().filter(move |file| Format::of(file) == Some(format))
    }

    /// Refuses a file that could not be written, before the run and not after it.
    pub fn of(args: &LoadArgs) -> Result<Outputs> {
        args.output.files.iter().try_for_each(|file| check(file))?;
        Ok(Outputs {
            json_stdout: args.page.json,
            files: args.output.files.clone(),
            spectrum: args.page.latency,
            verbose: args.page.verbose,
            as_wrk: args.page.as_wrk,
            quiet: args.output.quiet,
        })
    }
}

/// What a file is to hold, told by its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The document.
    Json,
    /// The percentile distribution, as HdrHistogram's plotter reads it.
    Hgrm,
    /// HdrHistogram's interval log.
    Hlog,
    /// The page for a browser.
    Html,
    /// The charts alone.
    Svg,
    /// The same in pixels.
    #[cfg(feature = "pictures")]
    Png,
}

impl Format {
    pub fn of(file: &Path) -> Option<Format> {
        let extension = file.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "json" => Some(Format::Json),
            "hgrm" => Some(Format::Hgrm),
            "hlog" => Some(Format::Hlog),
            "html" | "htm" => Some(Format::Html),
            "svg" => Some(Format::Svg),
            #[cfg(feature = "pictures")]
            "png" => Some(Format::Png),
            _ => None,
        }
    }
}

/// Where they are built in.
const PIXELS: &str = if cfg!(feature = "pictures") { "`.png`, " } else { "" };

fn check(file: &Path) -> Result<()> {
    let name = quote(&file.to_string_lossy());
    // "x.json" alone has the empty parent, which is the current directory.
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    if file == Path::new("-") {
        Err(Error::usage("--output: `-` is no file; use `--json` for the document on stdout"))
    } else if Format::of(file).is_none() {
        Err(Error::usage(format!(
            "--output: {name} is not accepted; its name must end in `.json`, `.html`, `.svg`, \
             {PIXELS}`.hgrm` or `.hlog`"
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
