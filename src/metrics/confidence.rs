//! How sure a quantile is: its distribution-free 95 % confidence interval from order statistics.
//!
//! Of n independent samples of one distribution, the number B that lie below its quantile q is
//! binomial(n, q), whatever that distribution is. So the l-th and the u-th smallest sample enclose
//! the quantile with probability P(l <= B <= u - 1) or, where samples are equal, more. With l the
//! largest rank for which P(B <= l - 1) <= 2.5 %, and u the smallest for which P(B >= u) <= 2.5 %,
//! that is at least 95 %. (Conover, Practical Nonparametric Statistics, 3rd ed. 1999, sec. 3.2;
//! Hahn and Meeker, Statistical Intervals, 1991, sec. 5.2.)
//!
//! It supposes independent samples. The latencies of a burst or of a stall are not: there the
//! truth is less sure than the interval says.

/// Left to each side of the interval.
const ASIDE: f64 = 0.025;

/// Beside the weight 1 of the mode, all that is beyond a weight like this adds up to nothing that
/// a double could tell.
const NEGLIGIBLE: f64 = 1e-24;

/// The ranks of the two samples that enclose a quantile, counted from 1, the smallest. `None`: no
/// sample is far enough out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranks {
    pub lower: Option<u64>,
    pub upper: Option<u64>,
}

/// For the quantile `q`, above 0 and below 1, of `n` samples. Takes O(sqrt(n)) steps: ten standard
/// deviations of the binomial to each side of its mode.
pub fn ranks(n: u64, q: f64) -> Ranks {
    debug_assert!(q > 0.0 && q < 1.0, "{q} is no quantile");
    let mode = (((n + 1) as f64 * q) as u64).min(n);
    let sums = (below(n, q, mode).sum::<f64>(), above(n, q, mode).sum::<f64>());
    let allowed = ASIDE * (sums.0 + 1.0 + sums.1);
    let lower = mode - steps_until(allowed, sums.0, below(n, q, mode));
    let upper = mode + 1 + steps_until(allowed, sums.1, above(n, q, mode));
    Ranks { lower: (lower >= 1).then_some(lower), upper: (upper <= n).then_some(upper) }
}

/// How many of the weights, the largest first, have to go from their sum until it is allowed.
fn steps_until(allowed: f64, sum: f64, weights: impl Iterator<Item = f64>) -> u64 {
    let mut tail = sum;
    let too_heavy = weights.take_while(|weight| {
        let stop = tail <= allowed;
        tail -= weight;
        !stop
    });
    too_heavy.count() as u64
}

/// The probabilities of mode - 1, mode - 2, ..., as multiples of the mode's:
/// P(k - 1) / P(k) = k / (n - k + 1) * (1 - q) / q.
fn below(n: u64, q: f64, mode: u64) -> impl Iterator<Item = f64> {
    let odds = (1.0 - q) / q;
    let ratio = move |k: u64| k as f64 / (n - k + 1) as f64 * odds;
    weights((1..=mode).rev().map(ratio))
}

/// The probabilities of mode + 1, mode + 2, ..., as multiples of the mode's:
/// P(k + 1) / P(k) = (n - k) / (k + 1) * q / (1 - q).
fn above(n: u64, q: f64, mode: u64) -> impl Iterator<Item = f64> {
    let odds = q / (1.0 - q);
    let ratio = move |k: u64| (n - k) as f64 / (k + 1) as f64 * odds;
    weights((mode..n).map(ratio))
}

