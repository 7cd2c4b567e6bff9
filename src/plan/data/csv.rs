//! CSV (RFC 4180), with a header line, by the reader of the `csv` crate: quoted fields may hold
//! commas, quotes and line breaks; empty lines are passed over.

use std::cell::RefCell;

use csv_core::{ReadFieldResult, ReadRecordResult, Reader};

use super::{Column, Fault, Rows};
use crate::units::quote;

thread_local! {
    /// One a worker: making one takes microseconds, and a copy of one does not read alike.
    static READER: RefCell<Reader> = RefCell::new(Reader::new());
}

/// A record: where its fields end in what was read of it.
struct Record<'a> {
    text: &'a [u8],
    ends: &'a [usize],
}

pub fn rows(bytes: &[u8]) -> Result<Rows, Fault> {
    let mut columns: Vec<Column> = Vec::new();
    let mut starts = Vec::new();
    records(bytes, |start, record| {
        if columns.is_empty() {
            columns = header(bytes, start, &record)?;
            return Ok(());
        }
        if record.ends.len() != columns.len() {
            let (found, expected) = (fields(record.ends.len()), columns.len());
            return Err(Fault::at(
                bytes,
                start,
                format!(
                    "has {found} and the header {expected}; make them the same, and put \
                             values with commas in quotes"
                ),
            ));
        }
        let mut from = 0;
        for (column, end) in columns.iter_mut().zip(record.ends) {
            column.longest = column.longest.max(end - from);
            from = *end;
        }
        starts.push(start as u64);
        Ok(())
    })?;
    match (columns.is_empty(), starts.is_empty()) {
        (true, _) => Err(Fault::of_file("is empty; begin it with a line of column names")),
        (_, true) => Err(Fault::of_file("has a header and no row; add one at least")),
        _ => {
            starts.push(bytes.len() as u64);
            Ok(Rows { columns, starts })
        }
    }
}

/// Each record with the place where it starts.
fn records(
    bytes: &[u8],
    mut each: impl FnMut(usize, Record) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut reader = Reader::new();
    let (mut text, mut ends) = (vec![0; 1024], vec![0; 16]);
    let mut at = 0;
    loop {
        at += bytes[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let start = at;
        let (mut length, mut count) = (0, 0);
        loop {
            let (result, read, written, ended) =
                reader.read_record(&bytes[at..], &mut text[length..], &mut ends[count..]);
            at += read;
            length += written;
            count += ended;
            match result {
                // There is no more input: an empty one says so.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => text.resize(text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(()),
            }
        }
        each(start, Record { text: &text[..length], ends: &ends[..count] })?;
    }
}

/// Appends a field of a row.
pub fn cell(row: &[u8], column: usize, into: &mut Vec<u8>) {
    match memchr::memchr(b'"', row) {
        None => into.extend_from_slice(plain(row, column)),
        Some(_) => READER.with_borrow_mut(|reader| quoted(reader, row, column, into)),
    }
}

/// Fields in front are read to the same place, and overwritten.
fn quoted(reader: &mut Reader, row: &[u8], column: usize, into: &mut Vec<u8>) {
    reader.reset();
    let from = into.len();
    into.resize(from + row.len(), 0);
    let (mut at, mut place, mut length) = (0, 0, 0);
    loop {
        let (result, read, written) = reader.read_field(&row[at..], &mut into[from + length..]);
        at += read;
        length += written;
        match result {
            ReadFieldResult::Field { record_end } => {
                if place == column || record_end {
                    break;
                }
                (place, length) = (place + 1, 0);
            }
            ReadFieldResult::InputEmpty => {}
            ReadFieldResult::OutputFull | ReadFieldResult::End => break,
        }
    }
    into.truncate(from + if place == column { length } else { 0 });
}

/// A field of a row without quotes.
fn plain(row: &[u8], column: usize) -> &[u8] {
    let end = memchr::memchr2(b'\r', b'\n', row).unwrap_or(row.len());
    let mut rest = &row[..end];
    for _ in 0..column {
        let Some(comma) = memchr::memchr(b',', rest) else { return &[] };
        rest = &rest[comma + 1..];
    }
    &rest[..memchr::memchr(b',', rest).unwrap_or(rest.len())]
}

fn header(bytes: &[u8], start: usize, record: &Record) -> Result<Vec<Column>, Fault> {
    let mut columns: Vec<Column> = Vec::new();
    let mut from = 0;
    for end in record.ends {
        let Ok(name) = std::str::from_utf8(&record.text[from..*end]) else {
            return Err(Fault::at(bytes, start, "is no UTF-8; save the file as that"));
        };
        from = *end;
        let wrong = match name {
            "" => Some("names a column with nothing; give each a name"),
            name if columns.iter().any(|column| column.name == name) => {
                Some("names two columns alike; give each a name of its own")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(Fault::at(
                bytes,
                start,
                format!("{wrong} (it reads {})", quote(&names(record))),
            ));
        }
        columns.push(Column { name: name.to_string(), longest: 0 });
    }
    Ok(columns)
}

fn names(record: &Record) -> String {
    let starts = std::iter::once(0).chain(record.ends.iter().copied());
    let names = starts.zip(record.ends).map(|(from, to)| &record.text[from..*to]);
    names.map(String::from_utf8_lossy).collect::<Vec<_>>().join(",")
}

fn fields(count: usize) -> String {
    format!("{count} field{}", if count == 1 { "" } else { "s" })
}
