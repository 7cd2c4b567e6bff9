//! `blast doctor`: its page, its document, its exit codes; and the warnings that a run carries for
//! what its host lacks.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::support::{Blast, NO_CALIBRATION, Terminal, closed_port, each_engine, ok};

fn doctor(words: &str) -> Output {
    run(Command::new(env!("CARGO_BIN_EXE_blast")), words)
}

/// By a shell that lowers its limits first.
fn limited(limits: &str, words: &str) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{limits}; exec \"$0\" \"$@\"")]);
    shell.arg(env!("CARGO_BIN_EXE_blast"));
    run(shell, words)
}

fn run(mut command: Command, words: &str) -> Output {
    command.arg("doctor").args(words.split_whitespace()).stdin(Stdio::null());
    command.env("BLAST_CALIBRATION", NO_CALIBRATION);
    command.env_remove("BLAST_ENGINE").env_remove("NO_COLOR").output().expect("blast starts")
}

/// The document of a run of the doctor, valid by its schema.
fn document(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let document = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let schema = serde_json::from_str(blast::report::checkup::SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    assert!(output.stderr.is_empty(), "{output:?}");
    document
}

fn row<'a>(document: &'a Value, id: &str) -> &'a Value {
    let rows = document["rows"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id}: {document:#}"))
}

fn text<'a>(document: &'a Value, id: &str, field: &str) -> &'a str {
    row(document, id)[field].as_str().unwrap_or_else(|| panic!("{id}.{field}: {document:#}"))
}

/// A listener of this process that never accepts.
fn listener(backlog: i32) -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(backlog).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

#[test]
fn a_listener_is_named_with_its_process_and_its_queue() {
    let (_listener, address) = listener(3);
    let _waiting = [(); 2].map(|()| TcpStream::connect(address).unwrap());
    let output = doctor(&format!("-c 64 --json http://{address}/"));
    let document = document(&output);
    let name = fs::read_to_string("/proc/self/comm").unwrap();
    let here = text(&document, "target", "here");
    let expected = format!("{address}: {} (pid {}) listens", name.trim(), std::process::id());
    assert_eq!(here, expected);
    let figures = &row(&document, "accept_queue")["figures"];
    assert_eq!((&figures["waiting"], &figures["queue"]), (&Value::from(2), &Value::from(3)));
    assert_eq!(row(&document, "accept_queue")["state"], "warn");
    let advice = text(&document, "accept_queue", "advice");
    assert!(advice.contains("a backlog of 64"), "{advice}");
    assert!(text(&document, "accept_queue", "here").contains("min(backlog given to listen"));
}

#[test]
fn a_queue_that_nobody_empties_is_said_to_be_full() {
    let (_listener, address) = listener(1);
    // Linux takes one more than the backlog.
    let _waiting = [(); 2].map(|()| TcpStream::connect(address).unwrap());
    let document = document(&doctor(&format!("-c 1 --json http://{address}/")));
    let advice = text(&document, "accept_queue", "advice");
    assert!(advice.contains("the queue is full"), "{advice}");
}

