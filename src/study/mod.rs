//! Uses of many runs. A study reaches the load only through a [`Runner`], which the command line
//! hands it; so a test can hand it a server that is all arithmetic.
//!
//! ```text
//! ab          two servers in turns
//! ceiling     the highest rate that meets the thresholds
//! compare     saved runs side by side
//! suite       runs in order, for each value of a matrix
//! statistics  differences and how sure they are
//! ```

pub mod ab;
pub mod ceiling;
pub mod compare;
pub mod statistics;
pub mod suite;

use crate::error::Result;
use crate::metrics::Summary;
use crate::plan::Plan;

/// Carries out plans, one after another. Those that differ from the first in their load alone go on
/// the same connections.
pub trait Runner {
    fn run(&mut self, plan: &Plan) -> Result<Summary>;

    /// New connections, of the number that the next plan says.
    fn reconnect(&mut self);
}
