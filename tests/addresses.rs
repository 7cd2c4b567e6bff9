//! Where the connections go: Unix sockets, the zones of IPv6 addresses, and the flags that name
//! another place than the URL does.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::support::{
    Blast, Document, Folder, LIMIT, NO_CALIBRATION, Run, Server, answer, each_engine, ok,
    ring_alone,
};

/// A path that the kernel has room for, and a folder that goes when the test is over.
fn socket(name: &str) -> (Folder, String) {
    let folder = Folder::new();
    let path = folder.path().join(name).to_str().unwrap().to_string();
    assert!(path.len() < 100, "{path}");
    (folder, path)
}

/// An abstract name that no other test has.
fn abstract_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("@blast-{}-{}", std::process::id(), NEXT.fetch_add(1, SeqCst))
}

fn through(engine: &str, path: &str, url: &str) -> Blast {
    Blast::calm(engine, url).args("--unix-socket").arg(path)
}

fn connected_to(document: &Document) -> Vec<String> {
    let addresses = document.at("plan.addresses").as_array().unwrap();
    addresses.iter().map(|address| address.as_str().unwrap().to_string()).collect()
}

#[test]
fn a_unix_socket_is_connected_to_and_host_and_path_are_the_urls() {
    each_engine(|engine| {
        let (_folder, path) = socket("s");
        let server = Server::start_at_socket(&path, |peer| peer.answer_all(ok().as_bytes()));
        for load in ["-n 200 -c 8 -t 2", "-R 400 -n 100 -c 8", "-n 50 -c 4 --no-keepalive"] {
            let before = server.requests();
            let document = through(engine, &path, "http://a.example:81/p?q").args(load).document();
            let requests = server.requests() - before;
            assert_eq!(document.fates(["sent", "good"]), [requests, requests]);
            assert_eq!(connected_to(&document), [path.as_str()]);
            assert_eq!(document.text("plan.unix_socket"), path);
            assert_eq!(document.text("plan.url"), "http://a.example:81/p?q");
        }
        for heard in server.log() {
            assert!(heard.head.starts_with("GET /p?q HTTP/1.1\r\nHost: a.example:81\r\n"));
        }
    });
}

#[test]
fn a_url_can_name_a_unix_socket_and_an_abstract_one() {
    each_engine(|engine| {
        let (_folder, path) = socket("s");
        let encoded = format!("http+unix://{}/p", path.replace('/', "%2F"));
        let name = abstract_name();
        for (name, url) in [
            (path.clone(), encoded),
            (name.clone(), format!("http+unix://{}/p", name.replace('@', "%40"))),
        ] {
            let server = Server::start_at_socket(&name, |peer| peer.answer_all(ok().as_bytes()));
            let document = Blast::calm(engine, &url).args("-n 40 -c 4").document();
            assert_eq!(document.fates(["sent", "good"]), [40, 40]);
            assert_eq!(connected_to(&document), [name.as_str()]);
            assert_eq!(document.text("plan.url"), url);
            let head = "GET /p HTTP/1.1\r\nHost: localhost\r\n";
            assert!(server.log().iter().all(|heard| heard.head.starts_with(head)));
        }
        let name = abstract_name();
        let _server = Server::start_at_socket(&name, |peer| peer.answer_all(ok().as_bytes()));
        let document = through(engine, &name, "http://h/").args("-n 40").document();
        assert_eq!(document.fates(["sent", "good"]), [40, 40]);
    });
}

#[test]
fn large_answers_and_large_requests_pass_through_a_unix_socket_whole() {
    each_engine(|engine| {
        let (folder, path) = socket("s");
        let body = "x".repeat(1_000_000);
        let server = Server::start_at_socket(&path, move |peer| {
            peer.answer_all(answer("200 OK", &body).as_bytes());
        });
        let file = folder.path().join("body");
        fs::write(&file, vec![b'b'; 700_000]).unwrap();
        let body = format!("@{}", file.display());
        let run = through(engine, &path, "http://h/").args("-n 40 -c 4 -b").arg(&body);
        let document = run.document();
        assert_eq!(document.fates(["sent", "good"]), [40, 40]);
        assert!(document.number("bytes.received") >= 40_000_000.0);
        assert!(server.log().iter().all(|heard| heard.body == 700_000));
    });
}

