//! Any view of any document of blast: as bytes of a format, told by the name of the document's
//! schema. What goes to files (`-o`) and what the panel hands out are the same bytes.
//!
//! A document that was saved comes as the bytes it was saved as; as JSON it goes out as these, to
//! the last digit.

use std::ffi::OsStr;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ab::AbDocument;
use super::calibration::CalibrationDocument;
use super::ceiling::CeilingDocument;
use super::chart::picture;
#[cfg(feature = "pictures")]
use super::chart::pixels;
use super::comparison::Comparison;
use super::ladder::LadderDocument;
use super::suite::SuiteDocument;
use super::trend::TrendDocument;
use super::versus::VersusDocument;
use super::{
    Document, Monitored, PageOptions, ab, calibration, ceiling, chart, checklist, comparison,
    console, csv, document, hgrm, html, json, junit, ladder, markdown, monitored, ndjson, suite,
    trend, versus,
};
use crate::error::{Error, Result};
use crate::units::quote;

/// What a file is to hold, told by its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The document.
    Json,
    /// The percentile distribution, as HdrHistogram's plotter reads it.
    Hgrm,
    /// HdrHistogram's interval log.
    Hlog,
    /// For what shows the tests of a build.
    Junit,
    /// For a pull request.
    Markdown,
    /// For those who deploy; told by its whole name.
    Checklist,
    /// A line an interval, while the run goes on.
    Ndjson,
    /// The page for a browser.
    Html,
    /// The charts alone.
    Svg,
    /// The same in pixels.
    #[cfg(feature = "pictures")]
    Png,
}

impl Format {
    pub fn of(file: &Path) -> Option<Format> {
        if file.file_name() == Some(OsStr::new(checklist::FILE)) {
            return Some(Format::Checklist);
        }
        Format::ending_in(file.extension()?.to_str()?)
    }

    fn ending_in(extension: &str) -> Option<Format> {
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "hgrm" => Some(Format::Hgrm),
            "hlog" => Some(Format::Hlog),
            "xml" => Some(Format::Junit),
            "md" => Some(Format::Markdown),
            "ndjson" => Some(Format::Ndjson),
            "html" | "htm" => Some(Format::Html),
            "svg" => Some(Format::Svg),
            #[cfg(feature = "pictures")]
            "png" => Some(Format::Png),
            _ => None,
        }
    }

    /// How its files end.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Hgrm => "hgrm",
            Format::Hlog => "hlog",
            Format::Junit => "xml",
            Format::Markdown | Format::Checklist => "md",
            Format::Ndjson => "ndjson",
            Format::Html => "html",
            Format::Svg => "svg",
            #[cfg(feature = "pictures")]
            Format::Png => "png",
        }
    }

    /// As Content-Type names it.
    fn media_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Hgrm | Format::Hlog => "text/plain; charset=utf-8",
            Format::Junit => "application/xml",
            Format::Markdown | Format::Checklist => "text/markdown; charset=utf-8",
            Format::Ndjson => "application/x-ndjson",
            Format::Html => "text/html; charset=utf-8",
            Format::Svg => "image/svg+xml",
            #[cfg(feature = "pictures")]
            Format::Png => "image/png",
        }
    }
}

/// Something to be made of a document: a file of a format, or one of the tables of CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    In(Format),
    /// Its place among those of [`csv::NAMES`].
    Table(usize),
}

/// The tables of CSV, as the API calls them.
const TABLES: [&str; csv::NAMES.len()] = ["stats", "failures", "history", "exceptions"];

impl View {
    /// `html`, `png`, `csv-stats` and so on, as the API calls them.
    pub fn named(name: &str) -> Option<View> {
        if name == "checklist" {
            return Some(View::In(Format::Checklist));
        }
        match name.strip_prefix("csv-") {
            Some(table) => TABLES.iter().position(|name| *name == table).map(View::Table),
            None => Format::ending_in(name).map(View::In),
        }
    }

    pub fn name(self) -> String {
        match self {
            View::In(Format::Checklist) => "checklist".to_string(),
            View::In(format) => format.ending().to_string(),
            View::Table(table) => format!("csv-{}", TABLES[table]),
        }
    }

    /// Of run 12: `run-12.html`, `run-12_stats.csv`.
    pub fn file_name(self, stem: &str) -> String {
        match self {
            View::In(Format::Checklist) => checklist::FILE.to_string(),
            View::In(format) => format!("{stem}.{}", format.ending()),
            View::Table(table) => format!("{stem}_{}.csv", csv::NAMES[table]),
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            View::In(format) => format.media_type(),
            View::Table(_) => "text/csv; charset=utf-8",
        }
    }
}

/// A format, and the document in it.
pub type Text<D> = (Format, fn(&D) -> String);

