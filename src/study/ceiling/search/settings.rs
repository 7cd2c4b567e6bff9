//! What a search is told: when its answer is due, how near, and where it begins.

use crate::time::Nanos;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// When the answer is due.
    pub budget: Nanos,
    /// How far apart the two ends may be, as a share.
    pub precision: f64,
    /// No level above this is tried, nor one below.
    pub most: f64,
    pub least: f64,
    /// Where it begins, if not by what the burst carried.
    pub first: Option<f64>,
    /// Levels are multiples of it; 0: any number.
    pub step: f64,
    /// How often a level near the answer may fail before it counts.
    pub tries: usize,
    /// What is above the answer is tried with the time that is left.
    pub insists: bool,
}

/// What hurts a probe from outside is told from what the server cannot do by a second repetition.
const TRIES: usize = 3;

/// Arrivals by chance hurt one probe and favour the next: the best of many says more than is true.
const TRIES_BY_CHANCE: usize = 2;

impl Settings {
    /// For a rate: the burst says about where it is.
    pub fn rate(budget: Nanos) -> Settings {
        Settings {
            budget,
            precision: 0.02,
            most: 1e8,
            least: 1.0,
            first: None,
            step: 0.0,
            tries: TRIES,
            insists: true,
        }
    }

    /// Of loads that come by chance.
    pub fn by_chance(self) -> Settings {
        Settings { tries: TRIES_BY_CHANCE, insists: false, ..self }
    }

    /// For a rate of sessions, from `first` on.
    pub fn sessions(budget: Nanos, first: f64) -> Settings {
        Settings { first: Some(first), ..Settings::rate(budget) }
    }

    /// For a number of connections or users, from `first` on.
    pub fn number(budget: Nanos, first: u32, most: u32) -> Settings {
        let (first, most) = (Some(f64::from(first)), f64::from(most));
        Settings { precision: 0.03, most, first, step: 1.0, ..Settings::rate(budget) }
    }

    pub(super) fn rounded(&self, level: f64) -> f64 {
        let level = if self.step > 0.0 { (level / self.step).round() * self.step } else { level };
        level.clamp(self.least, self.most)
    }
}
