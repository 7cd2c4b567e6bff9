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
mod tests {
    use super::*;
    use crate::serve::aim::{Aims, Target};
    use crate::serve::desk::Desk as _;

    fn prepare_within(job: &Job, limits: &Limits) -> Result<Prepared, Refusal> {
        let listed = Target::parse("shop=http://ada:s3cret@127.0.0.1:81/base").unwrap();
        let prod = Target::parse("prod=http://127.0.0.1:82/").unwrap().protected();
        let aim = Aims::new(vec![listed, prod], Vec::new())
            .choose(&job.target, job.confirm.as_deref())?;
        Desk { plans: Plans::default() }.prepare(job, &aim, limits)
    }

    fn prepare(job: &Job) -> Result<Prepared, Refusal> {
        prepare_within(job, &Limits::default())
    }

    fn job() -> Job {
        Job { target: "http://127.0.0.1:81/a".to_string(), ..Job::default() }
    }

    #[test]
    fn the_preview_has_the_figures_and_the_command() {
        let job = Job { rps: Some(100.0), duration_s: Some(60.0), ..job() };
        let prepared = prepare(&job).unwrap();
        assert_eq!(prepared.sentence, "6,000 requests over 60 s, at most 100/s, 10 connections");
        assert_eq!(
            prepared.command,
            "blast http://127.0.0.1:81/a --connections=10 --rps=100 --duration=60s"
        );
        assert_eq!(prepared.caps, None);
        assert!(prepared.ends_within.as_secs_f64() > 70.0);
        assert_eq!(prepared.begun.rate_per_s, Some(100.0));
    }

    #[test]
    fn whatever_is_found_out_it_is_of_the_server_that_was_chosen() {
        let stages = || Some("50,80".to_string());
        for plan in [None, Some("telemetry-1".to_string())] {
            for (verb, stages) in [
                (Verb::Run, None),
                (Verb::Soak, None),
                (Verb::Ceiling, None),
                (Verb::Ladder, stages()),
            ] {
                let job = Job { verb, plan: plan.clone(), stages, duration_s: Some(20.0), ..job() };
                let prepared = prepare(&job).unwrap_or_else(|refusal| panic!("{refusal:?}"));
                let target = &prepared.begun.target;
                assert!(target.starts_with("http://127.0.0.1:81/"), "{job:?}: {target}");
                assert!(prepared.command.contains("http://127.0.0.1:81/"), "{}", prepared.command);
            }
        }
        let url = |text: &str| Url::parse(text).unwrap();
        let chosen = url("http://127.0.0.1:81/a");
        assert!(refuse_another_server(&url("http://127.0.0.1:81/b"), &chosen).is_ok());
        for other in ["http://127.0.0.1/", "https://127.0.0.1:81/", "http://127.0.0.2:81/"] {
            assert!(refuse_another_server(&url(other), &chosen).is_err(), "{other}");
        }
    }

    #[test]
    fn the_four_levels_of_telemetry_are_what_they_are_known_for() {
        for (name, expected) in [
            ("telemetry-1", "6,000 requests over 60 s"),
            ("telemetry-2", "60,000 requests over 120 s"),
            ("telemetry-3", "60,000 requests over 60 s"),
            ("telemetry-4", "300,000 requests over 300 s"),
        ] {
            let prepared = prepare(&Job { plan: Some(name.to_string()), ..job() }).unwrap();
            let said = &prepared.sentence;
            let count = expected.split(' ').next().unwrap();
            assert!(said.starts_with(count), "{name}: {said}");
            assert!(prepared.command.contains(&format!("blast run {name}.toml --host=")), "{name}");
            assert!(prepared.plan_text.is_some() && prepared.words[1] == "-");
        }
    }

    #[test]
    fn a_closed_loop_says_its_cap_and_the_command_has_it() {
        let limits = Limits { rps: 1_500.0, ..Limits::default() };
        let prepared = prepare_within(&Job { duration_s: Some(5.0), ..job() }, &limits).unwrap();
        assert!(prepared.caps.is_some_and(|said| said.contains("1,500/s")));
        assert!(prepared.sentence.contains("at most 1,500/s"), "{}", prepared.sentence);
        assert!(prepared.command.ends_with("--at-most=1500"), "{}", prepared.command);
    }

