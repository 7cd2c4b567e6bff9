//! Documents as they lie in the file: one line of JSON, compressed.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// No document is nearly as long.
const MOST: u64 = 512 << 20;

/// What a document of a run has, and that of a study has not.
#[derive(Deserialize)]
struct Course<'a> {
    #[serde(borrow, default)]
    intervals: Vec<&'a RawValue>,
}

/// JSON without its line breaks, which stand between its words only: a text in it has them escaped.
/// So a document is a line of an export as it is.
pub fn one_line(document: &[u8]) -> Vec<u8> {
    document.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect()
}

pub fn has_intervals(document: &[u8]) -> bool {
    serde_json::from_slice::<Course>(document).is_ok_and(|course| !course.intervals.is_empty())
}

/// Of a document, from this one on; none where it has none.
pub fn intervals(document: &[u8], from: u64) -> Vec<String> {
    let course = serde_json::from_slice::<Course>(document);
    let all = course.map(|course| course.intervals).unwrap_or_default();
    all.into_iter().skip(from as usize).map(|one| one.get().to_string()).collect()
}

pub fn pack(document: &[u8]) -> Vec<u8> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    // A Vec takes whatever is written to it.
    let _ = packed.write_all(document);
    packed.finish().unwrap_or_default()
}

pub fn unpack(packed: &[u8], id: i64) -> Result<Vec<u8>> {
    let mut document = Vec::new();
    let read = DeflateDecoder::new(packed).take(MOST).read_to_end(&mut document);
    read.map(|_| document)
        .map_err(|_| Error::failed(format!("the document of run {id} is damaged; delete the run")))
}
