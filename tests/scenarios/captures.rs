//! Captures and cookies: what an answer gave is in the requests behind it, of each user its own.

use serde_json::json;

use super::{Call, Document, Script, Witness, by_connection};
use crate::support::{answer, chunked, each_engine, ok};

/// A login that gives a value in each of the ways, and a step that sends all of them back.
const LOGIN: &str = r#"
[[requests]]
name = "login"
method = "POST"
path = "/login"
form = { user = "{{user.id}}" }
capture = { token = { json = "/deep/token" }, next = { header = "X-Next" }, sid = { cookie = "sid" }, id = { regex = "id=(\\d+);" }, all = { regex = "id=\\d+" } }
[[requests]]
name = "work"
method = "POST"
path = "/{{capture.next}}/{{user.id}}"
query = { sid = "{{capture.sid}}" }
headers = { Authorization = "Bearer {{capture.token}}" }
json = { id = "{{capture.id}}", all = "{{capture.all}}" }
"#;

/// Knows the user by the form, and gives values that only that one has.
fn login(call: &Call) -> Vec<u8> {
    let Some(user) = call.text().strip_prefix("user=") else { return ok().into() };
    // Values of other lengths, and one that has to be escaped.
    let token = "t".repeat(user.parse::<usize>().unwrap());
    let body = json!({ "deep": { "token": token }, "text": format!("id={user}7;") }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nX-Next: a b/{user}\r\nSet-Cookie: sid=s-{user}; Path=/\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head, body].concat().into()
}

/// Each of the user's values is that user's.
#[track_caller]
fn is_own(work: &Call) {
    let (path, query) = work.target().split_once('?').unwrap();
    let user = path.rsplit('/').next().unwrap();
    assert_eq!(path, format!("/a%20b%2F{user}/{user}"));
    assert_eq!(query, format!("sid=s-{user}"));
    let token = "t".repeat(user.parse().unwrap());
    assert_eq!(work.of("Authorization"), format!("Bearer {token}"));
    assert_eq!(work.of("Cookie"), format!("sid=s-{user}"));
    assert_eq!(work.json(), json!({ "id": format!("{user}7"), "all": format!("id={user}7") }));
}

#[test]
fn each_user_sends_back_what_it_was_given_and_nobody_elses() {
    each_engine(|engine| {
        let session = "[session]\nrounds = 3\nsetup = [\"login\"]\nsteps = [{ request = \"work\", repeat = 2 }]\n";
        let script = Script::new(&[LOGIN, session].concat());
        let witness = Witness::answering(login);
        let document = script.play(engine, &witness, "-c 9 -t 2");
        assert_eq!(document.fates(["sent", "good"]), [54; 2]);
        let users = by_connection(&witness.take());
        assert_eq!(users.len(), 9);
        let mut names = Vec::new();
        for calls in users {
            assert_eq!(calls.len(), 7, "a login and six of its own");
            assert_eq!(calls[0].target(), "/login");
            calls[1..].iter().for_each(is_own);
            names.push(calls[0].text().to_string());
        }
        names.sort();
        let expected: Vec<String> = (1..=9).map(|user| format!("user={user}")).collect();
        assert_eq!(names, expected);
    });
}

#[test]
fn a_login_in_each_round_replaces_what_the_one_before_it_gave() {
    each_engine(|engine| {
        let plan = "[[requests]]\nname = \"first\"\npath = \"/first\"\n\
                    capture = { token = { json = \"/t\" } }\n[[requests]]\nname = \"second\"\n\
                    path = \"/second/{{capture.token}}\"\n[session]\nrounds = 12\n";
        let turns = std::sync::atomic::AtomicUsize::new(0);
        let witness = Witness::answering(move |call| {
            let turn = match call.target() {
                "/first" => turns.fetch_add(1, std::sync::atomic::Ordering::SeqCst),
                _ => 0,
            };
            answer("200 OK", &json!({ "t": turn * 5 }).to_string()).into()
        });
        Script::new(plan).play(engine, &witness, "-c 1");
        let expected: Vec<String> = (0..12)
            .flat_map(|turn| ["/first".to_string(), format!("/second/{}", turn * 5)])
            .collect();
        assert_eq!(witness.targets(), expected);
    });
}

