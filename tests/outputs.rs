//! Where results go: the page, the document on stdout and in files, the live line; and what
//! happens where they cannot go.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

use crate::support::{Blast, Document, Folder, LIMIT, Server, Terminal, each_engine, ok};

const LOAD: &str = "-R 100 -d 200ms -c 2 --wait block --pin off";

#[test]
fn a_file_holds_the_same_document_as_stdout() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let file = folder.path().join("result.json");
        let blast = Blast::new(engine, &server.url()).args(LOAD).args("-o");
        let run = blast.arg(file.to_str().unwrap()).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), run.stdout);
        assert_eq!(run.document().fates(["good"]), [20]);
        assert_eq!(folder.names(), ["result.json"]);
    });
}

#[test]
fn several_files_may_be_written_beside_the_page() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let files = ["a.json", "b.JSON"].map(|name| folder.path().join(name));
        let mut blast = Blast::page(engine, &server.url()).args(LOAD);
        for file in &files {
            blast = blast.arg("-o").arg(file.to_str().unwrap());
        }
        let run = blast.run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert!(run.stdout.contains("Requests/sec:"), "{run:?}");
        for file in &files {
            let document = Document::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
            assert_eq!(document.fates(["good"]), [20]);
        }
    });
}

#[test]
fn the_page_ends_as_wrks_does_and_says_nothing_on_stderr() {
    each_engine(|engine| {
        for flags in ["", "--quiet", "-L"] {
            let server = Server::answering(ok());
            let run = Blast::page(engine, &server.url()).args(LOAD).args(flags).run();
            assert_eq!(run.code(), Some(0), "{run:?}");
            assert_eq!(run.stderr, "", "{run:?}");
            let lines: Vec<&str> = run.stdout.lines().collect();
            let [requests, transfer] = lines[lines.len() - 2..] else { panic!("{run:?}") };
            let value = |line: &str| line.split_whitespace().last().unwrap().to_string();
            assert!(requests.starts_with("Requests/sec:"), "{run:?}");
            // What a busy host answers after the end of measure is no part of it.
            let good = |row: &str| {
                let row = lines.iter().find(|line| line.starts_with(row)).expect("a table");
                value(row).parse::<f64>().unwrap()
            };
            let per_second = value(requests).parse::<f64>().unwrap();
            assert_eq!((per_second, good("requests ")), (good("per second "), 20.0), "{run:?}");
            assert!((5.0..=100.0).contains(&per_second), "{run:?}");
            assert!(transfer.starts_with("Transfer/sec:"), "{run:?}");
            assert!(value(transfer).ends_with('B'), "{run:?}");
            // The tables of the spectrum are as wide as their figures.
            let fits = lines.iter().all(|line| line.chars().count() <= 80);
            assert!(fits || flags == "-L", "{run:?}");
            assert!(!run.stdout.contains('\x1b'), "{run:?}");
        }
    });
}

#[test]
fn the_page_counts_only_good_answers_as_requests_per_second() {
    each_engine(|engine| {
        let server = Server::answering(crate::support::answer("503 Busy", ""));
        let run = Blast::page(engine, &server.url()).args(LOAD).run();
        assert!(run.stdout.contains("Requests/sec:      0.00"), "{run:?}");
        assert!(run.stdout.contains("20 x 503"), "{run:?}");
    });
}

#[test]
fn a_failure_stands_on_the_page_with_its_kind_and_a_hint() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            peer.request();
            peer.reset();
        });
        let run = Blast::page(engine, &server.url()).args(LOAD).run();
        let hint = blast::Kind::ReceiveReset.hint().split(':').next().unwrap();
        let words: Vec<&str> = run.stdout.split_whitespace().collect();
        let text = words.join(" ");
        assert!(text.contains("receive_reset") && text.contains(hint), "{run:?}");
    });
}

