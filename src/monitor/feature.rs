//! The features of io_uring that blast uses: since when there are any, and who needs them.

use crate::plan::Engine;

/// What blast uses, where it is not as old as io_uring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    SingleIssuer,
    DeferTaskrun,
    TaskrunFlag,
    SubmitAll,
    CoopTaskrun,
    NoDrop,
    ExtArg,
    SkipSuccess,
    Operations,
    FileTable,
    BufferRing,
    MultishotReceive,
    Eventfd,
    SetSocketOption,
    AbsoluteTimer,
}

/// Who cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Ring,
    TokioUring,
    Both,
    /// Nobody: this is what blast does instead.
    Nobody(&'static str),
}

impl Feature {
    pub const ALL: [Feature; 15] = [
        Feature::SingleIssuer,
        Feature::DeferTaskrun,
        Feature::TaskrunFlag,
        Feature::SubmitAll,
        Feature::CoopTaskrun,
        Feature::NoDrop,
        Feature::ExtArg,
        Feature::SkipSuccess,
        Feature::Operations,
        Feature::FileTable,
        Feature::BufferRing,
        Feature::MultishotReceive,
        Feature::Eventfd,
        Feature::SetSocketOption,
        Feature::AbsoluteTimer,
    ];

    /// Its name, the kernel it came with, and who needs it.
    pub fn facts(self) -> (&'static str, &'static str, Need) {
        match self {
            Feature::SingleIssuer => ("SINGLE_ISSUER", "6.0", Need::Ring),
            Feature::DeferTaskrun => ("DEFER_TASKRUN", "6.1", Need::Ring),
            Feature::TaskrunFlag => ("TASKRUN_FLAG", "5.19", Need::Ring),
            Feature::SubmitAll => ("SUBMIT_ALL", "5.18", Need::Ring),
            Feature::CoopTaskrun => ("COOP_TASKRUN", "5.19", Need::TokioUring),
            Feature::NoDrop => ("NODROP", "5.5", Need::Both),
            Feature::ExtArg => ("EXT_ARG", "5.11", Need::Ring),
            Feature::SkipSuccess => ("CQE_SKIP_SUCCESS", "5.17", Need::Ring),
            Feature::Operations => ("socket operations", "5.11", Need::Both),
            Feature::FileTable => ("sparse file table", "5.19", Need::Ring),
            Feature::BufferRing => ("provided-buffer ring", "5.19", Need::Ring),
            Feature::MultishotReceive => ("multishot receive", "6.0", Need::Ring),
            Feature::Eventfd => (
                "eventfd",
                "5.2",
                Need::Nobody("a worker has one ring, and no more connections than open files"),
            ),
            Feature::SetSocketOption => (
                "socket options",
                "6.7",
                Need::Nobody("a worker is woken more often for large bodies"),
            ),
            Feature::AbsoluteTimer => (
                "ABS_TIMER",
                "6.12",
                Need::Nobody("waits for a time instead of until an instant, a little later"),
            ),
        }
    }

    pub fn name(self) -> &'static str {
        self.facts().0
    }

    pub fn is_needed_by(self, engine: Engine) -> bool {
        match self.facts().2 {
            Need::Both => true,
            Need::Ring => engine == Engine::Ring,
            Need::TokioUring => engine == Engine::TokioUring,
            Need::Nobody(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = Feature::ALL.map(Feature::name).into();
        assert_eq!(names.len(), Feature::ALL.len());
    }
}
