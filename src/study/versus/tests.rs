//! Turns of tools whose output is made up, on a server that counts.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::tools::{ALL, OTHER, named};
use super::*;
use crate::plan::Url;
use crate::report::versus::VersusDocument;
use crate::report::{PageOptions, console, fixture as views, html, markdown};
use crate::time::Nanos;

const SAMPLES: [(&str, &str); 12] = [
    ("wrk", include_str!("samples/wrk.txt")),
    ("wrk2", include_str!("samples/wrk2.txt")),
    ("k6", include_str!("samples/k6.json")),
    ("hey", include_str!("samples/hey.txt")),
    ("oha", include_str!("samples/oha.json")),
    ("h2load", include_str!("samples/h2load.txt")),
    ("h2load", include_str!("samples/h2load-rate.txt")),
    ("ab", include_str!("samples/ab.txt")),
    ("bombardier", include_str!("samples/bombardier.json")),
    ("vegeta", include_str!("samples/vegeta.json")),
    ("locust", include_str!("samples/locust.json")),
    ("jmeter", include_str!("samples/jmeter.jtl")),
];

fn url() -> Url {
    Url::fixed("http://127.0.0.1:8080/a?token=geheim&b='\"<&").unwrap()
}

fn task(url: &Url, rate: Option<u64>) -> Task<'_> {
    Task { url, connections: 64, seconds: 3, rate, threads: 2, folder: Path::new("/tmp/x y") }
}

#[test]
fn what_is_cut_off_or_garbled_is_a_sentence_and_no_panic() {
    for (name, sample) in SAMPLES {
        let read = named(name).unwrap().read;
        assert!(read(sample).unwrap().completed > 0, "{name}");
        // Another tool's output, nothing, and every beginning of its own.
        for text in ["", "{}", "[]", "null", "[1]", "{\"requests\": \"x\"}", "\u{0}", "%%%\n[a] b"]
        {
            let read = read(text);
            let is_nothing = read.as_ref().is_ok_and(|said| said.completed == 0);
            let is_sentence = read.as_ref().is_err_and(|why| why.starts_with("its output "));
            assert!(is_nothing || is_sentence, "{name} on {text:?}: {read:?}");
        }
        let ends = sample.char_indices().map(|(at, _)| at);
        for end in ends.step_by((sample.len() / 200).max(1)) {
            if let Ok(said) = read(&sample[..end]) {
                assert!(said.good() <= said.completed, "{name}: {said:?}");
                assert!(said.good_per_s(1.0).is_finite() && said.error_share() <= 1.0, "{name}");
            }
        }
        // Numbers that are none.
        let garbled = sample.replace(['1', '2'], "99999999999999999999").replace('4', "-");
        if let Ok(said) = read(&garbled) {
            assert!(!said.good_per_s(1.0).is_nan(), "{name}");
        }
    }
}

#[test]
fn the_words_of_each_tool_ask_for_this_load() {
    let url = url();
    for tool in ALL {
        for rate in [None, Some(500)] {
            let Some(job) = tool.job(&task(&url, rate)) else { continue };
            let files: String = job.files.iter().map(|(_, text)| text.as_str()).collect();
            let all = format!("{} {files}", job.words.join(" "));
            let has = |text: &str| all.contains(text);
            assert!(has("64") && has("/a?token=geheim"), "{}: {all}", tool.name);
            assert!(has("3s") || has(">3<") || has("-D3") || has("-t 3"), "{}: {all}", tool.name);
            let each = has("7.812") || has("500");
            assert!(rate.is_none() || each, "{}: {all}", tool.name);
        }
        assert!(tool.closed.is_some() || tool.open.is_some());
    }
    // What stands in a script or a plan is quoted as that asks for.
    let file = |name: &str| named(name).unwrap().job(&task(&url, None)).unwrap().files[0].1.clone();
    assert!(file("jmeter").contains("&amp;b="), "{}", file("jmeter"));
    assert!(!file("jmeter").contains('{'), "{}", file("jmeter"));
    assert!(file("k6").contains("http.get(\"http://127.0.0.1:8080/a?"), "{}", file("k6"));
    assert!(file("locust").contains("self.client.get(\"/a?"), "{}", file("locust"));
}

/// Answers so many a second, by its name; or fails, or is interrupted.
#[derive(Default)]
struct Made {
    ran: Vec<String>,
    cut_at: Option<usize>,
    server_counts: f64,
    logged: Option<u64>,
    mean_us: Option<f64>,
}

const SECONDS: f64 = 3.0;