#[test]
fn what_wrk_would_print_stands_beside_ours_when_it_is_asked_for() {
    each_engine(|engine| {
        for (load, ours) in
            [(LOAD, "ours: response"), ("-n 200 -c 2 --wait block", "ours: service")]
        {
            let server = Server::answering(ok());
            let run = Blast::page(engine, &server.url()).args(load).args("--as-wrk").run();
            assert_eq!(run.code(), Some(0), "{run:?}");
            assert!(run.stdout.contains("as wrk would print it"), "{run:?}");
            assert!(run.stdout.contains(ours), "{run:?}");
            let run = Blast::page(engine, &server.url()).args(load).run();
            assert!(!run.stdout.contains("as wrk"), "{run:?}");
            let document = Blast::new(engine, &server.url()).args(load).document();
            assert!(document.at("latency.as_wrk").is_null());
            let blast = Blast::new(engine, &server.url()).args(load).args("--as-wrk");
            let document = blast.document();
            // Two connections: measure over half the answers.
            let completed = document.count("requests.completed");
            let expected = document.number("duration_s") * 1e6 / (completed / 2) as f64;
            let off = document.number("latency.expected_interval_us") - expected;
            assert!(off.abs() < 1.0, "{off} us from {expected} us");
            assert!(document.count("latency.as_wrk.count") >= completed);
        }
    });
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error_and_the_file_is_written() {
    each_engine(|engine| {
        for json in [false, true] {
            let (server, folder) = (Server::answering(ok()), Folder::new());
            let file = folder.path().join("result.json");
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let format = if json { "--json" } else { "" };
            let blast = Blast::page(engine, &server.url()).args(LOAD).args(format).stdout(writer);
            let run = blast.args("-o").arg(file.to_str().unwrap()).run();
            assert_eq!((run.code(), run.stderr.as_str()), (Some(0), ""), "{run:?}");
            Document::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
        }
    });
}

#[test]
fn a_stdout_that_is_full_is_one_sentence_and_exit_1_and_the_file_is_written() {
    each_engine(|engine| {
        for json in [false, true] {
            let (server, folder) = (Server::answering(ok()), Folder::new());
            let file = folder.path().join("result.json");
            let full = File::options().write(true).open("/dev/full").unwrap();
            let format = if json { "--json" } else { "" };
            let blast = Blast::page(engine, &server.url()).args(LOAD).args(format).stdout(full);
            let run = blast.args("-o").arg(file.to_str().unwrap()).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            assert!(run.complaint().contains("No space left"), "{run:?}");
            Document::parse(&std::fs::read_to_string(file).unwrap()).unwrap();
        }
    });
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_is_sent() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let here = folder.path().to_str().unwrap().to_string();
        std::fs::create_dir(folder.path().join("folder.json")).unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        for file in [
            format!("{here}/missing/result.json"),
            format!("{here}/folder.json"),
            format!("{here}/file/result.json"),
            format!("{here}/result.csv"),
            format!("{here}/missing/result.hlog"),
            "/proc/result.hgrm".to_string(),
            format!("{here}/{}.json", "n".repeat(300)),
            // No user may create files there, not even root.
            "/proc/result.json".to_string(),
            "/sys/result.json".to_string(),
            "-".to_string(),
        ] {
            let run = Blast::new(engine, &server.url()).args(LOAD).args("-o").arg(&file).run();
            assert!(matches!(run.code(), Some(1 | 2)), "{file}: {run:?}");
            run.complaint();
            assert_eq!(server.connections(), 0, "{file}");
        }
        let mut names = folder.names();
        names.sort();
        assert_eq!(names, ["file", "folder.json"], "nothing is left behind");
    });
}

fn histogram(base64: &str) -> Histogram<u64> {
    Deserializer::new().deserialize(&mut &BASE64.decode(base64).unwrap()[..]).unwrap()
}

