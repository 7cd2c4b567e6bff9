//! The panel as those who ask it see it, without a socket: each request goes through all that stands
//! around the routes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use tower_service::Service;

use super::desk::Prepared;
use super::input::Peer;
use super::job::Job;
use super::reading::{Finding, Saved};
use super::runs::{Events, Later};
use super::supervisor::{Edit, Event};
use super::who::{Person, Role, Store, now, secret};
use super::*;
use crate::history::{Begun, Ended, Figures, Holder, Status};
use crate::report::{fixture, json as write};

/// Runs that are only said to go on.
#[derive(Default)]
struct Said {
    current: AtomicI64,
}

impl Said {
    fn of(&self, id: i64) -> std::result::Result<(), Refusal> {
        match self.current() == Some(id) {
            true => Ok(()),
            false => Err(Refusal::not_going_on(id)),
        }
    }
}

impl Runs for Said {
    fn preview<'a>(&'a self, job: &'a Job) -> Later<'a, std::result::Result<Prepared, Refusal>> {
        let sentence = format!("{} workers", job.connections.unwrap_or(10));
        Box::pin(async { Ok(Prepared { sentence, ..Prepared::default() }) })
    }

    fn start<'a>(&'a self, job: Job, _: &'a str) -> Later<'a, std::result::Result<i64, Refusal>> {
        Box::pin(async move {
            if job.connections.is_some_and(|count| count > 100) {
                return Err(Refusal::over_limit("connections", "200", "100", "ask for fewer"));
            }
            // Others come in between.
            tokio::task::yield_now().await;
            let taken = self.current.compare_exchange(0, 2, SeqCst, SeqCst);
            taken.map(|_| 2).map_err(Refusal::busy)
        })
    }

    fn stop<'a>(&'a self, id: i64, _: &'a str) -> Later<'a, std::result::Result<(), Refusal>> {
        Box::pin(async move { self.of(id) })
    }

    fn edit<'a>(
        &'a self,
        id: i64,
        _: Edit,
        _: &'a str,
    ) -> Later<'a, std::result::Result<(), Refusal>> {
        Box::pin(async move { self.of(id) })
    }

    fn current(&self) -> Option<i64> {
        Some(self.current.load(SeqCst)).filter(|id| *id != 0)
    }

    fn watch(&self, _: i64, after: Option<u64>) -> std::result::Result<Events, Refusal> {
        let first = after.map_or(0, |after| after + 1);
        let event = |number| {
            let kind = if number == 3 { "end" } else { "interval" };
            Event { number, line: format!(r#"{{"type":"{kind}","t_s":{number}}}"#).into() }
        };
        let told: Vec<Event> = (first..4).map(event).collect();
        Ok(Box::pin(tokio_stream::iter(told)))
    }

    fn charts<'a>(&'a self, _: i64) -> Later<'a, Option<String>> {
        Box::pin(async { None })
    }

    fn close<'a>(&'a self) -> Later<'a, ()> {
        Box::pin(async { self.current.store(0, SeqCst) })
    }
}

/// Says what it was asked for.
struct Same;

impl Reading for Same {
    fn compare(&self, saved: &[Saved], _: bool) -> Result<Vec<u8>> {
        Ok(format!("{{\"runs\":{}}}", saved.len()).into_bytes())
    }

    fn trend(&self, id: i64, _: bool) -> Result<Vec<u8>> {
        Ok(format!("{{\"run\":{id}}}").into_bytes())
    }

    fn doctor(&self, _: &Job, _: &Prepared) -> Result<Vec<Finding>> {
        Ok(Vec::new())
    }
}

const PASSWORD: &str = "correct horse";
const HOST: &str = "127.0.0.1:8089";
const OWN: &str = "http://127.0.0.1:8089";

/// A panel with one saved run, an admin, a viewer and a token of each; it goes with its test.
struct Place {
    folder: PathBuf,
    panel: Arc<Panel>,
    router: Router,
    tokens: [String; 2],
}

