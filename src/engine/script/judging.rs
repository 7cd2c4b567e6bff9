//! What becomes of an answer: whether it is as expected, which checks hold, and what is captured.

use super::{Script, Slot};
use crate::engine::tally::{Flight, Tally};
use crate::http::Response;
use crate::metrics::Rejection;
use crate::plan::answer::{Answer, Captured};
use crate::time::{self, Nanos};

/// A captured value at most; a longer one counts as not found.
const LONGEST: usize = 16 * 1024;

impl Script {
    /// Why the answer is not a good one, if it is not; the values of a good one are captured.
    #[inline]
    pub fn judge(
        &mut self,
        slot: Slot,
        flight: &Flight,
        response: &Response,
        found: bool,
        now: Nanos,
        tally: &mut Tally,
    ) -> Option<Rejection> {
        let facet = self.facets[usize::from(flight.entry)];
        let exchange = &self.scenario.requests[facet.request];
        let status = match exchange.expected.statuses {
            None if facet.checks_status => 200,
            _ => response.status,
        };
        let rejection = exchange.expected.judge(status, response.body_bytes, found);
        if exchange.checks.is_empty() && exchange.captures.is_empty() && !facet.needs.head {
            return rejection;
        }
        self.look(slot, flight, response, rejection, now, tally)
    }

    fn look(
        &mut self,
        slot: Slot,
        flight: &Flight,
        response: &Response,
        mut rejection: Option<Rejection>,
        now: Nanos,
        tally: &mut Tally,
    ) -> Option<Rejection> {
        let reading = self.readings.take(slot as usize);
        let (head, body, is_cut) = match &reading {
            Some(reading) => (&*reading.head, &*reading.body, reading.is_cut),
            None => (&[][..], &[][..], false),
        };
        let Response { status, body_bytes, .. } = *response;
        let latency = now - flight.sent;
        let answer = Answer { status, head, body, is_cut, body_bytes, latency };
        let exchange = &self.scenario.requests[self.facets[usize::from(flight.entry)].request];
        for check in &exchange.checks {
            let holds = check.holds(&answer);
            let decides = !holds && rejection.is_none();
            tally.checked(flight, check.index, holds, decides, now);
            rejection = rejection.or((!holds).then_some(Rejection::Check));
        }
        let user = self.cast.ensemble().map(|ensemble| ensemble.user(slot));
        if let Some(user) = user {
            if self.scenario.has_cookies && !head.is_empty() {
                user.jar.take(head, time::unix_seconds());
            }
            for capture in exchange.captures.iter().filter(|_| rejection.is_none()) {
                let value = capture.from.find(&answer).filter(|value| value.len() <= LONGEST);
                let holds = value.is_some();
                if let Some(value) = value {
                    keep(&mut user.captures[capture.index], &value);
                }
                tally.checked(flight, capture.check, holds, !holds, now);
                if !holds {
                    rejection = Some(Rejection::Check);
                    break;
                }
            }
        }
        self.readings.give_back(reading);
        rejection
    }

    /// What the first user has captured: what is asked before the load is asked by one.
    pub fn captured(&mut self) -> Option<Captured> {
        let ensemble = self.cast.ensemble()?;
        Some(ensemble.user(0).captures.iter().cloned().collect())
    }
}

/// Where the new value has the length of the old one, no memory is asked for.
fn keep(place: &mut Option<Box<[u8]>>, value: &[u8]) {
    match place {
        Some(kept) if kept.len() == value.len() => kept.copy_from_slice(value),
        _ => *place = Some(value.into()),
    }
}
