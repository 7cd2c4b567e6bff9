//! The commands that start and stop the server. What one of them leaves in the background goes on;
//! the command itself is over in time, or is killed with all that it started.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::engine::stop;
use crate::plan::mask::mask_text;
use crate::plan::suite::{CommandSheet, Setting};
use crate::time::{self, Nanos};
use crate::units::format_duration;

/// How often it is looked whether it is over.
const LOOK: Duration = Duration::from_millis(20);

/// Of what it printed, the last lines are shown, and the last letters of each.
const LINES: usize = 10;
const LONGEST: usize = 400;

/// As far back as lines are looked for.
const TAIL: u64 = 64 << 10;

/// Why it came to nothing, and the last it printed.
pub struct Failed {
    pub why: String,
    pub lines: Vec<String>,
}

/// Runs it in `folder` to its end, with the setting in its environment. A signal that comes
/// meanwhile ends it.
pub fn run(
    command: &CommandSheet,
    setting: &Setting,
    folder: &Path,
    limit: Nanos,
) -> Result<(), Failed> {
    let failed = |why: String, lines: Vec<String>| Failed { why, lines };
    let not_started = |error: io::Error| failed(format!("could not be started ({error})"), vec![]);
    // A file and no pipe: a server in the background holds it open, and is not waited for.
    let mut output = nameless().map_err(not_started)?;
    let mut child = start(command, setting, folder, &output).map_err(not_started)?;
    let ended = wait(&mut child, limit);
    let why = match ended {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => in_words(status),
        Err(why) => why,
    };
    Err(failed(why, last_lines(&mut output)))
}

fn start(
    command: &CommandSheet,
    setting: &Setting,
    folder: &Path,
    output: &File,
) -> io::Result<Child> {
    let mut program = match command {
        CommandSheet::Line(line) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", line]);
            shell
        }
        CommandSheet::Words(words) => {
            let [name, arguments @ ..] = &words[..] else {
                return Err(io::Error::other("the list is empty"));
            };
            let mut program = Command::new(name);
            program.args(arguments);
            program
        }
    };
    if folder != Path::new("") {
        program.current_dir(folder);
    }
    program.envs(setting.0.iter().map(|(name, value)| (name, value)));
    // A group of its own: Ctrl-C is for blast, which stops the server when the run is over.
    program.process_group(0).stdin(Stdio::null());
    program.stdout(output.try_clone()?).stderr(output.try_clone()?).spawn()
}

/// Its end, or why it was killed.
fn wait(child: &mut Child, limit: Nanos) -> Result<ExitStatus, String> {
    let (began, heeded) = (time::now(), stop::requests());
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Ok(status);
        }
        if stop::requests() > heeded {
            kill(child);
            return Err("was killed, as the suite was interrupted".to_string());
        }
        if time::now() - began >= limit {
            kill(child);
            return Err(format!(
                "was not over after {} and was killed; what goes on belongs into the background, \
                 or raise `timeout` in [server]",
                format_duration(limit)
            ));
        }
        thread::sleep(LOOK);
    }
}

/// With all that it started.
fn kill(child: &mut Child) {
    let group = child.id() as libc::pid_t;
    // SAFETY: a system call on no memory.
    unsafe { libc::kill(-group, libc::SIGKILL) };
    let _ = child.kill();
    let _ = child.wait();
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "did not end as a command does".to_string(),
    }
}

/// A file that nobody else sees, and that is gone with the last who holds it.
fn nameless() -> io::Result<File> {
    let name = format!(".blast-suite-{}-{}", std::process::id(), time::now().0);
    let path = std::env::temp_dir().join(name);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// The last lines of a file, with their secrets masked.
pub fn last_lines(file: &mut File) -> Vec<String> {
    let length = file.seek(SeekFrom::End(0)).unwrap_or(0);
    let _ = file.seek(SeekFrom::Start(length.saturating_sub(TAIL)));
    let mut bytes = Vec::new();
    let _ = file.take(TAIL).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if length > TAIL && lines.len() > 1 {
        // It begins in the middle of one.
        lines.remove(0);
    }
    let last = lines.len().saturating_sub(LINES);
    lines[last..].iter().map(|line| shown(line)).collect()
}

fn shown(line: &str) -> String {
    let masked = mask_text(line);
    let plain = masked.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Nanos = Nanos::from_secs(30);

    fn line(line: &str) -> CommandSheet {
        CommandSheet::Line(line.to_string())
    }

    fn ran(command: &CommandSheet, limit: Nanos) -> Result<(), Failed> {
        let setting = Setting(vec![("WORKERS".to_string(), "4".to_string())]);
        run(command, &setting, &std::env::temp_dir(), limit)
    }

    #[test]
    fn a_command_has_the_setting_and_the_folder_and_its_end_is_told_with_what_it_printed() {
        assert!(ran(&line("test \"$WORKERS\" = 4"), LONG).is_ok());
        let words = ["sh", "-c", "test \"$WORKERS\" = 4 && test \"$PWD\" = \"$1\"", "sh"];
        let folder = std::env::temp_dir().canonicalize().unwrap().display().to_string();
        let words: Vec<String> =
            words.iter().map(|word| word.to_string()).chain([folder]).collect();
        assert!(ran(&CommandSheet::Words(words), LONG).is_ok());
        let failed = ran(&line("echo no; echo password=planted >&2; exit 3"), LONG).err().unwrap();
        assert_eq!(failed.why, "ended with exit code 3");
        assert_eq!(failed.lines, ["no", "password=***"]);
        let failed = ran(&line("seq 100; exit 1"), LONG).err().unwrap();
        assert_eq!(failed.lines.first().map(|line| &**line), Some("91"));
        assert_eq!(ran(&line("kill -9 $$"), LONG).err().unwrap().why, "was ended by signal 9");
        let none = CommandSheet::Words(vec!["/no/such/program".to_string()]);
        assert!(ran(&none, LONG).err().unwrap().why.starts_with("could not be started"));
    }

    #[test]
    fn what_it_leaves_in_the_background_goes_on_and_is_not_waited_for() {
        let pid = std::env::temp_dir().join(format!("blast-suite-pid-{}", std::process::id()));
        let start = time::now();
        assert!(ran(&line(&format!("sleep 100 & echo $! > {}", pid.display())), LONG).is_ok());
        assert!(time::now() - start < LONG);
        let child = std::fs::read_to_string(&pid).unwrap();
        std::fs::remove_file(&pid).unwrap();
        let child: libc::pid_t = child.trim().parse().unwrap();
        // SAFETY: a signal to a process that this test started.
        assert_eq!(unsafe { libc::kill(child, libc::SIGKILL) }, 0, "it was there");
    }

    #[test]
    fn one_that_takes_too_long_is_killed() {
        let failed = ran(&line("sleep 100"), Nanos::from_millis(200)).err().unwrap();
        assert!(failed.why.starts_with("was not over after 200 ms"), "{}", failed.why);
    }
}
