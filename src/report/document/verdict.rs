//! Who was the limit, by which figures, and what to change.

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::metrics;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub limit: String,
    pub why: String,
    /// Every figure that was weighed and is known. Missing in documents of earlier builds, as is
    /// the next one.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// One sentence.
    #[serde(default)]
    pub change: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub name: String,
    pub value: f64,
    /// `share`, `us`, `percent` or `count`.
    pub unit: String,
    pub text: String,
}

/// Digits after the point of a figure.
const DIGITS: i32 = 6;

impl Verdict {
    pub(super) fn new(verdict: &metrics::Verdict) -> Verdict {
        let evidence = |one: &metrics::Evidence| Evidence {
            name: one.name.to_string(),
            value: rounded(one.value, DIGITS),
            unit: one.unit.to_string(),
            text: one.text.clone(),
        };
        Verdict {
            limit: verdict.limit.name().to_string(),
            why: verdict.why.clone(),
            evidence: verdict.evidence.iter().map(evidence).collect(),
            change: verdict.change.clone(),
        }
    }
}
