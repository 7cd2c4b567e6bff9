//! The log that was watched (`--watch-log`), and with `--verbose` the first lines of it.

use super::super::Document;
use super::super::number::{count, seconds};
use super::text::{LABEL, Sheet, Tone};

pub fn log(sheet: &mut Sheet, document: &Document, verbose: bool) {
    let Some(log) = &document.watched_log else { return };
    let matching = log.regex.as_ref().map(|regex| format!(" that match {regex}"));
    let lines = count(log.lines);
    let text = format!("{}: {lines} lines{}", log.file, matching.unwrap_or_default());
    sheet.labelled("log", Tone::Plain, &text);
    for line in log.first.iter().filter(|_| verbose) {
        let text = format!("{} {}", seconds(line.t_s), line.line);
        sheet.indented(LABEL, Tone::Plain, &text);
    }
}
