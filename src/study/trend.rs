//! Saved runs of one plan on one host: whether a figure of theirs changed, and when. The test and
//! what it promises stand in `statistics::change`.

use super::statistics::change::{self, ALPHA, Course, LEAST, MOST, ORDERS, SEED};
use crate::metrics::trend::median;
use crate::report::comparison::Caveat;
use crate::report::trend::{
    FIGURES, SCHEMA_NAME, Source, Test, TrendDocument, TrendDrift, TrendFigure, TrendRun, TrendStep,
};

/// Lengths that differ by a factor of more than this are named.
const ALIKE: f64 = 1.5;

/// What the runs have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Common {
    pub plan_hash: String,
    pub host: String,
    pub method: String,
    pub url: String,
    /// Runs that are not among them.
    pub left_out: u64,
}

/// `runs`: oldest first.
pub fn trend(common: Common, mut runs: Vec<TrendRun>) -> TrendDocument {
    let older = runs.len().saturating_sub(MOST);
    runs.drain(..older);
    let Common { plan_hash, host, method, url, left_out } = common;
    TrendDocument {
        schema: SCHEMA_NAME.to_string(),
        blast_version: env!("CARGO_PKG_VERSION").to_string(),
        plan_hash,
        host,
        method,
        url,
        test: Test {
            name: "max_rank_sum".to_string(),
            alpha: ALPHA,
            orders: ORDERS,
            seed: SEED,
            least_runs: LEAST as u64,
        },
        left_out: left_out + older as u64,
        figures: FIGURES.iter().filter_map(|source| figure(source, &runs)).collect(),
        warnings: caveats(&runs),
        runs,
    }
}

fn figure(source: &Source, runs: &[TrendRun]) -> Option<TrendFigure> {
    let known = runs.iter().filter_map(|run| (source.read)(run).map(|value| (run.id, value)));
    let (ids, values): (Vec<i64>, Vec<f64>) = known.unzip();
    if values.is_empty() {
        return None;
    }
    let is_worse = |before: f64, after: f64| (after > before) != source.higher_is_better;
    let percent = |before: f64, after: f64| {
        let is_share = source.unit == "share";
        (before > 0.0 && !is_share).then(|| (after / before - 1.0) * 100.0)
    };
    let (mut steps, mut drift) = (Vec::new(), None);
    let course = match change::course(&values) {
        Course::Unknown => "unknown",
        Course::Steady => "steady",
        Course::Steps(found) => {
            steps.extend(found.iter().map(|step| TrendStep {
                after_run: ids[step.at - 1],
                run: ids[step.at],
                before: step.before,
                after: step.after,
                percent: percent(step.before, step.after),
                p: step.p,
                worse: is_worse(step.before, step.after),
            }));
            "steps"
        }
        Course::Drift(found) => {
            drift = Some(TrendDrift {
                first: found.from,
                last: found.to,
                percent: percent(found.from, found.to),
                p: found.p,
                worse: is_worse(found.from, found.to),
            });
            "drift"
        }
    };
    Some(TrendFigure {
        name: source.name.to_string(),
        unit: source.unit.to_string(),
        better: if source.higher_is_better { "higher" } else { "lower" }.to_string(),
        count: values.len() as u64,
        median: median(values),
        course: course.to_string(),
        steps,
        drift,
    })
}

fn caveats(runs: &[TrendRun]) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    let mut note = |code: &str, text: String| {
        caveats.push(Caveat { code: code.to_string(), text });
    };
    if runs.len() < LEAST {
        let text = format!(
            "{} runs are too few to tell a change from chance; {LEAST} or more are judged",
            runs.len()
        );
        note("few", text);
    }
    let versions = runs.windows(2).find(|pair| pair[0].blast_version != pair[1].blast_version);
    if let Some([before, after]) = versions {
        let text = format!(
            "run {} is of blast {}, and run {} of {}: what changes between them may be blast's",
            before.id, before.blast_version, after.id, after.blast_version
        );
        note("version", text);
    }
    let lengths = runs.iter().filter_map(|run| run.duration_s);
    let longest = lengths.clone().fold(0.0, f64::max);
    let shortest = lengths.fold(f64::INFINITY, f64::min);
    if longest > ALIKE * shortest {
        let text = format!(
            "the runs take from {shortest} s to {longest} s: a short one shows less of what comes \
             seldom"
        );
        note("length", text);
    }
    caveats
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    fn run(id: i64, p95_us: Option<f64>, good_per_s: f64) -> TrendRun {
        TrendRun {
            id,
            label: String::new(),
            started_at: format!("2026-11-{id:02}T10:00:00.000Z"),
            blast_version: "0.1.0".to_string(),
            duration_s: Some(10.0),
            is_baseline: false,
            grade: None,
            p95_us,
            good_per_s: Some(good_per_s),
            error_share: Some(0.0),
            server_us_per_request: None,
        }
    }

    fn around(dice: &mut Dice, level: f64) -> f64 {
        level * (1.0 + 0.04 * (dice.unit() - 0.5))
    }

    #[test]
    fn a_step_stands_at_the_first_run_of_its_level_whatever_runs_lack_the_figure() {
        let mut dice = Dice::of(3, 0, 0);
        let runs = (1..=28).map(|id| {
            let level = if id < 15 { 4_000.0 } else { 4_600.0 };
            let p95 = (id != 14).then(|| around(&mut dice, level));
            run(id, p95, around(&mut dice, 500.0))
        });
        let document = trend(Common { left_out: 2, ..Common::default() }, runs.collect());
        let names: Vec<_> = document.figures.iter().map(|figure| figure.name.as_str()).collect();
        assert_eq!(names, ["p95_us", "good_per_s", "error_share"]);
        let [p95, good, errors] = &document.figures[..] else { panic!() };
        assert_eq!((p95.course.as_str(), p95.count, p95.steps.len()), ("steps", 27, 1));
        let step = &p95.steps[0];
        assert_eq!((step.after_run, step.run, step.worse), (13, 15, true));
        assert!(step.percent.is_some_and(|percent| (13.0..17.0).contains(&percent)));
        assert_eq!((good.course.as_str(), errors.course.as_str()), ("steady", "steady"));
        assert!(document.warnings.is_empty() && document.left_out == 2);
    }

    #[test]
    fn what_keeps_runs_from_being_compared_is_said() {
        let mut runs: Vec<TrendRun> = (1..=4).map(|id| run(id, Some(1.0), 1.0)).collect();
        runs[2].blast_version = "0.2.0".to_string();
        runs[3].duration_s = Some(60.0);
        let document = trend(Common::default(), runs);
        let codes: Vec<_> = document.warnings.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["few", "version", "length"]);
        assert!(document.figures.iter().all(|figure| figure.course == "unknown"));
    }
}
