//! Where bytes come from that a flag asks for: what was typed, a file, or stdin.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::units::quote;

/// From this size on a file is mapped.
const MAPPED: u64 = 1 << 20;

/// The most that is read of what is not mapped.
const MOST: u64 = 256 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Typed(Vec<u8>),
    /// By its name; `-` is stdin.
    File(String),
}

impl Source {
    /// `@FILE`, `@-`, or the text itself.
    pub fn of(text: &str) -> Result<Source> {
        match text.strip_prefix('@') {
            None => Ok(Source::Typed(text.as_bytes().to_vec())),
            Some("") => Err(Error::usage("`@` names no file; write `@FILE`, or `@-` for stdin")),
            Some(file) => Ok(Source::File(file.to_string())),
        }
    }
}

thread_local! {
    /// What stands for stdin on this thread.
    static LENT: RefCell<Option<Bytes>> = const { RefCell::new(None) };
}

/// Does something that finds this text where stdin is asked for, as often as it is: the stdin of a
/// child of the panel has its orders.
#[cfg(feature = "serve")]
pub fn with_stdin<T>(text: Option<&str>, act: impl FnOnce() -> T) -> T {
    let text = text.map(|text| Bytes::copy_from_slice(text.as_bytes()));
    let before = LENT.replace(text);
    let done = act();
    LENT.set(before);
    done
}

fn read_stdin() -> io::Result<Bytes> {
    match LENT.with_borrow(Clone::clone) {
        Some(text) => Ok(text),
        None => read_all(&mut io::stdin().lock()),
    }
}

/// Reads sources. Stdin can be read once.
#[derive(Debug, Default)]
pub struct Sources {
    /// The flag that has read it.
    stdin_read_by: Option<String>,
}

impl Sources {
    /// The bytes that a flag asks for, to be looked at.
    pub fn bytes(&mut self, flag: &str, source: &Source) -> Result<Bytes> {
        self.read(flag, source, |path| read_all(&mut File::open(path)?))
    }

    /// The same, only to be sent: a large file stays where it lies.
    pub fn body(&mut self, flag: &str, source: &Source) -> Result<Bytes> {
        self.read(flag, source, map_file)
    }

    fn read(
        &mut self,
        flag: &str,
        source: &Source,
        read_file: impl Fn(&str) -> io::Result<Bytes>,
    ) -> Result<Bytes> {
        let in_flag = |message: String| Error::usage(format!("{flag}: {message}"));
        let (name, bytes) = match source {
            Source::Typed(bytes) => return Ok(Bytes::copy_from_slice(bytes)),
            Source::File(name) if name == "-" => {
                if let Some(earlier) = self.stdin_read_by.replace(flag.to_string()) {
                    return Err(in_flag(format!(
                        "stdin is read once, and {earlier} has read it; write the name of a file"
                    )));
                }
                ("stdin".to_string(), read_stdin())
            }
            Source::File(path) => (quote(path), read_file(path)),
        };
        bytes.map_err(|error| {
            in_flag(format!(
                "{name} cannot be read ({}); check the name and its permissions",
                super::reason(&error)
            ))
        })
    }

    /// The same, of what has to be text.
    pub fn text(&mut self, flag: &str, source: &Source) -> Result<String> {
        let bytes = self.bytes(flag, source)?;
        String::from_utf8(bytes.into()).map_err(|_| {
            Error::usage(format!("{flag}: the file is no text in UTF-8; give one that is"))
        })
    }
}

/// A large file is not read: it is sent from where it lies.
fn map_file(path: &str) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    let status = file.metadata()?;
    if status.is_file() && status.len() >= MAPPED {
        // SAFETY: blast never looks at the bytes of a body, it only hands them to the kernel.
        // Should the file be cut meanwhile, the kernel refuses to send what is gone (EFAULT).
        return Ok(Bytes::from_owner(unsafe { memmap2::Mmap::map(&file) }?));
    }
    read_all(&mut file)
}

/// What has no size to be known beforehand may have no end.
fn read_all(from: &mut impl Read) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    from.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is over 256 MB, and only a regular file for --body may be",
        ));
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stands_for_itself_and_an_at_for_a_file() {
        assert_eq!(Source::of("a@b"), Ok(Source::Typed(b"a@b".to_vec())));
        assert_eq!(Source::of("@a"), Ok(Source::File("a".to_string())));
        assert_eq!(Source::of("@-"), Ok(Source::File("-".to_string())));
        assert!(Source::of("@").is_err());
    }

    #[test]
    fn stdin_is_read_once() {
        let mut sources = Sources { stdin_read_by: Some("--body".to_string()) };
        let error = sources.bytes("--header", &Source::File("-".to_string()));
        let message = error.expect_err("it was read twice").message;
        assert!(message.starts_with("--header: stdin is read once, and --body has read it"));
    }
}
