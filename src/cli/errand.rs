//! What a panel has carried out: words of a command line, meant, bound to what the panel allows.
//!
//! The panel's desk reads them to tell what would be done, and the child reads them again to do it.
//! Neither believes the other: both check the limits, and both see to it that nothing is connected
//! to but the addresses that were judged.

use std::ffi::OsString;
use std::net::IpAddr;

use super::ceiling::{self, CeilingArgs};
use super::ladder;
use super::low::{Cli, RunArgs, Verb};
use super::soak::SoakArgs;
use super::source::with_stdin;
use super::{Outputs, Parsed, high, parse, run_plan};
use crate::error::{Error, Result};
use crate::monitor::Elsewhere;
use crate::plan::limits::{Excess, Measure};
use crate::plan::route::Resolve;
use crate::plan::url::Host;
use crate::plan::{Limits, Load, Plan, Rate, Route, Warmup};
use crate::study::ceiling::Over;
use crate::study::ladder::Rung;
use crate::time::Nanos;
use crate::units::format_count;

/// Steps and searches have pauses between their loads.
const BETWEEN_LOADS: Nanos = Nanos::from_secs(60);

/// Of everything that comes before the load and after it.
const AROUND: Nanos = Nanos::from_secs(5);

pub enum Errand {
    Run { plan: Box<Plan>, outputs: Box<Outputs>, soak: Option<Box<SoakArgs>> },
    Ceiling { args: Box<CeilingArgs>, sought: Box<ceiling::Sought> },
    Ladder { rungs: Vec<Rung> },
}

/// What it may do at the most.
pub struct Bounds<'a> {
    pub limits: Limits,
    /// What its host stands for.
    pub addresses: &'a [IpAddr],
}

/// What was made of it.
#[derive(Default)]
pub struct Bound {
    /// A closed loop got this as its cap.
    pub cap: Option<Rate>,
}

impl Bound {
    /// The cap, in words.
    pub fn said(&self) -> Option<String> {
        let cap = format_count(self.cap?.per_s());
        Some(format!(
            "without a rate a request follows each answer; no more than {cap}/s are sent, which is \
             the panel's limit"
        ))
    }
}

impl Errand {
    /// Reads the words and what they name; nothing is sent. `plan_text`: what stands for stdin.
    pub fn read(words: &[String], plan_text: Option<&str>) -> Result<Errand> {
        let program = OsString::from("blast");
        let arguments: Vec<OsString> =
            std::iter::once(program).chain(words.iter().map(OsString::from)).collect();
        with_stdin(plan_text, || read(&arguments))
    }

    /// Its first load, or the only one.
    pub fn plan(&self) -> &Plan {
        match self {
            Errand::Run { plan, .. } => plan,
            Errand::Ceiling { sought, .. } => &sought.plan,
            Errand::Ladder { rungs } => &rungs[0].plan,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Errand::Run { soak: None, .. } => "run",
            Errand::Run { .. } => "soak",
            Errand::Ceiling { .. } => "ceiling",
            Errand::Ladder { .. } => "ladder",
        }
    }

    /// What of it is over a limit.
    pub fn excess(&self, limits: &Limits) -> Option<Excess> {
        match self {
            Errand::Run { plan, .. } => limits.excess(plan).or_else(|| {
                // A server that hangs holds a run up for as long.
                limits.excess_of_length(Some(plan.drain))
            }),
            Errand::Ceiling { args, sought } => {
                let of_workers = limits.excess_of_workers(sought.plan.connections);
                let budget = ceiling::budget(args, sought.over);
                of_workers.or_else(|| limits.excess_of_length(Some(budget)))
            }
            Errand::Ladder { rungs } => {
                let of_rung = rungs.iter().find_map(|rung| limits.excess(&rung.plan));
                of_rung.or_else(|| limits.excess_of_length(Some(self.length())))
            }
        }
    }

