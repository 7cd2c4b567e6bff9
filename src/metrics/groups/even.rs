//! Whether a balancer spreads the load evenly: Pearson's chi-square test of the groups' shares
//! against equal ones.
//!
//! The test supposes independent choices, and a balancer that ties a connection to a backend
//! chooses once for all of its requests. So what is counted are choices. Where (nearly) each
//! connection stayed with one group, these are the connections, and the shares are theirs. Else
//! the shares are those of the answers, and the choices are the connections and, for each answer
//! that was of another group than the one before it, 1 / (1 - sum p^2): as many independent choices
//! as it takes on average to see the group change. Chosen anew for each answer that gives all of
//! the n answers; never changing, the connections; and what is in between lies in between.

use super::{Group, Groups, Value};
use crate::units::format_exact;

/// A ratio of the largest to the smallest share that matters.
const UNEVEN: f64 = 1.2;

/// And that chance does not make more often.
const SIGNIFICANT: f64 = 0.001;

/// Choices that each group has to expect, for the statistic to be chi-square's (Cochran 1954).
const EXPECTED: f64 = 5.0;

/// One connection in so many may have seen several groups, where the others stayed with one.
const FEW: u64 = 20;

/// What the shares are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Answers,
    Connections,
}

impl Of {
    pub fn name(self) -> &'static str {
        match self {
            Of::Answers => "answers",
            Of::Connections => "connections",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Evenness {
    pub of: Of,
    /// Independent choices that the shares come from.
    pub choices: f64,
    pub chi_square: f64,
    /// That equal shares look as uneven as this by chance.
    pub p: f64,
    /// The groups with the largest and the smallest share, and these.
    pub largest: (String, f64),
    pub smallest: (String, f64),
    pub groups: usize,
}

/// Why nothing can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untold {
    /// There are no two groups.
    OneGroup,
    /// Some answers have values that are not told apart.
    TooMany,
    /// Too few choices for so many groups.
    TooFew(Of),
}

impl Groups {
    pub fn evenness(&self) -> Result<Evenness, Untold> {
        let rows: Vec<&Group> = self.told_apart().collect();
        if self.completed_of(&Value::Further) > 0 {
            return Err(Untold::TooMany);
        }
        if rows.len() < 2 {
            return Err(Untold::OneGroup);
        }
        let stay = self.strayed * FEW <= self.connections();
        let of = if stay { Of::Connections } else { Of::Answers };
        let count = |row: &&Group| match of {
            Of::Answers => row.book.completed(),
            Of::Connections => row.book.connections,
        };
        let counts: Vec<f64> = rows.iter().map(|row| count(row) as f64).collect();
        let sum: f64 = counts.iter().sum();
        let shares: Vec<f64> = counts.iter().map(|count| count / sum.max(1.0)).collect();
        let choices = match of {
            Of::Answers => self.choices(&shares, sum),
            Of::Connections => sum,
        };
        let equal = 1.0 / rows.len() as f64;
        if choices * equal < EXPECTED {
            return Err(Untold::TooFew(of));
        }
        let off = shares.iter().map(|share| (share - equal).powi(2)).sum::<f64>();
        let chi_square = choices * off / equal;
        let by_share = || rows.iter().zip(&shares).map(|(row, share)| (row.value.shown(), *share));
        let order = |a: &(&str, f64), b: &(&str, f64)| a.1.total_cmp(&b.1);
        let owned = |(name, share): (&str, f64)| (name.to_string(), share);
        let none = || (String::new(), 0.0);
        Ok(Evenness {
            of,
            choices,
            chi_square,
            p: upper_tail(chi_square, rows.len() as u32 - 1),
            largest: by_share().max_by(order).map_or_else(none, owned),
            smallest: by_share().min_by(order).map_or_else(none, owned),
            groups: rows.len(),
        })
    }

    fn choices(&self, shares: &[f64], answers: f64) -> f64 {
        let same = shares.iter().map(|share| share * share).sum::<f64>();
        let per_switch = 1.0 / (1.0 - same).max(f64::EPSILON);
        (self.connections() as f64 + self.switches as f64 * per_switch).min(answers)
    }
}

impl Evenness {
    pub fn is_even(&self) -> bool {
        self.largest.1 <= self.smallest.1 * UNEVEN || self.p >= SIGNIFICANT
    }

