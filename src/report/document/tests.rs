//! The document against its schema, and against the design's list of names.

use serde_json::{Value, json};

use super::*;
use crate::report::fixture;

fn value(run: &fixture::Run) -> Value {
    serde_json::to_value(run.document()).unwrap()
}

#[test]
fn every_document_is_valid_by_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, run) in fixture::all() {
        let document = value(&run);
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_schema_refuses_a_field_it_does_not_name_and_misses_one_that_is_gone() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut warmed_up = fixture::warmed_up();
    warmed_up.as_wrk = true;
    for run in
        [warmed_up, fixture::judged(), fixture::aborted(), fixture::shaped()].into_iter().chain([
            fixture::mix(),
            fixture::users(),
            fixture::watched(),
            fixture::grouped(),
            fixture::soaked(),
            fixture::steered(),
        ])
    {
        let whole = value(&run);
        // Maps by status or kind take any name.
        let maps = ["/statuses", "/rejections", "/failures", "/drops", "/failure_sides"];
        let is_map = |path: &str| maps.iter().any(|map| path.ends_with(map));
        for path in objects(&whole, "").iter().filter(|path| !is_map(path)) {
            let mut longer = whole.clone();
            longer.pointer_mut(path).unwrap()["unheard_of"] = json!(1);
            assert!(!validator.is_valid(&longer), "{path} takes a field that is not in the schema");
            for name in whole.pointer(path).unwrap().as_object().unwrap().keys() {
                let mut shorter = whole.clone();
                shorter.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(name);
                assert!(!validator.is_valid(&shorter), "{path}/{name} is not required");
            }
        }
    }
}

/// The JSON pointers of all objects within; of an array, of its first element's.
fn objects(value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(fields) = value.as_object() {
        found.push(at.to_string());
        for (name, field) in fields {
            found.extend(objects(field, &format!("{at}/{name}")));
        }
    }
    if let Some(first) = value.as_array().and_then(|array| array.first()) {
        found.extend(objects(first, &format!("{at}/0")));
    }
    found
}

#[test]
fn every_name_of_the_design_is_there() {
    let document = value(&fixture::mixed());
    let row = "count good censored exact_up_to min_us mean_us stdev_us p50_us p75_us p90_us p95_us \
               p99_us p99_9_us p99_99_us max_us ci95 hdr";
    for (path, names) in [
        (
            "",
            "schema complete started_at duration_s plan requests rate latency latency_from \
             statuses rejections failures unsolicited_bytes bytes connections failure_sides \
             failure_examples client verdict thresholds audit warnings interval_s intervals",
        ),
        ("/plan", "url connections threads rps duration_s engine mode"),
        (
            "/requests",
            "scheduled sent completed good rejected failed abandoned dropped success_share \
             error_share",
        ),
        (
            "/rate",
            "target_per_s offered_per_s sent_per_s completed_per_s good_per_s peak_1s_per_s \
             efficiency",
        ),
        (
            "/latency",
            "response good_only service send_lag connect rejected failed as_wrk \
             expected_interval_us",
        ),
        ("/latency/response", row),
        ("/latency/failed", row),
        ("/statuses", "200 404 503"),
        ("/rejections", "status_5xx status_4xx status_429"),
        ("/failures", "timeout"),
        ("/bytes", "received sent received_per_s"),
        ("/connections", "opened reopened open_peak open_s reset_idle failures"),
        (
            "/client",
            "cpu_s cpu_us_per_request max_rss_bytes memory_per_connection_bytes rings enters completions_per_enter \
             buffers_exhausted cq_overflows wait overshoot_us workers",
        ),
        ("/client/workers/0", "cpu busy"),
        ("/verdict", "limit why evidence change"),
        ("/verdict/evidence/0", "name value unit text"),
        ("/audit", "ok checks"),
        ("/audit/checks/0", "name ok left right"),
        ("/warnings/0", "code text hint"),
        (
            "/intervals/0",
            "t_s phase stage scheduled sent good rejected failed dropped in_flight \
             users response_p50_us response_p95_us response_p99_us response_max_us service_p99_us send_lag_p99_us",
        ),
    ] {
        let object = document.pointer(path).unwrap();
        for name in names.split_whitespace() {
            assert!(object.get(name).is_some(), "{path}/{name}");
        }
    }
}

#[test]
fn a_document_reads_back_the_same() {
    for (name, run) in fixture::all() {
        let document = run.document();
        let text = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<Document>(&text).unwrap(), document, "{name}");
    }
}

