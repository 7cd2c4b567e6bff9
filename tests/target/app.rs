//! The demonstration application: what the ready plans load.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blast::target::{Options, Target};
use serde_json::{Value, json};

use super::{Client, options};

fn start(words: &str) -> Target {
    Target::start(Options { app: true, ..options(words) }).unwrap()
}

impl Client {
    /// Sends a request with a body and these lines of fields; the status, and the body as JSON.
    fn ask(&mut self, line: &str, fields: &str, body: impl AsRef<[u8]>) -> (u16, Value) {
        let answer = self.post(line, fields, body);
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    fn post(&mut self, line: &str, fields: &str, body: impl AsRef<[u8]>) -> super::Answer {
        let body = body.as_ref();
        let head = format!("{line} HTTP/1.1\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
        self.send([head.as_bytes(), body].concat()).answer(true)
    }
}

#[test]
fn the_registry_lists_and_takes() {
    let target = start("");
    let mut client = Client::to(&target);
    assert_eq!(client.ask("GET /", "", "").1["ok"], true);
    let (status, list) = client.ask("GET /hospital", "", "");
    assert_eq!((status, list.as_array().unwrap().len()), (200, 5));
    assert_eq!(list[0]["id"], 1);
    for (line, body, status, answer) in [
        ("POST /patient", r#"{"name": "Ada", "age": 36}"#, 201, json!({"id": 1})),
        ("POST /hospital", r#"{"id": "x-7"}"#, 201, json!({"id": "x-7"})),
        ("POST /hospital", "{}", 201, json!({"id": 2})),
    ] {
        assert_eq!(client.ask(line, "", body), (status, answer), "{line} {body}");
    }
    for body in ["", "[1]", "{", "name=Ada"] {
        let (status, answer) = client.ask("POST /patient", "", body);
        assert!(status == 400 && answer["error"].is_string(), "{body}: {status} {answer}");
    }
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(client.ask("POST /patient", form, "id=a%20b").1, json!({"id": "a b"}));
}

#[test]
fn telemetry_wants_a_key_and_eight_readings() {
    let target = start("");
    let mut client = Client::to(&target);
    let readings = (1..=8).map(|number| (format!("field{number}"), json!(number)));
    let all = Value::Object(readings.collect()).to_string();
    let seven = all.replace("field8", "other");
    let key = "X-API-Key: demo\r\n";
    for (fields, body, status) in [
        (key, all.as_str(), 200),
        ("x-api-key:k\r\n", &all, 200),
        ("", &all, 401),
        ("X-API-Key: \r\n", &all, 401),
        (key, &seven, 400),
        (key, "{}", 400),
        (key, "", 400),
        ("", "", 401),
    ] {
        let (found, answer) = client.ask("POST /update", fields, body);
        assert_eq!((found, answer["ok"] == true), (status, status == 200), "{fields}{body}");
    }
}

#[test]
fn the_tutor_hears_uploads_and_knows_its_users() {
    let target = start("");
    let mut client = Client::to(&target);
    let fields = "Content-Type: multipart/form-data; boundary=XX\r\n";
    let user = "--XX\r\nContent-Disposition: form-data; name=\"user_id\"\r\n\r\n17\r\n";
    let file = |bytes: &[u8]| {
        let head = "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"v.wav\"\r\n\
            Content-Type: audio/wav\r\n\r\n";
        [head.as_bytes(), bytes, b"\r\n"].concat()
    };
    for size in [0, 1, 1_000, 3_000_000] {
        let voice = file(&vec![b'\n'; size]);
        let body = [user.as_bytes(), &voice, b"--XX--\r\n"].concat();
        let (status, heard) = client.ask("POST /voice", fields, &body);
        assert_eq!((status, &heard["user_id"], &heard["bytes"]), (200, &json!(17), &json!(size)));
        assert!(!heard["text"].as_str().unwrap().is_empty());
    }
    for (fields, body) in [
        (fields, [&file(b"x")[..], b"--XX--\r\n"].concat()),
        (fields, [user.as_bytes(), b"--XX--\r\n"].concat()),
        (fields, [user.as_bytes(), &file(b"x")].concat()),
        ("", [user.as_bytes(), &file(b"x"), b"--XX--\r\n"].concat()),
        (fields, Vec::new()),
    ] {
        assert_eq!(client.ask("POST /voice", fields, &body).0, 400, "{}", body.escape_ascii());
    }
    for (page, key) in
        [("stats", "messages"), ("profile", "level"), ("words", "words"), ("calendar", "days")]
    {
        let line = format!("GET /{page}?x=y&user_id=17");
        let (status, first) = client.ask(&line, "", "");
        assert_eq!((status, &first["user_id"]), (200, &json!(17)), "{page}");
        assert!(!first[key].is_null(), "{page}: {first}");
        assert_eq!(client.ask(&line, "", "").1, first, "the same each time");
        let named = client.ask(&format!("GET /{page}?user_id=a%20b"), "", "").1;
        assert_eq!(named["user_id"], "a b");
        assert_eq!(client.ask(&format!("GET /{page}"), "", "").0, 400);
        assert_eq!(client.ask(&format!("GET /{page}?user_id="), "", "").0, 400);
    }
}

#[test]
fn the_gateway_lets_in_who_has_logged_in() {
    let target = start("");
    let mut client = Client::to(&target);
    assert_eq!(client.ask("GET /api/items", "", "").0, 401);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let mut tokens = Vec::new();
    for (fields, body) in [
        ("Content-Type: application/json\r\n", r#"{"user": "user-1", "password": "p"}"#),
        (form, "user=user-2&password=a%26b"),
    ] {
        let answer = client.post("POST /login", fields, body);
        assert_eq!(answer.status, 200);
        let said: Value = serde_json::from_slice(&answer.body).unwrap();
        let token = said["token"].as_str().unwrap().to_owned();
        assert!(answer.head.contains(&format!("\r\nSet-Cookie: session={token}; Path=/")));
        tokens.push((token, format!("user-{}", tokens.len() + 1)));
    }
    assert_ne!(tokens[0], tokens[1]);
    // On other connections too, and on each thread of the target.
    let mut other = Client::to(&target);
    for (token, user) in &tokens {
        let bearer = format!("Authorization: Bearer {token}\r\n");
        let (status, items) = other.ask("GET /api/items?page=1", &bearer, "");
        assert_eq!((status, &items["user"]), (200, &json!(user)));
        assert_eq!(items["items"].as_array().unwrap().len(), 5);
        assert_eq!(other.ask("POST /api/items", &bearer, r#"{"name": "x"}"#).0, 201);
        assert_eq!(other.ask("POST /api/items", &bearer, "x").0, 400);
        let cookie = format!("Cookie: a=b; session={token}\r\n");
        assert_eq!(other.ask("GET /api/items", &cookie, "").0, 401, "a cookie is no token");
        for fields in [&bearer, &cookie] {
            let answer = other.post("POST /logout", fields, "");
            assert!(answer.status == 200 && answer.head.contains("session=; Path=/; Max-Age=0"));
        }
    }
    let spoilt = format!("Authorization: Bearer {}0\r\n", tokens[0].0);
    let basic = format!("Authorization: Basic {}\r\n", tokens[0].0);
    for fields in ["", &spoilt, &basic, "Authorization: Bearer\r\n", "Cookie: session=x.y\r\n"] {
        assert_eq!(client.ask("GET /api/items", fields, "").0, 401, "{fields}");
        assert_eq!(client.ask("POST /api/items", fields, "{}").0, 401, "{fields}");
        assert_eq!(client.ask("POST /logout", fields, "").0, 401, "{fields}");
    }
    for (body, status) in [
        (r#"{"user": "u", "password": "wrong"}"#, 401),
        (r#"{"user": "u"}"#, 400),
        (r#"{"password": "p"}"#, 400),
        (r#"{"user": "", "password": "p"}"#, 400),
        (r#"{"user": 1, "password": "p"}"#, 400),
        ("user=u&password=p", 400),
        ("", 400),
    ] {
        assert_eq!(client.ask("POST /login", "", body).0, status, "{body}");
    }
}

#[test]
fn other_paths_and_methods_are_told_apart() {
    let target = start("");
    let mut client = Client::to(&target);
    let plain = client.get("/elsewhere");
    assert!(plain.status == 200 && plain.body.starts_with(b"blast target is here"));
    assert_eq!(client.get("/files/size=7").body.len(), 7);
    for (line, allowed) in [
        ("GET /patient", "POST"),
        ("GET /login", "POST"),
        ("DELETE /api/items", "GET, HEAD, POST"),
        ("POST /stats?user_id=1", "GET, HEAD"),
    ] {
        let answer = client.post(line, "", "");
        assert_eq!(answer.status, 405, "{line}");
        assert!(answer.head.contains(&format!("\r\nAllow: {allowed}\r\n")), "{}", answer.head);
    }
    let get = client.get("/hospital").head;
    client.send("HEAD /hospital HTTP/1.1\r\n\r\n");
    assert_eq!(client.answer(false).head, get);
    client.send("GET /hospital HTTP/1.0\r\n\r\n");
    assert!(client.answer(true).head.contains("\r\nConnection: close\r\n"));
    client.ends();
}

#[test]
fn a_body_comes_in_chunks_or_in_splinters() {
    let target = start("");
    let mut client = Client::to(&target);
    let chunked = "POST /hospital HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
        4\r\n{\"id\r\n5;x\r\n\": 42\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n";
    for byte in chunked.bytes() {
        client.send([byte]);
    }
    assert_eq!(client.answer(true).body, br#"{"id":42}"#);
    client.send("POST /hospital HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    assert_eq!(client.answer(false).status, 100);
    assert_eq!(client.send(r#"{"id":43}"#).answer(true).body, br#"{"id":43}"#);
    client.send(chunked.repeat(3));
    (0..3).for_each(|_| assert_eq!(client.answer(true).body, br#"{"id":42}"#));
}

#[test]
fn a_body_beyond_its_limit_is_refused_and_the_connection_lives() {
    let target = start("");
    let mut client = Client::to(&target);
    let large = vec![b' '; (4 << 20) + 1];
    assert_eq!(client.ask("POST /patient", "", &large).0, 413);
    client.send("POST /patient HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in large.chunks(1 << 20) {
        client.send(format!("{:x}\r\n", chunk.len())).send(chunk).send("\r\n");
    }
    assert_eq!(client.send("0\r\n\r\n").answer(true).status, 413);
    assert_eq!(client.ask("POST /patient", "", "{}").0, 201);
}

#[test]
fn its_answers_are_delayed_and_closed_and_spoilt_as_others_are() {
    let target = start("delay=100ms close_after=2");
    let mut client = Client::to(&target);
    let start = Instant::now();
    assert_eq!(client.ask("POST /patient", "", "{}").0, 201);
    assert_eq!(client.ask("GET /hospital", "", "").0, 200);
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
    client.ends();

    let target = self::start("status=200:3,503:1");
    let mut client = Client::to(&target);
    let statuses: Vec<u16> =
        (0..40).map(|_| client.post("POST /patient", "", "{}").status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 30);
}

#[test]
fn a_line_for_each_request_stands_in_the_log() {
    let path = std::env::temp_dir().join(format!("blast-requests-{}", std::process::id()));
    let file = Arc::new(File::create(&path).unwrap());
    let options = Options { app: true, log_requests: Some(file), threads: 2, ..options("") };
    let target = Target::start(options).unwrap();
    let (mut first, mut second) = (Client::to(&target), Client::to(&target));
    first.ask("POST /patient", "", r#"{"id": 1}"#);
    second.get("/plain?size=3&x=y");
    first.ask("GET /api/items?page=2", "", "");
    (0..2_000).for_each(|_| drop(second.get("/stats?user_id=5")));
    first.send("POST /plain HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    first.answer(true);
    target.stop();
    let mut log = String::new();
    File::open(&path).unwrap().read_to_string(&mut log).unwrap();
    std::fs::remove_file(&path).unwrap();
    let lines: Vec<Vec<&str>> = log.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), 2_004);
    let connection = |target: &str| {
        let line = lines.iter().find(|line| line[3] == target);
        line.unwrap_or_else(|| panic!("no {target}"))[1]
    };
    let (one, two) = (connection("/patient"), connection("/plain?size=3&x=y"));
    assert_ne!(one, two);
    let of = |number: &str| -> Vec<&[&str]> {
        lines.iter().filter(|line| line[1] == number).map(|line| &line[2..]).collect()
    };
    assert_eq!(
        of(one),
        [
            ["POST", "/patient", "201", "9"],
            ["GET", "/api/items?page=2", "401", "0"],
            ["POST", "/plain", "200", "3"],
        ]
    );
    assert_eq!(
        of(two)[..2],
        [["GET", "/plain?size=3&x=y", "200", "0"], ["GET", "/stats?user_id=5", "200", "0"]]
    );
    let times: Vec<u64> =
        lines.iter().filter(|line| line[1] == two).map(|line| line[0].parse().unwrap()).collect();
    assert!(times.is_sorted() && times[0] > 0);
}

#[test]
fn a_log_that_cannot_be_written_is_told_when_the_target_has_stopped() {
    let file = Arc::new(File::create("/dev/full").unwrap());
    let mut target = Target::start(Options { log_requests: Some(file), ..options("") }).unwrap();
    let mut client = Client::to(&target);
    (0..5_000).for_each(|_| assert_eq!(client.get("/").status, 200, "it serves on"));
    assert_eq!(target.fault(), None);
    target.halt();
    let message = target.fault().expect("no fault").message;
    assert!(
        message.contains("cannot be written") && message.contains("--log-requests"),
        "{message}"
    );
}
