//! Which cores the threads beside a run sit on: not those of its workers, where there are others. A
//! child inherits its mask from whoever starts it, so it is given the full one back before it begins.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use libc::cpu_set_t;

/// Where this process could run when it began.
#[derive(Clone)]
pub struct Cores {
    all: cpu_set_t,
}

impl Cores {
    pub fn of_this_process() -> Cores {
        // SAFETY: a zeroed set is a valid, empty one, and the kernel fills it; this frame owns it.
        let all = unsafe {
            let mut all: cpu_set_t = std::mem::zeroed();
            libc::sched_getaffinity(0, size_of::<cpu_set_t>(), &mut all);
            all
        };
        Cores { all }
    }

    /// Keeps all threads of this process off these cores, unless there would be none left.
    pub fn keep_off(&self, taken: &[usize]) {
        let mut rest = self.all;
        for core in taken.iter().filter(|core| **core < libc::CPU_SETSIZE as usize) {
            // SAFETY: the core is one that a set has room for.
            unsafe { libc::CPU_CLR(*core, &mut rest) };
        }
        // SAFETY: reads a set of this frame.
        let left = unsafe { libc::CPU_COUNT(&rest) };
        sit_on(if left > 0 { &rest } else { &self.all });
    }

    /// Everywhere again.
    pub fn come_back(&self) {
        sit_on(&self.all);
    }

    /// The child begins where this process could run, wherever its threads sit now.
    pub fn give_to(&self, command: &mut Command) {
        let all = self.all;
        let give = move || {
            // SAFETY: a system call that reads a set which the closure owns.
            match unsafe { libc::sched_setaffinity(0, size_of::<cpu_set_t>(), &all) } {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        };
        // SAFETY: between fork and exec it makes one system call, and allocates nothing.
        unsafe { command.pre_exec(give) };
    }

    /// The calling thread alone is where it could be before: it looks for the cores of its workers.
    pub fn free_this_thread(&self) {
        // SAFETY: a system call that reads a set which this object owns. Where it is refused the
        // thread stays where it is.
        unsafe { libc::sched_setaffinity(0, size_of::<cpu_set_t>(), &self.all) };
    }
}

/// All threads; one that is started meanwhile has its starter's mask.
fn sit_on(cores: &cpu_set_t) {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let numbers = tasks.filter_map(|task| task.file_name().to_str()?.parse().ok());
    for thread in numbers {
        // SAFETY: a system call that reads a set which this frame borrows. A thread that has ended
        // meanwhile is an error that matters to nobody.
        unsafe { libc::sched_setaffinity(thread, size_of::<cpu_set_t>(), cores) };
    }
}
