//! Readings from elsewhere: what a command prints, what a page of metrics says, what a log grows
//! by; rules about them, and where they are shown.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Blast, Document, Folder, Run, Server, answer, beside_others, ok};

/// Two whole seconds of readings, on one engine: what is beside the load knows none.
const LOAD: &str = "-R 50 -d 3500ms -c 2 --wait block --pin off --watch off";

fn gauge<'a>(document: &'a Document, name: &str) -> &'a Value {
    let series = document.at("gauges.series").as_array().unwrap();
    series.iter().find(|gauge| gauge["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn values(document: &Document, name: &str) -> Vec<Option<f64>> {
    let values = gauge(document, name)["values"].as_array().unwrap();
    values.iter().map(Value::as_f64).collect()
}

fn warning(document: &Document, code: &str) -> String {
    let warnings = document.at("warnings").as_array().unwrap();
    let found = warnings.iter().find(|warning| warning["code"] == code);
    let found = found.unwrap_or_else(|| panic!("no {code} in {warnings:?}"));
    format!("{}; {}", found["text"].as_str().unwrap(), found["hint"].as_str().unwrap())
}

/// A closed port or a crowded machine are not what these are about: 4 is a slow client's code.
fn assert_ran(run: &Run, codes: &[i32]) {
    assert!(run.code().is_some_and(|code| codes.contains(&code) || code == 4), "{run:?}");
}

#[test]
fn a_command_s_numbers_stand_in_the_document_and_are_judged() {
    beside_others(|| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let counter = folder.path().join("count");
        let script = format!("echo x >>{0}; wc -l <{0}", counter.display());
        let run = Blast::new("epoll", &server.url())
            .args(LOAD)
            .args("--sample")
            .arg(&format!("count={script}"))
            .args("--threshold sample.count.min>=1 --threshold sample.count.max<100")
            .args("--threshold sample.count.growth_per_min>0")
            .run();
        assert_ran(&run, &[0]);
        let document = run.document();
        let read: Vec<f64> = values(&document, "sample.count").into_iter().flatten().collect();
        assert!(read.len() >= 2 && read.is_sorted() && read[0] >= 1.0, "{read:?}");
        assert!(read.iter().all(|value| value.fract() == 0.0), "{read:?}");
        // Once a second, and not at each reading of the host.
        let runs = fs::read_to_string(&counter).unwrap().lines().count() as f64;
        assert!(runs >= *read.last().unwrap() && runs <= run.took.as_secs_f64() + 2.0, "{runs}");
        let rules = document.at("thresholds").as_array().unwrap();
        assert!(rules.iter().all(|rule| rule["ok"] == true && rule["why"].is_null()), "{rules:?}");
        let expected = read.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(gauge(&document, "sample.count")["min"].as_f64(), Some(expected));
    });
}

#[test]
fn what_is_no_number_is_a_gap_a_warning_and_a_rule_that_fails() {
    beside_others(|| {
        let server = Server::answering(ok());
        let run = Blast::new("epoll", &server.url())
            .args(LOAD)
            .args("--sample")
            .arg("rubbish=echo PGPASSWORD=s3cret no number; exit 3")
            .args("--sample")
            .arg("hangs=sleep 1000")
            .args("--threshold sample.rubbish<5 --threshold sample.hangs.last>=0")
            .run();
        // The one that hangs is not waited for.
        assert!(run.took < Duration::from_secs(30), "{run:?}");
        assert_ran(&run, &[3]);
        let document = run.document();
        assert!(values(&document, "sample.rubbish").iter().all(Option::is_none));
        assert!(values(&document, "sample.hangs").iter().all(Option::is_none));
        let told = warning(&document, "sample_failed");
        let expected = "the first time it printed `PGPASSWORD=*** no number`, with exit code 3";
        assert!(
            told.starts_with("sample.rubbish was not read") && told.contains(expected),
            "{told}"
        );
        assert!(!run.stdout.contains("s3cret"), "{run:?}");
        for rule in document.at("thresholds").as_array().unwrap() {
            assert_eq!(rule["why"], "it was not read in the measured time");
        }
    });
}

#[test]
fn a_command_that_hangs_is_killed_when_the_run_ends() {
    beside_others(|| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let pid = folder.path().join("pid");
        let script = format!("hangs=sleep 1000 & echo $! >{}; wait", pid.display());
        let blast = Blast::new("epoll", &server.url()).args("-R 50 -d 500ms -c 1 --wait block");
        let run = blast.args("--pin off --watch off --sample").arg(&script).run();
        assert_ran(&run, &[0]);
        let pid = fs::read_to_string(&pid).unwrap();
        let stat = Path::new("/proc").join(pid.trim()).join("stat");
        let is_left = || fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z"));
        for _ in 0..1_000 {
            if !is_left() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("process {pid} was left behind");
    });
}