#[test]
fn what_ends_a_connection_on_a_unix_socket_is_told_by_kind() {
    each_engine(|engine| {
        let (_folder, path) = socket("s");
        // Each connection answers once, then breaks off inside the second answer.
        let _server = Server::start_at_socket(&path, |peer| {
            if peer.request().is_some() {
                peer.write(ok());
            }
            if peer.request().is_some() {
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
            }
        });
        let document = through(engine, &path, "http://h/").args("-n 20 -c 2 -v").document();
        let [sent, good, failed] = document.fates(["sent", "good", "failed"]);
        assert_eq!((sent, good, failed), (20, 10, 10));
        let failures = document.counts("failures");
        assert_eq!(failures.into_iter().collect::<Vec<_>>(), [("truncated", 10)]);
        let examples = document.at("failure_examples").as_array().unwrap().clone();
        assert!(!examples.is_empty());
        assert!(examples.iter().all(|example| example["local_port"].is_null()), "{examples:?}");
    });
}

/// A run that could not begin.
fn refused(engine: &str, path: &str) -> Run {
    let run = through(engine, path, "http://h/").args("-n 5 -c 3 --connect-timeout 300ms").run();
    assert_eq!(run.code(), Some(1), "{run:?}");
    assert!(run.complaint().contains(&format!("cannot connect to {path}: ")), "{run:?}");
    assert!(run.took < Duration::from_secs(10), "{run:?}");
    run
}

#[test]
fn a_socket_that_cannot_be_connected_to_is_one_sentence_and_exit_1() {
    each_engine(|engine| {
        let (_folder, path) = socket("s");
        let sentence = |run: &Run, words: &str| assert!(run.complaint().contains(words), "{run:?}");
        sentence(&refused(engine, &path), "there is no socket of that path");
        sentence(&refused(engine, &abstract_name()), "nothing listens on that socket");
        fs::write(&path, "a file").unwrap();
        sentence(&refused(engine, &path), "nothing listens on that socket");
        fs::remove_file(&path).unwrap();
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        sentence(&refused(engine, &path), "nothing listens on that socket");
        // A queue that stays full.
        listener.listen(0).unwrap();
        let held = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        held.connect(&SockAddr::unix(&path).unwrap()).unwrap();
        sentence(&refused(engine, &path), "its listen queue stayed full");
        drop(held);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let run = through(engine, &path, "http://h/").args("-n 5").bound_by_permissions().run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        sentence(&run, "check the socket's permissions");
    });
}

#[test]
fn a_full_listen_queue_is_waited_for_and_no_failure() {
    each_engine(|engine| {
        let (_folder, path) = socket("s");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(1).unwrap();
        // Accepts one every 5 ms: of 40 that come at once most find the queue full.
        let accepting = thread::spawn(move || {
            let serve = |_| {
                thread::sleep(Duration::from_millis(5));
                let stream = std::net::TcpStream::from(listener.accept().unwrap().0);
                thread::spawn(move || answer_each(&stream))
            };
            (0..40).map(serve).collect::<Vec<_>>()
        });
        let document = through(engine, &path, "http://h/").args("-n 400 -c 40 -t 2").document();
        assert_eq!(document.fates(["sent", "good"]), [400, 400]);
        assert!(document.counts("connections.failures").is_empty());
        assert_eq!(document.number("connections.opened"), 40.0);
        assert!(document.number("connections.queue_full") >= 20.0);
        assert!(document.warnings().contains(&"listen_queue_full"));
        accepting.join().unwrap().into_iter().for_each(|thread| thread.join().unwrap());
    });
}

