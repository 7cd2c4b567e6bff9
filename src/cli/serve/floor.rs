//! Where the panel's runs come from.

use std::path::Path;
use std::sync::Arc;

use super::ServeArgs;
use crate::error;
use crate::serve::Offer;
use crate::serve::desk::Prepared;
use crate::serve::job::Job;
use crate::serve::refusal::Refusal;
use crate::serve::runs::{Events, Later, Runs};
use crate::serve::supervisor::Edit;

pub fn runs(_: &ServeArgs, _: &Path, _: &Offer) -> error::Result<Arc<dyn Runs>> {
    Ok(Arc::new(Nothing))
}

/// No run can be started: what is saved is shown.
struct Nothing;

fn not_here<T>() -> Result<T, Refusal> {
    let refusal = Refusal::new(503, "no_runs", "this panel starts no runs");
    Err(Refusal { hint: Some("start one with `blast --save URL`".to_string()), ..refusal })
}

impl Runs for Nothing {
    fn preview<'a>(&'a self, _: &'a Job) -> Later<'a, Result<Prepared, Refusal>> {
        Box::pin(async { not_here() })
    }

    fn start<'a>(&'a self, _: Job, _: &'a str) -> Later<'a, Result<i64, Refusal>> {
        Box::pin(async { not_here() })
    }

    fn stop<'a>(&'a self, _: i64, _: &'a str) -> Later<'a, Result<(), Refusal>> {
        Box::pin(async { not_here() })
    }

    fn edit<'a>(&'a self, _: i64, _: Edit, _: &'a str) -> Later<'a, Result<(), Refusal>> {
        Box::pin(async { not_here() })
    }

    fn current(&self) -> Option<i64> {
        None
    }

    fn watch(&self, _: i64, _: Option<u64>) -> Result<Events, Refusal> {
        not_here()
    }

    fn charts<'a>(&'a self, _: i64) -> Later<'a, Option<String>> {
        Box::pin(async { None })
    }

    fn close<'a>(&'a self) -> Later<'a, ()> {
        Box::pin(async {})
    }
}