#[test]
fn values_are_captured_from_answers_in_chunks_and_in_splinters() {
    each_engine(|engine| {
        let plan = "[[requests]]\nname = \"first\"\ncapture = { t = { json = \"/t\" } }\n[[requests]]\nname = \"second\"\npath = \"/{{capture.t}}\"\n\
                    [session]\nrounds = 2\n";
        let witness = Witness::serving(|peer, call| {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            match call.target() {
                "/" => peer.dribble(format!(
                    "{head}4\r\n{{\"t\"\r\n7\r\n: \"abc\"\r\n1\r\n}}\r\n0\r\n\r\n"
                )),
                _ => peer.write(chunked(&[70_000, 1])),
            }
        });
        let document = Script::new(plan).play(engine, &witness, "-c 2");
        assert_eq!(document.fates(["sent", "good"]), [8; 2]);
        let targets = witness.targets();
        assert_eq!(targets.iter().filter(|target| *target == "/abc").count(), 4, "{targets:?}");
    });
}

#[test]
fn a_capture_that_is_not_found_rejects_its_answer_by_name() {
    each_engine(|engine| {
        for (capture, body) in [
            ("json = \"/t\"", "{\"u\": 1}"),
            ("json = \"/t\"", "no JSON"),
            ("header = \"X-None\"", "{}"),
            ("cookie = \"sid\"", "{}"),
            ("regex = \"t=(.)\"", "t:1"),
        ] {
            let plan = format!(
                "[[requests]]\nname = \"first\"\ncapture = {{ tok = {{ {capture} }} }}\n\
                 [[requests]]\nname = \"second\"\npath = \"/2?{{{{capture.tok}}}}\"\n\
                 [session]\nrounds = 2\n"
            );
            let witness = Witness::answering(move |_| answer("200 OK", body).into());
            let document = Script::new(&plan).play(engine, &witness, "-c 3 -t 1");
            assert_eq!(document.fates(["sent", "good", "rejected"]), [12, 6, 6], "{capture}");
            let expected = [("check:capture tok", 6)].into();
            assert_eq!(document.counts("rejections"), expected, "{capture}");
            assert_eq!(document.named("first")["rejections"]["check:capture tok"], 6);
            assert_eq!(document.check("capture tok"), (0, 6));
            assert_eq!(document.count("sessions.failed"), 6);
        }
    });
}

/// A run has one target, so that neither Path nor Domain keeps a cookie back.
#[test]
fn a_user_sends_back_the_cookies_that_it_has() {
    each_engine(|engine| {
        let set: [&[&str]; 6] = [
            &["a=1", "b=2; Path=/"],
            &["a=3", "c=4; HttpOnly; SameSite=Lax"],
            &["b=; Max-Age=0"],
            &["a=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "d=6=7; Max-Age=60"],
            &["no value"],
            &[],
        ];
        let told = ["", "a=1; b=2", "a=3; b=2; c=4", "a=3; c=4", "c=4; d=6=7", "c=4; d=6=7"];
        let step = |number| format!("[[requests]]\npath = \"/{number}\"\n");
        let plan: String = (0..set.len()).map(step).collect();
        let witness = Witness::answering(move |call| {
            let number: usize = call.target()[1..].parse().unwrap();
            let fields: String =
                set[number].iter().map(|cookie| format!("Set-Cookie: {cookie}\r\n")).collect();
            format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n").into()
        });
        let script = Script::new(&format!("{plan}[session]\nrounds = 1\n"));
        script.play(engine, &witness, "-c 1");
        let calls = witness.take();
        let heard: Vec<&str> =
            calls.iter().map(|call| call.field("Cookie").unwrap_or_default()).collect();
        assert_eq!(heard, told);
        let script = Script::new(&format!("{plan}[session]\nrounds = 1\ncookies = false\n"));
        script.play(engine, &witness, "-c 1");
        assert!(witness.take().iter().all(|call| call.field("Cookie").is_none()));
    });
}

#[test]
fn over_tls_a_user_has_its_own_as_well() {
    #[cfg(feature = "tls")]
    each_engine(|engine| {
        use super::attend;
        use crate::support::{Authority, Server};
        let session = "[session]\nrounds = 4\nsetup = [\"login\"]\nsteps = [\"work\"]\n";
        let script = Script::new(&[LOGIN, session].concat());
        let calls = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let config = Authority::new().certify().served();
        let kept = calls.clone();
        let server = Server::secure(config, move |peer| {
            attend(peer, &kept, &|peer, call| peer.write(login(call)));
        });
        let document: Document =
            script.blast(engine, &server.https()).args("--insecure -c 5 -t 2").document();
        assert_eq!(document.fates(["sent", "good"]), [20; 2]);
        let calls = calls.lock().unwrap().clone();
        assert_eq!(calls.len(), 25);
        calls.iter().filter(|call: &&Call| call.target() != "/login").for_each(is_own);
    });
}
