//! What two measurements, each with its chance, say of their difference. Pure: numbers in, numbers
//! out.
//!
//! ```text
//! estimate   a value with its interval, and the difference of two
//! series     how much surer or less sure a run is than its number of samples says
//! rounds     measurements in pairs, round by round
//! course     whether values drift over time
//! change     whether runs changed their level, and where
//! ```

pub mod change;
pub mod course;
mod estimate;
pub mod rounds;
mod series;

pub use estimate::{Estimate, change, difference, share, student};
pub use series::{design_effect, variance_of_sum};
