//! A trend for a pull request.

use super::{plain, row};
use crate::report::console::trend::{HEAD, cells, findings, method, subject};
use crate::report::trend::TrendDocument;

/// Runs that a comment has room for.
const MOST: usize = 40;

pub fn text(document: &TrendDocument) -> String {
    let mut text = format!("## blast history trend\n\n{}.\n\n", plain(&subject(document)));
    for figure in &document.figures {
        for (_, found) in findings(figure) {
            text += &format!("- {}: {}.\n", figure.called(), plain(&found));
        }
    }
    for warning in &document.warnings {
        text += &format!("- Warning: {}.\n", plain(&warning.text));
    }
    text += "\n";
    text += &row(&HEAD);
    text += &row(&["---:", "---", "---:", "---:", "---:", "---:", "---", "---"]);
    let older = document.runs.len().saturating_sub(MOST);
    for run in &document.runs[older..] {
        text += &row(&cells(document, run).map(|cell| plain(&cell)));
    }
    text + &format!("\n{}.\n", plain(&method(document)))
}
