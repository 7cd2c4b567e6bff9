//! `--watch-log FILE[:REGEX]`: how many lines a second are written that match, and the first few.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::follow::Follow;
use crate::error::{Error, Result};
use crate::metrics::{Label, Unit, Warning, WatchedLog};
use crate::monitor::sampler::Probe;
use crate::plan::answer::Regex;
use crate::plan::mask::mask_text;
use crate::time::{self, Nanos};
use crate::units::quote;

pub const GAUGE: &str = "log.lines_per_s";

/// Lines that are kept, and how much of each.
const KEPT: usize = 10;
const LONGEST: usize = 400;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A file, and what its lines are to hold.
#[derive(Clone, Debug)]
pub struct Log {
    pub file: PathBuf,
    regex: Option<(String, Regex)>,
}

impl PartialEq for Log {
    fn eq(&self, other: &Log) -> bool {
        let text = |log: &Log| log.regex.as_ref().map(|(text, _)| text.clone());
        self.file == other.file && text(self) == text(other)
    }
}

impl Log {
    /// `FILE[:REGEX]`: the file is what stands before the last colon that makes it one.
    pub fn parse(text: &str) -> Result<Log> {
        let ends = text.match_indices(':').map(|(at, _)| at).chain([text.len()]);
        let mut ends: Vec<usize> = ends.collect();
        ends.reverse();
        let file = ends.into_iter().find(|end| Path::new(&text[..*end]).is_file());
        let Some(end) = file else {
            return Err(Error::usage(format!(
                "{} names no file that is there; write FILE or FILE:REGEX, as in \
                 `--watch-log app.log:ERROR`",
                quote(text)
            )));
        };
        let file = PathBuf::from(&text[..end]);
        let regex = match text[end..].strip_prefix(':') {
            None | Some("") => None,
            Some(regex) => Some((regex.to_string(), Regex::parse(regex)?)),
        };
        Follow::open(&file).map_err(|error| {
            let name = quote(&file.to_string_lossy());
            Error::usage(format!("{name} cannot be read ({error}); allow it, or name another file"))
        })?;
        Ok(Log { file, regex })
    }

    fn matches(&self, line: &[u8]) -> bool {
        self.regex.as_ref().is_none_or(|(_, regex)| regex.is_in(line, false))
    }
}

/// A thread at work. Dropping it ends it.
pub struct Follower {
    log: Log,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    lines: u64,
    /// When each was seen, on the clock of [`crate::time`].
    first: Vec<(Nanos, String)>,
    looks: u64,
    failed: u64,
    why: Option<String>,
    ends: bool,
}

impl Follower {
    pub fn start(log: &Log) -> Result<Follower> {
        let follow = Follow::open(&log.file).map_err(|error| {
            let name = quote(&log.file.to_string_lossy());
            Error::failed(format!("--watch-log: {name} cannot be read ({error}); allow it"))
        })?;
        let shared = Arc::new(Shared::default());
        let (loan, lent) = (shared.clone(), log.clone());
        let thread = thread::Builder::new().name("blast-log".to_string());
        let thread = thread.spawn(move || loan.follow(follow, &lent)).map_err(|error| {
            Error::failed(format!("the log's thread could not be started ({error}); try again"))
        })?;
        Ok(Follower { log: log.clone(), shared, thread: Some(thread) })
    }

    pub fn probe(&self) -> Box<dyn Probe> {
        Box::new(Rate { shared: self.shared.clone(), before: None })
    }

    /// What it saw, and what there is to warn of. Times are told from `origin`; what was written
    /// before it counts as written at it.
    pub fn end(mut self, origin: Nanos) -> (WatchedLog, Option<Warning>) {
        self.stop();
        let mut state = self.shared.lock();
        let first = std::mem::take(&mut state.first).into_iter();
        let log = WatchedLog {
            file: self.log.file.to_string_lossy().into_owned(),
            regex: self.log.regex.as_ref().map(|(text, _)| text.clone()),
            lines: state.lines,
            first: first.map(|(at, line)| (at - origin, line)).collect(),
        };
        let warning = state.why.as_ref().map(|why| Warning::NotRead {
            code: "watch_log_failed",
            gauge: GAUGE.to_string(),
            failed: state.failed,
            asked: state.looks,
            first: why.clone(),
            hint: "look whether the file may be read, and whether its rotation lets it be",
        });
        (log, warning)
    }

