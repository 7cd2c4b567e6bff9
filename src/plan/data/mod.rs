//! Data that requests are made from: files of rows, mapped once and shared by all workers.
//!
//! When a table is opened, every row is looked at, so that a fault is told with its line before
//! anything is sent; kept are only the names of the columns and where each row starts. A cell is
//! read from the file's own bytes when it is drawn, without an allocation.
//!
//! A large file stays mapped while the run lasts: it must not be cut meanwhile.

mod csv;
mod file;
mod ndjson;
mod order;

use std::path::Path;

use file::Contents;

use crate::error::{Error, Result};

pub use order::{Exhausted, Order};

/// A CSV file with a header line, or NDJSON: an object a line.
#[derive(Debug)]
pub struct Table {
    pub name: String,
    pub order: Order,
    pub exhausted: Exhausted,
    contents: Contents,
    format: Format,
    columns: Vec<Column>,
    /// Where each row starts, and at last where the file ends.
    starts: Vec<u64>,
}

#[derive(Debug)]
struct Column {
    name: String,
    /// Bytes of its longest value.
    longest: usize,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Csv,
    Ndjson,
}

/// What a walk through a file finds.
struct Rows {
    columns: Vec<Column>,
    starts: Vec<u64>,
}

impl Table {
    /// By the ending of its name: `.csv`, `.ndjson` or `.jsonl`.
    pub fn open(name: &str, path: &Path, order: Order, exhausted: Exhausted) -> Result<Table> {
        let shown = path.display();
        let of_table = |what: String| Error::usage(format!("data `{name}`: {what}"));
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let is_csv = match ending.to_ascii_lowercase().as_str() {
            "csv" => true,
            "ndjson" | "jsonl" => false,
            _ => {
                return Err(of_table(format!(
                    "`{shown}` is of no kind that can be read; name it .csv (with a header line), \
                     or .ndjson or .jsonl (an object a line)"
                )));
            }
        };
        let contents = Contents::open(path).map_err(|error| {
            let reason = file::reason(&error);
            of_table(format!(
                "`{shown}` cannot be read ({reason}); check the name, which is relative to the \
                 plan file, and its permissions"
            ))
        })?;
        let (format, rows) = match is_csv {
            true => (Format::Csv, csv::rows(contents.bytes())),
            false => (Format::Ndjson, ndjson::rows(contents.bytes())),
        };
        let rows = rows.map_err(|fault| of_table(fault.sentence(&shown.to_string())))?;
        let Rows { columns, starts } = rows;
        Ok(Table { name: name.to_owned(), order, exhausted, contents, format, columns, starts })
    }

    /// At least one.
    pub fn rows(&self) -> u64 {
        self.starts.len() as u64 - 1
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// In the order of the file.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.name)
    }

    /// Bytes of a column's longest value.
    pub fn longest(&self, column: usize) -> usize {
        self.columns[column].longest
    }

    /// Appends a cell's value.
    pub fn cell(&self, row: u64, column: usize, into: &mut Vec<u8>) {
        let (from, to) = (self.starts[row as usize], self.starts[row as usize + 1]);
        let row = &self.contents.bytes()[from as usize..to as usize];
        match self.format {
            Format::Csv => csv::cell(row, column, into),
            Format::Ndjson => ndjson::cell(row, &self.columns[column].name, into),
        }
    }
}

/// What is wrong with a file, and where.
struct Fault {
    /// From 1; 0 where it is the file as a whole.
    line: usize,
    what: String,
}

impl Fault {
    fn at(bytes: &[u8], offset: usize, what: impl Into<String>) -> Fault {
        Fault { line: memchr::memchr_iter(b'\n', &bytes[..offset]).count() + 1, what: what.into() }
    }

    fn of_file(what: impl Into<String>) -> Fault {
        Fault { line: 0, what: what.into() }
    }

    fn sentence(&self, path: &str) -> String {
        match self.line {
            0 => format!("`{path}` {}", self.what),
            line => format!("line {line} of `{path}` {}", self.what),
        }
    }
}

#[cfg(test)]
mod tests;
