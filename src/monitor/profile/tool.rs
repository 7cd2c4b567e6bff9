//! Which profiler: what was asked for, what this host has, and its command line.

use std::path::Path;
use std::process::{Command, Stdio};

use super::child::{Child, Folder};
use crate::error::{Error, Result};
use crate::metrics::Profile;
use crate::metrics::profile::Stacks;
use crate::time::Nanos;
use crate::units::quote;

/// What was asked for.
///
/// A command is run as it stands. It is typed by the one who starts the run: it has no place in a
/// plan, and whoever takes a wish from somebody else, over a network say, must refuse it
/// ([`Tool::is_command`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Whatever this host has for the server.
    Any,
    Perf,
    PySpy,
    Command(String),
}

const PID: &str = "{pid}";
const SECONDS: &str = "{seconds}";
const OUT: &str = "{out}";

/// Samples a second: not a divisor of what servers do in even times.
const RATE: &str = "99";

/// What a command is told where nobody knows how long measure will be; it is interrupted at its end.
const UNKNOWN: u64 = 3_600;

/// A command that ends by itself after so many seconds began a little after measure did.
const GRACE: Nanos = Nanos::from_secs(2);

impl Tool {
    /// The word for [`Tool::Any`].
    pub const ANY: &str = "auto";

    pub fn parse(text: &str) -> std::result::Result<Tool, String> {
        match text {
            Tool::ANY => Ok(Tool::Any),
            "perf" => Ok(Tool::Perf),
            "py-spy" => Ok(Tool::PySpy),
            command if command.contains(PID) => Ok(Tool::Command(command.to_string())),
            other => Err(format!(
                "{} is no profiler that is known; write perf, py-spy, or a command with {PID} in it",
                quote(other)
            )),
        }
    }

    /// Whether it runs a command of somebody's.
    pub fn is_command(&self) -> bool {
        matches!(self, Tool::Command(_))
    }

    /// What is to be done with these processes, the first of them the one that the others descend
    /// from. Fails where this host has nothing for it.
    pub fn job(&self, pids: &[u32]) -> Result<Job> {
        let Some(first) = pids.first().copied() else {
            return refuse(
                "no server on this host is watched, so there is nothing to profile; name it with \
                 --watch PID",
            );
        };
        let is_python = pids.iter().any(|pid| is_python(*pid));
        let pids = pids.to_vec();
        match self {
            Tool::Any if is_python && is_here("py-spy") => Ok(Job::PySpy(first)),
            Tool::Any if can_fold() && is_here("perf") => Ok(Job::Perf(pids)),
            Tool::Any if is_python => refuse(
                "this host has no py-spy; install it (`pip install py-spy`), or give a command that \
                 prints collapsed stacks: --profile 'COMMAND {pid}'",
            ),
            Tool::Any | Tool::Perf if !can_fold() => refuse(
                "this build cannot read perf's profiles; build it with the feature `profile`, or \
                 give a command that prints collapsed stacks: --profile 'COMMAND {pid}'",
            ),
            Tool::Perf if is_here("perf") => Ok(Job::Perf(pids)),
            Tool::Any | Tool::Perf => refuse(
                "this host has no perf that runs; install it (`apt install linux-perf`, or \
                 linux-tools for its kernel), or give a command that prints collapsed stacks: \
                 --profile 'COMMAND {pid}'",
            ),
            Tool::PySpy if !is_here("py-spy") => {
                refuse("this host has no py-spy; install it: `pip install py-spy`")
            }
            Tool::PySpy => Ok(Job::PySpy(first)),
            Tool::Command(command) => Ok(Job::Command { command: command.clone(), pid: first }),
        }
    }
}

fn refuse<T>(message: &str) -> Result<T> {
    Err(Error::usage(format!("--profile: {message}")))
}

/// Whether what perf writes can be read.
fn can_fold() -> bool {
    cfg!(feature = "profile")
}

/// Distributions have wrappers in the place of a perf that is not there for their kernel.
fn is_here(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn is_python(pid: u32) -> bool {
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("python") || name.starts_with("pypy")
}

/// A profiler and whom it looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    Perf(Vec<u32>),
    PySpy(u32),
    Command { command: String, pid: u32 },
}

