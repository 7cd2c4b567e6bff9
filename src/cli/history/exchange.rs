//! Runs to and from another history, as lines of JSON.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::filter::FilterArgs;
use super::{PlaceArgs, runs};
use crate::cli::{print, reason};
use crate::error::{Error, Exit, Result};
use crate::units::{format_exact, quote};

#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// Where to; - is stdout [default: -]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,

    #[command(flatten)]
    pub filter: FilterArgs,

    #[command(flatten)]
    pub place: PlaceArgs,
}

#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// What `blast history export` wrote; - is stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    #[command(flatten)]
    pub place: PlaceArgs,
}

const STREAM: &str = "-";

pub fn export(args: &ExportArgs) -> Result<Exit> {
    let mut history = args.place.open()?;
    let filter = args.filter.filter();
    let file = args.file.as_deref().filter(|file| *file != Path::new(STREAM));
    let Some(file) = file else {
        let mut stdout = BufWriter::new(io::stdout().lock());
        history.export(&filter, &mut stdout)?;
        stdout.flush().map_err(|error| unwritten("stdout", &error))?;
        return Ok(Exit::Done);
    };
    let name = quote(&file.to_string_lossy());
    let mut options = OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(file);
    let mut to = BufWriter::new(opened.map_err(|error| unwritten(&name, &error))?);
    let count = history.export(&filter, &mut to)?;
    to.flush().map_err(|error| unwritten(&name, &error))?;
    print(&format!("{} written to {name}\n", runs(count)))
}

fn unwritten(name: &str, error: &io::Error) -> Error {
    Error::failed(format!("{name} cannot be written ({}); send it elsewhere", reason(error)))
}

pub fn import(args: &ImportArgs) -> Result<Exit> {
    let imported = match args.file == Path::new(STREAM) {
        true => args.place.create()?.import(&mut io::stdin().lock())?,
        false => {
            let name = quote(&args.file.to_string_lossy());
            let file = File::open(&args.file).map_err(|error| {
                Error::usage(format!(
                    "{name} cannot be read ({}); name what `blast history export` wrote",
                    reason(&error)
                ))
            })?;
            args.place.create()?.import(&mut BufReader::new(file))?
        }
    };
    print(&format!(
        "{} taken in, {} there already\n",
        runs(imported.new),
        format_exact(imported.known)
    ))
}
