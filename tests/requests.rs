//! Requests as curl's users write them, and answers that are not what was expected: the program
//! against a server that writes down what it heard.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::support::{Blast, Folder, Server, answer, each_engine, ok};

const SECRET: &str = "planted-s3cr3t";

fn chunked(pieces: &[&str]) -> String {
    let chunk = |piece: &&str| format!("{:x}\r\n{piece}\r\n", piece.len());
    let chunks: String = pieces.iter().map(chunk).collect();
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
}

/// Answers in turn, over all connections.
fn in_turn(answers: Vec<String>) -> Server {
    let next = AtomicUsize::new(0);
    Server::start(move |peer| {
        while peer.request().is_some() {
            peer.write(&answers[next.fetch_add(1, SeqCst) % answers.len()]);
        }
    })
}

#[test]
fn a_body_is_looked_through_however_it_is_framed_and_split() {
    each_engine(|engine| {
        let long = format!("{}need", "n".repeat(300_000));
        let rest = "x".repeat(300_000);
        let cut = format!("{}le", "e".repeat(100_000));
        let server = in_turn(vec![
            answer("200 OK", "a needle"),
            answer("200 OK", "a need"),
            chunked(&["a ne", "e", "dle", " and more"]),
            chunked(&["a ne", "e", " dle"]),
            // Large enough to be thrown away unread, where nobody looks.
            answer("200 OK", &format!("{long}le{rest}")),
            answer("200 OK", &format!("{long}{rest}le")),
            chunked(&[&"e".repeat(100_000), &format!("need{cut}"), &"y".repeat(100_000)]),
            chunked(&[&"e".repeat(100_000), "need", "le", &"y".repeat(100_000)]),
            "HTTP/1.1 204 No Content\r\n\r\n".to_string(),
        ]);
        let blast = Blast::calm(engine, &server.url()).args("-c 1 -n 36 --expect-body needle");
        let document = blast.document();
        assert_eq!(document.fates(["completed", "good", "rejected"]), [36, 16, 20]);
        assert_eq!(document.counts("rejections"), [("unexpected_body", 20)].into());
        assert_eq!(document.text("plan.expect.body"), "needle");
        assert_eq!(document.count("latency.rejected.count"), 20);
        assert_eq!(document.count("connections.reopened"), 0);
    });
}

#[test]
fn a_body_that_comes_byte_by_byte_or_ends_with_its_connection_is_looked_through() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            if peer.request().is_some() {
                let body = if peer.number % 2 == 0 { "{\"ok\": true}" } else { "{\"ok\": false}" };
                peer.dribble(format!("HTTP/1.1 200 OK\r\n\r\n{body}"));
            }
        });
        let blast = Blast::calm(engine, &server.url()).args("-c 1 -n 10 --expect-body");
        let document = blast.arg(r#"/"ok":\s*true\}$/"#).document();
        assert_eq!(document.fates(["completed", "good", "rejected"]), [10, 5, 5]);
        assert_eq!(document.count("rejections.unexpected_body"), 5);
    });
}

#[test]
fn pipelined_answers_are_looked_through_one_by_one() {
    each_engine(|engine| {
        let server =
            in_turn(vec![answer("200 OK", "yes"), answer("200 OK", "ye"), answer("200 OK", "s")]);
        let flags = "-c 1 -n 90 -p 8 --expect-body yes";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["completed", "good", "rejected"]), [90, 30, 60]);
    });
}

#[test]
fn an_answer_of_another_status_size_or_body_is_rejected_under_the_first_that_differs() {
    each_engine(|engine| {
        let server = in_turn(vec![
            answer("200 OK", "hello"),
            answer("404 Not Found", "hello"),
            answer("201 Created", "hello"),
            answer("503 Busy", "hello"),
            answer("200 OK", "hello, all"),
            answer("200 OK", "hallo"),
            answer("302 Found", ""),
        ]);
        let flags = "-c 1 -n 70 --expect-status 200,404 --expect-size 1..6 --expect-body hello";
        let rules = "--threshold rejections.unexpected_status==30 --threshold errors==50";
        let document = Blast::calm(engine, &server.url()).args(flags).args(rules).document();
        assert_eq!(document.fates(["completed", "good", "rejected"]), [70, 20, 50]);
        let expected =
            [("unexpected_status", 30), ("unexpected_size", 10), ("unexpected_body", 10)];
        assert_eq!(document.counts("rejections"), expected.into());
        assert_eq!(document.text("plan.expect.status"), "200,404");
        assert_eq!(document.text("plan.expect.size"), "1..6");
    });
}

