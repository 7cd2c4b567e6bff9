//! Where it all goes: one folder, in it one for each run of each setting.
//!
//! ```text
//! report.html summary.md suite.json system_metrics.json system_monitor.png
//! [WORKERS=2/]baseline/result.json report.html result.png
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cli::{Outputs, reason, run};
use crate::error::{Error, Result};
use crate::plan::suite::{Setting, Suite, Turn};
use crate::report::ceiling::CeilingDocument;
use crate::report::suite::SuiteDocument;
use crate::report::{Monitored, html, json, markdown, staged, views};

const RESULT: &str = "result.json";
const REPORT: &str = "report.html";
const SUMMARY: &str = "summary.md";
const SUITE: &str = "suite.json";
const METRICS: &str = "system_metrics.json";

pub struct Folder {
    path: PathBuf,
    /// Its picture, and that of the readings.
    pictures: [&'static str; 2],
    /// The runs' own, innermost first.
    places: Vec<PathBuf>,
}

impl Folder {
    /// With all its folders, so that what cannot be written is told before the first run.
    /// `as_svg`: pictures are no pixels, which this build may not have anyway.
    pub fn create(
        asked: Option<&Path>,
        at: SystemTime,
        suite: &Suite,
        as_svg: bool,
    ) -> Result<Folder> {
        let date = humantime::format_rfc3339_seconds(at).to_string().replace(':', "-");
        let usual = || PathBuf::from(format!("blast-suite-{date}"));
        let mut folder = Folder {
            places: Vec::new(),
            path: asked.map_or_else(usual, Path::to_path_buf),
            pictures: match as_svg || cfg!(not(feature = "pictures")) {
                true => ["result.svg", "system_monitor.svg"],
                false => ["result.png", "system_monitor.png"],
            },
        };
        let failed = |path: &Path, error: &std::io::Error| {
            Error::failed(format!(
                "--output: {} cannot be written ({}); choose another place",
                path.display(),
                reason(error)
            ))
        };
        for setting in &suite.settings {
            for turn in &suite.turns {
                let path = folder.path.join(place(setting, turn));
                fs::create_dir_all(&path).map_err(|error| failed(&path, &error))?;
                let file = path.join(RESULT);
                staged::probe(&file).map_err(|error| failed(&file, &error))?;
                folder.places.push(path);
            }
            folder.places.extend(setting.folder().map(|name| folder.path.join(name)));
        }
        let report = folder.report();
        staged::probe(&report).map_err(|error| failed(&report, &error))?;
        Ok(folder)
    }

    pub fn report(&self) -> PathBuf {
        self.path.join(REPORT)
    }

    /// Of a run, beside what its plan writes.
    pub fn outputs(&self, outputs: &Outputs, setting: &Setting, turn: &Turn) -> Outputs {
        let names = self.names();
        let place = self.path.join(place(setting, turn));
        let files = names.iter().map(|name| place.join(name));
        Outputs { files: outputs.files.iter().cloned().chain(files).collect(), ..outputs.clone() }
    }

    /// From the suite's folder.
    pub fn files_of(&self, setting: &Setting, turn: &Turn) -> Vec<String> {
        let place = place(setting, turn);
        self.names().iter().map(|name| place.join(name).display().to_string()).collect()
    }

    pub fn save_ceiling(
        &self,
        document: &CeilingDocument,
        setting: &Setting,
        turn: &Turn,
    ) -> Result<()> {
        let place = self.path.join(place(setting, turn));
        let files = self.names().map(|name| place.join(name));
        views::CEILING.save(document, &files)
    }

    /// The same of every kind of run.
    fn names(&self) -> [&'static str; 3] {
        [RESULT, REPORT, self.pictures[0]]
    }

    pub fn files(&self, has_readings: bool) -> Vec<String> {
        let readings = [METRICS, self.pictures[1]];
        let readings = if has_readings { &readings[..] } else { &[] };
        let all = [&[SUITE, SUMMARY], readings].concat();
        all.iter().map(|name| name.to_string()).collect()
    }

    /// One file that fails does not keep the others from being written.
    pub fn save(&self, document: &SuiteDocument, readings: Option<Monitored>) -> Result<()> {
        let mut saved = vec![
            json::save(document, &self.path.join(SUITE)),
            html::suite::save(document, readings.as_ref(), &self.report()),
            markdown::suite::save(document, &self.path.join(SUMMARY)),
        ];
        if let Some(readings) = &readings {
            saved.push(readings.save_json(&self.path.join(METRICS)));
            saved.push(readings.save_picture(&self.path.join(self.pictures[1])));
        }
        for place in &self.places {
            // One that holds something stays: only a run that was left out has an empty one.
            let _ = fs::remove_dir(place);
        }
        saved.into_iter().fold(Ok(()), run::keep_first)
    }
}

fn place(setting: &Setting, turn: &Turn) -> PathBuf {
    let setting = setting.folder().map(PathBuf::from).unwrap_or_default();
    setting.join(turn.folder())
}
