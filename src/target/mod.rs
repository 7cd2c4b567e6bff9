//! The embedded HTTP/1.1 server: a target that answers as it is told to, fast enough to load a
//! client core, and that logs what it saw.
//!
//! One thread, one ring and one listener (SO_REUSEPORT) each; nothing is shared between threads
//! while they serve, but for the queues of requests that ask for a service. It is no web server: it
//! reads requests, throws bodies away and sends bytes prepared beforehand; where it is asked to, it
//! is a small application besides. It shares no parser with the client.
//!
//! ```text
//! mod         options, start, stop, counters      server      the turn: enter, reap, send
//! listener    sockets and limits                  accept      filling the file table, no further
//! ring        the bare ring                       closing     lingering, closing, freeing slots
//! buffers     memory for what arrives             connection  bytes in, answers out, in order
//! behaviour   what was asked for                  request     reading requests
//! catalogue   which answer, and when              chunked     reading past chunked bodies
//! queue       service by a law                    response    answers as bytes
//! log         arrivals, in memory                 ledger      requests, in a file
//! app         the demonstration application       limit       a rate that is not exceeded
//! ```

mod accept;
mod app;
mod behaviour;
mod buffers;
mod catalogue;
mod chunked;
mod closing;
mod connection;
mod ledger;
mod limit;
mod listener;
mod log;
mod queue;
mod request;
mod response;
mod ring;
mod server;

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

pub use behaviour::{Behaviour, Delay, Limited, Stall};
pub use log::Arrival;

use crate::error::{Error, Result};
use crate::host;
use crate::time::{self, Nanos};
use accept::Accepting;
use app::App;
use buffers::Buffers;
use catalogue::Catalogue;
use connection::Context;
use ledger::Ledger;
use log::Log;
use queue::Queues;
use ring::Ring;
use server::{Memory, Server};

/// How a target is started.
#[derive(Clone, Debug)]
pub struct Options {
    pub bind: IpAddr,
    /// 0: a free one.
    pub port: u16,
    pub threads: usize,
    /// One core a thread, taken in order and again from the first when there are more threads.
    /// `None`: not pinned.
    pub cores: Option<Vec<usize>>,
    pub behaviour: Behaviour,
    /// Serve the demonstration application beside the other paths.
    pub app: bool,
    /// Keep the arrivals, so many at most over all threads.
    pub log: Option<usize>,
    /// Write a line for each request: microseconds since the start, connection, method, target,
    /// status of the answer, bytes of its body. It is complete when the target has stopped.
    pub log_requests: Option<Arc<File>>,
    /// Connections a thread holds at once; further clients wait in the backlog. At most the hard
    /// limit of open files, which is also the default.
    pub connections: Option<usize>,
    /// For random delays.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            threads: 1,
            cores: None,
            behaviour: Behaviour::default(),
            app: false,
            log: None,
            log_requests: None,
            connections: None,
            seed: 1,
        }
    }
}

/// What a target has done so far, over all its threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Read in full, and answered or waiting for their answer.
    pub requests: u64,
    /// What was no request, or one beyond a limit.
    pub refused: u64,
    /// Connections accepted.
    pub connections: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Times that all receive buffers were in use.
    pub buffers_exhausted: u64,
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
    counters: Vec<Arc<Counters>>,
    logs: Vec<Log>,
    fault: Arc<Mutex<Option<Error>>>,
    started: Nanos,
    /// Readable from the moment the threads shall stop.
    stop: Arc<OwnedFd>,
}

impl Target {
    /// Binds, starts the threads and returns once all of them serve.
    pub fn start(options: Options) -> Result<Target> {
        let threads = options.threads.max(1);
        let capacity = listener::capacity(options.connections);
        let listeners = listener::open(SocketAddr::new(options.bind, options.port), threads)?;
        let address = listener::address(&listeners[0])?;
        let started = time::now();
        let mut target = Target {
            address,
            started,
            threads: Vec::new(),
            counters: Vec::new(),
            logs: Vec::new(),
            fault: Arc::default(),
            stop: Arc::new(listener::eventfd()?),
        };
        let (ready, serving) = mpsc::channel();
        let queues = Arc::default();
        let shared = options.app.then(Arc::default);
        for (index, listener) in listeners.into_iter().enumerate() {
            let log = options.log.map(|capacity| Log::with_capacity(capacity.div_ceil(threads)));
            let station = Station {
                index,
                threads,
                listener,
                capacity,
                core: options.cores.as_ref().and_then(|cores| core_of(cores, index)),
                behaviour: options.behaviour.clone(),
                seed: options.seed.wrapping_add(index as u64),
                origin: started,
                queues: Arc::clone(&queues),
                app: shared.clone(),
                log: log.clone(),
                log_requests: options.log_requests.clone(),
                counters: Arc::default(),
                stop: Arc::clone(&target.stop),
            };
            target.counters.push(Arc::clone(&station.counters));
            target.logs.extend(log);
            target.spawn(station, ready.clone())?;
        }
        for _ in 0..threads {
            let dead =
                || Error::failed("a target thread ended before it served; start the target again");
            serving.recv().map_err(|_| dead())??;
        }
        Ok(target)
    }

