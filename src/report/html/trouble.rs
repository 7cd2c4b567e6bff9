//! What went wrong and what to do: warnings, errors with examples, the audit.

use maud::{Markup, html};

use super::figure;
use crate::report::Document;
use crate::report::console::{errors as groups, examples};
use crate::report::document::{Example, Named, Seen};
use crate::report::number::count;

pub fn warnings(document: &Document) -> Markup {
    html! {
        @if !document.warnings.is_empty() {
            section {
                h2 { "Warnings" }
                @for warning in &document.warnings {
                    div.warning {
                        p { strong { (warning.text) } }
                        p { (warning.hint) }
                    }
                }
            }
        }
    }
}

pub fn errors(document: &Document) -> Markup {
    let (text, any) = groups::total(document);
    html! {
        section {
            h2 { "Errors" }
            @if any { p { (text) "." } } @else { p.good { "✓ None." } }
            @if any {
                div.scroll { table {
                    thead { tr { th { "what" } th.n { "requests" } th { "of these, and what to do" } } }
                    tbody { @for group in groups::groups(document) { tr {
                        th { (group.name) }
                        td.n { (count(group.count)) }
                        td { @for detail in &group.details { (detail) br; } }
                    } } }
                } }
            }
            (by_name(document))
            @if !document.failure_examples.is_empty() {
                details open[document.failure_examples.len() <= 6] {
                    summary { "The first failures of each kind ("
                        (document.failure_examples.len()) ")" }
                    @for one in &document.failure_examples { (example(one)) }
                }
            }
        }
    }
}

/// Whose the errors were, and when they were first and last seen.
fn by_name(document: &Document) -> Markup {
    let Some(by_name) = &document.by_name else { return html! {} };
    let names = by_name.names.iter().enumerate();
    let mut all: Vec<(String, &Named, &Seen)> = names
        .flat_map(|(name, row)| {
            row.failures
                .iter()
                .enumerate()
                .map(move |(place, seen)| (format!("/names/{name}/failures/{place}"), row, seen))
        })
        .collect();
    all.sort_by_key(|(_, _, seen)| std::cmp::Reverse(seen.count));
    html! {
        @if !all.is_empty() {
            h3 { "By name" }
            div.scroll { table {
                thead { tr { th { "request" } th { "error" } th.n { "count" } th.n { "first" } th.n { "last" } } }
                tbody { @for (at, row, seen) in &all { tr {
                    th { (row.name) }
                    td { code { (seen.kind) } }
                    td.n { (figure::count(&format!("{at}/count"), seen.count)) }
                    td.n { (figure::seconds(&format!("{at}/first_s"), seen.first_s)) }
                    td.n { (figure::seconds(&format!("{at}/last_s"), seen.last_s)) }
                } } }
            } }
        }
    }
}

fn example(example: &Example) -> Markup {
    html! {
        div.example {
            p { strong { (examples::what(example)) } br; (examples::whence(example)) }
            @if let (Some(flaw), Some(text)) = (&example.flaw, &example.flaw_text) {
                p { (flaw) ": " (text) }
            }
            @if let Some(received) = &example.received { pre { code { (received) } } }
        }
    }
}

pub fn audit(document: &Document) -> Markup {
    let audit = &document.audit;
    let failed: Vec<_> = audit.checks.iter().enumerate().filter(|(_, check)| !check.ok).collect();
    html! {
        section {
            h2 { "Audit" }
            @if audit.ok {
                p { span.good { "✓" } " Each figure was counted in two ways, and "
                    (audit.checks.len()) " comparisons agree." }
            } @else {
                p.bad { "✗ " (failed.len()) " of " (audit.checks.len())
                    " comparisons do not agree; please report it as a bug of blast." }
                ul { @for (place, check) in failed {
                    @let at = |side: &str| format!("/audit/checks/{place}/{side}");
                    li { (check.name) ": " (figure::count(&at("left"), check.left)) " is not "
                        (figure::count(&at("right"), check.right)) }
                } }
            }
        }
    }
}
