//! The stages of a load with a shape: each with its requests, its rates and its latencies.

use serde::{Deserialize, Serialize};

use super::counts::{self, Rate, Requests};
use super::latency::Latency;
use crate::metrics::{self, Distribution, Fates, Mode, Summary};

/// One stretch of the shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// As in `intervals`: from 0.
    pub stage: u32,
    /// From the start of measure.
    pub start_s: f64,
    /// As it was: the end of the run cuts it.
    pub length_s: f64,
    /// The level at its ends: requests per second, or in closed loop connections.
    pub from: f64,
    pub to: f64,
    /// How long, at its end, the level was held: where measure was made longer than its shape.
    #[serde(default)]
    pub held_s: f64,
    /// Those due in it (closed loop: sent), wherever they ended.
    pub requests: Requests,
    /// What happened in it.
    pub rate: Rate,
    pub latency: SpanLatencies,
}

impl Stage {
    pub(super) fn all(summary: &Summary) -> Vec<Stage> {
        (0u32..)
            .zip(&summary.stages)
            .map(|(index, stage)| Stage::new(summary, index, stage))
            .collect()
    }

    fn new(summary: &Summary, index: u32, stage: &metrics::Stage) -> Stage {
        Stage {
            stage: index,
            start_s: stage.start.as_secs_f64(),
            length_s: stage.length.as_secs_f64(),
            from: stage.from,
            to: stage.to,
            held_s: stage.held.as_secs_f64(),
            requests: Requests::new(&stage.fates, counts::errors_of_due(&stage.fates)),
            rate: Rate::of_stage(summary, index, stage),
            latency: SpanLatencies::new(&stage.fates, summary.mode),
        }
    }
}

/// The distributions of the requests due in warm-up, or in a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanLatencies {
    pub response: Latency,
    pub service: Latency,
    pub send_lag: Latency,
}

impl SpanLatencies {
    pub(super) fn new(fates: &Fates, mode: Mode) -> SpanLatencies {
        SpanLatencies {
            response: Latency::ranked(&Distribution::ranked(&fates.good, &fates.censored)),
            service: Latency::service(fates, mode),
            send_lag: Latency::send_lag(fates),
        }
    }
}
