//! The page of `blast doctor`: what stops the run first, then a row for each thing that could,
//! by whose limit it is.

use super::super::checkup::{Checkup, Finding};
use super::super::number::{count, per_second};
use super::PageOptions;
use super::text::{Sheet, Tone};
use crate::monitor::diagnosis::{Side, State};

/// Columns of the state and of the id before a row's text.
const STATE: usize = 6;
const ID: usize = 19;

/// With fewer columns than these, the text stands below the id.
const ROOMY: usize = 64;

/// The page, with a newline at its end.
pub fn page(checkup: &Checkup, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    what_was_asked(&mut sheet, checkup);
    verdict(&mut sheet, checkup);
    for (side, title) in [
        (Side::Client, "client: this host, as the load"),
        (Side::Both, "both ends"),
        (Side::Server, "server"),
    ] {
        sheet.gap();
        sheet.indented(0, Tone::Heading, title);
        for finding in checkup.rows.iter().filter(|row| row.side == side) {
            row(&mut sheet, finding);
        }
    }
    sheet.finish()
}

fn what_was_asked(sheet: &mut Sheet, checkup: &Checkup) {
    let run = &checkup.run;
    sheet.indented(0, Tone::Heading, checkup.url.as_deref().unwrap_or("no URL: this host alone"));
    let mut parts = vec![plural(run.connections, "connection")];
    if let Some(requests) = run.requests_per_connection {
        parts.push(format!("closed after {}", plural(requests, "request")));
    }
    parts.push(match run.rps {
        Some(rate) => format!("{}/s", per_second(rate)),
        None => "closed loop".to_string(),
    });
    parts.push(plural(run.workers, "worker"));
    parts.push(format!("{} engine", run.engine));
    sheet.indented(0, Tone::Plain, &parts.join(", "));
}

fn verdict(sheet: &mut Sheet, checkup: &Checkup) {
    sheet.gap();
    let (stops, warns) = (checkup.ids(State::Stop), checkup.ids(State::Warn));
    let verdict = match stops.as_slice() {
        [] => "Verdict: nothing stops this run".to_string(),
        ids => format!("Verdict: this run cannot be as asked: {}", ids.join(", ")),
    };
    let warnings = match warns.as_slice() {
        [] => String::new(),
        ids => format!("; look at {}", ids.join(", ")),
    };
    sheet.indented(0, tone(checkup.state), &(verdict + &warnings));
}

fn row(sheet: &mut Sheet, row: &Finding) {
    let state = sheet.paint(tone(row.state), &format!("{:<STATE$}", name(row.state)));
    let id = sheet.paint(Tone::Heading, row.id);
    let indent = if sheet.width() < ROOMY { STATE } else { STATE + ID };
    if indent == STATE {
        sheet.line(&format!("{state}{id}"));
        sheet.indented(indent, Tone::Plain, &row.here);
    } else {
        let padding = " ".repeat(ID - row.id.len());
        sheet.hanging(&format!("{state}{id}{padding}"), indent, Tone::Plain, &row.here);
    }
    sheet.indented(indent, Tone::Aside, &format!("needs: {}", row.needs));
    if let Some(advice) = &row.advice {
        sheet.indented(indent, tone(row.state), &format!("do: {advice}"));
    }
}

fn name(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warn => "warn",
        State::Stop => "stop",
    }
}

fn tone(state: State) -> Tone {
    match state {
        State::Ok => Tone::Good,
        State::Warn => Tone::Doubtful,
        State::Stop => Tone::Bad,
    }
}

fn plural(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{} {what}s", count(n)) }
}

#[cfg(test)]
mod tests {
    use super::super::super::checkup::tests::all;
    use super::*;

    fn shown(checkup: &Checkup, width: usize, color: bool) -> String {
        page(checkup, &PageOptions { width, color, ..PageOptions::default() })
    }

    #[test]
    fn what_stops_the_run_stands_at_the_top_and_beside_it_what_to_do() {
        let ports = shown(&all()[2], 80, false);
        assert!(ports.contains("\nVerdict: this run cannot be as asked: ports\n"), "{ports}");
        assert!(ports.contains("\nstop  ports              28,232 ports"), "{ports}");
        assert!(ports.contains("do: --bind with 4 or more local addresses"), "{ports}");
        let fine = shown(&all()[0], 80, false);
        assert!(fine.contains("\nVerdict: nothing stops this run\n"), "{fine}");
        assert!(!fine.contains("do:") && fine.contains("nginx (pid 12, 13) listens"), "{fine}");
    }

    #[test]
    fn every_row_stands_on_the_page_once() {
        for checkup in all() {
            let page = shown(&checkup, 80, false);
            for row in &checkup.rows {
                let start = format!("\n{:<STATE$}{} ", name(row.state), row.id);
                assert_eq!(page.matches(&start).count(), 1, "{}: {page}", row.id);
            }
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for checkup in all() {
            for width in 48..130 {
                let page = shown(&checkup, width, false);
                let widest = page.lines().max_by_key(|line| line.chars().count()).unwrap();
                assert!(widest.chars().count() <= width, "{width}: {widest}");
            }
        }
    }

    #[test]
    fn colour_is_used_only_when_asked_for() {
        for checkup in all() {
            assert!(!shown(&checkup, 80, false).contains('\x1b'));
            assert!(shown(&checkup, 80, true).contains("\x1b[1;3"));
        }
    }
}
