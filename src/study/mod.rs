//! Uses of many runs. A study reaches the load only through a [`Runner`], which the command line
//! hands it; so a test can hand it a server that is all arithmetic.
//!
//! ```text
//! ab          two servers in turns
//! calibrate   what blast can send from a core
//! ceiling     the highest rate that meets the thresholds
//! compare     saved runs side by side
//! ladder      chosen rates, one after another
//! soak        a long run, and what drifts in it
//! suite       runs in order, for each value of a matrix
//! statistics  differences and how sure they are
//! trend       saved runs of one plan, and when their figures changed
//! versus      other tools on the same load
//! ```

pub mod ab;
pub mod calibrate;
pub mod ceiling;
pub mod compare;
pub mod ladder;
pub mod soak;
pub mod statistics;
pub mod suite;
pub mod trend;
pub mod versus;

use crate::error::Result;
use crate::metrics::{Fates, Summary};
use crate::plan::Plan;

/// Whether a run that goes on may end, for what came of the requests due in its measure.
pub type IsEnough<'a> = dyn FnMut(&Fates) -> bool + Send + 'a;

/// Carries out plans, one after another. Those that differ from the first in their load alone go on
/// the same connections.
pub trait Runner {
    fn run(&mut self, plan: &Plan) -> Result<Summary>;

    /// The same; `is_enough` hears some times a second what came of requests since it last did, and
    /// may end measure early. Whoever cannot do that carries out the whole.
    fn run_until(&mut self, plan: &Plan, is_enough: &mut IsEnough) -> Result<Summary> {
        let _ = is_enough;
        self.run(plan)
    }

    /// New connections, of the number that the next plan says.
    fn reconnect(&mut self);
}