    #[test]
    fn what_is_over_a_limit_says_which_how_much_and_who_may_raise_it() {
        let limits = Limits { workers: 10, rps: 100.0, duration_s: 60.0 };
        let at = Job { connections: Some(10), rps: Some(100.0), duration_s: Some(60.0), ..job() };
        assert!(prepare_within(&at, &limits).is_ok());
        let stages = |text: &str| Job {
            rps: None,
            duration_s: None,
            stages: Some(text.to_string()),
            ..at.clone()
        };
        for (field, job) in [
            ("connections", Job { connections: Some(11), ..at.clone() }),
            ("rps", Job { rps: Some(100.5), ..at.clone() }),
            ("duration_s", Job { duration_s: Some(60.5), ..at.clone() }),
            ("rps", stages("5s:50,5s:101,5s:1")),
            ("duration_s", stages("50s:50,11s:50")),
            (
                "duration_s",
                Job { verb: Verb::Ceiling, rps: None, duration_s: Some(61.0), ..at.clone() },
            ),
            ("connections", Job { plan: Some("telemetry-2".into()), ..job() }),
        ] {
            let refusal = prepare_within(&job, &limits).expect_err(field);
            assert_eq!((refusal.status, refusal.code), (422, "over_limit"), "{}", refusal.message);
            assert_eq!(refusal.field.as_deref(), Some(field), "{}", refusal.message);
            assert!(refusal.hint.is_some_and(|hint| hint.contains("--max-")));
        }
    }

    #[test]
    fn no_secret_is_in_what_is_shown_or_stored() {
        let text = "[vars]\ntoken = \"x\"\n[[requests]]\nheaders = { A = \"{{var.token}}\" }\n";
        let job = Job {
            target: "shop".to_string(),
            plan_text: Some(text.to_string()),
            vars: [("token".to_string(), "s3cret".to_string())].into(),
            rps: Some(1.0),
            duration_s: Some(1.0),
            ..Job::default()
        };
        let prepared = prepare(&job).unwrap();
        assert!(prepared.words.iter().any(|word| word.contains("s3cret")), "the child needs it");
        for public in [
            &prepared.command,
            &prepared.sentence,
            &serde_json::to_string(&prepared.begun).unwrap(),
        ] {
            assert!(!public.contains("s3cret"), "{public}");
        }
    }

    #[test]
    fn words_of_a_form_are_values_and_never_flags() {
        for job in [
            Job { stages: Some("--output=/tmp/x.json".into()), ..job() },
            Job { arrivals: Some("--output=/tmp/x.json".into()), rps: Some(1.0), ..job() },
            Job { thresholds: vec!["--output=/tmp/x.json".into()], ..job() },
            Job { vars: [("a".to_string(), "b".to_string())].into(), ..job() },
            Job { verb: Verb::Ladder, stages: Some("--output=/tmp/x".into()), ..job() },
        ] {
            assert!(prepare(&job).is_err(), "{job:?}");
        }
    }

    #[test]
    fn each_verb_has_a_sentence_and_a_command_that_can_be_typed() {
        let stages = Some("5,10".to_string());
        for (job, sentence, command) in [
            (
                Job { verb: Verb::Ceiling, duration_s: Some(20.0), ..job() },
                "a search for the highest rate within 20 s, at most 10k/s, at most 10 connections",
                "blast ceiling http://127.0.0.1:81/a --connections=10 --budget=20s",
            ),
            (
                Job { verb: Verb::Ladder, stages, duration_s: Some(2.0), ..job() },
                "2 steps of 2 s, at most 10/s, 64 connections at first",
                "blast ceiling http://127.0.0.1:81/a --ladder=5,10 --step=2s",
            ),
            (
                Job { verb: Verb::Soak, rps: Some(0.5), duration_s: Some(20.0), ..job() },
                "10 requests over 20 s, at most 0.5/s, 10 connections",
                "blast soak http://127.0.0.1:81/a --connections=10 --rps=500/1000s --duration=20s",
            ),
        ] {
            let prepared = prepare(&job).unwrap();
            assert_eq!((&*prepared.sentence, &*prepared.command), (sentence, command));
        }
    }

    #[test]
    fn a_protected_target_is_meant_twice() {
        let job = |confirm: Option<&str>| Job {
            target: "prod".to_string(),
            confirm: confirm.map(str::to_string),
            rps: Some(1.0),
            ..Job::default()
        };
        assert!(prepare(&job(Some("prod"))).is_ok());
        assert_eq!(prepare(&job(None)).unwrap_err().field.as_deref(), Some("confirm"));
    }
}