    fn spawn(&mut self, station: Station, ready: mpsc::Sender<Result<()>>) -> Result<()> {
        let fault = Arc::clone(&self.fault);
        let body = move || {
            if let Err(error) = station.serve(&ready) {
                // Only a start that failed has someone who listens.
                let _ = ready.send(Err(error.clone()));
                *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        };
        let thread = std::thread::Builder::new().name("blast-target".to_owned()).spawn(body);
        let thread = thread.map_err(|error| {
            Error::failed(format!("cannot start a target thread ({error}); use fewer `--threads`"))
        })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Where it listens, with the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// When it started: the zero of the log and of the stalls.
    pub fn started(&self) -> Nanos {
        self.started
    }

    /// The counters, each at most one turn old.
    pub fn stats(&self) -> Stats {
        self.counters.iter().fold(Stats::default(), |sum, counters| counters.add_to(sum))
    }

    /// The arrivals kept so far, in order; empty unless [`Options::log`] was set.
    pub fn log(&self) -> Vec<Arrival> {
        let mut arrivals: Vec<Arrival> = self.logs.iter().flat_map(|log| log.read().0).collect();
        arrivals.sort_by_key(|arrival| (arrival.arrived, arrival.connection));
        arrivals
    }

    /// Arrivals for which the log had no room.
    pub fn unlogged(&self) -> u64 {
        self.logs.iter().map(|log| log.read().1).sum()
    }

    /// What ended a thread early.
    pub fn fault(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes everything at once and waits for the threads.
    pub fn stop(mut self) -> Stats {
        self.halt();
        self.stats()
    }

    /// As [`Target::stop`], but the log can still be read.
    pub fn halt(&mut self) {
        listener::signal(&self.stop);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on stderr.
            let _ = thread.join();
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.halt();
    }
}

fn core_of(cores: &[usize], index: usize) -> Option<usize> {
    (!cores.is_empty()).then(|| cores[index % cores.len()])
}

fn pin(id: usize) -> Result<()> {
    if host::pin(id) {
        return Ok(());
    }
    Err(Error::failed(format!(
        "the target cannot run on core {id}; give `--pin` cores that are allowed here, or `off`"
    )))
}

/// Everything one thread needs.
struct Station {
    index: usize,
    threads: usize,
    listener: OwnedFd,
    capacity: usize,
    core: Option<usize>,
    behaviour: Behaviour,
    seed: u64,
    origin: Nanos,
    queues: Arc<Queues>,
    app: Option<Arc<app::Shared>>,
    log: Option<Log>,
    log_requests: Option<Arc<File>>,
    counters: Arc<Counters>,
    stop: Arc<OwnedFd>,
}

impl Station {
    /// Runs on its own thread. Says once on `ready` that it serves.
    fn serve(self, ready: &mpsc::Sender<Result<()>>) -> Result<()> {
        if let Some(id) = self.core {
            pin(id)?;
        }
        let buffers = Buffers::map().map_err(|error| host::io_uring_refused(&error))?;
        // Before the ring: what the kernel writes to must outlive it.
        let mut memory = Memory { buffers, slots: Vec::new(), retired: Vec::new() };
        let mut ring = ring::build()?;
        let ring = Ring::new(&mut ring);
        let files = ring.submitter().register_files_sparse(self.capacity as u32);
        files.map_err(|error| host::io_uring_refused(&error))?;
        memory
            .buffers
            .register(ring.submitter())
            .map_err(|error| host::io_uring_refused(&error))?;
        let cx = Context {
            catalogue: Catalogue::new(self.behaviour, self.queues, self.origin, self.seed),
            app: self.app.map(App::new),
            log: self.log,
            ledger: self.log_requests.map(Ledger::of),
            stats: Stats::default(),
            started: self.origin,
            now: self.origin,
        };
        let listener = self.listener.as_raw_fd();
        let accepting = Accepting::new(listener, self.capacity, self.index, self.threads);
        let mut server = Server::new(ring, &mut memory, cx, accepting, self.counters);
        let _ = ready.send(Ok(()));
        server.run(self.stop.as_raw_fd())
    }
}

/// One thread's [`Stats`] for others to read. It alone writes, once a turn, so plain stores do; its
/// own cache line keeps threads apart.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Counters([AtomicU64; 6]);

impl Counters {
    fn publish(&self, stats: &Stats) {
        let values = [
            stats.requests,
            stats.refused,
            stats.connections,
            stats.bytes_in,
            stats.bytes_out,
            stats.buffers_exhausted,
        ];
        for (counter, value) in self.0.iter().zip(values) {
            counter.store(value, Ordering::Relaxed);
        }
    }

    fn add_to(&self, sum: Stats) -> Stats {
        let [requests, refused, connections, bytes_in, bytes_out, buffers_exhausted] =
            [0, 1, 2, 3, 4, 5].map(|index| self.0[index].load(Ordering::Relaxed));
        Stats {
            requests: sum.requests + requests,
            refused: sum.refused + refused,
            connections: sum.connections + connections,
            bytes_in: sum.bytes_in + bytes_in,
            bytes_out: sum.bytes_out + bytes_out,
            buffers_exhausted: sum.buffers_exhausted + buffers_exhausted,
        }
    }
}
