//! The run that later runs of its plan are judged by.

use rusqlite::{OptionalExtension, params};

use super::History;
use crate::error::Result;

impl History {
    /// The number of the baseline of this plan on this host. `None`: none was set.
    pub fn baseline_of(&mut self, plan_hash: &str, host: &str) -> Result<Option<i64>> {
        self.said(|connection, _| {
            let query = "SELECT id FROM runs WHERE plan_hash = ?1 AND host = ?2 AND is_baseline \
                         ORDER BY id DESC LIMIT 1";
            let found = connection.query_row(query, params![plan_hash, host], |row| row.get(0));
            Ok(found.optional()?)
        })
    }
}
