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
    /// Each takes the document; the extension, `.json`, was checked.
    pub files: Vec<PathBuf>,
    /// The page shows the full latency spectrum.
    pub spectrum: bool,
    /// What wrk would have printed stands beside it.
    pub as_wrk: bool,
    /// No live line on stderr.
    pub quiet: bool,
}

impl Outputs {
    /// Refuses a file that could not be written, before the run and not after it.
    pub fn of(args: &LoadArgs) -> Result<Outputs> {
        args.output.files.iter().try_for_each(|file| check(file))?;
        Ok(Outputs {
            json_stdout: args.page.json,
            files: args.output.files.clone(),
            spectrum: args.page.latency,
            as_wrk: args.page.as_wrk,
            quiet: args.output.quiet,
        })
    }
}

fn check(file: &Path) -> Result<()> {
    let name = quote(&file.to_string_lossy());
    let json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    // "x.json" alone has the empty parent, which is the current directory.
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    if file == Path::new("-") {
        Err(Error::usage("--output: `-` is no file; use `--json` for the document on stdout"))
    } else if !json {
        Err(Error::usage(format!("--output: {name} is not accepted; its name must end in `.json`")))
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