impl Place {
    fn new(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("blast-api-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut history = History::open(&folder.join("history.db")).unwrap();
        save(&mut history, "first");
        save(&mut history, "second");
        let mut store = Store::open(&folder.join("serve.db")).unwrap();
        let hash = who::password::hash(PASSWORD).unwrap();
        let tokens = [Role::Viewer, Role::Admin].map(|role| {
            let person = Person { name: role.name().to_string(), role };
            assert!(store.add_user(&person, &hash, now()).unwrap());
            let token = secret::new("blast_").unwrap();
            assert!(store.add_token(&person, &secret::digest(&token), now()).unwrap());
            token
        });
        let doors = Doors { address: Some([127, 0, 0, 1].into()), ..Doors::default() };
        let limits = Limits { workers: 100, rps: 10_000.0, duration_s: 600.0 };
        let target = |name: &str| Target {
            name: name.to_string(),
            url: "http://127.0.0.1:1/".to_string(),
            protected: false,
        };
        let offer = Offer { limits, targets: vec![target("here")], plans: None };
        let runs = Arc::new(Said::default());
        let panel = Panel::new(runs, Arc::new(Same), history, Who::new(store), doors, offer);
        let panel = Arc::new(panel);
        let router = routes::router(Arc::clone(&panel));
        Place { folder, panel, router, tokens }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().call(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = to_bytes(answer.into_body(), 1 << 24).await.unwrap();
        Answer { status, headers, body: body.to_vec() }
    }

    async fn ask(&self, asked: &Asked<'_>, who: Who_) -> Answer {
        self.send(asked.request(who, self)).await
    }

    /// A browser's session of the one of this name.
    async fn session(&self, name: &str) -> String {
        let body = json!({"name": name, "password": PASSWORD});
        let asked = Asked { body: Some(body), ..Asked::new("POST", "/api/v1/login") };
        let answer = self.ask(&asked, Who_::Nobody).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn save(history: &mut History, label: &str) -> i64 {
    let begun = Begun {
        label: label.to_string(),
        kind: "run".to_string(),
        started_at: "2026-11-21T10:00:00.000Z".to_string(),
        plan_hash: "abc".to_string(),
        ..Begun::default()
    };
    let id = history.begin(&begun, &Holder::this()).unwrap();
    let ended = Ended {
        status: Status::Completed,
        reason: None,
        ended_at: "2026-11-21T10:01:00.000Z".to_string(),
        exit_code: 0,
        figures: Figures::default(),
        document: write::bytes(&fixture::held().document()).unwrap(),
    };
    history.end(id, &ended).unwrap();
    id
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }
}

/// Who asks, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who_ {
    Nobody,
    WrongToken,
    Viewer,
    Admin,
    ForeignOrigin,
    ForeignHost,
}

struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    body: Option<Value>,
}

impl<'a> Asked<'a> {
    fn new(method: &'a str, path: &'a str) -> Asked<'a> {
        Asked { method, path, body: None }
    }

    fn request(&self, who: Who_, place: &Place) -> Request<Body> {
        let host = if who == Who_::ForeignHost { "evil.example" } else { HOST };
        let mut request = Request::builder().method(self.method).uri(self.path);
        request = request.header(header::HOST, host);
        let token = match who {
            Who_::Nobody => None,
            Who_::WrongToken => Some("blast_wrong"),
            Who_::Viewer => Some(&*place.tokens[0]),
            _ => Some(&*place.tokens[1]),
        };
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if who == Who_::ForeignOrigin {
            request = request.header(header::ORIGIN, "https://evil.example");
        }
        if self.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let text = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut request = request.body(Body::from(text)).unwrap();
        request.extensions_mut().insert(Peer([127, 0, 0, 1].into()));
        request
    }
}

