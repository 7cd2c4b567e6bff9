//! Experiments with known answers, in real time over loopback: runs whose figures follow from
//! arithmetic, one at a time, and one table of what was expected and what was measured.
//!
//! Servers and loads are processes, on a core each; arrivals are checked against the target's own
//! log. The machine should be idle: what is out of tolerance gets one second try, and the table
//! says so. Counts get none.
//!
//! `scripts/experiments` runs it; exit 1 if anything was out of tolerance.

mod ceilings;
mod delays;
mod document;
mod faults;
mod lab;
// The tests and this use different parts of it.
#[allow(dead_code)]
#[path = "../../tests/experiments/law.rs"]
mod law;
mod limits;
mod queues;
mod schedule;
mod stalls;
mod table;
mod users;

use std::env;
use std::process::ExitCode;

use lab::{Lab, Outcome};
use table::Row;

struct Experiment {
    name: &'static str,
    what: &'static str,
    run: fn(&Lab) -> Outcome<Vec<Row>>,
}

const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "E1", what: "one stall", run: stalls::one },
    Experiment { name: "E2", what: "periodic stall", run: stalls::periodic },
    Experiment { name: "E2c", what: "periodic stall, closed loop", run: stalls::closed_loop },
    Experiment { name: "E4", what: "overload", run: queues::overload },
    Experiment { name: "E5", what: "M/D/1", run: queues::m_d_1 },
    Experiment { name: "E6", what: "closed loop law", run: queues::closed_loop },
    Experiment { name: "E6b", what: "users who think", run: users::think },
    Experiment { name: "E7", what: "schedule accuracy", run: schedule::accuracy },
    Experiment { name: "E7m", what: "counts", run: schedule::matrix },
    Experiment { name: "E8", what: "ramp", run: schedule::ramp },
    Experiment { name: "E9", what: "server stopped", run: stalls::server_stopped },
    Experiment { name: "E9n", what: "nginx stopped", run: stalls::nginx_stopped },
    Experiment { name: "E9b", what: "blast stopped", run: stalls::blast_stopped },
    Experiment { name: "E11", what: "censoring", run: limits::censoring },
    Experiment { name: "E12", what: "drop policy", run: limits::drops },
    Experiment { name: "E13", what: "stall across the end", run: limits::across_the_end },
    Experiment { name: "E14", what: "warm-up", run: limits::warmup },
    Experiment { name: "E15", what: "known delay", run: delays::known },
    Experiment { name: "E15l", what: "against the log", run: delays::against_the_log },
    Experiment { name: "E15w", what: "waits", run: delays::waits },
    Experiment { name: "E16", what: "ceilings of queues", run: ceilings::capacities },
    Experiment { name: "E17", what: "ceiling by M/D/1", run: ceilings::m_d_1 },
    Experiment { name: "E18", what: "error cliff, rate limit", run: ceilings::cliffs },
    Experiment { name: "E19", what: "faster than blast", run: ceilings::faster_than_blast },
    Experiment { name: "X1", what: "server restarted", run: faults::restarts },
    Experiment { name: "X2", what: "run interrupted", run: faults::interrupts },
];

const USAGE: &str = "\
usage: scripts/experiments [--only E1,E4] [--engine ring|tokio-uring|epoll|all] [--quick]
  --only     these alone, by name
  --engine   default: ring
  --quick    short versions, about six minutes instead of twenty
experiments:";

struct Options {
    only: Vec<String>,
    engines: Vec<&'static str>,
    quick: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    // `cargo bench` runs every bench; twenty minutes of this have to be asked for.
    if !words.iter().any(|word| word == "--go") {
        println!("experiments: run scripts/experiments");
        return ExitCode::SUCCESS;
    }
    let Some(options) = Options::parse(&words) else {
        eprintln!("{USAGE}");
        for Experiment { name, what, .. } in EXPERIMENTS {
            eprintln!("  {name:<5} {what}");
        }
        return ExitCode::from(2);
    };
    table::header();
    let mut wrong = 0;
    for engine in &options.engines {
        match Lab::new(engine, options.quick) {
            Ok(lab) => wrong += options.run(&lab),
            Err(error) => {
                eprintln!("experiments: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("\n{wrong} out of tolerance");
    if wrong > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

impl Options {
    fn parse(words: &[String]) -> Option<Options> {
        let mut options = Options { only: Vec::new(), engines: vec!["ring"], quick: false };
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                // What the script and `cargo bench` add.
                "--go" | "--bench" => {}
                "--quick" => options.quick = true,
                "--only" => options.only = words.next()?.split(',').map(str::to_owned).collect(),
                "--engine" => options.engines = engines(words.next()?)?,
                _ => return None,
            }
        }
        let known = |name: &String| EXPERIMENTS.iter().any(|one| one.name == name);
        options.only.iter().all(known).then_some(options)
    }

    /// How many quantities were out of tolerance.
    fn run(&self, lab: &Lab) -> usize {
        let mut wrong = 0;
        for experiment in EXPERIMENTS {
            if self.only.is_empty() || self.only.iter().any(|name| name == experiment.name) {
                let label = format!("{} {}, {}", experiment.name, experiment.what, lab.engine);
                let rows = experiment.conduct(lab);
                rows.iter().for_each(|row| row.print(&label));
                wrong += rows.iter().filter(|row| !row.ok).count();
            }
        }
        wrong
    }
}

impl Experiment {
    fn conduct(&self, lab: &Lab) -> Vec<Row> {
        let run = || (self.run)(lab).unwrap_or_else(|why| vec![Row::failed("the run", why)]);
        let rows = run();
        if rows.iter().all(|row| row.ok || row.exact) {
            return rows;
        }
        table::second_try(rows, &run())
    }
}

fn engines(word: &str) -> Option<Vec<&'static str>> {
    match word {
        "ring" => Some(vec!["ring"]),
        "tokio-uring" => Some(vec!["tokio-uring"]),
        "epoll" => Some(vec!["epoll"]),
        "all" => Some(vec!["ring", "tokio-uring", "epoll"]),
        _ => None,
    }
}
