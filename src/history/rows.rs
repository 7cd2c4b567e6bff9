//! What is read of the runs, and what is noted on them afterwards.

use rusqlite::{Connection, OptionalExtension, params};

use super::run::{COLUMNS, row};
use super::{Filter, History, Row, missing, packed};
use crate::error::Result;

impl History {
    /// Newest first.
    pub fn list(&mut self, filter: &Filter) -> Result<Vec<Row>> {
        self.said(|connection, _| {
            let (condition, values) = filter.condition();
            let text =
                format!("SELECT {COLUMNS} FROM runs WHERE {condition} ORDER BY id DESC LIMIT ?");
            let mut query = connection.prepare(&text)?;
            let limit = filter.limit.map_or(-1, i64::from);
            let values: Vec<&dyn rusqlite::ToSql> =
                values.iter().map(|value| value as _).chain([&limit as _]).collect();
            let found = query.query_map(&*values, row)?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// How many there are, whatever the filter's limit is.
    pub fn count(&mut self, filter: &Filter) -> Result<u64> {
        self.said(|connection, _| {
            let (condition, values) = filter.condition();
            let text = format!("SELECT count(*) FROM runs WHERE {condition}");
            let values = rusqlite::params_from_iter(values);
            Ok(connection.query_row(&text, values, |row| row.get(0))?)
        })
    }

    pub fn show(&mut self, id: i64) -> Result<Row> {
        self.said(|connection, _| {
            let text = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
            let found = connection.query_row(&text, [id], row).optional()?;
            found.ok_or_else(|| missing(id).into())
        })
    }

    /// The document of a run, on one line; `None`: it has none, since it never ended.
    pub fn document(&mut self, id: i64) -> Result<Option<Vec<u8>>> {
        match self.kept(id)? {
            None => self.show(id).map(|_| None),
            document => Ok(document),
        }
    }

    fn kept(&mut self, id: i64) -> Result<Option<Vec<u8>>> {
        self.said(|connection, _| {
            let query = "SELECT document FROM documents WHERE run = ?1";
            let packed: Option<Vec<u8>> =
                connection.query_row(query, [id], |row| row.get(0)).optional()?;
            Ok(packed.map(|packed| packed::unpack(&packed, id)).transpose()?)
        })
    }

    /// The intervals of a run, oldest first, from this number on: as they came, or, of a run that
    /// has ended, as its document has them.
    pub fn intervals(&mut self, id: i64, from: u64) -> Result<Vec<String>> {
        let rows = self.rows_of_intervals(id, from)?;
        if !rows.is_empty() {
            return Ok(rows);
        }
        let document = self.kept(id)?.unwrap_or_default();
        Ok(packed::intervals(&document, from))
    }

    /// Those that no document holds.
    pub(super) fn rows_of_intervals(&mut self, id: i64, from: u64) -> Result<Vec<String>> {
        self.said(|connection, _| {
            let mut query = connection.prepare_cached(
                "SELECT interval FROM intervals WHERE run = ?1 AND number >= ?2 ORDER BY number",
            )?;
            let found = query.query_map(params![id, from], |row| row.get(0))?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    pub fn relabel(&mut self, id: i64, label: Option<&str>, note: Option<&str>) -> Result<()> {
        self.change(id, |connection| {
            connection.execute(
                "UPDATE runs SET label = coalesce(?2, label), note = coalesce(?3, note) \
                 WHERE id = ?1",
                params![id, label, note],
            )
        })
    }

    /// The one that later runs of its plan on its host are judged by.
    pub fn set_baseline(&mut self, id: i64) -> Result<()> {
        self.change(id, |connection| {
            connection.execute(
                "UPDATE runs SET is_baseline = (id = ?1) WHERE (plan_hash, host) = \
                 (SELECT plan_hash, host FROM runs WHERE id = ?1)",
                [id],
            )
        })
    }

    fn change(
        &mut self,
        id: i64,
        act: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
    ) -> Result<()> {
        self.said(|connection, _| match act(connection)? {
            0 => Err(missing(id).into()),
            _ => Ok(()),
        })
    }
}
