//! Whether the server answers, and if it does not: who listens there, and what its log says last.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::server::last_lines;
use crate::engine::{self, stop};
use crate::metrics::Summary;
use crate::monitor::Destination;
use crate::monitor::target::Place;
use crate::plan::Plan;
use crate::study::suite::{Fault, Part};
use crate::time::{self, Nanos};
use crate::units::format_duration;

/// No single try is longer, so that a server that came up late is asked anew.
const LONGEST_TRY: Nanos = Nanos::from_secs(5);
const SHORTEST_TRY: Nanos = Nanos::from_millis(100);

/// How long one connection is tried to see what is there.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked whether a wait is over.
const LOOK: Duration = Duration::from_millis(20);

/// Asks until it is answered, or `within` is over. An interrupt is no fault.
pub fn wait_until(
    plan: &Plan,
    within: Nanos,
    every: Nanos,
    log: Option<&Path>,
) -> Result<(), Fault> {
    let began = time::now();
    let mut tries = 0u64;
    loop {
        let left = within - (time::now() - began);
        let asked = ask(plan, left.clamp(SHORTEST_TRY, LONGEST_TRY));
        tries += 1;
        let Err(reason) = asked else { return Ok(()) };
        if stop::requests() > 0 {
            return Ok(());
        }
        let left = within - (time::now() - began);
        if left == Nanos::ZERO {
            return Err(silence(plan, within, tries, &reason, log));
        }
        // The last try is made when the time is over, and not up to a pause before.
        wait(every.min(left));
    }
}

/// `Err`: what came instead of an answer.
fn ask(plan: &Plan, limit: Nanos) -> Result<(), String> {
    let hasty = Plan { timeout: limit, connect_timeout: limit, drain: limit, ..plan.clone() };
    match engine::run(&hasty, &mut |_| {}) {
        Ok(summary) if summary.measure.counters.good > 0 => Ok(()),
        Ok(summary) => Err(instead(&summary)),
        Err(error) => Err(error.message.split("; ").next().unwrap_or_default().to_string()),
    }
}

fn instead(summary: &Summary) -> String {
    let counters = &summary.measure.counters;
    let status = counters.statuses().next().map(|(status, _)| format!("it answered {status}"));
    let failure = summary.examples.first().map(|example| example.kind.name().to_string());
    status.or(failure).unwrap_or_else(|| "no answer came".to_string())
}

fn silence(plan: &Plan, within: Nanos, tries: u64, reason: &str, log: Option<&Path>) -> Fault {
    let tries = if tries == 1 { "1 try".to_string() } else { format!("{tries} tries") };
    let text = format!(
        "{} did not answer as it should within {} ({tries}, the last: {reason}); {}",
        plan.url.shown,
        format_duration(within),
        who_listens(plan)
    );
    let lines = log.and_then(|log| File::open(log).ok()).map(|mut log| last_lines(&mut log));
    Fault { part: Part::Ready, text, lines: lines.unwrap_or_default() }
}

fn who_listens(plan: &Plan) -> String {
    let addresses = match engine::addresses(plan) {
        Ok(addresses) => addresses,
        Err(_) => return "its name is not known here; correct the URL".to_string(),
    };
    let found = match Destination::look(addresses, PATIENCE) {
        Destination::Unix(name, opened) => {
            let opened = match opened {
                Ok(()) => "takes connections".to_string(),
                Err(why) => format!("takes none: {why}"),
            };
            return format!("the socket {} {opened}", name.as_str());
        }
        found => found,
    };
    let mut told: Vec<String> = found.places().iter().map(at_place).collect();
    told.dedup();
    told.join("; ")
}

fn at_place(place: &Place) -> String {
    let Place { address, is_local, listeners, owners, opened } = place;
    let names: Vec<String> =
        owners.iter().map(|owner| format!("{} (pid {})", owner.name, owner.pid)).collect();
    match (is_local, listeners.is_empty(), names.is_empty()) {
        (true, false, false) => {
            format!("{} listens on port {}; see what it does", names.join(" and "), address.port())
        }
        (true, false, true) => format!(
            "somebody listens on port {}, whom this user may not see; look as root",
            address.port()
        ),
        (true, true, _) => {
            format!("nothing listens on port {} here; start the server", address.port())
        }
        (false, ..) => match opened {
            Some(Err(why)) => format!("{address} is another host: {why}"),
            _ => format!("{address} is another host, which takes connections"),
        },
    }
}

/// Until then, or a signal.
pub fn wait(length: Nanos) {
    let end = time::now() + length;
    while time::now() < end && stop::requests() == 0 {
        thread::sleep(Duration::from(end - time::now()).min(LOOK));
    }
}
