//! What follows from arithmetic, and what a log of arrivals says: shared by these tests and by
//! `benches/experiments`. Times in seconds.

/// Open loop, one stall of `stall` in `length`: the response time at the quantile `q`, above the
/// service time. Each request that was due in the stall waits for its end, so the waits are spread
/// evenly from 0 to `stall`.
pub fn stalled(q: f64, stall: f64, length: f64) -> f64 {
    (stall - (1.0 - q) * length).max(0.0)
}

/// The mean of the same.
pub fn stalled_mean(stall: f64, length: f64) -> f64 {
    stall * stall / (2.0 * length)
}

/// Open loop at `rate` for `length` against a server that does `capacity`: the wait at `q`.
pub fn overloaded(q: f64, length: f64, rate: f64, capacity: f64) -> f64 {
    q * length * (rate / capacity - 1.0)
}

/// Poisson arrivals at one server that takes exactly `service`: the mean time in it
/// (Pollaczek and Khinchine).
pub fn m_d_1(rate: f64, service: f64) -> f64 {
    let load = rate * service;
    service + load * service / (2.0 * (1.0 - load))
}

/// The mean time that these arrivals spend at one such server, whatever law they follow (Lindley).
pub fn single_server(arrivals: &[f64], service: f64) -> f64 {
    let mut free = f64::NEG_INFINITY;
    let mut time_in = |at: &f64| {
        free = free.max(*at) + service;
        free - at
    };
    arrivals.iter().map(&mut time_in).sum::<f64>() / arrivals.len() as f64
}

/// When the k-th arrival (from 0) of a ramp from `r0` to `r1` in `length` is due: where the
/// integral of the rate is k.
pub fn on_ramp(k: f64, r0: f64, r1: f64, length: f64) -> f64 {
    let gain = (r1 - r0) / length;
    ((r0 * r0 + 2.0 * gain * k).sqrt() - r0) / gain
}

/// From one arrival to the next, of instants in order.
pub fn gaps(arrivals: &[f64]) -> Vec<f64> {
    arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation over the mean: 1 for exponential gaps, 0 for even ones.
pub fn variation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (squares / values.len() as f64).sqrt() / mean
}

/// The value that a share `q` of them is not above.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// The Kolmogorov-Smirnov statistic of these gaps against Exp(`rate`), as a share of what is
/// exceeded by chance once in a hundred samples (asymptotically 1.63 / sqrt(n)): above 1 the law
/// is another one.
pub fn exponential_misfit(gaps: &[f64], rate: f64) -> f64 {
    let mut sorted = gaps.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let off = |(index, gap): (usize, &f64)| {
        let law = 1.0 - (-rate * gap).exp();
        (law - index as f64 / count).max((index + 1) as f64 / count - law)
    };
    let statistic = sorted.iter().enumerate().map(off).fold(0.0, f64::max);
    statistic * count.sqrt() / 1.63
}