impl Bench for Made {
    fn run(&mut self, contender: &Contender, job: &Job) -> Ending {
        let round = self.ran.iter().filter(|name| **name == contender.name).count();
        self.ran.push(contender.name.clone());
        if self.cut_at == Some(self.ran.len()) {
            return Ending::Cut;
        }
        assert!(job.words.iter().any(|word| word.contains("64")), "{job:?}");
        let per_s = [1_000.0, 5_000.0, 1_200.0, 900.0, 1_100.0][round % 5];
        let requests = per_s * SECONDS;
        let text = match contender.name.as_str() {
            "broken" if round > 0 => "no more".to_string(),
            "silent" => "{\"requests\": 0}".to_string(),
            _ => {
                let mean = self.mean_us.map_or("null".to_string(), |us| us.to_string());
                format!(
                    "{{\"requests\": {requests}, \"p50_us\": 100, \"p99_us\": {per_s}, \
                     \"mean_us\": {mean}}}"
                )
            }
        };
        Ending::Ran(Box::new(Ran {
            text,
            complaint: (contender.name == "silent")
                .then(|| "it ended with exit code 1".to_string()),
            last_words: Some("connection refused".to_string()),
            cpu: Nanos::from_millis(if contender.name == "hungry" { 2_900 } else { 300 }),
            max_rss_bytes: 10 << 20,
            wall: Nanos::from_secs(3),
            seen: Seen {
                requests: Some((requests * self.server_counts) as u64),
                busy: Some(0.95),
                logged: self.logged,
                p50_us: None,
                p99_us: Some(2_000.0),
            },
        }))
    }
}

fn contender(name: &str) -> Contender {
    let template = Some(["{connections}", "{address}", "{rate}"].map(str::to_string).to_vec());
    let program = PathBuf::from("/bin/x");
    Contender { name: name.to_string(), tool: &OTHER, program, version: None, template }
}

fn versus(bench: &mut Made, names: &[&str], rounds: u64, rate: Option<u64>) -> VersusDocument {
    let contenders: Vec<Contender> = names
        .iter()
        .map(|name| match named(name) {
            Some(tool) => Contender { tool, template: None, ..contender(name) },
            None => contender(name),
        })
        .collect();
    let url = url();
    let task = task(&url, rate);
    let turns = take_turns(bench, &contenders, &task, rounds, &mut |_, _| {});
    let told = Told {
        task: &task,
        contenders: &contenders,
        missing: &[named("oha").unwrap()],
        rounds_asked: rounds,
        server: Some("blast target".to_string()),
        client_cores: &[1],
        server_cores: Some(&[0]),
        host: "2 cores, Linux 6.18".to_string(),
        load_average: Some(0.4),
        started_at: SystemTime::UNIX_EPOCH,
        took: Nanos::from_secs(40),
    };
    document(&turns, &told)
}

fn made() -> Made {
    Made { server_counts: 1.0, ..Made::default() }
}

#[test]
fn the_order_changes_from_round_to_round_and_each_runs_once_in_each() {
    let mut bench = made();
    versus(&mut bench, &["a", "b", "c"], 4, None);
    let rounds: Vec<String> = bench.ran.chunks(3).map(|round| round.concat()).collect();
    assert_eq!(rounds, ["abc", "cba", "bca", "acb"]);
}

#[test]
fn the_middle_of_the_rounds_is_what_counts() {
    let document = versus(&mut made(), &["a", "hungry"], 5, None);
    let tool = &document.tools[0];
    assert_eq!((tool.good_per_s, tool.p99_us), (Some(1_100.0), Some(1_100.0)));
    assert_eq!((tool.runs, document.rounds, document.runs.len()), (5, 5, 10));
    // 300 ms of processor time for 3,300 answers.
    assert!((tool.cpu_us_per_request.unwrap() - 90.9).abs() < 0.1, "{tool:?}");
    assert_eq!((tool.cpu_us_least, tool.cpu_us_most), (Some(20.0), Some(300e3 / 2_700.0)));
    assert_eq!((tool.server_p50_us, tool.server_p99_us), (None, Some(2_000.0)));
    // A client that is busy comes before a server that is.
    let limits: Vec<&str> =
        document.tools.iter().filter_map(|tool| tool.limit.as_deref()).collect();
    assert_eq!(limits, ["server", "client"]);
    let even = versus(&mut made(), &["a"], 2, None);
    assert_eq!(even.tools[0].good_per_s, Some(3_000.0));
}

