//! The table of the answers by one of their headers.

use super::{average, p95, plain, row};
use crate::report::Document;
use crate::report::console::shares_by_group;
use crate::report::number::{count, percent};

pub fn groups(document: &Document) -> String {
    let Some(groups) = &document.groups else { return String::new() };
    let by = plain(groups.by.trim_start_matches("header:"));
    let head = [&by, "answers", "share", "no good", "errors", "average", "p95"];
    let mut text = row(&head) + &row(&["---", "---:", "---:", "---:", "---:", "---:", "---:"]);
    for group in &groups.rows {
        let response = &group.latency.response;
        text += &row(&[
            plain(group.shown()),
            count(group.completed),
            percent(group.share),
            count(group.rejected),
            percent(group.error_share),
            average(response),
            p95(response),
        ]);
    }
    let shares = plain(&shares_by_group(groups));
    let unanswered = match groups.unanswered {
        0 => String::new(),
        some => format!(" {} requests had no answer and are in no group.", count(some)),
    };
    format!("{text}\nShares: {shares}.{unanswered}\n\n")
}
