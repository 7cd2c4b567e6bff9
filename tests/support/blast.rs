//! The program, run as a shell runs it, killed when it takes too long.

use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::{Document, LIMIT, NO_CALIBRATION};

/// A command line to be.
pub struct Blast {
    command: Command,
}

impl Blast {
    /// As a user types it, but for `--json`.
    pub fn new(engine: &str, url: &str) -> Blast {
        Blast::page(engine, url).args("--json")
    }

    /// Leaves the cores to others: for tests that run side by side and measure no time.
    pub fn calm(engine: &str, url: &str) -> Blast {
        Blast::new(engine, url).args("--wait block --pin off")
    }

    /// Prints the page instead of the document.
    pub fn page(engine: &str, url: &str) -> Blast {
        Blast::without_url(engine).arg(url)
    }

    /// The URL is among what follows, or in a curl command.
    pub fn without_url(engine: &str) -> Blast {
        Blast::of(Command::new(env!("CARGO_BIN_EXE_blast"))).args("--engine").arg(engine)
    }

    /// By a shell that lowers its limits first.
    pub fn limited(limits: &str, engine: &str, url: &str) -> Blast {
        let script = format!("{limits}; exec \"$0\" \"$@\"");
        Blast::by_shell(&script, engine, url).args("--json --wait block --pin off")
    }

    /// By a shell to which the command is `"$0" "$@"`. Prints the page.
    pub fn by_shell(script: &str, engine: &str, url: &str) -> Blast {
        Blast::by(Command::new("sh"), script, engine, url)
    }

    /// By a shell that is root in a network of its own, where even the loopback is down. `script`
    /// runs blast as `"$0" "$@"`. `None`, and said so, where this host has no such namespaces.
    pub fn in_own_network(script: &str, engine: &str, url: &str) -> Option<Blast> {
        let allowed = Command::new("unshare").args(["-rn", "true"]).output();
        if !allowed.is_ok_and(|output| output.status.success()) {
            super::skipped("a network of one's own", "this host allows no such namespaces");
            return None;
        }
        let mut shell = Command::new("unshare");
        shell.args(["-rn", "sh"]);
        let blast = Blast::by(shell, script, engine, url);
        Some(blast.args("--json --wait block --pin off"))
    }

    /// Where names stand for what this file says, which may change: it lies over /etc/hosts in a
    /// file system view of its own. `None`, and said so, where this host has no such namespaces.
    pub fn with_hosts(hosts: &std::path::Path, engine: &str, url: &str) -> Option<Blast> {
        let script = "mount --bind \"$HOSTS\" /etc/hosts && exec \"$0\" \"$@\"";
        let mut trial = Command::new("unshare");
        trial.args(["-rm", "sh", "-c", script, "true"]).env("HOSTS", hosts);
        if !trial.output().is_ok_and(|output| output.status.success()) {
            super::skipped("a hosts file of one's own", "this host allows no such namespaces");
            return None;
        }
        let mut shell = Command::new("unshare");
        shell.args(["-rm", "sh"]);
        let blast = Blast::by(shell, script, engine, url).env("HOSTS", hosts);
        Some(blast.args("--json --wait block --pin off"))
    }

    fn by(mut shell: Command, script: &str, engine: &str, url: &str) -> Blast {
        shell.args(["-c", script, env!("CARGO_BIN_EXE_blast")]);
        Blast::of(shell).args("--engine").arg(engine).arg(url)
    }

    /// Root may write whatever permissions say; this one may not.
    pub fn bound_by_permissions(mut self) -> Blast {
        let drop_override = || {
            // SAFETY: a system call on no memory. Who is not root may not do it, and need not.
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) };
            Ok(())
        };
        // SAFETY: the closure makes one system call, between fork and exec.
        unsafe { self.command.pre_exec(drop_override) };
        self
    }

    /// Of a verb, which stands first.
    pub fn verb(verb: &str) -> Blast {
        Blast::of(Command::new(env!("CARGO_BIN_EXE_blast"))).arg(verb)
    }

    fn of(mut command: Command) -> Blast {
        command
            .env_remove("BLAST_ENGINE")
            .env_remove("BLAST_HISTORY")
            .env_remove("COLUMNS")
            .stdin(Stdio::null());
        command.env("BLAST_CALIBRATION", NO_CALIBRATION);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: the closure makes system calls that are allowed between fork and exec.
        unsafe { command.pre_exec(super::process::heed_signals) };
        Blast { command }
    }

    /// Words, separated by spaces.
    pub fn args(mut self, words: &str) -> Blast {
        self.command.args(words.split_whitespace());
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Blast {
        self.command.env(name, value);
        self
    }

    /// Alone on this core, which others may use as well.
    pub fn on_core(mut self, core: usize) -> Blast {
        // SAFETY: the closure makes one system call, on memory of its own.
        unsafe { self.command.pre_exec(move || super::process::sit_on(core)) };
        self
    }

    /// One word, spaces and all.
    pub fn arg(mut self, word: &str) -> Blast {
        self.command.arg(word);
        self
    }

    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Blast {
        self.command.stdout(stdout);
        self
    }

    #[cfg_attr(not(feature = "tui"), allow(dead_code))]
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Blast {
        self.command.stdin(stdin);
        self
    }

    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Blast {
        self.command.stderr(stderr);
        self
    }

    pub fn start(mut self) -> Running {
        let started = Instant::now();
        let mut child = self.command.spawn().expect("blast starts");
        let words = format!("{:?}", self.command);
        // The command holds this side's copies of what the child writes to.
        drop(self);
        let stdout = child.stdout.take().map(collect);
        let stderr = child.stderr.take().map(collect);
        Running { words, child, started, stdout, stderr }
    }

    pub fn run(self) -> Run {
        self.start().end()
    }

    /// The document of a run that went through. A test machine may be too slow for its schedule,
    /// and blast must say so: exit 4 is no fault here, unless the test says it is.
    pub fn document(self) -> Document {
        let run = self.run();
        assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
        assert_eq!(run.stderr, "", "{run:?}");
        let document = run.document();
        assert!(document.is_complete(), "{run:?}");
        document
    }
}

