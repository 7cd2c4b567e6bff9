//! A file that is either whole or untouched: what is written goes beside it, and takes its place
//! in the end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};

/// A file in the making. Dropped before [`Staged::keep`], it leaves no trace.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    /// Where it is until then. `None`: what is no regular file (`/dev/stderr`, a pipe) is written
    /// to directly.
    beside: Option<PathBuf>,
    file: File,
}

impl Staged {
    pub fn create(path: &Path) -> io::Result<Staged> {
        let path = followed(path);
        let older = match fs::metadata(&path) {
            Ok(found) if !found.is_file() => {
                let file = open_directly(&path)?;
                return Ok(Staged { path, beside: None, file });
            }
            // A folder's permissions would allow to replace what its own protect.
            Ok(found) => File::options().write(true).open(&path).map(|_| Some(found))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let (beside, file) = create_beside(&path)?;
        let staged = Staged { path, beside: Some(beside), file };
        if let Some(older) = older {
            staged.file.set_permissions(older.permissions())?;
        }
        Ok(staged)
    }

    /// One that is in its place from the start, so that others can follow what is written to it.
    /// What was there before is gone.
    pub fn in_place(path: &Path) -> io::Result<Staged> {
        let path = followed(path);
        let file = match fs::metadata(&path) {
            Ok(found) if !found.is_file() => open_directly(&path)?,
            _ => File::create(&path)?,
        };
        Ok(Staged { path, beside: None, file })
    }

    /// Puts it in its place, so that after a power cut either the older or the new one is there,
    /// and whole: first its bytes reach the disk, then its name.
    pub fn keep(mut self) -> io::Result<()> {
        self.file.flush()?;
        if let Some(beside) = &self.beside {
            self.file.sync_all()?;
            fs::rename(beside, &self.path)?;
            self.beside = None;
            sync_folder(&self.path)?;
        }
        Ok(())
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // There is an earlier error to tell, or none: nobody wants the file any more.
            let _ = fs::remove_file(beside);
        }
    }
}

/// Writes a whole file.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = Staged::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.keep()
    });
    written.map_err(|error| failed(path, &error))
}

/// The sentence about a file that could not be written.
pub fn failed(path: &Path, error: &io::Error) -> Error {
    Error::failed(format!(
        "could not write the report to {}: {error}; choose another place with --output",
        path.display()
    ))
}

/// Whether a file could be written there, before there is anything to write. What is no regular
/// file is not tried: its reader would take that for the end.
pub fn probe(path: &Path) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok(());
    }
    // An empty file has a place on a full disk.
    Staged::create(path)?.write_all(&[0; 4096])
}

/// What is no regular file. A pipe that nobody reads is refused: to open it would wait for a reader
/// without end.
fn open_directly(path: &Path) -> io::Result<File> {
    let file = File::options().write(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    // SAFETY: changes a flag of a descriptor that this frame owns: writes wait as usual.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, 0) } {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Through links, so that the file they lead to is replaced and not they; also where that file is
/// still to be made.
fn followed(path: &Path) -> PathBuf {
    /// As the kernel does (path_resolution(7)).
    const MOST_LINKS: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(to) = fs::read_link(&path) else { break };
        path = path.with_file_name("").join(to);
    }
    path
}

/// A new file in the same folder, since a rename cannot leave its file system. Another name each
/// time: the same file may be asked for twice, and a killed process may have left one.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.{number}", std::process::id()));
        let beside = path.with_file_name(hidden);
        match File::create_new(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (beside, file)),
        }
    }
}

/// The name is in the folder, and that is a file of its own (fsync(2)).
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // One that may be written to but not read has its name in time.
    let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) else { return Ok(()) };
    match folder.sync_all() {
        // Some network file systems know no such thing.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A folder of its own, removed at the end.
    pub struct Folder(pub PathBuf);

    impl Folder {
        pub fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("blast-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        pub fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_not_kept_leaves_no_trace_and_the_older_one_as_it_was() {
        let folder = Folder::new("staged");
        let path = folder.0.join("out");
        fs::write(&path, "older").unwrap();
        let mut file = Staged::create(&path).unwrap();
        file.write_all(b"half of").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "older");
        probe(&path).unwrap();
        assert_eq!(folder.names(), ["out"]);
        save(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(folder.names(), ["out"]);
    }

    #[test]
    fn the_same_file_twice_does_not_mix() {
        let folder = Folder::new("twice");
        let path = folder.0.join("out");
        let mut both = [Staged::create(&path).unwrap(), Staged::create(&path).unwrap()];
        both[0].write_all(b"the first, which is longer").unwrap();
        both[1].write_all(b"the second").unwrap();
        both.into_iter().for_each(|file| file.keep().unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "the second");
        assert_eq!(folder.names(), ["out"]);
    }

    #[test]
    fn a_link_is_followed_and_kept() {
        let folder = Folder::new("link");
        let (file, link) = (folder.0.join("file"), folder.0.join("link"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        save(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }

    #[test]
    fn a_link_to_a_file_that_is_still_to_be_made_is_kept_too() {
        let folder = Folder::new("dangling");
        let [first, second] = ["first", "second"].map(|name| folder.0.join(name));
        std::os::unix::fs::symlink("second", &first).unwrap();
        std::os::unix::fs::symlink(folder.0.join("file"), &second).unwrap();
        save(&first, b"new").unwrap();
        assert!([&first, &second].iter().all(|link| link.is_symlink()));
        assert_eq!(fs::read_to_string(folder.0.join("file")).unwrap(), "new");
        assert_eq!(folder.names().len(), 3);
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let folder = Folder::new("circle");
        let link = folder.0.join("link");
        std::os::unix::fs::symlink(&link, &link).unwrap();
        assert!(probe(&link).is_err() && save(&link, b"new").is_err());
        assert_eq!(folder.names(), ["link"]);
    }

    #[test]
    fn the_new_file_has_the_permissions_of_the_older_one() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("mode");
        let path = folder.0.join("out");
        fs::write(&path, "older").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        save(&path, b"new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_a_killed_process_left_is_neither_used_nor_in_the_way() {
        let folder = Folder::new("left");
        let path = folder.0.join("out");
        let left = |number| folder.0.join(format!(".out.{}.{number}", std::process::id()));
        // Other tests of this process take numbers at the same time.
        (0..200).for_each(|number| fs::write(left(number), "left").unwrap());
        save(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!((0..200).all(|number| fs::read_to_string(left(number)).unwrap() == "left"));
    }

    #[test]
    fn what_is_no_regular_file_is_written_to_and_not_replaced() {
        save(Path::new("/dev/null"), b"new").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_folder_that_is_not_there_is_one_sentence() {
        let error = save(Path::new("/nowhere/at/all/out.json"), b"").unwrap_err();
        assert_eq!(error.exit, crate::Exit::Failed);
        assert!(error.message.contains("/nowhere/at/all/out.json"), "{error}");
    }
}