#[test]
fn a_metric_of_a_page_is_read_by_its_labels() {
    beside_others(|| {
        let server = Server::answering(ok());
        let page = "# TYPE pool gauge\npool{db=\"a\",state=\"busy\"} 3\npool{db=\"b\",state=\"busy\"} 4.5\n\
                pool{db=\"a\",state=\"idle\"} 100\n";
        let metrics = Server::answering(answer("200 OK", page));
        let run = Blast::new("epoll", &server.url())
            .args(LOAD)
            .args("--scrape")
            .arg(&format!("busy={}#pool{{state=\"busy\"}}", metrics.url()))
            .args("--scrape")
            .arg(&format!("{}#nothing", metrics.url()))
            .args("--threshold scrape.busy==7.5 --threshold scrape.busy.mean>8")
            .run();
        assert_ran(&run, &[3]);
        let document = run.document();
        let read: Vec<f64> = values(&document, "scrape.busy").into_iter().flatten().collect();
        assert!(read.len() >= 2 && read.iter().all(|value| *value == 7.5), "{read:?}");
        let ok =
            document.at("thresholds").as_array().unwrap().iter().map(|rule| rule["ok"] == true);
        assert_eq!(ok.collect::<Vec<_>>(), [true, false]);
        let told = warning(&document, "scrape_failed");
        assert!(told.contains("scrape.nothing") && told.contains("found no `nothing`"), "{told}");
    });
}

fn append(path: &Path, text: &str) {
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_log_is_followed_through_its_rotation_and_its_truncation() {
    beside_others(|| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let log = folder.path().join("app.log");
        append(&log, "ERROR before the run\n");
        let running = Blast::new("epoll", &server.url())
            .args(LOAD)
            .args("--watch-log")
            .arg(&format!("{}:^ERROR", log.display()))
            .args("--threshold log.lines_per_s.max<100000 --threshold log.lines_per_s.max<0.1")
            .start();
        // Requests come in once the log is followed.
        server.heard(5);
        append(&log, "ERROR 1\nfine\nERROR <b>2</b>\n");
        thread::sleep(Duration::from_millis(400));
        fs::rename(&log, folder.path().join("app.log.1")).unwrap();
        append(&log, "ERROR 3\n");
        thread::sleep(Duration::from_millis(400));
        File::options().write(true).truncate(true).open(&log).unwrap();
        thread::sleep(Duration::from_millis(400));
        append(&log, "ERROR 4\n");
        let run = running.end();
        assert_ran(&run, &[3]);
        let document = run.document();
        let lines: Vec<&str> = document
            .at("watched_log.first")
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["line"].as_str().unwrap())
            .collect();
        assert_eq!(lines, ["ERROR 1", "ERROR <b>2</b>", "ERROR 3", "ERROR 4"]);
        assert_eq!(document.count("watched_log.lines"), 4);
        assert_eq!(document.text("watched_log.regex"), "^ERROR");
        let most = gauge(&document, "log.lines_per_s")["max"].as_f64().unwrap();
        assert!(most > 0.1 && most < 10.0, "{most}");
    });
}

#[test]
fn the_readings_stand_in_every_view() {
    beside_others(|| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let at = |name: &str| folder.path().join(name);
        append(&at("app.log"), "");
        let out = |blast: Blast, name: &str| blast.args("-o").arg(at(name).to_str().unwrap());
        let mut blast =
            Blast::new("epoll", &server.url()).args(LOAD).args("--sample").arg("x=echo 17.5");
        for name in ["run.json", "run.html", "run.svg", "run.md", "run.ndjson", "tables/"] {
            blast = out(blast, name);
        }
        let blast = blast.args("--watch-log").arg(at("app.log").to_str().unwrap());
        let run = blast.args("--threshold sample.x<18").run();
        assert_ran(&run, &[0]);
        let read = |name: &str| fs::read_to_string(at(name)).unwrap();
        let document = run.document();
        let rows = document.at("gauges.t_s").as_array().unwrap().len();
        let table = read("tables/results_gauges.csv");
        let head: Vec<&str> = table.lines().next().unwrap().split(',').collect();
        let column = head.iter().position(|name| *name == "sample.x").unwrap();
        assert_eq!((head[0], table.lines().count()), ("t_s", rows + 1));
        assert!(
            table.lines().skip(1).all(|row| row.split(',').nth(column) == Some("17.5")),
            "{table}"
        );
        let page = read("run.html");
        for part in
            ["<h2>Beside the load</h2>", "<h3>Sample</h3>", ">17.5</data>", "The log <code>"]
        {
            assert!(page.contains(part), "{part}");
        }
        assert!(read("run.svg").contains(">Sample</text>"));
        assert!(read("run.md").contains("sample.x was 17.5 on average"), "{}", read("run.md"));
        let lines = read("run.ndjson");
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines: Vec<Value> = lines.filter(|line| line["type"] == "gauges").collect();
        assert_eq!(lines.len(), rows);
        assert!(lines.iter().all(|line| line["values"]["sample.x"] == 17.5), "{lines:?}");
        // And again from the saved document.
        let again =
            out(Blast::verb("report").arg(at("run.json").to_str().unwrap()), "again.ndjson").run();
        assert_eq!(again.code(), Some(0), "{again:?}");
        assert_eq!(read("again.ndjson"), read("run.ndjson"));
    });
}

