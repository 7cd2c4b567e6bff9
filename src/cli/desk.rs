//! The panel's desk: a job as words of the command line, read as if they had been typed, and what
//! they come to. Nothing is sent.

use super::errand::{Bounds, Errand, field};
use super::run_plan::guard;
use super::save;
use crate::engine;
use crate::history::Begun;
use crate::plan::mask::{MASK, sounds_secret};
use crate::plan::{Limits, Load, Url};
use crate::report::quoted;
use crate::serve::aim::Aim;
use crate::serve::desk::{self, Prepared};
use crate::serve::job::{Job, Verb};
use crate::serve::plans::{Plans, check_file, check_text};
use crate::serve::refusal::Refusal;
use crate::time::Nanos;
use crate::units::{format_count, format_duration, format_exact};

/// Users, as the form has them where nobody says another number.
const WORKERS: u32 = 10;

/// How long a search of a panel takes.
const BUDGET_S: f64 = 60.0;

/// What stands for a plan's text in the command that is shown.
const FILE: &str = "plan.toml";

pub struct Desk {
    pub plans: Plans,
}

impl desk::Desk for Desk {
    fn prepare(&self, job: &Job, aim: &Aim, limits: &Limits) -> Result<Prepared, Refusal> {
        job.check()?;
        if job.verb == Verb::Suite {
            return Err(Refusal::usage(
                "verb",
                "a suite starts servers and writes files, which a panel does not",
                "type it: blast suite FILE --save",
            ));
        }
        let chosen = self.plan(job)?;
        let words = words(job, aim, chosen.as_ref());
        let plan_text = chosen.as_ref().and_then(|plan| plan.text.clone());
        let mut errand = Errand::read(&words.real, plan_text.as_deref())?;
        refuse_another_server(&errand.plan().url, &aim.url)?;
        if let Some(excess) = errand.excess(limits) {
            let (asked, limit) = excess.shown();
            return Err(Refusal::over_limit(field(&excess), &asked, &limit, excess.of.hint()));
        }
        // As it is known on a command line: what binds it here is no other plan.
        let begun = begun(job, &errand, words.shown.clone());
        let bounds = Bounds { limits: *limits, addresses: &aim.addresses };
        let bound = errand.bind(&bounds)?;
        let at_most = bound.cap.map(|rate| self::rate("--at-most", rate.per_s()));
        let shown = words.shown.iter().chain(at_most.iter()).map(|word| quoted(word));
        let command = std::iter::once("blast".to_string()).chain(shown).collect::<Vec<_>>();
        let plan = errand.plan();
        Ok(Prepared {
            sentence: sentence(&errand, limits),
            begun,
            ends_within: errand.ends_within().into(),
            cores: engine::cores(plan),
            command: command.join(" "),
            words: words.real,
            plan_text,
            caps: bound.said(),
        })
    }
}

/// What was judged is what is loaded, whatever a verb makes of the words.
fn refuse_another_server(meant: &Url, chosen: &Url) -> Result<(), Refusal> {
    let server = |url: &Url| (url.is_https, url.host.clone(), url.port);
    match server(meant) == server(chosen) {
        true => Ok(()),
        false => Err(Refusal::usage(
            "target",
            format!("this would load {}, which is not what was chosen", meant.authority),
            "drop what names another server",
        )),
    }
}

/// A plan that was chosen.
struct Chosen {
    /// As the command that is shown names it.
    shown: String,
    /// As the child finds it: a path, or `-`.
    word: String,
    text: Option<String>,
}

impl Desk {
    fn plan(&self, job: &Job) -> Result<Option<Chosen>, Refusal> {
        if let Some(text) = &job.plan_text {
            check_text(text)?;
            let (shown, word) = (FILE.to_string(), "-".to_string());
            return Ok(Some(Chosen { shown, word, text: Some(text.clone()) }));
        }
        let Some(name) = &job.plan else { return Ok(None) };
        let plan = self.plans.named(name)?;
        check_file(&plan.text).map_err(|refusal| refusal.of_field("plan"))?;
        let shown = format!("{name}.toml");
        Ok(Some(match plan.file {
            Some(path) => Chosen { shown, word: path.to_string_lossy().into_owned(), text: None },
            None => Chosen { shown, word: "-".to_string(), text: Some(plan.text) },
        }))
    }
}

/// Words as they are read, and as they are shown and stored.
#[derive(Default)]
struct Words {
    real: Vec<String>,
    shown: Vec<String>,
}

impl Words {
    fn push(&mut self, word: impl Into<String>) {
        let word = word.into();
        self.push_hiding(word.clone(), word);
    }

    fn push_hiding(&mut self, real: impl Into<String>, shown: impl Into<String>) {
        self.real.push(real.into());
        self.shown.push(shown.into());
    }

    fn flag(&mut self, flag: &str, value: impl std::fmt::Display) {
        self.push(format!("{flag}={value}"));
    }
}

