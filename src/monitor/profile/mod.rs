//! `--profile`: a profiler beside the load, on the watched server, for as long as measure lasts.
//!
//! It is somebody else's program. It gets a process group of its own, an interrupt when measure is
//! over, some seconds to write what it has seen, and is killed after that. A profile that comes to
//! nothing is a warning, never the end of a run.
//!
//! ```text
//! tool      which one, and its command line     child    a process with a limit on all it does
//! perf      what `perf script` prints -> stacks
//! ```

mod child;
#[cfg(feature = "profile")]
mod perf;
mod tool;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use tool::{Job, Tool};

use crate::error::{Error, Result};
use crate::metrics::{Profile, Warning};
use crate::time::{self, Nanos};

/// From when to when measure is, by the clock of [`crate::time`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: Nanos,
    /// `None`: something else than the clock ends it.
    pub end: Option<Nanos>,
}

impl Span {
    fn length(self) -> Option<Nanos> {
        self.end.map(|end| end - self.start)
    }
}

/// How often it is looked what to do.
const LOOK: Nanos = Nanos::from_millis(20);

/// Where the run is.
mod state {
    pub const GOES_ON: u8 = 0;
    /// The load is over.
    pub const OVER: u8 = 1;
    /// Nobody wants to wait any longer.
    pub const HURRY: u8 = 2;
}

/// A profiler that waits for measure, or is at work. Dropping it ends it.
pub struct Profiler {
    tool: &'static str,
    state: Arc<AtomicU8>,
    thread: Option<JoinHandle<std::result::Result<Profile, String>>>,
}

impl Profiler {
    /// `span`: measure, once it is known; it may still change.
    pub fn start(job: Job, span: impl Fn() -> Option<Span> + Send + 'static) -> Result<Profiler> {
        let (tool, state) = (job.name(), Arc::new(AtomicU8::new(state::GOES_ON)));
        let shared = state.clone();
        let thread = thread::Builder::new().name("blast-profile".to_string());
        let thread = thread.spawn(move || profile(&job, &span, &shared)).map_err(|error| {
            Error::failed(format!(
                "the profiler's thread could not be started ({error}); try again"
            ))
        })?;
        Ok(Profiler { tool, state, thread: Some(thread) })
    }

    /// The load is over. Waits for what has been seen, unless somebody is in a hurry.
    pub fn end(mut self, is_hurried: impl Fn() -> bool) -> std::result::Result<Profile, Warning> {
        self.state.fetch_max(state::OVER, SeqCst);
        let failed = |why| Warning::ProfileFailed { tool: self.tool, why };
        let Some(thread) = self.thread.take() else { return Err(failed(String::new())) };
        while !thread.is_finished() {
            if is_hurried() {
                self.state.fetch_max(state::HURRY, SeqCst);
            }
            thread::sleep(Duration::from(LOOK));
        }
        let found = thread.join().unwrap_or_else(|_| Err("it stopped on a bug in blast".into()));
        found.map_err(failed)
    }
}