#[test]
fn an_interval_that_was_written_before_its_p95_and_users_were_told_is_still_read() {
    let document = fixture::closed().document();
    assert!(document.intervals.iter().all(|interval| interval.users == Some(64)));
    let mut json = serde_json::to_value(&document).unwrap();
    for interval in json["intervals"].as_array_mut().unwrap() {
        for newer in ["users", "response_p95_us"] {
            assert!(!interval.as_object_mut().unwrap().remove(newer).unwrap().is_null());
        }
    }
    let read: Document = serde_json::from_value(json).unwrap();
    let told = |interval: &Interval| (interval.users, interval.response_p95_us);
    assert!(read.intervals.iter().all(|interval| told(interval) == (None, None)));
    assert_eq!(read.intervals[0].response_p99_us, document.intervals[0].response_p99_us);
}

#[test]
fn the_fixtures_figures_agree_but_for_the_one_that_is_broken_on_purpose() {
    for (name, run) in fixture::all() {
        let failed: Vec<_> = run.summary.audit.failed().map(|check| check.name).collect();
        assert_eq!(failed.is_empty(), name != "mixed", "{name}: {failed:?}");
    }
}

#[test]
fn a_fixture_shows_the_signs_that_were_put_into_it_and_no_other() {
    for (name, run) in fixture::all() {
        let warnings = run.summary.warnings.iter().map(|warning| warning.code());
        let signs: Vec<_> = warnings.filter(|code| metrics::signs::CODES.contains(code)).collect();
        let expected: &[&str] = match name {
            "behind" | "judged" | "refused" | "aborted" | "unexpected" => &["errors_5"],
            "mixed" => &["errors_1", "rate_limited"],
            "mix" => &["errors_0_1"],
            // Made of few times, each of them many times over.
            "users" => &["errors_0_1", "bimodal"],
            "shaped" => &["errors_5", "latency_grows_with_load"],
            "watched" => &["memory_grows"],
            "grouped" => {
                &["errors_1", "group_errors", "group_slow", "groups_uneven", "p95_far_from_median"]
            }
            _ => &[],
        };
        assert_eq!(signs, expected, "{name}");
    }
}

#[test]
fn the_start_is_rfc_3339_in_utc_to_the_millisecond() {
    assert_eq!(fixture::held().document().started_at, "2026-03-01T12:00:00.250Z");
}

#[test]
fn a_quantile_without_support_is_null_and_one_past_the_errors_is_a_bound() {
    let interrupted = value(&fixture::interrupted());
    let response = &interrupted["latency"]["response"];
    assert!(response["p95_us"].is_number());
    assert!(response["p99_us"].is_null());
    let mixed = fixture::mixed().document().latency.response;
    assert_eq!(mixed.count, mixed.good + mixed.censored);
    assert!(mixed.is_exact(0.95) && !mixed.is_exact(0.99));
    let empty = value(&fixture::empty());
    assert!(empty["latency"]["response"]["max_us"].is_null());
}

#[test]
fn a_quantile_lies_within_its_interval() {
    for (name, run) in fixture::all() {
        let document = value(&run);
        for row in ["response", "good_only", "service", "send_lag", "connect", "failed"] {
            let row = &document["latency"][row];
            for (quantile, bounds) in row["ci95"].as_object().unwrap() {
                assert_eq!(bounds.is_null(), row[quantile].is_null(), "{name} {quantile}");
                let at = row[quantile].as_f64();
                let bound = |side: usize| bounds[side].as_f64();
                assert!(bound(0).is_none_or(|low| low <= at.unwrap()), "{name} {quantile}");
                assert!(bound(1).is_none_or(|high| high >= at.unwrap()), "{name} {quantile}");
            }
        }
    }
}

#[test]
fn the_interval_of_a_quantile_is_read_off_the_sample() {
    let mut run = fixture::empty();
    // Ranks 1 to 40, 41 to 60 and 61 to 100: the 40th and the 61st sample enclose the median.
    for (ms, count) in [(1, 40), (2, 20), (3, 40)] {
        run.summary.measure.good.record_many(Nanos::from_millis(ms), count);
    }
    let bounds = |run: &fixture::Run| run.document().latency.response.ci95;
    let [Some(low), Some(high)] = bounds(&run).p50_us.unwrap() else { panic!("two bounds") };
    assert!((low - 1_000.0).abs() < 1.0 && (high - 3_000.0).abs() < 3.0, "{low} {high}");
    // p95: the 99th and the 90th; of p99 nothing is said, like of p99 itself.
    assert!(bounds(&run).p95_us.is_some() && bounds(&run).p99_us.is_none());
    // Now the 61st of 100 is known only as a lower bound.
    run.summary.measure.good = crate::metrics::Histogram::default();
    run.summary.measure.good.record_many(Nanos::from_millis(1), 60);
    run.summary.measure.censored.record_many(Nanos::from_millis(3), 40);
    let [Some(low), None] = bounds(&run).p50_us.unwrap() else { panic!("a lower bound") };
    assert!((low - 1_000.0).abs() < 1.0, "{low}");
}

