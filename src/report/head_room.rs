//! The head-room as a sentence: what blast can send from its cores, and how much of that it took.

use super::Document;
use super::ceiling::CeilingDocument;
use super::document::Calibration;
use super::number::{per_second, percent};

/// Of a run; `None`: nothing was calibrated that is like it.
pub fn of_run(document: &Document) -> Option<String> {
    let calibration = document.calibration.as_ref()?;
    let used = calibration.share_used.map(percent).unwrap_or_else(|| "none".to_string());
    let what = match document.verdict.limit.as_str() {
        "server" => {
            let rate = per_second(document.rate.completed_per_s);
            format!("the server stopped at {rate}/s, and the run used {used} of it")
        }
        _ => format!("this run used {used} of it"),
    };
    Some(format!("{}; {what}", can_send(calibration)))
}

/// Of a search for a ceiling.
pub fn of_ceiling(document: &CeilingDocument) -> Option<String> {
    let calibration = document.calibration.as_ref()?;
    let can_send = can_send(calibration);
    let ceiling = document.ceiling.rate_per_s.zip(calibration.share_used);
    let Some((rate, share)) = ceiling else { return Some(can_send) };
    let (rate, share) = (per_second(rate), percent(share));
    Some(match document.is_blasts_own() {
        true => format!("{can_send}; it stopped at {rate}/s itself, {share} of it"),
        false => format!("{can_send}; the server stopped at {rate}/s, {share} of it"),
    })
}

/// `blast can send 238,000/s from this core (calibrated 2026-11-21)`.
fn can_send(calibration: &Calibration) -> String {
    let from = match calibration.workers {
        1 => "this core".to_string(),
        workers => format!("{workers} cores of its own"),
    };
    let day = calibration.measured_at.split('T').next().unwrap_or_default();
    let apart = calibration.apart.iter().map(|apart| format!(", with {apart}"));
    format!(
        "blast can send {}/s{} from {from} (calibrated {day}{})",
        per_second(calibration.rate_per_s),
        if calibration.is_lower_bound { " or more" } else { "" },
        apart.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn calibration() -> Calibration {
        Calibration {
            rate_per_s: 238_000.0,
            workers: 1,
            is_lower_bound: false,
            cpu_us_per_request: 4.2,
            measured_at: "2026-11-21T20:00:00Z".to_string(),
            apart: None,
            share_used: Some(0.26),
        }
    }

    #[test]
    fn each_report_of_a_run_has_the_sentence() {
        let mut document = fixture::held().document();
        document.calibration = Some(calibration());
        let sentence = of_run(&document).unwrap();
        let options = crate::report::PageOptions::default();
        for (name, report) in [
            ("terminal", crate::report::page(&document, &options).replace("\n", " ")),
            ("HTML", crate::report::html::page(&document)),
            ("Markdown", crate::report::markdown::text(&document)),
        ] {
            let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(report.contains(&sentence), "{name}: {report}");
        }
    }

    fn sentence(calibration: Calibration, limit: &str) -> String {
        let mut document = fixture::held().document();
        document.calibration = Some(calibration);
        document.verdict.limit = limit.to_string();
        document.rate.completed_per_s = 61_400.0;
        of_run(&document).unwrap()
    }

    #[test]
    fn the_sentence_says_what_blast_can_send_and_how_much_of_it_was_used() {
        assert_eq!(
            sentence(calibration(), "none"),
            "blast can send 238,000/s from this core (calibrated 2026-11-21); this run used 26 % of \
             it"
        );
        assert_eq!(
            sentence(calibration(), "server"),
            "blast can send 238,000/s from this core (calibrated 2026-11-21); the server stopped at \
             61,400/s, and the run used 26 % of it"
        );
    }

    #[test]
    fn what_is_less_sure_is_said_to_be() {
        let apart = Some("64 connections a worker, not 5,000".to_string());
        let near = Calibration { workers: 2, is_lower_bound: true, apart, ..calibration() };
        assert_eq!(
            sentence(near, "none"),
            "blast can send 238,000/s or more from 2 cores of its own (calibrated 2026-11-21, with \
             64 connections a worker, not 5,000); this run used 26 % of it"
        );
    }

    #[test]
    fn a_run_that_nothing_is_known_of_has_none() {
        let document = fixture::closed().document();
        assert!(document.calibration.is_none() && of_run(&document).is_none());
    }
}
