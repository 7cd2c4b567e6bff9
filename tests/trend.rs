//! Saved runs by number, rules against the baseline, and the trend of a plan.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use blast::cli::{Parsed, parse, plan};
use blast::history::{Begun, Ended, Figures, History, Holder, Status};
use blast::host::Fingerprint;
use blast::report::plan_hash;

use crate::support::{Blast, Folder, Server, of_verb, ok};

/// What blast is told, and what the hash of its plan is made of.
const LOAD: &str = "--engine epoll -R 100 -d 1s -c 2 --wait block --pin off --quiet";

struct Kept {
    folder: Folder,
    server: Server,
}

impl Kept {
    fn new() -> Kept {
        Kept { folder: Folder::new(), server: Server::answering(ok()) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn history(&self) -> History {
        History::open(&self.file("history.db")).unwrap()
    }

    fn blast(&self, verb: &str) -> Blast {
        Blast::verb(verb).env("BLAST_HISTORY", self.file("history.db"))
    }

    fn load(&self) -> String {
        format!("{LOAD} {}", self.server.url())
    }

    fn plan_hash(&self) -> String {
        let load = self.load();
        let words: Vec<OsString> = {
            let words = format!("blast {load}");
            words.split(' ').map(OsString::from).collect()
        };
        let Ok(Parsed::Cli(cli)) = parse(&words) else { panic!("{load}") };
        plan_hash(&plan(&cli.load).unwrap())
    }

    /// A real result.
    fn measured(&self) -> Vec<u8> {
        let file = self.file("run.json");
        let words = self.load();
        let (first, rest) = words.split_once(' ').unwrap();
        let run = self.blast(first).args(rest).args("-o").arg(file.to_str().unwrap()).run();
        assert!(file.exists(), "{run:?}");
        fs::read(file).unwrap()
    }

    fn save(&self, history: &mut History, document: &[u8], p95_us: f64) -> i64 {
        let begun = Begun {
            kind: "run".to_string(),
            started_at: "2026-11-21T10:00:00.000Z".to_string(),
            host: Fingerprint::of_this_host().in_words(),
            target: self.server.url(),
            method: "GET".to_string(),
            plan_hash: self.plan_hash(),
            duration_s: Some(1.0),
            ..Begun::default()
        };
        let id = history.begin(&begun, &Holder::this()).unwrap();
        let figures =
            Figures { p95_us: Some(p95_us), good_per_s: Some(100.0), ..Figures::default() };
        let ended = Ended {
            status: Status::Completed,
            reason: None,
            ended_at: "2026-11-21T10:00:01.000Z".to_string(),
            exit_code: 0,
            figures,
            document: document.to_vec(),
        };
        history.end(id, &ended).unwrap();
        id
    }
}

#[test]
fn a_saved_run_is_reported_compared_and_judged_by_its_number() {
    let kept = Kept::new();
    let document = kept.measured();
    let file = kept.file("run.json");
    let mut history = kept.history();
    let first = kept.save(&mut history, &document, 1.0).to_string();
    let second = kept.save(&mut history, &document, 1.0).to_string();

    let of_file = Blast::verb("report").arg(file.to_str().unwrap()).run();
    let of_run = kept.blast("report").arg(&first).run();
    assert_eq!((of_run.code(), &of_run.stdout), (Some(0), &of_file.stdout), "{of_run:?}");
    let json = kept.file("again.json");
    let again = kept.blast("report").arg(&second).args("-o").arg(json.to_str().unwrap()).run();
    assert_eq!(again.code(), Some(0), "{again:?}");
    let parsed = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    assert_eq!(parsed(&fs::read(&json).unwrap()), parsed(&document));

    let compared = kept.blast("compare").arg(&first).arg(&second).args("--json").run();
    let comparison = of_verb("compare", &compared.stdout);
    assert_eq!(comparison["runs"][1]["file"], format!("run {second}"));
    let missing = kept.blast("report").arg("77").run();
    assert_eq!(missing.code(), Some(2));
    assert!(missing.complaint().contains("there is no run 77 in the history"), "{missing:?}");

    // Nothing is sent for a rule that has nothing to compare with.
    let judged = |rule: &str| {
        let words = kept.load();
        let (word, rest) = words.split_once(' ').unwrap();
        kept.blast(word).args(rest).args("--json --threshold").arg(rule).run()
    };
    let none = judged("good_per_s>=baseline*0.5");
    assert_eq!((none.code(), none.stdout.as_str()), (Some(2), ""));
    assert!(none.complaint().contains("`blast history baseline ID`"), "{none:?}");
    history.set_baseline(first.parse().unwrap()).unwrap();
    let held = judged("good_per_s>=baseline*0.1");
    let rule = &held.document().at("thresholds")[0].clone();
    assert_eq!((&rule["ok"], &rule["expr"]), (&true.into(), &"good_per_s>=baseline*0.1".into()));
    assert_eq!(rule["baseline"]["run"].to_string(), first);
    assert_eq!(rule["baseline"]["value"], parsed(&document)["rate"]["good_per_s"]);
    let failed = judged("good_per_s>=baseline*100");
    assert!(matches!(failed.code(), Some(3 | 4)), "{failed:?}");
    assert_eq!(failed.document().at("thresholds")[0]["ok"], false);
    let unkept = judged("p97<=baseline");
    assert!(unkept.complaint().contains("nothing is kept of run"), "{unkept:?}");
}

#[test]
fn the_trend_of_a_plan_is_a_page_a_picture_and_a_document_that_marks_the_step() {
    let kept = Kept::new();
    let mut history = kept.history();
    let level = |nth| if nth < 12 { 4_000.0 } else { 4_400.0 };
    let levels = (0..24).map(|nth| level(nth) + f64::from(nth % 5));
    let ids: Vec<i64> = levels.map(|p95| kept.save(&mut history, b"{}", p95)).collect();
    history.set_baseline(ids[1]).unwrap();
    let trend = |more: &str| kept.blast("history").args("trend").args(more).run();
    let files = ["t.html", "t.svg", "t.md"].map(|name| kept.file(name));
    let outputs: String = files.iter().map(|file| format!(" -o {}", file.display())).collect();
    let run = trend(&format!("--run {} --json{outputs}", ids[3]));
    assert_eq!((run.code(), run.stderr.as_str()), (Some(0), ""));
    let document = of_verb("trend", &run.stdout);
    assert_eq!(document["runs"].as_array().unwrap().len(), 24);
    let steps = &document["figures"][0]["steps"];
    assert_eq!((&steps[0]["run"], &steps[1]), (&ids[12].into(), &serde_json::Value::Null));
    assert_eq!(document["figures"][1]["course"], "steady");
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(&format!("run {}", ids[12])), "{}", file.display());
    }
    let page = trend(&format!("--plan {}", &kept.plan_hash()[..6]));
    assert!(page.stdout.contains(&format!("worse from run {} on", ids[12])), "{page:?}");
    let saved = kept.file("trend.json");
    fs::write(&saved, &run.stdout).unwrap();
    let again = Blast::verb("report").arg(saved.to_str().unwrap()).run();
    assert_eq!(again.stdout, page.stdout);
    for (words, expected) in [
        ("--run 99", "there is no run 99"),
        ("--plan zz", "no run is of the plan `zz`"),
        ("-o t.hgrm", "does not write that"),
    ] {
        let run = trend(words);
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains(expected), "{run:?}");
    }
}
