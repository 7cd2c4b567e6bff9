//! What the verbs of many runs share: runs on connections that stay, and a document of their own
//! that goes to the page and to files.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::groups::LoadArgs;
use super::outputs::Format;
use super::run::keep_first;
use super::{Outputs, print, terminal};
use crate::engine::helm::Helm;
use crate::engine::{self, Progress, Session};
use crate::error::{Error, Result};
use crate::metrics::Summary;
use crate::monitor::{Sampler, Watched, sampler};
use crate::plan::Plan;
use crate::report::{PageOptions, json, staged};
use crate::study::{IsEnough, Runner};
use crate::units::quote;

pub use crate::report::views::Views;

/// Runs on connections that stay.
#[derive(Default)]
pub struct Runs {
    session: Option<Session>,
    watches: bool,
    /// The last load, where something is to be sent once after all.
    last: Option<(Plan, Summary)>,
    /// Of one of the last run's, with its head.
    answer_bytes: Option<u64>,
}

impl Runs {
    /// The server is watched beside them, where it runs here.
    pub fn watched() -> Runs {
        Runs { watches: true, ..Runs::default() }
    }

    fn carry_out(
        &mut self,
        plan: &Plan,
        helm: &Helm,
        watch: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Summary> {
        let session = match self.session.take() {
            Some(session) => session,
            None => Session::open(plan)?,
        };
        let summary = self.session.insert(session).run_steered(plan, helm, watch)?;
        let is_over_later = plan.scenario.as_ref().is_some_and(|all| !all.run_teardown.is_empty());
        self.last = is_over_later.then(|| (plan.clone(), summary.clone()));
        let events = &summary.measure_events;
        self.answer_bytes = events.bytes_received.checked_div(events.completed);
        Ok(summary)
    }

    /// How long the answers of the last run were, if any came.
    pub fn answer_bytes(&self) -> Option<u64> {
        self.answer_bytes
    }

    /// Closes the connections, and sends what a plan wants sent after its load. A document of many
    /// runs has no place for how that went; where it failed, whoever reads stderr hears of it.
    pub fn end(&mut self) {
        let session = self.session.take();
        if let (Some(session), Some((plan, mut summary))) = (session, self.last.take()) {
            let before = summary.warnings.len();
            session.end(&plan, &mut summary);
            for warning in &summary.warnings[before..] {
                let _ = writeln!(io::stderr(), "blast: {}; {}", warning.text(), warning.hint());
            }
        }
    }

    /// With the server watched beside it, if it is.
    fn watch(
        &mut self,
        plan: &Plan,
        helm: &Helm,
        watch: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Summary> {
        if !self.watches {
            return self.carry_out(plan, helm, watch);
        }
        let addresses = || engine::addresses(plan).unwrap_or_default();
        let Watched { probes, server, .. } = Watched::find(&plan.watch, addresses, None)?;
        let sampler = Sampler::start(probes, sampler::STEP)?;
        let summary = self.carry_out(plan, helm, &mut |progress| {
            if let Progress::Starting { at } = progress {
                sampler.begin_at(at);
            }
            watch(progress);
        });
        let gauges = sampler.end();
        let mut summary = summary?;
        summary.gauges = Some(gauges.since(summary.origin));
        summary.server = server;
        Ok(summary)
    }
}

impl Runner for Runs {
    fn run(&mut self, plan: &Plan) -> Result<Summary> {
        self.watch(plan, &Helm::default(), &mut |_| {})
    }

    fn run_until(&mut self, plan: &Plan, is_enough: &mut IsEnough) -> Result<Summary> {
        let plan = Plan { tells_often: true, ..plan.clone() };
        let (helm, mut is_over) = (Helm::default(), false);
        self.watch(&plan, &helm, &mut |progress| {
            let Progress::Slice { snapshot, .. } = progress else { return };
            if !is_over && is_enough(&snapshot.measure) {
                is_over = true;
                helm.shorten(plan.duration.unwrap_or_default());
            }
        })
    }

    fn reconnect(&mut self) {
        self.end();
    }
}

/// What a run shows and they have no place for: whoever asks for it would look for it in vain.
pub fn refuse_unshown(verb: &str, load: &LoadArgs) -> Result<()> {
    let output = &load.output;
    let asked = [
        ("--group-by header:NAME", output.group_by.is_some()),
        ("--csv PREFIX", output.csv.is_some()),
        ("--prometheus ADDRESS", output.prometheus.is_some()),
        ("--otlp URL", output.otlp.is_some()),
        #[cfg(feature = "tui")]
        ("--tui", load.page.tui),
        ("--as-wrk", load.page.as_wrk),
    ];
    let Some((words, _)) = asked.iter().find(|(_, is)| *is) else { return Ok(()) };
    let flag = words.split(' ').next().unwrap_or(words);
    Err(Error::usage(format!(
        "{flag}: `blast {verb}` does not show that, a run does: `blast URL {words}`"
    )))
}

/// A rule that nobody looks at would have been met, to whoever reads the exit code.
pub fn refuse_rules(verb: &str, load: &LoadArgs) -> Result<()> {
    let rules = [
        ("--threshold", !load.rules.thresholds.is_empty()),
        ("--abort-on", !load.rules.abort_on.is_empty()),
    ];
    match rules.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((flag, _)) => Err(Error::usage(format!(
            "{flag}: `blast {verb}` checks no rules; check them in a run: `blast URL {flag} ...`, or \
             a difference with `blast compare --fail-if`"
        ))),
    }
}

/// Where it is told how far a study is: on one line of a terminal, unless nobody looks.
pub enum Status {
    Nowhere,
    Terminal,
    /// To somebody else, line by line.
    Told(Box<dyn Fn(&str)>),
}

impl Status {
    pub fn new(quiet: bool) -> Status {
        match !quiet && io::stderr().is_terminal() {
            true => Status::Terminal,
            false => Status::Nowhere,
        }
    }

