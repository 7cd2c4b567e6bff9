//! What happened by name: the entries of a scenario, its checks, its sessions.

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// It took all of its steps.
    Completed,
    /// A step of it failed or was rejected, and the plan ends a session then.
    Failed,
    /// The run was over before.
    Cut,
}