#[test]
fn what_cannot_be_read_is_refused_before_the_run() {
    beside_others(|| {
        let folder = Folder::new();
        let missing = format!("{}/no.log:x", folder.path().display());
        for (words, expected) in [
            (&["--sample", "no name s3cret"][..], "a name for the sample is missing"),
            (&["--sample", "a b=s3cret"], "is no name of a sample"),
            (&["--sample", "a=true", "--sample", "a=true"], "two are called `a`"),
            (&["--scrape", "http://u:s3cret@h/"], "the metric is missing"),
            (&["--scrape", "https://u:s3cret@h/#up"], "over http alone"),
            (&["--watch-log", &missing], "names no file that is there"),
            (&["--threshold", "sample.db.max<50"], "add `--sample db=COMMAND`"),
            (&["--sample", "bd=true", "--threshold", "sample.db<50"], "there are sample.bd"),
            (&["--threshold", "pool.max<50"], "add `--watch-pool PORT`"),
            (&["--threshold", "host.cup<50%"], "did you mean `host.cpu`?"),
            (&["--threshold", "host.cpu<50"], "write `50%`"),
            (&["--abort-on", "host.cpu>50%"], "can be told only at the end"),
        ] {
            // Port 1: nobody gets so far.
            let mut blast = Blast::new("epoll", "http://127.0.0.1:1/");
            for word in words {
                blast = blast.arg(word);
            }
            let run = blast.run();
            assert_eq!(run.code(), Some(2), "{words:?}: {run:?}");
            assert!(run.stderr.contains(expected), "{words:?}: {}", run.stderr);
            assert!(!run.stderr.contains("s3cret"), "{words:?}: {}", run.stderr);
        }
    });
}

#[test]
fn a_plan_file_says_what_is_read_and_its_check_runs_no_command() {
    beside_others(|| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let at = |name: &str| folder.path().join(name);
        append(&at("app.log"), "");
        let plan = format!(
            "url = \"{}\"\nthresholds = [\"sample.n<5\"]\n[load]\nrps = 50\nduration = \"1500ms\"\n\
         connections = 2\nwait = \"block\"\npin = \"off\"\n[monitor]\nwatch = \"off\"\n\
         sample = {{ n = \"echo x >>{}; echo 4\" }}\nwatch_log = \"app.log:E:F\"\n\
         [[requests]]\nname = \"a\"\npath = \"/\"\n",
            server.url(),
            at("ran").display()
        );
        fs::write(at("plan.toml"), &plan).unwrap();
        let run = |words: &str| {
            Blast::verb("run").arg(at("plan.toml").to_str().unwrap()).args(words).run()
        };
        let check = run("--check");
        assert_eq!(check.code(), Some(0), "{check:?}");
        assert!(check.stdout.contains("reads     sample.n, log.lines_per_s"), "{}", check.stdout);
        assert!(!at("ran").exists(), "no command is run to check a plan");
        let done = run("--json --engine epoll");
        assert_ran(&done, &[0]);
        let document = done.document();
        assert_eq!(gauge(&document, "sample.n")["mean"], 4.0);
        assert_eq!(document.text("watched_log.regex"), "E:F");
        // A typed one takes the place of the file's of that name.
        let typed =
            Blast::verb("run").arg(at("plan.toml").to_str().unwrap()).args("--json --engine epoll");
        let typed = typed.args("--sample").arg("n=echo 9").run();
        assert_ran(&typed, &[3]);
        assert_eq!(gauge(&typed.document(), "sample.n")["mean"], 9.0);
        let wrong = plan.replace("watch_log = \"app.log", "watch_log = \"gone.log");
        fs::write(at("plan.toml"), wrong).unwrap();
        let refused = run("--check");
        assert_eq!(refused.code(), Some(2), "{refused:?}");
        assert!(refused.stderr.contains("plan.toml:12:"), "{}", refused.stderr);
    });
}
