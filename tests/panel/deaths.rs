//! What becomes of a run whose panel ends, however it does: no load goes on that nobody watches, and
//! what was measured is kept.

use std::time::Duration;

use blast::history::Status;
use serde_json::{Value, json};

use super::{Panel, Place};
use crate::support::{Server, counted, of_verb};

/// No child outlives its panel by more.
const AFTERLIFE: Duration = Duration::from_secs(15);

fn job(rps: u32) -> Value {
    json!({"target": "app", "plan": "calm", "connections": 2, "rps": rps, "duration_s": 60})
}

/// One that has told a second of itself.
fn begun(panel: &Panel, rps: u32) -> i64 {
    let id = panel.start(&job(rps));
    panel.client.events(id).until("interval");
    id
}

/// Its row, and the books of its document.
fn is_stopped_and_kept(place: &Place, id: i64, reason: &str) {
    let row = place.row(id);
    assert_eq!((row.status, row.reason.as_deref()), (Status::Stopped, Some(reason)), "{row:?}");
    assert!(row.ended_at.is_some() && row.figures.scheduled.is_some(), "{row:?}");
    let document = place.document(id);
    assert!(!document.is_complete());
    assert!(document.count("requests.scheduled") > 0);
}

const PANEL_GONE: &str = "the panel ended before the run did";

#[test]
fn a_run_whose_panel_is_killed_drains_is_stored_and_ends() {
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let mut panel = place.panel(&server.url(), "");
    let id = begun(&panel, 200);
    let run = panel.run_process();
    panel.kill();
    let took = run.ends_within(AFTERLIFE);
    assert!(took.is_some(), "an orphan goes on");
    is_stopped_and_kept(&place, id, PANEL_GONE);
    let document = place.document(id);
    document.agrees_with(server.requests());
    let [sent, good] = document.fates(["sent", "good"]);
    assert_eq!(sent, good, "what was under way was waited for");
    // Who comes next sees it, and finds the host free.
    let next = place.panel(&server.url(), "");
    assert_eq!(next.client.events(id).until("end").last().unwrap()["reason"], PANEL_GONE);
    let job = json!({"target": "app", "plan": "calm", "rps": 50, "duration_s": 0.2});
    let second = next.start(&job);
    assert_eq!(next.client.events(second).until("end").last().unwrap()["status"], "completed");
}

#[test]
fn a_run_of_a_target_that_hangs_ends_soon_after_its_panel_all_the_same() {
    let place = Place::new();
    let server = Server::start(|peer| while peer.request().is_some() {});
    let mut panel = place.panel(&server.url(), "");
    let id = begun(&panel, 20);
    let run = panel.run_process();
    panel.kill();
    // Meanwhile the host is taken, and a new panel knows by whom.
    let next = place.panel(&server.url(), "");
    let refused = next.client.post("/api/v1/runs", &job(20));
    assert_eq!((refused.status, &refused.json()["run"]), (409, &json!(id)), "{}", refused.text());
    assert_eq!(next.run(id)["is_live"], true);
    let mut events = next.client.events(id);
    assert!(run.ends_within(AFTERLIFE).is_some(), "an orphan goes on");
    assert_eq!(events.until("end").last().unwrap()["status"], "stopped");
    is_stopped_and_kept(&place, id, PANEL_GONE);
    let [good, abandoned, dropped] = place.document(id).fates(["good", "abandoned", "dropped"]);
    assert!(good == 0 && abandoned > 0 && dropped > 0, "{good} {abandoned} {dropped}");
}

#[test]
fn a_run_that_stands_still_when_its_panel_is_killed_goes_on_and_ends() {
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let mut panel = place.panel(&server.url(), "");
    let id = begun(&panel, 50);
    let run = panel.run_process();
    run.freeze();
    panel.kill();
    assert!(run.ends_within(AFTERLIFE).is_some(), "an orphan stands still for good");
    is_stopped_and_kept(&place, id, PANEL_GONE);
}

#[test]
fn a_ladder_whose_panel_is_killed_is_stored_as_far_as_it_came() {
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let mut panel = place.panel(&server.url(), "");
    let job = json!({"verb": "ladder", "target": "app", "connections": 2, "stages": "50,60,70",
        "duration_s": 1});
    let id = panel.start(&job);
    let mut events = panel.client.events(id);
    while !events.until("log").last().unwrap()["text"].as_str().unwrap().contains(" 50 ") {}
    let run = panel.run_process();
    panel.kill();
    assert!(run.ends_within(AFTERLIFE).is_some(), "an orphan goes on");
    let row = place.row(id);
    assert_eq!((row.status, row.reason.as_deref()), (Status::Stopped, Some(PANEL_GONE)));
    let document = place.history().document(id).unwrap().expect("it is kept");
    let document = of_verb("ladder", std::str::from_utf8(&document).unwrap());
    assert_eq!(document["complete"], false);
}

#[test]
fn of_a_run_that_is_killed_with_its_panel_the_seconds_stay() {
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let mut panel = place.panel(&server.url(), "");
    let id = begun(&panel, 50);
    let run = panel.run_process();
    run.signal(libc::SIGKILL);
    panel.kill();
    assert!(run.ends_within(AFTERLIFE).is_some());
    let gone = "blast ended before the run did";
    let list: Value = serde_json::from_str(&place.run("history", "--json").stdout).unwrap();
    let row = &list["runs"][0];
    assert_eq!((&row["status"], &row["reason"]), (&json!("failed"), &json!(gone)), "{row}");
    let page = place.run("history", &format!("show {id}")).stdout;
    assert!(page.contains("What arrived of it, until "), "{page}");

    let next = place.panel(&server.url(), "");
    let shown = next.run(id);
    assert_eq!((&shown["reason"], &shown["is_live"]), (&json!(gone), &json!(false)), "{shown}");
    let told = next.client.events(id).until("end");
    let (end, seconds) = told.split_last().unwrap();
    assert_eq!((&end["status"], &end["reason"]), (&json!("failed"), &json!(gone)));
    assert!(!seconds.is_empty() && seconds.iter().all(|line| line["type"] == "interval"));
    let report = next.client.get(&format!("/api/v1/runs/{id}/report"));
    assert_eq!((report.status, &report.json()["run"]), (404, &json!(id)));
}

#[test]
fn a_panel_that_is_asked_to_end_ends_its_run_first_and_stores_it() {
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let mut panel = place.panel(&server.url(), "");
    let id = begun(&panel, 50);
    let run = panel.run_process();
    let mut events = panel.client.events(id);
    let status = panel.terminate();
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(run.ends_within(Duration::ZERO).is_some(), "the run is over before its panel is");
    is_stopped_and_kept(&place, id, "by the panel, as it ended");
    // Whoever watches hears of the end.
    assert_eq!(events.until("end").last().unwrap()["status"], "stopped");
}
