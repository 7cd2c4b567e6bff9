//! The embedded server, driven over loopback by plain blocking sockets.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use blast::Nanos;
use blast::target::{Behaviour, Delay, Options, Stall, Target};

/// No wait in this file is longer.
const LIMIT: Duration = Duration::from_secs(20);

/// The same words as on the command line: `delay=5ms size=10`.
fn options(words: &str) -> Options {
    let mut behaviour = Behaviour::default();
    for (key, value) in words.split_whitespace().filter_map(|pair| pair.split_once('=')) {
        assert_eq!(behaviour.set(key, value), Ok(true), "{key}={value}");
    }
    Options { behaviour, ..Options::default() }
}

fn start(words: &str) -> Target {
    Target::start(options(words)).unwrap()
}

fn logged(words: &str) -> Target {
    Target::start(Options { log: Some(100_000), ..options(words) }).unwrap()
}

struct Client {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Client {
    fn to(target: &Target) -> Client {
        Client::at(target.address())
    }

    fn at(address: SocketAddr) -> Client {
        let stream = TcpStream::connect_timeout(&address, LIMIT).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
        self
    }

    fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).answer(true)
    }

    fn answer(&mut self, with_body: bool) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.stream.read_line(&mut head).unwrap() > 0, "closed after {head:?}");
        }
        let status = head["HTTP/1.1 ".len()..][..3].parse().unwrap();
        let mut body = Vec::new();
        if with_body {
            match head.split("Content-Length: ").nth(1) {
                Some(rest) => {
                    body.resize(rest.lines().next().unwrap().parse().unwrap(), 0);
                    self.stream.read_exact(&mut body).unwrap();
                }
                None if head.contains("chunked") => self.chunks(&mut body),
                None => {}
            }
        }
        Answer { status, head, body }
    }

    fn chunks(&mut self, body: &mut Vec<u8>) {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            self.stream.read_exact(&mut chunk).unwrap();
            assert!(chunk.ends_with(b"\r\n"));
            if size == 0 {
                return;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    /// The connection ends here, in order, without another byte.
    fn ends(&mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "{}", rest.escape_ascii());
    }
}

/// Until the counters say so; they may be one turn behind what a client saw.
fn until(target: &Target, reached: impl Fn(blast::target::Stats) -> bool) {
    let start = Instant::now();
    while !reached(target.stats()) {
        assert!(start.elapsed() < LIMIT, "{:?}", target.stats());
        thread::yield_now();
    }
}

#[test]
fn an_answer_is_130_bytes_and_the_connection_stays() {
    let target = start("");
    let mut client = Client::to(&target);
    for _ in 0..3 {
        let answer = client.get("/");
        assert_eq!((answer.status, answer.head.len() + answer.body.len()), (200, 130));
        assert!(answer.head.contains("Server: blast\r\n"));
    }
    drop(client);
    let stats = target.stop();
    assert_eq!((stats.requests, stats.connections, stats.bytes_out), (3, 1, 390));
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let target = start("");
    let mut client = Client::to(&target);
    for request in [
        "GET /?size=3 HTTP/1.1\r\nA: b\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody",
    ] {
        for byte in request.bytes() {
            client.send([byte]);
        }
        assert_eq!(client.answer(true).status, 200);
    }
    assert_eq!(target.stop().requests, 2);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let target = start("");
    let mut client = Client::to(&target);
    let sizes: Vec<usize> = (0..300).map(|k| if k % 3 == 0 { 7 } else { k * 10 }).collect();
    let request = |size| format!("GET /?size={size} HTTP/1.1\r\n\r\n");
    client.send(sizes.iter().map(request).collect::<String>());
    for size in sizes {
        assert_eq!(client.answer(true).body.len(), size);
    }
}

