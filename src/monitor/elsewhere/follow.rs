//! A file that grows, read from where it ended, as `tail -F` does: through its rotations (another
//! file takes its name) and its truncations.
//!
//! What is not seen: a file that was truncated and has grown past its old length between two looks.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is looked at of one line; the rest of a longer one is passed over.
const LONGEST: usize = 64 << 10;

/// A file that is followed.
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    file: File,
    /// Device and inode.
    identity: (u64, u64),
    position: u64,
    /// The beginning of a line whose end is not written yet.
    line: Vec<u8>,
}

impl Follow {
    /// From its end.
    pub fn open(path: &Path) -> io::Result<Follow> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        let position = file.seek(SeekFrom::End(0))?;
        let identity = identity(&metadata);
        Ok(Follow { path: path.to_path_buf(), file, identity, position, line: Vec::new() })
    }

    /// Gives each line that was finished since, without its end.
    pub fn read(&mut self, found: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.read_on(found)?;
        let Ok(metadata) = std::fs::metadata(&self.path) else {
            // Between the two steps of a rotation there is none of that name.
            return Ok(());
        };
        if identity(&metadata) != self.identity {
            return self.turn_over(found);
        }
        if metadata.len() < self.position {
            self.line.clear();
            self.position = self.file.seek(SeekFrom::Start(0))?;
            return self.read_on(found);
        }
        Ok(())
    }

    /// To the file that has the name now, from its start. What the old one has no end of line
    /// behind was its last line.
    fn turn_over(&mut self, found: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let file = File::open(&self.path)?;
        // What was written to the old one until just now.
        self.read_on(found)?;
        if !self.line.is_empty() {
            found(&self.line);
            self.line.clear();
        }
        self.identity = identity(&file.metadata()?);
        self.file = file;
        self.position = 0;
        self.read_on(found)
    }

    /// As far as it goes now: what is written meanwhile is the next look's.
    fn read_on(&mut self, found: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = [0; 32 << 10];
        let end = self.file.metadata()?.len();
        while self.position < end {
            let read = match self.file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.position += read as u64;
            self.take(&buffer[..read], found);
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8], found: &mut dyn FnMut(&[u8])) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, is_whole) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let room = LONGEST - self.line.len();
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if is_whole {
                found(self.line.strip_suffix(b"\r").unwrap_or(&self.line));
                self.line.clear();
            }
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("blast-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn log(&self) -> PathBuf {
            self.0.join("app.log")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn append(path: &Path, text: &str) {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn lines(follow: &mut Follow) -> Vec<String> {
        let mut lines = Vec::new();
        follow.read(&mut |line| lines.push(String::from_utf8_lossy(line).into_owned())).unwrap();
        lines
    }

    #[test]
    fn what_is_written_from_now_on_is_read_line_by_line() {
        let folder = Folder::new("follow");
        append(&folder.log(), "old\nhalf of");
        let mut follow = Follow::open(&folder.log()).unwrap();
        assert_eq!(lines(&mut follow), [""; 0]);
        append(&folder.log(), " it\na\r\n\nb");
        assert_eq!(lines(&mut follow), [" it", "a", ""]);
        append(&folder.log(), "c\n");
        assert_eq!(lines(&mut follow), ["bc"]);
    }

    #[test]
    fn another_file_of_that_name_is_read_from_its_start() {
        let folder = Folder::new("rotated");
        append(&folder.log(), "old\n");
        let mut follow = Follow::open(&folder.log()).unwrap();
        append(&folder.log(), "last");
        assert_eq!(lines(&mut follow), [""; 0]);
        fs::rename(folder.log(), folder.0.join("app.log.1")).unwrap();
        append(&folder.0.join("app.log.1"), " one\nunfinished");
        assert_eq!(lines(&mut follow), ["last one"], "there is no file of that name");
        append(&folder.log(), "new\n");
        assert_eq!(lines(&mut follow), ["unfinished", "new"]);
    }

    #[test]
    fn a_file_that_was_cut_is_read_from_its_start() {
        let folder = Folder::new("truncated");
        append(&folder.log(), "a long first line\n");
        let mut follow = Follow::open(&folder.log()).unwrap();
        append(&folder.log(), "half");
        assert_eq!(lines(&mut follow), [""; 0]);
        File::options().write(true).truncate(true).open(folder.log()).unwrap();
        append(&folder.log(), "b\n");
        assert_eq!(lines(&mut follow), ["b"]);
    }

    #[test]
    fn of_a_line_without_end_the_beginning_is_kept() {
        let folder = Folder::new("long");
        append(&folder.log(), "");
        let mut follow = Follow::open(&folder.log()).unwrap();
        for _ in 0..5 {
            append(&folder.log(), &"x".repeat(LONGEST / 2));
            assert_eq!(lines(&mut follow), [""; 0]);
        }
        append(&folder.log(), "\nshort\n");
        let found = lines(&mut follow);
        assert_eq!((found[0].len(), &*found[1]), (LONGEST, "short"));
    }

    #[test]
    fn a_file_that_grows_faster_than_it_is_read_is_read_as_far_as_it_went() {
        let folder = Folder::new("fast");
        append(&folder.log(), "");
        let mut follow = Follow::open(&folder.log()).unwrap();
        append(&folder.log(), "first\n");
        let (log, mut count) = (folder.log(), 0);
        for turn in 1..=3 {
            // Each line that is read is another one written; past a few, for ever.
            let mut read = |_: &[u8]| {
                count += 1;
                append(&log, if count < 100 { "next\n" } else { "" });
            };
            follow.read(&mut read).unwrap();
            assert_eq!(count, turn);
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        assert!(Follow::open(Path::new("/")).is_err());
        assert!(Follow::open(Path::new("/dev/zero")).is_err());
    }
}