/// How a document is seen: on a terminal, as JSON, and in files of other formats.
pub struct Views<D: 'static> {
    /// Who writes the document.
    pub verb: &'static str,
    pub page: fn(&D, &PageOptions) -> String,
    /// Beside JSON, in the order in which an error lists them. Whoever has an SVG has it in pixels
    /// too.
    pub files: &'static [Text<D>],
}

impl<D: Serialize> Views<D> {
    pub fn formats(&self) -> Vec<Format> {
        let mut formats = vec![Format::Json];
        for (format, _) in self.files {
            formats.push(*format);
            #[cfg(feature = "pictures")]
            if *format == Format::Svg {
                formats.push(Format::Png);
            }
        }
        formats
    }

    /// `None`: there is no such view of it.
    pub fn bytes(&self, document: &D, format: Format) -> Option<Result<Vec<u8>>> {
        let text = |format| {
            let mut views = self.files.iter().filter(move |(of, _)| *of == format);
            views.next().map(|(_, view)| view(document))
        };
        match format {
            Format::Json => Some(json::bytes(document)),
            #[cfg(feature = "pictures")]
            Format::Png => text(Format::Svg).map(|svg| {
                pixels::rendered(&svg).map_err(|error| {
                    Error::failed(format!("the picture cannot be drawn ({error}); ask for `.svg`"))
                })
            }),
            _ => text(format).map(|text| Ok(text.into_bytes())),
        }
    }
}

pub const RESULT: Views<Document> = Views {
    verb: "run",
    page: console::page,
    files: &[
        (Format::Html, html::page),
        (Format::Svg, picture::svg),
        (Format::Hgrm, hgrm::text),
        (Format::Junit, junit::text),
        (Format::Markdown, markdown::text),
        (Format::Checklist, checklist::text),
        (Format::Ndjson, ndjson::text),
    ],
};

pub const CEILING: Views<CeilingDocument> = Views {
    verb: "ceiling",
    page: console::ceiling::page,
    files: &[
        (Format::Html, html::ceiling::page),
        (Format::Svg, chart::knee::picture),
        (Format::Markdown, markdown::ceiling::text),
    ],
};

pub const LADDER: Views<LadderDocument> = Views {
    verb: "ladder",
    page: console::ladder::page,
    files: &[
        (Format::Html, html::ladder::page),
        (Format::Svg, chart::ladder::picture),
        (Format::Markdown, markdown::ladder::text),
    ],
};

pub const COMPARE: Views<Comparison> = Views {
    verb: "compare",
    page: console::compare::page,
    files: &[(Format::Html, html::compare::page), (Format::Markdown, markdown::compare::text)],
};

pub const AB: Views<AbDocument> = Views {
    verb: "ab",
    page: console::ab::page,
    files: &[(Format::Html, html::ab::page), (Format::Markdown, markdown::ab::text)],
};

pub const VERSUS: Views<VersusDocument> = Views {
    verb: "versus",
    page: console::versus::page,
    files: &[(Format::Html, html::versus::page), (Format::Markdown, markdown::versus::text)],
};

pub const CALIBRATION: Views<CalibrationDocument> =
    Views { verb: "calibrate", page: console::calibration::page, files: &[] };

/// What was read beside its runs lies in a file of its own.
pub const SUITE: Views<SuiteDocument> = Views {
    verb: "suite",
    page: console::suite::page,
    files: &[
        (Format::Html, |document| html::suite::page(document, None)),
        (Format::Markdown, markdown::suite::text),
    ],
};

pub const MONITOR: Views<Monitored> = Views {
    verb: "monitor",
    page: |document, _| monitored::text(document),
    files: &[(Format::Svg, picture::of_monitor)],
};

pub const TREND: Views<TrendDocument> = Views {
    verb: "history trend",
    page: console::trend::page,
    files: &[
        (Format::Html, html::trend::page),
        (Format::Svg, chart::timeline::picture),
        (Format::Markdown, markdown::trend::text),
    ],
};

/// A document whose type is known by its schema's name alone.
pub trait Known: Sync {
    fn verb(&self) -> &'static str;
    fn formats(&self) -> Vec<Format>;
    /// The page of a terminal.
    fn page(&self, saved: &[u8], options: &PageOptions) -> Result<String>;
    /// The same as a file of a format.
    fn bytes(&self, saved: &[u8], format: Format) -> Result<Vec<u8>>;
}

impl<D: Serialize + DeserializeOwned> Known for Views<D> {
    fn verb(&self) -> &'static str {
        self.verb
    }

    fn formats(&self) -> Vec<Format> {
        Views::formats(self)
    }

    fn page(&self, saved: &[u8], options: &PageOptions) -> Result<String> {
        read(saved).map(|document| (self.page)(&document, options))
    }

    fn bytes(&self, saved: &[u8], format: Format) -> Result<Vec<u8>> {
        if format == Format::Json {
            return Ok(saved.to_vec());
        }
        let none = || {
            let endings: Vec<_> = self.formats().iter().map(|format| format.ending()).collect();
            Error::usage(format!(
                "`blast {}` has no `.{}`; ask for one of {}",
                self.verb,
                format.ending(),
                endings.join(", ")
            ))
        };
        Views::bytes(self, &read(saved)?, format).unwrap_or_else(|| Err(none()))
    }
}

