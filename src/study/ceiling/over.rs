//! What is searched over: the rate of an open loop, or how many are in a closed one.

use crate::error::Result;
use crate::plan::scenario::{Flow, Model, Step, Steps};
use crate::plan::{Law, Load, Offered, Plan, Rate, Shape, Warmup};
use crate::time::Nanos;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Over {
    /// Requests, or sessions, that are due per second.
    #[default]
    Rate,
    /// Each sends again when it is answered.
    Connections,
    /// Each takes the steps of the plan's session, and thinks in between.
    Users,
}

impl Over {
    /// In documents and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Over::Rate => "rate",
            Over::Connections => "connections",
            Over::Users => "users",
        }
    }
}

/// Users come one by one over so much of their round, or they would all be in step.
const LONGEST_COMING: Nanos = Nanos::from_secs(10);
const SHORTEST_COMING: Nanos = Nanos::from_millis(250);

/// What a probe puts on the server, for `length` after `warm_up`.
pub struct Putting {
    pub load: Load,
    pub connections: u32,
    pub warmup: Warmup,
    pub duration: Nanos,
}

/// A rate. `turn` counts the runs: arrivals by chance are others in each.
pub fn at_rate(plan: &Plan, per_s: f64, turn: u64, length: Nanos, warm_up: Nanos) -> Putting {
    let law = match plan.load.offered().map(Offered::law) {
        Some(Law::Poisson { seed }) => Law::Poisson { seed: seed.wrapping_add(turn) },
        Some(law) => law,
        None => Law::Uniform,
    };
    Putting {
        load: Load::Open(Offered::steady(rate_of(per_s), law)),
        connections: plan.connections,
        warmup: Warmup::For(warm_up),
        duration: length,
    }
}

/// So many connections, all from the start.
pub fn with_connections(number: u32, length: Nanos, warm_up: Nanos) -> Putting {
    Putting {
        load: Load::CLOSED,
        connections: number,
        warmup: Warmup::For(warm_up),
        duration: length,
    }
}

/// So many users, who come one by one; what counts is the time when all are there.
pub fn with_users(number: u32, length: Nanos, coming: Nanos) -> Result<Putting> {
    let shape = Shape::ramp(0, u64::from(number), coming)?.held_until(coming + length);
    Ok(Putting {
        load: Load::Closed { users: Some(shape) },
        connections: number,
        warmup: Warmup::NONE,
        duration: coming + length,
    })
}

/// What the plan itself has of sessions that arrive by a rate; `None` where it has none of these: a
/// session is as many requests as its steps, so no burst says how many of them there may be.
pub fn sessions_per_s(plan: &Plan) -> Option<f64> {
    let model = plan.scenario.as_ref().map(|scenario| &scenario.model);
    plan.load.per_s().filter(|_| matches!(model, Some(Model::Sessions(_))))
}

/// How long the users of a plan take to come.
pub fn coming(plan: &Plan) -> Nanos {
    round(plan).clamp(SHORTEST_COMING, LONGEST_COMING)
}

/// How long a user thinks in a round, on average; nothing without users.
pub fn round(plan: &Plan) -> Nanos {
    let model = plan.scenario.as_ref().map(|scenario| &scenario.model);
    model.and_then(Model::flow).map_or(Nanos::ZERO, thinking)
}

fn thinking(flow: &Flow) -> Nanos {
    let seconds = if flow.weighted { of_one(&flow.steps) } else { of_all(&flow.steps) };
    // A float becomes an integer by saturation.
    Nanos((seconds * 1e9) as u64)
}

fn of_all(steps: &[Step]) -> f64 {
    steps.iter().map(of_step).sum()
}

fn of_one(steps: &[Step]) -> f64 {
    let weight: f64 = steps.iter().map(|step| step.weight as f64).sum();
    let weighted = steps.iter().map(|step| step.weight as f64 * of_step(step));
    if weight > 0.0 { weighted.sum::<f64>() / weight } else { 0.0 }
}

fn of_step(step: &Step) -> f64 {
    let inside = match &step.what {
        Steps::One(_) => 0.0,
        Steps::Group(steps) => of_all(steps),
        Steps::OneOf(steps) => of_one(steps),
    };
    let turns = f64::from(step.repeat.0 + step.repeat.1) / 2.0;
    step.probability * turns * (inside + step.think.mean().as_secs_f64())
}

/// To a hundredth of a request a second.
fn rate_of(per_s: f64) -> Rate {
    let count = ((per_s * 100.0).round() as u64).max(1);
    Rate { count, period: Nanos::from_secs(100) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::scenario::Think;

    #[test]
    fn a_round_is_as_long_as_its_thinking_on_average() {
        let second = Nanos::from_secs(1);
        let step = |think, weight| Step {
            what: Steps::One(0),
            repeat: (1, 1),
            probability: 1.0,
            weight,
            think,
        };
        let (short, long) = (Think::Constant(second), Think::Uniform(second, second + second));
        let steps = vec![step(short, 3), step(long, 1)];
        let flow =
            |steps: &[Step], weighted| Flow { steps: steps.to_vec(), weighted, ..Flow::default() };
        assert_eq!(thinking(&flow(&steps, false)), Nanos::from_millis(2_500));
        assert_eq!(thinking(&flow(&steps, true)), Nanos::from_millis(1_125));
        let often = Step {
            what: Steps::Group(steps),
            repeat: (1, 3),
            probability: 0.5,
            ..step(Think::Not, 1)
        };
        assert_eq!(thinking(&flow(&[often], false)), Nanos::from_millis(2_500));
    }
}