    /// Binds it: to the limits, and to these addresses.
    pub fn bind(&mut self, bounds: &Bounds) -> Result<Bound> {
        if let Some(excess) = self.excess(&bounds.limits) {
            return Err(excess.into());
        }
        let cap = |plan: &mut Plan| -> Result<Option<Rate>> {
            pin(plan, bounds.addresses)?;
            Ok(bounds.limits.cap(plan))
        };
        let capped = match self {
            Errand::Run { plan, .. } => cap(plan)?,
            Errand::Ceiling { sought, .. } => {
                sought.most = match sought.over {
                    Over::Rate => bounds.limits.rps,
                    Over::Connections | Over::Users => bounds.limits.workers.into(),
                };
                // What carries a search begins in closed loop, whatever is searched.
                sought.plan.at_most = Some(bounds.limits.rate());
                cap(&mut sought.plan)?;
                None
            }
            Errand::Ladder { rungs } => {
                rungs.iter_mut().try_for_each(|rung| cap(&mut rung.plan).map(drop))?;
                None
            }
        };
        Ok(Bound { cap: capped })
    }

    /// Warm-up and load, all of them.
    pub fn length(&self) -> Nanos {
        match self {
            Errand::Run { plan, .. } => load_length(plan),
            Errand::Ceiling { args, sought } => ceiling::budget(args, sought.over),
            Errand::Ladder { rungs } => {
                rungs.iter().map(|rung| load_length(&rung.plan)).fold(Nanos::ZERO, |a, b| a + b)
            }
        }
    }

    /// When it is over at the latest, from its start.
    pub fn ends_within(&self) -> Nanos {
        let plan = self.plan();
        let around = plan.connect_timeout + plan.drain + AROUND;
        let aside = plan
            .scenario
            .as_ref()
            .map_or(0, |scenario| (scenario.run_setup.len() + scenario.run_teardown.len()) as u64);
        let between = match self {
            Errand::Run { .. } => Nanos::ZERO,
            Errand::Ceiling { .. } | Errand::Ladder { .. } => BETWEEN_LOADS,
        };
        // Each of what is sent once may take as long as a request may.
        self.length() + around + between + Nanos(plan.timeout.0.saturating_mul(aside))
    }
}

fn read(arguments: &[OsString]) -> Result<Errand> {
    let Parsed::Cli(cli) = parse(arguments)? else { return Err(not_of_a_panel()) };
    match *cli {
        Cli { verb: None, load } => {
            let (plan, outputs) = (high::plan(&load)?, Outputs::of(&load)?);
            of_run(plan, outputs, None)
        }
        Cli { verb: Some(Verb::Run(args)), .. } => of_plan(&args, arguments, None),
        Cli { verb: Some(Verb::Soak(args)), .. } if args.run.load.is_of_file() => {
            of_plan(&args.run.clone(), arguments, Some(args))
        }
        Cli { verb: Some(Verb::Soak(args)), .. } => {
            let (plan, outputs) = (high::plan(&args.run.load)?, Outputs::of(&args.run.load)?);
            of_run(plan, outputs, Some(args))
        }
        Cli { verb: Some(Verb::Ceiling(args)), .. } if !args.ladder.ladder.is_empty() => {
            let rungs = ladder::rungs(&args, arguments)?;
            Ok(Errand::Ladder { rungs })
        }
        Cli { verb: Some(Verb::Ceiling(args)), .. } => {
            let sought = Box::new(ceiling::sought(&args, arguments)?);
            Ok(Errand::Ceiling { args, sought })
        }
        _ => Err(not_of_a_panel()),
    }
}

fn of_plan(args: &RunArgs, arguments: &[OsString], soak: Option<Box<SoakArgs>>) -> Result<Errand> {
    let meant = run_plan::mean(args, arguments)?;
    run_plan::guard::pass(&meant)?;
    of_run(meant.plan, meant.outputs, soak)
}

fn of_run(plan: Plan, outputs: Outputs, soak: Option<Box<SoakArgs>>) -> Result<Errand> {
    // A panel's words have none of these, and a plan of its folder was looked at.
    let is_idle = outputs.profile.is_none() && outputs.elsewhere == Elsewhere::default();
    if !outputs.is_empty() || !is_idle {
        return Err(Error::usage(
            "a run of a panel writes no files and runs no commands; drop the outputs, samples and \
             profiles",
        ));
    }
    let outputs = Box::new(Outputs { quiet: true, ..outputs });
    Ok(Errand::Run { plan: Box::new(plan), outputs, soak })
}

