//! The floor: a bare loop on io_uring that sends a request and receives an answer, and does
//! nothing else. No parsing, no clock but for the end, no histogram, no schedule. What a client
//! spends above this is its own.
//!
//! The same ring as the default engine's: deferred task work, registered files, one multishot
//! receive a connection into provided buffers, sends without a completion. It trusts that each
//! answer has the length given, so it is a measure and not a tool.
//!
//! `cargo bench --bench floor -- ADDRESS CONNECTIONS SECONDS [ANSWER_BYTES]` prints one JSON line.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use std::{env, io, mem, process};

use io_uring::types::{BufRingEntry, Fixed};
use io_uring::{IoUring, cqueue, opcode, squeue};

const BUFFERS: u16 = 256;
const BUFFER: usize = 4096;
const SLICE: usize = 64;

/// IORING_ENTER_GETEVENTS of linux/io_uring.h.
const GETEVENTS: u32 = 1;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: blast/0.1.0\r\n\r\n";

/// The verbs of a token; the connection's number is above them.
const RECEIVE: u64 = 0;
const SEND: u64 = 1;

fn main() -> io::Result<()> {
    // cargo bench adds a flag of its own.
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let [address, connections, seconds, rest @ ..] = &words[..] else {
        println!("usage: cargo bench --bench floor -- ADDRESS CONNECTIONS SECONDS [ANSWER_BYTES]");
        return Ok(());
    };
    let address: SocketAddr = number(address);
    let length = rest.first().map_or(130, |word| number(word));
    let mut floor = Floor::new(address, number(connections), length)?;
    floor.run(Duration::from_secs(number(seconds)))
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| {
        eprintln!("floor: `{word}` is not what belongs there; run it without words for its usage");
        process::exit(2)
    })
}

struct Floor {
    ring: IoUring,
    /// By connection: bytes of the current answer still to come.
    left: Vec<usize>,
    length: usize,
    answers: u64,
    memory: Box<[u8]>,
    entries: *mut BufRingEntry,
    tail: u16,
    /// Keeps the connections open.
    _streams: Vec<TcpStream>,
}

impl Floor {
    fn new(address: SocketAddr, connections: usize, length: usize) -> io::Result<Floor> {
        blast::host::raise_descriptor_limit();
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_cqsize(4096)
            .build(256)?;
        let streams = (0..connections).map(|_| connect(address)).collect::<io::Result<Vec<_>>>()?;
        let descriptors: Vec<_> = streams.iter().map(|stream| stream.as_raw_fd()).collect();
        ring.submitter().register_files(&descriptors)?;
        let entries = map_entries()?;
        // SAFETY: the mapping has BUFFERS entries and lives until the process ends.
        unsafe { ring.submitter().register_buf_ring_with_flags(entries as u64, BUFFERS, 0, 0)? };
        let mut floor = Floor {
            ring,
            left: vec![length; connections],
            length,
            answers: 0,
            memory: vec![0; usize::from(BUFFERS) * BUFFER].into_boxed_slice(),
            entries,
            tail: 0,
            _streams: streams,
        };
        (0..BUFFERS).for_each(|id| floor.give_back(id));
        floor.publish();
        Ok(floor)
    }

    fn run(&mut self, time: Duration) -> io::Result<()> {
        // All receives are armed before the first answer can come: armed among answers, each would
        // complete at once, and the buffers and the completion queue would overflow for good.
        (0..self.left.len()).try_for_each(|connection| self.receive(connection))?;
        (0..self.left.len()).try_for_each(|connection| self.send(connection))?;
        let (start, before) = (Instant::now(), usage());
        let mut slice: Vec<cqueue::Entry> = Vec::with_capacity(SLICE);
        while start.elapsed() < time {
            let want = u32::from(self.ring.completion().is_empty());
            self.enter(want)?;
            slice.extend(self.ring.completion().take(SLICE));
            for completion in slice.drain(..) {
                self.handle(&completion)?;
            }
            self.publish();
        }
        self.report(start.elapsed(), before);
        Ok(())
    }