/// The histograms of a log with this tag: how many, and their sum.
fn logged(file: &Path, tag: &str) -> (usize, Histogram<u64>) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("\n#[Histogram log format version 1.3]\n"), "{text}");
    let entries: Vec<_> = IntervalLogIterator::new(text.as_bytes()).map(Result::unwrap).collect();
    assert!(matches!(entries[0], LogEntry::StartTime(_)), "{text}");
    let mut sum = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
    let mut lines = 0;
    for entry in &entries {
        let LogEntry::Interval(line) = entry else { continue };
        if line.tag().unwrap().as_str() == tag {
            lines += 1;
            sum.add(histogram(line.encoded_histogram())).unwrap();
        }
    }
    (lines, sum)
}

/// The last count of the percentile distribution, and the total in its foot.
fn distributed(file: &Path) -> (u64, u64) {
    let text = std::fs::read_to_string(file).unwrap();
    let steps = text.lines().skip(2).filter(|line| !line.starts_with('#'));
    let last = steps.last().map_or("0", |line| line.split_whitespace().nth(2).unwrap());
    let total = text.split("Total count    =").nth(1).unwrap().split(']').next().unwrap();
    assert!(text.contains("#[Buckets =") && text.ends_with("]\n"), "{text}");
    (last.parse().unwrap(), total.trim().parse().unwrap())
}

#[test]
fn the_tools_of_hdr_histogram_read_the_same_distributions_as_the_document_holds() {
    each_engine(|engine| {
        for load in ["-R 200 -d 2200ms --warmup 500ms -c 2", "-d 1300ms --warmup 500ms -c 2"] {
            let (server, folder) = (Server::answering(ok()), Folder::new());
            let [hgrm, hlog] = ["a.hgrm", "a.HLOG"].map(|name| folder.path().join(name));
            let mut blast = Blast::calm(engine, &server.url()).args(load);
            for file in [&hgrm, &hlog] {
                blast = blast.arg("-o").arg(file.to_str().unwrap());
            }
            let document = blast.document();
            let of = |row: &str| histogram(document.text(&format!("latency.{row}.hdr")));
            let (lines, response) = logged(&hlog, "response");
            assert_eq!(document.count("latency.response.censored"), 0);
            assert_eq!(response, of("response"));
            // A line for each interval that held a part of measure.
            let all = document.intervals();
            let measured = all.iter().filter(|i| i["phase"] != "warmup").count();
            assert!((measured..=all.len()).contains(&lines), "{lines} of {}", all.len());
            assert_eq!(logged(&hlog, "service"), (lines, of("service")));
            let count = document.count("latency.response.count");
            assert_eq!(distributed(&hgrm), (count, count));
            assert_eq!(folder.names().len(), 2);
        }
    });
}

#[test]
fn an_interrupted_run_keeps_its_logs_and_they_count_what_was_given_up() {
    each_engine(|engine| {
        // Answers the first twenty and then falls silent.
        let server = Server::start(|peer| {
            for _ in 0..20 {
                peer.request();
                peer.write(ok());
            }
            while peer.request().is_some() {}
        });
        let folder = Folder::new();
        let [hgrm, hlog] = ["a.hgrm", "a.hlog"].map(|name| folder.path().join(name));
        let mut blast = Blast::calm(engine, &server.url()).args("-R 100 -d 60s -c 1");
        for file in [&hgrm, &hlog] {
            blast = blast.arg("-o").arg(file.to_str().unwrap());
        }
        let running = blast.start();
        let heard = std::time::Instant::now();
        while server.log().len() <= 20 {
            assert!(heard.elapsed() < LIMIT, "only {} were sent", server.log().len());
            thread::sleep(Duration::from_millis(5));
        }
        assert!(!hlog.exists(), "it takes its place when the run is over");
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        let document = run.document();
        let [scheduled, good] = document.fates(["scheduled", "good"]);
        assert_eq!(logged(&hlog, "response").1.len(), scheduled, "{run:?}");
        assert!((1..=20).contains(&good) && scheduled > good, "{run:?}");
        let service = document.count("latency.service.count");
        assert_eq!(logged(&hlog, "service").1.len(), service);
        assert_eq!(distributed(&hgrm), (scheduled, scheduled));
        assert_eq!(folder.names().len(), 2);
    });
}