    fn stop(&mut self) {
        self.shared.lock().ends = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks once more at the end.
    fn follow(&self, mut follow: Follow, log: &Log) {
        loop {
            let ends = self.wait();
            let (mut lines, mut seen) = (0, Vec::new());
            let at = time::now();
            let read = follow.read(&mut |line| {
                if log.matches(line) {
                    lines += 1;
                    if seen.len() < KEPT {
                        seen.push((at, printable(line)));
                    }
                }
            });
            let mut state = self.lock();
            state.lines += lines;
            let room = KEPT - state.first.len();
            state.first.extend(seen.into_iter().take(room));
            state.looks += 1;
            if let Err(error) = read {
                state.failed += 1;
                state.why.get_or_insert_with(|| format!("could not be read ({error})"));
            }
            if ends {
                return;
            }
        }
    }

    /// Whether this is the end.
    fn wait(&self) -> bool {
        let state = self.lock();
        let waited = self.wake.wait_timeout_while(state, LOOK, |state| !state.ends);
        waited.unwrap_or_else(PoisonError::into_inner).0.ends
    }
}

/// The beginning of a line, whatever it holds, on one line of a terminal, and without secrets.
fn printable(line: &[u8]) -> String {
    let mut shown = String::new();
    for character in mask_text(&String::from_utf8_lossy(line)).chars() {
        let piece: String = match character {
            '\t' => " ".to_string(),
            c if c.is_control() => c.escape_debug().collect(),
            c => c.to_string(),
        };
        if shown.len() + piece.len() > LONGEST {
            break;
        }
        shown += &piece;
    }
    shown
}

/// Lines a second since the reading before.
struct Rate {
    shared: Arc<Shared>,
    before: Option<(Nanos, u64)>,
}

impl Probe for Rate {
    fn labels(&self) -> Vec<Label> {
        vec![Label::new(GAUGE, Unit::PerSecond)]
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let (now, lines) = (time::now(), self.shared.lock().lines);
        let since = self.before.replace((now, lines));
        let rate = |(at, before): (Nanos, u64)| {
            let length = (now - at).as_secs_f64();
            (length > 0.0).then(|| (lines - before) as f64 / length)
        };
        values.push(since.and_then(rate));
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write as _;

    use super::*;

    fn file(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("blast-log-{}-{name}", std::process::id()));
        File::create(&path).unwrap();
        path
    }

    #[test]
    fn the_file_is_what_stands_before_the_last_colon_that_makes_it_one() {
        let (plain, colon) = (file("a"), file("a:b"));
        let name = plain.display();
        for (text, file, regex) in [
            (format!("{name}"), &plain, None),
            (format!("{name}:"), &plain, None),
            (format!("{name}:ERR.*:x"), &plain, Some("ERR.*:x")),
            (format!("{name}:b"), &colon, None),
            (format!("{name}:b:c"), &colon, Some("c")),
        ] {
            let log = Log::parse(&text).unwrap();
            let found = log.regex.as_ref().map(|(text, _)| text.as_str());
            assert_eq!((&log.file, found), (file, regex), "{text}");
        }
        for (text, expected) in [
            ("/nowhere/app.log:x".to_string(), "names no file that is there"),
            ("/:x".to_string(), "names no file that is there"),
            (String::new(), "names no file that is there"),
            (format!("{name}:("), "regular expression"),
        ] {
            let message = Log::parse(&text).unwrap_err().message;
            assert!(message.contains(expected), "{text}: {message}");
        }
        [plain, colon].iter().for_each(|path| fs::remove_file(path).unwrap());
    }

    #[test]
    fn lines_that_match_are_counted_and_the_first_ones_kept() {
        let path = file("counted");
        let log = Log::parse(&format!("{}:ERR", path.display())).unwrap();
        let follower = Follower::start(&log).unwrap();
        let mut probe = follower.probe();
        probe.read(&mut Vec::new());
        let origin = time::now();
        let mut writer = File::options().append(true).open(&path).unwrap();
        for line in 0..25 {
            let rest = format!("token=planted \u{1b}[31m\t{}\nfine", "é".repeat(500));
            writeln!(writer, "ERR {line} {rest}").unwrap();
        }
        while follower.shared.lock().lines < 25 {
            thread::sleep(Duration::from_millis(5));
        }
        let mut values = Vec::new();
        probe.read(&mut values);
        assert!(values[0].unwrap() > 0.0);
        let (found, warning) = follower.end(origin);
        assert_eq!((found.lines, found.first.len(), warning), (25, KEPT, None));
        assert!(found.first.iter().all(|(at, _)| *at < Nanos::from_secs(60)));
        let (_, last) = &found.first[9];
        assert!(
            last.starts_with("ERR 9 token=*** \\u{1b}[31m é") && last.len() <= LONGEST,
            "{last}"
        );
        fs::remove_file(path).unwrap();
    }
}
