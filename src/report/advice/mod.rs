//! Advice: from a sign of trouble to its likely cause, and to what can be done.
//!
//! One table (`table`), the most certain sign first. A sign counts only with its evidence: the
//! text of a warning, or figures of the document. What blast or this host was the limit of says
//! nothing of how fast the server is; then only what the server itself said counts (its statuses,
//! its refusals).

mod evidence;
mod table;

use super::Document;
use super::document::Advice;
use table::{Remark, TABLE};

/// More would not be read.
pub const MOST: usize = 5;

pub fn of(document: &Document) -> Vec<Advice> {
    if !document.audit.ok {
        return Vec::new();
    }
    let is_measured =
        !matches!(document.verdict.limit.as_str(), "client_cpu" | "ports" | "descriptors");
    let counts = |remark: &&Remark| is_measured || !remark.is_of_speed;
    let mut advice: Vec<Advice> = Vec::new();
    for remark in TABLE.iter().filter(counts) {
        let is_told = |sign: &&str| advice.iter().any(|told| told.sign == **sign);
        if advice.len() == MOST || remark.unless.iter().any(is_told) {
            continue;
        }
        advice.extend((remark.evidence)(document).map(|evidence| Advice {
            sign: remark.sign.to_string(),
            evidence,
            cause: remark.cause.to_string(),
            remedy: remark.remedy.to_string(),
        }));
    }
    advice
}

#[cfg(test)]
mod tests;