#[test]
fn a_file_that_fails_does_not_keep_the_others_from_being_written() {
    each_engine(|engine| {
        for broken in ["a.json", "a.hgrm", "a.hlog"] {
            let (server, folder) = (Server::answering(ok()), Folder::new());
            let files = ["a.json", "a.hgrm", "a.hlog"].map(|name| folder.path().join(name));
            symlink("/dev/full", folder.path().join(broken)).unwrap();
            let mut blast = Blast::page(engine, &server.url()).args(LOAD);
            for file in &files {
                blast = blast.arg("-o").arg(file.to_str().unwrap());
            }
            let run = blast.run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            assert_eq!(run.stderr.matches("could not write the report").count(), 1, "{run:?}");
            assert!(run.stderr.contains(broken) && run.stdout.contains("Requests/sec:"), "{run:?}");
            let [json, hgrm, hlog] = &files;
            if broken != "a.json" {
                Document::parse(&std::fs::read_to_string(json).unwrap()).unwrap();
            }
            if broken != "a.hgrm" {
                assert_eq!(distributed(hgrm), (20, 20));
            }
            if broken != "a.hlog" {
                assert_eq!(logged(hlog, "response").1.len(), 20);
            }
        }
    });
}

#[test]
fn an_older_result_survives_a_run_that_could_not_be() {
    each_engine(|engine| {
        let folder = Folder::new();
        let closed = format!("http://{}/", crate::support::closed_port());
        for name in ["result.json", "result.hlog"] {
            let file = folder.path().join(name);
            std::fs::write(&file, "older").unwrap();
            let run = Blast::new(engine, &closed).args("-o").arg(file.to_str().unwrap()).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "older");
        }
        assert_eq!(folder.names().len(), 2);
    });
}

#[test]
fn a_disk_that_fills_up_costs_the_file_but_not_the_page() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let file = folder.path().join("result.json");
        symlink("/dev/full", &file).unwrap();
        let blast = Blast::page(engine, &server.url()).args(LOAD).args("-o");
        let run = blast.arg(file.to_str().unwrap()).run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.stdout.contains("Requests/sec:"), "{run:?}");
        assert_eq!(run.stderr.matches('\n').count(), 1, "{run:?}");
        assert!(run.stderr.contains("could not write the report"), "{run:?}");
    });
}

/// What a terminal saw on stderr.
fn on_terminal(engine: &str, url: &str, flags: &str) -> String {
    let (terminal, theirs) = Terminal::open();
    let blast = Blast::new(engine, url).args("--wait block --pin off").args(flags);
    let running = blast.stderr(theirs).start();
    let text = terminal.read_to_end();
    let run = running.end();
    assert_eq!(run.code(), Some(0), "{run:?}");
    run.document();
    text
}

#[test]
fn a_terminal_sees_a_line_a_second_and_none_that_stays() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let text = on_terminal(engine, &server.url(), "-R 50 -d 2200ms -c 2");
        let lines: Vec<&str> = text.split('\r').filter(|line| !line.trim().is_empty()).collect();
        assert!((2..=3).contains(&lines.len()), "{text:?}");
        assert!(lines[0].contains("1/2s measure") && lines[0].contains(" of 50/s"), "{text:?}");
        assert!(!text.contains('\n') && text.ends_with(" \r"), "{text:?}");
        assert_eq!(on_terminal(engine, &server.url(), "-R 50 -d 1200ms -c 2 --quiet"), "");
    });
}

/// The word `s3cr3t` and its Basic form must stand nowhere.
#[track_caller]
fn no_secret(what: &str, text: &str) {
    assert!(!text.contains("s3cr3t"), "{what}: {text}");
    // Base64 of `user:s3cr3t-a`.
    assert!(!text.contains("dXNlcjpzM2NyM3QtY"), "{what}: {text}");
}