#[test]
fn a_server_that_answers_errors_quickly_does_not_look_fast() {
    each_engine(|engine| {
        let server = Server::answering(answer("200 OK", "{\"error\":\"busy\"}"));
        let flags = "-c 2 -n 50 --expect-body";
        let run = Blast::page(engine, &server.url())
            .args("--wait block --pin off")
            .args(flags)
            .arg(&format!("\"token\":\"{SECRET}\""))
            .run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert!(run.stdout.contains("Requests/sec:      0.00"), "{}", run.stdout);
        assert!(run.stdout.contains("unexpected body"), "{}", run.stdout);
        assert!(!run.stdout.contains(SECRET), "{}", run.stdout);
    });
}

/// The head and body of the one request, as the server read it.
fn heard(engine: &str, words: &[&str]) -> (String, String) {
    let kept: &'static Mutex<(String, String)> = Box::leak(Box::default());
    let server = Server::start(move |peer| {
        while let Some((heard, body)) = peer.request_and_body() {
            *kept.lock().unwrap() = (heard.head, String::from_utf8_lossy(&body).into_owned());
            peer.write(ok());
        }
    });
    let url = server.url();
    let mut blast = Blast::without_url(engine).args("--json --wait block --pin off -c 1 -n 1");
    for word in words {
        blast = blast.arg(&word.replace("http://URL/", &url));
    }
    let run = blast.run();
    assert_eq!(run.code(), Some(0), "{run:?}");
    assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET), "{run:?}");
    drop(server);
    std::mem::take(&mut *kept.lock().unwrap())
}

#[test]
fn what_a_browser_copied_is_what_the_server_hears_and_no_secret_is_shown() {
    each_engine(|engine| {
        let command = format!(
            "curl 'http://URL/items?page=2' \\\n  -X POST -H 'accept: application/json' \\\n  \
             -H 'authorization: Bearer {SECRET}' -b 'sid={SECRET}; a=b' \\\n  \
             -H 'content-type: application/json' -u 'me:{SECRET}' \\\n  \
             --data-raw $'{{\"name\":\"it\\'s \\u0021\"}}' --compressed -sS"
        );
        let (head, body) = heard(engine, &["--curl", &command, "-H", "X-Extra: typed"]);
        assert!(head.starts_with("POST /items?page=2 HTTP/1.1\r\nHost: 127.0.0.1:"), "{head}");
        for line in [
            format!("authorization: Bearer {SECRET}"),
            format!("Cookie: sid={SECRET}; a=b"),
            "Accept-Encoding: gzip, deflate, br".to_string(),
            "accept: application/json".to_string(),
            "content-type: application/json".to_string(),
            "X-Extra: typed".to_string(),
        ] {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} is missing:\n{head}");
        }
        assert_eq!(body, "{\"name\":\"it's !\"}");
    });
}

#[test]
fn files_of_a_command_of_headers_of_a_form_and_of_cookies_are_read() {
    each_engine(|engine| {
        let folder = Folder::new();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let headers = file("headers", "# of the team\nX-A: 1\r\n\nX-B: 2\nUser-Agent:\n");
        let cookies = format!("127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\t{SECRET}\n");
        let cookies = file("cookies", &cookies);
        let upload = file("upload.txt", "the file");
        let form = format!("f=@{upload};type=text/csv;filename=x.csv");
        let (head, body) = heard(
            engine,
            &[
                "http://URL/",
                "-H",
                &format!("@{headers}"),
                "--cookie",
                &cookies,
                "--form",
                "a=1",
                "--form",
                &form,
            ],
        );
        assert!(head.starts_with("POST / ") && !head.contains("User-Agent"), "{head}");
        assert!(head.contains("\r\nX-A: 1\r\nX-B: 2\r\n"), "{head}");
        assert!(head.contains(&format!("\r\nCookie: sid={SECRET}\r\n")), "{head}");
        let (_, boundary) = head.split_once("multipart/form-data; boundary=").expect("a form");
        let boundary = boundary.lines().next().unwrap();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"f\"; filename=\"x.csv\"\r\n\
             Content-Type: text/csv\r\n\r\nthe file\r\n--{boundary}--\r\n"
        );
        assert_eq!(body, expected);
        let json = file("body.json", "{\"a\":1}\n");
        let command = file("command", "curl \\\n --url 'http://h/' -d overridden\n");
        let words = [
            "--curl",
            &format!("@{command}"),
            "http://URL/",
            "--json-body",
            &format!("@{json}"),
            "--user",
            &format!("me:{SECRET}"),
        ];
        let (head, body) = heard(engine, &words);
        assert_eq!(body, "{\"a\":1}\n");
        for line in
            ["Content-Type: application/json", "Accept: application/json", "Content-Length: 8"]
        {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} is missing:\n{head}");
        }
        assert!(head.contains("\r\nAuthorization: Basic bWU6cGxhbnRlZC1zM2NyM3Q=\r\n"), "{head}");
    });
}
