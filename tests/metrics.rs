//! `--prometheus` and `--otlp`: what a scraper reads while a run goes on, and that at its end this is what the
//! document says.

mod exposition;
mod otlp;
#[cfg(feature = "native-histograms")]
mod protobuf;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, PipeReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{
    Blast, Document, Folder, LIMIT, Server, answer, each_engine, ok, ring_alone, skipped,
};
use exposition::Exposition;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";
const TEXT: &str = "text/plain; version=0.0.4";

/// A run with a scraper at its side. Nobody reads its document before [`Watched::document`]: its
/// pipe is short, so that it waits there with all its work done, and its metrics served.
struct Watched {
    address: String,
    running: thread::JoinHandle<crate::support::Run>,
    stdout: PipeReader,
}

impl Watched {
    fn start(blast: Blast) -> Watched {
        let (stdout, to_stdout) = std::io::pipe().unwrap();
        let (stderr, to_stderr) = std::io::pipe().unwrap();
        // SAFETY: a system call on no memory.
        let size = unsafe { libc::fcntl(stdout.as_raw_fd(), libc::F_SETPIPE_SZ, 4096) };
        assert_eq!(size, 4096);
        let blast = blast.args("--prometheus 0").stdout(to_stdout).stderr(to_stderr);
        let running = blast.start();
        let running = thread::spawn(move || running.end());
        let mut line = String::new();
        BufReader::new(stderr).read_line(&mut line).unwrap();
        let address = line.strip_prefix("metrics: http://").unwrap_or_else(|| panic!("{line}"));
        let address = address.trim_end().strip_suffix("/metrics").unwrap().to_string();
        Watched { address, running, stdout }
    }

    fn scrape(&self, accept: &str) -> (String, Vec<u8>) {
        get(&self.address, "/metrics", accept)
    }

    fn exposition(&self) -> Exposition {
        let (_, body) = self.scrape(OPEN_METRICS);
        Exposition::strict(&String::from_utf8(body).unwrap())
    }

