//! What a long run showed of drift (`blast soak`). It is judged by `study::soak`; here it is told.

use serde::{Deserialize, Serialize};

use super::rounded;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Soak {
    /// `stable`, `leaking`, `degrading` or `too_short`.
    pub verdict: String,
    /// What was found, and what was not, each in a sentence.
    pub sentences: Vec<String>,
    /// What was left out at the start of measure.
    pub settled_s: f64,
    /// How long the rest was.
    pub judged_s: f64,
    /// The length of the blocks that it was cut into.
    pub block_s: f64,
    pub trends: Vec<Trend>,
}

/// How one series went, block by block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// `response.p50`, `response.p99`, `errors`, or the name of a gauge.
    pub name: String,
    /// `us`, `per_h`, or the unit of the gauge.
    pub unit: String,
    /// `grows`, `falls`, `steady`, `levels_off` or `too_short`.
    pub state: String,
    /// What growth of it is: `leak`, `degradation`, or null: nobody knows what it counts, or blast
    /// was the limit, and it is shown alone.
    pub growth_is: Option<String>,
    /// The line through it at the first and at the last block; null, as is what follows, where
    /// there were too few.
    pub first: Option<f64>,
    pub last: Option<f64>,
    /// With the ends of its 95 % interval.
    pub slope_per_h: Option<f64>,
    pub slope_per_h_low: Option<f64>,
    pub slope_per_h_high: Option<f64>,
    /// By the line, from the first to the last block.
    pub growth: Option<f64>,
    /// From how much on that matters.
    pub matters_from: Option<f64>,
    /// How far Mann's and Kendall's S lies from 0, in deviations.
    pub deviations: Option<f64>,
    /// What it grows towards; null where it does not, or no limit is known.
    pub limit: Option<SoakLimit>,
    /// The middle of each block, from the start of warm-up, and what it came to.
    pub t_s: Vec<f64>,
    pub values: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SoakLimit {
    pub value: f64,
    /// From the end of the run, if it goes on like this.
    pub reached_in_h: f64,
}

/// Digits after the point.
const DIGITS: i32 = 3;

impl Soak {
    /// Something grows that must not.
    pub fn drifts(&self) -> bool {
        matches!(self.verdict.as_str(), "leaking" | "degrading")
    }
}

impl Trend {
    /// To the digits that are worth their bytes.
    pub fn rounded(mut self) -> Trend {
        let figures = [&mut self.first, &mut self.last, &mut self.slope_per_h, &mut self.growth];
        let bounds = [&mut self.slope_per_h_low, &mut self.slope_per_h_high];
        let others = [&mut self.matters_from, &mut self.deviations];
        for figure in figures.into_iter().chain(bounds).chain(others).flatten() {
            *figure = rounded(*figure, DIGITS);
        }
        for value in self.t_s.iter_mut().chain(&mut self.values) {
            *value = rounded(*value, DIGITS);
        }
        self
    }

    /// Growth of it is harm, and it grows.
    pub fn is_harm(&self) -> bool {
        self.state == "grows" && self.growth_is.is_some()
    }
}
