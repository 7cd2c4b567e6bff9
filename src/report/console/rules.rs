//! The rules on the page: a line for each threshold, and the rule that ended the run.

use super::super::Document;
use super::super::document::{Aborted, Threshold};
use super::super::number::seconds;
use super::super::reading::of_unit;
use super::text::{Sheet, Tone};

/// Columns of the mark and what stands around it.
const MARK: usize = 4;

pub fn thresholds(sheet: &mut Sheet, document: &Document) {
    let values: Vec<String> = document.thresholds.iter().map(value_of).collect();
    let width_of = |text: &String| text.chars().count();
    let expressions = document.thresholds.iter().map(|threshold| width_of(&threshold.expr));
    let widths = (expressions.max(), values.iter().map(width_of).max());
    let (expression, value) = (widths.0.unwrap_or(0), widths.1.unwrap_or(0));
    for (threshold, shown) in document.thresholds.iter().zip(&values) {
        let (tone, mark) = if threshold.ok { (Tone::Good, "✓") } else { (Tone::Bad, "✗") };
        let mark = sheet.paint(tone, mark);
        let line = format!("  {mark} {:<expression$}  {shown:>value$}", threshold.expr);
        match said(threshold) {
            None => sheet.line(&line),
            Some(why) => {
                let indent = MARK + expression + 2 + value + 2;
                sheet.hanging(&format!("{line}  "), indent, Tone::Plain, &why);
            }
        }
    }
    sheet.gap();
}

/// What stands behind a rule: the run that it compares with, and why it failed where its value does
/// not say it.
pub fn said(threshold: &Threshold) -> Option<String> {
    let baseline = threshold.baseline.as_ref().map(|baseline| {
        let value = of_unit(baseline.value, &threshold.unit);
        format!("baseline {value} (run {})", baseline.run)
    });
    let said: Vec<String> = baseline.into_iter().chain(threshold.why.clone()).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// `-`: it cannot be told; `>=`: it is that or more.
pub fn value_of(threshold: &Threshold) -> String {
    match threshold.value {
        None => "-".to_string(),
        Some(value) if threshold.lower_bound => format!(">={}", of_unit(value, &threshold.unit)),
        Some(value) => of_unit(value, &threshold.unit),
    }
}

/// What ended the run, behind `ABORTED after 5.06 s`.
pub fn aborted(aborted: &Aborted) -> String {
    let Aborted { expr, value, unit, window_s, .. } = aborted;
    let per_second = if unit == "per_s" { "/s" } else { "" };
    format!("{expr} was {}{per_second} over {}", of_unit(*value, unit), seconds(*window_s))
}
