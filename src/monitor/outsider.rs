//! A program of somebody else's, run to its end on given cores: how it ended, the processor time
//! that it and what it waited for took, and the most memory that one of them held.
//!
//! It leads a process group of its own: a terminal's Ctrl-C does not reach it, and nothing that it
//! left behind outlives it. (What makes itself a session of its own is out of reach.)

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::time::{self, Nanos};

/// How often it is looked whether it has ended, or must: the time it took is known to this.
const LOOK: Duration = Duration::from_millis(4);

/// What it may write into a file.
const MOST_WRITTEN: libc::rlim_t = 1 << 30;

/// What it took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    /// User and system time, of it and of all descendants that were waited for.
    pub cpu: Nanos,
    /// Of the largest of them.
    pub max_rss_bytes: u64,
    pub wall: Nanos,
}

/// How it came to nothing.
#[derive(Debug)]
pub enum Fault {
    NotStarted(io::Error),
    /// It was killed when its time was over.
    TooLong,
    /// It was killed because the user wants no more.
    Cut,
}

/// Runs it to its end. No `cores`: all that are allowed.
pub fn run(
    command: &mut Command,
    cores: &[usize],
    limit: Nanos,
    ends: &dyn Fn() -> bool,
) -> Result<(ExitStatus, Used), Fault> {
    let mut set = None;
    if !cores.is_empty() {
        set = Some(of_cores(cores));
    }
    let prepare = move || {
        // SAFETY: system calls that only read memory of this closure, between fork and exec; each
        // is safe after a fork. That the cores were refused is not hidden: it would not start.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
            let limit = libc::rlimit { rlim_cur: MOST_WRITTEN, rlim_max: MOST_WRITTEN };
            libc::setrlimit(libc::RLIMIT_FSIZE, &limit);
            let size = size_of::<libc::cpu_set_t>();
            match &set {
                Some(set) if libc::sched_setaffinity(0, size, set) != 0 => {
                    Err(io::Error::last_os_error())
                }
                _ => Ok(()),
            }
        }
    };
    // SAFETY: see above. The signal comes when the thread ends that starts it, and that one waits.
    unsafe { command.pre_exec(prepare) };
    let began = time::now();
    let child = command.process_group(0).spawn().map_err(Fault::NotStarted)?;
    let group = Group(child.id() as libc::pid_t);
    loop {
        if let Some((status, used)) = group.reap().map_err(Fault::NotStarted)? {
            group.kill();
            return Ok((status, Used { wall: time::now() - began, ..used }));
        }
        let fault = match () {
            () if ends() => Fault::Cut,
            () if time::now() - began > limit => Fault::TooLong,
            () => {
                std::thread::sleep(LOOK);
                continue;
            }
        };
        group.kill();
        while group.reap().is_ok_and(|ended| ended.is_none()) {
            std::thread::sleep(LOOK);
        }
        return Err(fault);
    }
}

fn of_cores(cores: &[usize]) -> libc::cpu_set_t {
    // SAFETY: a cpu_set_t is plain bits, all zero an empty set; a core beyond its size is left out.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let most = 8 * size_of::<libc::cpu_set_t>();
        cores.iter().filter(|core| **core < most).for_each(|core| libc::CPU_SET(*core, &mut set));
        set
    }
}

/// By the number of its first process.
struct Group(libc::pid_t);

impl Group {
    fn kill(&self) {
        // SAFETY: a system call on no memory.
        unsafe { libc::kill(-self.0, libc::SIGKILL) };
    }

    /// `None`: its first process has not ended.
    fn reap(&self) -> io::Result<Option<(ExitStatus, Used)>> {
        let mut status = 0;
        // SAFETY: both places are owned by this frame and outlive the call, which fills them.
        let (ended, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::wait4(self.0, &mut status, libc::WNOHANG, &mut usage), usage)
        };
        match ended {
            0 => Ok(None),
            -1 => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => Ok(None),
                error => Err(error),
            },
            _ => {
                let max_rss_bytes = usage.ru_maxrss.max(0) as u64 * 1024;
                let cpu = nanos(usage.ru_utime) + nanos(usage.ru_stime);
                Ok(Some((
                    ExitStatus::from_raw(status),
                    Used { cpu, max_rss_bytes, ..Used::default() },
                )))
            }
        }
    }
}

fn nanos(time: libc::timeval) -> Nanos {
    Nanos(time.tv_sec.max(0) as u64 * 1_000_000_000 + time.tv_usec.max(0) as u64 * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Nanos = Nanos::from_secs(30);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_child_of_it_took_is_in_its_time() {
        let loops = "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done";
        let own = run(&mut shell(loops), &[], LIMIT, &|| false).unwrap().1;
        let of_child = format!("sh -c '{loops}'; true");
        let of_child = run(&mut shell(&of_child), &[], LIMIT, &|| false).unwrap().1;
        assert!(own.cpu > Nanos::from_millis(5), "{own:?}");
        assert!(of_child.cpu > Nanos::from_millis(5), "{of_child:?}");
        assert!(own.max_rss_bytes > 100_000 && own.wall >= Nanos::from_millis(5), "{own:?}");
    }

    #[test]
    fn it_ends_with_its_time_and_when_nobody_wants_more() {
        let late = run(&mut shell("sleep 60 & sleep 60"), &[], Nanos::from_millis(20), &|| false);
        assert!(matches!(late, Err(Fault::TooLong)), "{late:?}");
        let cut = run(&mut shell("sleep 60"), &[], LIMIT, &|| true);
        assert!(matches!(cut, Err(Fault::Cut)), "{cut:?}");
        let absent = run(&mut Command::new("/nowhere/at/all"), &[], LIMIT, &|| false);
        assert!(matches!(absent, Err(Fault::NotStarted(_))), "{absent:?}");
    }

    #[test]
    fn it_runs_on_the_cores_that_are_named() {
        let core = crate::host::allowed_cores()[0];
        let script = format!("test \"$(taskset -cp $$ | sed 's/.*: //')\" = {core}");
        let ended = run(&mut shell(&script), &[core], LIMIT, &|| false).unwrap();
        assert!(ended.0.success(), "{ended:?}");
    }
}