#[test]
fn secrets_reach_the_server_and_no_output() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let file = folder.path().join("result.json");
        let others = ["result.hgrm", "result.hlog"].map(|name| folder.path().join(name));
        let address = server.address();
        let url = format!("http://user:s3cr3t-a@{address}/path?token=s3cr3t-b&page=2");
        let headers = ["X-Api-Key: s3cr3t-c", "Cookie: id=s3cr3t-d", "X-My-Secret: s3cr3t-e"];
        for (format, own) in [("", false), ("-L", true), ("--json", true)] {
            let (terminal, theirs) = Terminal::open();
            let mut blast = Blast::page(engine, &url).args("-R 50 -d 1100ms -c 2").args(format);
            for header in headers {
                blast = blast.arg("-H").arg(header);
            }
            if own {
                blast = blast.arg("-H").arg("Authorization: Bearer s3cr3t-f");
            }
            for other in &others {
                blast = blast.arg("-o").arg(other.to_str().unwrap());
            }
            let blast = blast.args("--wait block --pin off -o").arg(file.to_str().unwrap());
            let running = blast.stderr(theirs).start();
            let live = terminal.read_to_end();
            let run = running.end();
            assert_eq!(run.code(), Some(0), "{run:?}");
            assert!(!live.is_empty());
            no_secret("stderr", &live);
            no_secret("stdout", &run.stdout);
            let document = std::fs::read_to_string(&file).unwrap();
            no_secret("file", &document);
            for other in &others {
                no_secret("file", &std::fs::read_to_string(other).unwrap());
            }
            assert!(document.contains("***@") && document.contains("page=2"), "{document}");
            let heard = server.log().pop().unwrap().head;
            for name in ["b", "c", "d", "e"] {
                assert!(heard.contains(&format!("s3cr3t-{name}")), "{heard}");
            }
            let credentials = if own { "Bearer s3cr3t-f" } else { "Basic dXNlcjpzM2NyM3QtY" };
            assert!(heard.contains(&format!("Authorization: {credentials}")), "{heard}");
        }
    });
}

/// Secrets of each kind that a plan may have, in every place that a request has.
const SECRETIVE: &str = r#"
url = "URL"
[data.users]
file = "users.csv"
[vars]
api_token = { default = "s3cr3t-var", help = "of the demonstration" }
[[requests]]
path = "/login?token=s3cr3t-literal"
form = { user = "u", password = "s3cr3t-word", other = "{{env BLAST_PLANTED}}" }
capture = { kept = { json = "/given" } }
[[requests]]
name = "work"
path = "/work/{{env BLAST_PLANTED}}"
query = { plain = "{{env BLAST_PLANTED}}", var = "{{var.api_token}}", row = "{{data.users.password}}", kept = "{{capture.kept}}" }
headers = { X-Plain = "{{env BLAST_PLANTED}}", Authorization = "Bearer {{capture.kept}}", X-Api-Key = "s3cr3t-key" }
json = { plain = "<{{env BLAST_PLANTED}}>", password = "s3cr3t-json" }
checks = [{ name = "never", contains = "no such text" }]
[session]
setup = ["POST /login?token=s3cr3t-literal"]
steps = [{ request = "work", think = "20ms" }]
"#;

fn secretive(folder: &Folder, url: &str) -> Blast {
    let plan = folder.path().join("plan.toml");
    std::fs::write(&plan, SECRETIVE.replace("URL", url)).unwrap();
    std::fs::write(folder.path().join("users.csv"), "password\ns3cr3t-row\n").unwrap();
    Blast::verb("run").arg(plan.to_str().unwrap()).env("BLAST_PLANTED", "s3cr3t-env")
}

