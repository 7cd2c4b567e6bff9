//! The mix: which request is next.

/// Entries with weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Places of entries; none twice.
    pub entries: Vec<(usize, u64)>,
    /// Each choice for itself, by chance. Otherwise the shares are exact over any window of the
    /// sum of the weights.
    pub random: bool,
}
