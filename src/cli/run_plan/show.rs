//! `--show N`: the first requests as they would be sent, without their secrets.
//!
//! Of a mix, in the order of its choice; of users, the first one's setup and then its steps. What
//! an answer would give stands as `<capture.NAME>`; values of the environment, of credentials and
//! of fields that sound secret as `***`.

pub fn text(_plan: &crate::plan::Plan, _count: u64) -> String {
    String::new()
}