#[test]
fn a_client_that_pipelines_and_reads_late_loses_nothing() {
    let target = start("");
    let mut client = Client::to(&target);
    let mut writer = client.stream.get_ref().try_clone().unwrap();
    // 27 MB of answers: more than both socket buffers hold, so sends fall short and reading pauses.
    const COUNT: usize = 200_000;
    let requests = thread::spawn(move || {
        let block: String =
            (0..10).map(|k| format!("GET /?size={k} HTTP/1.1\r\n\r\n")).collect::<String>();
        for _ in 0..COUNT / 10 {
            writer.write_all(block.as_bytes()).unwrap();
        }
    });
    // Answers wait until the server reads no further: its counter stands still for 50 ms.
    let mut seen = (0, Instant::now());
    while seen.1.elapsed() < Duration::from_millis(50) {
        let requests = target.stats().requests;
        if requests != seen.0 {
            seen = (requests, Instant::now());
        }
        thread::yield_now();
    }
    assert!(seen.0 < COUNT as u64, "the sockets took everything: send more");
    for k in 0..COUNT {
        assert_eq!(client.answer(true).body.len(), k % 10, "answer {k}");
    }
    requests.join().unwrap();
    assert_eq!(target.stop().requests, COUNT as u64);
}

#[test]
fn an_answer_that_does_not_fit_into_the_socket_is_completed_when_it_does() {
    let target = start("");
    let mut client = Client::to(&target);
    // One at a time, each sent whole at once, until both socket buffers are full and one falls
    // short: the kernel holds no 24 MB for a client that does not read.
    for k in 0..400 {
        client.send(format!("GET /?size={} HTTP/1.1\r\n\r\n", 60_000 + k));
        until(&target, |stats| stats.requests > k);
    }
    for k in 0..400 {
        assert_eq!(client.answer(true).body.len(), 60_000 + k);
    }
    let stats = target.stop();
    let head = "HTTP/1.1 200 OK\r\nServer: blast\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n";
    let expected: u64 = (0..400).map(|k| head.len() as u64 + 60_000 + k).sum();
    assert_eq!(stats.bytes_out, expected);
}

#[test]
fn head_gets_the_head_alone() {
    let target = start("size=1000");
    let mut client = Client::to(&target);
    let head = client.send("HEAD / HTTP/1.1\r\n\r\n").answer(false).head;
    assert!(head.contains("Content-Length: 1000\r\n"));
    let answer = client.get("/");
    assert_eq!((answer.head, answer.body.len()), (head, 1000));
}

