//! Parcels through real sockets, on every engine, over TLS and not: each request differs from the
//! one before, in buffers that are written anew as soon as they may be, and the server says what
//! came of them.

mod server;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use self::server::{Manner, Server};
use super::core::tests::parcels;
use super::job::{Arrivals, Job};
use super::relay::Relay;
use super::wire::{Parcel, SMALL, Slot};
use super::{epoll, ring, tokio_uring};
use crate::http::Payload;
use crate::metrics::{Counters, Fates};
use crate::plan::{Engine, Rate, Schedule};
use crate::time::{self, Nanos};
use crate::tls::{Client, Settings};

const MEGA: usize = 1 << 20;

const ENGINES: [Engine; 3] = [Engine::Ring, Engine::TokioUring, Engine::Epoll];

/// What is sent, and to whom.
struct Load {
    connections: u32,
    pipeline: u32,
    requests: u64,
    /// Of an open loop.
    rate: Option<u64>,
    /// Of the bytes that differ, and of the tail, by the request's number.
    sizes: fn(u64) -> (usize, usize),
    manner: Manner,
    timeout: Nanos,
}

impl Load {
    const PLAIN: Load = Load {
        connections: 2,
        pipeline: 1,
        requests: 60,
        rate: None,
        sizes: |_| (10, 0),
        manner: Manner::Reads,
        timeout: Nanos::from_secs(20),
    };

    /// On each engine, over TLS and not; what the books say is given to `check`.
    #[track_caller]
    fn check(&self, check: impl Fn(&Counters)) {
        for engine in ENGINES {
            for secure in [false, cfg!(feature = "tls")] {
                println!("{} {secure}", engine.name());
                check(&self.run(engine, secure));
            }
        }
    }

    #[track_caller]
    fn all_arrive(&self) {
        self.check(|counters| {
            assert_eq!((counters.sent, counters.good), (self.requests, self.requests));
        });
    }

    fn run(&self, engine: Engine, secure: bool) -> Counters {
        let server = Server::start(self.manner, secure);
        let arrivals = match self.rate {
            Some(rate) => {
                let rate = Rate::per_second(rate);
                Arrivals::Open(Schedule::uniform(rate, Nanos::ZERO, None, Some(self.requests)))
            }
            None => Arrivals::Closed { budget: self.requests, users: None },
        };
        let request = Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n");
        let settings = Settings { insecure: true, ..Settings::new() };
        let job = Arc::new(Job {
            addresses: [server.address].into(),
            pipeline: self.pipeline,
            request: Payload::of(&request, self.pipeline),
            tls: secure.then(|| Client::new(&settings, "localhost").expect("a client")),
            timeout: self.timeout,
            drain: Nanos::from_secs(20),
            ..Job::new(self.connections, request, arrivals)
        });
        let stock = Stock::new(self);
        let counters = run(engine, job, stock);
        server.stop();
        counters
    }
}

