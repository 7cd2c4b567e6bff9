//! The simulated driver: a network, servers and a clock made of one seed, under the same core that
//! the real drivers feed.
//!
//! A seed draws what is asked of the core (`scene`, `load`), how the servers and the network behave
//! (`weather`, `answer`) and each instant at which something comes, splits or breaks (`net`,
//! `client`, `servers`). The other side of the wire keeps accounts of its own (`life`, `account`,
//! `ledger`), and after the run the core's books are held against them (`judge`). All of it is a
//! function of the seed: `scripts/simulate 1 SEED` repeats a run exactly.

mod account;
mod answer;
mod books;
mod client;
pub(super) mod dice;
mod judge;
mod ledger;
mod life;
mod load;
mod net;
mod outcome;
mod run;
mod scene;
mod servers;
mod tests;
mod trace;
mod weather;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::outcome::Outcome;
use crate::time::Nanos;

/// Where the simulated clock begins.
const START: Nanos = Nanos::from_secs(1_000);

/// One run. Fails with the rule that it broke and its last moments.
fn simulate(seed: u64) -> Result<Outcome, String> {
    let scene = scene::draw(seed);
    let features = scene.features().collect::<Vec<_>>().join(", ");
    let result = catch_unwind(AssertUnwindSafe(|| run::run(scene)));
    let result = result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        Err(format!("a panic: {}", text.unwrap_or_default()))
    });
    result.map_err(|what| format!("{what}\nwith {features}"))
}
