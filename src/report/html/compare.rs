//! The page of `blast compare`: what makes the runs hard to compare first, then what was asked of
//! them, then how each differs from the first.

use maud::{Markup, html};

use super::{changes, figure, frame};
use crate::report::chart::{self, Chart};
use crate::report::comparison::{Comparison, Metric, Rule, Run, Target, Value};
use crate::report::console::compare::{
    absolute, in_percent, in_words, interval, meaning, method, outcome, reading, shown,
    target_cells,
};
use crate::report::console::text::Tone;
use crate::report::number::{per_second, seconds};

/// The whole file.
pub fn page(document: &Comparison) -> String {
    let others = document.runs.iter().enumerate().skip(1);
    let body = html! {
        main {
            (head(document))
            (frame::caveats("Before you compare", &document.warnings))
            (rules(&document.rules))
            (targets(document))
            @for (at, run) in others { (against_first(document, at, run)) }
            (distributions(chart::of_runs(document).as_ref()))
            (values(document))
            (what_ran(&document.runs))
            section { p.aside { (method(document)) "." } }
            footer { "blast " (document.blast_version) " · " (document.schema) }
        }
    };
    frame::framed("compare", &document.blast_version, &body)
}

fn head(document: &Comparison) -> Markup {
    let findings: Vec<changes::Finding> =
        (1..document.runs.len()).map(|at| finding(document, at)).collect();
    let failed = document.rules.iter().filter(|rule| rule.failed);
    let failed: Vec<String> = failed.map(|rule| format!("{} in {}", rule.expr, rule.run)).collect();
    html! {
        header class=(changes::class(&findings, !failed.is_empty())) {
            p.over { "blast compare" }
            @if let [one] = &findings[..] { h1 { (one.in_words()) } } @else {
                h1 { (findings.len()) " runs against A" }
                ul { @for one in &findings { li { (one.in_words()) } } }
            }
            @if !failed.is_empty() { p.bad { strong { "FAILED: " (failed.join(", ")) } } }
        }
    }
}

/// In which figures a run is better and worse than the first.
fn finding(document: &Comparison, at: usize) -> changes::Finding {
    let mut finding = changes::Finding::of("A", &document.runs[at].label);
    for metric in &document.metrics {
        let difference = &metric.differences[at - 1];
        finding.add(in_words(&metric.name), meaning(metric, difference).1, difference.significant);
    }
    finding
}

fn rules(rules: &[Rule]) -> Markup {
    html! {
        @if !rules.is_empty() {
            section {
                h2 { "Rules" }
                div.scroll { table {
                    thead { tr { th { "fail if" } th { "run" } th { "outcome" } } }
                    tbody { @for rule in rules {
                        @let (tone, text) = outcome(rule);
                        tr { td { code { (rule.expr) } } td { (rule.run) } td class=(tone_class(tone)) { (text) } }
                    } }
                } }
            }
        }
    }
}

fn targets(document: &Comparison) -> Markup {
    let last = document.runs.last().map_or("", |run| run.label.as_str());
    let reached = |target: &Target| match target.reached {
        Some(true) => "good",
        Some(false) => "bad",
        None => "",
    };
    html! {
        @if !document.targets.is_empty() {
            section {
                h2 { "Targets" }
                div.scroll { table {
                    thead { tr {
                        th {} th.n { "before (A)" } th.n { "after (" (last) ")" } th.n { "target" }
                        th { "reached" }
                    } }
                    tbody { @for (place, target) in document.targets.iter().enumerate() {
                        @let at = |field: &str| format!("/targets/{place}/{field}");
                        @let [before, after, limit, answer] = target_cells(target);
                        tr {
                            th { (in_words(&target.metric)) }
                            td.n { (known(&at("before"), target.before, &before)) }
                            td.n { (known(&at("after"), target.after, &after.replace(">=", "≥ "))) }
                            td.n { (figure::exactly(&at("target"), target.target, &limit)) }
                            td class=(reached(target)) { (answer) }
                        }
                    } }
                } }
            }
        }
    }
}

fn known(at: &str, value: Option<f64>, shown: &str) -> Markup {
    match value {
        Some(value) => figure::exactly(at, value, shown),
        None => html! { (shown) },
    }
}