    /// The metrics once the load is over.
    fn until_ended(&self) -> Exposition {
        let began = Instant::now();
        loop {
            let found = self.exposition();
            if found.value("blast_phase", &[("phase", "ended")]) == 1.0 {
                return found;
            }
            assert!(began.elapsed() < LIMIT, "the run never ends");
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn document(mut self) -> Document {
        let mut text = String::new();
        self.stdout.read_to_string(&mut text).unwrap();
        let run = self.running.join().unwrap();
        assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
        Document::parse(&text).unwrap()
    }
}

/// The head and the body of the answer.
fn get(address: &str, path: &str, accept: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    let body = bytes.split_off(end);
    (String::from_utf8(bytes).unwrap(), body)
}

/// Of every ten requests on a connection: six good ones, four that are rejected; then it closes
/// without an answer.
fn moody() -> Server {
    Server::start(|peer| {
        let statuses = ["200 OK", "404 No", "429 Slow", "500 Oh", "201 New"];
        for status in statuses.iter().chain(&["200 OK"; 5]) {
            if peer.request().is_none() {
                return;
            }
            peer.write(answer(status, "hello"));
        }
        peer.request();
        peer.close();
    })
}

#[test]
fn at_the_end_the_counters_are_the_documents() {
    each_engine(|engine| {
        let server = moody();
        let blast = Blast::calm(engine, &server.url()).args("-R 200 -d 1500ms -c 4");
        let watched = Watched::start(blast);
        let (found, document) = (watched.until_ended(), watched.document());
        for (metric, field) in [
            ("blast_requests_scheduled_total", "scheduled"),
            ("blast_requests_sent_total", "sent"),
            ("blast_requests_completed_total", "completed"),
            ("blast_requests_good_total", "good"),
            ("blast_requests_abandoned_total", "abandoned"),
            ("blast_requests_rejected_total", "rejected"),
            ("blast_requests_failed_total", "failed"),
            ("blast_requests_dropped_total", "dropped"),
        ] {
            let [expected] = document.fates([field]);
            assert_eq!(found.sum(metric), expected as f64, "{metric}");
        }
        let failed = document.count("requests.failed");
        assert!(document.count("requests.rejected") > 0 && failed > 0, "the server is moody");
        for (metric, label, field) in [
            ("blast_responses_total", "status", "statuses"),
            ("blast_requests_rejected_total", "kind", "rejections"),
            ("blast_requests_failed_total", "kind", "failures"),
            ("blast_requests_dropped_total", "reason", "drops"),
            ("blast_connections_failed_total", "kind", "connections.failures"),
        ] {
            assert_eq!(found.nonzero(metric, label), floats(&document.counts(field)), "{metric}");
        }
        for direction in ["received", "sent"] {
            let within = document.count(&format!("bytes.{direction}"));
            let after = document.count(&format!("drain.bytes_{direction}"));
            let counted = found.sum(&format!("blast_bytes_{direction}_total"));
            assert_eq!(counted, (within + after) as f64, "{direction}");
        }
        let opened = document.count("connections.opened") as f64;
        assert_eq!(found.sum("blast_connections_opened_total"), opened);
        let side = [("kind", "closed_before_response"), ("side", "target")];
        assert_eq!(found.value("blast_requests_failed_total", &side), failed as f64);
    });
}

fn floats(counts: &BTreeMap<&str, u64>) -> BTreeMap<String, f64> {
    counts.iter().map(|(name, count)| (name.to_string(), *count as f64)).collect()
}

#[test]
fn warm_up_measure_and_drain_are_one_sum() {
    each_engine(|engine| {
        let server = moody();
        let blast = Blast::calm(engine, &server.url());
        let watched = Watched::start(blast.args("-R 200 -d 1s --warmup 500ms -c 4"));
        let (found, document) = (watched.until_ended(), watched.document());
        for field in ["scheduled", "sent", "completed", "good", "rejected", "failed", "dropped"] {
            let of = |part: &str| document.count(&format!("{part}.{field}"));
            let due = of("requests") + of("warmup.requests");
            let counted = found.sum(&format!("blast_requests_{field}_total"));
            assert_eq!(counted, due as f64, "{field}");
        }
        let sum = |field: &str| {
            let of = |part: &str| document.count(&format!("{part}.{field}"));
            (of("requests") + of("warmup.requests")) as f64
        };
        let response = found.histogram("blast_response_seconds");
        assert_eq!((response.count, response.finite), (sum("scheduled"), sum("good")));
        assert_eq!(found.histogram("blast_send_lag_seconds").count, sum("sent"));
        assert!(found.value("blast_in_flight", &[]) == 0.0, "nothing is under way any more");
    });
}

#[test]
fn a_percentile_of_the_buckets_is_that_of_the_document() {
    ring_alone(|engine| {
        let server = Server::start(|peer| {
            while let Some(heard) = peer.request() {
                // A tenth takes longer.
                let slow = heard.turn % 10 == 9;
                thread::sleep(Duration::from_millis(if slow { 30 } else { 3 }));
                peer.write(ok());
            }
        });
        let blast = Blast::calm(engine, &server.url()).args("-n 400 -c 4");
        let watched = Watched::start(blast);
        let (found, document) = (watched.until_ended(), watched.document());
        for metric in ["blast_response_seconds", "blast_service_seconds"] {
            let histogram = found.histogram(metric);
            assert_eq!(histogram.count, 400.0);
            for q in ["p50", "p95"] {
                let share = q[1..].parse::<f64>().unwrap() / 100.0;
                let exact = document.number(&format!("latency.service.{q}_us")) / 1e6;
                let (below, above) = histogram.around(share);
                assert!(below <= exact && exact <= above, "{q} {exact}: {below} to {above}");
            }
            let mean = document.number("latency.service.mean_us") / 1e6;
            let ratio = histogram.sum / histogram.count / mean;
            assert!((0.999..1.001).contains(&ratio), "{ratio}");
        }
        assert!(!found.has("blast_send_lag_seconds"), "a closed loop has no schedule");
        assert!(!found.has("blast_offered_per_second"));
    });
}

#[test]
fn counters_only_grow_while_the_run_goes_on() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let blast = Blast::calm(engine, &server.url()).args("-R 300 -d 3s -c 3");
        let watched = Watched::start(blast);
        let first = watched.exposition();
        let (mut before, mut seen, began) = (first, Vec::new(), Instant::now());
        let (mut open, mut offered) = (0f64, 0f64);
        while before.value("blast_phase", &[("phase", "ended")]) == 0.0 {
            assert!(began.elapsed() < LIMIT, "the run never ends");
            thread::sleep(Duration::from_millis(100));
            let now = watched.exposition();
            now.has_grown_from(&before);
            seen.push(now.sum("blast_requests_sent_total"));
            open = open.max(now.value("blast_connections_open", &[]));
            offered = offered.max(now.value("blast_offered_per_second", &[]));
            before = now;
        }
        seen.dedup();
        assert!(seen.len() >= 3, "it is told every second: {seen:?}");
        assert_eq!((seen.last(), open, offered), (Some(&900.0), 3.0, 300.0));
        assert_eq!(before.value("blast_connections_open", &[]), 0.0);
        assert_eq!(watched.document().fates(["sent"]), [900]);
        assert!(!before.all("blast_reading").is_empty(), "the host is read beside the load");
    });
}

