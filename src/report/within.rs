//! A connection whose other side has so long for all that it is sent or has to say, and not for
//! each piece: one that dawdles, a byte at a time, is as bad as one that is silent.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

pub struct Within<'a> {
    stream: &'a TcpStream,
    until: Instant,
}

impl<'a> Within<'a> {
    pub fn new(stream: &'a TcpStream, patience: Duration) -> Within<'a> {
        Within { stream, until: Instant::now() + patience }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Within<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(into)
    }
}

impl Write for Within<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(300);

    /// The two ends of a connection.
    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, listener.accept().unwrap().0)
    }

    #[test]
    fn one_that_dawdles_is_read_no_longer_than_one_that_is_silent() {
        let (near, mut far) = pair();
        // Until the near side has closed.
        let dawdler = thread::spawn(move || {
            while far.write_all(b".").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let (began, mut read) = (Instant::now(), Vec::new());
        let end = Within::new(&near, PATIENCE).read_to_end(&mut read);
        assert!(end.is_err() && !read.is_empty());
        // The machine may be busy.
        assert!(began.elapsed() < PATIENCE * 10, "{:?}", began.elapsed());
        drop(near);
        dawdler.join().unwrap();
    }

    #[test]
    fn one_that_takes_a_little_at_a_time_is_not_waited_for() {
        let (near, mut far) = pair();
        let dawdler = thread::spawn(move || {
            while far.read(&mut [0; 4_096]).is_ok_and(|read| read > 0) {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let began = Instant::now();
        // More than both sides' buffers hold.
        let end = Within::new(&near, PATIENCE).write_all(&vec![0; 256 << 20]);
        assert!(end.is_err() && began.elapsed() < PATIENCE * 10, "{:?}", began.elapsed());
        near.shutdown(std::net::Shutdown::Both).unwrap();
        drop(near);
        drop(dawdler);
    }
}
