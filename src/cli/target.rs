//! `blast target`: the built-in server until SIGINT or SIGTERM.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::values;
use crate::error::{Error, Exit, Result};
use crate::host;
use crate::plan::Pin;
use crate::target::{Behaviour, Options, Target};
use crate::time::{self, Nanos};
use crate::units::{format_bytes, format_count, format_duration, quote};

/// Arrivals that `--log` keeps: 96 MB at most, taken from the system only as they come.
const LOGGED: usize = 4_000_000;

#[derive(Clone, Debug, clap::Args)]
pub struct TargetArgs {
    /// Port to listen on; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub port: u16,

    /// Address to listen on
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,

    /// Server threads, each with its own ring and listener
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::threads)]
    pub threads: usize,

    // Boxed: a command line is copied about, and most are none of the target's.
    #[command(flatten)]
    pub behaviour: Box<BehaviourArgs>,

    /// Serve a small application besides: a registry (/, /hospital, /patient), telemetry (/update),
    /// a tutor with uploads (/voice, /stats, /profile, /words, /calendar), a gateway with a login
    /// (/login, /api/items, /logout). The flags above apply to it, but for size and chunks
    #[arg(long)]
    pub app: bool,

    /// Write when each request arrived and was answered (the first 4 million) to this file at the
    /// end: nanoseconds on CLOCK_MONOTONIC, twice (the second is 0 without an answer), connection
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Write a line for each request to this file: microseconds since the start, connection,
    /// method, target, status of the answer, bytes of its body
    #[arg(long, value_name = "FILE")]
    pub log_requests: Option<PathBuf>,

    /// Cores for the threads: `off`, or `0,2-5` [default: from the lowest up]
    #[arg(long, value_name = "CORES", value_parser = values::pin)]
    pub pin: Option<Pin>,
}

/// The words of a [`Behaviour`], which reads them itself: requests use the same.
#[derive(Clone, Debug, clap::Args)]
pub struct BehaviourArgs {
    /// Answer so much later: `5ms`, or `exp:5ms` (exponential, that mean)
    #[arg(long, value_name = "T")]
    pub delay: Option<String>,

    /// Occupy a worker for so long: an exact queue, first come first served over all connections
    #[arg(long, value_name = "T")]
    pub service: Option<String>,

    /// Workers of that queue [default: 1]
    #[arg(long, value_name = "N", requires = "service")]
    pub workers: Option<String>,

    /// Turn away what is beyond so many a second, over all connections, with 429 or the status given
    #[arg(long, value_name = "N[:STATUS]")]
    pub limit: Option<String>,

    /// Never answer each N-th request
    #[arg(long, value_name = "N")]
    pub unanswered: Option<String>,

    /// Answer nothing for the last D of every P: `1s/10s`
    #[arg(long, value_name = "D/P")]
    pub stall: Option<String>,

    /// Bytes of each body: `512`, `10k`, `1M`
    #[arg(long, value_name = "BYTES")]
    pub size: Option<String>,

    /// Statuses by weight, in a fixed order: `200:95,503:5`
    #[arg(long, value_name = "MIX")]
    pub status: Option<String>,

    /// Send bodies in chunks, of 4096 bytes or as many as given
    #[arg(long, value_name = "BYTES", num_args = 0..=1, require_equals = true,
          default_missing_value = "1")]
    pub chunked: Option<String>,

    /// Close each connection after so many requests
    #[arg(long, value_name = "N")]
    pub close_after: Option<String>,
}

pub fn run(args: TargetArgs) -> Result<Exit> {
    let mut options = args.options()?;
    // Opened now: a path that cannot be written must not be found out after an hour.
    let open = |path, flag| create(path, flag).map(|file| (path, file));
    let log = args.log.as_deref().map(|path| open(path, "--log")).transpose()?;
    let requests = args.log_requests.as_deref().map(|path| create(path, "--log-requests"));
    options.log_requests = requests.transpose()?.map(Arc::new);
    let signals = Signals::block();
    let mut target = Target::start(options)?;
    let line = format!("blast target listens on http://{}/\n", target.address());
    let mut stdout = io::stdout().lock();
    // Where stdout is gone, the server still serves.
    let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
    while !signals.arrived() {
        if let Some(fault) = target.fault() {
            return Err(fault);
        }
    }
    target.halt();
    let _ = io::stderr().write_all(summary(&target).as_bytes());
    if let Some((path, file)) = log {
        write_log(file, &target).map_err(|error| unwritable(path, "--log", &error))?;
    }
    // A log of requests that could not be written.
    target.fault().map_or(Ok(Exit::Done), Err)
}

