//! A sign is told where it is, with its figures, and nowhere else.

use super::*;
use crate::report::document::Warning;
use crate::report::fixture;

fn signs(document: &Document) -> Vec<String> {
    of(document).into_iter().map(|advice| advice.sign).collect()
}

fn evidence(document: &Document, sign: &str) -> String {
    let found = of(document).into_iter().find(|advice| advice.sign == sign);
    found.unwrap_or_else(|| panic!("no {sign}: {:?}", signs(document))).evidence
}

fn warn(document: &mut Document, code: &str) {
    let text = format!("{code} was 5.2 times what it was");
    document.warnings.push(Warning { code: code.to_string(), text, hint: String::new() });
}

/// The sentences and the advice of each preset, as they are printed.
#[test]
fn the_golden_reading_aid_is_given() {
    let mut text = String::new();
    for (name, run) in fixture::all() {
        let document = run.document();
        text += &format!("{name}\n");
        for sentence in &document.sentences {
            text += &format!("  {}\n    {}\n", sentence.short, sentence.text);
        }
        for Advice { sign, evidence, cause, remedy } in &document.advice {
            text += &format!("  -> {sign}: {evidence}\n    {cause}\n    {remedy}\n");
        }
    }
    fixture::golden("reading-aid.txt", &text);
}

#[test]
fn a_healthy_run_is_given_no_advice() {
    for name in ["held", "closed", "secured", "warmed_up", "empty"] {
        assert_eq!(signs(&fixture::named(name).document()), [""; 0], "{name}");
    }
}

#[test]
fn each_row_is_told_by_its_sign_and_has_a_name_of_its_own() {
    let mut names: Vec<&str> = TABLE.iter().map(|remark| remark.sign).collect();
    for code in [
        "pool_full",
        "one_core_full",
        "memory_grows",
        "latency_drifts",
        "latency_grows_with_load",
        "saw_tooth",
        "retransmits",
        "bimodal",
        "p95_far_from_median",
        "reset_idle",
        "too_short",
    ] {
        let mut document = fixture::held().document();
        warn(&mut document, code);
        assert_eq!(signs(&document), [code]);
        assert_eq!(evidence(&document, code), format!("{code} was 5.2 times what it was"));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLE.len());
    for remark in &TABLE {
        let known = |sign: &&&str| TABLE.iter().any(|remark| remark.sign == **sign);
        assert_eq!(remark.unless.iter().filter(known).count(), remark.unless.len());
        assert!(!remark.cause.ends_with('.') && !remark.remedy.ends_with('.'), "{}", remark.sign);
    }
}

#[test]
fn what_the_server_answered_is_counted() {
    let mut document = fixture::held().document();
    for (kind, sign, count) in [
        ("status_5xx", "server_errors", 500),
        ("status_429", "rate_limited", 1),
        ("status_4xx", "client_errors", 5_000),
        ("unexpected_body", "unexpected_answers", 600),
    ] {
        document.rejections.insert(kind.to_string(), count);
        assert!(
            evidence(&document, sign).starts_with(&crate::units::format_exact(count)),
            "{sign}"
        );
        document.rejections.remove(kind);
    }
    assert_eq!(signs(&document), [""; 0]);
    document.rejections.insert("status_5xx".to_string(), 499);
    assert_eq!(signs(&document), [""; 0], "fewer than one in a thousand");
    document.failures.insert("timeout".to_string(), 5);
    assert_eq!(evidence(&document, "timeouts"), "5 requests timed out, <0.01 % of all requests");
}

#[test]
fn a_server_that_is_behind_with_little_to_do_waits_for_something() {
    let mut run = fixture::behind();
    assert_eq!(signs(&run.document()), ["server"]);
    run.summary.gauges = fixture::watched().summary.gauges;
    let document = run.document();
    assert_eq!(signs(&document), ["server"], "its core was 97.5 % in use");
    assert!(evidence(&document, "server").ends_with("with 97.50 % of one core"));
    let gauges = |document: &mut Document, name: &str, mean: f64| {
        let all = &mut document.gauges.as_mut().unwrap().series;
        all.iter_mut().find(|gauge| gauge.name == name).unwrap().mean = Some(mean);
    };
    let mut idle = document.clone();
    gauges(&mut idle, "server.cpu", 49.0);
    assert_eq!(signs(&idle)[0], "server", "the host was busy with something else");
    gauges(&mut idle, "host.cpu", 30.0);
    assert_eq!(signs(&idle)[0], "idle_server");
    let shown = evidence(&idle, "idle_server");
    assert_eq!(
        shown,
        "it gave 4,870 good answers/s of 20,000/s asked, and yet it used 49 % of one core"
    );
    // Without an eye on the server: by its host, if it runs here.
    let series = &mut idle.gauges.as_mut().unwrap().series;
    series.retain(|gauge| !gauge.name.starts_with("server."));
    assert!(evidence(&idle, "idle_server").contains("30 % of this host's processors"));
    idle.plan.addresses = vec!["10.0.0.7:8080".to_string()];
    assert_eq!(signs(&idle), ["server"]);
}

#[test]
fn memory_that_does_not_grow_is_no_leak() {
    let mut document = fixture::watched().document();
    assert_eq!(signs(&document), ["memory_grows"]);
    document.warnings.clear();
    assert_eq!(signs(&document), [""; 0], "the warning is the test");
}

#[test]
fn where_blast_was_the_limit_nothing_is_said_of_the_servers_speed() {
    let mut document = fixture::behind().document();
    document.verdict.limit = "client_cpu".to_string();
    for code in ["latency_drifts", "bimodal", "one_core_full", "too_short"] {
        warn(&mut document, code);
    }
    document.rejections.insert("status_5xx".to_string(), 10_000);
    assert_eq!(signs(&document), ["server_errors", "generator"]);
}

#[test]
fn at_most_five_are_given_and_the_most_certain_come_first() {
    let mut document = fixture::watched().document();
    for code in ["too_short", "bimodal", "saw_tooth", "latency_drifts", "pool_full"] {
        warn(&mut document, code);
    }
    document.rejections.insert("status_429".to_string(), 10_000);
    let expected = ["rate_limited", "pool_full", "memory_grows", "latency_drifts", "saw_tooth"];
    assert_eq!(signs(&document), expected);
}

#[test]
fn the_audit_stands_above_all_advice() {
    assert_eq!(signs(&fixture::mixed().document()), [""; 0]);
}

#[test]
fn a_time_that_is_marked_as_poor_is_slow_and_a_bound_is_not() {
    let mut run = fixture::held();
    run.summary.measure.good.record_many(crate::time::Nanos::from_secs(3), 2_000_000);
    let document = run.document();
    let shown = evidence(&document, "slow");
    assert_eq!(shown, "p95 is 3.00 s (<= 2 s would be acceptable)");
    assert_eq!(document.rating.unwrap().grade.as_deref(), Some("poor"));
}
