//! `--profile`, and `blast profile FILE`: a profile that was taken elsewhere, with the same table.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::{print, reason, terminal};
use crate::engine::helm::Helm;
use crate::error::{Error, Exit, Result};
use crate::metrics::Profile;
use crate::metrics::profile::{Stacks, pstat};
use crate::monitor::profile::{Span, Tool};
use crate::report::{self, PageOptions, document};
#[cfg(feature = "profile")]
use crate::report::{flame, staged};
use crate::units::quote;

/// What `blast profile` takes.
#[derive(Clone, Debug, Args)]
pub struct ProfileArgs {
    /// Collapsed stacks (lines such as `a;b;c 12`), or what Python's cProfile wrote; - is stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Write a flame graph of the stacks to FILE.svg
    #[cfg(feature = "profile")]
    #[arg(short = 'o', long = "output", value_name = "FILE.svg", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Print it as JSON, as it stands in a result
    #[arg(long, short_alias = 'j')]
    pub json: bool,
}

/// The largest file that is read.
const MOST: u64 = 32 << 20;

/// What collapsed stacks are saved as.
const STACKS: [&str; 4] = ["folded", "collapsed", "txt", "stacks"];

pub fn run(args: &ProfileArgs) -> Result<Exit> {
    #[cfg(feature = "profile")]
    args.output.as_deref().map(check).transpose()?;
    let profile = read(&args.file)?;
    #[cfg(feature = "profile")]
    if let Some(file) = &args.output {
        save(&document::Profile::new(&profile), file)?;
    }
    let profile = document::Profile::whole(&profile);
    if args.json {
        let json = serde_json::to_string_pretty(&profile)
            .map_err(|error| Error::failed(format!("the profile has no JSON ({error})")))?;
        return print(&(json + "\n"));
    }
    let options = PageOptions {
        verbose: true,
        color: terminal::color(),
        width: terminal::width(&io::stdout()),
        ..PageOptions::default()
    };
    print(&report::console::profile::page(&profile, &options))
}

fn read(file: &Path) -> Result<Profile> {
    let name = quote(&file.to_string_lossy());
    let bytes = bytes(file).map_err(|error| {
        Error::failed(format!("{name} cannot be read ({}); name a profile", reason(&error)))
    })?;
    if bytes.len() as u64 > MOST {
        return Err(Error::failed(format!("{name} is larger than 32 MB; take a shorter profile")));
    }
    let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
    let profile = match pstat::is_one(&bytes) && !STACKS.contains(&ending) {
        true => pstat::read(&bytes),
        false => std::str::from_utf8(&bytes)
            .map_err(|_| "it is neither text nor a file of cProfile's".to_string())
            .and_then(Stacks::parse)
            .map(|stacks| Profile::of_stacks("stacks", stacks, true)),
    };
    profile.map_err(|why| {
        Error::failed(format!(
            "{name} is no profile that can be read: {why}; give collapsed stacks, or what `python \
             -m cProfile -o FILE` writes"
        ))
    })
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(MOST + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(feature = "profile")]
fn check(file: &Path) -> Result<()> {
    let name = quote(&file.to_string_lossy());
    if file.extension().is_none_or(|ending| ending != "svg") {
        return Err(Error::usage(format!(
            "--output: {name} is not accepted; its name must end in `.svg`"
        )));
    }
    staged::probe(file).map_err(|error| {
        let reason = reason(&error);
        Error::failed(format!(
            "--output: {name} cannot be written ({reason}); choose another place"
        ))
    })
}

#[cfg(feature = "profile")]
fn save(profile: &document::Profile, file: &Path) -> Result<()> {
    match flame::svg(profile) {
        Some(svg) => staged::save(file, svg.as_bytes()),
        None => Err(Error::usage(
            "--output: a file of cProfile's holds no stacks, and a flame graph is made of them; \
             leave it away, or take the profile with py-spy: `py-spy record -f raw`",
        )),
    }
}

/// `--profile` alone stands for whatever this host has: its value may be left away, and what stands
/// behind it then is the URL. (clap would take that for the value.)
pub fn with_value(arguments: &[OsString]) -> Vec<OsString> {
    let is_value = |next: Option<&OsString>| {
        let text = next.and_then(|next| next.to_str());
        text.is_some_and(|text| Tool::parse(text).is_ok())
    };
    let end = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let word = |(place, word): (usize, &OsString)| {
        let alone = place < end && word == FLAG && !is_value(arguments.get(place + 1));
        if alone { OsString::from(format!("{FLAG}={}", Tool::ANY)) } else { word.clone() }
    };
    arguments.iter().enumerate().map(word).collect()
}

const FLAG: &str = "--profile";

/// From when to when measure is, as far as it is known.
pub fn span(helm: &Helm) -> Option<Span> {
    let reach = helm.reach();
    let start = reach.measure?;
    Some(Span { start, end: reach.length.map(|length| start + length) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_s_value_may_be_left_away() {
        for (typed, expected) in [
            (&["--profile"][..], &["--profile=auto"][..]),
            (&["--profile", "http://h/"], &["--profile=auto", "http://h/"]),
            (&["--profile", "perf", "h"], &["--profile", "perf", "h"]),
            (&["--profile", "x {pid}", "h"], &["--profile", "x {pid}", "h"]),
            (&["--profile=py-spy", "h"], &["--profile=py-spy", "h"]),
            (&["--profile", "-c", "3"], &["--profile=auto", "-c", "3"]),
            (&["--", "--profile"], &["--", "--profile"]),
            (&["h"], &["h"]),
        ] {
            let words: Vec<OsString> = typed.iter().map(OsString::from).collect();
            assert_eq!(with_value(&words), expected, "{typed:?}");
        }
    }
}
