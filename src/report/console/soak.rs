//! What a long run showed of drift: the verdict with its sentences, and a row a series.

use super::super::Document;
use super::super::document::Soak;
use super::super::drift::{self, amount};
use super::table::{Row, fits, write};
use super::text::{Sheet, Tone};

pub fn soak(sheet: &mut Sheet, document: &Document) {
    let Some(soak) = &document.soak else { return };
    let verdict = drift::verdict(soak);
    let text = match soak.sentences.is_empty() {
        true => verdict.to_string(),
        false => format!("{verdict}: {}", soak.sentences.join("; ")),
    };
    sheet.labelled("soak", tone(soak), &text);
}

/// The series, each with its pace.
pub fn trends(sheet: &mut Sheet, document: &Document) {
    let Some(soak) = document.soak.as_ref().filter(|soak| !soak.trends.is_empty()) else { return };
    sheet.gap();
    let mut columns: Vec<usize> = (0..HEAD.len()).collect();
    let mut lines = rows(soak, &columns);
    for spare in SPARE {
        if fits(sheet.width(), &lines, 1) {
            break;
        }
        columns.retain(|column| *column != spare);
        lines = rows(soak, &columns);
    }
    write(sheet, &lines, 1);
}

const HEAD: [&str; 6] = ["first", "last", "an hour", "from", "to", "state"];

/// What a narrow terminal goes without, the first to go first.
const SPARE: [usize; 3] = [4, 3, 0];

fn rows(soak: &Soak, columns: &[usize]) -> Vec<Row> {
    let pick = |cells: &[String; 6]| columns.iter().map(|at| cells[*at].clone()).collect();
    let head = Row { label: "trend".to_string(), cells: pick(&HEAD.map(str::to_string)) };
    let row = |trend: &crate::report::document::Trend| {
        let cell = |value: Option<f64>| match value {
            Some(value) => amount(trend, value).replace(' ', ""),
            None => "-".to_string(),
        };
        let (low, high) = (trend.slope_per_h_low, trend.slope_per_h_high);
        let figures = [trend.first, trend.last, trend.slope_per_h, low, high].map(cell);
        let [first, last, slope, low, high] = figures;
        let cells = [first, last, slope, low, high, drift::state(trend).to_string()];
        Row { label: trend.name.clone(), cells: pick(&cells) }
    };
    std::iter::once(head).chain(soak.trends.iter().map(row)).collect()
}

fn tone(soak: &Soak) -> Tone {
    match soak.verdict.as_str() {
        "stable" => Tone::Good,
        "too_short" => Tone::Doubtful,
        _ => Tone::Bad,
    }
}
