//! The reading aid on the page: the grade and the run in a few words below the verdict, and what
//! may be done below the warnings.

use super::super::{Document, grade as grades};
use super::text::{Sheet, Tone};

/// Columns of `  in short: `.
const INDENT: usize = 12;

pub fn grade(sheet: &mut Sheet, document: &Document) {
    if let Some(rating) = &document.rating {
        let label = sheet.paint(grades::tone(rating.grade.as_deref()), "grade:");
        let text =
            format!("{} ({}): {}", grades::name(rating), rating.set, grades::grounds(rating));
        sheet.hanging(&format!("  {label}    "), INDENT, Tone::Plain, &text);
    }
    if !document.sentences.is_empty() {
        let shorts: Vec<&str> = document.sentences.iter().map(|one| &*one.short).collect();
        sheet.hanging("  in short: ", INDENT, Tone::Plain, &shorts.join("; "));
    }
    sheet.gap();
}

/// Evidence and remedy; the other views have the cause too. What is warned of above is not told
/// twice.
pub fn advice(sheet: &mut Sheet, document: &Document) {
    for advice in &document.advice {
        let is_warned = document.warnings.iter().any(|warning| warning.text == advice.evidence);
        let sign = if is_warned { &advice.sign.replace('_', " ") } else { &advice.evidence };
        sheet.labelled("advice", Tone::Plain, &format!("{sign}: {}", advice.remedy));
    }
}