fn words(job: &Job, aim: &Aim, plan: Option<&Chosen>) -> Words {
    let mut words = Words::default();
    let is_study = matches!(job.verb, Verb::Ceiling | Verb::Ladder);
    match (job.verb, plan) {
        (Verb::Run | Verb::Suite, None) => {}
        (Verb::Run | Verb::Suite, Some(_)) => words.push("run"),
        (Verb::Soak, _) => words.push("soak"),
        (Verb::Ceiling | Verb::Ladder, _) => words.push("ceiling"),
    }
    match plan {
        Some(plan) => {
            words.push_hiding(&*plan.word, &*plan.shown);
            words.push_hiding(format!("--host={}", aim.text), format!("--host={}", aim.url.shown));
        }
        None => words.push_hiding(&*aim.text, &*aim.url.shown),
    }
    for (name, value) in &job.vars {
        let shown = if sounds_secret(name) { MASK } else { value };
        words.push_hiding(format!("--var={name}={value}"), format!("--var={name}={shown}"));
    }
    if aim.is_protected && plan.is_some() {
        let name = job.confirm.as_deref().unwrap_or_default();
        words.flag("--yes", name);
    }
    if is_study {
        study(&mut words, job);
    } else {
        load(&mut words, job, plan.is_some());
    }
    job.thresholds.iter().for_each(|rule| words.flag("--threshold", rule));
    if let Some(set) = job.rating.as_deref().filter(|_| !is_study) {
        words.flag("--rating", set);
    }
    words
}

fn load(words: &mut Words, job: &Job, has_plan: bool) {
    let connections = job.connections.or((!has_plan).then_some(WORKERS));
    connections.iter().for_each(|count| words.flag("--connections", count));
    job.rps.iter().for_each(|rps| words.push(rate("--rps", *rps)));
    job.stages.iter().for_each(|stages| words.flag("--stages", stages));
    job.arrivals.iter().for_each(|law| words.flag("--arrivals", law));
    job.duration_s.iter().for_each(|seconds| words.push(format!("--duration={seconds}s")));
}

/// A search, or the steps of a ladder.
fn study(words: &mut Words, job: &Job) {
    job.connections.iter().for_each(|count| words.flag("--connections", count));
    if job.verb == Verb::Ceiling && job.connections.is_none() {
        words.flag("--connections", WORKERS);
    }
    job.arrivals.iter().for_each(|law| words.flag("--arrivals", law));
    match job.verb {
        Verb::Ladder => {
            words.flag("--ladder", job.stages.as_deref().unwrap_or_default());
            job.duration_s.iter().for_each(|seconds| words.push(format!("--step={seconds}s")));
        }
        _ => words.push(format!("--budget={}s", job.duration_s.unwrap_or(BUDGET_S))),
    }
}

/// A rate is whole, or so many in a longer time: 0.5 a second are 500 in 1,000 s.
fn rate(flag: &str, per_s: f64) -> String {
    match per_s.fract() == 0.0 {
        true => format!("{flag}={per_s}"),
        // A float becomes an integer by saturation.
        false => format!("{flag}={}/1000s", (per_s * 1e3).round() as u64),
    }
}

/// "6,000 requests over 60 s, at most 100/s, 10 connections".
fn sentence(errand: &Errand, limits: &Limits) -> String {
    let plan = errand.plan();
    let connections = match plan.connections {
        1 => "1 connection".to_string(),
        several => format!("{} connections", format_exact(several.into())),
    };
    let most = |per_s: f64| format!("at most {}/s", format_count(per_s));
    match errand {
        Errand::Run { .. } => {
            let length = plan.duration.unwrap_or_else(|| errand.length());
            let what = match guard::requests(plan) {
                Some(requests) => format!("{} requests", format_exact(requests)),
                None => "as many requests as answers come".to_string(),
            };
            let highest = match &plan.load {
                Load::Open(offered) => Some(offered.highest_per_s()),
                Load::Closed { .. } => plan.at_most.map(|rate| rate.per_s()),
            };
            let most = highest.map(|per_s| format!(", {}", most(per_s))).unwrap_or_default();
            format!("{what} over {}{most}, {connections}", format_duration(length))
        }
        Errand::Ceiling { sought, .. } => {
            let length = format_duration(errand.length());
            let over = sought.over.name();
            format!(
                "a search for the highest {over} within {length}, {}, at most {}",
                most(limits.rps),
                match sought.over {
                    crate::study::ceiling::Over::Rate => connections,
                    _ => format!("{} connections", format_exact(limits.workers.into())),
                }
            )
        }
        Errand::Ladder { rungs } => {
            let highest = rungs.iter().filter_map(|rung| rung.plan.load.per_s());
            let each = format_duration(errand_step(rungs[0].plan.duration));
            format!(
                "{} steps of {each}, {}, {connections} at first",
                rungs.len(),
                most(highest.fold(0.0, f64::max))
            )
        }
    }
}

fn errand_step(duration: Option<Nanos>) -> Nanos {
    duration.unwrap_or_default()
}

fn begun(job: &Job, errand: &Errand, words: Vec<String>) -> Begun {
    Begun {
        label: job.label.clone().unwrap_or_default(),
        plan_name: job.plan.clone().unwrap_or_default(),
        words,
        job: serde_json::to_string(&job.public()).ok(),
        ..save::begun_of(errand.plan(), errand.kind(), "")
    }
}

#[cfg(test)]
mod tests;
