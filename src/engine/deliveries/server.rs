//! A server that knows each byte of what is to come, on plain blocking sockets.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

/// A prime, so that it falls together with no boundary of a buffer.
const PERIOD: usize = 65_521;

/// From this length of a body on it is large.
const LARGE: usize = 1 << 20;

/// What it does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Reads,
    /// Bit by bit, with a small buffer.
    ReadsSlowly,
    /// Resets the connection within a large request.
    ResetsLarge,
    /// Reads no further, and keeps the connection.
    StopsAtLarge,
    /// Answers a large request as soon as its head is there, and reads no further.
    AnswersEarly,
}

pub struct Server {
    pub address: SocketAddr,
    stopped: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

/// Of the bytes of request `number` that are its own.
pub fn own_byte(number: u64, at: usize) -> u8 {
    (number as usize * 31 + at * 7) as u8
}

fn byte_of_tail(at: usize) -> u8 {
    let at = at % PERIOD;
    (at * 13 + at / 251) as u8
}

/// A tail of this length; all of them begin alike.
pub fn tail(length: usize) -> Vec<u8> {
    let period: Vec<u8> = (0..PERIOD).map(byte_of_tail).collect();
    let mut tail = period.repeat(length.div_ceil(PERIOD));
    tail.truncate(length);
    tail
}

impl Server {
    pub fn start(manner: Manner, secure: bool) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        if matches!(manner, Manner::ReadsSlowly | Manner::AnswersEarly) {
            SockRef::from(&listener).set_recv_buffer_size(16 << 10).expect("a small buffer");
        }
        let address = listener.local_addr().expect("an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let accepting = thread::spawn({
            let stopped = stopped.clone();
            move || accept(&listener, manner, secure, &stopped)
        });
        Server { address, stopped, accepting }
    }

    /// Panics where something came that should not have.
    pub fn stop(self) {
        self.stopped.store(true, SeqCst);
        drop(TcpStream::connect(self.address));
        self.accepting.join().expect("all that came is what was sent");
    }
}

fn accept(listener: &TcpListener, manner: Manner, secure: bool, stopped: &Arc<AtomicBool>) {
    let config = secure.then(config);
    let mut peers = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if stopped.load(SeqCst) {
            break;
        }
        let (config, stopped) = (config.clone(), stopped.clone());
        peers.push(thread::spawn(move || {
            let socket = stream.try_clone().expect("a second descriptor");
            let mut peer = Peer { manner, socket, stopped, last: None, kept: Vec::new() };
            match config {
                None => peer.serve(stream),
                Some(config) => {
                    let server = ServerConnection::new(config).expect("a server");
                    peer.serve(StreamOwned::new(server, stream));
                }
            }
        }));
    }
    let outcomes: Vec<_> = peers.into_iter().map(JoinHandle::join).collect();
    assert!(outcomes.iter().all(Result::is_ok));
}

fn config() -> Arc<ServerConfig> {
    let made =
        rcgen::generate_simple_self_signed(["localhost".to_string()]).expect("a certificate");
    let certificate = CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).expect("PEM");
    let key =
        PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).expect("PEM");
    let provider = rustls::crypto::ring::default_provider();
    let builder = ServerConfig::builder_with_provider(provider.into());
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    let config = builder.with_no_client_auth().with_single_cert(vec![certificate], key);
    Arc::new(config.expect("a key"))
}

struct Peer {
    manner: Manner,
    socket: TcpStream,
    stopped: Arc<AtomicBool>,
    /// The number of the last request.
    last: Option<u64>,
    /// Read, and not looked at yet.
    kept: Vec<u8>,
}

impl Peer {
    fn serve(&mut self, mut stream: impl Read + Write) {
        while let Ok(true) = self.exchange(&mut stream) {}
    }

    /// One request. False when nothing more is to come.
    fn exchange(&mut self, stream: &mut (impl Read + Write)) -> io::Result<bool> {
        let Some(head) = self.head(stream)? else { return Ok(false) };
        let (number, own, length) = parse(&head);
        assert!(self.last.is_none_or(|last| last < number), "{number} after {:?}", self.last);
        self.last = Some(number);
        if length >= LARGE && !matches!(self.manner, Manner::Reads | Manner::ReadsSlowly) {
            self.body(stream, number, own, 100_000)?;
            return self.refuse(stream);
        }
        self.body(stream, number, own, length)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        stream.flush()?;
        Ok(true)
    }

    fn refuse(&mut self, stream: &mut impl Write) -> io::Result<bool> {
        if self.manner == Manner::AnswersEarly {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
            stream.flush()?;
        }
        if self.manner == Manner::ResetsLarge {
            let none = Some(Duration::ZERO);
            SockRef::from(&self.socket).set_linger(none)?;
            return Ok(false);
        }
        // Without reading, but for its end at last.
        while !self.stopped.load(SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(false)
    }

    fn head(&mut self, stream: &mut impl Read) -> io::Result<Option<String>> {
        loop {
            if let Some(at) = self.kept.windows(4).position(|end| end == b"\r\n\r\n") {
                let head: Vec<u8> = self.kept.drain(..at + 4).collect();
                return Ok(Some(String::from_utf8(head).expect("a head")));
            }
            if !self.fill(stream)? {
                assert!(self.kept.is_empty(), "an end within {}", self.kept.escape_ascii());
                return Ok(None);
            }
        }
    }

    /// So much of a body, every byte of which is known.
    fn body(
        &mut self,
        stream: &mut impl Read,
        number: u64,
        own: usize,
        length: usize,
    ) -> io::Result<()> {
        let mut at = 0;
        while at < length {
            if self.kept.is_empty() && !self.fill(stream)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let here = self.kept.len().min(length - at);
            for (at, byte) in (at..).zip(self.kept.drain(..here)) {
                let expected = if at < own { own_byte(number, at) } else { byte_of_tail(at - own) };
                assert_eq!(byte, expected, "byte {at} of request {number}");
            }
            at += here;
        }
        Ok(())
    }

    /// False at the end.
    fn fill(&mut self, stream: &mut impl Read) -> io::Result<bool> {
        let mut buffer = [0; 16 << 10];
        let most = match self.manner {
            Manner::ReadsSlowly => {
                thread::sleep(Duration::from_micros(300));
                12_000
            }
            _ => buffer.len(),
        };
        let count = stream.read(&mut buffer[..most])?;
        self.kept.extend_from_slice(&buffer[..count]);
        Ok(count > 0)
    }
}

/// The number of a request, the length of what is its own, and that of the whole body.
fn parse(head: &str) -> (u64, usize, usize) {
    let of = |from: &str, to: &str| {
        let rest = head.split_once(from).map_or("", |(_, rest)| rest);
        rest.split_once(to).map_or("", |(number, _)| number).to_string()
    };
    let path = of("POST /", " ");
    let (number, own) = path.split_once('/').expect("a path");
    let length = of("Content-Length: ", "\r");
    let usize = |text: &str| text.parse::<usize>().expect("a number");
    (usize(number) as u64, usize(own), usize(&length))
}