#[test]
fn the_clients_of_others_read_the_same() {
    ring_alone(|engine| {
        let server = moody();
        let blast = Blast::calm(engine, &server.url()).args("-R 200 -d 1s -c 4");
        let watched = Watched::start(blast);
        let found = watched.until_ended();
        let (open, open_metrics) = watched.scrape(OPEN_METRICS);
        let (head, text) = watched.scrape(TEXT);
        assert!(open.contains("Content-Type: application/openmetrics-text; version=1.0.0"));
        assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
        assert_eq!(get(&watched.address, "/metrics", "*/*").1, text);
        let older = Exposition::of_text(&String::from_utf8(text.clone()).unwrap());
        assert_eq!(older.samples, found.samples);
        for (parser, page) in [
            ("prometheus_client.openmetrics.parser", &open_metrics),
            ("prometheus_client.parser", &text),
        ] {
            let Some(read) = by_python(parser, page) else { continue };
            assert_eq!(read, found.samples, "{parser}");
        }
        by_promtool(&text);
        drop(watched.document());
    });
}

/// The samples that Python's client library finds; `None`, and said so, where there is none.
fn by_python(parser: &str, page: &[u8]) -> Option<BTreeMap<String, f64>> {
    let script = "\
import sys, importlib
parser = importlib.import_module(sys.argv[1])
for family in parser.text_string_to_metric_families(sys.stdin.read()):
    for s in family.samples:
        labels = ','.join(f'{k}={v}' for k, v in sorted(s.labels.items()))
        print(s.name, labels, s.value, sep='\\t')";
    let has_it = Command::new("python3").args(["-c", "import prometheus_client"]).output();
    if !has_it.is_ok_and(|output| output.status.success()) {
        skipped("Python's reading of the metrics", "there is no python3 with prometheus_client");
        return None;
    }
    let (is_ok, stdout, stderr) = piped("python3", &["-c", script, parser], page);
    assert!(is_ok, "{parser}: {stderr}");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        (exposition::key(fields[0], fields[1]), fields[2].parse().unwrap())
    };
    Some(stdout.lines().map(row).collect())
}

/// Prometheus' own check of what it would scrape.
fn by_promtool(page: &[u8]) {
    if !has_promtool("check of the metrics") {
        return;
    }
    let (is_ok, stdout, stderr) = piped("promtool", &["check", "metrics"], page);
    assert!(is_ok, "{stdout}{stderr}");
}

fn piped(program: &str, arguments: &[&str], input: &[u8]) -> (bool, String, String) {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_metric_of_the_dashboard_is_there() {
    ring_alone(|engine| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/grafana-dashboard.json");
        let text = std::fs::read_to_string(path).unwrap();
        let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(dashboard["__inputs"][0]["type"], "datasource");
        let server = Server::answering(ok());
        let watched = Watched::start(Blast::calm(engine, &server.url()).args("-R 50 -d 1200ms"));
        let found = watched.until_ended();
        let mut expressions = Vec::new();
        collect_expressions(&dashboard, &mut expressions);
        let mut used: Vec<&str> = expressions.iter().flat_map(|text| metrics_in(text)).collect();
        used.sort_unstable();
        used.dedup();
        assert!(used.len() > 12, "{used:?}");
        for name in used {
            assert!(found.has_sample(name), "the dashboard asks for {name}");
        }
        drop(watched.document());
        by_promtool_as_rules(&expressions);
    });
}