    pub fn show(&self, text: &str) {
        match self {
            Status::Nowhere => {}
            Status::Terminal => {
                let width = terminal::width(&io::stderr()).saturating_sub(1);
                let _ = write!(io::stderr(), "\r{text:width$.width$}");
            }
            Status::Told(tell) => tell(text),
        }
    }

    pub fn end(&self) {
        if matches!(self, Status::Terminal) {
            let blank = " ".repeat(terminal::width(&io::stderr()).saturating_sub(1));
            let _ = write!(io::stderr(), "\r{blank}\r");
        }
    }
}

/// What the command line does with the views of a document.
impl<D: Serialize> Views<D> {
    /// Refuses a file that could not be written, before the runs and not after them.
    pub fn accept(&self, files: &[PathBuf]) -> Result<Vec<PathBuf>> {
        let outputs = Outputs::to(files, None)?;
        let others = outputs.files.iter().filter(|file| !self.has(file));
        match others.chain(&outputs.tables).next() {
            None => Ok(outputs.files),
            Some(other) => Err(no_such_view(other, self.verb, &self.formats())),
        }
    }

    fn has(&self, file: &Path) -> bool {
        Format::of(file).is_some_and(|format| self.formats().contains(&format))
    }

    /// To the files, and as JSON or as its page to stdout. One file that cannot be written does not
    /// keep the others from being.
    pub fn write(&self, document: &D, as_json: bool, files: &[PathBuf]) -> Result<()> {
        let written = self.save(document, files);
        let shown = self.show(document, as_json);
        keep_first(shown, written)
    }

    /// To the files alone.
    pub fn save(&self, document: &D, files: &[PathBuf]) -> Result<()> {
        files.iter().map(|file| self.save_one(document, file)).fold(Ok(()), keep_first)
    }

    pub fn show(&self, document: &D, as_json: bool) -> Result<()> {
        if as_json {
            return json::write(document, &mut io::stdout().lock());
        }
        let (color, width) = (terminal::color(), terminal::width(&io::stdout()));
        let options = PageOptions { color, width, ..PageOptions::default() };
        print(&(self.page)(document, &options)).map(drop)
    }

    /// A file takes what its name says; one without a view of its own the document.
    pub fn save_one(&self, document: &D, file: &Path) -> Result<()> {
        let view = Format::of(file).and_then(|format| self.bytes(document, format));
        match view {
            Some(bytes) => staged::save(file, &bytes?),
            None => json::save(document, file),
        }
    }
}

/// A file of a format that a document is not shown in.
pub fn no_such_view(file: &Path, verb: &str, formats: &[Format]) -> Error {
    let endings: Vec<String> =
        formats.iter().map(|format| format!("`.{}`", format.ending())).collect();
    let endings = match endings.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    };
    Error::usage(format!(
        "--output: {}: `blast {verb}` does not write that; name a file that ends in {endings}",
        quote(&file.to_string_lossy())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::{Load, Pin, Rate, Url, Wait};
    use crate::target::{Options, Target};
    use crate::time::Nanos;

    #[test]
    fn a_run_that_is_enough_ends_early_and_whole_and_the_next_goes_on_its_connections() {
        let target = Target::start(Options::default()).expect("a target");
        let address = target.address();
        let url = Url::parse(&format!("http://{address}/")).expect("a URL");
        let plan = Plan {
            load: Load::steady(Rate::per_second(400)),
            connections: 4,
            duration: Some(Nanos::from_secs(60)),
            wait: Wait::Block,
            pin: Pin::Off,
            ..Plan::new(url, Request::new("GET", "/", &address.to_string()))
        };
        let mut runs = Runs::default();
        let mut seen = 0;
        let summary = runs.run_until(&plan, &mut |ended| {
            seen += ended.counters.good;
            seen >= 100
        });
        let summary = summary.expect("a run");
        assert!(summary.complete && summary.audit.ok(), "{:?}", summary.audit);
        assert_eq!(summary.measure.counters.good, summary.measure.counters.scheduled);
        // Enough after a quarter of a second, or what a busy machine makes of it.
        assert!(summary.measured < Nanos::from_secs(20), "{:?}", summary.measured);
        let short = Plan { duration: Some(Nanos::from_millis(300)), ..plan };
        let summary = runs.run_until(&short, &mut |_| false).expect("a run");
        assert_eq!((summary.measure.counters.good, summary.connections.opened), (120, 0));
        assert_eq!(summary.measured, Nanos::from_millis(300));
        runs.end();
        assert_eq!(target.stop().connections, 4);
    }
}
