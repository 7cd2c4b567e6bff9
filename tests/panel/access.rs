//! Who may, and may not any more: whoever is put out is out at once, also of what they watch.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Client, Events};
use super::{Panel, Place};
use crate::support::{LIMIT, Server, counted};

const PASSWORD: &str = "a long walk in the park";

/// Streams ask every 5 s; the rest is what a busy machine may be late by. A minute would be told
/// from it.
const CUT_OFF: Duration = Duration::from_secs(20);

/// With a browser's session.
fn signed_in(panel: &Panel, name: &str) -> Client {
    let body = json!({"name": name, "password": PASSWORD});
    let answer = panel.client.nobody().post("/api/v1/login", &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let session = answer.field("set-cookie").split(';').next().unwrap().to_string();
    panel.client.nobody().saying(&format!("Cookie: {session}"))
}

fn watched(client: &Client, id: i64) -> Events {
    let mut events = client.events(id);
    events.until("phase");
    events
}

#[test]
fn who_is_put_out_is_refused_at_once_and_sees_no_more_of_a_run() {
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let panel = place.panel(&server.url(), "");
    place.user("bob", PASSWORD);
    let bob = signed_in(&panel, "bob");
    let robot = Client::new(panel.client.address, &place.token("robot", "viewer"));
    // A cookie that is nobody's makes no token void.
    let admin = panel.client.saying("Cookie: blast_session=void");

    let job = json!({"target": "app", "plan": "calm", "connections": 1, "rps": 20,
        "duration_s": 120});
    let begun = Instant::now();
    let id = panel.start(&job);
    let streams = [&bob, &robot].map(|client| watched(client, id));
    let mut lasting = watched(&admin, id);
    for client in [&bob, &robot, &admin] {
        assert_eq!(client.get("/api/v1/me").status, 200);
    }
    place.run("serve", "user remove bob");
    place.run("serve", "token revoke robot");
    for client in [&bob, &robot] {
        let refused = client.get(&format!("/api/v1/runs/{id}"));
        assert_eq!((refused.status, &refused.json()["code"]), (401, &json!("nobody")));
        assert_eq!(client.get(&format!("/api/v1/runs/{id}/events")).status, 401);
    }
    for stream in streams {
        let took = stream.until_cut_off();
        assert!(took < CUT_OFF, "it took {took:?}");
    }
    // Who may is told what comes after that.
    let now = begun.elapsed().as_secs_f64();
    while lasting.until("interval").last().unwrap()["t_s"].as_f64().unwrap() < now {}
    drop(lasting);
    streams_are_given_back(&admin);
}

/// What was cut off, or left, makes room for others.
fn streams_are_given_back(client: &Client) {
    let start = Instant::now();
    while !client.get("/metrics").text().contains("\nblast_panel_streams 0\n") {
        assert!(start.elapsed() < LIMIT, "{}", client.get("/metrics").text());
        thread::sleep(Duration::from_millis(50));
    }
}
