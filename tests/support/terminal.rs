//! A terminal, to see what only terminals are shown.

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};

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