#[test]
fn bodies_are_read_past_and_the_next_request_is_seen() {
    let target = start("");
    let mut client = Client::to(&target);
    let body = vec![b'z'; 300_000];
    client.send("PUT / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n").send(&body);
    assert_eq!(client.answer(true).status, 200);
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n").send(&body);
    client.send("\r\n3;name=value\r\nabc\r\n0\r\nTrailer: x\r\n\r\nGET /?size=1 HTTP/1.1\r\n\r\n");
    assert_eq!(client.answer(true).body.len(), 50);
    assert_eq!(client.answer(true).body.len(), 1);
    assert_eq!(target.stop().requests, 3);
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on() {
    let target = start("");
    let mut client = Client::to(&target);
    client.send("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.answer(false).status, 100);
    assert_eq!(client.send("ok").answer(true).status, 200);
}

#[test]
fn http_1_0_closes_unless_asked_to_stay() {
    let target = start("chunked=1");
    let mut client = Client::to(&target);
    let stay = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
    let answer = client.send(stay).answer(true);
    assert!(answer.head.contains("Connection: keep-alive\r\n"), "{}", answer.head);
    assert_eq!(answer.body.len(), 50);
    let answer = client.send("GET / HTTP/1.0\r\n\r\n").answer(true);
    assert!(answer.head.contains("Connection: close\r\n"), "{}", answer.head);
    client.ends();
}

#[test]
fn a_connection_closes_after_the_request_that_was_set() {
    let target = start("close_after=3");
    for _ in 0..5 {
        let mut client = Client::to(&target);
        // Five at once: the two beyond the third must not turn the end into a reset.
        client.send("GET / HTTP/1.1\r\n\r\n".repeat(5));
        let heads: Vec<String> = (0..3).map(|_| client.answer(true).head).collect();
        assert!(!heads[1].contains("close") && heads[2].contains("Connection: close\r\n"));
        client.ends();
    }
    let stats = target.stop();
    assert_eq!((stats.requests, stats.connections), (15, 5));
}

#[test]
fn a_client_that_ended_its_side_still_gets_its_answers() {
    let target = start("delay=20ms");
    let mut client = Client::to(&target);
    client.send("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    client.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.answer(true).status, 200);
    assert_eq!(client.answer(true).status, 200);
    client.ends();
}

#[test]
fn what_cannot_be_served_is_refused_and_closed_without_a_reset() {
    let target = start("");
    let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(20_000));
    for (request, status) in [
        ("garbage\r\n", 400),
        ("\u{16}\u{3}\u{1}", 400),
        ("GET /?delay=soon HTTP/1.1\r\n\r\n", 400),
        (&long, 431),
        ("POST / HTTP/1.1\r\nContent-Length: 2000000000\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ] {
        let mut client = Client::to(&target);
        let answer = client.send(request).send("and what follows").answer(true);
        assert_eq!(answer.status, status, "{request}");
        client.ends();
    }
    let stats = target.stop();
    assert_eq!((stats.requests, stats.refused), (0, 7));
}

#[test]
fn bodies_have_the_size_asked_for_whole_or_in_chunks() {
    let target = start("");
    let mut client = Client::to(&target);
    for size in [0, 1, 1000, 65_536, 65_537, 3_000_000] {
        for chunked in ["0", "1", "1000", "1M"] {
            let path = format!("/?size={size}&chunked={chunked}");
            let answer = client.get(&path);
            assert_eq!(answer.body.len(), size, "{path}");
            assert!(answer.body.iter().all(|byte| *byte == b'x'), "{path}");
            assert_eq!(answer.head.contains("chunked"), chunked != "0", "{path}");
        }
    }
}

#[test]
fn the_mix_of_statuses_is_exact() {
    let target = start("status=200:95,503:4,204:1");
    let mut client = Client::to(&target);
    let statuses: Vec<u16> = (0..1000).map(|_| client.get("/").status).collect();
    for (status, count) in [(200, 950), (503, 40), (204, 10)] {
        assert_eq!(statuses.iter().filter(|seen| **seen == status).count(), count, "{status}");
    }
}

#[test]
fn a_fixed_delay_is_kept_to_the_microsecond() {
    let target = logged("delay=5ms");
    let mut client = Client::to(&target);
    (0..100).for_each(|_| assert_eq!(client.get("/").status, 200));
    let mut late: Vec<u64> = target
        .log()
        .iter()
        .map(|arrival| (arrival.answered - arrival.arrived).0)
        .map(|delay| delay.checked_sub(5_000_000).expect("never early"))
        .collect();
    late.sort_unstable();
    // The server spins before the instant, so only being scheduled away makes it late: 30 us for
    // the median on a quiet machine, 200 us where tests share two cores.
    assert!(late[50] < 200_000, "median {} ns late, all: {late:?}", late[50]);
}

#[test]
fn a_delayed_answer_holds_up_nobody_else_and_keeps_its_place() {
    let target = start("");
    let mut slow = Client::to(&target);
    slow.send("GET /?delay=300ms&size=1 HTTP/1.1\r\n\r\nGET /?size=2 HTTP/1.1\r\n\r\n");
    until(&target, |stats| stats.requests == 2);
    let start = Instant::now();
    let mut quick = Client::to(&target);
    (0..100).for_each(|_| assert_eq!(quick.get("/").status, 200));
    assert!(start.elapsed() < Duration::from_millis(200), "{:?}", start.elapsed());
    assert_eq!(slow.answer(true).body.len(), 1);
    assert_eq!(slow.answer(true).body.len(), 2);
}

#[test]
fn exponential_delays_have_their_mean() {
    let target = logged("");
    let mut clients: Vec<Client> = (0..50).map(|_| Client::to(&target)).collect();
    for _ in 0..40 {
        for client in &mut clients {
            client.send("GET /?delay=exp:2ms HTTP/1.1\r\n\r\n");
        }
        clients.iter_mut().for_each(|client| assert_eq!(client.answer(true).status, 200));
    }
    let log = target.log();
    let sum: u64 = log.iter().map(|arrival| (arrival.answered - arrival.arrived).0).sum();
    let mean = sum as f64 / log.len() as f64 / 1e6;
    // 2,000 draws: standard error 2.2 %, three of them 0.13 ms; late answers add the rest.
    assert!((1.86..2.5).contains(&mean), "{mean} ms");
}

#[test]
fn nothing_leaves_while_the_gate_is_shut() {
    let (shut, period) = (100, 200);
    let target = logged("stall=100ms/200ms");
    let stop = Instant::now() + Duration::from_millis(1000);
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let mut client = Client::to(&target);
            thread::spawn(move || {
                while Instant::now() < stop {
                    client.get("/");
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    let log = target.log();
    let gate = Stall { shut: Nanos::from_millis(shut), period: Nanos::from_millis(period) };
    for arrival in &log {
        // Never before the gate opens; soon after (50 ms where tests share two cores).
        let opens = gate.opens(arrival.arrived);
        assert!(arrival.answered >= opens, "{arrival:?}");
        assert!(arrival.answered - opens < Nanos::from_millis(50), "{arrival:?}");
    }
    let held = log.iter().filter(|arrival| gate.opens(arrival.arrived) > arrival.arrived).count();
    assert!((4 * 4..=4 * 6).contains(&held), "{held} of {} were held", log.len());
}

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
fn the_log_has_one_line_a_request_up_to_its_capacity() {
    let target = Target::start(Options { log: Some(250), ..options("") }).unwrap();
    let mut clients: Vec<Client> = (0..3).map(|_| Client::to(&target)).collect();
    for _ in 0..100 {
        for client in &mut clients {
            client.get("/");
        }
    }
    let log = target.log();
    assert_eq!((log.len(), target.unlogged(), target.stats().requests), (250, 50, 300));
    assert!(log.is_sorted_by_key(|arrival| arrival.arrived));
    assert!(log.iter().all(|arrival| arrival.answered >= arrival.arrived));
    for number in 0..3 {
        let count = log.iter().filter(|arrival| arrival.connection == number).count();
        assert!((83..=84).contains(&count), "{count}");
    }
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
fn behaviour_can_be_given_in_code() {
    let behaviour = Behaviour {
        delay: Delay::Fixed(Nanos::from_millis(1)),
        status: vec![(404, 1)],
        size: Some(5),
        ..Behaviour::default()
    };
    let target = Target::start(Options { behaviour, ..Options::default() }).unwrap();
    let answer = Client::to(&target).get("/");
    assert_eq!((answer.status, answer.body.len()), (404, 5));
}

#[test]
fn the_verb_serves_until_it_is_told_to_stop_and_writes_its_log() {
    let path = std::env::temp_dir().join(format!("blast-target-{}.log", std::process::id()));
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
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("5 requests on 1 connections"), "{text}");
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(log.lines().count(), 5);
    for line in log.lines() {
        let numbers: Vec<u64> = line.split(' ').map(|word| word.parse().unwrap()).collect();
        assert!(matches!(numbers[..], [arrived, answered, 0] if answered > arrived), "{line}");
    }
}

#[test]
fn the_verb_refuses_nonsense_with_exit_2() {
    for (flag, value, hint) in [
        ("--delay", "soon", "--delay: `soon`"),
        ("--stall", "10s/1s", "shorter than its period"),
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
