//! Ctrl-C, SIGTERM, and a terminal that is lost (SIGHUP): the first asks the run to end, the second
//! ends it at once.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::SeqCst};

use crate::error::Exit;

static COUNT: AtomicU32 = AtomicU32::new(0);
static FIRST: AtomicI32 = AtomicI32::new(0);

/// From now on these signals are counted instead of ending the process.
pub fn install() {
    [libc::SIGINT, libc::SIGTERM].into_iter().for_each(count);
    // `nohup` starts a program that ignores it, and so it shall.
    if !is_ignored(libc::SIGHUP) {
        count(libc::SIGHUP);
    }
}

fn count(signal: i32) {
    let handler: extern "C" fn(libc::c_int) = note;
    // SAFETY: `note` only touches two atomics, which is allowed in a signal handler, and the
    // zeroed `sigaction` is a valid one with an empty mask.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        libc::sigaction(signal, &action, std::ptr::null_mut());
    }
}

fn is_ignored(signal: i32) -> bool {
    // SAFETY: asks only; the kernel fills the `sigaction`, which this frame owns.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action);
        action.sa_sigaction == libc::SIG_IGN
    }
}

/// From now on a file that reaches the limit of its size (`ulimit -f`) is an error of the one who
/// writes it, not the end of the process and its report.
pub fn survive_file_limits() {
    // SAFETY: to ignore a signal takes no handler.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// As Ctrl-C does: for those who read the key themselves.
pub fn ask() {
    note(libc::SIGINT);
}

/// How many signals came.
pub fn requests() -> u32 {
    COUNT.load(SeqCst)
}

/// The exit code that the first signal asks for.
pub fn exit() -> Option<Exit> {
    match FIRST.load(SeqCst) {
        libc::SIGINT => Some(Exit::Interrupted),
        libc::SIGTERM | libc::SIGHUP => Some(Exit::Terminated),
        _ => None,
    }
}

extern "C" fn note(signal: libc::c_int) {
    let _ = FIRST.compare_exchange(0, signal, SeqCst, SeqCst);
    COUNT.fetch_add(1, SeqCst);
}
