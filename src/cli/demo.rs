//! `blast demo`: the built-in server under a load sized to this machine, and the page.

use super::low::{DemoArgs, LoadArgs};
use super::{Outputs, run};
use crate::error::{Exit, Result};

pub fn run(args: DemoArgs) -> Result<Exit> {
    let load = args.load("http://127.0.0.1:8080/");
    run::run(super::plan(&load)?, Outputs::of(&load)?)
}

impl DemoArgs {
    /// What `blast URL` with the same flags would be given.
    fn load(self, url: &str) -> LoadArgs {
        LoadArgs {
            words: vec![url.to_string()],
            size: self.size,
            page: self.page,
            engine: self.engine,
            ..LoadArgs::default()
        }
    }
}
