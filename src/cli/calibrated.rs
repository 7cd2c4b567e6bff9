//! What `blast calibrate` kept, for those that come after it: where it is, and what of it is known
//! of a run, of a search, and of what `blast doctor` looks at.

use std::path::PathBuf;

use crate::engine;
use crate::host::Fingerprint;
use crate::metrics::{self, Mode, Summary};
use crate::monitor::diagnosis::Figure;
use crate::monitor::{Row, Side, State};
use crate::plan::{Class, Plan};
use crate::report::document::Calibration;
use crate::study::calibrate::{Book, Shelf, Sought, has_pace_of_its_own};
use crate::units::format_exact;

/// In the user's folder of data, as XDG has it.
const FILE: &str = "blast/calibration.json";

/// `None`: this user has no place for it.
pub fn shelf() -> Option<Shelf> {
    let named = |variable: Option<std::ffi::OsString>| {
        variable.filter(|name| !name.is_empty()).map(PathBuf::from)
    };
    if let Some(path) = named(std::env::var_os("BLAST_CALIBRATION")) {
        return Some(Shelf { path });
    }
    // What is relative is to be ignored, by its specification.
    let data = named(std::env::var_os("XDG_DATA_HOME")).filter(|folder| folder.is_absolute());
    let home = || named(std::env::var_os("HOME")).map(|home| home.join(".local/share"));
    data.or_else(home).map(|folder| Shelf { path: folder.join(FILE) })
}

/// Puts what is known of such a run into its summary.
pub fn tell(plan: &Plan, summary: &mut Summary) {
    let events = &summary.measure_events;
    let answer = events.bytes_received.checked_div(events.completed);
    let client = &summary.client;
    let class = Class::of(plan, client.engine, client.workers.len(), answer);
    summary.calibration = find(plan, &class, summary.mode);
}

/// What is known of the load that a search was made with, beside what it found.
pub fn of_search(
    plan: &Plan,
    answer_bytes: Option<u64>,
    ceiling_per_s: Option<f64>,
) -> Option<Calibration> {
    let workers = engine::workers(plan);
    let class = Class::of(plan, plan.engine.name(), workers, answer_bytes);
    let found = find(plan, &class, Mode::Open)?;
    Some(Calibration::beside(&found, workers, ceiling_per_s))
}

fn find(plan: &Plan, class: &Class, mode: Mode) -> Option<metrics::Calibration> {
    let book = shelf()?.read().ok().filter(|book| !book.entries.is_empty())?;
    let host = Fingerprint::of_this_host();
    let has_pace_of_its_own = has_pace_of_its_own(plan);
    book.find(&Sought { host: &host, class, mode, has_pace_of_its_own })
}

/// For `blast doctor`: whether it is known what blast can send of such a load.
pub fn row(plan: &Plan) -> Row {
    let workers = engine::workers(plan);
    let class = Class::of(plan, plan.engine.name(), workers, None);
    let read = shelf().map_or_else(|| Ok(Book::default()), |shelf| shelf.read());
    let host = Fingerprint::of_this_host();
    let known = read.as_ref().ok().and_then(|book| book.nearest(&host, &class));
    let known = known.and_then(|entry| entry.closed.as_ref().map(|closed| (entry, closed)));
    let mut row = Row {
        id: "calibration",
        state: State::Ok,
        side: Side::Client,
        here: String::new(),
        needs: "what blast itself can send, for reports to tell the head-room".to_string(),
        advice: String::new(),
        figures: Vec::new(),
    };
    let Some((entry, closed)) = known else {
        row.here = match &read {
            Err(fault) => format!("not calibrated: {fault}, and is ignored"),
            Ok(book) => unlike(book, &host),
        };
        row.advice = "`blast calibrate`, with the flags of the run".to_string();
        return row;
    };
    let day = entry.measured_at.split('T').next().unwrap_or_default();
    let apart = entry.class.apart_from(&class).map(|apart| format!(", with {apart}"));
    row.here = format!(
        "{}/s{} from one core in a closed loop (calibrated {day}{})",
        format_exact(closed.rate_per_s.round() as u64),
        if closed.is_lower_bound { " or more" } else { "" },
        apart.unwrap_or_default()
    );
    row.figures.push(("per_worker_per_s", Figure::Share(closed.rate_per_s)));
    row
}

/// Why nothing that was kept fits.
fn unlike(book: &Book, host: &Fingerprint) -> String {
    let of_host = book.entries.iter().filter(|entry| entry.host == *host).count();
    match (book.entries.last(), of_host) {
        (None, _) => "not calibrated".to_string(),
        (Some(entry), 0) => {
            let apart = entry.host.differs_from(host).unwrap_or("another host");
            format!("not calibrated: what is kept is of {apart}, and is ignored")
        }
        (Some(_), _) => "not calibrated for a load like this one".to_string(),
    }
}
