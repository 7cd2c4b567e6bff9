//! Loads one after another by the same workers, on connections that stay open in between. A single
//! run is a session of one.

use super::Progress;
use super::control;
use super::helm::Helm;
use super::prepare::{self, Prepared};
use super::rehearsal::{self, Rehearsal};
use super::worker::Running;
use crate::error::Result;
use crate::metrics::Summary;
use crate::plan::Plan;

pub struct Session {
    prepared: Prepared,
    /// Empty before the first load.
    workers: Vec<Running>,
    rehearsal: Rehearsal,
}

impl Session {
    /// For `plan`, which is the first load, and others that differ from it in their load alone: when
    /// requests are due, for how long, the rules they are judged by. What is to be sent once before
    /// any load is sent here.
    pub fn open(plan: &Plan) -> Result<Session> {
        let rehearsal = rehearsal::before(plan)?;
        let prepared = prepare::prepare(plan, rehearsal.captured.clone())?;
        Ok(Session { prepared, workers: Vec::new(), rehearsal })
    }

    /// Carries one out. Nothing of an earlier one is left in its figures: what that still owed is
    /// answered on connections that are closed by now.
    pub fn run(
        &mut self,
        plan: &Plan,
        watch: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Summary> {
        self.run_steered(plan, &Helm::default(), watch)
    }

    /// The same with somebody at the helm.
    pub fn run_steered(
        &mut self,
        plan: &Plan,
        helm: &Helm,
        watch: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Summary> {
        if !self.workers.is_empty() {
            self.prepared.again(plan);
        }
        let workers = &mut self.workers;
        control::run(plan, &self.prepared, workers, 0, helm, watch).map(|(summary, _)| summary)
    }

    /// What is to be sent once after all loads is sent, and told in the last one's summary.
    pub fn end(self, plan: &Plan, summary: &mut Summary) {
        drop(self.workers);
        self.rehearsal.end(plan, summary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::{Engine, Law, Load, Offered, Pin, Rate, Url, Wait};
    use crate::target::{Behaviour, Delay, Options, Target};
    use crate::time::Nanos;

    const ENGINES: [Engine; 3] = [Engine::Ring, Engine::TokioUring, Engine::Epoll];

    fn target(delay: Delay) -> Target {
        let behaviour = Behaviour { delay, ..Behaviour::default() };
        Target::start(Options { behaviour, ..Options::default() }).expect("a target")
    }

    fn plan(target: &Target, engine: Engine) -> Plan {
        let address = target.address();
        let url = Url::parse(&format!("http://{address}/")).expect("a URL");
        let request = Request::new("GET", "/", &address.to_string());
        Plan {
            engine,
            connections: 5,
            threads: Some(2),
            duration: Some(Nanos::from_millis(200)),
            wait: Wait::Block,
            pin: Pin::Off,
            ..Plan::new(url, request)
        }
    }

    fn run(session: &mut Session, plan: &Plan) -> Summary {
        let summary = session.run(plan, &mut |_| {}).expect("a run");
        assert!(summary.audit.ok() && summary.complete, "{:?}", summary.audit);
        summary
    }

    #[test]
    fn loads_of_any_kind_follow_each_other_on_the_same_connections() {
        for engine in ENGINES {
            let target = target(Delay::None);
            let plan = plan(&target, engine);
            let open = |rate| Plan { load: Load::steady(Rate::per_second(rate)), ..plan.clone() };
            let mut session = Session::open(&open(500)).expect("a session");
            let mut good = 0;
            for (turn, rate) in [500, 2_000, 35].into_iter().enumerate() {
                let summary = run(&mut session, &open(rate));
                assert_eq!(summary.measure.counters.good, rate / 5, "{engine:?}");
                assert_eq!(summary.connections.opened, if turn == 0 { 5 } else { 0 });
                assert_eq!(summary.connections.open_peak, 5);
                assert_eq!(summary.client.workers.len(), 2);
                good += rate / 5;
            }
            let closed = Plan { requests: Some(77), duration: None, ..plan.clone() };
            let mut summary = run(&mut session, &closed);
            assert_eq!((summary.measure.counters.good, summary.connections.opened), (77, 0));
            session.end(&closed, &mut summary);
            let stats = target.stop();
            assert_eq!((stats.requests, stats.connections), (good + 77, 5), "{engine:?}");
        }
    }

    #[test]
    fn what_a_load_left_unanswered_is_no_part_of_the_next_one() {
        for engine in ENGINES {
            let target = target(Delay::Fixed(Nanos::from_millis(150)));
            let base = plan(&target, engine);
            // More than five connections can carry, and nobody waits for the rest.
            let load = Load::steady(Rate::per_second(200));
            let hasty = Plan { load, drain: Nanos::ZERO, ..base.clone() };
            let patient = Plan { requests: Some(10), duration: None, ..base };
            let mut session = Session::open(&hasty).expect("a session");
            for _ in 0..2 {
                let summary = run(&mut session, &hasty);
                let counters = &summary.measure.counters;
                assert!(counters.abandoned > 0 && counters.scheduled == 40, "{counters:?}");
                let summary = run(&mut session, &patient);
                let counters = &summary.measure.counters;
                assert_eq!((counters.sent, counters.good), (10, 10), "{engine:?}");
                assert_eq!(summary.unsolicited_bytes, 0, "{engine:?}");
                // Those that owed an answer were opened anew.
                assert!(summary.connections.opened > 0);
            }
        }
    }

    #[test]
    fn each_load_tells_of_its_own_connections() {
        let target = target(Delay::None);
        let plan = Plan { requests: Some(20), duration: None, ..plan(&target, Engine::Epoll) };
        let mut session = Session::open(&plan).expect("a session");
        assert_eq!(run(&mut session, &plan).opened_at, [5]);
        assert_eq!(run(&mut session, &plan).opened_at, [0], "they are open");
    }

    #[test]
    fn a_worker_is_as_busy_in_the_first_second_as_it_was() {
        let target = target(Delay::None);
        let duration = Some(Nanos::from_millis(1_100));
        let plan = Plan { duration, threads: Some(1), ..plan(&target, Engine::Epoll) };
        let mut first = None;
        let mut session = Session::open(&plan).expect("a session");
        let told = session.run(&plan, &mut |progress| {
            if let Progress::Interval { busy, .. } = progress {
                first = first.or(busy.first().copied());
            }
        });
        let whole = told.expect("a run").client.workers[0].busy();
        // Others may have had the core for a while, which counts as busy.
        assert!(first.is_some_and(|first| first > whole / 4.0), "{first:?}, in all {whole}");
    }

    #[test]
    fn connections_that_close_as_a_load_ends_are_there_for_the_next_one() {
        for engine in ENGINES {
            let target = target(Delay::Fixed(Nanos::from_millis(20)));
            // All are answered at about the same time, which is the end.
            let burst = Offered::steady(Rate::per_second(5_000), Law::Burst(50));
            let once = Plan { keepalive: false, load: Load::Open(burst), ..plan(&target, engine) };
            let duration = Some(Nanos::from_millis(10));
            let once = Plan { connections: 50, threads: Some(1), duration, ..once };
            let (over, told) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                let mut session = Session::open(&once).expect("a session");
                for _ in 0..20 {
                    let counters = run(&mut session, &once).measure.counters;
                    let _ = over.send((counters.sent, counters.good));
                }
            });
            for turn in 0..20 {
                // A load takes a few hundredths of a second.
                let counts = told.recv_timeout(std::time::Duration::from_secs(20));
                assert_eq!(counts, Ok((50, 50)), "{engine:?}, load {turn}");
            }
        }
    }
}