/// From linux/capability.h.
const CAP_DAC_OVERRIDE: libc::c_ulong = 1;

/// Reads to the end beside the test, so that a full pipe holds nobody up.
fn collect(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

pub struct Running {
    words: String,
    child: Child,
    started: Instant,
    stdout: Option<Receiver<Vec<u8>>>,
    stderr: Option<Receiver<Vec<u8>>>,
}

impl Running {
    /// Sends a signal, and waits until it was taken: two pending ones would become one.
    pub fn signal(&self, signal: i32) {
        // SAFETY: signals our own child, which has not been waited for.
        unsafe { libc::kill(self.child.id() as i32, signal) };
        self.until("the signal was taken", |child| {
            let status = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap();
            let pending = status.lines().filter_map(|line| line.split_once("Pnd:"));
            let pending = pending.map(|(_, mask)| u64::from_str_radix(mask.trim(), 16).unwrap());
            // One that has ended takes no more.
            status.contains("\nState:\tZ")
                || !pending.into_iter().any(|mask| mask >> (signal - 1) & 1 == 1)
        });
    }

    /// Has a handler for it, as a run has for those that end it.
    pub fn catches(&self, signal: i32) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() >> (signal - 1) & 1 == 1
    }

    /// Stops the process for a while, as a host does that has no time for it.
    pub fn freeze(&self, time: Duration) {
        // SAFETY: as above.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGSTOP) };
        thread::sleep(time);
        // SAFETY: as above.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGCONT) };
    }

    /// As a machine that crashes ends it.
    pub fn kill(mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it was started");
    }

    /// The processor time used so far, user and system.
    pub fn cpu(&self) -> Duration {
        super::process::cpu(self.child.id())
    }

    /// From now on it can have no descriptor from this number on; `None`: as many as this test.
    pub fn limit_descriptors(&self, most: Option<u64>) {
        super::process::limit_descriptors(self.child.id(), most);
    }

    /// Waits until a connect to this address, which no other run may use, is under way: the run is
    /// past its preparations. That it heeds Ctrl-C is asked for by itself, as a connect that the
    /// test gave up lives on in a child of another of its threads until that one is `exec`ed.
    pub fn until_it_connects(&self, to: SocketAddr) {
        let peer = format!(":{:04X}", to.port());
        self.until("it connects", |child| {
            let sockets = std::fs::read_to_string(format!("/proc/{child}/net/tcp")).unwrap();
            let connects = sockets.lines().map(str::split_whitespace).any(|mut fields| {
                fields.nth(2).is_some_and(|field| field.ends_with(&peer))
                    && fields.next() == Some(SYN_SENT)
            });
            connects && self.catches(libc::SIGINT)
        });
    }

    fn until(&self, what: &str, reached: impl Fn(u32) -> bool) {
        let start = Instant::now();
        while !reached(self.child.id()) {
            assert!(start.elapsed() < LIMIT, "{}: never {what}", self.words);
            thread::yield_now();
        }
    }

    /// Waits for the end, within the limit.
    pub fn end(mut self) -> Run {
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let stdout = self.text(stdout);
        let stderr = self.text(stderr);
        // Its pipes are closed: it is over, or all but.
        let status = self.child.wait().expect("it was started");
        Run { words: self.words.clone(), status, stdout, stderr, took: self.started.elapsed() }
    }

    fn text(&mut self, from: Option<Receiver<Vec<u8>>>) -> String {
        let Some(from) = from else { return String::new() };
        let left = LIMIT.saturating_sub(self.started.elapsed());
        let bytes = from.recv_timeout(left).unwrap_or_else(|_| {
            let _ = self.child.kill();
            let _ = self.child.wait();
            panic!("{} took longer than {LIMIT:?}", self.words)
        });
        String::from_utf8(bytes).expect("UTF-8")
    }
}

/// How it went.
#[derive(Debug)]
pub struct Run {
    pub words: String,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Run {
    /// The exit code; `None` after a deadly signal.
    pub fn code(&self) -> Option<i32> {
        assert_ne!(self.status.signal(), Some(libc::SIGKILL), "{}", self.words);
        self.status.code()
    }

    pub fn document(&self) -> Document {
        Document::parse(&self.stdout).unwrap_or_else(|error| {
            panic!("{error}\n{}\n{}{}", self.words, self.stdout, self.stderr)
        })
    }

    /// The one sentence of a run that could not be: nothing on stdout, one line on stderr.
    pub fn complaint(&self) -> &str {
        assert_eq!(self.stdout, "", "{self:?}");
        assert_eq!(self.stderr.matches('\n').count(), 1, "{self:?}");
        let sentence = self.stderr.strip_prefix("blast: ").unwrap_or_else(|| panic!("{self:?}"));
        sentence.trim_end()
    }
}

/// A socket that waits for the answer to its first packet, as /proc/net/tcp says it.
const SYN_SENT: &str = "02";
