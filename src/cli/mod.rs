//! The command line: words -> `Plan` -> call -> exit code.
//!
//! Two steps: `low` is what was typed, `high` what it means. Then one file a verb. Nothing below
//! this layer reads arguments or the environment, or prints.

pub mod low;
#[cfg_attr(not(feature = "history"), path = "unsaved.rs")]
pub mod save;
pub mod shapes;

mod ab;
mod baseline;
mod beside;
mod broadcast;
mod calibrate;
mod calibrated;
mod ceiling;
mod checkpoint;
#[cfg(feature = "serve")]
mod child;
mod compare;
mod complaint;
mod cookie;
mod curl;
mod demo;
#[cfg(feature = "serve")]
pub mod desk;
mod doctor;
mod elsewhere;
#[cfg(feature = "serve")]
mod errand;
mod form;
mod groups;
mod help;
mod high;
#[cfg(feature = "history")]
mod history;
mod import;
mod ladder;
mod live;
mod load;
mod man;
mod monitor;
mod outputs;
mod overload;
mod profile;
mod rating;
mod report;
mod request;
mod route;
mod run;
mod run_plan;
#[cfg(feature = "tui")]
mod screen;
#[cfg(feature = "serve")]
mod serve;
mod soak;
mod source;
mod stored;
mod study;
mod suite;
mod target;
mod terminal;
mod tls;
mod values;
mod varying;
mod versus;
mod wish;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::FromArgMatches;
use clap_complete::Shell;

use crate::engine::stop;
use crate::error::{Error, Exit, Result, reason};
use low::{Cli, Verb};

pub use high::plan;
pub use outputs::Outputs;
pub use run_plan::plan as plan_of_file;
pub use values::Header;

/// The program: reads the arguments, does what they ask, and says how it went.
pub fn main() -> ExitCode {
    stop::survive_file_limits();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    #[cfg(feature = "serve")]
    if arguments.len() == 2 && arguments[1] == child::WORD {
        return ExitCode::from(child::main().code());
    }
    let exit = parse(&arguments).and_then(|parsed| match parsed {
        Parsed::Cli(cli) => dispatch(*cli, &arguments),
        Parsed::Text(text) => print(&text),
    });
    let exit = exit.unwrap_or_else(|error| {
        // Where stderr is gone, the exit code still tells.
        let _ = writeln!(std::io::stderr(), "blast: {error}");
        error.exit
    });
    ExitCode::from(exit.code())
}

/// What the arguments come to.
#[derive(Debug)]
pub enum Parsed {
    /// To be meant and done.
    Cli(Box<Cli>),
    /// Help or version, to be printed.
    Text(String),
}

/// Reads the arguments, the program's name first, and does nothing yet. Whatever they are, the error
/// is one sentence.
pub fn parse(arguments: &[OsString]) -> Result<Parsed> {
    if let Some(word) = arguments.get(1).and_then(|word| word.to_str()) {
        complaint::refuse_later_verb(word)?;
        if word == "help" {
            return Ok(Parsed::Text(help::command(false).render_help().to_string()));
        }
    }
    let arguments = &save::with_value(&profile::with_value(arguments));
    let brief = arguments.iter().any(|argument| argument == "-h");
    let matches = help::command(brief).try_get_matches_from(arguments);
    match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => Ok(Parsed::Cli(Box::new(cli))),
        Err(error) if error.exit_code() == 0 => Ok(Parsed::Text(error.render().to_string())),
        Err(error) => Err(complaint::from_clap(&error)),
    }
}

fn dispatch(cli: Cli, arguments: &[OsString]) -> Result<Exit> {
    match cli.verb {
        None => run::run(high::plan(&cli.load)?, Outputs::of(&cli.load)?),
        Some(Verb::Run(args)) => run_plan::run(&args, arguments),
        Some(Verb::Target(args)) => target::run(args),
        Some(Verb::Demo(args)) => demo::run(args),
        Some(Verb::Ab(args)) => ab::run(&args),
        Some(Verb::Calibrate(args)) => calibrate::run(&args, arguments),
        Some(Verb::Ceiling(args)) => ceiling::run(&args, arguments),
        Some(Verb::Soak(args)) => soak::run(&args, arguments),
        Some(Verb::Compare(args)) => compare::run(&args),
        Some(Verb::Versus(args)) => versus::run(&args),
        Some(Verb::Suite(args)) => suite::run(&args),
        Some(Verb::Doctor(args)) => doctor::run(*args),
        Some(Verb::Import(args)) => import::run(args),
        Some(Verb::Report(args)) => report::run(args),
        #[cfg(feature = "history")]
        Some(Verb::History(args)) => history::run(*args),
        Some(Verb::Monitor(args)) => monitor::run(args),
        Some(Verb::Profile(args)) => profile::run(&args),
        #[cfg(feature = "serve")]
        Some(Verb::Serve(args)) => serve::run(*args),
        Some(Verb::Completions(args)) => print(&completions(args.shell)),
        Some(Verb::Man) => print(&man::page()),
    }
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut help::command(false), "blast", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// A reader that has seen enough (`blast --help | head -1`) is no error.
fn print(text: &str) -> Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let reason = reason(&error);
            Err(Error::failed(format!("stdout cannot be written ({reason}); send it elsewhere")))
        }
        _ => Ok(Exit::Done),
    }
}
