//! Starting, limits, stopping, and the verb.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use blast::target::{Options, Target};

use super::{Client, options, start, until};

#[test]
fn a_thousand_connections_are_served_at_once() {
    let target = start("");
    let mut clients: Vec<Client> = (0..1000).map(|_| Client::to(&target)).collect();
    for _ in 0..3 {
        for client in &mut clients {
            client.send("GET / HTTP/1.1\r\n\r\n");
        }
        clients.iter_mut().for_each(|client| assert_eq!(client.answer(true).body.len(), 50));
    }
    let stats = target.stop();
    assert_eq!((stats.requests, stats.connections), (3000, 1000));
}

#[test]
fn uploads_that_use_up_all_receive_buffers_all_end() {
    let target = start("");
    let upload = |size: usize| {
        let mut client = Client::to(&target);
        client.send(format!("PUT / HTTP/1.1\r\nContent-Length: {size}\r\n\r\n"));
        client.send(vec![b'z'; size]);
        client
    };
    // 300 at once want more than the 256 buffers there are.
    let clients: Vec<Client> = (0..300).map(|_| upload(20_000)).collect();
    for mut client in clients {
        assert_eq!(client.answer(true).status, 200);
    }
    assert_eq!(target.stop().requests, 300);
}

#[test]
fn the_end_of_one_connection_never_hits_the_next_in_its_slot() {
    // Two requests, one answer: the connection lingers. The kernel shuts a socket down in a worker
    // thread of its own, which found the slot's next client when the slot was freed too early.
    let target = start("close_after=1");
    thread::scope(|scope| {
        for request in ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\nGET"].repeat(4) {
            let target = &target;
            scope.spawn(move || {
                for _ in 0..500 {
                    assert_eq!(Client::to(target).send(request).answer(true).status, 200);
                }
            });
        }
    });
    assert_eq!(target.stop().requests, 4000);
}

#[test]
fn a_full_table_makes_clients_wait_and_closes_nobody() {
    let target = Target::start(Options { connections: Some(4), ..options("") }).unwrap();
    let mut clients: Vec<Client> = (0..12).map(|_| Client::to(&target)).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\n\r\n");
    }
    until(&target, |stats| stats.connections == 4);
    for (index, mut client) in clients.into_iter().enumerate() {
        assert_eq!(client.answer(true).status, 200, "client {index}");
    }
    assert_eq!(target.stop().connections, 12);
}

#[test]
fn stopping_is_prompt_and_frees_the_port() {
    let target = start("");
    let address = target.address();
    let mut clients: Vec<Client> = (0..100).map(|_| Client::to(&target)).collect();
    for client in &mut clients {
        client.send("GET /?delay=1h HTTP/1.1\r\n\r\n");
    }
    until(&target, |stats| stats.requests == 100);
    let start = Instant::now();
    let stats = target.stop();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(stats.requests, 100);
    TcpListener::bind(address).unwrap();
    for client in &mut clients {
        let end = client.stream.read(&mut [0; 1]);
        let kind = end.as_ref().map_err(|error| error.kind());
        assert!(matches!(kind, Ok(0) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    }
}

#[test]
fn several_threads_share_a_port_and_one_log() {
    let options = Options { threads: 3, log: Some(10_000), ..options("") };
    let target = Target::start(options).unwrap();
    let mut clients: Vec<Client> = (0..60).map(|_| Client::to(&target)).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").status, 200));
    let mut numbers: Vec<u64> = target.log().iter().map(|arrival| arrival.connection).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((numbers.len(), target.stats().requests), (60, 60));
}

#[test]
fn a_port_in_use_is_an_error_that_names_it() {
    let target = start("");
    for threads in [1, 2] {
        let port = target.address().port();
        let error = Target::start(Options { port, threads, ..Options::default() }).unwrap_err();
        assert!(error.message.contains(&port.to_string()), "{}", error.message);
        assert!(error.message.contains("--port"), "{}", error.message);
    }
}

#[test]
fn a_core_that_is_not_there_is_an_error_that_names_it() {
    let error = Target::start(Options { cores: Some(vec![1000]), ..options("") }).unwrap_err();
    assert!(error.message.contains("core 1000"), "{}", error.message);
}

#[test]
fn the_verb_serves_until_it_is_told_to_stop_and_writes_its_log() {
    let path = std::env::temp_dir().join(format!("blast-target-{}.log", std::process::id()));
    let before = blast::time::now().0;
    let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
    command.args(["target", "--port", "0", "--size", "10", "--chunked=3", "--log"]).arg(&path);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim_end().strip_prefix("blast target listens on http://").unwrap();
    let mut client = Client::at(url.strip_suffix('/').unwrap().parse().unwrap());
    (0..5).for_each(|_| assert_eq!(client.get("/").body.len(), 10));
    // SAFETY: signals our own child, which has not been waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    let output = child.wait_with_output().unwrap();
    let after = blast::time::now().0;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("5 requests on 1 connections"), "{text}");
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(log.lines().count(), 5);
    for line in log.lines() {
        let numbers: Vec<u64> = line.split(' ').map(|word| word.parse().unwrap()).collect();
        let [arrived, answered, connection] = numbers[..] else { panic!("{line}") };
        assert!(before < arrived && arrived < answered && answered < after, "{line}");
        assert_eq!(connection, 0);
    }
}

#[test]
fn the_verb_refuses_nonsense_with_exit_2() {
    for (flag, value, hint) in [
        ("--delay", "soon", "--delay: `soon`"),
        ("--stall", "10s/1s", "shorter than its period"),
        ("--service", "exp:5ms", "--service: `exp:5ms`"),
        ("--workers", "4", "--service"),
        ("--status", "1000", "200:95,503:5"),
        ("--close-after", "often", "--close-after: `often`"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
        let output = command.args(["target", "--port", "0", flag, value]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(hint), "{text}");
    }
}
