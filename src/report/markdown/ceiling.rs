//! A ceiling for a pull request.

use super::{capital, plain, row};
use crate::report::ceiling::{Ceiling, CeilingDocument};
use crate::report::console::ceiling::{
    above_in_words, answer_in_words, answer_label, facts, level, outcome,
};
use crate::report::number::{cell, per_second, percent};

pub fn text(document: &CeilingDocument) -> String {
    let what = format!("{} {}", document.method, document.url);
    let mut text = format!("## blast ceiling: {}\n\n", plain(&what));
    let answer = format!("{}: {}", capital(answer_label(document)), answer_in_words(document).1);
    text += &format!("- **{}**\n", plain(&answer));
    for rule in &document.thresholds {
        text += &format!("- Threshold: {}\n", plain(rule));
    }
    for (label, fact) in facts(document) {
        text += &match label {
            "" => format!("- {}\n", plain(&capital(&fact))),
            label => format!("- {}: {}\n", capital(label), plain(&fact)),
        };
    }
    if let Some(failure) = &document.ceiling.failure {
        text += "\nAbove the ceiling:\n\n";
        for (label, _, fact) in above_in_words(&document.ceiling, failure) {
            text += &format!("- {}: {}\n", capital(label), plain(&fact));
        }
    }
    text + "\n" + &curve(&document.ceiling)
}

fn curve(ceiling: &Ceiling) -> String {
    if ceiling.curve.is_empty() {
        return String::new();
    }
    let mut text =
        row(&[ceiling.level_name(), "good/s", "p50", "p99", "p99.9", "errors", "outcome"]);
    text += &row(&[&["---:"; 6][..], &["---"]].concat());
    let time = |us: Option<f64>| us.map_or("-".to_string(), cell);
    text.extend(ceiling.curve.iter().map(|point| {
        let cells = [
            level(ceiling, point),
            per_second(point.good_per_s),
            time(point.p50_us),
            time(point.p99_us),
            time(point.p99_9_us),
            percent(point.error_share),
            outcome(point),
        ];
        row(&cells.map(|cell| plain(&cell)))
    }));
    text
}
