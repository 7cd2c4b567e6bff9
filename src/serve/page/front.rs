//! The first page: a new test, and what was before.

use maud::{Markup, html};

use super::{Frame, run};

pub fn front(frame: &Frame) -> String {
    let body = html! {
        div #running hidden {}
        @if frame.is_admin { (new_test()) }
        (history(frame.is_admin))
        (of_run(frame.is_admin))
        @if frame.is_admin {
            (run::about())
            (old())
        }
    };
    frame.around("front", "Tests", &body)
}

fn new_test() -> Markup {
    html! {
        section #new aria-labelledby="new-title" {
            h1 #new-title { "New test" }
            form #job novalidate {
                div.job {
                    div {
                        (what())
                        (how_much())
                        (more())
                        (kept())
                    }
                    (before())
                }
            }
        }
    }
}

fn what() -> Markup {
    html! {
        fieldset {
            legend { "What" }
            p.field {
                label for="job-preset" { "Start from" }
                select #job-preset { option value="" { "your own figures" } }
            }
            p.field data-field="target" {
                label for="job-target" { "Target" }
                select #job-target name="target" required { option value="" { "loading ..." } }
            }
            p.field data-field="target" #job-url-field hidden {
                label for="job-url" { "URL" }
                input #job-url inputmode="url" autocapitalize="none" spellcheck="false"
                    placeholder="http://127.0.0.1:8080/" aria-describedby="job-url-says";
                span.hint #job-url-says { "Only this host, and hosts that the admin allowed." }
            }
            p.field data-field="confirm" #job-confirm-field hidden {
                label for="job-confirm" { "This target is protected: type its name" }
                input #job-confirm name="confirm" autocomplete="off" autocapitalize="none" spellcheck="false";
            }
            p.field data-field="plan" {
                label for="job-plan" { "Plan" }
                select #job-plan name="plan" { option value="" { "none: GET the target" } }
                span.hint #job-plan-says {}
            }
            div #job-variables.pair {}
        }
    }
}

fn how_much() -> Markup {
    html! {
        fieldset {
            legend { "How much" }
            div.three {
                p.field data-field="connections" {
                    label for="job-connections" { "Workers" }
                    input #job-connections name="connections" type="number" min="1" step="1" value="10" inputmode="numeric";
                }
                p.field data-field="rps" {
                    label for="job-rps" { "Requests per second" }
                    input #job-rps name="rps" type="number" min="0" step="any" value="100" inputmode="decimal";
                }
                p.field data-field="duration_s" {
                    label for="job-duration" { "Duration in s" }
                    input #job-duration name="duration_s" type="number" min="1" step="any" value="60" inputmode="decimal";
                }
            }
            p.hint #job-limits {}
        }
    }
}

fn more() -> Markup {
    html! {
        details #job-more {
            summary { "Shape, rules and plan text" }
            div.pair {
                p.field data-field="verb" {
                    label for="job-verb" { "What to find out" }
                    select #job-verb name="verb" {
                        option value="run" { "How it bears this load" }
                        option value="ceiling" { "The highest load that it bears" }
                        option value="ladder" { "How it bears more and more" }
                        option value="soak" { "What drifts over a long time" }
                    }
                }
                p.field data-field="arrivals" {
                    label for="job-arrivals" { "Arrivals" }
                    select #job-arrivals name="arrivals" {
                        option value="" { "evenly spaced" }
                        option value="poisson" { "by chance (Poisson)" }
                        option value="burst:10" { "bursts of 10" }
                        option value="burst:100" { "bursts of 100" }
                    }
                }
                p.field data-field="stages" {
                    label for="job-stages" { "Stages" }
                    input #job-stages name="stages" autocomplete="off" spellcheck="false"
                        placeholder="30s:100,30s:500" aria-describedby="job-stages-says";
                    span.hint #job-stages-says { "Each: in how long, to which rate. They replace rate and duration." }
                }
                p.field data-field="rating" {
                    label for="job-rating" { "Grades" }
                    select #job-rating name="rating" {
                        option value="" { "none" }
                        option value="api" { "api" }
                        option value="web" { "web" }
                        option value="stress" { "stress" }
                    }
                }
            }
            p.field data-field="thresholds" {
                label for="job-thresholds" { "Thresholds, one a line" }
                textarea #job-thresholds name="thresholds" rows="3" spellcheck="false"
                    placeholder="p95<200ms\nerrors<1%" {}
            }
            p.field data-field="plan_text" {
                label for="job-plan-text" { "A plan of your own, as TOML" }
                textarea #job-plan-text name="plan_text" rows="6" spellcheck="false"
                    aria-describedby="job-plan-text-says" {}
                span.hint #job-plan-text-says { "Instead of a plan of the list. It can name no file, command or socket of this host." }
            }
        }
    }
}

