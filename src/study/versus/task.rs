//! What is asked of each tool, and the words that ask for it.

use std::path::Path;

use crate::plan::Url;

/// The load. Whole seconds and whole rates: what every tool takes.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    pub url: &'a Url,
    pub connections: u32,
    pub seconds: u64,
    /// Requests per second; `None`: closed loop.
    pub rate: Option<u64>,
    /// Threads of a tool that is told how many: one a core of the client's.
    pub threads: usize,
    /// Where files of a job stand.
    pub folder: &'a Path,
}

impl Task<'_> {
    /// `http://host:port`.
    pub fn base(&self) -> String {
        let scheme = if self.url.is_https { "https" } else { "http" };
        format!("{scheme}://{}", self.url.authority)
    }

    pub fn url(&self) -> String {
        format!("{}{}", self.base(), self.url.target)
    }

    /// Where a file of this name stands.
    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// Never more threads than connections, which wrk and h2load refuse.
    pub fn threads(&self) -> usize {
        self.threads.min(self.connections as usize).max(1)
    }

    /// The rate of a tool that asks for it by connection.
    pub fn rate_each(&self, rate: u64) -> f64 {
        rate as f64 / f64::from(self.connections.max(1))
    }

    pub fn rate(&self) -> u64 {
        self.rate.unwrap_or(0)
    }
}

/// One run of a program: its words, and the files that it needs and writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Job {
    pub words: Vec<String>,
    /// Written beforehand: name and text.
    pub files: Vec<(String, String)>,
    /// The file that holds its result; `None`: its stdout does.
    pub output: Option<String>,
    /// What turns its result into text, once it is over: nothing of this is its cost.
    pub then: Option<Vec<String>>,
}

impl Job {
    pub fn of<S: ToString>(words: impl IntoIterator<Item = S>) -> Job {
        let words = words.into_iter().map(|word| word.to_string()).collect();
        Job { words, ..Job::default() }
    }

    pub fn and<S: ToString>(mut self, words: impl IntoIterator<Item = S>) -> Job {
        self.words.extend(words.into_iter().map(|word| word.to_string()));
        self
    }

    pub fn with(mut self, name: &str, text: String) -> Job {
        self.files.push((name.to_string(), text));
        self
    }
}