fn not_of_a_panel() -> Error {
    Error::usage("a panel carries out a URL, `run`, `soak` and `ceiling`; use one of them")
}

/// Nothing is looked up any more: the host stands for what it was found to be.
fn pin(plan: &mut Plan, addresses: &[IpAddr]) -> Result<()> {
    if plan.route != Route::default() || addresses.is_empty() {
        return Err(Error::usage(
            "a run of a panel goes to the addresses that were judged; drop the flags that name \
             others",
        ));
    }
    let is_judged = match &plan.url.host {
        Host::Ip(ip) => addresses.contains(ip),
        Host::Name(_) => true,
        Host::Zoned(..) | Host::Unix(_) => false,
    };
    if !is_judged {
        let host = &plan.url.host;
        return Err(Error::usage(format!(
            "{host} is not what was judged; choose the target again"
        )));
    }
    if let Host::Name(name) = &plan.url.host {
        let list = addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(",");
        plan.route.resolve = vec![Resolve::parse(&format!("{name}:{}:{list}", plan.url.port))?];
    }
    Ok(())
}

fn load_length(plan: &Plan) -> Nanos {
    let warmup = match plan.warmup {
        Warmup::For(length) => length,
        Warmup::Auto => crate::metrics::steady::LONGEST,
    };
    let measure = match &plan.load {
        Load::Open(_) => crate::engine::length(&Plan { warmup: Warmup::NONE, ..plan.clone() }),
        Load::Closed { .. } => plan.duration,
    };
    warmup + measure.unwrap_or_default()
}

/// The order of a change, judged.
pub fn judge_rate(limits: &Limits, per_s: f64) -> Result<()> {
    if per_s <= 0.0 {
        return Err(Error::usage("a rate is above 0; stop the run instead"));
    }
    limits.excess_of_rate(per_s).map_or(Ok(()), |excess| Err(excess.into()))
}

pub fn judge_users(limits: &Limits, count: u32) -> Result<()> {
    if count == 0 {
        return Err(Error::usage("somebody has to send; stop the run instead"));
    }
    limits.excess_of_workers(count).map_or(Ok(()), |excess| Err(excess.into()))
}

