//! The whole document of a run: the figures, and what can be said of them.

use super::{Document, advice, sentences};
use crate::metrics::Summary;
use crate::plan::Plan;

pub fn document_of(plan: &Plan, summary: &Summary) -> Document {
    let mut document = Document::new(plan, summary);
    document.advice = advice::of(&document);
    // They mention the advice.
    document.sentences = sentences::of(&document);
    document
}