fn weights(ratios: impl Iterator<Item = f64>) -> impl Iterator<Item = f64> {
    let mut weight = 1.0;
    let next = move |ratio| {
        weight *= ratio;
        weight
    };
    ratios.map(next).take_while(|weight| *weight > NEGLIGIBLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(n: u64, q: f64) -> (Option<u64>, Option<u64>) {
        let Ranks { lower, upper } = ranks(n, q);
        (lower, upper)
    }

    #[test]
    fn the_ranks_of_the_median_are_those_of_the_printed_tables() {
        // The narrowest symmetric intervals of at least 95 % as textbooks print them beside the sign
        // test (for n = 10: x(2) to x(9), 97.9 %; for n = 20: x(6) to x(15), 95.9 %).
        for (n, lower, upper) in [
            (6, 1, 6),
            (7, 1, 7),
            (9, 2, 8),
            (10, 2, 9),
            (12, 3, 10),
            (15, 4, 12),
            (17, 5, 13),
            (18, 5, 14),
            (20, 6, 15),
            (25, 8, 18),
            (30, 10, 21),
            (50, 18, 33),
            (100, 40, 61),
        ] {
            assert_eq!(pair(n, 0.5), (Some(lower), Some(upper)), "{n}");
        }
    }

    #[test]
    fn too_few_samples_have_no_bound() {
        assert_eq!(pair(0, 0.5), (None, None));
        assert_eq!(pair(1, 0.5), (None, None));
        // 1/2^5 is more than 2.5 %, 1/2^6 is less.
        assert_eq!(pair(5, 0.5), (None, None));
        // 0.99^n falls to 2.5 % between n = 367 and n = 368, 0.9^n between 35 and 36.
        assert_eq!((ranks(367, 0.99).upper, ranks(368, 0.99).upper), (None, Some(368)));
        assert_eq!((ranks(35, 0.9).upper, ranks(36, 0.9).upper), (None, Some(36)));
        assert!(ranks(35, 0.9).lower.is_some());
    }

    /// The sum of the binomial's probabilities up to and including `k`, straight from logarithms
    /// of factorials.
    fn cumulative(n: u64, q: f64, k: u64) -> f64 {
        let mut factorial = vec![0.0; n as usize + 1];
        for i in 1..=n as usize {
            factorial[i] = factorial[i - 1] + (i as f64).ln();
        }
        let log = |j: u64| {
            let (j, n) = (j as usize, n as usize);
            let ways = factorial[n] - factorial[j] - factorial[n - j];
            ways + j as f64 * q.ln() + (n - j) as f64 * (1.0 - q).ln()
        };
        (0..=k).map(|j| log(j).exp()).sum()
    }

    #[test]
    fn the_ranks_are_the_innermost_that_leave_a_fortieth_to_each_side() {
        for n in [40, 100, 999, 3_000] {
            for q in [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.01] {
                let up_to = |k: u64| cumulative(n, q, k);
                match ranks(n, q).lower {
                    Some(l) => assert!(up_to(l - 1) <= ASIDE && up_to(l) > ASIDE, "{n} {q}: {l}"),
                    None => assert!(up_to(0) > ASIDE, "{n} {q}"),
                }
                match ranks(n, q).upper {
                    Some(u) => {
                        assert!(1.0 - up_to(u - 1) <= ASIDE, "{n} {q}: {u}");
                        assert!(1.0 - up_to(u - 2) > ASIDE, "{n} {q}: {u}");
                    }
                    None => assert!(1.0 - up_to(n - 1) > ASIDE, "{n} {q}"),
                }
            }
        }
    }

    #[test]
    fn a_large_sample_has_the_ranks_of_the_normal_approximation() {
        // n q -+ 1.96 standard deviations; the binomial is within a rank or two of it there, but
        // for its skew, (z^2 - 1) (1 - 2 q) / 6.
        for n in [1_000_000, 10_000_000_000_u64] {
            for q in [0.5, 0.9, 0.99, 0.9999] {
                let (mean, deviation) = (n as f64 * q, (n as f64 * q * (1.0 - q)).sqrt());
                let skew = (1.959_964_f64.powi(2) - 1.0) * (1.0 - 2.0 * q) / 6.0;
                let (lower, upper) = pair(n, q);
                let off = |rank: Option<u64>, z: f64| {
                    (rank.unwrap() as f64 - 0.5 - mean - z * deviation - skew).abs()
                };
                assert!(off(lower, -1.959_964) < 2.0, "{n} {q}: {lower:?}");
                assert!(off(upper, 1.959_964) < 2.0, "{n} {q}: {upper:?}");
            }
        }
    }

    /// Sebastiano Vigna's SplitMix64, as a share of 1.
    fn random(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[test]
    fn the_interval_holds_the_true_quantile_in_19_of_20_samples() {
        const DRAWS: usize = 2_000;
        const SIZE: usize = 1_000;
        let quantiles = [0.5, 0.9, 0.99];
        let mut held = [0; 3];
        let mut state = 7;
        for _ in 0..DRAWS {
            // Of the uniform distribution on 0 to 1 the quantile q is q.
            let mut sample: Vec<f64> = (0..SIZE).map(|_| random(&mut state)).collect();
            sample.sort_by(f64::total_cmp);
            for (held, q) in held.iter_mut().zip(quantiles) {
                let Ranks { lower, upper } = ranks(SIZE as u64, q);
                let at = |rank: Option<u64>| sample[rank.unwrap() as usize - 1];
                *held += usize::from(at(lower) <= q && q <= at(upper));
            }
        }
        for (held, q) in held.into_iter().zip(quantiles) {
            // 95 % or more, less two standard deviations of 2,000 draws.
            let share = held as f64 / DRAWS as f64;
            assert!((0.94..0.985).contains(&share), "{q}: {share}");
        }
    }
}