    fn handle(&mut self, completion: &cqueue::Entry) -> io::Result<()> {
        let connection = (completion.user_data() >> 1) as usize;
        let (result, flags) = (completion.result(), completion.flags());
        if completion.user_data() & 1 == SEND || (result <= 0 && -result != libc::ENOBUFS) {
            return Err(io::Error::other(format!("connection {connection} ended: {result}")));
        }
        if let Some(buffer) = cqueue::buffer_select(flags) {
            self.give_back(buffer);
        }
        if !cqueue::more(flags) {
            self.receive(connection)?;
        }
        let left = &mut self.left[connection];
        *left = left.saturating_sub(result.max(0) as usize);
        if *left == 0 {
            *left = self.length;
            self.answers += 1;
            self.send(connection)?;
        }
        Ok(())
    }

    fn receive(&mut self, connection: usize) -> io::Result<()> {
        let entry = opcode::RecvMulti::new(Fixed(connection as u32), 0).build();
        self.push(entry.user_data((connection as u64) << 1 | RECEIVE))
    }

    fn send(&mut self, connection: usize) -> io::Result<()> {
        let to = Fixed(connection as u32);
        let entry = opcode::Send::new(to, REQUEST.as_ptr(), REQUEST.len() as u32)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS);
        self.push(entry.user_data((connection as u64) << 1 | SEND))
    }

    fn push(&mut self, entry: squeue::Entry) -> io::Result<()> {
        // SAFETY: sends point to a constant, receives to no memory.
        while unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.enter(0)?;
        }
        Ok(())
    }

    /// Without anything to wait for, the kernel is not asked for completions either: it would go
    /// on making them faster than they are handled.
    fn enter(&mut self, want: u32) -> io::Result<()> {
        let queued = self.ring.submission().len() as u32;
        // SAFETY: no argument is passed.
        unsafe { self.ring.submitter().enter::<()>(queued, want, want * GETEVENTS, None) }.map(drop)
    }

    fn give_back(&mut self, id: u16) {
        let start = self.memory[usize::from(id) * BUFFER..].as_mut_ptr();
        // SAFETY: within the mapping, and not the kernel's until `publish`.
        let entry = unsafe { &mut *self.entries.add(usize::from(self.tail % BUFFERS)) };
        entry.set_addr(start as u64);
        entry.set_len(BUFFER as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    fn publish(&self) {
        use std::sync::atomic::{AtomicU16, Ordering::Release};
        // SAFETY: the tail is a 16-bit field of the first entry, which the kernel only reads.
        unsafe { &*BufRingEntry::tail(self.entries).cast::<AtomicU16>() }.store(self.tail, Release);
    }

    fn report(&self, time: Duration, before: libc::rusage) {
        let (requests, after) = (self.answers, usage());
        let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
        let user = seconds(after.ru_utime) - seconds(before.ru_utime);
        let system = seconds(after.ru_stime) - seconds(before.ru_stime);
        println!(
            "{{\"requests\":{requests},\"per_s\":{:.1},\"user_s\":{user:.3},\
             \"system_s\":{system:.3},\"cpu_us_per_request\":{:.3},\"max_rss_bytes\":{}}}",
            requests as f64 / time.as_secs_f64(),
            (user + system) * 1e6 / requests.max(1) as f64,
            after.ru_maxrss * 1024
        );
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn map_entries() -> io::Result<*mut BufRingEntry> {
    let bytes = usize::from(BUFFERS) * size_of::<BufRingEntry>();
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new anonymous mapping, which lives until the process ends.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, rights, kind, -1, 0) };
    if start == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(start.cast()) }
}

fn usage() -> libc::rusage {
    // SAFETY: the call fills the zeroed struct, which is valid as such.
    unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    }
}