/// The books of one worker's run.
fn run(engine: Engine, job: Arc<Job>, mut stock: Stock) -> Counters {
    let worker = thread::spawn({
        let job = job.clone();
        move || {
            parcels::deliver_all(move |slot| stock.next(slot));
            let relay = Relay::closed();
            match engine {
                Engine::Ring => ring::run(job, &relay),
                Engine::TokioUring => tokio_uring::run(job, relay),
                Engine::Epoll => epoll::run(job, &relay),
            }
        }
    });
    while job.timeline.ready() == 0 && !worker.is_finished() {
        thread::sleep(Duration::from_millis(1));
    }
    job.timeline.start(time::now());
    let mut fates = Fates::default();
    loop {
        let over = worker.is_finished();
        while let Some(letter) = job.mailbox.collect() {
            fates.add(&letter.snapshot.measure);
            job.mailbox.give_back(letter.snapshot);
        }
        if over {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    worker.join().expect("no panic").expect("a run");
    fates.counters
}

/// Makes the parcels: `pipeline` buffers a slot, each written anew when its turn comes again, for
/// then the request in it has its fate.
struct Stock {
    made: u64,
    pipeline: usize,
    sizes: fn(u64) -> (usize, usize),
    buffers: Vec<(usize, Vec<Vec<u8>>)>,
    tail: Vec<u8>,
}

impl Stock {
    fn new(load: &Load) -> Stock {
        let pipeline = load.pipeline as usize;
        let buffers = (0..load.connections).map(|_| (0, vec![Vec::new(); pipeline])).collect();
        let most = (0..load.requests).map(|number| (load.sizes)(number).1).max().unwrap_or(0);
        Stock { made: 0, pipeline, sizes: load.sizes, buffers, tail: server::tail(most) }
    }

    fn next(&mut self, slot: Slot) -> Parcel {
        let number = self.made;
        self.made += 1;
        let (own, tail) = (self.sizes)(number);
        let (turn, buffers) = &mut self.buffers[slot as usize];
        let buffer = &mut buffers[*turn % self.pipeline];
        *turn += 1;
        // What was in it must not be needed any more.
        buffer.fill(b'!');
        buffer.clear();
        let length = own + tail;
        let head =
            format!("POST /{number}/{own} HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n");
        buffer.extend_from_slice(head.as_bytes());
        buffer.extend((0..own).map(|at| server::own_byte(number, at)));
        let confirmed = tail > 0 || buffer.len() > SMALL / self.pipeline;
        Parcel::new(buffer, &self.tail[..tail], confirmed)
    }
}

#[test]
fn requests_that_differ_arrive_whole() {
    let sizes = |number| ((number as usize * 37) % 3_000, 0);
    Load { connections: 4, requests: 400, sizes, ..Load::PLAIN }.all_arrive();
}

#[test]
fn pipelined_parcels_keep_their_order() {
    let sizes = |number| ((number as usize * 131) % 1_500, 0);
    Load { pipeline: 8, requests: 400, sizes, ..Load::PLAIN }.all_arrive();
}

#[test]
fn a_large_tail_reaches_a_slow_reader_whole() {
    let sizes = |number| (number as usize * 20_000, 3 * MEGA + 7);
    Load { requests: 4, sizes, manner: Manner::ReadsSlowly, ..Load::PLAIN }.all_arrive();
}

#[test]
fn small_and_large_ones_take_turns() {
    let sizes = |number| match number % 3 {
        0 => (100, 0),
        1 => (30, 700_001),
        _ => (50_000, 0),
    };
    Load { sizes, ..Load::PLAIN }.all_arrive();
    Load { sizes, pipeline: 4, rate: Some(1_000), ..Load::PLAIN }.all_arrive();
}

#[test]
fn small_ones_wait_in_order_for_a_reader_that_pauses() {
    // More than a reader with a small buffer takes, and less than SMALL.
    let sizes = |number| (3_000 + number as usize % 700, 0);
    let manner = Manner::ReadsSlowly;
    Load { pipeline: 4, requests: 200, sizes, manner, ..Load::PLAIN }.all_arrive();
}

#[test]
fn a_reset_in_the_middle_is_one_failure_and_the_run_goes_on() {
    let sizes = |number| if number % 5 == 2 { (10, 4 * MEGA) } else { (10, 0) };
    let load = Load { requests: 50, sizes, manner: Manner::ResetsLarge, ..Load::PLAIN };
    load.check(|counters| {
        assert_eq!((counters.sent, counters.good, counters.failed()), (50, 40, 10));
    });
}

#[test]
fn a_reader_that_stops_is_given_up_and_its_connection_ends() {
    let sizes = |number| if number % 5 == 2 { (10, 4 * MEGA) } else { (10, 0) };
    let manner = Manner::StopsAtLarge;
    let timeout = Nanos::from_millis(200);
    let load = Load { requests: 15, sizes, manner, timeout, ..Load::PLAIN };
    load.check(|counters| {
        assert_eq!((counters.sent, counters.good, counters.failed()), (15, 12, 3));
    });
}

#[test]
fn an_answer_before_the_end_of_the_request_counts_and_the_rest_is_not_sent() {
    // More than the buffers of both ends hold (tcp(7), tcp_wmem and tcp_rmem).
    let sizes = |number| if number % 5 == 2 { (10, 24 * MEGA) } else { (10, 0) };
    let load = Load { requests: 50, sizes, manner: Manner::AnswersEarly, ..Load::PLAIN };
    load.all_arrive();
}
