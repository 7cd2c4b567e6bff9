//! `--curl`: a curl command, as people have it in their history and browsers copy it, read into
//! what it asks for.
//!
//! What curl would do and blast does not (follow redirects, go through a proxy) is refused by the
//! flag's name; what only concerns curl's output is passed over.

mod flags;
mod words;

use super::source::{Source, Sources};
use super::wish::{Body, Data, Wish};
use crate::error::{Error, Result};
use crate::time::Nanos;

use flags::{Flag, Meaning};

/// What a curl command asks for.
#[derive(Debug, Default)]
pub struct Curl {
    url: Option<String>,
    pub wish: Wish,
    data: Vec<Data>,
    /// The data goes into the URL.
    get: bool,
    head: bool,
    /// Certificates are not checked.
    pub insecure: bool,
    /// It follows redirects.
    pub follows: bool,
    pub timeout: Option<Nanos>,
    pub connect_timeout: Option<Nanos>,
}

impl Curl {
    /// Reads a command, `@FILE` or `@-`.
    pub fn read(text: &str, sources: &mut Sources) -> Result<Curl> {
        let in_flag = |error: Error| Error::usage(format!("--curl: {}", error.message));
        let source = Source::of(text).map_err(in_flag)?;
        Curl::parse(&sources.text("--curl", &source)?).map_err(in_flag)
    }

    fn parse(text: &str) -> Result<Curl> {
        Curl::of_bash(text).map_err(|error| as_of_cmd(text, error))
    }

    fn of_bash(text: &str) -> Result<Curl> {
        let mut words = words::split(text.trim())?;
        let is_curl = words.first().is_some_and(|word| {
            let name = word.rsplit(|byte| b"/\\".contains(byte)).next().unwrap_or_default();
            name == b"curl" || name == b"curl.exe"
        });
        if !is_curl {
            return Err(Error::usage(
                "the command does not begin with `curl`; give all of it in one pair of quotes",
            ));
        }
        let mut curl = Curl::default();
        let mut words = words.drain(1..);
        let mut only_urls = false;
        while let Some(word) = words.next() {
            match &word[..] {
                [b'-', b'-'] if !only_urls => only_urls = true,
                [b'-', b'-', name @ ..] if !only_urls => curl.long(name, &mut words)?,
                [b'-', letters @ ..] if !only_urls && !letters.is_empty() => {
                    curl.short(letters, &mut words)?;
                }
                _ => curl.set_url(text_of(word)?)?,
            }
        }
        curl.finished()
    }

    fn long(&mut self, name: &[u8], words: &mut dyn Iterator<Item = Vec<u8>>) -> Result<()> {
        let flag = flags::long(&String::from_utf8_lossy(name))?;
        self.carry_out(flag, None, words)
    }

    /// `-sSXPOST` is `-s -S -X POST`.
    fn short(&mut self, letters: &[u8], words: &mut dyn Iterator<Item = Vec<u8>>) -> Result<()> {
        for (at, letter) in letters.iter().enumerate() {
            let flag = flags::short(char::from(*letter))?;
            let rest = &letters[at + 1..];
            if flag.takes_value() {
                let attached = (!rest.is_empty()).then(|| rest.to_vec());
                return self.carry_out(flag, attached, words);
            }
            self.carry_out(flag, None, words)?;
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        flag: &'static Flag,
        attached: Option<Vec<u8>>,
        words: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<()> {
        let name = flag.long;
        let mut value = || {
            let missing = || Error::usage(format!("`--{name}` needs a value; paste all of it"));
            attached.clone().or_else(|| words.next()).ok_or_else(missing)
        };
        let carried_out = match flag.meaning {
            Meaning::Sets(set) => {
                set(self);
                Ok(())
            }
            Meaning::Takes(take) => take(self, value()?),
            Meaning::PassedOver => Ok(()),
            Meaning::PassedOverWithValue => value().map(drop),
            Meaning::Refused(why) => Err(Error::usage(why)),
        };
        carried_out.map_err(|error| Error::usage(format!("`--{name}`: {}", error.message)))
    }

    fn set_url(&mut self, url: String) -> Result<()> {
        match self.url.replace(url) {
            None => Ok(()),
            Some(_) => Err(Error::usage(
                "the command has two URLs, and one is taken; put quotes around values with spaces",
            )),
        }
    }

    /// What follows from several flags together.
    fn finished(mut self) -> Result<Curl> {
        let has_data = !self.data.is_empty();
        if has_data && self.wish.body.is_some() {
            return Err(Error::usage(
                "`--data`, `--form` and `--json` are three bodies; use one of them",
            ));
        }
        if self.head && !self.get && (has_data || self.wish.body.is_some()) {
            return Err(Error::usage("`--head` asks without a body; leave out one of them"));
        }
        if has_data && !self.get {
            self.wish.body = Some(Body::Data(std::mem::take(&mut self.data)));
        }
        if self.head && self.wish.method.is_none() {
            self.wish.method = Some("HEAD".to_string());
        }
        Ok(self)
    }

    /// The URL to go to, `typed` before the command's own; with `--get` the data is in its query.
    pub fn url(&self, typed: Option<&str>, sources: &mut Sources) -> Result<String> {
        let own = self.url.as_deref();
        let url = typed.or(own).ok_or_else(|| {
            Error::usage("--curl: the command has no URL; add one to it, or beside it")
        })?;
        if !self.get || self.data.is_empty() {
            return Ok(url.to_string());
        }
        let query = Data::joined(&self.data, sources)?;
        let (url, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let separator = match url.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        Ok(format!("{url}{separator}{}{fragment}", in_query(&query)))
    }
}

/// What no query may hold is percent-encoded; all else stays as it is.
fn in_query(bytes: &[u8]) -> String {
    let encoded = bytes.iter().map(|byte| match byte {
        b'!' | b'$'..=b'~' => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    encoded.collect()
}

fn text_of(word: Vec<u8>) -> Result<String> {
    String::from_utf8(word).map_err(|_| Error::usage("a value is no text in UTF-8; write it so"))
}

/// Chrome offers two copies on Windows; the other one is for cmd.exe, with `^` for quotes.
fn as_of_cmd(text: &str, error: Error) -> Error {
    let of_cmd = text.contains(" ^\n") || text.contains(" ^\r\n") || text.contains("^\"");
    match of_cmd {
        true => Error::usage("the command is written for cmd.exe; copy it as cURL (bash)"),
        false => error,
    }
}

#[cfg(test)]
mod tests;