fn answer_each(mut stream: &std::net::TcpStream) {
    use std::io::{Read, Write};
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|length| length > 0) {
        if stream.write_all(ok().as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn doctor_looks_at_the_socket_and_at_nothing_of_the_network() {
    let (_folder, path) = socket("s");
    let doctor = |words: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_blast"))
            .env("BLAST_CALIBRATION", NO_CALIBRATION)
            .args(["doctor", "--json", "--unix-socket", &path, "http://h/"])
            .args(words.split_whitespace())
            .output()
            .unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let row = |document: &serde_json::Value, id: &str| {
        document["rows"].as_array().unwrap().iter().find(|row| row["id"] == id).cloned()
    };
    let missing = row(&doctor(""), "target").unwrap();
    assert_eq!(missing["state"], "stop", "{missing}");
    let _server = Server::start_at_socket(&path, |peer| peer.answer_all(ok().as_bytes()));
    let document = doctor("-c 100k");
    assert_eq!(row(&document, "target").unwrap()["state"], "ok", "{document}");
    assert_eq!(row(&document, "ports"), None);
    assert_eq!(row(&document, "time_wait"), None);
}

fn at(address: &str) -> Server {
    let address: SocketAddr = address.parse().unwrap();
    Server::start_at(address, |peer| peer.answer_all(ok().as_bytes()))
}

#[test]
fn a_zone_is_no_part_of_what_is_sent() {
    each_engine(|engine| {
        let server = at("[::1]:0");
        let port = server.address().port();
        for zone in ["%25lo", "%lo"] {
            let url = format!("http://[::1{zone}]:{port}/");
            let document = Blast::calm(engine, &url).args("-n 40 -c 4").document();
            assert_eq!(document.fates(["sent", "good"]), [40, 40]);
            assert_eq!(document.text("plan.url"), format!("http://[::1%25lo]:{port}/"));
        }
        let host = format!("Host: [::1]:{port}\r\n");
        assert!(server.log().iter().all(|heard| heard.head.contains(&host)));
        let run = Blast::calm(engine, &format!("http://[::1%25nolink]:{port}/")).run();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains("`nolink` is no interface of this host"), "{run:?}");
    });
}

#[test]
fn a_name_goes_where_resolve_and_connect_to_say_and_host_stays() {
    each_engine(|engine| {
        let server = at("127.0.0.2:0");
        let port = server.address().port();
        let place = server.address().to_string();
        for (url, flags) in [
            (format!("http://a.invalid:{port}/"), format!("--resolve a.invalid:{port}:127.0.0.2")),
            (format!("http://a.invalid:{port}/"), format!("--resolve *:{port}:127.0.0.2")),
            ("http://a.invalid/".into(), format!("--connect-to a.invalid:80:127.0.0.2:{port}")),
            (
                "http://a.invalid/".into(),
                format!("--connect-to b::c: --connect-to ::127.0.0.2:{port}"),
            ),
            (
                "http://a.invalid/".into(),
                format!("--connect-to ::b.invalid:{port} --resolve b.invalid:{port}:127.0.0.2"),
            ),
        ] {
            let before = server.log().len();
            let document = Blast::calm(engine, &url).args("-n 40 -c 4").args(&flags).document();
            assert_eq!(document.fates(["sent", "good"]), [40, 40], "{flags}");
            assert_eq!(connected_to(&document), [place.as_str()], "{flags}");
            let authority = url.trim_start_matches("http://").trim_end_matches('/');
            let host = format!("Host: {authority}\r\n");
            let log = server.log();
            assert!(log[before..].iter().all(|heard| heard.head.contains(&host)), "{flags}");
        }
    });
}

#[test]
fn what_was_typed_and_has_no_effect_is_warned_of() {
    ring_alone(|engine| {
        let server = at("127.0.0.1:0");
        let blast = Blast::calm(engine, &server.url());
        let blast = blast.args("--resolve other:1:127.0.0.2 -n 5 --curl").arg("curl -L http://h/");
        let document = blast.document();
        assert_eq!(document.fates(["sent", "good"]), [5, 5]);
        for code in ["redirects_not_followed", "rule_unused"] {
            assert!(document.warnings().contains(&code), "{:?}", document.warnings());
        }
    });
}

#[test]
fn connections_are_dealt_out_to_all_addresses_of_a_name_and_counted_for_each() {
    each_engine(|engine| {
        let first = at("127.0.0.1:0");
        let port = first.address().port();
        let second = at(&format!("127.0.0.2:{port}"));
        let url = format!("http://a.invalid:{port}/");
        let flags = format!("--resolve a.invalid:{port}:127.0.0.1,127.0.0.2 -n 60 -c 6 -t 2");
        let document = Blast::calm(engine, &url).args(&flags).document();
        assert_eq!(document.fates(["sent", "good"]), [60, 60]);
        assert_eq!([first.connections(), second.connections()], [3, 3]);
        let opened = document.at("connections.by_address").as_array().unwrap().clone();
        let opened: Vec<_> =
            opened.iter().map(|one| (one["address"].as_str().unwrap(), &one["opened"])).collect();
        let expected = [first.address().to_string(), second.address().to_string()];
        assert_eq!(opened.iter().map(|(address, _)| *address).collect::<Vec<_>>(), expected);
        assert!(opened.iter().all(|(_, opened)| **opened == 3), "{opened:?}");
    });
}

#[test]
fn only_addresses_of_the_family_asked_for_are_connected_to() {
    each_engine(|engine| {
        let v4 = at("127.0.0.1:0");
        let port = v4.address().port();
        let v6 = at(&format!("[::1]:{port}"));
        let url = format!("http://a.invalid:{port}/");
        let resolve = format!("--resolve a.invalid:{port}:127.0.0.1,::1 -n 20 -c 4");
        for (flag, server, other) in [
            ("-4", &v4, &v6),
            ("--ipv6", &v6, &v4),
            // As in curl, the last one counts.
            ("-4 -6", &v6, &v4),
        ] {
            let before = (server.requests(), other.requests());
            let document = Blast::calm(engine, &url).args(&resolve).args(flag).document();
            assert_eq!(document.fates(["sent", "good"]), [20, 20], "{flag}");
            let now = (server.requests() - before.0, other.requests() - before.1);
            assert_eq!(now, (20, 0), "{flag}");
        }
        let run = Blast::calm(engine, &v4.url()).args("-6").run();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains("-6: the target has no IPv6 address"), "{run:?}");
    });
}

