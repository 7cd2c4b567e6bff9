//! Runs as lines of JSON, one a run, to and from another history: the same to the last digit.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::life::{close, insert};
use super::{Ended, Filter, History, Row, Status};
use crate::error::{Error, Result};

/// A line.
#[derive(Serialize, Deserialize)]
struct Line {
    run: Row,
    /// As it was written, to the byte.
    document: Option<Box<RawValue>>,
    /// Those that the document does not have.
    intervals: Vec<Box<RawValue>>,
}

/// What came of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub new: u64,
    /// They were there already.
    pub known: u64,
}

impl History {
    /// Oldest first; returns how many.
    pub fn export(&mut self, filter: &Filter, to: &mut dyn Write) -> Result<u64> {
        let mut rows = self.list(filter)?;
        rows.reverse();
        let count = rows.len() as u64;
        for row in rows {
            let id = row.id;
            let document = self.document(id)?.map(raw).transpose()?;
            let intervals = self.rows_of_intervals(id, 0)?.into_iter();
            let intervals = intervals.map(|text| raw(text.into_bytes())).collect::<Result<_>>()?;
            let line = Line { run: row, document, intervals };
            let text = serde_json::to_string(&line);
            let text = text.map_err(|error| Error::failed(format!("run {id}: {error}")))?;
            writeln!(to, "{text}").map_err(|error| {
                Error::failed(format!("the export cannot be written ({error}); send it elsewhere"))
            })?;
        }
        Ok(count)
    }

    /// All lines or none. A run that is there already (the same start, host, plan
    /// and kind) stays as it is.
    pub fn import(&mut self, from: &mut dyn BufRead) -> Result<Imported> {
        self.said(|connection, _| {
            let transaction = connection.transaction()?;
            let mut imported = Imported::default();
            for (number, text) in from.lines().enumerate() {
                let number = number + 1;
                let text = text.map_err(|error| {
                    Error::usage(format!("line {number} cannot be read ({error})"))
                })?;
                if text.trim().is_empty() {
                    continue;
                }
                let line: Line = serde_json::from_str(&text).map_err(|error| {
                    Error::usage(format!(
                        "line {number} is no run ({error}); import what `blast history export` \
                         wrote"
                    ))
                })?;
                let (row, begun) = (&line.run, &line.run.begun);
                let there: u64 = transaction.query_row(
                    "SELECT count(*) FROM runs WHERE started_at = ?1 AND host = ?2 AND plan_hash = \
                     ?3 AND kind = ?4",
                    [&begun.started_at, &begun.host, &begun.plan_hash, &begun.kind],
                    |row| row.get(0),
                )?;
                if there > 0 {
                    imported.known += 1;
                    continue;
                }
                let id = insert(&transaction, begun)?;
                close(&transaction, id, &ended(&line))?;
                transaction.execute(
                    "UPDATE runs SET note = ?2, ended_at = ?3, exit_code = ?4 WHERE id = ?1",
                    rusqlite::params![id, row.note, row.ended_at, row.exit_code],
                )?;
                for (number, interval) in line.intervals.iter().enumerate() {
                    transaction.execute(
                        "INSERT INTO intervals VALUES (?1, ?2, ?3)",
                        rusqlite::params![id, number as u64, interval.get()],
                    )?;
                }
                imported.new += 1;
            }
            transaction.commit()?;
            Ok(imported)
        })
    }
}

fn raw(text: Vec<u8>) -> Result<Box<RawValue>> {
    let text = String::from_utf8(text).ok().and_then(|text| RawValue::from_string(text).ok());
    text.ok_or_else(|| Error::failed("a document of the history is damaged; delete its run"))
}

/// A run that goes on elsewhere ends there, and not here.
fn ended(line: &Line) -> Ended {
    let row = &line.run;
    let is_over = !matches!(row.status, Status::Pending | Status::Running);
    let unknown = "it was exported before it ended".to_string();
    Ended {
        status: if is_over { row.status } else { Status::Failed },
        reason: if is_over { row.reason.clone() } else { Some(unknown) },
        ended_at: row.ended_at.clone().unwrap_or_default(),
        exit_code: row.exit_code.unwrap_or(0),
        figures: row.figures.clone(),
        document: line.document.as_ref().map_or(Vec::new(), |text| text.get().as_bytes().to_vec()),
    }
}
