//! A ladder for a pull request.

use super::{capital, plain, row};
use crate::report::console::ladder::{HEAD, answer_in_words, cells, facts};
use crate::report::ladder::LadderDocument;

pub fn text(document: &LadderDocument) -> String {
    let what = format!("{} {}", document.method, document.url);
    let mut text = format!("## blast ladder: {}\n\n", plain(&what));
    text += &row(&HEAD);
    text += &row(&[&["---"][..], &["---:"; 7], &["---"]].concat());
    text.extend(document.steps.iter().map(|step| row(&cells(step).map(|cell| plain(&cell)))));
    text += &format!("\n- Holds: {}.\n", plain(&answer_in_words(document).1));
    for rule in &document.thresholds {
        text += &format!("- Threshold: {}.\n", plain(rule));
    }
    for (label, fact) in facts(document) {
        text += &format!("- {}: {}.\n", capital(label), plain(&fact));
    }
    for advice in &document.advice {
        let said = format!("{}: {}; {}", advice.evidence, advice.cause, advice.remedy);
        text += &format!("- Advice: {}.\n", plain(&said));
    }
    text
}