#[test]
fn secrets_of_a_plan_reach_the_server_and_no_output() {
    each_engine(|engine| {
        let folder = Folder::new();
        let server = Server::answering(
            "HTTP/1.1 200 OK\r\nSet-Cookie: sid=s3cr3t-cookie\r\nContent-Length: 24\r\n\r\n\
             {\"given\":\"s3cr3t-given\"}",
        );
        let files = ["a.json", "a.hgrm", "a.hlog"].map(|name| folder.path().join(name));
        for format in ["", "-L", "-v", "--json"] {
            let (terminal, theirs) = Terminal::open();
            let blast = secretive(&folder, &server.url()).args("--engine").arg(engine);
            let mut blast = blast.args("--wait block --pin off -c 2 -d 300ms").args(format);
            for file in &files {
                blast = blast.arg("-o").arg(file.to_str().unwrap());
            }
            let running = blast.stderr(theirs).start();
            no_secret("stderr", &terminal.read_to_end());
            let run = running.end();
            assert_eq!(run.code(), Some(0), "{run:?}");
            assert!(run.stdout.contains("work") && run.stdout.contains("never"), "{run:?}");
            no_secret("stdout", &run.stdout);
            for file in &files {
                no_secret("file", &std::fs::read_to_string(file).unwrap());
            }
        }
        let log = server.log();
        let last = &log.last().unwrap().head;
        for sent in [
            "POST /work/s3cr3t-env?plain=s3cr3t-env&var=s3cr3t-var&row=s3cr3t-row&kept=s3cr3t-given ",
            "X-Plain: s3cr3t-env",
            "Authorization: Bearer s3cr3t-given",
            "X-Api-Key: s3cr3t-key",
            "Cookie: sid=s3cr3t-cookie",
        ] {
            assert!(last.contains(sent), "{sent}: {last}");
        }
        for look in ["--check", "--show 9", "--check --show 9"] {
            let run = secretive(&folder, &server.url()).args(look).run();
            assert_eq!(run.code(), Some(0), "{run:?}");
            assert!(run.stdout.contains("token=***"), "{run:?}");
            no_secret(look, &run.stdout);
            no_secret(look, &run.stderr);
        }
        assert_eq!(server.log().len(), log.len(), "looking sends nothing");
    });
}

/// Whatever is wrong, the sentence about it quotes no secret.
#[test]
fn sentences_about_a_plan_keep_its_secrets() {
    let folder = Folder::new();
    let closed = format!("http://user:s3cr3t-pass@{}/", crate::support::closed_port());
    for (change, to, words) in [
        ("", "", ""),
        ("", "", "--var api_tokn=s3cr3t-var"),
        ("", "", "--target s3cr3t"),
        ("Bearer {{capture.kept}}", "Bearer s3cr3t-own {{oops}}", "--check"),
        ("Bearer {{capture.kept}}", "Bearer s3cr3t-own {{capture.kep}}", "--check"),
        ("s3cr3t-key", "s3cr3t-key\\n", "--check"),
        ("/login?token=s3cr3t-literal", "/login?token=s3cr3t-literal#x", "--check"),
        ("/work/{{env", "//s3cr3t{{env", "--check"),
        ("password = \"s3cr3t-json\"", "password = s3cr3t-json", "--check"),
        ("json = {", "body = \"s3cr3t-body\"\njson = {", "--check"),
        ("name = \"work\"", "weight = -1\nname = \"work\"", "--check"),
    ] {
        let url = if words == "--target s3cr3t" { "http://h" } else { &closed };
        drop(secretive(&folder, url));
        let plan = folder.path().join("plan.toml");
        let text = std::fs::read_to_string(&plan).unwrap();
        assert!(text.contains(change), "{change}");
        std::fs::write(&plan, text.replacen(change, to, usize::from(!change.is_empty()))).unwrap();
        let blast = Blast::verb("run").arg(plan.to_str().unwrap()).args("--wait block").args(words);
        let run = blast.env("BLAST_PLANTED", "s3cr3t-env\r\nX: s3cr3t-line").run();
        let expected = if words.is_empty() { 1 } else { 2 };
        assert_eq!(run.code(), Some(expected), "{change} {words} {run:?}");
        if words != "--target s3cr3t" {
            no_secret(change, run.complaint());
        }
    }
}

