//! The load of a run: when requests are sent, and on how many connections.

use std::sync::Arc;

use super::dice::Dice;
use crate::engine::job::Arrivals;
use crate::plan::{Law, Offered, Rate, Schedule, Shape, Warmup};
use crate::time::Nanos;

/// What decides when requests are sent.
pub struct Load {
    schedule: Option<Schedule>,
    pub users: Option<Shape>,
    shape: Option<Shape>,
    /// Requests a second, if it is the same all the time.
    pub rate: Option<u64>,
    pub budget: u64,
    pub duration: Option<Nanos>,
    pub is_in_bursts: bool,
}

impl Load {
    pub fn arrivals(&self, part: impl Fn(u64) -> u64) -> Arrivals {
        match &self.schedule {
            Some(schedule) => Arrivals::Open(schedule.clone()),
            None if self.budget == u64::MAX => {
                Arrivals::Closed { budget: u64::MAX, users: self.users.clone() }
            }
            None => Arrivals::Closed { budget: part(self.budget), users: None },
        }
    }

    pub fn is_open(&self) -> bool {
        self.schedule.is_some()
    }

    pub fn stage_ends(&self) -> Arc<[Nanos]> {
        let shape = self.shape.as_ref().or(self.users.as_ref());
        shape.iter().flat_map(|shape| shape.stages()).map(|stage| stage.end()).collect()
    }
}

pub fn draw(
    dice: &mut Dice,
    open_loop: bool,
    steady: bool,
    warmup: Warmup,
    length: Nanos,
    connections: u64,
    workers: u64,
) -> Load {
    let duration = Some(length);
    let mut load = Load {
        schedule: None,
        users: None,
        shape: None,
        rate: None,
        budget: u64::MAX,
        duration,
        is_in_bursts: false,
    };
    if open_loop {
        let most = (connections * 30).min(250);
        let laws =
            [Law::Uniform, Law::Uniform, Law::Burst(7), Law::Poisson { seed: dice.number() }];
        let law = dice.one(&laws);
        load.is_in_bursts = matches!(law, Law::Burst(_));
        let offered = if !steady && dice.percent(30) {
            let shape = shape(dice, most, length);
            load.shape = Some(shape.clone());
            Offered::shaped(shape, Nanos::from_secs(1), law).expect("small numbers")
        } else {
            let rate = dice.within(20..=most);
            load.rate = Some(rate);
            Offered::steady(Rate::per_second(rate), law)
        };
        load.schedule = Some(Schedule::new(&offered, warmup, duration, None));
    } else if !steady && dice.percent(30) {
        // All of them at the end, so that as many slots are needed as there are.
        let mut levels = vec![(part_of(dice, length), dice.below(connections + 1))];
        levels.push((Nanos::ZERO, connections));
        levels.push((length - levels[0].0, connections));
        load.users = Some(Shape::to_levels(dice.below(connections + 1), &levels).expect("a shape"));
    } else if !steady && dice.percent(30) {
        load.budget = workers + dice.below(600);
        load.duration = dice.percent(50).then_some(length);
    }
    load
}

fn shape(dice: &mut Dice, most: u64, length: Nanos) -> Shape {
    let first = part_of(dice, length);
    let mut level = || dice.below(most + 1);
    let levels = [(first, level()), (Nanos::ZERO, level()), (length - first, 1 + level())];
    Shape::to_levels(level(), &levels).expect("a shape")
}

fn part_of(dice: &mut Dice, length: Nanos) -> Nanos {
    Nanos(1 + dice.below(length.0 - 1))
}
