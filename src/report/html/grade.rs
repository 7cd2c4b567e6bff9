//! The grade with its measures and their limits, what can be said in plain words, and the advice.

use maud::{Markup, html};

use super::head::class;
use crate::report::document::{Limit, Mark, Rating};
use crate::report::{Document, grade};

pub fn rating(document: &Document) -> Markup {
    html! {
        @if document.rating.is_some() || !document.sentences.is_empty() {
            section {
                h2 { "Reading aid" }
                @if let Some(rating) = &document.rating { (graded(rating)) }
                @for sentence in &document.sentences { p { (sentence.text) } }
                @if let Some(rating) = &document.rating { (measures(rating)) }
            }
        }
    }
}

fn graded(rating: &Rating) -> Markup {
    let tone = class(grade::tone(rating.grade.as_deref()));
    html! {
        p { "Grade: " strong class=(tone) { (grade::name(rating)) } " by the set "
            code { (rating.set) }
            @if let Some(why) = &rating.why { ": " (why) }
            @else { ", the worst mark of its measures" }
        }
    }
}

fn measures(rating: &Rating) -> Markup {
    html! {
        @if !rating.measures.is_empty() || !rating.absent.is_empty() {
            div.scroll { table {
                thead { tr {
                    th { "measure" } th.n { "measured" } th { "mark" }
                    th.n { "excellent" } th.n { "good" } th.n { "acceptable" } th.n { "poor" }
                } }
                tbody {
                    @for (place, mark) in rating.measures.iter().enumerate() { (row(place, mark)) }
                    @for absent in &rating.absent { tr {
                        th { (grade::in_words(&absent.measure)) }
                        td.n { "-" }
                        td colspan="5" { "absent: " (absent.why) }
                    } }
                }
            } }
        }
    }
}

fn row(place: usize, mark: &Mark) -> Markup {
    let at = format!("/rating/measures/{place}/value");
    let limits = &mark.limits;
    let cell = |limit: &Option<Limit>, otherwise: &str| match limit {
        Some(limit) => grade::limit_of(limit, &mark.unit).replace(">=", "≥").replace("<=", "≤"),
        None => otherwise.to_string(),
    };
    html! { tr {
        th { (grade::label(mark)) }
        td.n { data value=(mark.value) data-at=(at) { (grade::value_of(mark).replace(">=", "≥")) } }
        td class=(class(grade::tone(Some(&mark.grade)))) { (mark.grade) }
        td.n { (cell(&limits.excellent, "-")) }
        td.n { (cell(&limits.good, "-")) }
        td.n { (cell(&limits.acceptable, "-")) }
        td.n { (cell(&limits.poor, "beyond")) }
    } }
}

pub fn advice(document: &Document) -> Markup {
    html! {
        @if !document.advice.is_empty() {
            section {
                h2 { "Advice" }
                div.scroll { table {
                    thead { tr { th { "what was seen" } th { "likely cause" } th { "what to do" } } }
                    tbody { @for advice in &document.advice { tr {
                        th { (advice.evidence) }
                        td { (advice.cause) }
                        td { (advice.remedy) }
                    } } }
                } }
            }
        }
    }
}
