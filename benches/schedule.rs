//! The schedule: when the k-th request is due.

use std::hint::black_box;

use blast::Nanos;
use blast::plan::{Rate, Schedule};
use criterion::{Criterion, criterion_group, criterion_main};

fn schedule(criterion: &mut Criterion) {
    let hour = Some(Nanos::from_secs(3_600));
    let schedule = Schedule::uniform(Rate::per_second(50_000), Nanos::ZERO, hour, None);
    criterion.bench_function("schedule/intended", |b| {
        let mut k = 0;
        b.iter(|| {
            k = (k + 1) % schedule.count();
            black_box(schedule.intended(black_box(k)))
        });
    });
    criterion.bench_function("schedule/due_before", |b| {
        b.iter(|| black_box(schedule.due_before(black_box(Nanos::from_millis(123_456)))));
    });
}

criterion_group!(benches, schedule);
criterion_main!(benches);
