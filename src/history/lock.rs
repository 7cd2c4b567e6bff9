//! One load at a time on a host: a lock on a file, which is gone when who holds it is, however that
//! ended (flock(2)).
//!
//! What stands in the file is for those who find it locked: whose run it is. It is believed only as
//! long as the process that wrote it is there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Holder;
use crate::error::{Error, reason};
use crate::units::quote;

/// Names another file.
pub const VARIABLE: &str = "BLAST_LOCK";

/// What a longer text in the file is cut to: it may be anybody's.
const MOST: u64 = 4_096;

/// Who has just taken it writes its name at once; for that long it is waited for.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(5);

/// Whose run it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LockText {
    pub pid: u32,
    /// Its number in the history; `None`: it has none yet.
    pub run: Option<i64>,
    pub label: String,
    pub who: String,
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    text: LockText,
    holder: String,
}

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Another one has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    pub run: Option<i64>,
    pub label: String,
    pub who: String,
    /// 0: it is not known.
    pub pid: u32,
    /// Nobody has it, and yet it cannot be taken: why, in a whole sentence.
    pub trouble: Option<String>,
}

impl Lock {
    pub fn take(text: &LockText) -> Result<Lock, Held> {
        Lock::take_at(&place(), text)
    }

    /// Of this file.
    pub fn take_at(path: &Path, text: &LockText) -> Result<Lock, Held> {
        let file = open(path).map_err(|error| Held::broken(path, &error))?;
        for _ in 0..LOOKS {
            match lock(&file) {
                Ok(()) => return Lock { file }.holding(path, text),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                    return Err(Held::broken(path, &error));
                }
                Err(_) => match holder(path) {
                    Some(held) => return Err(held),
                    None => std::thread::sleep(PAUSE),
                },
            }
        }
        Err(Held::default())
    }

    fn holding(mut self, path: &Path, text: &LockText) -> Result<Lock, Held> {
        self.tell(text).map_err(|error| Held::broken(path, &error))?;
        Ok(self)
    }

    /// Says more of whose it is, as soon as more is known.
    pub fn tell(&mut self, text: &LockText) -> io::Result<()> {
        let line = Line { text: text.clone(), holder: Holder::this().as_str().to_string() };
        let line = serde_json::to_string(&line)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{line}")
    }

    /// Who has it; `None`: nobody. It is not touched.
    pub fn holder() -> Option<Held> {
        holder(&place())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever looks from now on finds nobody's name; the lock goes with the file.
        let _ = self.file.set_len(0);
    }
}

impl Held {
    fn broken(path: &Path, error: &io::Error) -> Held {
        let (name, reason) = (quote(&path.to_string_lossy()), reason(error));
        let trouble =
            format!("the lock {name} cannot be taken ({reason}); name another file in {VARIABLE}");
        Held { trouble: Some(trouble), ..Held::default() }
    }

    /// In words: `run 7 "before" of ada`.
    pub fn name(&self) -> String {
        let run = self.run.map_or("another run".to_string(), |run| format!("run {run}"));
        let label = match self.label.as_str() {
            "" => String::new(),
            label => format!(" {}", quote(label)),
        };
        let who = match self.who.as_str() {
            "" => String::new(),
            who => format!(" of {who}"),
        };
        run + &label + &who
    }

    /// What a run that is to be saved is refused with.
    pub fn error(&self) -> Error {
        match &self.trouble {
            Some(trouble) => Error::failed(trouble),
            None => Error::failed(format!(
                "{} goes on on this host, and two at a time would measure each other; wait until \
                 it is over, or run without saving: `--no-save`",
                self.name()
            )),
        }
    }
}

/// Where the lock of this user is.
pub fn place() -> PathBuf {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = named(VARIABLE) {
        return PathBuf::from(path);
    }
    let folder = named("XDG_RUNTIME_DIR").map(PathBuf::from);
    match folder.filter(|folder| folder.is_absolute() && folder.is_dir()) {
        Some(folder) => folder.join("blast.lock"),
        None => PathBuf::from(format!("/tmp/blast-{}.lock", user())),
    }
}

fn user() -> u32 {
    std::fs::metadata("/proc/self").map_or(0, |process| process.uid())
}

/// In a folder that everybody writes to, what is there may be a link to somewhere else, or another
/// user's.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.custom_flags(libc::O_NOFOLLOW).open(path)?;
    let about = file.metadata()?;
    match about.is_file() && about.uid() == user() {
        true => Ok(file),
        false => Err(io::Error::other("it is another user's")),
    }
}

fn lock(file: &File) -> io::Result<()> {
    // SAFETY: a system call on no memory, on a descriptor that `file` keeps open.
    match unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn holder(path: &Path) -> Option<Held> {
    let mut text = String::new();
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path).ok()?;
    file.take(MOST).read_to_string(&mut text).ok()?;
    let Line { text, holder } = serde_json::from_str(&text).ok()?;
    let LockText { pid, run, label, who } = text;
    Holder::is_there(&holder).then_some(Held { run, label, who, pid, trouble: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let name = format!("blast-lock-{}-{name}", std::process::id());
            Place(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn text(run: Option<i64>) -> LockText {
        LockText { pid: std::process::id(), run, label: "before".into(), who: "ada".into() }
    }

    #[test]
    fn who_comes_second_hears_whose_it_is_and_gets_it_afterwards() {
        let place = Place::new("second");
        let mut first = Lock::take_at(&place.0, &text(None)).unwrap();
        let held = Lock::take_at(&place.0, &text(None)).unwrap_err();
        assert_eq!((held.run, &*held.label, &*held.who), (None, "before", "ada"));
        first.tell(&text(Some(7))).unwrap();
        let held = Lock::take_at(&place.0, &text(None)).unwrap_err();
        assert_eq!((held.run, held.pid), (Some(7), std::process::id()));
        let said = held.error().message;
        assert!(said.starts_with("run 7 `before` of ada goes on on this host"), "{said}");
        assert!(said.ends_with("`--no-save`"), "{said}");
        drop(first);
        assert_eq!(holder(&place.0), None);
        Lock::take_at(&place.0, &text(None)).unwrap();
    }

    #[test]
    fn the_file_is_of_its_user_alone_and_never_somewhere_else() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::new("link");
        std::os::unix::fs::symlink("/dev/null", &place.0).unwrap();
        let held = Lock::take_at(&place.0, &text(None)).unwrap_err();
        assert!(held.error().message.contains("cannot be taken"), "{held:?}");
        std::fs::remove_file(&place.0).unwrap();
        let _lock = Lock::take_at(&place.0, &text(None)).unwrap();
        let mode = std::fs::metadata(&place.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_name_that_was_left_behind_is_nobodys() {
        let place = Place::new("left");
        let line = Line { text: text(Some(3)), holder: "boot 1 2".to_string() };
        std::fs::write(&place.0, serde_json::to_string(&line).unwrap()).unwrap();
        assert_eq!(holder(&place.0), None);
        Lock::take_at(&place.0, &text(None)).unwrap();
    }
}
