//! `blast import`: a recording or a description of another tool, as a plan file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::ValueHint;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{print, reason};
use crate::error::{Error, Exit, Result};
use crate::plan::import::{Format, Imported, Refusal, Wishes, import};
use crate::units::quote;

/// The most that is read.
const MOST: u64 = 256 << 20;

#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// A HAR, vegeta targets, a list of URLs, a Postman collection or an OpenAPI document; - is
    /// stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Write the plan to this file [default: stdout]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Format, where the file does not show it: har, vegeta, vegeta-json, urls, postman, openapi
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    #[arg(hide_possible_values = true)]
    pub from: Option<Format>,

    /// Write credentials into the plan, instead of {{env NAME}}
    #[arg(long)]
    pub keep_secrets: bool,
}

pub fn run(args: ImportArgs) -> Result<Exit> {
    let bytes = read(&args.file)?;
    let source = if is_stdin(&args.file) { "stdin".into() } else { name_of(&args.file) };
    let wishes = Wishes {
        format: args.from,
        source: source.clone(),
        keep_secrets: args.keep_secrets,
        folder: folder(args.output.as_deref()),
    };
    let imported = import(&bytes, &wishes).map_err(|refusal| complaint(&source, &refusal))?;
    for note in &imported.notes {
        let _ = writeln!(io::stderr(), "blast import: {note}");
    }
    match &args.output {
        Some(output) => write(output, &imported),
        None if !imported.files.is_empty() => Err(Error::usage(format!(
            "{source}: it has a body that is no text, which stands in a file beside the plan; \
             write both with `-o plan.toml`"
        ))),
        None => print(&imported.plan),
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).map(|name| {
        let named = Format::ALL.into_iter().find(|format| format.name() == name);
        named.expect("clap takes none but these names")
    })
}

/// `FILE:LINE: what was expected`, as compilers and editors have it.
fn complaint(source: &str, refusal: &Refusal) -> Error {
    let message = &refusal.message;
    Error::usage(match refusal.line {
        Some(line) => format!("{source}:{line}: {message}"),
        None => format!("{source}: {message}"),
    })
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn name_of(file: &Path) -> String {
    quote(&file.to_string_lossy()).trim_matches('`').to_string()
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = match is_stdin(file) {
        true => io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes),
        false => File::open(file).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)),
    };
    if let Err(error) = read {
        let (name, reason) = (name_of(file), reason(&error));
        return Err(Error::usage(format!(
            "{name} cannot be read ({reason}); check the name and its permissions"
        )));
    }
    if bytes.len() as u64 > MOST {
        return Err(Error::usage(format!(
            "{} is over 256 MB; cut it, a part has the same requests",
            name_of(file)
        )));
    }
    Ok(bytes)
}

/// Where relative names of files lead, if not beside the plan.
fn folder(output: Option<&Path>) -> Option<String> {
    let here = std::env::current_dir().ok()?;
    let beside = output.and_then(Path::parent).filter(|parent| !parent.as_os_str().is_empty())?;
    let is_here = fs::canonicalize(beside).is_ok_and(|beside| beside == here);
    (!is_here).then(|| here.to_string_lossy().into_owned())
}

fn write(output: &Path, imported: &Imported) -> Result<Exit> {
    let beside = output.parent().unwrap_or(Path::new(""));
    let bodies = imported.files.iter().map(|(name, bytes)| (beside.join(name), bytes.as_slice()));
    let plan = (output.to_path_buf(), imported.plan.as_bytes());
    for (file, bytes) in bodies.chain([plan]) {
        fs::write(&file, bytes).map_err(|error| {
            let (name, reason) = (name_of(&file), reason(&error));
            Error::failed(format!(
                "{name} cannot be written ({reason}); check the folder and its permissions"
            ))
        })?;
    }
    Ok(Exit::Done)
}
