//! A process with a limit on all it does, and the folder that it writes into.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::monitor::elsewhere::shown;
use crate::time::{self, Nanos};

/// What it may write in all; past it, it is killed.
const MOST_WRITTEN: u64 = 1 << 30;

/// What is read of it.
const MOST_READ: u64 = 64 << 20;

/// From the interrupt until it must have written what it has seen.
const PATIENCE: Nanos = Nanos::from_secs(15);

/// A folder for this user alone, removed at the end.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Result<Folder, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Relaxed);
        let name = format!("blast-profile-{}-{number}-{}", std::process::id(), time::now().0);
        let path = std::env::temp_dir().join(name);
        // It fails where there is one already, whoever made it.
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map(|()| Folder(path)).map_err(|error| {
            format!("a folder in {} could not be made ({error})", std::env::temp_dir().display())
        })
    }

    /// What the profiler is told to write.
    pub fn out(&self) -> PathBuf {
        self.0.join("out")
    }

    fn stdout(&self) -> PathBuf {
        self.0.join("stdout")
    }

    fn stderr(&self) -> PathBuf {
        self.0.join("stderr")
    }

    /// Nothing was written where it was told to.
    pub fn is_empty(&self) -> bool {
        fs::metadata(self.out()).map_or(0, |out| out.len()) == 0
    }

    /// What it has seen: in the file, or else on its output.
    pub fn text(&self) -> Result<String, String> {
        let file = if self.is_empty() { self.stdout() } else { self.out() };
        read(&file, MOST_READ).map_err(|error| format!("what it wrote cannot be read ({error})"))
    }

    fn written(&self) -> u64 {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn read(file: &Path, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(file)?.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The leader of a process group, which is killed when this is dropped.
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    ended: Option<ExitStatus>,
    interrupted: Option<Nanos>,
    /// Looked at now and then.
    written: u64,
    looks: u32,
}

impl Child {
    pub fn start(command: &mut Command, folder: &Folder) -> Result<Child, String> {
        let not_started = |error: io::Error| format!("it could not be started ({error})");
        let stdout = File::create(folder.stdout()).map_err(not_started)?;
        let stderr = File::create(folder.stderr()).map_err(not_started)?;
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        Child::spawn(command).map_err(not_started)
    }

    /// In a group of its own: a terminal's Ctrl-C does not reach it, and all of it can be killed.
    pub fn spawn(command: &mut Command) -> io::Result<Child> {
        let die_with_us = || {
            // SAFETY: a system call on no memory.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) };
            Ok(())
        };
        // SAFETY: the closure makes one system call, between fork and exec. The signal comes when
        // the thread ends that starts it, and that one waits for it.
        unsafe { command.pre_exec(die_with_us) };
        let child = command.process_group(0).spawn()?;
        Ok(Child { child, ended: None, interrupted: None, written: 0, looks: 0 })
    }

    pub fn output(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    pub fn has_ended(&mut self) -> Result<bool, String> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().map_err(|error| error.to_string())?;
        }
        Ok(self.ended.is_some())
    }

    /// Asks it, once, to end and to write what it has seen.
    pub fn interrupt(&mut self) {
        if self.interrupted.is_none() {
            self.interrupted = Some(time::now());
            self.signal(libc::SIGINT);
        }
    }

    /// The error: it is past one of its limits.
    pub fn check(&mut self, folder: &Folder, is_hurried: bool) -> Result<(), String> {
        self.looks += 1;
        if self.looks.is_multiple_of(16) {
            self.written = folder.written();
        }
        let is_late = self.interrupted.is_some_and(|at| time::now() - at > PATIENCE);
        match () {
            () if is_hurried => Err("it was not waited for".to_string()),
            () if is_late => Err("it did not end when it was interrupted".to_string()),
            () if self.written > MOST_WRITTEN => Err("it wrote more than 1 GB".to_string()),
            () => Ok(()),
        }
    }

    /// Why it wrote nothing: its own last line, or how it ended.
    pub fn why(&self, folder: &Folder) -> String {
        let said = read(&folder.stderr(), MOST_READ).unwrap_or_default();
        if let Some(last) = said.lines().rev().find(|line| !line.trim().is_empty()) {
            return format!("it said {}", shown(last));
        }
        match self.ended.map(|status| (status.code(), status.signal())) {
            Some((Some(0), _)) | None => "it wrote nothing".to_string(),
            Some((Some(code), _)) => format!("it ended with exit code {code} and wrote nothing"),
            Some((None, signal)) => {
                format!("it was killed by signal {} and wrote nothing", signal.unwrap_or_default())
            }
        }
    }

    fn signal(&self, signal: libc::c_int) {
        // A group has the number of its first process.
        // SAFETY: a system call on no memory.
        unsafe { libc::kill(-(self.child.id() as libc::pid_t), signal) };
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Also what it left in the background.
        self.signal(libc::SIGKILL);
        if self.ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
