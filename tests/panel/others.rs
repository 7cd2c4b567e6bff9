//! Runs of command lines beside the panel, and old ones.

use std::thread;
use std::time::{Duration, Instant};

use blast::history::{Begun, Ended, Figures, Holder, Status};
use serde_json::{Value, json};

use super::{Panel, Place};
use crate::support::{Blast, LIMIT, Server, counted};

/// The number of the run that goes on.
fn going_on(panel: &Panel) -> i64 {
    let start = Instant::now();
    loop {
        let listed = panel.client.get("/api/v1/runs?status=running").json();
        if let Some(run) = listed["runs"].get(0) {
            return run["id"].as_i64().unwrap();
        }
        assert!(start.elapsed() < LIMIT, "no run goes on");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_saved_run_of_a_command_line_is_seen_while_it_goes_on_and_keeps_others_away() {
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let panel = place.panel(&server.url(), "");
    let words = "-R 100 -c 2 -d 60s --quiet --save typed";
    let typed = place.of(Blast::calm("epoll", &server.url())).args(words).start();
    let id = going_on(&panel);
    let shown = panel.run(id);
    assert_eq!((&shown["label"], &shown["is_live"]), (&json!("typed"), &json!(true)), "{shown}");
    let mut events = panel.client.events(id);
    let seconds: Vec<Value> = events.by_ref().take(2).collect();
    assert!(seconds.iter().all(|line| line["type"] == "interval"), "{seconds:?}");
    assert!(seconds[0]["t_s"].as_f64() < seconds[1]["t_s"].as_f64(), "{seconds:?}");
    let charts = panel.client.get(&format!("/api/v1/runs/{id}/charts"));
    assert_eq!(charts.status, 200);
    assert!(charts.text().matches("<svg").count() >= 3, "{}", charts.text());
    assert_eq!(panel.client.get(&format!("/api/v1/runs/{id}/report/html")).status, 404);

    let job = json!({"target": "app", "plan": "calm", "rps": 50, "duration_s": 0.2});
    let refused = panel.client.post("/api/v1/runs", &job);
    assert_eq!((refused.status, &refused.json()["run"]), (409, &json!(id)), "{}", refused.text());
    // It is its terminal's to end.
    let stop = panel.client.ask("POST", &format!("/api/v1/runs/{id}/stop"), None);
    assert_eq!(stop.status, 409, "{}", stop.text());
    assert!(stop.json()["hint"].is_string(), "{}", stop.text());

    typed.signal(libc::SIGINT);
    assert_eq!(typed.end().code(), Some(130));
    let told = events.until("end");
    let end = told.last().unwrap();
    assert_eq!((&end["status"], &end["reason"]), (&json!("stopped"), &json!("stopped by ada")));
    let next = panel.start(&job);
    panel.client.events(next).until("end");
}

/// A run that was started at this time, as `started_at` has it.
fn old(place: &Place, started_at: &str) -> i64 {
    let begun = Begun {
        kind: "run".to_string(),
        started_at: started_at.to_string(),
        plan_hash: started_at.to_string(),
        ..Begun::default()
    };
    let ended = Ended {
        status: Status::Completed,
        reason: None,
        ended_at: started_at.to_string(),
        exit_code: 0,
        figures: Figures::default(),
        document: Vec::new(),
    };
    let mut history = place.history();
    let id = history.begin(&begun, &Holder::this()).unwrap();
    history.end(id, &ended).unwrap();
    id
}

#[test]
fn an_age_before_all_runs_deletes_none_and_one_that_is_no_age_is_refused() {
    let place = Place::new();
    let panel = place.panel("http://127.0.0.1:9/", "");
    let (first, second) = (old(&place, "1970-01-02T00:00:00.000Z"), old(&place, LAST_YEAR));
    let delete = |days: Value| {
        let body = json!({"older_than_days": days});
        panel.client.post("/api/v1/runs/delete", &body)
    };
    for days in [json!(99_999), json!(213_504), json!(1e18), json!(1e308), json!(u64::MAX)] {
        let answer = delete(days.clone());
        let found = (answer.status, answer.json());
        assert_eq!(found, (200, json!({"deleted": 0, "kept": 0})), "{days}");
    }
    for days in [json!(-1), json!(-1e308), json!(-1e-9), json!("1"), json!(null), json!([1])] {
        let answer = delete(days.clone());
        assert_eq!(answer.status, 422, "{days}: {}", answer.text());
    }
    let prune = |age: &str| {
        let flag = format!("--older-than={age}");
        place.of(Blast::verb("history")).args("prune").arg(&flag).run()
    };
    for age in ["99999d", "198841d", "28405w", "4772000h"] {
        let run = prune(age);
        assert_eq!((run.code(), &*run.stdout), (Some(0), "0 runs deleted\n"), "{run:?}");
    }
    for age in ["198842d", "99999999999d", "18446744073709551615w", "1e9d", "-1d", "584y"] {
        let run = prune(age);
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains(age), "{run:?}");
    }
    assert_eq!(delete(json!(10_000)).json(), json!({"deleted": 1, "kept": 0}));
    assert_eq!(panel.client.get(&format!("/api/v1/runs/{first}")).status, 404);
    assert_eq!(panel.run(second)["id"], second);
    assert_eq!(delete(json!(-0.0)).json(), json!({"deleted": 1, "kept": 0}));
}

/// Any time that was, and is not as long ago as 10,000 days.
const LAST_YEAR: &str = "2025-06-01T00:00:00.000Z";
