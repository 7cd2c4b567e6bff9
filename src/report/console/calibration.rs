//! The page of `blast calibrate`: what a core can send, how that is known, and what it is of.

use super::PageOptions;
use super::text::{Sheet, Tone};
use crate::report::calibration::{CalibrationDocument, Closed, Open};
use crate::report::number::{count, micros, per_second, percent};
use crate::units::format_bytes;

pub fn page(document: &CalibrationDocument, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    sheet.labelled("load", Tone::Plain, &load(document));
    sheet.labelled("cores", Tone::Plain, &cores(document));
    if !document.complete {
        sheet.labelled(
            "",
            Tone::Bad,
            "INTERRUPTED: this is what was known by then; nothing is kept",
        );
    }
    match &document.closed {
        None => sheet.labelled("can send", Tone::Bad, "unknown: no answer came"),
        Some(closed) => can_send(&mut sheet, closed),
    }
    if let Some(open) = &document.open {
        sheet.labelled("on time", Tone::Plain, &on_time(open));
    }
    for note in &document.notes {
        sheet.labelled("note", Tone::Doubtful, note);
    }
    rounds(&mut sheet, document);
    sheet.finish()
}

fn load(document: &CalibrationDocument) -> String {
    let class = &document.class;
    let mut parts = vec![match class.content.as_str() {
        "static" => "the same request over and over".to_string(),
        model => format!("requests of a plan ({model})"),
    }];
    if class.request_bytes > 0 {
        let what = if class.content == "static" { "a body of" } else { "at most" };
        parts.push(format!("{what} {}", format_bytes(class.request_bytes as f64)));
    }
    parts.extend(class.answer_bytes.map(|n| format!("answers of {}", format_bytes(n as f64))));
    let plural = if class.connections == 1 { "" } else { "s" };
    parts.push(format!("{} connection{plural}", count(class.connections)));
    if class.pipeline > 1 {
        parts.push(format!("{} requests in flight on each", class.pipeline));
    }
    if !class.keepalive {
        parts.push("which are closed".to_string());
    }
    parts.push(format!("{} engine", class.engine));
    parts.join(", ")
}

fn cores(document: &CalibrationDocument) -> String {
    let worker = match document.worker_core {
        Some(core) => format!("one worker on core {core}"),
        None => "one worker on any core".to_string(),
    };
    let cores: Vec<String> = document.server_cores.iter().map(u64::to_string).collect();
    format!("{worker}, the built-in server on {}", cores.join(", "))
}

fn can_send(sheet: &mut Sheet, closed: &Closed) {
    let more = if closed.is_lower_bound { " or more" } else { "" };
    let text = format!(
        "{}/s{more} from one core, {} of its time for each request",
        per_second(closed.rate_per_s),
        micros(closed.cpu_us_per_request)
    );
    let tone = if closed.is_lower_bound { Tone::Doubtful } else { Tone::Good };
    sheet.labelled("can send", tone, &text);
    sheet.labelled("", Tone::Aside, &format!("{}: {}", closed.basis, closed.why));
}

fn on_time(open: &Open) -> String {
    let more = if open.is_lower_bound { " or more" } else { "" };
    let late = open.late_p99_us.map(|late| format!("; 1 % left {} or more late", micros(late)));
    format!(
        "{}/s{more} in open loop, {} of what the closed loop reached{}",
        per_second(open.rate_per_s),
        percent(open.share),
        late.unwrap_or_default()
    )
}

fn rounds(sheet: &mut Sheet, document: &CalibrationDocument) {
    if document.rounds.is_empty() {
        return;
    }
    sheet.gap();
    let head =
        format!("{:>6} {:>11} {:>10} {:>9} {:>9}", "round", "rate/s", "CPU", "busy", "kept off");
    let head = sheet.paint(Tone::Heading, &head);
    sheet.line(&head);
    for (place, round) in (1..).zip(&document.rounds) {
        sheet.line(&format!(
            "{place:>6} {:>11} {:>10} {:>9} {:>9}",
            per_second(round.rate_per_s),
            micros(round.cpu_us_per_request),
            percent(round.worker_share),
            percent(round.starved_share)
        ));
    }
}
