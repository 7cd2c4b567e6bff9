//! A server for scrapers: `GET /metrics`, on a thread of its own, beside a load that it must not
//! slow down. One connection at a time, one request on each; every wait and every size is bounded.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use super::encode::Format;
use crate::error::{Error, Result};
use crate::report::exposition::Exposition;
use crate::report::within::Within;

/// For the whole of a request, and again for the answer: who dawdles keeps others waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// For the other side to close, once it has its answer.
const FAREWELL: Duration = Duration::from_millis(250);

/// The longest head of a request that is read.
const LONGEST_HEAD: usize = 8 * 1024;

const MOST_FIELDS: usize = 64;

const INDEX: &str = "<!DOCTYPE html><title>blast</title><a href=\"/metrics\">/metrics</a>\n";

/// Answers until it is dropped.
#[derive(Debug)]
pub struct Server {
    listener: Arc<TcpListener>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

struct Answer {
    status: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Server {
    pub fn start(address: SocketAddr, exposition: Exposition) -> Result<Server> {
        let bound = TcpListener::bind(address).and_then(|listener| {
            let address = listener.local_addr()?;
            Ok((Arc::new(listener), address))
        });
        let (listener, address) = bound.map_err(|error| refused(address, &error))?;
        let loan = listener.clone();
        let thread = thread::Builder::new().name("blast-metrics".to_string());
        let thread = thread.spawn(move || serve(&loan, &exposition)).map_err(|error| {
            Error::failed(format!("the metrics' thread could not be started ({error}); try again"))
        })?;
        Ok(Server { listener, address, thread: Some(thread) })
    }

    /// With the port that was chosen, where any would do.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Wakes the thread from its accept, which fails from now on (shutdown(2) on a listener).
        let _ = SockRef::from(&*self.listener).shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            // If it panicked, the run is none the worse.
            let _ = thread.join();
        }
    }
}

fn refused(address: SocketAddr, error: &io::Error) -> Error {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; choose another port",
        io::ErrorKind::AddrNotAvailable => {
            "this host has no such address; choose one of its own, or a port alone"
        }
        io::ErrorKind::PermissionDenied => "this user may not; choose a port from 1024 on",
        _ => {
            return Error::failed(format!(
                "--prometheus: cannot listen on {address} ({error}); choose another address"
            ));
        }
    };
    Error::failed(format!("--prometheus: cannot listen on {address}: {why}"))
}

fn serve(listener: &TcpListener, exposition: &Exposition) {
    loop {
        match listener.accept() {
            // Whoever hangs up or says nonsense has no metrics; the next one may.
            Ok((stream, _)) => drop(answer(stream, exposition)),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return,
            // Out of descriptors, or a client that was gone already.
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn answer(mut stream: TcpStream, exposition: &Exposition) -> io::Result<()> {
    let head = read_head(&stream)?;
    let (answer, has_body) = respond(&head, exposition);
    let Answer { status, content_type, body } = answer;
    let length = body.len();
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    .into_bytes();
    if has_body {
        bytes.extend(body);
    }
    Within::new(&stream, PATIENCE).write_all(&bytes)?;
    stream.shutdown(Shutdown::Write)?;
    // A close before the other side has read all would take the answer back.
    stream.set_read_timeout(Some(FAREWELL))?;
    let _ = stream.read(&mut [0; 256]);
    Ok(())
}

/// Up to the empty line, or as far as the limit goes.
fn read_head(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut stream = Within::new(stream, PATIENCE);
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => head.extend_from_slice(&piece[..count]),
        }
    }
    Ok(head)
}

/// The answer, and whether its body is wanted.
fn respond(head: &[u8], exposition: &Exposition) -> (Answer, bool) {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    if !request.parse(head).is_ok_and(|status| status.is_complete()) {
        return (plain("400 Bad Request", "this is no request that can be read\n"), true);
    }
    let method = request.method.unwrap_or_default();
    let path = request.path.unwrap_or_default().split('?').next().unwrap_or_default();
    let accept = request.headers.iter().filter(|f| f.name.eq_ignore_ascii_case("accept"));
    let accept: Vec<_> = accept.map(|field| String::from_utf8_lossy(field.value)).collect();
    let answer = match (method, path) {
        ("GET" | "HEAD", "/metrics") => metrics(&accept.join(","), exposition),
        ("GET" | "HEAD", "/") => {
            let content_type = "text/html; charset=utf-8";
            Answer { status: "200 OK", content_type, body: INDEX.into() }
        }
        ("GET" | "HEAD", _) => plain("404 Not Found", "the metrics are at /metrics\n"),
        _ => plain("405 Method Not Allowed", "the metrics are read with GET\n"),
    };
    (answer, method != "HEAD")
}

fn metrics(accept: &str, exposition: &Exposition) -> Answer {
    let format = Format::accepted(accept);
    match format.encode(exposition) {
        Ok(body) => Answer { status: "200 OK", content_type: format.content_type(), body },
        Err(_) => plain("500 Internal Server Error", "the metrics could not be written\n"),
    }
}

fn plain(status: &'static str, text: &str) -> Answer {
    Answer { status, content_type: "text/plain; charset=utf-8", body: text.into() }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::metrics::Mode;
    use crate::report::exposition::About;

    fn server() -> Server {
        let about = About { url: "http://h/".to_string(), engine: "ring", mode: Mode::Closed };
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        Server::start(any, Exposition::new(about)).unwrap()
    }

    fn ask(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn metrics_are_read_at_one_place_and_pointed_to_from_the_root() {
        let server = server();
        for (request, status, body) in [
            ("GET /metrics HTTP/1.1\r\n\r\n", "200 OK", Some("blast_requests_sent_total 0\n")),
            ("GET /metrics?a=b HTTP/1.0\r\n\r\n", "200 OK", Some("blast_info{")),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", None),
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "200 OK", Some("<a href=\"/metrics\">")),
            ("GET /favicon.ico HTTP/1.1\r\n\r\n", "404 Not Found", Some("/metrics")),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed", Some("GET")),
            ("\0\r\n\r\n", "400 Bad Request", Some("no request")),
        ] {
            let answer = ask(&server, request);
            let (head, found) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {head}");
            match body {
                Some(body) => assert!(found.contains(body), "{request}: {found}"),
                None => assert_eq!(found, "", "{request}"),
            }
        }
    }

    #[test]
    fn a_head_without_end_is_not_read_to_its_end() {
        let server = server();
        let endless = format!("GET /metrics HTTP/1.1\r\nA: {}", "a".repeat(LONGEST_HEAD));
        assert!(ask(&server, &endless).starts_with("HTTP/1.1 400 "));
    }

    #[test]
    fn one_that_says_nothing_keeps_the_next_waiting_for_a_moment_only() {
        let server = server();
        let silent = TcpStream::connect(server.address()).unwrap();
        let began = Instant::now();
        assert!(ask(&server, "GET /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
        // Twice the patience: the machine may be busy.
        assert!(began.elapsed() < PATIENCE * 2, "{:?}", began.elapsed());
        drop(silent);
    }

    #[test]
    fn it_ends_with_its_owner_and_leaves_the_port_free() {
        let server = server();
        let address = server.address();
        drop(server);
        assert!(TcpListener::bind(address).is_ok());
    }
}