#[test]
fn one_that_fails_is_left_out_from_then_on_and_the_others_go_on() {
    let mut bench = made();
    let document = versus(&mut bench, &["a", "broken", "silent", "wrk2"], 3, None);
    let of = |name: &str| document.tools.iter().find(|tool| tool.name == name).unwrap();
    assert_eq!((&*of("a").status, of("a").runs), ("measured", 3));
    assert_eq!((&*of("broken").status, of("broken").runs), ("failed", 1));
    let why = of("broken").why.as_deref().unwrap();
    assert!(why.starts_with("in round 2: its output is no JSON"), "{why}");
    assert_eq!(
        of("silent").why.as_deref().unwrap(),
        "in round 1: it ended with exit code 1; it said: connection refused"
    );
    assert_eq!(
        (&*of("wrk2").status, of("wrk2").why.as_deref()),
        ("unsuited", Some("it needs a rate"))
    );
    assert_eq!(
        (&*of("oha").status, of("oha").why.as_deref()),
        ("missing", Some("cargo install oha"))
    );
    assert_eq!(bench.ran.iter().filter(|name| **name == "broken").count(), 2);
    assert!(document.complete && document.rounds == 3);
}

#[test]
fn where_every_tool_failed_their_words_are_what_is_told() {
    let document = versus(&mut made(), &["silent"], 1, None);
    assert!(document.warnings.is_empty(), "{:?}", document.warnings);
    let page = console::versus::page(&document, &PageOptions::default());
    assert!(page.contains("no run was finished") && page.contains("refused"), "{page}");
    assert!(!page.contains("closed loop: nothing"), "{page}");
    let alone = versus(&mut made(), &["blast"], 1, None);
    let codes: Vec<&str> = alone.warnings.iter().map(|caveat| caveat.code.as_str()).collect();
    assert_eq!(codes, ["alone"]);
}

#[test]
fn a_log_that_says_nothing_is_a_warning() {
    let codes = |logged| {
        let document = versus(&mut Made { logged, ..made() }, &["a"], 3, None);
        document.warnings.into_iter().map(|caveat| caveat.code).collect::<Vec<String>>()
    };
    assert_eq!(codes(Some(0)), ["silent_log"]);
    assert!(codes(Some(1)).is_empty() && codes(None).is_empty());
}

#[test]
fn what_was_finished_before_an_interrupt_is_kept() {
    let mut bench = Made { cut_at: Some(4), ..made() };
    let document = versus(&mut bench, &["a", "b"], 5, None);
    assert!(!document.complete);
    assert_eq!((document.runs.len(), document.rounds), (3, 1));
    let page = console::versus::page(&document, &PageOptions::default());
    assert!(page.contains("1 of 5 (interrupted)"), "{page}");
}

#[test]
fn what_the_server_counts_and_a_rate_that_is_not_held_are_footnotes() {
    let calm = versus(&mut made(), &["a"], 3, None);
    assert!(calm.footnotes.is_empty(), "{calm:?}");
    let document = versus(&mut Made { server_counts: 1.2, ..made() }, &["a"], 3, Some(2_000));
    let texts: Vec<&str> = document.footnotes.iter().map(|note| note.text.as_str()).collect();
    assert!(texts[0].contains("the server counted 120.0 %"), "{texts:?}");
    assert!(texts[1].contains("it did not hold the rate: 60.0 %"), "{texts:?}");
    assert_eq!(document.tools[0].notes, [1, 2]);
    let page = console::versus::page(&document, &PageOptions::default());
    assert!(page.contains("open loop at 2,000/s"), "{page}");
}

#[test]
fn what_is_in_flight_at_the_end_of_a_run_is_no_rate_that_was_missed() {
    // 1,100/s of 1,150: 4.3 % are missing, and 5 % of the run is one answer's time.
    let slow = |mean_us| versus(&mut Made { mean_us, ..made() }, &["a"], 5, Some(1_150));
    assert!(slow(Some(150_000.0)).footnotes.is_empty());
    assert_eq!(slow(Some(60_000.0)).footnotes.len(), 1);
    assert_eq!(slow(None).footnotes.len(), 1);
    // What waits forever has no run for itself.
    let document = versus(&mut Made { mean_us: Some(1e9), ..made() }, &["a"], 5, Some(2_000));
    assert_eq!(document.footnotes.len(), 1);
}

#[test]
fn the_golden_pages_are_printed_and_hold_no_secret() {
    let mut bench = Made { server_counts: 1.05, ..made() };
    let document = versus(&mut bench, &["a", "hungry", "broken", "wrk2"], 3, None);
    let page = console::versus::page(&document, &PageOptions::default());
    let markdown = markdown::versus::text(&document);
    views::golden("versus.txt", &page);
    views::golden("versus.md", &markdown);
    let html = html::versus::page(&document);
    views::golden("versus.html", &html);
    let widest = page.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 80, "{page}");
    let json = serde_json::to_string(&document).unwrap();
    for view in [&page, &markdown, &html, &json] {
        assert!(!view.contains("geheim") && view.contains("?token="), "{view}");
    }
    let read: VersusDocument = serde_json::from_str(&json).unwrap();
    assert_eq!(page, console::versus::page(&read, &PageOptions::default()));
}
