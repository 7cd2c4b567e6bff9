//! `blast versus` with tools that are none: scripts on a PATH of the test's own, which say what they
//! are told to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use blast::report::versus::{Tool, VersusDocument};

use crate::support::{Blast, Folder, LIMIT, Run, beside_others, closed_port};

/// A folder that is the whole PATH.
struct Bin(Folder);

impl Bin {
    fn new() -> Bin {
        Bin(Folder::new())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `{bin}` stands for the folder. Each run is a line of its log; asked for its version it tells
    /// one, and ends badly as wrk does.
    fn tool(&self, name: &str, script: &str) {
        let bin = self.0.path().to_str().unwrap();
        let script = format!(
            "#!/bin/sh\ncase $1 in -v | -V | --version) echo \"{name} 9.8.7 [fake]\"; exit 1 ;; esac\n\
             echo {name} >> {{bin}}/runs\n{script}\n"
        );
        let file = self.path(name);
        fs::write(&file, script.replace("{bin}", bin)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// wrk's page at 100, 900 and then 200 answers a second.
    fn wrk(&self) {
        self.tool(
            "wrk",
            "n=0; [ -f {bin}/n ] && read n < {bin}/n; n=$((n + 1)); echo $n > {bin}/n\n\
             case $n in 1) r=100 ;; 2) r=900 ;; *) r=200 ;; esac\n\
             echo \"  Latency Distribution\"; echo \"     50%    1.50ms\"; echo \"     99%    2.50ms\"\n\
             echo \"  $r requests in 1.00s, 1MB read\"; echo \"Requests/sec:    $r.00\"",
        );
    }

    fn ab(&self) {
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/src/study/versus/samples/ab.txt");
        self.tool("ab", &format!("exec /bin/cat {sample}"));
    }

    fn blast(&self) -> Blast {
        let url = format!("http://{}/?token=geheim", closed_port());
        let blast = Blast::verb("versus").args("-d 1s --pin off --json").arg(&url);
        blast.env("PATH", self.0.path())
    }

    fn runs(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("runs")).unwrap_or_default();
        text.lines().map(str::to_string).collect()
    }
}

fn document(run: &Run) -> VersusDocument {
    let document: VersusDocument = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document.schema, "blast.versus/1");
    assert!(!run.stdout.contains("geheim"), "{run:?}");
    document
}

fn of<'a>(document: &'a VersusDocument, name: &str) -> &'a Tool {
    document.tools.iter().find(|tool| tool.name == name).unwrap()
}

#[test]
fn tools_take_turns_and_their_medians_are_told() {
    beside_others(|| {
        let bin = Bin::new();
        bin.wrk();
        bin.ab();
        let page = bin.path("page.md");
        let blast = bin.blast().args("--rounds 3 --tools wrk,ab,oha -c 8 -o");
        let run = blast.arg(page.to_str().unwrap()).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert_eq!(bin.runs(), ["wrk", "ab", "ab", "wrk", "ab", "wrk"]);
        let document = document(&run);
        assert!(document.complete && document.rounds == 3 && document.mode == "closed");
        let wrk = of(&document, "wrk");
        assert_eq!(
            (wrk.good_per_s, wrk.p50_us, wrk.p99_us),
            (Some(200.0), Some(1.5e3), Some(2.5e3))
        );
        assert_eq!((wrk.version.as_deref(), &*wrk.status), (Some("9.8.7"), "measured"));
        assert!(wrk.cpu_us_per_request.unwrap() > 0.0 && wrk.max_rss_bytes.unwrap() > 100_000);
        assert!(!wrk.notes.is_empty() && document.footnotes.iter().any(|note| note.tool == "ab"));
        assert_eq!(of(&document, "ab").p99_us, Some(4_000.0));
        assert_eq!(of(&document, "oha").status, "missing");
        let page = fs::read_to_string(&page).unwrap();
        assert!(page.contains("| wrk | 200 |") && !page.contains("geheim"), "{page}");
    });
}

#[test]
fn a_tool_that_fails_says_why_and_the_rest_go_on() {
    beside_others(|| {
        let bin = Bin::new();
        bin.wrk();
        bin.tool("hey", "echo at first >&2; echo 'no route, password=geheim' >&2; exit 3");
        bin.tool("h2load", "echo finished in a hurry");
        let run = bin.blast().args("--rounds 2 --tools hey,h2load,wrk,wrk2").run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert_eq!(bin.runs(), ["hey", "h2load", "wrk", "wrk"]);
        let document = document(&run);
        let why = |name: &str| of(&document, name).why.clone().unwrap();
        assert_eq!(
            why("hey"),
            "in round 1: it ended with exit code 3; it said: no route, password=***"
        );
        assert!(
            why("h2load").contains("has no line `requests`; it said: finished"),
            "{document:?}"
        );
        assert_eq!(of(&document, "wrk2").status, "missing");
        assert_eq!(of(&document, "wrk").runs, 2);
        let alone = bin.blast().args("--rounds 1 --tools hey").run();
        assert_eq!(alone.code(), Some(1), "{alone:?}");
    });
}