impl TargetArgs {
    fn options(&self) -> Result<Options> {
        let cores = match &self.pin {
            Some(Pin::Off) => None,
            Some(Pin::List(cores)) => Some(cores.clone()),
            // From the lowest up; the load takes them from the highest down.
            Some(Pin::Auto) | None => Some(host::allowed_cores()),
        };
        Ok(Options {
            bind: self.bind,
            port: self.port,
            threads: self.threads,
            cores,
            behaviour: self.behaviour.read()?,
            app: self.app,
            log: self.log.as_ref().map(|_| LOGGED),
            ..Options::default()
        })
    }
}

impl BehaviourArgs {
    fn read(&self) -> Result<Behaviour> {
        let mut behaviour = Behaviour::default();
        for (key, value) in [
            ("delay", &self.delay),
            ("service", &self.service),
            ("workers", &self.workers),
            ("limit", &self.limit),
            ("unanswered", &self.unanswered),
            ("stall", &self.stall),
            ("size", &self.size),
            ("status", &self.status),
            ("chunked", &self.chunked),
            ("close_after", &self.close_after),
        ] {
            if let Some(value) = value {
                let flag = key.replace('_', "-");
                let named = |error| Error::usage(format!("--{flag}: {error}"));
                behaviour.set(key, value).map_err(named)?;
            }
        }
        Ok(behaviour)
    }
}

fn summary(target: &Target) -> String {
    let stats = target.stats();
    let mut text = format!(
        "{} requests on {} connections, {} in, {} out, {} of CPU\n",
        format_count(stats.requests as f64),
        format_count(stats.connections as f64),
        format_bytes(stats.bytes_in as f64),
        format_bytes(stats.bytes_out as f64),
        format_duration(time::process_cpu()),
    );
    for (count, what) in [
        (stats.refused, "refused: no requests, or beyond a limit"),
        (stats.buffers_exhausted, "times all receive buffers were in use"),
        (target.unlogged(), "arrivals not logged: the log was full"),
    ] {
        if count > 0 {
            text += &format!("{} {what}\n", format_count(count as f64));
        }
    }
    text
}

fn create(path: &Path, flag: &str) -> Result<File> {
    File::create(path).map_err(|error| unwritable(path, flag, &error))
}

fn unwritable(path: &Path, flag: &str, error: &io::Error) -> Error {
    let (path, reason) = (quote(&path.to_string_lossy()), super::reason(error));
    Error::failed(format!("the log {path} cannot be written ({reason}); give another `{flag}`"))
}

/// On the machine's clock, so that it can be held against what any other process saw.
fn write_log(file: File, target: &Target) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    for arrival in target.log() {
        let absolute = |at: Nanos| target.started() + at;
        let answered = (arrival.answered > Nanos::ZERO).then(|| absolute(arrival.answered));
        let (arrived, answered) = (absolute(arrival.arrived).0, answered.unwrap_or_default().0);
        writeln!(file, "{arrived} {answered} {}", arrival.connection)?;
    }
    file.flush()
}

/// SIGINT and SIGTERM, blocked so that they can be waited for.
struct Signals(libc::sigset_t);

impl Signals {
    /// Blocks them in this thread and in those that it starts.
    fn block() -> Signals {
        // SAFETY: a sigset_t is plain bits, made valid by sigemptyset before it is read; all calls
        // only use memory of this frame and cannot fail for valid signal numbers.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, libc::SIGINT);
            libc::sigaddset(&mut set, libc::SIGTERM);
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
            Signals(set)
        }
    }

    /// Waits for one of them, a second at the longest.
    fn arrived(&self) -> bool {
        let second = libc::timespec { tv_sec: 1, tv_nsec: 0 };
        // SAFETY: both arguments are valid for the call, which only reads them.
        unsafe { libc::sigtimedwait(&self.0, std::ptr::null_mut(), &second) > 0 }
    }
}
