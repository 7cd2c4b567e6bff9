//! A server that follows a script, on plain blocking sockets: a thread a connection, and none of
//! blast's own code, so that no mistake is made on both sides.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::ServerConnection;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::LIMIT;
use super::secure::Handshake;

/// What a Unix socket has for an address.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// What was heard of one request.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Which connection, from 0.
    pub connection: usize,
    /// The client's address and port.
    pub from: IpAddr,
    pub port: u16,
    /// Which request on the connection, from 0.
    pub turn: usize,
    /// When its head was complete, on the monotonic clock.
    pub at: Instant,
    pub head: String,
    pub body: usize,
}

pub struct Server {
    address: SocketAddr,
    /// The same for the kernel, or that of a Unix socket.
    place: SockAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
pub(super) struct Shared {
    log: Mutex<Vec<Heard>>,
    pub(super) handshakes: Mutex<Vec<Handshake>>,
    /// Told of each request and each connection.
    news: Condvar,
    connections: AtomicUsize,
    stopped: AtomicBool,
    streams: Mutex<Vec<Weak<TcpStream>>>,
}

impl Server {
    /// Each connection is handed to `script`, and ended in order when that returns.
    pub fn start(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Server {
        Server::start_at("127.0.0.1:0".parse().unwrap(), script)
    }

    pub fn start_at(
        address: SocketAddr,
        script: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> Server {
        Server::start_on(TcpListener::bind(address).unwrap().into(), script)
    }

    /// On a Unix socket of this path, or behind `@` of this abstract name. It has no URL of its own.
    pub fn start_at_socket(
        name: &str,
        script: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> Server {
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let name = name.strip_prefix('@').map_or(name.to_string(), |name| format!("\0{name}"));
        listener.bind(&SockAddr::unix(name).unwrap()).unwrap();
        listener.listen(128).unwrap();
        Server::start_on(listener, script)
    }

    fn start_on(listener: Socket, script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Server {
        let place = listener.local_addr().unwrap();
        let address = place.as_socket().unwrap_or(NOWHERE);
        let shared = Arc::new(Shared::default());
        let accepting = thread::spawn({
            let shared = shared.clone();
            move || accept(listener, &shared, Arc::new(script))
        });
        Server { address, place, shared, accepting: Some(accepting) }
    }

    /// Answers each request with the same bytes.
    pub fn answering(bytes: impl Into<Vec<u8>>) -> Server {
        let bytes = bytes.into();
        Server::start(move |peer| peer.answer_all(&bytes))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// All that was heard, in order.
    pub fn log(&self) -> Vec<Heard> {
        self.shared.log.lock().unwrap().clone()
    }

    /// Those of TLS that were brought to an end.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.shared.handshakes.lock().unwrap().clone()
    }

    pub fn requests(&self) -> u64 {
        self.shared.log.lock().unwrap().len() as u64
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    /// Waits until so many requests were heard.
    pub fn heard(&self, requests: usize) {
        let log = self.shared.log.lock().unwrap();
        let few = |log: &mut Vec<Heard>| log.len() < requests;
        let (log, outcome) = self.shared.news.wait_timeout_while(log, LIMIT, few).unwrap();
        assert!(!outcome.timed_out(), "{} of {requests} requests", log.len());
    }
}

impl Drop for Server {
    /// Closes the port and every connection, and waits for that.
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        let poke = Socket::new(self.place.domain(), Type::STREAM, None).unwrap();
        let _ = poke.connect(&self.place);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn accept(
    listener: Socket,
    shared: &Arc<Shared>,
    script: Arc<impl Fn(&mut Peer) + Send + Sync + 'static>,
) {
    let mut threads = Vec::new();
    loop {
        let (stream, client) = listener.accept().unwrap();
        if shared.stopped.load(SeqCst) {
            break;
        }
        let client = client.as_socket().unwrap_or(NOWHERE);
        // A stream of bytes is read and written alike, whatever carries it.
        let stream = Arc::new(TcpStream::from(stream));
        shared.streams.lock().unwrap().push(Arc::downgrade(&stream));
        let number = shared.connections.fetch_add(1, SeqCst);
        let (shared, script) = (shared.clone(), script.clone());
        let mut peer = Peer {
            number,
            client,
            turn: 0,
            stream: Some(stream),
            tls: None,
            is_slow: false,
            written: 0,
            unread: Vec::new(),
            shared,
        };
        threads.push(thread::spawn(move || {
            script(&mut peer);
            peer.end();
        }));
    }
    // First the port, or those whose connections end next would come back through it.
    drop(listener);
    for stream in shared.streams.lock().unwrap().iter().filter_map(Weak::upgrade) {
        let _ = stream.shutdown(Shutdown::Both);
    }
    // A script that panicked has said so.
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

/// One connection, in the hands of a script. Writing never fails: what the client does not take
/// is its own affair.
pub struct Peer {
    /// Which connection this is, from 0.
    pub number: usize,
    client: SocketAddr,
    turn: usize,
    /// `None` after a reset, or a write that failed.
    stream: Option<Arc<TcpStream>>,
    /// From its handshake on: what is read and written then is plaintext.
    pub(super) tls: Option<Box<ServerConnection>>,
    /// Its messages go out byte by byte.
    pub(super) is_slow: bool,
    written: usize,
    pub(super) unread: Vec<u8>,
    pub(super) shared: Arc<Shared>,
}

impl Peer {
    /// The next request, its body read; `None` when the client is gone.
    pub fn request(&mut self) -> Option<Heard> {
        self.request_and_body().map(|(heard, _)| heard)
    }

    pub fn request_and_body(&mut self) -> Option<(Heard, Vec<u8>)> {
        let heard = self.head()?;
        while self.unread.len() < heard.body {
            self.more()?;
        }
        let body = self.unread.drain(..heard.body).collect();
        Some((heard, body))
    }

    /// The next request's head; its body stays unread.
    pub fn head(&mut self) -> Option<Heard> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.more()?;
        };
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let body = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let body = body.map_or(0, |length| length.parse().unwrap());
        let (connection, turn, at) = (self.number, self.turn, Instant::now());
        let (from, port) = (self.client.ip(), self.client.port());
        let heard = Heard { connection, from, port, turn, at, head, body };
        self.turn += 1;
        self.shared.log.lock().unwrap().push(heard.clone());
        self.shared.news.notify_all();
        Some(heard)
    }

    /// Answers as long as there are requests.
    pub fn answer_all(&mut self, bytes: &[u8]) {
        while self.request().is_some() {
            self.write(bytes);
        }
    }

    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        match self.seal(bytes.as_ref()) {
            Some(records) => self.write_raw(&records),
            None => self.write_raw(bytes.as_ref()),
        }
    }

    /// As they are, TLS or not.
    pub fn write_raw(&mut self, bytes: &[u8]) {
        let Some(mut stream) = self.stream.as_deref() else { return };
        match stream.write_all(bytes) {
            Ok(()) => self.written += bytes.len(),
            Err(_) => self.stream = None,
        }
    }

    /// Bytes that were written.
    pub fn wrote(&self) -> usize {
        self.written
    }

    /// As far as the last write could tell.
    pub fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// At once, whatever is unread: where something is, that is a reset.
    pub fn close(&mut self) {
        self.stream = None;
    }

    /// In pieces of one byte, each a segment of its own.
    pub fn dribble(&mut self, bytes: impl AsRef<[u8]>) {
        match self.seal(bytes.as_ref()) {
            Some(records) => self.dribble_raw(&records),
            None => self.dribble_raw(bytes.as_ref()),
        }
    }

    pub(super) fn dribble_raw(&mut self, bytes: &[u8]) {
        self.no_delay();
        bytes.chunks(1).for_each(|byte| self.write_raw(byte));
    }

    pub(super) fn no_delay(&self) {
        if let Some(stream) = &self.stream {
            let _ = stream.set_nodelay(true);
        }
    }

    /// The last byte is written; the client's are still read. TLS is told before.
    pub fn fin(&mut self) {
        self.notify();
        self.end_writing();
    }

    /// The same without a word of TLS.
    pub fn cut(&mut self) {
        self.tls = None;
        self.end_writing();
    }

    fn end_writing(&mut self) {
        if let Some(stream) = &self.stream {
            let _ = stream.shutdown(Shutdown::Write);
        }
    }

    /// RST: what was written before still arrives, on loopback.
    pub fn reset(&mut self) {
        if let Some(stream) = self.stream.take() {
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
    }

    /// Until the client closes, or the test is over.
    pub fn wait_for_end(&mut self) {
        while self.more().is_some() {
            self.unread.clear();
        }
    }

    /// Until the client has closed or the test is over, without reading a byte.
    pub fn wait_without_reading(&mut self) {
        let Some(stream) = &self.stream else { return };
        let mut poll = libc::pollfd { fd: stream.as_raw_fd(), events: libc::POLLRDHUP, revents: 0 };
        // SAFETY: one `pollfd`, which this frame owns; the stream is open for as long.
        unsafe { libc::poll(&mut poll, 1, LIMIT.as_millis() as i32) };
    }

    fn end(&mut self) {
        self.fin();
        // Closing with bytes unread would be a reset.
        self.wait_for_end();
    }

    fn more(&mut self) -> Option<()> {
        if self.tls.is_none() {
            let bytes = self.read_raw()?;
            self.unread.extend_from_slice(&bytes);
            return Some(());
        }
        loop {
            let plain = self.unseal()?;
            if !plain.is_empty() {
                self.unread.extend_from_slice(&plain);
                return Some(());
            }
        }
    }

    /// At least one byte, as it came.
    pub fn read_raw(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.as_deref()?.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => return Some(buffer[..length].to_vec()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}

/// A port on which nothing listens.
pub fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A host that takes no connection: its listen queue is full, so that a SYN gets no answer.
pub struct Deaf {
    listener: TcpListener,
    queue: Mutex<Vec<TcpStream>>,
}

impl Deaf {
    pub fn new() -> Deaf {
        let deaf = Deaf::after_one();
        deaf.fill();
        deaf
    }

    /// As long as nobody is accepted: the queue has room for one.
    pub fn after_one() -> Deaf {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        Deaf { listener: listener.into(), queue: Mutex::default() }
    }

    /// Serves the connection that waits in the queue, and lets nobody else into it. Those who
    /// came with the first have had their SYN dropped by then, and the next is due after a
    /// second (RFC 6298, 2.1).
    pub fn serve_the_first(&self, answer: &str) {
        let mut poll =
            libc::pollfd { fd: self.listener.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one `pollfd`, which this frame owns; the listener is open.
        assert_eq!(unsafe { libc::poll(&mut poll, 1, LIMIT.as_millis() as i32) }, 1);
        thread::sleep(Duration::from_millis(300));
        let (mut stream, _) = self.listener.accept().unwrap();
        self.fill();
        let mut buffer = [0; 16 * 1024];
        while stream.read(&mut buffer).is_ok_and(|length| length > 0) {
            let _ = stream.write_all(answer.as_bytes());
        }
    }

    fn fill(&self) {
        let connect =
            || TcpStream::connect_timeout(&self.address(), Duration::from_millis(100)).ok();
        self.queue.lock().unwrap().extend(std::iter::from_fn(connect));
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address())
    }
}