#[test]
fn the_log_of_the_server_says_what_it_took_itself() {
    beside_others(|| {
        let bin = Bin::new();
        let log = bin.path("access.log");
        fs::write(&log, "of another run 9.000\n".repeat(2_000)).unwrap();
        bin.tool(
            "wrk",
            "i=0; while [ $i -lt 600 ]; do echo \"GET / 200 0.050\"; i=$((i + 1)); done \
             >> {bin}/access.log\n\
             echo \"  600 requests in 1.00s, 1MB read\"; echo \"Requests/sec:    600.00\"",
        );
        let blast = bin.blast().args("--rounds 1 --tools wrk --log").arg(log.to_str().unwrap());
        let document = document(&blast.run());
        let wrk = of(&document, "wrk");
        assert!((wrk.server_p99_us.unwrap() - 50_000.0).abs() < 100.0, "{wrk:?}");
        assert_eq!((wrk.server_count_ratio, wrk.p99_us), (Some(1.0), None));
    });
}

#[test]
fn an_interrupt_kills_the_tool_and_keeps_what_was_finished() {
    beside_others(|| {
        let bin = Bin::new();
        bin.wrk();
        bin.tool("ab", "exit 7");
        bin.tool("h2load", "echo $$ > {bin}/late; exec /bin/sleep 60");
        let running = bin.blast().args("--rounds 9 --tools wrk,ab,h2load").start();
        let started = std::time::Instant::now();
        let pid = loop {
            let text = fs::read_to_string(bin.path("late")).unwrap_or_default();
            if text.ends_with('\n') {
                break text.trim().to_string();
            }
            assert!(started.elapsed() < LIMIT);
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        let document = document(&run);
        assert!(!document.complete && document.runs.len() == 1, "{document:?}");
        assert_eq!(of(&document, "h2load").status, "unmeasured");
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        assert!(!name.starts_with("sleep"), "{name}");
    });
}

#[test]
fn without_a_url_the_built_in_server_answers_and_counts() {
    beside_others(|| {
        let bin = Bin::new();
        let blast = Blast::verb("versus").args("-d 1s --rounds 1 --json -c 4 --tools blast");
        let run = blast.env("PATH", bin.0.path()).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        let document = document(&run);
        assert_eq!(document.server.as_deref(), Some("blast target"));
        let tool = of(&document, "blast");
        assert!((tool.server_count_ratio.unwrap() - 1.0).abs() < 0.01, "{tool:?}");
        assert_eq!((tool.blast_p50_us, tool.blast_p99_us), (tool.p50_us, tool.p99_us));
        assert!(tool.good_per_s.unwrap() > 0.0 && tool.client_busy.unwrap() > 0.0, "{tool:?}");
        assert!(document.warnings.iter().any(|warning| warning.code == "alone"));
    });
}

#[test]
fn what_makes_no_sense_for_other_tools_is_one_sentence() {
    let bin = Bin::new();
    for (words, code, expected) in [
        ("http://a http://b", 2, "takes one URL"),
        ("http://u:geheim@a/", 2, "leave `user:password@` away"),
        ("http+unix://%2Frun%2Fx.sock/", 2, "no Unix sockets"),
        ("a -d 1500ms", 2, "whole seconds"),
        ("a -R 0.5", 2, "whole requests"),
        ("a --tools wrc", 2, "did you mean `wrk`?"),
        ("a --tools wrk", 1, "none of the tools (wrk) is on the PATH"),
        ("a -o x.svg", 2, "ends in `.json`, `.html` or `.md`"),
        ("a --log /nowhere/at.all", 2, "--log: "),
        ("a --pin 4000", 2, "core 4000 is none"),
        ("a --tool-command x", 2, "write NAME=WORDS"),
        ("a --tool-command x=/nowhere/x", 2, "is no program here"),
    ] {
        let blast = Blast::verb("versus").args(words).env("PATH", bin.0.path());
        // Where all else is right, blast alone would run.
        let run = if words.contains("--tools") { blast } else { blast.args("--tools blast") }.run();
        assert_eq!(run.code(), Some(code), "{words}: {run:?}");
        let complaint = run.complaint();
        assert!(complaint.contains(expected) && !complaint.contains("geheim"), "{complaint}");
    }
}
