//! A terminal, to see what only terminals are shown.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

pub struct Terminal(File);

impl Terminal {
    /// This side of it, and the program's.
    pub fn open() -> (Terminal, OwnedFd) {
        let (mut ours, mut theirs) = (-1, -1);
        let size = libc::winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: two ints and a size, all owned by this frame; null asks for no name and for
        // the usual settings.
        let outcome = unsafe {
            let (no_name, usual) = (std::ptr::null_mut(), std::ptr::null());
            libc::openpty(&mut ours, &mut theirs, no_name, usual, &size)
        };
        assert_eq!(outcome, 0, "{}", std::io::Error::last_os_error());
        // SAFETY: both were just opened, and nobody else knows them.
        unsafe { (Terminal(File::from_raw_fd(ours)), OwnedFd::from_raw_fd(theirs)) }
    }

    /// Types into it.
    #[cfg_attr(not(feature = "tui"), allow(dead_code))]
    pub fn type_in(&self, keys: &str) {
        (&self.0).write_all(keys.as_bytes()).unwrap();
    }

    #[cfg_attr(not(feature = "tui"), allow(dead_code))]
    pub fn resize(&self, columns: u16, rows: u16) {
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: reads a size that this frame owns.
        let outcome = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::TIOCSWINSZ, &size) };
        assert_eq!(outcome, 0, "{}", std::io::Error::last_os_error());
    }

    /// How input, output and lines are treated on the program's side.
    #[cfg_attr(not(feature = "tui"), allow(dead_code))]
    pub fn modes(&self) -> [libc::tcflag_t; 4] {
        // SAFETY: zeroed, it is a valid one, and the call fills it.
        let modes = unsafe {
            let mut modes: libc::termios = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(self.0.as_raw_fd(), &mut modes), 0);
            modes
        };
        [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag]
    }

    /// What has been shown since this was last asked; waits until there is something. Empty: the
    /// program has closed its side.
    #[cfg_attr(not(feature = "tui"), allow(dead_code))]
    pub fn read_some(&mut self) -> Vec<u8> {
        let mut buffer = [0; 65_536];
        let length = self.0.read(&mut buffer).unwrap_or(0);
        buffer[..length].to_vec()
    }

    /// All that is shown until the program has closed its side.
    pub fn read_to_end(mut self) -> String {
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        // EIO is how a terminal says that the other side is gone.
        while let Ok(length @ 1..) = self.0.read(&mut buffer) {
            text.extend_from_slice(&buffer[..length]);
        }
        String::from_utf8(text).unwrap()
    }
}
