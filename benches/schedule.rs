//! The schedule: when the k-th request is due.

use std::hint::black_box;

use blast::Nanos;
use blast::plan::{Law, Offered, Rate, Schedule, Shape, Warmup};
use criterion::{Criterion, criterion_group, criterion_main};

fn schedule(criterion: &mut Criterion) {
    let year = Nanos::from_secs(365 * 24 * 3_600);
    let uniform = Schedule::uniform(Rate::per_second(50_000), Nanos::ZERO, Some(year), None);
    let days = Nanos::from_secs(30 * 24 * 3_600);
    let shaped = |from, to, law| {
        let shape = Shape::ramp(from, to, days).expect("a ramp");
        let offered = Offered::shaped(shape, Nanos::from_secs(1), law).expect("in range");
        Schedule::new(&offered, Warmup::NONE, None, None)
    };
    let poisson = Law::Poisson { seed: 1 };
    for (name, schedule) in [
        ("uniform", uniform),
        ("ramp", shaped(50_000, 60_000, Law::Uniform)),
        ("poisson", shaped(50_000, 50_000, poisson)),
        ("poisson ramp", shaped(50_000, 60_000, poisson)),
    ] {
        let mut walk = schedule.walks(0, 1).1;
        criterion.bench_function(&format!("schedule/{name}"), |b| {
            b.iter(|| {
                walk.advance();
                assert!(black_box(walk.peek()).is_some());
            });
        });
    }
}

criterion_group!(benches, schedule);
criterion_main!(benches);
