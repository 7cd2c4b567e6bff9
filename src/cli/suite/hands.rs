//! Starts servers, waits for them, makes runs and keeps their files: what the order of a suite
//! asks for.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::readings::Readings;
use super::words::{Loaded, Meant, Work, log_file};
use super::{ready, server};
use crate::cli::ceiling::{self, CeilingArgs};
use crate::cli::run;
use crate::cli::study::Status;
use crate::engine::stop;
use crate::error::{Error, Exit};
use crate::plan::suite::{CommandSheet, ServerSheet, Setting, Suite, Turn, Written};
use crate::report::suite::Figures;
use crate::study::suite::{Done, Fault, Hands, Part};
use crate::time::{self, Nanos};

pub struct Crew<'a> {
    suite: &'a Suite,
    meant: &'a Meant,
    server: &'a ServerSheet,
    /// That the file's names begin at.
    parent: &'a Path,
    folder: &'a Folder,
    log: Option<PathBuf>,
    quiet: bool,
    /// How many runs were begun.
    begun: usize,
    pub readings: Readings,
}

impl<'a> Crew<'a> {
    pub fn new(
        written: &'a Written,
        suite: &'a Suite,
        meant: &'a Meant,
        parent: &'a Path,
        folder: &'a Folder,
        quiet: bool,
    ) -> Crew<'a> {
        let log = written.sheet.monitor.watch_log.as_deref();
        Crew {
            suite,
            meant,
            server: &written.sheet.server,
            parent,
            folder,
            log: log.and_then(|log| log_file(parent, log)),
            quiet,
            begun: 0,
            readings: Readings::default(),
        }
    }

    fn command(
        &self,
        part: Part,
        command: Option<&CommandSheet>,
        setting: &Setting,
    ) -> Result<(), Fault> {
        let Some(command) = command else { return Ok(()) };
        let ran = server::run(command, setting, self.parent, self.suite.command_limit);
        ran.map_err(|failed| {
            let text = format!("the command {}", failed.why);
            self.told(Fault { part, text, lines: failed.lines })
        })
    }

    /// A fault is told at once: the rest may take long.
    fn told(&self, fault: Fault) -> Fault {
        if stop::requests() == 0 || fault.part == Part::After {
            tell(&format!("{}: {}", fault.part.name(), fault.text));
        }
        fault
    }

    fn load(&self, loaded: &Loaded, setting: &Setting, turn: &Turn) -> Result<Done, Error> {
        let mut outputs = self.folder.outputs(&loaded.outputs, setting, turn);
        outputs.quiet = self.quiet;
        // The suite is kept as a whole.
        outputs.save = None;
        let measured = run::measure(&loaded.plan, &outputs, None)?;
        let ended = time::now();
        let (document, exit) = measured.save(&outputs);
        let files = self.folder.files_of(setting, turn);
        Ok(Done { ended, exit, figures: Figures::of_run(&document), files })
    }

    fn ceiling(&self, args: &CeilingArgs, setting: &Setting, turn: &Turn) -> Result<Done, Error> {
        let status = Status::new(args.load.output.quiet);
        let document = ceiling::find(args, &ceiling::sought(args, &[])?, &status)?;
        let ended = time::now();
        self.folder.save_ceiling(&document, setting, turn)?;
        let (figures, exit) = (Figures::of_ceiling(&document), ceiling::exit(&document));
        Ok(Done { ended, exit, figures, files: self.folder.files_of(setting, turn) })
    }
}

impl Hands for Crew<'_> {
    fn start(&mut self, setting: &Setting) -> Result<(), Fault> {
        self.command(Part::Before, self.server.before.as_ref(), setting)?;
        if stop::requests() > 0 {
            return Ok(());
        }
        let Suite { ready_within, ready_every, .. } = *self.suite;
        ready::wait_until(&self.meant.ready, ready_within, ready_every, self.log.as_deref())
            .map_err(|fault| self.told(fault))?;
        self.readings.start(self.meant).map_err(|error| {
            let text = error.message;
            self.told(Fault { part: Part::Ready, text, lines: Vec::new() })
        })
    }

    fn run(&mut self, place: usize, setting: &Setting) -> Result<Done, Error> {
        let turn = &self.suite.turns[place];
        self.begun += 1;
        let title = format!("{} {}", turn.name, setting.shown()).trim().to_string();
        if !self.quiet {
            let all = self.suite.turns.len() * self.suite.settings.len();
            tell(&format!("run {} of {all}: {title}", self.begun));
        }
        let began = self.now();
        let found = match &self.meant.work[place] {
            Work::Load(loaded) => self.load(loaded, setting, turn),
            Work::Ceiling(args) => self.ceiling(args, setting, turn),
        };
        let ended = found.as_ref().map_or_else(|_| time::now(), |done| done.ended);
        self.readings.mark(title, began, ended);
        found.map_err(|error| {
            // What was typed was read before: now it is the host that has no such thing.
            let exit = if error.exit == Exit::Usage { Exit::Failed } else { error.exit };
            tell(&format!("{}: {error}", turn.name));
            Error { exit, ..error }
        })
    }

    fn pause(&mut self, length: Nanos) {
        ready::wait(length);
    }

    fn stop(&mut self, setting: &Setting) -> Result<(), Fault> {
        self.readings.stop();
        self.command(Part::After, self.server.after.as_ref(), setting)
    }

    fn ends(&self) -> Option<Exit> {
        (stop::requests() > 0).then(stop::exit).flatten()
    }

    fn now(&self) -> Nanos {
        time::now()
    }
}

/// Where stderr is gone, the suite goes on.
pub fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "blast: {text}");
}
