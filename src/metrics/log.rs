//! A log that was watched beside the load.

use crate::time::Nanos;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedLog {
    pub file: String,
    /// What a line had to hold; `None`: every line counts.
    pub regex: Option<String>,
    /// From before the connections opened to the end of the run.
    pub lines: u64,
    /// The first of them, cut and printable, each with when it was seen from the start of warm-up.
    pub first: Vec<(Nanos, String)>,
}
