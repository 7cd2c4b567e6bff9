//! The guide's four paths, as its reader types them: by curl, with a token.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Panel, Place};
use crate::support::{LIMIT, Server, counted, skipped};

/// Somebody at a shell.
struct Reader<'a> {
    panel: &'a Panel,
    token: &'a str,
}

impl Reader<'_> {
    /// The status and the body of what curl is told.
    fn curl(&self, words: &[&str], path: &str) -> (u16, String) {
        let mut command = Command::new("curl");
        command.args(["-q", "-sS", "--max-time", "20", "-w", "\n%{http_code}"]).args(words);
        command.arg(format!("http://{}{path}", self.panel.client.address));
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_string())
    }

    /// The same with the token, and an answer in JSON.
    fn curl_json(&self, words: &[&str], path: &str) -> (u16, Value) {
        let token = format!("Authorization: Bearer {}", self.token);
        let words: Vec<&str> = ["-H", &token].into_iter().chain(words.iter().copied()).collect();
        let (status, body) = self.curl(&words, path);
        (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
    }
}

fn has_curl() -> bool {
    let asked = Command::new("curl").arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

const GUIDE: &str = "/api/admin/stress-test";
const KIND: &str = "Content-Type: application/json";

#[test]
fn curl_starts_watches_lists_and_deletes_a_run_on_the_guides_paths() {
    if !has_curl() {
        return skipped("the guide's paths by curl", "curl is not installed");
    }
    let (place, server) = (Place::new(), Server::answering(counted(20)));
    let panel = place.panel(&server.url(), "");
    let reader = Reader { panel: &panel, token: &place.token };
    let start = format!("{GUIDE}/start");
    let job = r#"{"plan":"calm","worker_count":4,"rate":100,"duration":3,"label":"by curl"}"#;
    let with_job = ["-H", KIND, "-d", job];

    let (status, body) = reader.curl(&with_job, &start);
    assert_eq!(status, 401, "{body}");
    let (status, started) = reader.curl_json(&with_job, &start);
    assert_eq!(status, 202, "{started}");
    let one = format!("{GUIDE}/{}", started["id"]);
    let (status, second) = reader.curl_json(&with_job, &start);
    assert_eq!((status, &second["run"]), (409, &started["id"]), "{second}");
    let (status, kept) = reader.curl_json(&["-X", "DELETE"], &one);
    assert_eq!((status, &kept["code"]), (409, &json!("running")), "{kept}");

    let begun = Instant::now();
    let shown = loop {
        let (status, shown) = reader.curl_json(&[], &one);
        assert_eq!(status, 200, "{shown}");
        if shown["is_live"] == false {
            break shown;
        }
        assert!(begun.elapsed() < LIMIT, "it goes on: {shown}");
        thread::sleep(Duration::from_millis(100));
    };
    for (field, expected) in [
        ("status", json!("completed")),
        ("label", json!("by curl")),
        ("plan_name", json!("calm")),
        ("connections", json!(4)),
        ("scheduled", json!(300)),
        ("started_by", json!("token ci")),
    ] {
        assert_eq!(shown[field], expected, "{field}: {shown}");
    }
    assert_eq!(shown["events"][0]["what"], "started");

    let (status, listed) = reader.curl_json(&[], &format!("{GUIDE}/history/list"));
    assert_eq!((status, listed["runs"].as_array().unwrap().len()), (200, 1), "{listed}");
    assert_eq!((&listed["runs"][0]["id"], &listed["next"]), (&started["id"], &json!(null)));
    let (status, gone) = reader.curl_json(&["-X", "DELETE"], &one);
    assert_eq!((status, gone), (200, json!({"deleted": 1, "kept": 0})));
    assert_eq!(reader.curl_json(&[], &one).0, 404);
    // What stands in a browser's line of addresses changes nothing.
    assert_eq!(reader.curl_json(&[], &start).0, 405);
    assert_eq!(reader.curl(&[], "/admin/stress-test").0, 303, "the page is for who signed in");
}