#[test]
fn the_page_says_the_verdict_first_and_fits_the_width() {
    let (_listener, address) = listener(128);
    let output = doctor(&format!("-c 10 http://{address}/"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.starts_with(&format!("http://{address}/\n10 connections, ")), "{page}");
    assert!(page.contains("\nVerdict: nothing stops this run"), "{page}");
    let ids = "kernel io_uring descriptors ports cores steal conntrack target accept_queue";
    for id in ids.split(' ') {
        assert!(page.lines().any(|line| line.split_whitespace().nth(1) == Some(id)), "{id}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
}

#[test]
fn a_terminal_has_colours_unless_they_are_unwanted() {
    for (no_color, expected) in [("", true), ("1", false)] {
        let (terminal, theirs) = Terminal::open();
        let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
        command.arg("doctor").env("NO_COLOR", no_color).stdout(theirs);
        command.env("BLAST_CALIBRATION", NO_CALIBRATION);
        let mut child = command.spawn().expect("blast starts");
        drop(command);
        let page = terminal.read_to_end();
        child.wait().unwrap();
        assert!(page.contains("Verdict: "), "{page}");
        assert_eq!(page.contains('\x1b'), expected, "{page}");
    }
}

#[test]
fn where_nothing_listens_the_run_is_stopped_and_the_rest_is_said_all_the_same() {
    let dead = closed_port();
    for (url, words) in [
        (format!("http://{dead}/"), "connection refused"),
        ("http://no-such-host.invalid/".to_string(), "cannot resolve `no-such-host.invalid`"),
    ] {
        let output = doctor(&format!("--json {url}"));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let document = document(&output);
        assert_eq!(document["state"], "stop");
        assert_eq!(row(&document, "target")["state"], "stop");
        assert!(text(&document, "target", "here").contains(words), "{document:#}");
        assert_eq!(row(&document, "io_uring")["state"], "ok");
    }
}

#[test]
fn without_a_url_the_host_is_looked_at_in_general() {
    let output = doctor("--json");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let document = document(&output);
    assert!(document["url"].is_null());
    assert_eq!(document["run"]["connections"], 64);
    assert!(document["rows"].as_array().unwrap().iter().all(|row| row["id"] != "target"));
    let abilities = document["io_uring"].as_array().unwrap();
    let present = |name| abilities.iter().any(|a| a["name"] == name && a["present"] == true);
    assert!(present("multishot receive") && present("provided-buffer ring"), "{abilities:?}");
}

#[test]
fn a_command_line_that_is_wrong_is_one_sentence_and_exit_2() {
    for (words, expected) in [
        ("-c 0", "--connections: `0` is too few"),
        ("--engine epol", "--engine: `epol` is not one of"),
        ("--nonsense", "is no flag of blast"),
        ("http://a/ http://b/", "one URL is taken"),
        ("https://", "names no host"),
        ("--no-keepalive -p 4", "a connection that closes takes one request"),
    ] {
        let output = doctor(words);
        let sentence = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}: {sentence}");
        assert!(output.stdout.is_empty() && sentence.lines().count() == 1, "{sentence}");
        assert!(sentence.contains(expected), "{words}: {sentence}");
    }
}

#[test]
fn the_limit_of_open_files_binds_one_engine_and_not_the_other() {
    let soft = document(&limited("ulimit -Sn 64", "-c 500 -t 1 --json"));
    assert_eq!(row(&soft, "descriptors")["figures"]["soft"], 64);
    assert!(text(&soft, "descriptors", "here").contains("soft limit 64 (blast raises it)"));
    let output = limited("ulimit -n 64", "-c 500 -t 1 --json");
    let hard = document(&output);
    assert_eq!(output.status.code(), Some(0), "{hard:#}");
    assert_eq!(row(&hard, "descriptors")["figures"]["rings_per_worker"], 8);
    let output = limited("ulimit -n 64", "-c 500 -t 1 --json --engine tokio-uring");
    let tokio = document(&output);
    assert_eq!(output.status.code(), Some(1), "{tokio:#}");
    assert_eq!(row(&tokio, "descriptors")["state"], "stop");
    assert!(text(&tokio, "descriptors", "advice").contains("`ulimit -Hn 564`"), "{tokio:#}");
}

#[test]
fn a_password_in_the_url_is_not_repeated() {
    let address = closed_port();
    for format in ["", "--json"] {
        let output = doctor(&format!("{format} http://user:s3cret@{address}/?token=s3cret"));
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("***@") && !shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    for words in [&["doctor"][..], &["doctor", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
        command.args(words).stdout(writer).stderr(Stdio::piped());
        command.env("BLAST_CALIBRATION", NO_CALIBRATION);
        drop(reader);
        let output = command.spawn().and_then(|child| child.wait_with_output()).unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn a_run_that_lost_a_syn_says_how_short_the_accept_queue_is() {
    each_engine(|engine| {
        for (backlog, connections, expected) in [(8, 40, true), (128, 40, false)] {
            let (listener, address) = listener(backlog);
            // Nobody accepts until the queue has overflowed: the first connection needs none.
            thread::spawn(move || late(listener));
            let flags = format!("-c {connections} -n 80");
            let run = Blast::calm(engine, &format!("http://{address}/")).args(&flags);
            let document = run.document();
            let warnings = document.warnings();
            assert_eq!(warnings.contains(&"accept_queue"), expected, "{backlog}: {warnings:?}");
            assert_eq!(document.count("connections.open_peak"), connections);
        }
    });
}

/// Accepts after a while, and then answers every request, until the test is over.
fn late(listener: Socket) {
    thread::sleep(Duration::from_millis(500));
    let listener = TcpListener::from(listener);
    for stream in listener.incoming().map_while(Result::ok) {
        thread::spawn(move || answer_all(stream));
    }
}

fn answer_all(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    // A request is one small segment here.
    while let Ok(1..) = stream.read(&mut buffer) {
        if stream.write_all(ok().as_bytes()).is_err() {
            return;
        }
    }
}