    /// The evidence in a sentence.
    pub fn text(&self) -> String {
        let ((most, largest), (least, smallest)) = (&self.largest, &self.smallest);
        let (largest, smallest) = (percent(*largest), percent(*smallest));
        let shares = match self.of {
            Of::Answers => format!("{most} gave {largest} of the answers, {least} {smallest}"),
            Of::Connections => format!(
                "connections stay with one backend, and {most} has {largest} of them, {least} \
                 {smallest}"
            ),
        };
        format!(
            "{shares}, where equal shares are {}; by chance that {} ({} independent choices, \
             chi-square {:.1})",
            percent(1.0 / self.groups as f64),
            self.odds(),
            format_exact(self.choices as u64),
            self.chi_square
        )
    }

    fn odds(&self) -> String {
        match self.p {
            p if p < SIGNIFICANT => "happens less than once in 1,000 runs".to_string(),
            p => format!("happens in {} of the runs", percent(p)),
        }
    }
}

impl Untold {
    /// Why, in a sentence.
    pub fn text(self) -> &'static str {
        match self {
            Untold::OneGroup => "there are no two values to compare",
            Untold::TooMany => {
                "there are more values than are told apart, so their shares are not \
                known"
            }
            Untold::TooFew(Of::Answers) => "there are too few answers to compare the shares",
            Untold::TooFew(Of::Connections) => {
                "connections stay with one backend, and there are \
                too few of them to compare the shares; use more --connections, or end them with \
                --requests-per-connection"
            }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The probability that chi-square of so many degrees of freedom is as large as this or larger:
/// Q(k) = Q(k - 2) + (x/2)^(k/2 - 1) e^(-x/2) / Gamma(k/2), from Q(1) = erfc(sqrt(x/2)) and
/// Q(2) = e^(-x/2) (Abramowitz and Stegun, 26.4.4 and 26.4.5).
pub fn upper_tail(x: f64, freedom: u32) -> f64 {
    let half = x / 2.0;
    let is_odd = freedom % 2 == 1;
    let (mut tail, mut term, mut k) = if is_odd {
        // The term for k = 3 has Gamma(3/2) = sqrt(pi) / 2.
        let first = 2.0 * (half / std::f64::consts::PI).sqrt() * (-half).exp();
        (libm::erfc(half.sqrt()), first, 1)
    } else {
        ((-half).exp(), half * (-half).exp(), 2)
    };
    while k < freedom {
        k += 2;
        tail += term;
        term *= half / (f64::from(k) / 2.0);
    }
    tail.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::metrics::groups::Book;
    use crate::time::Nanos;

    fn groups(rows: &[(&str, u64, u64)], strayed: u64, switches: u64) -> Groups {
        let row = |(name, answers, connections): &(&str, u64, u64)| {
            let mut book = Book { connections: *connections, ..Book::default() };
            book.good.record_many(Nanos::from_millis(1), *answers);
            Group { value: Value::Text(name.to_string()), book }
        };
        let rows = rows.iter().map(row).collect();
        Groups { by: "header:X-Served-By".to_string(), rows, strayed, switches }
    }

    #[test]
    fn the_tail_is_that_of_the_printed_tables() {
        // Critical values, NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4.
        for (freedom, tenth, fortieth, thousandth) in [
            (1, 2.706, 5.024, 10.828),
            (2, 4.605, 7.378, 13.816),
            (3, 6.251, 9.348, 16.266),
            (5, 9.236, 12.833, 20.515),
            (10, 15.987, 20.483, 29.588),
            (63, 77.745, 86.830, 103.442),
        ] {
            for (x, p) in [(tenth, 0.1), (fortieth, 0.025), (thousandth, 0.001)] {
                let found = upper_tail(x, freedom);
                assert!((found / p - 1.0).abs() < 2e-3, "{freedom} {x}: {found}");
            }
        }
        assert_eq!((upper_tail(0.0, 1), upper_tail(0.0, 4)), (1.0, 1.0));
        assert!(upper_tail(1e6, 7) == 0.0);
    }

    #[test]
    fn shares_that_differ_by_more_than_chance_and_by_enough_are_uneven() {
        let even = groups(&[("a", 340, 0), ("b", 330, 0), ("c", 330, 0)], 10, 660);
        assert!(even.evenness().unwrap().is_even());
        let uneven = groups(&[("a", 500, 0), ("b", 300, 0), ("c", 200, 0)], 10, 640);
        let found = uneven.evenness().unwrap();
        assert!(!found.is_even() && found.p < 1e-9, "{found:?}");
        assert_eq!(found.largest, ("a".to_string(), 0.5));
        assert_eq!(found.smallest, ("c".to_string(), 0.2));
        // Certain, and too small to matter.
        let slightly = groups(&[("a", 520_000, 0), ("b", 480_000, 0)], 10, 500_000);
        let found = slightly.evenness().unwrap();
        assert!(found.is_even() && found.p < 1e-9, "{found:?}");
        // Large, and chance makes it.
        assert!(groups(&[("a", 8, 0), ("b", 4, 0)], 2, 6).evenness().unwrap().is_even());
    }

    #[test]
    fn where_connections_stay_with_a_backend_they_are_what_is_counted() {
        // Of a million answers the difference would be certain; they are of nine connections each.
        let few = groups(&[("a", 700_000, 11), ("b", 300_000, 9)], 0, 0);
        let found = few.evenness().unwrap();
        assert!(found.is_even() && found.of == Of::Connections && found.choices == 20.0);
        let many = groups(&[("a", 700_000, 700), ("b", 300_000, 300)], 0, 0);
        assert!(!many.evenness().unwrap().is_even());
        let pair = groups(&[("a", 700_000, 1), ("b", 300_000, 1)], 0, 0);
        assert_eq!(pair.evenness(), Err(Untold::TooFew(Of::Connections)));
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        assert_eq!(groups(&[("a", 90, 9)], 0, 0).evenness(), Err(Untold::OneGroup));
        let mut many = groups(&[("a", 90, 9), ("b", 50, 9)], 0, 0);
        let mut book = Book::default();
        book.good.record(Nanos(1));
        many.rows.push(Group { value: Value::Further, book });
        assert_eq!(many.evenness(), Err(Untold::TooMany));
        let few = groups(&[("a", 4, 0), ("b", 4, 0)], 1, 8);
        assert_eq!(few.evenness(), Err(Untold::TooFew(Of::Answers)));
    }

    /// Answers of connections that choose one of three backends anew after so many.
    fn chosen(dice: &mut Dice, connections: u64, answers: u64, each: u64) -> Groups {
        let (mut counts, mut stayed) = ([0; 3], [0; 3]);
        let (mut strayed, mut switches) = (0, 0);
        for _ in 0..connections {
            let (mut at, mut first, mut changed) = (0, None, false);
            for answer in 0..answers {
                if answer % each == 0 {
                    let before = at;
                    at = dice.below(3) as usize;
                    switches += u64::from(answer > 0 && at != before);
                    changed |= *first.get_or_insert(at) != at;
                }
                counts[at] += 1;
            }
            match changed {
                true => strayed += 1,
                false => stayed[at] += 1,
            }
        }
        let row = |at: usize| (["a", "b", "c"][at], counts[at], stayed[at]);
        groups(&[row(0), row(1), row(2)], strayed, switches)
    }

    #[test]
    fn a_balancer_that_chooses_evenly_is_hardly_ever_called_uneven_however_often_it_chooses() {
        let mut dice = Dice::of(8, 0, 0);
        for each in [1, 7, 40, 200] {
            let uneven = |groups: Groups| groups.evenness().is_ok_and(|found| found.p < 0.05);
            let wrong = (0..400).filter(|_| uneven(chosen(&mut dice, 60, 200, each))).count();
            // One in twenty is 20, with a deviation of 4.4.
            assert!((4..40).contains(&wrong), "anew after {each}: {wrong} of 400");
        }
    }
}
