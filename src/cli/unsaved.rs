//! What stands for `save` in a build without a history: nothing is ever kept.

use std::ffi::OsString;

use clap::Args;

use crate::error::{Exit, Result};
use crate::metrics::Interval;
use crate::plan::Plan;
use crate::report::Document;

/// No flags.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct SaveArgs {}

impl SaveArgs {
    pub fn saving(&self) -> Result<Option<Saving>> {
        Ok(None)
    }

    pub fn off() -> SaveArgs {
        SaveArgs {}
    }

    pub fn is_typed(&self) -> bool {
        false
    }
}

/// There is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Saving {}

/// What is known before a run, and what lists show of it: nobody asks.
pub struct Nothing;

#[derive(Default)]
pub struct Recorder;

impl Recorder {
    pub fn begin(_: Option<&Saving>, _: impl FnOnce() -> Nothing) -> Result<Recorder> {
        Ok(Recorder)
    }

    pub fn interval(&mut self, _: &Interval) {}

    pub fn check<T>(&mut self, result: Result<T>) -> Result<T> {
        result
    }

    pub fn end_run(&mut self, _: &Document, _: Exit) {}

    pub fn end_study<D>(&mut self, _: &D, _: fn(&D) -> Nothing, _: Exit) {}
}

pub fn begun(_: &Plan, _: &str) -> Nothing {
    Nothing
}

pub fn begun_of_both(_: &[Plan; 2], _: &str) -> Nothing {
    Nothing
}

pub fn begun_without_plan(_: &str, _: &str, _: &str) -> Nothing {
    Nothing
}

pub fn of_ab<D>(_: &D) -> Nothing {
    Nothing
}

pub fn of_ceiling<D>(_: &D) -> Nothing {
    Nothing
}

pub fn of_ladder<D>(_: &D) -> Nothing {
    Nothing
}

pub fn of_suite<D>(_: &D) -> Nothing {
    Nothing
}

pub fn of_versus<D>(_: &D) -> Nothing {
    Nothing
}

pub fn with_value(arguments: &[OsString]) -> Vec<OsString> {
    arguments.to_vec()
}
