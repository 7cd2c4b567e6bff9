//! Views of a summary. All of them are transforms of one [`Document`]: the page, the JSON, and
//! whatever comes later say the same because they read the same. (The live line comes before
//! there is a summary; it shows an interval.)
//!
//! Nothing here measures, and no engine is known here.

pub mod ab;
pub mod advice;
pub mod baseline;
pub mod calibration;
pub mod ceiling;
pub mod chart;
pub mod checklist;
pub mod checkup;
pub mod comparison;
pub mod console;
pub mod csv;
pub mod document;
pub mod exposition;
#[cfg(feature = "profile")]
pub mod flame;
pub mod hgrm;
pub mod hlog;
pub mod html;
pub mod json;
pub mod junit;
pub mod ladder;
pub mod live;
pub mod live_names;
pub mod markdown;
pub mod monitored;
pub mod ndjson;
pub mod otlp;
pub mod prometheus;
pub mod schema;
#[cfg(feature = "tui")]
pub mod screen;
pub mod sentences;
pub mod staged;
pub mod suite;
pub mod trend;
pub mod versus;
pub mod views;

mod drift;
mod grade;
mod head_room;
mod number;
#[cfg(feature = "history")]
mod plan_hash;
mod reading;
mod repeat;
mod whole;
mod within;

#[cfg(test)]
pub mod fixture;

pub use checkup::Checkup;
pub use console::{PageOptions, page};
pub use document::Document;
pub use monitored::Monitored;
#[cfg(feature = "history")]
pub use plan_hash::plan_hash;
pub use repeat::quoted;
pub use whole::document_of;

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a view shows comes from the document as it is saved: there is nowhere else to take a
    /// figure from.
    #[test]
    fn a_view_shows_nothing_that_is_not_in_the_json() {
        let options = PageOptions { spectrum: true, verbose: true, ..PageOptions::default() };
        let views = |document: &Document| {
            let [stats, failures, history, exceptions] = csv::tables(document);
            vec![
                page(document, &options),
                html::page(document),
                chart::picture::svg(document),
                junit::text(document),
                markdown::text(document),
                checklist::text(document),
                ndjson::text(document),
                stats,
                failures,
                history,
                exceptions,
            ]
        };
        for (name, run) in fixture::all() {
            let document = run.document();
            let mut json = Vec::new();
            json::write(&document, &mut json).unwrap();
            let read: Document = serde_json::from_slice(&json).unwrap();
            for (now, then) in views(&document).iter().zip(views(&read)) {
                assert!(*now == then, "{name}: {:.60} changes by being saved", then);
            }
        }
    }

    #[test]
    fn no_output_holds_a_secret() {
        use base64::Engine as _;
        let userinfo = format!("blast:{}", fixture::SECRET);
        let basic = base64::engine::general_purpose::STANDARD.encode(userinfo);
        for (name, run) in fixture::all() {
            let sent = &run.plan.request;
            assert!(sent.target.contains(fixture::SECRET), "the secret is planted");
            assert!(sent.headers.iter().any(|(_, value)| value.contains(&basic)));
            let document = run.document();
            let mut json = Vec::new();
            json::write(&document, &mut json).unwrap();
            let options = PageOptions { spectrum: true, verbose: true, ..PageOptions::default() };
            let hgrm = hgrm::lines(&document.latency.response).join("\n");
            let views = [junit::text, markdown::text, checklist::text, ndjson::text];
            let views = views.map(|view| view(&document)).into_iter().chain(csv::tables(&document));
            for output in [hgrm, hlog::tests::log_of(&run)].into_iter().chain(views) {
                assert!(!output.contains(fixture::SECRET) && !output.contains(&basic), "{name}");
            }
            let [html, svg] = [html::page(&document), chart::picture::svg(&document)];
            for output in [String::from_utf8(json).unwrap(), page(&document, &options), html, svg] {
                assert!(output.contains("***"), "{name}");
                assert!(!output.contains(fixture::SECRET), "{name}");
                assert!(!output.contains(&basic), "{name}");
            }
        }
    }
}