#[test]
fn a_name_is_looked_up_again_beside_the_load() {
    each_engine(|engine| {
        let server = at("127.0.0.1:0");
        let url = format!("http://localhost:{}/", server.address().port());
        let flags = "-R 200 -d 1 -c 4 -4 --dns-refresh 100ms";
        let document = Blast::calm(engine, &url).args(flags).document();
        assert_eq!(document.fates(["sent", "good"]), [200, 200]);
        assert!(document.number("connections.dns.refreshes") >= 3.0);
        assert_eq!(document.number("connections.dns.failed"), 0.0);
        assert_eq!(document.number("connections.dns.changes"), 0.0);
        assert_eq!(document.number("plan.dns_refresh_s"), 0.1);
    });
}

/// What the names of a test stand for, for [`Blast::with_hosts`].
fn write_hosts(file: &Path, line: &str) {
    // In place: what lies over /etc/hosts is this file, not its name.
    fs::write(file, format!("{line}\n")).unwrap();
}

/// Until the server has a connection.
fn until_connected(server: &Server) {
    let start = Instant::now();
    while server.connections() == 0 {
        assert!(start.elapsed() < LIMIT, "nobody came");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn new_connections_go_where_the_name_stands_for_now_and_old_ones_stay() {
    each_engine(|engine| {
        let folder = Folder::new();
        let hosts = folder.path().join("hosts");
        write_hosts(&hosts, "127.0.0.1 moving.invalid");
        let first = at("127.0.0.1:0");
        let port = first.address().port();
        let second = at(&format!("127.0.0.2:{port}"));
        let url = format!("http://moving.invalid:{port}/");
        let Some(blast) = Blast::with_hosts(&hosts, engine, &url) else { return };
        // Each of the four carries 30 requests at 50 a second, so it comes again all along.
        let flags = "-R 200 -n 800 -c 4 --requests-per-connection 30 --dns-refresh 100ms";
        let running = blast.args(flags).start();
        until_connected(&first);
        write_hosts(&hosts, "127.0.0.2 moving.invalid");
        until_connected(&second);
        // From now on the name is not known, and all stays as it is.
        let before = first.connections();
        write_hosts(&hosts, "127.0.0.3 other.invalid");
        let run = running.end();
        let document = run.document();
        assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
        assert_eq!(document.fates(["sent", "good"]), [800, 800]);
        assert!(document.counts("connections.failures").is_empty());
        assert_eq!(first.connections(), before, "the old address has no new connection");
        assert_eq!(first.requests() + second.requests(), 800);
        assert_eq!(document.count("connections.dns.changes"), 1);
        assert!(document.count("connections.dns.failed") > 0);
        assert!(document.warnings().contains(&"dns_refresh_failed"));
        let places = [&first, &second].map(|server| server.address().to_string());
        assert_eq!(connected_to(&document), places);
    });
}