#[test]
fn a_document_without_intervals_of_confidence_is_still_read() {
    let mut document = value(&fixture::held());
    document["latency"]["response"].as_object_mut().unwrap().remove("ci95");
    let read: Document = serde_json::from_value(document).unwrap();
    assert_eq!(read.latency.response.ci95, Ci95::default());
}

#[test]
fn a_closed_loop_has_no_send_lag_and_counts_from_the_send() {
    let document = fixture::closed().document();
    assert_eq!(document.latency.send_lag.count, 0);
    assert_eq!(document.latency_from, "sent");
    assert_eq!(document.rate.efficiency, None);
    assert_eq!(document.latency.response.p99_us, document.latency.service.p99_us);
}

#[test]
fn a_timed_out_request_is_a_bound_of_the_service_time() {
    let service = fixture::mixed().document().latency.service;
    assert_eq!(service.censored, 440);
    assert!(service.is_exact(0.99) && !service.is_exact(0.9999));
}

#[test]
fn what_wrk_would_print_changes_nothing_else() {
    for (name, mut run) in fixture::all() {
        let without = run.document();
        run.as_wrk = true;
        let mut with = run.document();
        assert!(without.latency.as_wrk.is_none() && without.latency.expected_interval_us.is_none());
        let as_wrk = with.latency.as_wrk.take().unwrap();
        with.latency.expected_interval_us = None;
        assert_eq!(with, without, "{name}");
        assert!(as_wrk.count >= with.requests.completed, "{name}");
        assert_eq!((as_wrk.censored, as_wrk.ci95), (0, Ci95::default()), "{name}");
    }
}

#[test]
fn what_wrk_would_print_is_of_all_answers_from_the_send() {
    let mut run = fixture::behind();
    run.as_wrk = true;
    let latency = run.document().latency;
    let as_wrk = latency.as_wrk.unwrap();
    // 64 connections, 48,700 answers in 10 s: 760 each. None took twice that.
    assert_eq!(latency.expected_interval_us, Some(13_157.894));
    assert_eq!((as_wrk.count, as_wrk.max_us), (97_400, latency.service.max_us));
    assert!(as_wrk.p99_us < latency.response.p50_us, "it shows nothing of the backlog");
    run.summary.measure.service.record_many(Nanos::from_millis(1_005), 10);
    let as_wrk = run.document().latency.as_wrk.unwrap();
    assert_eq!(as_wrk.count, 97_400 + 10 * 76, "76 intervals in that time");
}

#[test]
fn warm_up_stands_apart() {
    let document = fixture::warmed_up().document();
    let warmup = document.warmup.unwrap();
    assert_eq!(warmup.requests.good, 100_000);
    assert_eq!(warmup.rate.good_per_s, 50_000.0);
    assert_eq!(document.requests.good, 500_000);
    assert_eq!(fixture::held().document().warmup, None);
}

#[test]
fn a_threshold_has_its_value_in_its_own_unit_and_a_latency_in_microseconds_as_well() {
    let document = value(&fixture::judged());
    let found = |expr: &str| {
        let mut all = document["thresholds"].as_array().unwrap().iter();
        let found = all.find(|threshold| threshold["expr"] == expr);
        found.unwrap_or_else(|| panic!("no {expr}"))
    };
    let service = found("service.p99<20ms");
    assert_eq!(service["value_us"], document["latency"]["service"]["p99_us"]);
    assert_eq!(service["value_us"], service["value"]);
    assert_eq!((&service["unit"], &service["ok"]), (&json!("us"), &json!(true)));
    let errors = found("errors<0.1%");
    assert_eq!(errors["value"], document["requests"]["error_share"]);
    assert_eq!((&errors["unit"], &errors["value_us"]), (&json!("share"), &json!(null)));
    let timeouts = found("failures.timeout==0");
    assert_eq!((&timeouts["value"], &timeouts["unit"]), (&json!(0.0), &json!("count")));
    assert_eq!(found("good_per_s>=4k")["unit"], "per_s");
    let bound = found("p99<30s");
    assert_eq!((&bound["lower_bound"], &bound["ok"]), (&json!(true), &json!(false)));
    assert_eq!(found("p99>5s")["ok"], true);
    let unsupported = found("connect.p99.9<1ms");
    assert_eq!((&unsupported["value"], &unsupported["ok"]), (&json!(null), &json!(false)));
    assert!(unsupported["why"].as_str().unwrap().starts_with("too few samples: of 64"));
}

#[test]
fn a_run_that_a_rule_ended_says_which_and_is_not_complete() {
    let document = value(&fixture::aborted());
    assert_eq!(document["complete"], false);
    assert_eq!(document["aborted"]["expr"], "errors>50%");
    assert_eq!(document["plan"]["abort_on"], json!(["p99>2s", "errors>50%"]));
    assert!(!fixture::aborted().document().is_within_thresholds());
    assert_eq!(fixture::held().document().aborted, None);
    assert!(fixture::held().document().is_within_thresholds());
}