/// Each route, with something to ask it, and what nobody, a viewer and an admin are told.
const ROUTES: [(&str, &str, &str, [u16; 3]); 39] = [
    ("POST", "/api/v1/runs/preview", r#"{"target":"here"}"#, [401, 200, 200]),
    ("GET", "/api/v1/runs?limit=1", "", [401, 200, 200]),
    ("GET", "/api/v1/runs/1", "", [401, 200, 200]),
    ("GET", "/api/v1/runs/1/events", "", [401, 200, 200]),
    ("GET", "/api/v1/runs/1/charts", "", [401, 200, 200]),
    ("GET", "/api/v1/runs/1/report", "", [401, 200, 200]),
    ("GET", "/api/v1/runs/1/report/json", "", [401, 200, 200]),
    ("GET", "/api/v1/compare?ids=1,2", "", [401, 200, 200]),
    ("GET", "/api/v1/compare/page?ids=1,2", "", [401, 200, 200]),
    ("GET", "/api/v1/trend?run=1", "", [401, 200, 200]),
    ("GET", "/api/v1/trend/page?run=1", "", [401, 200, 200]),
    ("GET", "/api/v1/limits", "", [401, 200, 200]),
    ("GET", "/api/v1/targets", "", [401, 200, 200]),
    ("GET", "/api/v1/plans", "", [401, 200, 200]),
    ("GET", "/api/v1/presets", "", [401, 200, 200]),
    ("GET", "/api/v1/me", "", [401, 200, 200]),
    ("GET", "/api/v1/audit", "", [401, 200, 200]),
    ("POST", "/api/v1/login", "{}", [422, 422, 422]),
    ("POST", "/api/v1/logout", "", [401, 204, 204]),
    ("GET", "/api/v1/openapi.json", "", [200, 200, 200]),
    ("GET", "/healthz", "", [200, 200, 200]),
    ("GET", "/metrics", "", [401, 200, 200]),
    ("GET", "/api/admin/stress-test/1", "", [401, 200, 200]),
    ("GET", "/api/admin/stress-test/history/list", "", [401, 200, 200]),
    ("GET", "/", "", [303, 200, 200]),
    ("GET", "/admin/stress-test", "", [303, 200, 200]),
    ("GET", "/runs/1", "", [303, 200, 200]),
    ("GET", "/compare", "", [303, 200, 200]),
    ("GET", "/trend", "", [303, 200, 200]),
    ("GET", "/login", "", [200, 200, 200]),
    ("GET", "/assets/panel.css", "", [200, 200, 200]),
    // What changes things; in this order each finds what it needs.
    ("PATCH", "/api/v1/runs/1", r#"{"label":"a"}"#, [401, 403, 200]),
    ("POST", "/api/v1/runs", r#"{"target":"here"}"#, [401, 403, 202]),
    ("POST", "/api/admin/stress-test/start", r#"{"worker_count":5}"#, [401, 403, 409]),
    ("POST", "/api/v1/runs/{id}/stop", "", [401, 403, 202]),
    ("POST", "/api/v1/runs/delete", r#"{"older_than_days":99999}"#, [401, 403, 200]),
    ("DELETE", "/api/v1/runs/1", "", [401, 403, 200]),
    ("DELETE", "/api/admin/stress-test/2", "", [401, 403, 409]),
    ("GET", "/api/v1/runs/99", "", [401, 404, 404]),
];

#[tokio::test]
async fn each_route_answers_those_whom_it_is_for_and_nobody_else() {
    let place = Place::new("matrix");
    for (method, path, body, [nobody, viewer, admin]) in ROUTES {
        let path = path.replace("{id}", "2");
        let body = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
        let asked = Asked { body, ..Asked::new(method, &path) };
        // The wrong ones first: whatever they are told, they have changed nothing.
        let wrong = if nobody == 401 || nobody == 303 { nobody } else { viewer };
        for (who, expected) in [
            (Who_::ForeignOrigin, 403),
            (Who_::ForeignHost, 403),
            (Who_::Nobody, nobody),
            (Who_::WrongToken, wrong),
            (Who_::Viewer, viewer),
            (Who_::Admin, admin),
        ] {
            let answer = place.ask(&asked, who).await;
            assert_eq!(answer.status, expected, "{method} {path} {who:?}: {}", answer.text());
            for name in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
                assert!(answer.headers.contains_key(name), "{method} {path}: {name}");
            }
            if answer.status >= 400 {
                let fault = answer.json();
                assert!(fault["code"].is_string() && fault["message"].is_string(), "{fault}");
                assert!(fault.get("field").is_some() && fault.get("hint").is_some(), "{fault}");
            }
        }
    }
}

#[tokio::test]
async fn the_document_has_each_route_and_no_other() {
    let place = Place::new("document");
    let answer = place.ask(&Asked::new("GET", "/api/v1/openapi.json"), Who_::Nobody).await;
    let document = answer.json();
    let described: std::collections::BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    // What the matrix asks, with the names of what stands in the paths.
    let fill = |path: &str| {
        let path = path.split('?').next().unwrap();
        let parts = path.split('/').map(|part| match part {
            "1" | "2" | "99" => "{id}",
            "json" => "{format}",
            "panel.css" => "{name}",
            part => part,
        });
        parts.collect::<Vec<_>>().join("/")
    };
    let asked = ROUTES.iter().map(|(method, path, ..)| (method.to_string(), fill(path))).collect();
    assert_eq!(described, asked);
    // There is no other way to declare one.
    let source = include_str!("routes/mod.rs");
    assert!(!source.contains(".route(") && !source.contains("_service("), "a route without words");
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|item| item.as_object().unwrap().values());
    let ids: Vec<&Value> = operations.map(|operation| &operation["operationId"]).collect();
    let distinct: std::collections::BTreeSet<String> =
        ids.iter().map(|id| id.to_string()).collect();
    assert_eq!(distinct.len(), ids.len(), "two operations have one name");
    let job = &document["components"]["schemas"]["Job"]["properties"];
    assert!(job["thresholds"].is_object() && job["confirm"].is_object(), "{job}");
}

#[tokio::test]
async fn of_fifty_starts_at_once_one_is_taken_and_the_others_hear_by_which_run() {
    let place = Arc::new(Place::new("fifty"));
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let place = Arc::clone(&place);
        starts.spawn(async move {
            let body = Some(json!({"target": "here"}));
            place.ask(&Asked { body, ..Asked::new("POST", "/api/v1/runs") }, Who_::Admin).await
        });
    }
    let answers = starts.join_all().await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 202);
    assert_eq!((taken.len(), refused.len()), (1, 49));
    assert_eq!(taken[0].json(), json!({"id": 2, "url": "/runs/2"}));
    assert_eq!(taken[0].headers[header::LOCATION], "/runs/2");
    for answer in refused {
        assert_eq!((answer.status, &answer.json()["run"]), (409, &json!(2)));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_json_with_the_field() {
    let place = Place::new("wrong");
    let sent = async |method: &str, path: &str, kind: &str, body: String| {
        let mut request = Asked::new(method, path).request(Who_::Admin, &place);
        if !kind.is_empty() {
            request.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
        }
        *request.body_mut() = Body::from(body);
        place.send(request).await
    };
    let (json, runs) = ("application/json", "/api/v1/runs");
    let long = format!("{{\"target\":\"{}\"}}", "a".repeat(guard::LONGEST_BODY));
    for (method, path, kind, body, status, code, field) in [
        ("GET", "/nowhere", "", "", 404, "missing", json!(null)),
        ("PUT", runs, "", "", 405, "method", json!(null)),
        ("DELETE", "/healthz", "", "", 405, "method", json!(null)),
        ("POST", runs, "text/plain", "{}", 415, "not_json", json!(null)),
        ("POST", runs, "", "{}", 415, "not_json", json!(null)),
        ("POST", runs, json, "{\"target\":", 400, "broken", json!(null)),
        ("POST", runs, json, "{\"rps\":\"x\"}", 422, "usage", json!("rps")),
        ("POST", runs, json, "{\"file\":\"x\"}", 422, "usage", json!("file")),
        ("POST", runs, json, "{\"connections\":200}", 422, "over_limit", json!("connections")),
        ("POST", runs, json, &long, 413, "too_long", json!(null)),
        ("GET", "/api/v1/runs?limit=x", "", "", 422, "usage", json!("limit")),
        ("GET", "/api/v1/runs?limit=0", "", "", 422, "usage", json!("limit")),
        ("GET", "/api/v1/runs?status=odd", "", "", 422, "usage", json!("status")),
        ("GET", "/api/v1/runs?lim=1", "", "", 422, "usage", json!("lim")),
        ("GET", "/api/v1/runs/x", "", "", 404, "missing", json!(null)),
        ("GET", "/api/v1/runs/1/report/exe", "", "", 404, "missing", json!(null)),
        ("GET", "/api/v1/compare?ids=1", "", "", 422, "usage", json!("ids")),
        ("GET", "/api/v1/compare?ids=1,99", "", "", 404, "missing", json!(null)),
        ("PATCH", "/api/v1/runs/1", json, "{}", 422, "usage", json!(null)),
        ("PATCH", "/api/v1/runs/1", json, "{\"users\":5}", 409, "over", json!(null)),
        ("PATCH", "/api/v1/runs/1", json, "{\"users\":0}", 422, "usage", json!("users")),
        ("PATCH", "/api/v1/runs/1", json, "{\"rate_per_s\":-1}", 422, "usage", json!("rate_per_s")),
        ("POST", "/api/v1/runs/delete", json, "{}", 422, "usage", json!("ids")),
        (
            "POST",
            "/api/admin/stress-test/start",
            json,
            "{\"rate\":[]}",
            422,
            "usage",
            json!("rate"),
        ),
    ] {
        let answer = sent(method, path, kind, body.to_string()).await;
        let fault = answer.json();
        let found = (answer.status, &fault["code"], &fault["field"]);
        assert_eq!(found, (status, &json!(code), &field), "{method} {path}: {fault}");
        assert!(!fault["message"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_session_changes_things_from_the_panels_own_pages_only_and_ends() {
    let place = Place::new("session");
    let cookie = place.session("admin").await;
    let sent = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let body = (method == "PATCH").then(|| json!({"note": "n"}));
        let asked = Asked { body, ..Asked::new(method, path) };
        let mut request = asked.request(Who_::Nobody, &place);
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        for (name, value) in headers {
            let name: axum::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        place.send(request).await
    };
    let run = "/api/v1/runs/1";
    for (headers, expected) in [
        (&[][..], 403),
        (&[("origin", "http://127.0.0.1:3000")][..], 403),
        (&[("origin", "null")][..], 403),
        (&[("sec-fetch-site", "cross-site")][..], 403),
        (&[("sec-fetch-site", "same-site")][..], 403),
        (&[("sec-fetch-site", "none")][..], 403),
        (&[("origin", OWN)][..], 200),
        (&[("sec-fetch-site", "same-origin")][..], 200),
    ] {
        let answer = sent("PATCH", run, headers).await;
        assert_eq!(answer.status, expected, "{headers:?}: {}", answer.text());
    }
    let me = sent("GET", "/api/v1/me", &[]).await.json();
    assert_eq!(
        (&me["name"], &me["role"], &me["is_admin"]),
        (&json!("admin"), &json!("admin"), &json!(true))
    );
    // A link from elsewhere may lead here.
    assert_eq!(sent("GET", "/", &[("sec-fetch-site", "cross-site")]).await.status, 200);
    // A token that is wrong is not made good by a cookie.
    let wrong = [("authorization", "Bearer blast_wrong")];
    assert_eq!(sent("GET", "/api/v1/me", &wrong).await.status, 401);
    let out = sent("POST", "/api/v1/logout", &[("origin", OWN)]).await;
    assert_eq!(out.status, 204);
    assert!(out.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(sent("GET", "/api/v1/me", &[]).await.status, 401);
}

#[tokio::test]
async fn who_guesses_is_told_to_come_later() {
    let place = Place::new("later");
    let mut last = None;
    for _ in 0..7 {
        let body = Some(json!({"name": "admin", "password": "wrong horse"}));
        let asked = Asked { body, ..Asked::new("POST", "/api/v1/login") };
        let answer = place.ask(&asked, Who_::Nobody).await;
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
        last = Some(answer);
    }
    let answer = last.unwrap();
    assert_eq!((answer.status, &answer.json()["code"]), (429, &json!("too_many")));
    let seconds: u64 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let metrics = place.ask(&Asked::new("GET", "/metrics"), Who_::Viewer).await.text();
    for line in
        ["blast_panel_logins_refused_total 7", "blast_panel_runs{status=\"completed\"} 2", "# EOF"]
    {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn a_stream_goes_on_where_it_was_lost_and_there_is_room_for_64() {
    let place = Place::new("stream");
    let path = "/api/v1/runs/1/events";
    let whole = place.ask(&Asked::new("GET", path), Who_::Viewer).await.text();
    assert_eq!(whole.matches("event: interval").count(), 3, "{whole}");
    assert!(whole.contains("id: 3\nevent: end\ndata: {\"type\":\"end\",\"t_s\":3}\n\n"), "{whole}");
    let mut request = Asked::new("GET", path).request(Who_::Viewer, &place);
    request.headers_mut().insert("last-event-id", "1".parse().unwrap());
    let rest = place.send(request).await.text();
    assert!(!rest.contains("id: 1\n") && rest.contains("id: 2\n"), "{rest}");
    let taken = Arc::clone(&place.panel.streams).acquire_many_owned(MOST_STREAMS as u32);
    let taken = taken.await.unwrap();
    let full = place.ask(&Asked::new("GET", path), Who_::Viewer).await;
    assert_eq!((full.status, &full.json()["code"]), (503, &json!("too_many_streams")));
    assert!(full.headers.contains_key(header::RETRY_AFTER));
    drop(taken);
    assert_eq!(place.ask(&Asked::new("GET", path), Who_::Viewer).await.status, 200);
}

#[tokio::test]
async fn what_was_done_is_kept_with_who_did_it_also_of_what_is_deleted() {
    let place = Place::new("audit");
    let body = Some(json!({"label": "renamed", "baseline": true}));
    let change = Asked { body, ..Asked::new("PATCH", "/api/v1/runs/1") };
    let changed = place.ask(&change, Who_::Admin).await.json();
    assert_eq!((&changed["label"], &changed["is_baseline"]), (&json!("renamed"), &json!(true)));
    let events = changed["events"].as_array().unwrap();
    assert!(events.iter().all(|event| event["who"] == "token admin"), "{events:?}");
    let gone = place.ask(&Asked::new("DELETE", "/api/v1/runs/1"), Who_::Admin).await;
    assert_eq!(gone.json(), json!({"deleted": 1, "kept": 0}));
    assert_eq!(place.ask(&Asked::new("GET", "/api/v1/runs/1"), Who_::Viewer).await.status, 404);
    let audit = place.ask(&Asked::new("GET", "/api/v1/audit"), Who_::Viewer).await.json();
    let newest = &audit["events"][0];
    let found = (&newest["run"], &newest["label"], &newest["what"]);
    assert_eq!(found, (&json!(1), &json!("renamed"), &json!("deleted")));
}

#[tokio::test]
async fn pages_are_gone_through_one_after_the_other() {
    let place = Place::new("pages");
    let first = place.ask(&Asked::new("GET", "/api/v1/runs?limit=1"), Who_::Viewer).await.json();
    assert_eq!((&first["runs"][0]["id"], &first["next"]), (&json!(2), &json!(2)));
    let path = "/api/v1/runs?limit=1&before=2";
    let second = place.ask(&Asked::new("GET", path), Who_::Viewer).await.json();
    assert_eq!((&second["runs"][0]["id"], &second["next"]), (&json!(1), &json!(null)));
}

#[tokio::test]
async fn the_streams_end_when_the_panel_closes_and_tell_what_was_told_before() {
    let place = Place::new("closes");
    let asked = Asked::new("GET", "/api/v1/runs/1/events");
    let mut request = asked.request(Who_::Viewer, &place);
    request.headers_mut().insert("last-event-id", "9".parse().unwrap());
    place.panel.close().await;
    for _ in 0..20 {
        let whole = place.ask(&asked, Who_::Viewer).await.text();
        assert!(whole.contains("event: end"), "{whole}");
    }
    let answer = place.router.clone().call(request).await.unwrap();
    let mut body = answer.into_body().into_data_stream();
    assert!(body.next().await.is_none());
}
