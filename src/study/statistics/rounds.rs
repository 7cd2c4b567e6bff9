//! Measurements in pairs: in each round both sides were measured, in an order that was drawn. What a
//! round has of its own (a busy neighbour, a warmer processor) is in both, and drops out of their
//! difference.
//!
//! If the two sides are alike, then each round's differences are as likely with their signs turned,
//! all figures of the round together, for the order was drawn. So the test needs no law of the
//! noise: of each figure the ranks of the absolute differences are added with their signs
//! (Wilcoxon's signed ranks), the larger ones all with the rank of the middle ones, so that one
//! round that went wrong cannot outweigh the others (Winsorized scores: Hettmansperger and McKean,
//! Robust Nonparametric Statistical Methods). Of all figures the greatest such sum counts; and how
//! often it is as great when signs are turned by chance says how sure a difference is, over all
//! figures at once: looking at ten figures finds a difference where there is none in at most one
//! comparison of twenty. (The single step of the maximum: Westfall and Young, Resampling-Based
//! Multiple Testing, 1993.)
//!
//! The interval of a figure holds just those differences that this test would not refuse, and the
//! estimate is the one that it would refuse least (Hodges and Lehmann 1963; Hollander, Wolfe and
//! Chicken, Nonparametric Statistical Methods, 3rd ed. 2014, sec. 3.3).

use super::Estimate;
use crate::dice::Dice;

/// With so many rounds or fewer, all turns of the signs are looked at.
const EXACT: usize = 13;

/// Else so many, drawn.
const TURNS: usize = 1 << EXACT;

/// Of so many comparisons one may be wrong.
const ALPHA: f64 = 0.05;

/// Ranks above this share of the rounds count as this one.
const CAP: f64 = 0.4;

/// The differences of several figures: of each, one a round, as many of each. An estimate of each
/// with an interval that holds for all of them together; `None` ends: the rounds are too few.
pub fn compare(figures: &[Vec<f64>], seed: u64) -> Vec<Estimate> {
    let rounds = figures.first().map_or(0, Vec::len);
    capped(figures, (rounds as f64 * CAP).ceil(), seed)
}

/// How many rounds it takes until the interval of a figure reaches no further than `effect` to each
/// side, if the rounds go on as they did.
pub fn rounds_needed(rounds: usize, estimate: &Estimate, effect: f64) -> Option<usize> {
    let reach = (estimate.high? - estimate.low?) / 2.0;
    let needed = (rounds as f64 * (reach / effect).powi(2)).ceil();
    (reach > effect && needed.is_finite()).then_some(needed as usize)
}

fn capped(figures: &[Vec<f64>], cap: f64, seed: u64) -> Vec<Estimate> {
    let rounds = figures.first().map_or(0, Vec::len);
    debug_assert!(figures.iter().all(|figure| figure.len() == rounds));
    let critical = critical(figures, cap, seed);
    figures.iter().map(|figure| estimate(figure, cap, critical)).collect()
}

/// The least sum of scores that is significant; `None`: none could be.
fn critical(figures: &[Vec<f64>], cap: f64, seed: u64) -> Option<f64> {
    let rounds = figures.first().map_or(0, Vec::len);
    let scores: Vec<Vec<f64>> = figures.iter().map(|figure| scores(figure, cap)).collect();
    let is_exact = rounds <= EXACT;
    let turns = if is_exact { 1 << rounds } else { TURNS };
    let mut dice = Dice::of(seed, 0, 0);
    let mut greatest: Vec<f64> = (0..turns)
        .map(|turn| {
            let signs: Vec<u64> = match is_exact {
                true => vec![turn as u64],
                false => (0..rounds.div_ceil(64)).map(|_| dice.next()).collect(),
            };
            let sums = scores.iter().map(|scores| turned(scores, &signs).abs());
            sums.fold(0.0, f64::max)
        })
        .collect();
    greatest.sort_by(|a, b| b.total_cmp(a));
    // So many may be as great or greater. The sums go up by steps: the next one above what comes
    // too often.
    let allowed = (turns as f64 * ALPHA) as usize;
    let too_often = *greatest.get(allowed)?;
    greatest[..allowed].iter().copied().filter(|sum| *sum > too_often).reduce(f64::min)
}