#[test]
fn without_a_scenario_nothing_is_said_by_name() {
    let held = value(&fixture::held());
    for name in ["names", "checks", "sessions", "aside"] {
        assert!(held.get(name).is_none(), "{name}");
    }
    assert!(held["plan"].get("model").is_none());
}

#[test]
fn each_name_has_what_the_whole_has_and_they_add_up() {
    let mix = value(&fixture::mix());
    let names = mix["names"].as_array().unwrap();
    let sum = |of: fn(&Value) -> u64| names.iter().map(of).sum::<u64>();
    assert_eq!(sum(|n| n["requests"]["sent"].as_u64().unwrap()), mix["requests"]["sent"]);
    assert_eq!(sum(|n| n["requests"]["good"].as_u64().unwrap()), mix["requests"]["good"]);
    let shares: f64 = names.iter().map(|n| n["share_sent"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    let patient = &names[1];
    assert_eq!((&patient["name"], &patient["part"]), (&json!("POST /patient"), &json!("main")));
    assert_eq!(patient["share_asked"], json!(3.0 / 18.0));
    assert_eq!(patient["requests"]["error_share"], json!(0.02));
    assert!(patient["latency"]["response"]["p95_us"].is_number());
    let whole: f64 = names.iter().map(|n| n["rate"]["good_per_s"].as_f64().unwrap()).sum();
    assert!((whole - mix["rate"]["good_per_s"].as_f64().unwrap()).abs() < 0.01);
}

#[test]
fn a_rejection_by_a_check_has_the_check_s_name() {
    let mix = value(&fixture::mix());
    let kinds = json!({"check:has an id": 15, "check:is JSON": 5, "status_5xx": 30});
    assert_eq!(mix["rejections"], kinds);
    assert_eq!(mix["names"][1]["rejections"], kinds);
    assert_eq!(mix["names"][0]["rejections"], json!({}));
    let failures = mix["names"][1]["failures"].as_array().unwrap();
    let found: Vec<_> = failures.iter().map(|f| f["kind"].as_str().unwrap()).collect();
    assert_eq!(found, ["status_5xx", "check:has an id", "timeout", "check:is JSON"]);
    assert_eq!((&failures[1]["first_s"], &failures[1]["last_s"]), (&json!(0.41), &json!(9.3)));
    assert_eq!(mix["checks"][1], json!({"name": "is JSON", "passed": 2_920, "failed": 20}));
    assert_eq!(mix["sessions"], Value::Null);
}

#[test]
fn setup_and_teardown_stand_aside() {
    let users = value(&fixture::users());
    assert_eq!(users["requests"]["sent"], 6_000);
    assert_eq!(users["aside"]["requests"]["sent"], 100);
    assert_eq!(users["aside"]["requests"]["rejected"], 3);
    assert_eq!(users["rejections"], json!({}), "a login is no part of the load");
    let parts: Vec<_> = users["names"].as_array().unwrap().iter().map(|n| &n["part"]).collect();
    assert_eq!(parts, ["setup", "main", "main", "teardown"]);
    assert_eq!(users["names"][0]["share_sent"], Value::Null);
    let sessions = &users["sessions"];
    assert_eq!((&sessions["started"], &sessions["cut"]), (&json!(530), &json!(47)));
    let length = &sessions["length"];
    assert_eq!((&length["count"], &length["censored"]), (&json!(483), &json!(3)));
    assert_eq!(users["plan"]["model"], "users");
}

#[test]
fn a_document_of_an_earlier_build_has_no_reading_aid_and_is_read() {
    let mut held = value(&fixture::held());
    for key in ["rating", "sentences", "advice"] {
        assert!(held.as_object_mut().unwrap().remove(key).is_some(), "{key}");
    }
    let document: Document = serde_json::from_value(held).unwrap();
    assert_eq!((document.rating.is_none(), document.sentences.len()), (true, 0));
    let page = crate::report::page(&document, &crate::report::PageOptions::default());
    assert!(!page.contains("grade:") && !page.contains("in short:"), "{page}");
}

#[test]
fn a_grade_is_the_worst_of_the_marks_beside_it() {
    for (name, run) in fixture::all() {
        let rating = run.document().rating.unwrap();
        let order = ["excellent", "good", "acceptable", "poor", "critical"];
        let place = |grade: &str| order.iter().position(|known| *known == grade).unwrap();
        let worst = rating.measures.iter().map(|mark| place(&mark.grade)).max();
        assert_eq!(rating.grade.as_deref().map(place), worst, "{name}");
        assert_eq!(rating.grade.is_none(), rating.why.is_some(), "{name}");
        assert_eq!(rating.set, "default", "{name}");
    }
}
