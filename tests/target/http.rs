//! Requests in every shape a client sends them, and answers in order.

use std::io::Write;
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use super::{Client, start, until};

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