fn against_first(document: &Comparison, at: usize, run: &Run) -> Markup {
    let title = format!("{} against A", run.label);
    html! {
        section {
            h2 { (title) }
            div.charts {
                @for forest in changes::of_run(document, at, &title) { (changes::figure(&forest)) }
            }
            div.scroll { table.said {
                thead { tr {
                    th {} th.n { "change" } th.n { "percent" } th.n { "interval of 95 %" } th {}
                } }
                tbody { @for (place, metric) in document.metrics.iter().enumerate() {
                    @if metric.differences[at - 1].absolute.is_some() {
                        (difference(&format!("/metrics/{place}/differences/{}", at - 1), metric, at))
                    }
                } }
            } }
            @let unknown = not_known(&document.metrics, at);
            @if !unknown.is_empty() { p.aside { "Not known of both: " (unknown.join(", ")) "." } }
        }
    }
}

fn difference(place: &str, metric: &Metric, at: usize) -> Markup {
    let difference = &metric.differences[at - 1];
    let (words, tone) = meaning(metric, difference);
    let change = absolute(difference, &metric.unit).replace(">=", "≥ ");
    html! { tr {
        th { (in_words(&metric.name)) }
        td.n { (known(&format!("{place}/absolute"), difference.absolute, &change)) }
        td.n { (known(&format!("{place}/percent"), difference.percent, &in_percent(difference))) }
        td.n { (interval(difference, &metric.unit)) }
        td class=(tone_class(tone)) { (words) }
    } }
}

fn not_known(metrics: &[Metric], at: usize) -> Vec<&str> {
    let unknown = metrics.iter().filter(|metric| metric.differences[at - 1].absolute.is_none());
    unknown.map(|metric| in_words(&metric.name)).collect()
}

fn distributions(chart: Option<&Chart>) -> Markup {
    html! {
        @if let Some(chart) = chart {
            section { h2 { "Distributions" } (frame::charts(std::slice::from_ref(chart))) }
        }
    }
}

fn values(document: &Comparison) -> Markup {
    let runs = &document.runs;
    html! {
        section {
            h2 { "What was measured" }
            div.scroll { table {
                thead { tr { th {} @for run in runs { th.n { (run.label) } } } }
                tbody {
                    @for (place, metric) in document.metrics.iter().enumerate() { tr {
                        th { (in_words(&metric.name)) }
                        @for (run, value) in metric.values.iter().enumerate() {
                            td.n { (measured(&format!("/metrics/{place}/values/{run}"), value, &metric.unit)) }
                        }
                    } }
                    @if runs.iter().any(|run| run.grade.is_some()) { tr {
                        th { "grade" }
                        @for run in runs { td.n { (run.grade.as_deref().unwrap_or("-")) } }
                    } }
                    tr { th { "limit" } @for run in runs { td.n { (run.verdict) } } }
                }
            } }
            p.aside { "Under each figure: where the truth lies, by its own run." }
        }
    }
}

fn measured(at: &str, value: &Option<Value>, unit: &str) -> Markup {
    let text = reading(value, unit).replace(">=", "≥ ");
    let Some(value) = value else { return html! { (text) } };
    html! {
        (figure::exactly(&format!("{at}/value"), value.value, &text))
        @if let (Some(low), Some(high)) = (value.low, value.high) {
            br; span.aside {
                (figure::exactly(&format!("{at}/low"), low, &shown(low, unit))) " to "
                (figure::exactly(&format!("{at}/high"), high, &shown(high, unit)))
            }
        }
    }
}

fn what_ran(runs: &[Run]) -> Markup {
    let load = |run: &Run| {
        let rate = run.rps.map(|rps| format!(" at {}/s", per_second(rps))).unwrap_or_default();
        format!("{} loop{rate}, {} connections", run.mode, run.connections)
    };
    html! {
        section {
            h2 { "What ran" }
            dl.facts { @for run in runs {
                dt { strong { (run.label) } }
                dd {
                    code { (run.file) } br;
                    code { (run.method) " " (run.url) } br;
                    (load(run)) ", " (seconds(run.duration_s)) ", started " (run.started_at)
                }
            } }
        }
    }
}

fn tone_class(tone: Tone) -> &'static str {
    super::head::class(tone)
}