impl Drop for Profiler {
    fn drop(&mut self) {
        self.state.store(state::HURRY, SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The whole of it. The error is why it came to nothing.
fn profile(
    job: &Job,
    span: &dyn Fn() -> Option<Span>,
    state: &AtomicU8,
) -> std::result::Result<Profile, String> {
    let Some(length) = wait_for_measure(span, state) else {
        return Err("measure did not begin".to_string());
    };
    let folder = child::Folder::new()?;
    let mut child = job.start(&folder, length)?;
    let mut over: Option<Nanos> = None;
    while !child.has_ended()? {
        let now = time::now();
        let is_cut = state.load(SeqCst) != state::GOES_ON;
        let end = span().and_then(|span| span.end).filter(|end| *end <= now);
        if over.is_none() && (is_cut || end.is_some()) {
            // One that ends by itself gets the time to.
            let grace = if end.is_some() { job.grace() } else { Nanos::ZERO };
            over = Some(end.unwrap_or(now) + grace);
        }
        if over.is_some_and(|over| now >= over) {
            child.interrupt();
        }
        child.check(&folder, state.load(SeqCst) == state::HURRY)?;
        thread::sleep(Duration::from(LOOK));
    }
    job.read(&folder, &child, &|| state.load(SeqCst) == state::HURRY)
}

/// Until measure begins; its length, where it is known. `None`: the run ended before.
fn wait_for_measure(span: &dyn Fn() -> Option<Span>, state: &AtomicU8) -> Option<Option<Nanos>> {
    loop {
        let left = match span() {
            Some(span) if span.start <= time::now() => return Some(span.length()),
            Some(span) => (span.start - time::now()).min(LOOK),
            None => LOOK,
        };
        if state.load(SeqCst) != state::GOES_ON {
            return None;
        }
        thread::sleep(Duration::from(left));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::AtomicBool;

    use super::*;

    fn of_command(command: &str) -> Job {
        Tool::parse(command).unwrap().job(&[std::process::id()]).unwrap()
    }

    fn for_millis(length: u64) -> impl Fn() -> Option<Span> + Send + 'static {
        let start = time::now();
        move || Some(Span { start, end: Some(start + Nanos::from_millis(length)) })
    }

    fn run(command: &str, millis: u64) -> std::result::Result<Profile, String> {
        let profiler = Profiler::start(of_command(command), for_millis(millis)).unwrap();
        // The load's end, as the run has it.
        thread::sleep(Duration::from_millis(millis));
        profiler.end(|| false).map_err(|warning| warning.text())
    }

    #[test]
    fn a_command_s_stacks_are_read_from_its_file_or_its_output() {
        for command in [
            "printf 'a;b 3\\na;{pid} {seconds}\\n' >{out}; echo noise; true",
            "echo 'a;b 3'; echo 'a;{pid} {seconds}'",
        ] {
            let profile = run(command, 2_000).unwrap();
            let names: Vec<&str> = profile.functions.iter().map(|one| &*one.name).collect();
            assert_eq!(names, ["b", &std::process::id().to_string()], "{command}");
            assert_eq!((&*profile.tool, profile.all), ("command", 5));
        }
    }

    #[test]
    fn one_that_knows_no_end_is_interrupted_at_the_end_of_measure() {
        let start = time::now();
        let profile =
            run("trap 'echo \"seen;{pid} 1\"; exit 0' INT; while :; do sleep 0.01; done", 300);
        assert_eq!(profile.unwrap().all, 1);
        let took = time::now() - start;
        // It was not told the time, so it gets none; the rest is for a busy machine.
        assert!(took >= Nanos::from_millis(300) && took < Nanos::from_secs(20), "{took:?}");
    }

    #[test]
    fn one_that_fails_says_why_in_its_own_last_line() {
        for (command, expected) in [
            ("echo first >&2; echo 'no {pid} for you' >&2; exit 3", "for you"),
            ("exit 3 # {pid}", "ended with exit code 3 and wrote nothing"),
            ("true {pid}", "wrote nothing"),
            ("kill -9 $$ # {pid}", "was killed by signal 9"),
            ("echo 'password=s3cret {pid}' >&2; exit 1", "password=***"),
            ("echo nonsense {pid} x >{out}", "line 1 is no collapsed stack"),
        ] {
            let why = run(command, 100).unwrap_err();
            assert!(why.contains(expected) && !why.contains("s3cret"), "{command}: {why}");
        }
    }

    #[test]
    fn one_that_does_not_end_is_killed_with_its_children() {
        let file = std::env::temp_dir().join(format!("blast-profile-test-{}", std::process::id()));
        let command =
            format!("trap '' INT; sleep 1000 & echo $! >{}; wait; wait # {{pid}}", file.display());
        let profiler = Profiler::start(of_command(&command), for_millis(200)).unwrap();
        while !fs::read_to_string(&file).is_ok_and(|pid| pid.ends_with('\n')) {
            thread::sleep(Duration::from_millis(5));
        }
        let hurried = AtomicBool::new(true);
        let why = profiler.end(|| hurried.load(SeqCst)).unwrap_err().text();
        assert!(why.contains("was not waited for"), "{why}");
        let pid = fs::read_to_string(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let stat = format!("/proc/{}/stat", pid.trim());
        let is_left = || fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z"));
        for _ in 0..1_000 {
            if !is_left() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{pid} was left behind");
    }

    #[test]
    fn nothing_is_started_where_measure_does_not_begin() {
        let folder = std::env::temp_dir().join(format!("blast-no-profile-{}", std::process::id()));
        let job = of_command(&format!("touch {} {{pid}}", folder.display()));
        let profiler = Profiler::start(job, || None).unwrap();
        let why = profiler.end(|| false).unwrap_err().text();
        assert!(why.contains("measure did not begin") && !folder.exists(), "{why}");
    }
}
