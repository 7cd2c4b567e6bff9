//! The rounds, carried out by a [`Runner`] a side.

use crate::dice::Dice;
use crate::error::{Error, Result};
use crate::metrics::Summary;
use crate::plan::{Plan, Warmup};
use crate::report::ab::{Round, Side};
use crate::study::Runner;
use crate::time::Nanos;

/// Before the first round each side has so long that counts for nothing.
const WARM_UP: Nanos = Nanos::from_millis(500);

pub struct Settings {
    pub rounds: u64,
    pub seed: u64,
}

/// What was measured, up to the end or to where it was interrupted.
pub struct Rounds {
    pub rounds: Vec<Round>,
    pub complete: bool,
}

/// `tell` hears of each round as it is over.
pub fn take_turns(
    runners: [&mut dyn Runner; 2],
    plans: &[Plan; 2],
    settings: &Settings,
    tell: &mut dyn FnMut(&[Round]),
) -> Result<Rounds> {
    let mut rounds = Vec::new();
    for (side, plan) in plans.iter().enumerate() {
        let warm_up = Plan { warmup: Warmup::For(Nanos::ZERO), ..shortened(plan) };
        let summary = runners[side].run(&warm_up)?;
        if !summary.complete {
            return Ok(Rounds { rounds, complete: false });
        }
        refuse_silence(plan, &summary)?;
    }
    for round in 0..settings.rounds {
        let first = Dice::of(settings.seed, 1, round).below(2) as usize;
        let mut sides = [Side::default(), Side::default()];
        for side in [first, 1 - first] {
            let summary = runners[side].run(&plans[side])?;
            if !summary.complete {
                return Ok(Rounds { rounds, complete: false });
            }
            refuse_silence(&plans[side], &summary)?;
            sides[side] = measured(&summary);
        }
        let [a, b] = sides;
        let order = if first == 0 { "ab" } else { "ba" }.to_string();
        rounds.push(Round { order, a, b });
        tell(&rounds);
    }
    Ok(Rounds { rounds, complete: true })
}

fn shortened(plan: &Plan) -> Plan {
    let duration = plan.duration.map_or(WARM_UP, |duration| duration.min(WARM_UP));
    Plan { duration: Some(duration), ..plan.clone() }
}

fn refuse_silence(plan: &Plan, summary: &Summary) -> Result<()> {
    match summary.measure.counters.good {
        0 => Err(Error::failed(format!(
            "no good answer came from {}; see what does with `blast {}`",
            plan.url.shown, plan.url.shown
        ))),
        _ => Ok(()),
    }
}

fn measured(summary: &Summary) -> Side {
    let response = summary.response();
    let quantile = |q: f64| response.quantile(q).map(|reading| reading.value().as_micros_f64());
    Side {
        good_per_s: summary.good_per_s(),
        error_share: summary.error_share(),
        mean_us: response.mean().map(|mean| mean.value().as_micros_f64()),
        p50_us: quantile(0.5),
        p90_us: quantile(0.9),
        p95_us: quantile(0.95),
        p99_us: quantile(0.99),
        p99_9_us: quantile(0.999),
        cpu_us_per_request: summary.cpu_us_per_request(),
        server_us_per_request: summary.server_us_per_request(),
        limit: summary.verdict.limit.name().to_string(),
    }
}
