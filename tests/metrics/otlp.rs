//! `--otlp`: what a collector is sent, by the shape that the specification gives its JSON.

use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use serde_json::Value;

use crate::support::{Blast, Heard, Server, answer, closed_port, each_engine, ok, skipped};

use super::piped;

/// Requests and their bodies.
type Exports = Arc<Mutex<Vec<(Heard, Value)>>>;

/// A collector that takes everything, and what it was sent.
fn collector() -> (Server, Exports) {
    let exports = Exports::default();
    let kept = exports.clone();
    let server = Server::start(move |peer| {
        if let Some((heard, body)) = peer.request_and_body() {
            kept.lock().unwrap().push((heard, serde_json::from_slice(&body).unwrap()));
            peer.write(answer("200 OK", "{}"));
        }
    });
    (server, exports)
}

/// The sum of a metric's counters.
fn total(export: &Value, name: &str) -> u64 {
    let sum = &metric(export, name)["sum"];
    assert_eq!((&sum["isMonotonic"], &sum["aggregationTemporality"]), (&true.into(), &2.into()));
    let points = sum["dataPoints"].as_array().unwrap();
    points.iter().map(|point| number(&point["asInt"])).sum()
}

fn metric<'a>(export: &'a Value, name: &str) -> &'a Value {
    let metrics = &export["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    let mut metrics = metrics.as_array().unwrap().iter();
    metrics.find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("no {name}: {export}"))
}

/// 64-bit integers are text.
fn number(value: &Value) -> u64 {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).parse().unwrap()
}

#[test]
fn the_last_export_says_what_the_document_says() {
    each_engine(|engine| {
        let server = super::moody();
        let (collector, exports) = collector();
        let blast = Blast::calm(engine, &server.url()).args("-R 100 -d 1s -c 2 --otlp");
        let document = blast.arg(&collector.url()).document();
        let exports = exports.lock().unwrap();
        let (heard, export) = exports.last().expect("one at the end");
        assert!(heard.head.starts_with("POST /v1/metrics HTTP/1.1\r\n"), "{}", heard.head);
        assert!(heard.head.contains("Content-Type: application/json\r\n"), "{}", heard.head);
        for field in ["scheduled", "sent", "completed", "good", "rejected", "failed"] {
            let counted = total(export, &format!("blast_requests_{field}"));
            assert_eq!([counted], document.fates([field]), "{field}");
        }
        let response = metric(export, "blast_response_seconds");
        assert_eq!(response["unit"], "s");
        let point = &response["histogram"]["dataPoints"][0];
        let counts = point["bucketCounts"].as_array().unwrap();
        let bounds = point["explicitBounds"].as_array().unwrap();
        assert_eq!(counts.len(), bounds.len() + 1);
        let counts: Vec<u64> = counts.iter().map(number).collect();
        assert_eq!([counts.iter().sum(), number(&point["count"])], [100, 100]);
        assert_eq!([100 - counts.last().unwrap()], document.fates(["good"]));
        assert!(number(&point["timeUnixNano"]) > number(&point["startTimeUnixNano"]));
        by_the_specification(&heard.body, export);
        let attributes = export["resourceMetrics"][0]["resource"]["attributes"].as_array().unwrap();
        let name = attributes.iter().find(|pair| pair["key"] == "service.name").unwrap();
        assert_eq!(name["value"]["stringValue"], "blast");
        assert!(!document.warnings().contains(&"otlp_failed"));
    });
}

/// The messages that the specification publishes, as Python's protobuf reads their JSON: it takes no
/// field that they do not have, and no value of another type.
fn by_the_specification(size: &usize, export: &Value) {
    let import = "from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as pb";
    let has_it = Command::new("python3").args(["-c", import]).output();
    if !has_it.is_ok_and(|output| output.status.success()) {
        skipped("OTLP's own messages", "there is no python3 with opentelemetry-proto");
        return;
    }
    let script = format!(
        "{import}\nimport sys\nfrom google.protobuf import json_format\n\
         m = json_format.Parse(sys.stdin.read(), pb.ExportMetricsServiceRequest())\n\
         ms = m.resource_metrics[0].scope_metrics[0].metrics\n\
         print(next(x for x in ms if x.name == 'blast_requests_sent').sum.data_points[0].as_int)"
    );
    let text = export.to_string();
    assert_eq!(text.len(), *size, "it is what was sent");
    let (is_ok, stdout, stderr) = piped("python3", &["-c", &script], text.as_bytes());
    assert!(is_ok, "{stderr}");
    assert_eq!(stdout.trim(), total(export, "blast_requests_sent").to_string());
}

#[test]
fn a_collector_that_is_not_there_is_one_warning() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let url = format!("http://{}", closed_port());
        let blast = Blast::calm(engine, &server.url()).args("-R 50 -d 300ms -c 1 --otlp");
        let document = blast.arg(&url).document();
        assert_eq!(document.fates(["good"]), [15]);
        let warnings = document.at("warnings").as_array().unwrap();
        let of_it: Vec<&Value> = warnings.iter().filter(|w| w["code"] == "otlp_failed").collect();
        let [warning] = of_it[..] else { panic!("{warnings:?}") };
        assert!(warning["text"].as_str().unwrap().contains("connection refused"), "{warning}");
    });
}

#[test]
fn what_is_no_collectors_url_is_refused_in_its_own_words() {
    for (url, expected) in [
        ("https://h:4318", "--otlp: only http is spoken to a collector"),
        ("http://me:s3cret@h", "--otlp: a collector is sent no credentials"),
        ("me@s3cret", "--otlp: the value is no URL"),
    ] {
        let run = Blast::page("ring", "http://h/").args("--otlp").arg(url).run();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().starts_with(expected), "{run:?}");
        assert!(!run.complaint().contains("s3cret"), "{run:?}");
    }
}

#[test]
fn a_collector_that_refuses_is_told_with_its_status() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let times = Arc::new(AtomicU64::new(0));
        let asked = times.clone();
        let collector = Server::start(move |peer| {
            if peer.request().is_some() {
                asked.fetch_add(1, SeqCst);
                peer.write(answer("415 Unsupported Media Type", ""));
            }
        });
        let blast = Blast::calm(engine, &server.url()).args("-R 50 -d 300ms -c 1 --otlp");
        let document = blast.arg(&collector.url()).document();
        let warnings = document.at("warnings").to_string();
        let expected = "1 of 1 exports of the metrics failed, the last one so: it answers 415";
        assert!(warnings.contains(expected), "{warnings}");
        assert_eq!(times.load(SeqCst), 1);
    });
}