impl Job {
    /// As results name it. A command may hold what is nobody's business.
    pub fn name(&self) -> &'static str {
        match self {
            Job::Perf(_) => "perf",
            Job::PySpy(_) => "py-spy",
            Job::Command { .. } => "command",
        }
    }

    /// How long after measure it is left to end by itself, where it was told the time.
    pub fn grace(&self) -> Nanos {
        match self {
            Job::Command { command, .. } if command.contains(SECONDS) => GRACE,
            _ => Nanos::ZERO,
        }
    }

    /// `length`: of measure, where it is known.
    pub fn start(
        &self,
        folder: &Folder,
        length: Option<Nanos>,
    ) -> std::result::Result<Child, String> {
        let out = folder.out();
        let mut command = match self {
            Job::Perf(pids) => {
                let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
                let mut command = Command::new("perf");
                command.args(["record", "-g", "-N", "-F", RATE, "-p", &pids.join(","), "-o"]);
                command.arg(&out);
                command
            }
            Job::PySpy(pid) => {
                let mut command = Command::new("py-spy");
                command.args(["record", "-f", "raw", "--function", "--subprocesses", "-r", RATE]);
                command.args(["-p", &pid.to_string(), "-o"]).arg(&out);
                command
            }
            Job::Command { command, pid } => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &filled(command, *pid, length, &out)]);
                shell
            }
        };
        Child::start(&mut command, folder)
    }

    /// What it has seen. `is_hurried`: whether nobody wants to wait for it.
    pub fn read(
        &self,
        folder: &Folder,
        child: &Child,
        is_hurried: &dyn Fn() -> bool,
    ) -> std::result::Result<Profile, String> {
        let text = match self {
            #[cfg(feature = "profile")]
            Job::Perf(_) if !folder.is_empty() => super::perf::collapsed(folder, is_hurried)?,
            Job::PySpy(_) => without_command_lines(&folder.text()?, &command_line),
            _ => {
                let _ = is_hurried;
                folder.text()?
            }
        };
        if text.trim().is_empty() {
            return Err(child.why(folder));
        }
        let stacks = Stacks::parse(&text)?;
        // perf and py-spy look at what is on a processor; what else a command looks at, its names
        // tell.
        Ok(Profile::of_stacks(self.name(), stacks, matches!(self, Job::Command { .. })))
    }
}

/// py-spy names processes by their command lines, which may hold a password, and lines of their own:
/// `process 7:"python app.py --key x";main (app.py:3) 12`.
fn without_command_lines(text: &str, command_line: &dyn Fn(u32) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        while let Some((pid, after)) = process(rest) {
            let known = command_line(pid).and_then(|line| after.strip_prefix(&*line));
            let known = known.and_then(|after| after.strip_prefix("\";"));
            // One that has ended has left none to compare with.
            let Some(frames) = known.or(after.split_once("\";").map(|(_, frames)| frames)) else {
                return out;
            };
            out += &format!("process {pid};");
            rest = frames;
        }
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        out += line;
        out.push('\n');
        rest = after;
    }
    out
}

/// `process 7:"`, and what follows.
fn process(text: &str) -> Option<(u32, &str)> {
    let (pid, after) = text.strip_prefix("process ")?.split_once(":\"")?;
    Some((pid.parse().ok()?, after))
}

/// Its arguments with spaces between them.
fn command_line(pid: u32) -> Option<String> {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = String::from_utf8_lossy(&words).into_owned();
    Some(words.trim_end_matches('\0').replace('\0', " "))
}

fn filled(command: &str, pid: u32, length: Option<Nanos>, out: &Path) -> String {
    let seconds = length.map_or(UNKNOWN, |length| (length.as_secs_f64() as u64).max(1));
    let out = out.to_string_lossy();
    command.replace(PID, &pid.to_string()).replace(SECONDS, &seconds.to_string()).replace(OUT, &out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_told_from_a_command_by_the_place_for_the_process() {
        for (text, expected) in [
            ("auto", Tool::Any),
            ("perf", Tool::Perf),
            ("py-spy", Tool::PySpy),
            ("rbspy record -p {pid}", Tool::Command("rbspy record -p {pid}".to_string())),
        ] {
            assert_eq!(Tool::parse(text), Ok(expected.clone()), "{text}");
            assert_eq!(expected.is_command(), text.contains("rbspy"));
        }
        for text in ["", "prf", "http://localhost/", "sh script"] {
            let why = Tool::parse(text).unwrap_err();
            assert!(why.contains("write perf, py-spy, or a command with {pid} in it"), "{why}");
        }
    }

    #[test]
    fn who_is_not_watched_cannot_be_profiled() {
        for tool in [Tool::Any, Tool::Perf, Tool::PySpy, Tool::Command("x {pid}".to_string())] {
            let error = tool.job(&[]).unwrap_err();
            assert_eq!(error.exit, crate::Exit::Usage);
            assert!(error.message.contains("name it with --watch PID"), "{error}");
        }
    }

    #[test]
    fn a_command_is_told_the_process_the_time_and_the_file() {
        let of = |length| filled("x {pid} {seconds} {out} {pid}", 7, length, Path::new("/t/out"));
        assert_eq!(of(Some(Nanos::from_millis(2_900))), "x 7 2 /t/out 7");
        assert_eq!(of(Some(Nanos::from_millis(300))), "x 7 1 /t/out 7");
        assert_eq!(of(None), "x 7 3600 /t/out 7");
    }

    #[test]
    fn the_command_lines_of_processes_are_left_out() {
        let line = |pid| (pid == 7).then(|| "python -c a=\"s3cret\";\nb".to_string());
        let text = "process 7:\"python -c a=\"s3cret\";\nb\";main (a.py:3) 12\nprocess (a.py:1) 3\n\
                    process 7:\"python -c a=\"s3cret\";\nb\";process 8:\"x\";run (a.py:2) 1\n";
        assert_eq!(
            without_command_lines(text, &line),
            "process 7;main (a.py:3) 12\nprocess (a.py:1) 3\nprocess 7;process 8;run (a.py:2) 1\n"
        );
        assert_eq!(without_command_lines("process 9:\"cut", &line), "");
    }

    #[test]
    fn python_is_told_by_its_program() {
        assert!(!is_python(std::process::id()) && !is_python(u32::MAX));
    }
}