fn kept() -> Markup {
    html! {
        fieldset {
            legend { "Kept with the run" }
            div.pair {
                p.field data-field="label" {
                    label for="job-label" { "Label" }
                    input #job-label name="label" maxlength="200";
                }
                p.field data-field="note" {
                    label for="job-note" { "Note" }
                    input #job-note name="note" maxlength="4000";
                }
            }
        }
    }
}

/// What will be done, before it is.
fn before() -> Markup {
    html! {
        aside.before aria-labelledby="before-title" {
            h2 #before-title { "Before it starts" }
            p #before-sentence.sentence role="status" aria-live="polite" {}
            p #before-caps.warning hidden {}
            p.refused #job-refused role="alert" hidden {}
            div #before-command hidden {
                p.name { "The same in a terminal" }
                pre { code #before-words {} }
                button #before-copy.plain type="button" { "Copy the command" }
            }
            div #before-doctor hidden {
                p.name { "This host" }
                ul.doctor #before-rows {}
            }
            button #start.main type="submit" { "Start stress test" }
        }
    }
}

fn history(is_admin: bool) -> Markup {
    html! {
        section #history aria-labelledby="history-title" {
            h2 #history-title { "History" }
            form #filter.filter aria-label="Filter the history" {
                p.field { label for="filter-target" { "Target" } input #filter-target name="target" type="search"; }
                p.field { label for="filter-plan" { "Plan" } input #filter-plan name="plan" type="search"; }
                p.field { label for="filter-label" { "Label" } input #filter-label name="label" type="search"; }
                p.field { label for="filter-status" { "Status" } select #filter-status name="status" {
                    option value="" { "any" }
                    @for status in ["completed", "running", "pending", "stopped", "failed"] { option { (status) } }
                } }
                p.field { label for="filter-grade" { "Grade" } select #filter-grade name="grade" {
                    option value="" { "any" }
                    @for grade in ["excellent", "good", "acceptable", "poor"] { option { (grade) } }
                } }
            }
            div.actions {
                button #compare type="button" disabled { "Compare" }
                @if is_admin {
                    button #delete-chosen.danger type="button" disabled { "Delete" }
                    button #delete-old.plain type="button" { "Delete older than ..." }
                }
                span.aside #chosen aria-live="polite" { "Choose two to five to compare." }
            }
            p.refused #history-refused role="alert" hidden {}
            div.scroll tabindex="0" role="region" aria-labelledby="history-title" {
                table #runs {
                    thead { tr {
                        th scope="col" { span.unseen { "Choose, and what to do" } }
                        @for (name, is_number) in COLUMNS {
                            th scope="col" class=[is_number.then_some("n")] { (name) }
                        }
                    } }
                    tbody {}
                }
            }
            nav.pager aria-label="Pages of the history" {
                button #newer type="button" disabled { "Newer" }
                button #older type="button" disabled { "Older" }
            }
        }
    }
}

/// Of a run in the list, and whether it is a number.
const COLUMNS: [(&str, bool); 17] = [
    ("Run", false),
    ("Status", false),
    ("When", false),
    ("By", false),
    ("Workers", true),
    ("Rate", true),
    ("Duration", true),
    ("Total", true),
    ("Success", true),
    ("Failed", true),
    ("Actual rate", true),
    ("Efficiency", true),
    ("Average", true),
    ("95%ile", true),
    ("Grade", false),
    ("Verdict", false),
    ("Plan", false),
];

/// What can be done with a run of the list.
fn of_run(is_admin: bool) -> Markup {
    html! {
        dialog #of-run aria-labelledby="of-run-title" {
            h2 #of-run-title {}
            p.aside #of-run-says {}
            div.choices {
                a.button #of-run-open { "Open" }
                a.button #of-run-trend { "Trend" }
                @if is_admin {
                    button type="button" data-do="again" { "Run again" }
                    button type="button" data-do="about" { "Label and note" }
                    button type="button" data-do="baseline" { "Make baseline" }
                    button.danger type="button" data-do="delete" { "Delete" }
                }
                button type="button" data-close { "Close" }
            }
        }
    }
}

/// Many at once: how old.
fn old() -> Markup {
    html! {
        dialog #old aria-labelledby="old-title" {
            form method="dialog" {
                h2 #old-title { "Delete old runs" }
                p.field {
                    label for="old-days" { "Older than, in days" }
                    input #old-days name="days" type="number" min="1" step="1" value="90" required;
                }
                p.aside { "They are gone for good. Baselines too, where they are as old." }
                p.refused role="alert" hidden {}
                p.actions {
                    button.danger type="submit" value="yes" { "Delete them" }
                    button type="button" data-close { "Cancel" }
                }
            }
        }
    }
}