const ALL: [(&str, &dyn Known); 10] = [
    (document::SCHEMA_NAME, &RESULT),
    (ceiling::SCHEMA_NAME, &CEILING),
    (ladder::SCHEMA_NAME, &LADDER),
    (comparison::SCHEMA_NAME, &COMPARE),
    (ab::SCHEMA_NAME, &AB),
    (versus::SCHEMA_NAME, &VERSUS),
    (calibration::SCHEMA_NAME, &CALIBRATION),
    (suite::SCHEMA_NAME, &SUITE),
    (monitored::SCHEMA_NAME, &MONITOR),
    (trend::SCHEMA_NAME, &TREND),
];

/// The views of the documents of this schema, if this blast has any.
pub fn of_schema(name: &str) -> Option<&'static dyn Known> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, views)| *views)
}

/// Which document it is stands first: another one is not worth a list of missing fields.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

/// The name of a saved document's schema; `None`: it is no document of blast.
pub fn schema_of(saved: &[u8]) -> Option<String> {
    serde_json::from_slice(saved).ok().map(|Head { schema }| schema)
}

/// What there is of a saved document, of a run that has ended.
pub fn of_document(saved: &[u8]) -> Vec<View> {
    let Some(schema) = schema_of(saved) else { return Vec::new() };
    let formats = of_schema(&schema).map(Known::formats).unwrap_or_default();
    let tables = if schema == document::SCHEMA_NAME { csv::NAMES.len() } else { 0 };
    formats.into_iter().map(View::In).chain((0..tables).map(View::Table)).collect()
}

/// A saved document as one of its views.
pub fn draw(saved: &[u8], view: View) -> Result<Vec<u8>> {
    let schema = schema_of(saved);
    let known = schema.as_deref().and_then(of_schema).ok_or_else(|| {
        let found = schema.as_deref().map_or("none".to_string(), quote);
        Error::failed(format!("the document is {found} of this blast; use the one that wrote it"))
    })?;
    match view {
        View::In(format) => known.bytes(saved, format),
        View::Table(table) if schema.as_deref() == Some(document::SCHEMA_NAME) => {
            Ok(std::mem::take(&mut csv::tables(&read(saved)?)[table]).into_bytes())
        }
        View::Table(_) => Err(Error::usage(format!(
            "`blast {}` has no tables of CSV; ask for another format",
            known.verb()
        ))),
    }
}

fn read<D: DeserializeOwned>(saved: &[u8]) -> Result<D> {
    serde_json::from_slice(saved)
        .map_err(|error| Error::usage(format!("the document is damaged ({error}); save it anew")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn saved(document: &Document) -> Vec<u8> {
        json::bytes(document).unwrap()
    }

    #[test]
    fn each_view_of_a_saved_run_is_what_its_document_gives() {
        let document = fixture::held().document();
        let saved = saved(&document);
        let views = of_document(&saved);
        let names: Vec<String> = views.iter().map(|view| view.name()).collect();
        for name in "html json md svg hgrm xml ndjson csv-stats csv-failures csv-history \
                     csv-exceptions"
            .split(' ')
        {
            assert!(names.iter().any(|found| found == name), "{name}");
        }
        for view in &views {
            assert_eq!(View::named(&view.name()), Some(*view));
            let bytes = draw(&saved, *view).unwrap();
            match view {
                View::In(Format::Json) => assert_eq!(bytes, saved),
                View::In(Format::Html) => assert_eq!(bytes, html::page(&document).as_bytes()),
                View::Table(at) => assert_eq!(bytes, csv::tables(&document)[*at].as_bytes()),
                _ => assert!(!bytes.is_empty(), "{}", view.name()),
            }
        }
        assert_eq!(View::Table(0).file_name("run-12"), "run-12_stats.csv");
    }

    #[test]
    fn what_is_no_view_or_no_document_is_one_sentence() {
        let ladder = br#"{"schema": "blast.ladder/1"}"#;
        let refused =
            |saved: &[u8], name: &str| draw(saved, View::named(name).unwrap()).unwrap_err().message;
        assert!(refused(ladder, "csv-stats").contains("no tables of CSV"));
        assert!(refused(ladder, "html").contains("is damaged (missing field"));
        assert!(refused(b"{}", "html").starts_with("the document is none of this blast"));
        let newer = refused(br#"{"schema": "blast.result/9"}"#, "html");
        assert!(newer.starts_with("the document is `blast.result/9` of this blast"), "{newer}");
        assert_eq!(View::named("exe"), None);
        assert_eq!(View::named("csv-"), None);
    }
}