/// The field of the form that a limit is of.
pub fn field(excess: &Excess) -> &'static str {
    match excess.of {
        Measure::Workers => "connections",
        Measure::Rate => "rps",
        Measure::Duration => "duration_s",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { workers: 10, rps: 100.0, duration_s: 60.0 };
    const HERE: [IpAddr; 1] = [IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)];

    fn errand(words: &[&str], text: Option<&str>) -> Result<Errand> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        Errand::read(&words, text)
    }

    fn bound(words: &[&str]) -> Result<Errand> {
        let mut errand = errand(words, None)?;
        errand.bind(&Bounds { limits: LIMITS, addresses: &HERE })?;
        Ok(errand)
    }

    #[test]
    fn each_verb_is_bound_by_each_limit() {
        for (words, refused) in [
            (&["http://127.0.0.1/", "-c10", "-R100", "-d60"][..], None),
            (&["http://127.0.0.1/", "-c11", "-R100", "-d60"], Some("workers")),
            (&["http://127.0.0.1/", "-c10", "-R101", "-d60"], Some("requests per second")),
            (&["http://127.0.0.1/", "-c10", "-R100", "-d61"], Some("limit of 60 s")),
            (&["http://127.0.0.1/", "-c10", "-R1:101", "-d60"], Some("requests per second")),
            (&["http://127.0.0.1/", "-c10", "--stages=9s:101,9s:1"], Some("requests per second")),
            (&["http://127.0.0.1/", "-c10", "--stages=60s:9,1s:1"], Some("limit of 60 s")),
            (&["http://127.0.0.1/", "--connections-stages=5s:11"], Some("workers")),
            (&["http://127.0.0.1/", "-c10", "-d60", "--drain=61s"], Some("limit of 60 s")),
            (&["http://127.0.0.1/", "-c10", "-n5"], Some("no end")),
            (&["soak", "http://127.0.0.1/", "-c10", "-R101", "-d60"], Some("requests per second")),
            (&["ceiling", "http://127.0.0.1/", "-c10", "--budget=60s"], None),
            (&["ceiling", "http://127.0.0.1/", "-c11", "--budget=60s"], Some("workers")),
            (&["ceiling", "http://127.0.0.1/", "-c10", "--budget=61s"], Some("limit of 60 s")),
            (
                &["ceiling", "http://127.0.0.1/", "-c9", "--ladder=50,101", "--step=1s"],
                Some("requests per second"),
            ),
            (
                &["ceiling", "http://127.0.0.1/", "-c9", "--ladder=50,100", "--step=31s"],
                Some("limit of 60 s"),
            ),
            (&["ceiling", "http://127.0.0.1/", "--ladder=11x1", "--step=1s"], Some("workers")),
        ] {
            match (bound(words).map(drop), refused) {
                (Ok(()), None) => {}
                (Err(error), Some(part)) if error.message.contains(part) => {}
                (outcome, _) => panic!("{words:?}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn a_closed_loop_is_capped_and_so_is_a_search() {
        let Ok(Errand::Run { plan, .. }) = bound(&["http://127.0.0.1/", "-c10"]) else {
            panic!("it is a run");
        };
        assert_eq!(plan.at_most, Some(Rate::per_second(100)));
        for (words, most) in [
            (&["ceiling", "http://127.0.0.1/", "-c10"][..], 100.0),
            (
                &[
                    "ceiling",
                    "http://127.0.0.1/",
                    "-c1",
                    "--over=connections",
                    "--threshold=p99<1s",
                ],
                10.0,
            ),
        ] {
            let Ok(Errand::Ceiling { args, sought }) = bound(words) else {
                panic!("{words:?} is a search");
            };
            let settings = sought.settings(ceiling::budget(&args, sought.over));
            assert_eq!(settings.most, most, "{words:?}");
            assert_eq!(sought.plan.at_most, Some(Rate::per_second(100)));
        }
    }

    #[test]
    fn a_name_stands_for_what_was_judged_and_for_nothing_else() {
        let mut run = errand(&["http://somewhere.invalid:81/", "-c1"], None).unwrap();
        run.bind(&Bounds { limits: LIMITS, addresses: &HERE }).unwrap();
        // Nothing is looked up: the name has no address.
        let found = crate::engine::addresses(run.plan()).unwrap();
        assert_eq!(found, [crate::Address::Inet(([127, 0, 0, 1], 81).into())]);
        for words in [
            &["http://10.0.0.1/", "-c1"][..],
            &["http://127.0.0.1/", "-c1", "--resolve=127.0.0.1:80:10.0.0.1"],
            &["http://127.0.0.1/", "-c1", "--connect-to=::10.0.0.1:80"],
            &["http://127.0.0.1/", "-c1", "--unix-socket=/run/a.sock"],
            &["http://localhost/", "-c1", "--dns-refresh=1s"],
            &["http+unix://%2Frun%2Fa.sock/", "-c1"],
        ] {
            assert!(bound(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn words_that_write_files_or_run_commands_are_refused() {
        for words in [
            &["http://127.0.0.1/", "-c1", "-o", "/tmp/blast-errand.json"][..],
            &["http://127.0.0.1/", "-c1", "--sample", "a=id"],
            &["http://127.0.0.1/", "-c1", "--profile=perf"],
            &["doctor", "http://127.0.0.1/"],
            &["target"],
            &["--help"],
        ] {
            assert!(bound(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn a_plan_is_read_from_the_text_as_often_as_it_is_asked_for() {
        let text = "[load]\nrps = 5\nduration = \"2s\"\n[[requests]]\npath = \"/a\"\n";
        let words = ["run", "-", "--host=http://127.0.0.1:81/"];
        for _ in 0..2 {
            let errand = errand(&words, Some(text)).unwrap();
            assert_eq!(errand.plan().load.per_s(), Some(5.0));
            assert_eq!(errand.length(), Nanos::from_secs(2));
        }
        let ceiling = errand(&["ceiling", "-", "--host=http://127.0.0.1:81/"], Some(text)).unwrap();
        assert_eq!(ceiling.kind(), "ceiling");
    }
}
