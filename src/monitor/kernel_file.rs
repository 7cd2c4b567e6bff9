//! A file of /proc that is read again and again: opened once, into memory of its own.

use std::fs::File;
use std::os::unix::fs::FileExt;

#[derive(Debug)]
pub struct KernelFile {
    file: File,
    bytes: Vec<u8>,
}

/// Enough for most of them in one call.
const FIRST: usize = 4096;

/// None of those that are read here is longer.
const LONGEST: usize = 4 << 20;

impl KernelFile {
    /// `None` where this kernel has no such file, or nobody may read it.
    pub fn open(path: &str) -> Option<KernelFile> {
        let mut file = KernelFile { file: File::open(path).ok()?, bytes: vec![0; FIRST] };
        // Some open well and cannot be read (/proc/pressure with psi=0).
        file.read().is_some().then_some(file)
    }

    /// The text as it is now.
    pub fn read(&mut self) -> Option<&str> {
        let mut length = 0;
        loop {
            let read = self.file.read_at(&mut self.bytes[length..], length as u64).ok()?;
            length += read;
            if read == 0 {
                return std::str::from_utf8(&self.bytes[..length]).ok();
            }
            if length == self.bytes.len() {
                if length >= LONGEST {
                    return None;
                }
                self.bytes.resize(2 * length, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_kernel_is_read_in_full_and_again() {
        let mut stat = KernelFile::open("/proc/self/stat").unwrap();
        let mine = format!("{} (", std::process::id());
        assert!(stat.read().unwrap().starts_with(&mine) && stat.read().unwrap().ends_with('\n'));
        // Longer than what is read at first.
        let mut maps = KernelFile::open("/proc/self/smaps").unwrap();
        assert!(maps.read().unwrap().len() > FIRST);
        assert!(KernelFile::open("/proc/no_such_file").is_none());
    }
}
