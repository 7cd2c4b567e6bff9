//! The flow of a user: steps, thinking in between, loops, chance.

use crate::time::Nanos;

/// What a user does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// Once, at first: places of entries.
    pub setup: Vec<usize>,
    pub steps: Vec<Step>,
    /// Each round takes one of the steps, by weight, instead of all in order.
    pub weighted: bool,
    /// Once, at last.
    pub teardown: Vec<usize>,
    /// Rounds that a user makes; `None`: until the run ends. A session makes one.
    pub rounds: Option<u64>,
}

/// One step of a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub what: Steps,
    /// How often in a row: any of these, each as likely.
    pub repeat: (u32, u32),
    /// How likely it is taken at all; 1: always.
    pub probability: f64,
    /// Where one of several is chosen; 1 unless said.
    pub weight: u64,
    /// After each time.
    pub think: Think,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Steps {
    /// The place of an entry.
    One(usize),
    /// All of these, in order.
    Group(Vec<Step>),
    /// One of these, by weight.
    OneOf(Vec<Step>),
}

/// How long a user thinks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Think {
    #[default]
    Not,
    Constant(Nanos),
    Uniform(Nanos, Nanos),
    /// Of this mean.
    Exponential(Nanos),
}
