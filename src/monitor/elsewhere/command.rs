//! A command of the user's, run by a shell: what it printed, within a time limit and a limit of
//! bytes.
//!
//! It leads a process group of its own, which is killed when its time is over, so that nothing it
//! started is left behind. (What makes itself a session of its own is out of reach.)

use std::io::{self, PipeReader, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::time::{self, Nanos};

/// What a command may print on either way; past it, it is killed.
const MOST: usize = 4_096;

/// How often it is looked whether it has ended, or must.
const LOOK: Nanos = Nanos::from_millis(20);

/// What came of it.
#[derive(Debug, Default, PartialEq)]
pub struct Printed {
    pub out: String,
    pub err: String,
}

/// How it came to nothing.
#[derive(Debug, PartialEq)]
pub enum Fault {
    NotStarted(String),
    /// It was killed when its time was over.
    TooLong,
    TooMuch,
    /// It ended by a signal of somebody else's.
    Signal(i32),
    /// The run is over.
    Cut,
}

/// Runs it to its end.
pub fn run(
    command: &str,
    limit: Nanos,
    ends: &dyn Fn() -> bool,
) -> Result<(Printed, Option<i32>), Fault> {
    let not_started = |error: io::Error| Fault::NotStarted(error.to_string());
    let (out, out_end) = io::pipe().map_err(not_started)?;
    let (err, err_end) = io::pipe().map_err(not_started)?;
    let child = Command::new("sh")
        .args(["-c", command])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(out_end)
        .stderr(err_end)
        .spawn()
        .map_err(not_started)?;
    let mut running =
        Running { child, ends: None, pipes: [Some(out), Some(err)], bytes: Default::default() };
    let ended = running.wait(time::now() + limit, ends);
    // Also what it left in the background.
    running.kill();
    let status = ended?;
    if let Some(signal) = status.signal() {
        return Err(Fault::Signal(signal));
    }
    let [out, err] = running.bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok((Printed { out, err }, status.code()))
}

struct Running {
    child: Child,
    ends: Option<ExitStatus>,
    /// Its output and its errors; `None`: read to the end.
    pipes: [Option<PipeReader>; 2],
    bytes: [Vec<u8>; 2],
}

impl Running {
    /// Until it has ended and what it printed is read. What it left in the background may hold its
    /// output open: that is not waited for.
    fn wait(&mut self, deadline: Nanos, ends: &dyn Fn() -> bool) -> Result<ExitStatus, Fault> {
        loop {
            let read_something = self.read();
            if self.bytes.iter().any(|bytes| bytes.len() > MOST) {
                return Err(Fault::TooMuch);
            }
            match self.ends {
                Some(status) if !read_something => return Ok(status),
                Some(_) => continue,
                None => self.ends = self.child.try_wait().ok().flatten(),
            }
            if self.ends.is_none() && ends() {
                return Err(Fault::Cut);
            }
            if self.ends.is_none() && time::now() >= deadline {
                return Err(Fault::TooLong);
            }
        }
    }

    /// Waits a moment for output, and takes in what is there.
    fn read(&mut self) -> bool {
        let wait = if self.ends.is_some() { 0 } else { (LOOK.0 / 1_000_000) as i32 };
        let of = |pipe: &Option<PipeReader>| libc::pollfd {
            // A negative one is passed over.
            fd: pipe.as_ref().map_or(-1, |pipe| pipe.as_raw_fd()),
            events: libc::POLLIN,
            revents: 0,
        };
        let mut polled = [of(&self.pipes[0]), of(&self.pipes[1])];
        // SAFETY: the kernel writes into this array of two, during the call; the descriptors are
        // open, as `self.pipes` owns them.
        let ready = unsafe { libc::poll(polled.as_mut_ptr(), 2, wait) };
        if ready < 0 {
            std::thread::sleep(Duration::from_nanos(LOOK.0));
            return false;
        }
        let mut read_something = false;
        for ((pipe, bytes), polled) in self.pipes.iter_mut().zip(&mut self.bytes).zip(polled) {
            if polled.revents != 0 {
                read_something |= take(pipe, bytes);
            }
        }
        if ready > 0 && self.pipes.iter().all(Option::is_none) {
            // Both ends are closed, and it may still run: the next look waits by the clock.
            std::thread::sleep(Duration::from_millis(1));
        }
        read_something
    }

    fn kill(&mut self) {
        // A group has the number of its first process. Nothing is left of most of them.
        let group = self.child.id() as libc::pid_t;
        // SAFETY: a system call on no memory.
        unsafe { libc::kill(-group, libc::SIGKILL) };
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One read, which does not block as there is something; a pipe at its end is closed.
fn take(pipe: &mut Option<PipeReader>, bytes: &mut Vec<u8>) -> bool {
    let mut buffer = [0; MOST];
    match pipe.as_mut().map(|pipe| pipe.read(&mut buffer)) {
        Some(Ok(read @ 1..)) => {
            bytes.extend_from_slice(&buffer[..read]);
            true
        }
        Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => false,
        _ => {
            *pipe = None;
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const LONG: Nanos = Nanos::from_secs(30);

    fn never() -> bool {
        false
    }

    fn is_there(pid: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
            .is_ok_and(|stat| !stat.contains(") Z"))
    }

    #[test]
    fn what_a_command_prints_is_read() {
        for (command, out, err, code) in [
            ("echo 5", "5\n", "", 0),
            ("printf 5; echo no >&2; exit 3", "5", "no\n", 3),
            ("true", "", "", 0),
            ("exec >&- 2>&-; sleep 0.1; exit 4", "", "", 4),
            ("cat", "", "", 0),
        ] {
            let (printed, found) = run(command, LONG, &never).unwrap();
            assert_eq!((&*printed.out, &*printed.err, found), (out, err, Some(code)), "{command}");
        }
    }

    #[test]
    fn one_that_does_not_end_is_killed_with_its_children() {
        let folder = std::env::temp_dir().join(format!("blast-command-{}", std::process::id()));
        let script = format!("sleep 100 & echo $! >{0}; wait", folder.display());
        let start = time::now();
        assert_eq!(run(&script, Nanos::from_millis(300), &never), Err(Fault::TooLong));
        let took = time::now() - start;
        assert!(took >= Nanos::from_millis(300) && took < Nanos::from_secs(20), "{took:?}");
        let child = std::fs::read_to_string(&folder).unwrap();
        std::fs::remove_file(&folder).unwrap();
        let patience = time::now() + Nanos::from_secs(10);
        while is_there(&child) && time::now() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!is_there(&child), "the child {child} was left behind");
    }

    #[test]
    fn what_stays_in_the_background_is_not_waited_for() {
        let start = time::now();
        let (printed, _) = run("sleep 100 & echo 7", LONG, &never).unwrap();
        assert_eq!(printed.out, "7\n");
        assert!(time::now() - start < Nanos::from_secs(20));
    }

    #[test]
    fn one_that_prints_without_end_is_killed() {
        assert_eq!(run("yes", LONG, &never), Err(Fault::TooMuch));
        assert_eq!(run("yes >&2", LONG, &never), Err(Fault::TooMuch));
    }

    #[test]
    fn the_end_of_the_run_cuts_it_short() {
        let ends = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                ends.store(true, Ordering::Relaxed);
            });
            let cut = run("sleep 100", LONG, &|| ends.load(Ordering::Relaxed));
            assert_eq!(cut, Err(Fault::Cut));
        });
        assert_eq!(run("kill -9 $$", LONG, &never), Err(Fault::Signal(9)));
    }
}
