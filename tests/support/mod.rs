//! What the integration tests share: the engines, a server that follows a script, the program
//! itself with a time limit, and its document with the invariants of every run.
//!
//! Two kinds of test. Where timing is not the subject, [`each_engine`] runs both engines side by
//! side and beside other tests, and [`Blast::calm`] keeps them from spinning. Where it is,
//! [`each_engine_alone`] has the machine to itself.

mod answer;
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
mod authority;
mod blast;
mod document;
mod folder;
mod process;
mod random;
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
mod secure;
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
mod server;
mod terminal;

pub use self::answer::{chunked, counted};
#[cfg(feature = "tls")]
pub use self::authority::{Authority, Certified};
pub use self::blast::{Blast, Run};
pub use self::document::{Document, of_verb};
pub use self::folder::Folder;
pub use self::process::{Outsider, cpu as process_cpu, sit_on};
pub use self::random::{Random, seed};
#[cfg(feature = "tls")]
pub use self::secure::{Terms, Tickets};
pub use self::server::{Deaf, Heard, Peer, Server, closed_port};
pub use self::terminal::Terminal;

use std::io::{self, Write};
use std::panic;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::Duration;

/// What the user of this host has calibrated is of no matter: there is no such file.
pub const NO_CALIBRATION: &str = "/nowhere/calibration.json";

/// No wait in these tests is longer.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Each of them has to pass every test.
pub const ENGINES: [&str; 3] = ["ring", "tokio-uring", "epoll"];

/// Tests beside each other share it; one that measures time has it alone.
static MACHINE: RwLock<()> = RwLock::new(());

pub fn each_engine(test: impl Fn(&'static str) + Sync) {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        // A thread's name stands before its panic.
        let start = |engine: &'static str| {
            let test = &test;
            let thread = thread::Builder::new().name(engine.to_string());
            thread.spawn_scoped(scope, move || test(engine)).unwrap()
        };
        for thread in ENGINES.map(start) {
            thread.join().unwrap_or_else(|reason| panic::resume_unwind(reason));
        }
    });
}

/// For what only computes: not while another measures time.
pub fn beside_others(test: impl FnOnce()) {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    test();
}

/// The same for as long as it is held.
#[cfg_attr(not(feature = "serve"), allow(dead_code))]
pub fn shared() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

pub fn each_engine_alone(test: impl Fn(&'static str)) {
    alone(&ENGINES, test);
}

/// For what is the same in either, or takes long: the default engine.
pub fn ring_alone(test: impl Fn(&'static str)) {
    alone(&ENGINES[..1], test);
}

fn alone(engines: &[&'static str], test: impl Fn(&'static str)) {
    let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    for engine in engines {
        println!("--engine {engine}");
        test(engine);
    }
}

/// Says, past the harness that keeps what passing tests print, that a part was not tried here:
/// `scripts/check` counts these lines.
pub fn skipped(what: &str, why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {what}: {}", why.trim());
}

/// A complete answer with a body.
pub fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub fn ok() -> String {
    answer("200 OK", "hello")
}