#[test]
fn the_sentence_about_a_target_that_is_not_there_keeps_its_secrets() {
    each_engine(|engine| {
        let (address, deaf) = (crate::support::closed_port(), "no-such-host.invalid");
        for host in [address.to_string(), deaf.to_string()] {
            let url = format!("http://user:s3cr3t-a@{host}/?api_key=s3cr3t-b");
            let run = Blast::calm(engine, &url).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            no_secret("stderr", run.complaint());
        }
    });
}

#[test]
fn what_the_server_says_is_no_way_to_print_its_secrets() {
    each_engine(|engine| {
        let server = Server::answering(
            "HTTP/1.1 200 OK\r\nSet-Cookie: id=s3cr3t-a\r\nContent-Length: -1\r\n\r\n",
        );
        for blast in
            [Blast::page(engine, &server.url()).args("-v"), Blast::new(engine, &server.url())]
        {
            let run = blast.args(LOAD).run();
            no_secret("stdout", &run.stdout);
            assert!(run.stdout.contains("malformed"), "{run:?}");
            assert!(run.stdout.contains("Set-Cookie:***"), "{run:?}");
        }
    });
}

#[test]
fn head_1_gets_its_line_and_the_run_ends_quietly() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let (mut reader, writer) = std::io::pipe().unwrap();
        let running = Blast::page(engine, &server.url()).args(LOAD).stdout(writer).start();
        let mut byte = [0];
        assert_eq!(reader.read(&mut byte).unwrap(), 1);
        drop(reader);
        let run = running.end();
        assert_eq!((run.code(), run.stderr.as_str()), (Some(0), ""), "{run:?}");
    });
}

/// The command that a report says would repeat its run.
fn again(page: &str) -> String {
    let command = page.split("<pre><code>").nth(1).unwrap().split("</code>").next().unwrap();
    command.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn the_command_of_a_report_repeats_its_run() {
    let server = Server::answering(ok());
    for flags in [
        "-R 100 -d 200ms -c 2 --arrivals poisson --seed 7 --threshold p50<10s -t 1",
        "-n 20 -c 2 -H X-Of:it's -H User-Agent:other --expect-status 200 --timeout 3s",
        "--steps 50..150/50@100ms -c 2 --abort-on errors>50% --drain 1500ms",
        "-R 20:200 -d 300ms -c 3 --deadline 1s -X PUT --no-keepalive",
        "--connections-stages 100ms:2,200ms:4 -p 2",
        "-R 100 -d 300ms --warmup 100ms --arrivals burst:5 --max-in-flight 40",
    ] {
        let folder = Folder::new();
        let file = folder.path().join("run.html");
        let first = Blast::new("ring", &format!("{}?a=1&b=2", server.url())).args(flags);
        let first = first.args("--wait block --pin off --html").arg(file.to_str().unwrap()).run();
        assert_eq!(first.code(), Some(0), "{first:?}");
        let command = again(&std::fs::read_to_string(&file).unwrap());
        let words = command.strip_prefix("blast ").unwrap();
        let script = format!("exec \"$0\" {words} --json");
        let second = Blast::by_shell(&script, "ring", &server.url()).run();
        assert_eq!(second.code(), Some(0), "{command}: {second:?}");
        assert_eq!(second.document().at("plan"), first.document().at("plan"), "{command}");
        let stages = |document: &Document| {
            let stages = document.at("stages").as_array().unwrap().clone();
            let level = |stage: &serde_json::Value| (stage["from"].clone(), stage["to"].clone());
            stages.iter().map(level).collect::<Vec<_>>()
        };
        assert_eq!(stages(&second.document()), stages(&first.document()), "{command}");
    }
}
