//! Data that requests are made from: files of rows, mapped once and shared by all workers.

use std::path::Path;

use crate::dice::Dice;
use crate::error::Result;

/// A CSV file with a header line, or NDJSON: an object a line.
#[derive(Debug)]
pub struct Table {
    pub name: String,
    pub order: Order,
    pub exhausted: Exhausted,
}

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
    pub fn open(name: &str, _path: &Path, order: Order, exhausted: Exhausted) -> Result<Table> {
        Ok(Table { name: name.to_owned(), order, exhausted })
    }

    /// The row of a draw, by the order; `None` when there is none left and the policy is to stop.
    pub fn row(
        &self,
        _draw: u64,
        _worker: u64,
        _workers: u64,
        _user: u64,
        _dice: &mut Dice,
    ) -> Option<u64> {
        None
    }

    pub fn rows(&self) -> u64 {
        0
    }

    /// The place of a column.
    pub fn column(&self, _name: &str) -> Option<usize> {
        None
    }

    /// Appends a cell's value.
    pub fn cell(&self, _row: u64, _column: usize, _into: &mut Vec<u8>) {}
}
