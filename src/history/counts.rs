//! How many runs there are of each status.

use super::{History, Status};
use crate::error::Result;

impl History {
    /// Those of which there is one at least.
    pub fn counts(&mut self) -> Result<Vec<(Status, u64)>> {
        self.said(|connection, _| {
            let mut query =
                connection.prepare_cached("SELECT status, count(*) FROM runs GROUP BY status")?;
            let found = query.query_map([], |row| {
                let status: String = row.get(0)?;
                Ok((Status::of(&status), row.get(1)?))
            })?;
            let found: Vec<(Option<Status>, u64)> = found.collect::<rusqlite::Result<_>>()?;
            Ok(found.into_iter().filter_map(|(status, count)| Some((status?, count))).collect())
        })
    }
}