/// The sum of these scores, each with its sign turned where the bit of its round is set.
fn turned(scores: &[f64], signs: &[u64]) -> f64 {
    let sign = |round: usize| if signs[round / 64] >> (round % 64) & 1 == 1 { -1.0 } else { 1.0 };
    scores.iter().enumerate().map(|(round, score)| sign(round) * score).sum()
}

/// The rank of each by its size, at most `cap`, with its sign; equal ones share theirs.
fn scores(values: &[f64], cap: f64) -> Vec<f64> {
    let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let score = |value: &f64| {
        let smaller = sizes.partition_point(|size| *size < value.abs());
        let not_larger = sizes.partition_point(|size| *size <= value.abs());
        let rank = (smaller + 1 + not_larger) as f64 / 2.0;
        if *value == 0.0 { 0.0 } else { rank.min(cap).copysign(*value) }
    };
    values.iter().map(score).collect()
}

/// The difference that leaves a sum of scores of about nothing, and the two ends beyond which the
/// sum would be `critical`.
///
/// The sum changes only where a difference is the mean of two rounds' (of one and itself, too):
/// there two of them change their ranks, or one its sign. In between it goes down from step to
/// step.
fn estimate(values: &[f64], cap: f64, critical: Option<f64>) -> Estimate {
    let each = values.iter().enumerate();
    let mut steps: Vec<f64> =
        each.flat_map(|(at, a)| values[at..].iter().map(move |b| (a + b) / 2.0)).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let (Some(first), Some(last)) = (steps.first().copied(), steps.last().copied()) else {
        return Estimate::bare(f64::NAN);
    };
    let between: Vec<f64> = steps.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
    let sum = |less: &f64| -> f64 {
        let rest: Vec<f64> = values.iter().map(|value| value - less).collect();
        scores(&rest, cap).iter().sum()
    };
    // Before the first step all of them are above, after the last one below: the sum is greater
    // than any other, and less.
    let above = |limit: f64| between.partition_point(|less| sum(less) > limit);
    let at = |step: usize| steps.get(step).copied().unwrap_or(last);
    let no_less = between.partition_point(|less| sum(less) >= 0.0);
    let value = (at(above(0.0)) + at(no_less)) / 2.0;
    let low = critical.map(|sum_of| at(between.partition_point(|less| sum(less) >= sum_of)));
    let high = critical.map(|sum_of| at(above(-sum_of)));
    Estimate { value, low: low.map(|low| low.max(first)), high }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Near enough to normal, with a standard deviation of 1.
    fn normal(dice: &mut Dice) -> f64 {
        (0..12).map(|_| dice.unit()).sum::<f64>() - 6.0
    }

    /// Rounds of a real host: the figures of a round go together, each has some noise of its own,
    /// and one of twenty rounds went wrong altogether.
    fn rounds(seed: u64, rounds: usize, slower: f64, noise: f64) -> Vec<Vec<f64>> {
        let mut dice = Dice::of(seed, 1, 0);
        let mut figures = vec![Vec::new(); 6];
        for _ in 0..rounds {
            let spoilt = if dice.below(20) == 0 { 0.3 * normal(&mut dice) } else { 0.0 };
            let together = noise * normal(&mut dice) + spoilt;
            for figure in &mut figures {
                figure.push(slower + together + 0.5 * noise * normal(&mut dice));
            }
        }
        figures
    }

    fn finds(figures: &[Vec<f64>], seed: u64) -> bool {
        compare(figures, seed).iter().any(|found| found.is_significant() == Some(true))
    }

    #[test]
    fn one_figure_without_a_cap_has_the_critical_sums_of_the_printed_tables() {
        // Wilcoxon's T at 5 %, two-sided: of n = 6: 0, 8: 3, 10: 8, 12: 13, as the smaller sum.
        for (n, smaller) in [(6usize, 0.0), (8, 3.0), (10, 8.0), (12, 13.0)] {
            let figure: Vec<f64> = (1..=n).map(|value| value as f64).collect();
            let sum = critical(&[figure], n as f64, 1).unwrap();
            let all = (n * (n + 1) / 2) as f64;
            assert_eq!((all - sum) / 2.0, smaller, "{n}");
        }
        let five: Vec<f64> = (1..=5).map(f64::from).collect();
        assert_eq!(critical(&[five], 5.0, 1), None);
        assert_eq!(critical(&[vec![0.0; 10]], 10.0, 1), None);
        assert_eq!(critical(&[], 0.0, 1), None);
    }

    #[test]
    #[allow(clippy::approx_constant)] // a patient's 3.14
    fn the_estimate_without_a_cap_is_that_of_hodges_and_lehmann() {
        // Hollander and Wolfe, example 3.1 (Hamilton's depression factor), as
        // R's wilcox.test(x, y, paired = TRUE, conf.int = TRUE) has it: -0.46, -0.786 to -0.010.
        let first = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        let other = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        let figure = first.iter().zip(other).map(|(a, b)| b - a).collect();
        let found = capped(&[figure], 9.0, 1)[0];
        assert!((found.value + 0.46).abs() < 1e-9, "{found:?}");
        assert!((found.low.unwrap() + 0.786).abs() < 1e-9, "{found:?}");
        assert!((found.high.unwrap() + 0.010).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn one_round_that_went_wrong_hides_no_difference() {
        let mut figure = vec![0.05, 0.051, 0.048, 0.052, 0.049, 0.047, 0.053, 0.046, 0.054];
        figure.push(-0.9);
        let found = compare(&[figure], 1)[0];
        assert!((found.value - 0.05).abs() < 0.002, "{found:?}");
        assert_eq!(found.is_significant(), Some(true));
    }

    #[test]
    fn a_server_against_itself_shows_no_difference_in_18_of_20() {
        for (rounds_each, trials) in [(8, 400), (10, 400), (20, 60)] {
            let finds = |seed| finds(&rounds(seed, rounds_each, 0.0, 0.02), seed);
            let wrong: Vec<bool> = (0..trials).map(finds).collect();
            let twenties = wrong.chunks(20).map(|trials| trials.iter().filter(|w| **w).count());
            // The mean of all twenties is 1 at most, with a standard deviation of one of them.
            let (held, all) = (twenties.clone().filter(|wrong| *wrong <= 2).count(), trials / 20);
            assert!(held * 10 >= all as usize * 8, "{rounds_each}: {held} of {all}");
            // And 5 % of all, and two standard deviations.
            let share = wrong.iter().filter(|wrong| **wrong).count() as f64 / trials as f64;
            let most = 0.05 + 2.0 * (0.05 * 0.95 / trials as f64).sqrt();
            assert!(share <= most, "{rounds_each}: {share}");
        }
    }

    #[test]
    fn a_side_that_is_5_percent_slower_is_found_in_18_of_20() {
        for (rounds_each, noise) in [(10, 0.02), (12, 0.025), (20, 0.04)] {
            let seeds = 1_000..1_020;
            let found = seeds.filter(|seed| finds(&rounds(*seed, rounds_each, 0.05, noise), 1));
            let found = found.count();
            assert!(found >= 18, "{rounds_each} rounds, {noise}: {found}");
        }
    }

    #[test]
    fn the_interval_holds_the_truth_in_19_of_20() {
        let (trials, mut held) = (400, 0);
        for seed in 0..trials {
            let found = compare(&rounds(seed, 12, 0.05, 0.02)[..1], seed)[0];
            held += usize::from(found.low.unwrap() <= 0.05 && 0.05 <= found.high.unwrap());
        }
        let share = held as f64 / trials as f64;
        assert!((0.925..=0.985).contains(&share), "{share}");
    }

    #[test]
    fn more_rounds_are_asked_for_where_the_interval_is_wide() {
        let wide = Estimate::symmetric(0.0, 0.04);
        assert_eq!(rounds_needed(10, &wide, 0.02), Some(40));
        assert_eq!(rounds_needed(10, &Estimate::symmetric(0.0, 0.01), 0.02), None);
        assert_eq!(rounds_needed(4, &Estimate::bare(0.0), 0.02), None);
    }
}