/// Prometheus' own parser takes each expression of a panel, once Grafana's variables have a value.
fn by_promtool_as_rules(expressions: &[String]) {
    if !has_promtool("reading of the dashboard's expressions") {
        return;
    }
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_string();
    for (number, expression) in expressions.iter().enumerate() {
        let expression = expression.replace("$__rate_interval", "5s").replace("$instance", ".*");
        if !expression.starts_with("label_values(") {
            let expression = serde_json::to_string(&expression).unwrap();
            rules += &format!("  - record: panel:{number}\n    expr: {expression}\n");
        }
    }
    let folder = Folder::new();
    let path = folder.path().join("rules.yml");
    std::fs::write(&path, rules).unwrap();
    let (is_ok, stdout, stderr) =
        piped("promtool", &["check", "rules", path.to_str().unwrap()], b"");
    assert!(is_ok, "{stdout}{stderr}");
}

fn has_promtool(what: &str) -> bool {
    let has = Command::new("promtool").arg("--version").output().is_ok_and(|o| o.status.success());
    if !has {
        skipped(&format!("promtool's {what}"), "there is no promtool");
    }
    has
}

/// What is asked of Prometheus: the values of `expr` and `query`.
fn collect_expressions(value: &serde_json::Value, into: &mut Vec<String>) {
    if let Some(fields) = value.as_object() {
        for (name, value) in fields {
            let text = value.as_str().filter(|_| ["expr", "query"].contains(&name.as_str()));
            into.extend(text.map(str::to_string));
        }
    }
    let children = value.as_object().into_iter().flat_map(|fields| fields.values());
    for child in children.chain(value.as_array().into_iter().flatten()) {
        collect_expressions(child, into);
    }
}

fn metrics_in(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("blast_"))
}

#[test]
fn an_address_in_use_ends_it_before_anything_is_sent() {
    each_engine(|engine| {
        let (server, taken) = (Server::answering(ok()), TcpListener::bind("127.0.0.1:0").unwrap());
        let address = taken.local_addr().unwrap().to_string();
        let blast = Blast::calm(engine, &server.url()).args("-n 1 --prometheus").arg(&address);
        let run = blast.run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.complaint().contains(&address), "{run:?}");
        assert!(run.complaint().ends_with("choose another port"), "{run:?}");
        assert_eq!(server.connections(), 0);
    });
}

#[test]
fn what_is_no_address_is_refused() {
    let run = Blast::page("ring", "http://h/").args("--prometheus everywhere").run();
    assert_eq!(run.code(), Some(2));
    assert!(run.complaint().starts_with("--prometheus: `everywhere` is no address"), "{run:?}");
}

#[test]
fn scrapers_that_misbehave_cost_the_run_nothing() {
    ring_alone(|engine| {
        let server = Server::answering(ok());
        let watched = Watched::start(Blast::calm(engine, &server.url()).args("-R 100 -d 3s"));
        let address = watched.address.clone();
        let (stop, stopped) = mpsc::channel::<()>();
        let nuisance = thread::spawn(move || {
            // One that never ends its request, one that never reads, and one that talks nonsense.
            while stopped.recv_timeout(Duration::from_millis(10)).is_err() {
                for words in ["GET /metr", "GET /metrics HTTP/1.1\r\n\r\n", "\0\0\r\n\r\n"] {
                    let Ok(mut stream) = TcpStream::connect(&address) else { return };
                    let _ = stream.write_all(words.as_bytes());
                    let _ = stream.shutdown(Shutdown::Write);
                }
            }
        });
        let found = watched.until_ended();
        assert_eq!(found.sum("blast_requests_scheduled_total"), 300.0);
        stop.send(()).unwrap();
        nuisance.join().unwrap();
        assert_eq!(watched.document().fates(["scheduled", "good"]), [300, 300]);
        assert_eq!(server.requests(), 300, "what is scraped is not the target's");
    });
}

#[test]
fn no_secret_of_the_url_is_shown() {
    ring_alone(|engine| {
        let server = Server::answering(ok());
        let url = format!("http://me:s3cr3t@{}/a?token=s3cr3t&b=%22c%22", server.address());
        let watched = Watched::start(Blast::calm(engine, &url).args("-n 5 -c 1"));
        watched.until_ended();
        for accept in [OPEN_METRICS, TEXT] {
            let page = String::from_utf8(watched.scrape(accept).1).unwrap();
            assert!(page.contains("***") && !page.contains("s3cr3t"), "{page}");
        }
        drop(watched.document());
    });
}
