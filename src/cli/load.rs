//! The load that the flags mean: open or closed loop, steady or with a shape, and what follows
//! from it for the connections and the length of the run.

use super::groups::{LoadArgs, ShapeArgs};
use super::shapes::{Arrivals, Rps};
use super::varying::SEED;
use crate::error::{Error, Result};
use crate::plan::shape::LONGEST;
use crate::plan::{Law, Load, Offered, Rate, Shape, Warmup};
use crate::time::Nanos;

const CONNECTIONS: u32 = 64;
const MOST_DEFAULT_CONNECTIONS: u32 = 10_000;
const DURATION: Nanos = Nanos::from_secs(10);

pub fn load(args: &LoadArgs) -> Result<Load> {
    check_combinations(args)?;
    let load = match offered(args)? {
        Some(offered) => Load::Open(offered),
        None => Load::Closed { users: users(args)? },
    };
    check_policies(args, &load)?;
    Ok(load)
}

/// How many connections there are at most.
pub fn connections(args: &LoadArgs, load: &Load) -> u32 {
    match load {
        // Levels were read as numbers of connections.
        Load::Closed { users: Some(users) } => u32::try_from(users.highest()).unwrap_or(u32::MAX),
        load => args.size.connections.unwrap_or_else(|| default_connections(args, load)),
    }
}

/// A tenth of a second's arrivals: enough for answers that take 100 ms.
fn default_connections(args: &LoadArgs, load: &Load) -> u32 {
    let tenth = load.offered().map_or(0.0, |offered| (offered.highest_per_s() * 0.1).ceil());
    // A float becomes an integer by saturation.
    let by_rate = (tenth as u32).clamp(CONNECTIONS, MOST_DEFAULT_CONNECTIONS);
    let pipeline = u64::from(args.connection.pipeline.unwrap_or(1));
    let in_flight = args.shape.max_in_flight.map_or(0, |most| most.div_ceil(pipeline));
    by_rate.max(u32::try_from(in_flight).unwrap_or(u32::MAX).min(MOST_DEFAULT_CONNECTIONS))
}

/// The length of measure: that of the shape, unless users go on after they have all begun (or are
/// cut off before), or what was asked for. A number of requests alone sets no time limit.
pub fn duration(args: &LoadArgs, load: &Load) -> Option<Nanos> {
    match load.shape() {
        Some(shape) if args.shape.spawn_rate.is_none() => Some(shape.length()),
        _ => asked_duration(args),
    }
}

fn asked_duration(args: &LoadArgs) -> Option<Nanos> {
    match (args.size.duration, args.phases.requests) {
        (None, Some(_)) => None,
        (typed, _) => Some(typed.unwrap_or(DURATION)),
    }
}

fn offered(args: &LoadArgs) -> Result<Option<Offered>> {
    let (shape, law) = (&args.shape, law(&args.shape));
    if let Some(steps) = &shape.steps {
        let built = Shape::steps(&steps.levels(), steps.each);
        return shaped("--steps", built, Nanos::from_secs(1), law);
    }
    if !shape.stages.is_empty() {
        let start = match args.size.rps {
            Some(Rps::Steady(rate)) => rate,
            _ => Rate { count: 0, ..shape.stages[0].level },
        };
        let mut rates = vec![start];
        rates.extend(shape.stages.iter().map(|stage| stage.level));
        let (counts, period) = common(&rates).ok_or_else(|| too_fine("--stages"))?;
        let lengths = shape.stages.iter().map(|stage| stage.length);
        let levels: Vec<_> = lengths.zip(counts[1..].iter().copied()).collect();
        return shaped("--stages", Shape::to_levels(counts[0], &levels), period, law);
    }
    match args.size.rps {
        None => Ok(None),
        Some(Rps::Steady(rate)) => Ok(Some(Offered::steady(rate, law))),
        Some(Rps::Ramp(from, to)) => {
            let (counts, period) = common(&[from, to]).ok_or_else(|| too_fine("--rps"))?;
            let length = asked_duration(args).ok_or_else(|| {
                Error::usage("--rps: a ramp has no end of its own; add `--duration`")
            })?;
            shaped("--rps", Shape::ramp(counts[0], counts[1], length), period, law)
        }
    }
}

fn shaped(flag: &str, shape: Result<Shape>, period: Nanos, law: Law) -> Result<Option<Offered>> {
    let offered = shape.and_then(|shape| Offered::shaped(shape, period, law));
    offered.map(Some).map_err(|error| of_flag(flag, &error))
}

fn law(shape: &ShapeArgs) -> Law {
    match shape.arrivals {
        None | Some(Arrivals::Uniform) => Law::Uniform,
        Some(Arrivals::Poisson) => Law::Poisson { seed: shape.seed.unwrap_or(SEED) },
        Some(Arrivals::Burst(size)) => Law::Burst(size),
    }
}

