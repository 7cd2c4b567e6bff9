//! A value with its 95 % confidence interval, and the difference of two such values.

/// A measured value and the two ends of its interval; `None`: that end is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Estimate {
    /// One of which nothing is known but its value.
    pub fn bare(value: f64) -> Estimate {
        Estimate { value, low: None, high: None }
    }

    pub fn symmetric(value: f64, reach: f64) -> Estimate {
        Estimate { value, low: Some(value - reach), high: Some(value + reach) }
    }

    /// Whether the interval leaves zero out; `None` where the end that would tell is not known.
    pub fn is_significant(&self) -> Option<bool> {
        match self.value {
            value if value > 0.0 => self.low.map(|low| low > 0.0),
            value if value < 0.0 => self.high.map(|high| high < 0.0),
            _ => Some(false),
        }
    }
}

/// `other` less `first`, which were measured apart from each other.
///
/// The interval is put together from the two intervals, which need not be symmetric: its lower end
/// lies below the difference by sqrt((other - its low)^2 + (first's high - first)^2), its upper end
/// above it by the mirror of that. (MOVER: Zou and Donner, Construction of confidence limits about
/// effect measures, Statistics in Medicine 27, 2008; of shares it is Newcombe's method 10, of means
/// the ordinary one.)
pub fn difference(first: &Estimate, other: &Estimate) -> Estimate {
    let value = other.value - first.value;
    let reach = |a: Option<f64>, b: Option<f64>| {
        Some((other.value - a?).hypot(b? - first.value)).filter(|reach| reach.is_finite())
    };
    Estimate {
        value,
        low: reach(other.low, first.high).map(|reach| value - reach),
        high: reach(other.high, first.low).map(|reach| value + reach),
    }
}

/// By how much `other` differs from `first`, as a share of it, where both are more than nothing:
/// the same of the logarithms, so that what cannot be less than nothing never is, and a long tail
/// to one side stays there. `None`: one of them is nothing.
pub fn change(first: &Estimate, other: &Estimate) -> Option<Estimate> {
    let positive = |end: Option<f64>| end.filter(|end| *end > 0.0).map(f64::ln);
    let log = |of: &Estimate| {
        let value = positive(Some(of.value))?;
        Some(Estimate { value, low: positive(of.low), high: positive(of.high) })
    };
    let ratio = difference(&log(first)?, &log(other)?);
    Some(Estimate {
        value: other.value / first.value - 1.0,
        low: ratio.low.map(f64::exp_m1),
        high: ratio.high.map(f64::exp_m1),
    })
}

/// A share `p` of `n` independent cases, by Wilson's interval, which holds for none and for all of
/// them too. `z`: how many standard deviations it reaches.
pub fn share(p: f64, n: f64, z: f64) -> Estimate {
    if n <= 0.0 {
        return Estimate::bare(p);
    }
    let (zz, scale) = (z * z, 1.0 + z * z / n);
    let middle = (p + zz / (2.0 * n)) / scale;
    let reach = z / scale * (p * (1.0 - p) / n + zz / (4.0 * n * n)).sqrt();
    // At the two ends it is the share itself, but for rounding.
    let (low, high) = ((middle - reach).clamp(0.0, p), (middle + reach).clamp(p, 1.0));
    Estimate { value: p, low: Some(low), high: Some(high) }
}

/// The normal distribution's 97.5 % quantile.
const NORMAL: f64 = 1.959_963_985;

/// The 97.5 % quantile of Student's t with so many degrees of freedom; with none, the normal
/// distribution's.
pub fn student(degrees: usize) -> f64 {
    match degrees {
        0 => NORMAL,
        few if few <= STUDENT.len() => STUDENT[few - 1],
        // Fisher's expansion (Abramowitz and Stegun 26.7.5).
        many => {
            let (z, v) = (NORMAL, many as f64);
            let first = (z.powi(3) + z) / 4.0;
            let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
            let third = 3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z;
            z + first / v + second / v.powi(2) + third / 384.0 / v.powi(3)
        }
    }
}

/// As printed tables have them.
const STUDENT: [f64; 12] =
    [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_s_quantiles_are_those_of_the_tables() {
        for (degrees, expected) in
            [(1, 12.706), (9, 2.262), (13, 2.160), (20, 2.086), (30, 2.042), (120, 1.980)]
        {
            assert!((student(degrees) - expected).abs() < 6e-4, "{degrees}");
        }
        assert!((student(1_000_000) - student(0)).abs() < 1e-5);
    }

    #[test]
    fn the_interval_of_a_share_is_that_of_the_textbooks() {
        // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 and 0 of 20.
        let held = share(81.0 / 263.0, 263.0, NORMAL);
        assert!((held.low.unwrap() - 0.2553).abs() < 1e-4, "{held:?}");
        assert!((held.high.unwrap() - 0.3662).abs() < 1e-4, "{held:?}");
        let none = share(0.0, 20.0, NORMAL);
        assert_eq!(none.low, Some(0.0));
        assert!((none.high.unwrap() - 0.1611).abs() < 1e-4, "{none:?}");
    }

    #[test]
    fn the_difference_of_two_shares_is_newcombe_s_method_10() {
        // The companion paper's table II, example (a): 56 of 70 less 48 of 80.
        let (first, other) = (share(48.0 / 80.0, 80.0, NORMAL), share(56.0 / 70.0, 70.0, NORMAL));
        let difference = difference(&first, &other);
        assert!((difference.value - 0.2).abs() < 1e-12);
        assert!((difference.low.unwrap() - 0.0524).abs() < 1e-4, "{difference:?}");
        assert!((difference.high.unwrap() - 0.3339).abs() < 1e-4, "{difference:?}");
        assert_eq!(difference.is_significant(), Some(true));
    }

    #[test]
    fn a_change_is_the_difference_of_the_logarithms() {
        let first = Estimate { value: 10.0, low: Some(8.0), high: Some(40.0) };
        let other = Estimate { value: 20.0, low: Some(16.0), high: Some(20.0) };
        let found = change(&first, &other).unwrap();
        let reach = (20f64 / 16.0).ln().hypot(4f64.ln());
        assert_eq!(found.value, 1.0);
        assert!((found.low.unwrap() - (2.0 * (-reach).exp() - 1.0)).abs() < 1e-12, "{found:?}");
        assert!((found.high.unwrap() - (2.0 * 1.25 - 1.0)).abs() < 1e-12, "{found:?}");
        assert!(found.low.unwrap() > -1.0);
        assert_eq!(change(&Estimate::bare(0.0), &other), None);
        // An end at nothing is no end.
        assert_eq!(change(&Estimate { low: Some(0.0), ..first }, &other).unwrap().high, None);
    }

    #[test]
    fn an_end_that_is_not_known_leaves_open_what_it_would_tell() {
        let first = Estimate::symmetric(10.0, 1.0);
        let open = Estimate { value: 20.0, low: Some(18.0), high: None };
        let grown = difference(&first, &open);
        assert!(grown.low.is_some() && grown.high.is_none());
        assert_eq!(grown.is_significant(), Some(true));
        let fallen = difference(&Estimate { low: None, ..open }, &first);
        assert!(fallen.low.is_none() && fallen.high.is_none());
        assert_eq!(fallen.is_significant(), None);
        assert_eq!(difference(&first, &Estimate::bare(10.0)).is_significant(), Some(false));
    }
}
