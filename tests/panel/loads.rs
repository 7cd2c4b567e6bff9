//! What can be started by the API: the presets, searches and ladders.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Panel, Place};
use crate::support::{Outsider, Server, counted};

/// How much of each preset is due, at its own pace and at the one of this test: requests, and
/// seconds that they take here.
const PRESETS: [(&str, u64, u64); 4] = [
    ("telemetry-1", 6_000, 1),
    ("telemetry-2", 60_000, 4),
    ("telemetry-3", 60_000, 4),
    ("telemetry-4", 300_000, 15),
];

/// Their rates are raised until all is due in a few seconds. A debug build may be late with some of
/// it, and says so: what was due is exact, and every request has a fate.
#[test]
fn the_four_telemetry_presets_schedule_at_speed_what_they_are_known_for() {
    let (place, target) = (Place::new(), Outsider::start("--app"));
    let panel = place.panel(target.url(), "--max-rps 100000");
    for (name, scheduled, seconds) in PRESETS {
        let job = json!({"target": "app", "plan": name, "connections": 50,
            "rps": scheduled / seconds, "duration_s": seconds});
        let id = panel.start(&job);
        let told = panel.client.events(id).until("end");
        let end = told.last().unwrap();
        assert_eq!(end["status"], "completed", "{name}: {end}");
        let document = place.document(id);
        assert_eq!(document.count("requests.scheduled"), scheduled, "{name}");
        assert_eq!(document.count("plan.connections"), 50, "{name}");
        let row = place.row(id);
        assert_eq!((row.figures.scheduled, &*row.begun.plan_name), (Some(scheduled), name));
        assert_eq!(names(&told), ["POST /update", "Aggregated"], "{name}");
        let table = panel.client.get(&format!("/api/v1/runs/{id}/report/csv-stats")).text();
        let completed = document.count("requests.completed");
        assert!(table.contains(&format!("/update,{completed},")), "{name}: {table}");
    }
}

/// Of the rows that were told last.
fn names(told: &[Value]) -> Vec<&str> {
    let last = told.iter().rfind(|line| line["type"] == "names").expect("rows by name");
    last["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

/// What it told until its end, and the forms that its report has then.
fn study(panel: &Panel, job: &Value) -> (i64, Vec<String>, BTreeSet<String>) {
    let id = panel.start(job);
    let mut events = panel.client.events(id);
    let first = events.until("log");
    assert_eq!(panel.run(id)["is_live"], true, "it is told while it goes on: {first:?}");
    let rest = events.until("end");
    assert_eq!(rest.last().unwrap()["status"], "completed", "{rest:?}");
    let lines = first.iter().chain(&rest).filter(|line| line["type"] == "log");
    let lines = lines.map(|line| line["text"].as_str().unwrap().to_string()).collect();
    let answer = panel.client.get(&format!("/api/v1/runs/{id}/report"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let forms = answer.json();
    let forms = forms.as_array().unwrap().iter();
    (id, lines, forms.map(|form| form["format"].as_str().unwrap().to_string()).collect())
}

/// Each form that is offered is there, and no other one is.
fn forms_are_there(panel: &Panel, id: i64, forms: &BTreeSet<String>) {
    assert!(forms.contains("json") && forms.contains("html"), "{forms:?}");
    assert!(!forms.iter().any(|form| form.starts_with("csv")), "{forms:?}");
    for form in forms {
        let answer = panel.client.get(&format!("/api/v1/runs/{id}/report/{form}"));
        assert!(answer.status == 200 && !answer.body.is_empty(), "{form}: {}", answer.text());
    }
    let none = panel.client.get(&format!("/api/v1/runs/{id}/report/csv-stats"));
    assert_eq!(none.status, 404, "{}", none.text());
    assert_eq!(panel.client.get(&format!("/api/v1/runs/{id}/charts")).status, 200);
}

#[test]
fn a_ladder_and_a_search_say_how_far_they_are_and_end_with_their_own_report() {
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let panel = place.panel(&server.url(), "--max-rps 300");
    let ladder = json!({"verb": "ladder", "target": "app", "plan": "calm", "connections": 2,
        "stages": "50,80", "duration_s": 0.5, "label": "steps"});
    let (id, lines, forms) = study(&panel, &ladder);
    assert!(lines.iter().any(|line| line.starts_with("step 2 of 2: 80 ")), "{lines:?}");
    forms_are_there(&panel, id, &forms);
    let row = panel.run(id);
    assert_eq!((&row["kind"], &row["label"]), (&json!("ladder"), &json!("steps")));
    assert_eq!(server.requests(), 25 + 40);

    let search = json!({"verb": "ceiling", "target": "app", "plan": "calm", "connections": 2,
        "duration_s": 10});
    let (id, lines, forms) = study(&panel, &search);
    let is_bracket = |line: &String| line.contains("/s holds; the ceiling is between ");
    assert!(lines.iter().any(is_bracket), "{lines:?}");
    forms_are_there(&panel, id, &forms);
    let report = panel.client.get(&format!("/api/v1/runs/{id}/report/json")).json();
    let highest = report["ceiling"]["rate_per_s"].as_f64().unwrap();
    assert!(highest > 0.0 && highest <= 300.0, "{highest}: the panel allows no more");
    let row = panel.run(id);
    assert_eq!((&row["kind"], &row["rate_per_s"]), (&json!("ceiling"), &json!(null)));
}

#[test]
fn what_is_stopped_at_once_says_who_stopped_it_whatever_it_is() {
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let panel = place.panel(&server.url(), "");
    for (verb, rps, stages) in [
        ("run", json!(50), json!(null)),
        ("soak", json!(50), json!(null)),
        ("ceiling", json!(null), json!(null)),
        ("ladder", json!(null), json!("50,80")),
    ] {
        let id = panel.start(&json!({"verb": verb, "target": "app", "plan": "calm",
            "connections": 2, "rps": rps, "stages": stages, "duration_s": 30}));
        let stop = panel.client.ask("POST", &format!("/api/v1/runs/{id}/stop"), None);
        assert_eq!(stop.status, 202, "{verb}: {}", stop.text());
        let told = panel.client.events(id).until("end");
        let (status, reason) = (&told.last().unwrap()["status"], &told.last().unwrap()["reason"]);
        assert_eq!((status, reason), (&json!("stopped"), &json!("by token ci")), "{verb}");
        let document = place.history().document(id).unwrap().expect("it is kept");
        let document: Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document["complete"], false, "{verb}");
    }
}