/// The rates as counts in one period: the least that all of theirs divide.
fn common(rates: &[Rate]) -> Option<(Vec<u64>, Nanos)> {
    let period = rates.iter().try_fold(1u64, |period, rate| {
        (period / greatest_common_divisor(period, rate.period.0)).checked_mul(rate.period.0)
    })?;
    let count = |rate: &Rate| rate.count.checked_mul(period / rate.period.0);
    Some((rates.iter().map(count).collect::<Option<_>>()?, Nanos(period)))
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The shape of a closed loop.
fn users(args: &LoadArgs) -> Result<Option<Shape>> {
    let shape = &args.shape;
    let connections = u64::from(args.size.connections.unwrap_or(CONNECTIONS));
    if let Some(rate) = shape.spawn_rate {
        let all = u128::from(connections) * u128::from(rate.period.0) / u128::from(rate.count);
        let length = Nanos(u64::try_from(all).unwrap_or(u64::MAX)).min(LONGEST).max(Nanos(1));
        let ramp = Shape::ramp(0, connections, length);
        let ramp = ramp.map_err(|error| of_flag("--spawn-rate", &error))?;
        return Ok(Some(ramp.held_until(asked_duration(args).unwrap_or(LONGEST))));
    }
    if shape.connections_stages.is_empty() {
        return Ok(None);
    }
    let levels: Vec<_> = shape.connections_stages.iter().map(|s| (s.length, s.level)).collect();
    let start = args.size.connections.map_or(0, u64::from);
    let built = Shape::to_levels(start, &levels);
    built.map(Some).map_err(|error| of_flag("--connections-stages", &error))
}

fn check_combinations(args: &LoadArgs) -> Result<()> {
    let (shape, rps) = (&args.shape, args.size.rps);
    let (stages, steps) = (!shape.stages.is_empty(), shape.steps.is_some());
    let users = !shape.connections_stages.is_empty();
    let spawns = shape.spawn_rate.is_some();
    let rate = rps.is_some() || stages || steps;
    let length = args.size.duration.is_some();
    let warmup = args.phases.warmup.is_some_and(|warmup| warmup != Warmup::NONE);
    let refused = [
        (stages && steps, "--stages and --steps are two shapes; use one of them"),
        (steps && rps.is_some(), "--steps has rates of its own; drop `--rps`"),
        (
            stages && matches!(rps, Some(Rps::Ramp(..))),
            "--stages begins at one rate; give `--rps` that one, or drop it",
        ),
        (stages && length, "--stages has a length of its own; drop `--duration`"),
        (steps && length, "--steps has a length of its own; drop `--duration`"),
        (users && length, "--connections-stages has a length of its own; drop `--duration`"),
        (users && spawns, "--connections-stages and --spawn-rate are two shapes; use one of them"),
        (
            rate && (users || spawns),
            "--connections-stages and --spawn-rate shape a load without a rate; with one, all \
             connections are there from the start: use `--stages`, or drop the rate",
        ),
        (
            warmup && (users || spawns),
            "connections that begin one by one are their own warm-up; drop `--warmup`",
        ),
        (!rate && shape.arrivals.is_some(), "--arrivals needs a rate; add `--rps`"),
        (!rate && shape.deadline.is_some(), "--deadline needs a schedule; add a rate with `--rps`"),
        (
            rate && shape.at_most.is_some(),
            "--at-most is for a load without a rate, and `--rps` is one; drop one of them",
        ),
        (!rate && shape.max_in_flight.is_some(), "--max-in-flight needs a rate; add `--rps`"),
    ];
    match refused.iter().find(|(applies, _)| *applies) {
        Some((_, sentence)) => Err(Error::usage(*sentence)),
        None => Ok(()),
    }
}

/// A limit that can never be reached would look like one that was.
fn check_policies(args: &LoadArgs, load: &Load) -> Result<()> {
    let pipeline = u64::from(args.connection.pipeline.unwrap_or(1));
    let room = u64::from(connections(args, load)).saturating_mul(pipeline);
    match args.shape.max_in_flight {
        Some(most) if most > room => Err(Error::usage(format!(
            "--max-in-flight: {most} can never be in flight on {room} connections; raise \
             `--connections` to {}",
            most.div_ceil(pipeline)
        ))),
        _ => Ok(()),
    }
}

fn too_fine(flag: &str) -> Error {
    Error::usage(format!("{flag}: the rates have no common period; write them all per second"))
}

fn of_flag(flag: &str, error: &Error) -> Error {
    Error::usage(format!("{flag}: {}", error.message))
}
