//! `--dns-refresh`: the target's name is looked up again now and then, on a thread of its own, and
//! new connections go to what was found. What is open stays open. A name that is not found any more
//! leaves all as it is.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::directory::Directory;
use super::resolve;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::plan::route::Destination;
use crate::plan::url::Host;

/// Whether there is a name to be looked up again.
pub fn is_wanted(plan: &Plan) -> bool {
    let destination = plan.route.destination(&plan.url);
    let is_name = matches!(destination, Destination::Host(Host::Name(_), _));
    plan.route.dns_refresh.is_some() && is_name
}

/// Ends with this value. Nobody waits for its thread: a resolver may take half a minute to give up.
pub struct Refresher {
    _alive: Sender<()>,
}

impl Refresher {
    pub fn start(plan: &Plan, directory: &Directory) -> Result<Option<Refresher>> {
        let Some(period) = plan.route.dns_refresh.filter(|_| is_wanted(plan)) else {
            return Ok(None);
        };
        let (alive, end) = mpsc::channel();
        let (plan, directory) = (plan.clone(), directory.clone());
        let work = move || keep(&directory, period.into(), &end, || resolve::addresses(&plan));
        let thread = thread::Builder::new().name("blast-resolver".to_string()).spawn(work);
        thread.map_err(|error| {
            Error::failed(format!(
                "the resolver's thread could not be started ({error}); try again"
            ))
        })?;
        Ok(Some(Refresher { _alive: alive }))
    }
}

/// Until the other end is dropped.
fn keep(
    directory: &Directory,
    period: Duration,
    end: &Receiver<()>,
    mut look_up: impl FnMut() -> Result<Vec<Address>>,
) {
    while end.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
        let outcome = look_up().and_then(|found| directory.replace(&found));
        if let Err(error) = outcome {
            directory.note_failure(error.message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::metrics::Refreshes;
    use crate::plan::{Route, Url};
    use crate::time::Nanos;

    fn of(last: u8) -> Address {
        Address::Inet(([10, 0, 0, last], 80).into())
    }

    /// A resolver that answers so, one after the other, and then is asked no more.
    fn after(answers: Vec<Result<Vec<Address>>>) -> Directory {
        let directory = Directory::new(vec![of(1)], true);
        let (alive, end) = mpsc::channel();
        let mut alive = Some(alive);
        let mut answers = answers.into_iter();
        keep(&directory, Duration::from_millis(1), &end, || {
            let answer = answers.next().expect("an answer");
            if answers.len() == 0 {
                alive.take();
            }
            answer
        });
        directory
    }

    #[test]
    fn what_is_found_replaces_what_was_and_a_failure_keeps_it() {
        let gone = || Err(Error::failed("cannot resolve `h`"));
        for (answers, current, changes, failed) in [
            (vec![Ok(vec![of(1)])], vec![0], 0, 0),
            (vec![Ok(vec![of(2), of(3)])], vec![1, 2], 1, 0),
            (vec![Ok(vec![of(2)]), gone(), gone()], vec![1], 1, 2),
            (vec![gone(), Ok(vec![of(2)]), Ok(vec![of(1)])], vec![0], 2, 1),
        ] {
            let asked = answers.len() as u64;
            let directory = after(answers);
            assert_eq!(directory.current(), Some(current));
            assert_eq!(directory.refreshes(), Refreshes { asked, changes, failed });
            let why = if failed > 0 { "cannot resolve `h`" } else { "" };
            assert_eq!(directory.last_failure(), why);
        }
    }

    #[test]
    fn only_a_name_is_looked_up_again() {
        let wanted = |url: &str, dns_refresh| {
            let route = Route { dns_refresh, ..Route::default() };
            let url = Url::parse(url).expect(url);
            is_wanted(&Plan { route, ..Plan::new(url, Request::new("GET", "/", "h")) })
        };
        let often = Some(Nanos::from_secs(1));
        assert!(wanted("http://name/", often));
        assert!(!wanted("http://name/", None));
        for url in ["http://127.0.0.1/", "http://[::1%25lo]/", "http+unix://%2Fa.sock/"] {
            assert!(!wanted(url, often), "{url}");
        }
    }
}
