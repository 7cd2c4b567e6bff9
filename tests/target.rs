//! The embedded server, driven over loopback by plain blocking sockets.

mod app;
mod behaviour;
mod http;
mod life;
mod queue;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use blast::target::{Behaviour, Options, Target};

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
