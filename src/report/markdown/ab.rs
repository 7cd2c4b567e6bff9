//! Two servers in turns, for a pull request.

use super::{plain, row};
use crate::report::ab::{AbDocument, Metric};
use crate::report::console::ab::{enough, interval, meaning, method, what_ran};
use crate::report::console::compare::{in_points, in_words, points, shown};

pub fn text(document: &AbDocument) -> String {
    let mut text = "## blast ab\n\n".to_string();
    for (label, url) in ["A", "B"].iter().zip(&document.urls) {
        text += &format!("- {label}: {} {}\n", plain(&document.method), plain(url));
    }
    text += &format!("- Rounds: {}\n", plain(&what_ran(document)));
    for caveat in &document.warnings {
        text += &format!("- Warning: {}.\n", plain(&caveat.text));
    }
    if document.metrics.is_empty() {
        return text + "\nNo round was finished.\n";
    }
    text += "\n";
    text += &row(&["", "A", "B", "B against A", "interval", ""]);
    text += &row(&["---", "---:", "---:", "---:", "---:", "---"]);
    text.extend(document.metrics.iter().map(line));
    text + &format!("\n- {}.\n- {}.\n", plain(&enough(document).1), plain(&method(document)))
}

fn line(metric: &Metric) -> String {
    let cells = [
        in_words(&metric.name).to_string(),
        shown(metric.a, &metric.unit),
        shown(metric.b, &metric.unit),
        in_points(&[points(metric.percent)]),
        interval(metric),
        meaning(metric).to_string(),
    ];
    row(&cells.map(|cell| plain(&cell)))
}
