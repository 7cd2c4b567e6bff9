//! stdin of a child: what is to be done, then orders, and its end.

use std::io::{BufRead, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::{Feed, Start, Wire};
use crate::cli::errand::{judge_rate, judge_users};
use crate::cli::save;
use crate::engine::stop;
use crate::error::{Error, Result};
use crate::plan::Limits;

/// Bytes of the first line: a plan of 1 MB, escaped.
const MOST: u64 = 8 << 20;

/// Bytes of an order.
const MOST_OF_ORDER: u64 = 64 << 10;

/// When the panel is gone: how long the drain may take until nothing is waited for any more, and
/// until the process ends whatever it still has to do.
const GRACE: Duration = Duration::from_secs(6);
const LAST_GRACE: Duration = Duration::from_secs(6);

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Order {
    Stop {
        who: String,
    },
    /// It should have been over by now.
    OverTime {},
    Rate {
        per_s: f64,
        who: String,
    },
    Users {
        count: u32,
        who: String,
    },
}

/// Why a run ended before its end; the first reason counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    ByItself,
    Stopped(String),
    OverTime,
    PanelGone,
}

/// What is to be done.
pub fn first(from: &mut impl BufRead) -> Result<Start> {
    let line = line(from, MOST)?.ok_or_else(|| {
        Error::usage("`blast child` is a panel's own; start `blast serve`, or a run: `blast URL`")
    })?;
    serde_json::from_str(&line).map_err(|error| {
        Error::usage(format!("this is no run of a panel ({error}); start it from `blast serve`"))
    })
}

fn line(from: &mut impl BufRead, most: u64) -> Result<Option<String>> {
    let mut line = String::new();
    let read = from.take(most).read_line(&mut line);
    let read = read.map_err(|error| Error::failed(format!("stdin cannot be read ({error})")))?;
    Ok((read > 0).then_some(line))
}

/// Whoever reads them.
pub struct Orders {
    ending: Arc<Mutex<Ending>>,
}

impl Orders {
    /// By a thread of its own, until stdin ends.
    pub fn listen(
        from: impl BufRead + Send + 'static,
        feed: Feed,
        wire: Wire,
        limits: Limits,
    ) -> Result<Orders> {
        let ending = Arc::new(Mutex::new(Ending::ByItself));
        let ear = Ear { ending: ending.clone(), feed, wire, limits };
        let thread = thread::Builder::new().name("blast-orders".to_string());
        let started = thread.spawn(move || ear.listen(from));
        started.map_err(|error| {
            Error::failed(format!("the thread of orders could not be started ({error}); try again"))
        })?;
        Ok(Orders { ending })
    }

    pub fn ending(&self) -> Ending {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Ear {
    ending: Arc<Mutex<Ending>>,
    feed: Feed,
    wire: Wire,
    limits: Limits,
}

impl Ear {
    fn listen(self, mut from: impl BufRead) {
        while let Ok(Some(line)) = line(&mut from, MOST_OF_ORDER) {
            match serde_json::from_str(&line) {
                Ok(order) => self.carry_out(order),
                Err(error) => self.refuse(&format!("an order cannot be read ({error})")),
            }
        }
        self.end(Ending::PanelGone);
        thread::sleep(GRACE);
        // Nothing is waited for any more.
        stop::ask();
        thread::sleep(LAST_GRACE);
        std::process::exit(1);
    }

    fn carry_out(&self, order: Order) {
        match order {
            Order::Stop { who } => {
                save::note_stop(&who);
                self.end(Ending::Stopped(who));
            }
            Order::OverTime {} => self.end(Ending::OverTime),
            Order::Rate { per_s, who } => {
                let done =
                    judge_rate(&self.limits, per_s).and_then(|()| self.feed.set_rate(per_s, &who));
                done.unwrap_or_else(|error| self.refuse(&error.message));
            }
            Order::Users { count, who } => {
                let done = judge_users(&self.limits, count)
                    .and_then(|()| self.feed.set_users(count, &who));
                done.unwrap_or_else(|error| self.refuse(&error.message));
            }
        }
    }

    fn end(&self, ending: Ending) {
        let mut first = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        if *first == Ending::ByItself {
            *first = ending;
        }
        drop(first);
        stop::ask();
    }

    fn refuse(&self, text: &str) {
        self.wire.tell(&json!({
            "type": "warning", "code": "order_refused", "text": text, "hint": "the run goes on as it was",
        }));
    }
}
