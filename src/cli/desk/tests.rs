use super::*;
use crate::serve::aim::{Aims, Target};
use crate::serve::desk::Desk as _;

fn prepare_within(job: &Job, limits: &Limits) -> Result<Prepared, Refusal> {
    let listed = Target::parse("shop=http://ada:s3cret@127.0.0.1:81/base").unwrap();
    let prod = Target::parse("prod=http://127.0.0.1:82/").unwrap().protected();
    let aim =
        Aims::new(vec![listed, prod], Vec::new()).choose(&job.target, job.confirm.as_deref())?;
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
        for (verb, stages) in
            [(Verb::Run, None), (Verb::Soak, None), (Verb::Ceiling, None), (Verb::Ladder, stages())]
        {
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
    for public in
        [&prepared.command, &prepared.sentence, &serde_json::to_string(&prepared.begun).unwrap()]
    {
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
