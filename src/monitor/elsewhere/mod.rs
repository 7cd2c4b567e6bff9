//! Readings from elsewhere, on the run's clock: what a command prints, what a page of metrics says,
//! how fast a log grows.
//!
//! Each has a thread of its own, since it may take long; a probe of the sampler's hands over what
//! that thread read last. What cannot be read is never an error of the run: the gauge has a gap, and
//! the end tells how often, and what came the first time.
//!
//! ```text
//! sample      one number that a command prints           command  a command with a time limit
//! scrape      one metric of a page                       exposition  the text of such a page
//! log         lines of a file that grows                 follow   the file, through its rotations
//! repeated    a thread that reads one number a second
//! ```

mod command;
mod exposition;
mod follow;
mod log;
mod repeated;
mod sample;
mod scrape;

pub use self::log::Log;
pub use sample::Sample;
pub use scrape::Scrape;

use self::log::Follower;
use repeated::Repeated;

use super::sampler::Probe;
use crate::error::{Error, Result};
use crate::metrics::{Warning, WatchedLog};
use crate::plan::mask::mask_text;
use crate::time::Nanos;
use crate::units::quote;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Elsewhere {
    pub samples: Vec<Sample>,
    pub scrapes: Vec<Scrape>,
    pub log: Option<Log>,
}

impl Elsewhere {
    /// Refuses two readings of one name.
    pub fn new(samples: Vec<Sample>, scrapes: Vec<Scrape>, log: Option<Log>) -> Result<Elsewhere> {
        let twice = |names: Vec<&str>| {
            let mut seen = names.iter().enumerate();
            seen.find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name.to_string())
        };
        if let Some(name) = twice(samples.iter().map(|sample| &*sample.name).collect()) {
            return Err(Error::usage(format!(
                "--sample: two are called {}; give each a name of its own",
                quote(&name)
            )));
        }
        if let Some(name) = twice(scrapes.iter().map(|scrape| &*scrape.name).collect()) {
            return Err(Error::usage(format!(
                "--scrape: two are called {}; give each a name of its own: NAME=URL#METRIC",
                quote(&name)
            )));
        }
        Ok(Elsewhere { samples, scrapes, log })
    }

    /// Whether commands of the user's are run. Whoever takes a plan from somebody else, over a
    /// network say, must refuse that.
    pub fn runs_commands(&self) -> bool {
        !self.samples.is_empty()
    }

    /// The names of what is read, as gauges have them.
    pub fn gauges(&self) -> Vec<String> {
        let samples = self.samples.iter().map(Sample::gauge);
        let scrapes = self.scrapes.iter().map(Scrape::gauge);
        let log = self.log.iter().map(|_| log::GAUGE.to_string());
        samples.chain(scrapes).chain(log).collect()
    }

    /// Begins to read. The probes are for the sampler.
    pub fn start(&self) -> Result<(Vec<Box<dyn Probe>>, Readers)> {
        let samples =
            self.samples.iter().cloned().map(Repeated::start).collect::<Result<Vec<_>>>()?;
        let scrapes =
            self.scrapes.iter().cloned().map(Repeated::start).collect::<Result<Vec<_>>>()?;
        let log = self.log.as_ref().map(Follower::start).transpose()?;
        let repeated: Vec<Repeated> = samples.into_iter().chain(scrapes).collect();
        let probes = repeated.iter().map(Repeated::probe);
        let probes = probes.chain(log.as_ref().map(Follower::probe)).collect();
        Ok((probes, Readers { repeated, log }))
    }
}

/// Threads at work. Dropping it ends them, and what they started.
pub struct Readers {
    repeated: Vec<Repeated>,
    log: Option<Follower>,
}

/// What is left of them in the end.
#[derive(Debug, Default)]
pub struct Found {
    pub warnings: Vec<Warning>,
    pub log: Option<WatchedLog>,
}

impl Readers {
    /// Times are told from `origin`.
    pub fn end(self, origin: Nanos) -> Found {
        let mut warnings: Vec<Warning> = self.repeated.iter().filter_map(Repeated::end).collect();
        let log = self.log.map(|follower| follower.end(origin));
        let (log, warning) = log.unzip();
        warnings.extend(warning.flatten());
        Found { warnings, log }
    }
}

/// A text that somebody else wrote, in one short line without what may be a secret.
pub(super) fn shown(text: &str) -> String {
    quote(&mask_text(&text.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// What a gauge of the user's may be called.
fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !text.is_empty() && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_one_name_are_refused() {
        let sample = |text: &str| Sample::parse(text).unwrap();
        let twice = vec![sample("db=echo 1"), sample("x=echo 1"), sample("db=echo 2")];
        let message = Elsewhere::new(twice, Vec::new(), None).unwrap_err().message;
        assert!(message.contains("two are called `db`"), "{message}");
        let scrape = |text: &str| Scrape::parse(text).unwrap();
        let twice = vec![scrape("http://h/#up"), scrape("http://g/#up")];
        let message = Elsewhere::new(Vec::new(), twice, None).unwrap_err().message;
        assert!(message.contains("NAME=URL#METRIC"), "{message}");
        let one = Elsewhere::new(vec![sample("up=echo 1")], vec![scrape("http://h/#up")], None);
        assert_eq!(one.unwrap().gauges(), ["sample.up", "scrape.up"]);
    }

    #[test]
    fn what_came_is_shown_without_secrets_and_on_one_line() {
        for (text, expected) in [
            ("psql: error\n  line 2", "`psql: error line 2`"),
            ("sh: PGPASSWORD=s3cret: x", "`sh: PGPASSWORD=*** x`"),
            ("at postgres://u:s3cret@db/x", "`at postgres://***@db/x`"),
            ("token: s3cret", "`token: ***`"),
            ("a\u{1b}[31m", "`a\\u{1b}[31m`"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
