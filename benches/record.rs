//! Recording: what a latency costs, and what merging a second of them does.

use std::hint::black_box;

use blast::Nanos;
use blast::metrics::Histogram;
use criterion::{Criterion, criterion_group, criterion_main};

fn record(criterion: &mut Criterion) {
    let mut histogram = Histogram::default();
    let mut time = 1u64;
    criterion.bench_function("histogram/record", |b| {
        b.iter(|| {
            // A walk over 20 us to 2 ms, so that no single count stays in a register.
            time = (time * 6_364_136_223 + 1_442_695) % 2_000_000;
            histogram.record(Nanos(black_box(20_000 + time)));
        });
    });
    let mut total = Histogram::default();
    criterion.bench_function("histogram/merge", |b| b.iter(|| total.add(black_box(&histogram))));
}

criterion_group!(benches, record);
criterion_main!(benches);
