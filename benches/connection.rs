//! One step of a connection: an answer in, its books, the next request out. All of a request's
//! way through blast but the ring.

use std::hint::black_box;
use std::sync::Arc;

use blast::engine::core::Core;
use blast::engine::job::{Arrivals, Job};
use blast::engine::timeline::Timeline;
use blast::engine::wire::{Event, Slot, Wire};
use blast::{Nanos, time};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};

const CONNECTIONS: u32 = 64;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nServer: blast\r\nContent-Type: text/plain\r\n\
Content-Length: 6\r\n\r\nhello\n";

/// Carries nothing.
#[derive(Default)]
struct Nowhere {
    opens: Vec<Slot>,
    sends: u64,
}

impl Wire for Nowhere {
    fn open(&mut self, slot: Slot, _address: usize) {
        self.opens.push(slot);
    }

    fn send(&mut self, _slot: Slot, copies: u32) {
        self.sends += u64::from(copies);
    }

    fn write(&mut self, _slot: Slot, _bytes: &[u8]) {}

    fn close(&mut self, _slot: Slot) {}
}

fn job(timeline: Arc<Timeline>) -> Job {
    let request = Bytes::from_static(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let arrivals = Arrivals::Closed { budget: u64::MAX, users: None };
    Job { timeline, ..Job::new(CONNECTIONS, request, arrivals) }
}

fn connection(criterion: &mut Criterion) {
    let timeline = Arc::new(Timeline::default());
    let mut core = Core::new(Arc::new(job(timeline.clone())));
    let mut wire = Nowhere::default();
    let mut now = time::now();
    // Connects are paced at the start, so that takes a few turns.
    while timeline.ready() == 0 {
        now += Nanos::from_millis(1);
        core.turn(now, &mut wire);
        for slot in std::mem::take(&mut wire.opens) {
            core.on(slot, Event::Opened, now, &mut wire);
        }
    }
    timeline.start(now);
    core.turn(now, &mut wire);
    assert_eq!(wire.sends, u64::from(CONNECTIONS));
    let mut slot = 0;
    criterion.bench_function("connection/answer and send", |b| {
        b.iter(|| {
            // Within one second of the load: publishing is another matter.
            core.on(slot, Event::Received(black_box(ANSWER)), now, &mut wire);
            slot = (slot + 1) % CONNECTIONS;
        });
    });
    assert!(wire.sends > u64::from(CONNECTIONS));
}

criterion_group!(benches, connection);
criterion_main!(benches);
