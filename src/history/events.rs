//! Who did what to which run. What was done to a run that is deleted stays.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{History, life};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Event {
    pub run: i64,
    /// The run's label at the time.
    pub label: String,
    /// RFC 3339 in UTC.
    pub at: String,
    pub who: String,
    /// `started`, `deleted`, or a few words more.
    pub what: String,
}

impl History {
    /// Notes it under the label that the run has now; one that is deleted is noted before it goes.
    pub fn note_event(&mut self, id: i64, who: &str, what: &str) -> Result<()> {
        self.said(|connection, _| {
            connection.execute(
                "INSERT INTO events (run, label, at, who, what) VALUES \
                 (?1, coalesce((SELECT label FROM runs WHERE id = ?1), ''), ?2, ?3, ?4)",
                params![id, life::now(), who, what],
            )?;
            Ok(())
        })
    }

    /// Of one run, oldest first.
    pub fn events(&mut self, id: i64) -> Result<Vec<Event>> {
        self.events_by("WHERE run = ?1 ORDER BY id", id)
    }

    /// Of all runs, newest first.
    pub fn audit(&mut self, limit: u32) -> Result<Vec<Event>> {
        self.events_by("ORDER BY id DESC LIMIT ?1", i64::from(limit))
    }

    fn events_by(&mut self, clause: &str, value: i64) -> Result<Vec<Event>> {
        self.said(|connection, _| {
            let text = format!("SELECT run, label, at, who, what FROM events {clause}");
            let mut query = connection.prepare(&text)?;
            let found = query.query_map([value], |row| {
                Ok(Event {
                    run: row.get(0)?,
                    label: row.get(1)?,
                    at: row.get(2)?,
                    who: row.get(3)?,
                    what: row.get(4)?,
                })
            })?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }
}
