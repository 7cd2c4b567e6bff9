//! Which row of a table a request is made from, and what is done when all were used.

use super::Table;
use crate::dice::Dice;

/// Which row comes next. A draw is one request of a mix, or one round of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As in the file, over the whole run: worker `w` of `W` takes rows w, w + W, ...
    #[default]
    Sequential,
    /// Any, with replacement.
    Random,
    /// Row `u` belongs to user `u`, for good.
    Unique,
    /// Each worker has a block of its own, and takes its rows in order.
    Sharded,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exhausted {
    #[default]
    Wrap,
    Stop,
}

impl Table {
    /// The row of a worker's draw, counted from 0; `user` from 1. `None`: all were used, and the
    /// run is to stop then.
    pub fn row(
        &self,
        draw: u64,
        worker: u64,
        workers: u64,
        user: u64,
        dice: &mut Dice,
    ) -> Option<u64> {
        let rows = self.rows();
        let all = |place| within(place, 0, rows, self.exhausted);
        match self.order {
            Order::Sequential => all(u128::from(draw) * u128::from(workers) + u128::from(worker)),
            Order::Random => Some(dice.below(rows)),
            Order::Unique => all(u128::from(user.saturating_sub(1))),
            Order::Sharded => {
                let start = |worker: u64| {
                    // Less than `rows`, but for the end of the last.
                    (u128::from(worker) * u128::from(rows) / u128::from(workers)) as u64
                };
                let (from, to) = (start(worker), start(worker + 1));
                match (from == to, self.exhausted) {
                    // More workers than rows: one that has none shares its neighbour's.
                    (true, Exhausted::Wrap) => Some(from.min(rows - 1)),
                    (true, Exhausted::Stop) => None,
                    (false, _) => within(draw.into(), from, to - from, self.exhausted),
                }
            }
        }
    }
}

/// The place in a block of rows.
fn within(place: u128, from: u64, length: u64, exhausted: Exhausted) -> Option<u64> {
    match exhausted {
        Exhausted::Wrap => Some(from + (place % u128::from(length)) as u64),
        Exhausted::Stop if place < u128::from(length) => Some(from + place as u64),
        Exhausted::Stop => None,
    }
}
