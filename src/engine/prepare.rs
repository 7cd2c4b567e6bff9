//! Preparing a run: what the plan leaves to the host is decided here, before anything is sent.

use std::net::SocketAddr;
use std::sync::Arc;

use super::directory::Directory;
use super::job::{Arrivals, Job};
use super::mailbox::Mailbox;
use super::tally::{INTERVAL, OFTEN};
use super::timeline::Timeline;
use super::{calibrate, offload, refresh, resolve, ring, sources};
use crate::error::{Error, Result};
use crate::host::{self, SPARE_DESCRIPTORS, tables};
use crate::http::Payload;
use crate::metrics::Warning;
use crate::plan::answer::Captured;
use crate::plan::{Engine, Load, Offered, Pin, Plan, Schedule, Wait, Warmup};
use crate::time::Nanos;
use crate::tls;

/// The hybrid wait spins at least and at most this long. In between it is twice the overshoot of
/// an idle host: with one time, half of the waits at 20,000/s still woke 6 us late.
const SPIN_WINDOW: (Nanos, Nanos) = (Nanos::from_micros(20), Nanos::from_micros(200));

/// A run that can start.
pub struct Prepared {
    /// The one that runs.
    pub engine: Engine,
    pub jobs: Vec<Arc<Job>>,
    pub timeline: Arc<Timeline>,
    pub addresses: Directory,
    /// How many of them there were before the run.
    pub at_first: usize,
    pub wait: Wait,
    pub overshoot: Nanos,
    pub warnings: Vec<Warning>,
    /// A core that no worker is pinned to, for the control thread.
    pub control_core: Option<usize>,
}

/// `given`: what was captured before.
pub fn prepare(plan: &Plan, given: Captured) -> Result<Prepared> {
    let mut warnings = plan.notes.clone();
    let engine = engine(plan, &mut warnings);
    let plan = &Plan { engine, ..plan.clone() };
    let tls = client(plan)?;
    let offload = offload::choose(plan)?;
    let addresses = resolve::addresses(plan)?;
    let descriptors = host::raise_descriptor_limit();
    let allowed = host::allowed_cores();
    let workers = workers(plan, allowed.len().max(1), &mut warnings);
    check_descriptors(plan, workers, descriptors)?;
    let sources = sources::choose(plan, &addresses, host::Ports::of_this_host())?;
    let cores = cores(plan, workers, &allowed)?;
    let overshoot = calibrate::overshoot();
    let wait = wait(plan, allowed.len(), &mut warnings);
    let timeline = Arc::new(Timeline::default());
    let addresses = Directory::new(addresses, refresh::is_wanted(plan));
    let at_first = addresses.count();
    let common = Common {
        plan,
        workers,
        addresses: &addresses,
        longest_table: tables::longest(descriptors),
        binds: sources.into(),
        request: Payload::new(&plan.request, plan.pipeline),
        given,
        tls,
        offload,
        schedule: plan.load.offered().map(|offered| schedule(plan, offered)),
        stage_ends: stage_ends(plan),
        wait,
        spin_window: (overshoot + overshoot).clamp(SPIN_WINDOW.0, SPIN_WINDOW.1),
        timeline: &timeline,
    };
    let mut first = 0;
    let jobs = (0..workers)
        .map(|worker| {
            let job = common.job(worker, cores[worker], first);
            first += u64::from(job.connections);
            Arc::new(job)
        })
        .collect();
    let control_core = spare(plan, &allowed, &cores);
    Ok(Prepared {
        engine,
        jobs,
        timeline,
        addresses,
        at_first,
        wait,
        overshoot,
        warnings,
        control_core,
    })
}

/// What https is spoken with.
fn client(plan: &Plan) -> Result<Option<tls::Client>> {
    let client = |settings| tls::Client::new(settings, &plan.url.host.to_string());
    plan.tls.as_ref().map(client).transpose()
}

/// The engine asked for; or, where nobody asked and io_uring is refused, the one that runs there.
pub fn engine(plan: &Plan, warnings: &mut Vec<Warning>) -> Engine {
    if plan.engine != Engine::Ring || !plan.may_fall_back {
        return plan.engine;
    }
    match ring::probe() {
        Ok(()) => Engine::Ring,
        Err(why) => {
            warnings.push(Warning::EngineFallback { why: why.message });
            Engine::Epoll
        }
    }
}

/// The length of warm-up and measure together, where it is known before the run.
pub fn length(plan: &Plan) -> Option<Nanos> {
    let warmup = plan.warmup.length()?;
    let measure = match &plan.load {
        Load::Open(offered) => Some(schedule(plan, offered).length()),
        Load::Closed { .. } => plan.duration,
    };
    measure.map(|measure| warmup + measure)
}

fn schedule(plan: &Plan, offered: &Offered) -> Schedule {
    Schedule::new(offered, plan.warmup, plan.duration, plan.requests)
}

/// What the jobs of all workers have in common.
struct Common<'a> {
    plan: &'a Plan,
    workers: usize,
    addresses: &'a Directory,
    longest_table: u32,
    binds: Arc<[SocketAddr]>,
    request: Payload,
    given: Captured,
    tls: Option<tls::Client>,
    offload: Arc<[tls::KernelKind]>,
    schedule: Option<Schedule>,
    stage_ends: Arc<[Nanos]>,
    wait: Wait,
    spin_window: Nanos,
    timeline: &'a Arc<Timeline>,
}

impl Common<'_> {
    fn job(&self, worker: usize, core: Option<usize>, first_connection: u64) -> Job {
        let Common { plan, workers, .. } = *self;
        let once = (!plan.keepalive).then_some(1);
        let endurance = offload::endurance(self.request.length());
        let endurance = (!self.offload.is_empty()).then_some(endurance);
        let per_connection = once.or(plan.requests_per_connection);
        let connections = part(u64::from(plan.room()), worker, workers) as u32;
        Job {
            worker,
            workers,
            core,
            connections,
            first_connection,
            in_use: in_use(plan),
            addresses: self.addresses.clone(),
            longest_table: self.longest_table,
            binds: self.binds.clone(),
            request: self.request.copied(),
            tls: self.tls.as_ref().map(|client| client.for_worker(connections as usize)),
            offload: self.offload.clone(),
            scenario: plan.scenario.clone(),
            given: self.given.clone(),
            is_head: plan.request.is_head(),
            expected: plan.expected.clone(),
            group_by: plan.group_by.clone().map(Arc::new),
            pipeline: plan.pipeline,
            per_connection: per_connection.into_iter().chain(endurance).min(),
            arrivals: arrivals(plan, self.schedule.as_ref(), worker, workers),
            at_most: plan.at_most,
            budget_before: budget_before(plan, worker, workers),
            timeout: plan.timeout,
            connect_timeout: plan.connect_timeout,
            connect_rate: plan.connect_rate,
            warmup: plan.warmup,
            stage_ends: self.stage_ends.clone(),
            duration: plan.duration,
            drain: plan.drain,
            deadline: plan.deadline,
            max_in_flight: plan.max_in_flight.map_or(u64::MAX, |most| part(most, worker, workers)),
            wait: self.wait,
            spin_window: self.spin_window,
            timeline: self.timeline.clone(),
            mailbox: mailbox(plan),
        }
    }
}

impl Prepared {
    /// The same workers' next load. The gate is open: the target was there.
    pub fn again(&mut self, plan: &Plan) {
        self.timeline = Arc::new(Timeline::default());
        self.timeline.open_gate();
        let schedule = plan.load.offered().map(|offered| schedule(plan, offered));
        let (workers, stage_ends) = (self.jobs.len(), stage_ends(plan));
        for (worker, job) in self.jobs.iter_mut().enumerate() {
            *job = Arc::new(Job {
                arrivals: arrivals(plan, schedule.as_ref(), worker, workers),
                at_most: plan.at_most,
                budget_before: budget_before(plan, worker, workers),
                in_use: in_use(plan),
                warmup: plan.warmup,
                stage_ends: stage_ends.clone(),
                duration: plan.duration,
                drain: plan.drain,
                deadline: plan.deadline,
                timeline: self.timeline.clone(),
                mailbox: mailbox(plan),
                ..Job::clone(job)
            });
        }
    }
}

fn arrivals(plan: &Plan, schedule: Option<&Schedule>, worker: usize, workers: usize) -> Arrivals {
    match schedule {
        Some(schedule) => Arrivals::Open(schedule.clone()),
        None => {
            let budget = plan.requests.map(|requests| part(requests, worker, workers));
            let budget = budget.unwrap_or(u64::MAX);
            Arrivals::Closed { budget, users: plan.load.shape().cloned() }
        }
    }
}

fn in_use(plan: &Plan) -> Option<u64> {
    (plan.room() > plan.connections).then_some(plan.connections.into())
}

fn budget_before(plan: &Plan, worker: usize, workers: usize) -> u64 {
    (0..worker).filter_map(|before| Some(part(plan.requests?, before, workers))).sum()
}

fn stage_ends(plan: &Plan) -> Arc<[Nanos]> {
    plan.load.stages().iter().map(|stage| stage.end()).collect()
}

fn mailbox(plan: &Plan) -> Arc<Mailbox> {
    let has_aside = plan.scenario.as_ref().is_some_and(|scenario| scenario.has_aside());
    let entries = plan.scenario.as_ref().map_or(0, |scenario| scenario.entries.len());
    let names = if plan.tells_names { entries } else { 0 };
    let mailbox = Mailbox::new(plan.warmup != Warmup::NONE, has_aside, names);
    Arc::new(mailbox.every(if plan.tells_often { OFTEN } else { INTERVAL }))
}

/// A worker's part of a whole: 100 over 3 are 34, 33 and 33.
fn part(whole: u64, worker: usize, workers: usize) -> u64 {
    let (worker, workers) = (worker as u64, workers as u64);
    whole / workers + u64::from(worker < whole % workers)
}

/// How many worker threads the plan has here.
pub fn workers(plan: &Plan, allowed: usize, warnings: &mut Vec<Warning>) -> usize {
    let quota = host::cpu_quota().map_or(usize::MAX, |quota| (quota.ceil() as usize).max(1));
    let wanted = plan.threads.unwrap_or(allowed.min(quota));
    let counts = [plan.requests, plan.max_in_flight, Some(u64::from(plan.connections))];
    let useful = counts.into_iter().flatten().fold(u64::MAX, u64::min);
    let used = wanted.min(usize::try_from(useful).unwrap_or(usize::MAX)).max(1);
    if plan.threads.is_some() && used < wanted {
        let reason = "no more of them would have a connection or a request to send";
        warnings.push(Warning::ThreadsReduced { asked: wanted, used, reason });
    } else if plan.threads.is_none() && quota < allowed {
        let reason = "the control group's processor quota is no more";
        warnings.push(Warning::ThreadsReduced { asked: allowed, used, reason });
    }
    used
}

/// Enough room for the connections, or one sentence with the number that would do.
fn check_descriptors(plan: &Plan, workers: usize, limit: u64) -> Result<()> {
    let connections = u64::from(plan.room());
    if plan.engine == Engine::Ring {
        let workers = workers as u64;
        let largest = connections.div_ceil(workers);
        let rings = tables::rings(largest, limit);
        let needed = host::open_descriptors() + tables::descriptors(workers, rings);
        if rings <= tables::MOST_RINGS && needed <= limit {
            return Ok(());
        }
        let enough = tables::least_limit(largest, workers);
        return Err(Error::failed(format!(
            "the descriptor limit of {limit} is too low for the rings that the connections need \
             ({workers} x {rings}): raise it with `ulimit -Hn {enough}`, or use fewer --connections \
             or --threads"
        )));
    }
    let needed = connections + SPARE_DESCRIPTORS;
    if needed <= limit {
        return Ok(());
    }
    let name = plan.engine.name();
    // Where it is refused, the ring engine is no way out.
    let ring = if plan.may_fall_back { "" } else { "use `--engine ring`, which needs none, " };
    Err(Error::failed(format!(
        "with the engine {name} each connection takes a descriptor: {connections} of them need a \
         limit of {needed}, and it is {limit} here; raise it with `ulimit -Hn {needed}`, {ring}or \
         use fewer --connections"
    )))
}

/// A core for each worker: from the highest down, so that a server started on the same host can
/// have the lowest.
fn cores(plan: &Plan, workers: usize, allowed: &[usize]) -> Result<Vec<Option<usize>>> {
    let order: Vec<usize> = match &plan.pin {
        Pin::Off => return Ok(vec![None; workers]),
        Pin::Auto => allowed.iter().rev().copied().collect(),
        Pin::List(list) => {
            if let Some(core) = list.iter().find(|core| !allowed.contains(core)) {
                let allowed: Vec<String> = allowed.iter().map(usize::to_string).collect();
                return Err(Error::usage(format!(
                    "--pin: core {core} is not allowed here; choose among {}",
                    allowed.join(",")
                )));
            }
            list.clone()
        }
    };
    if order.is_empty() {
        return Ok(vec![None; workers]);
    }
    Ok((0..workers).map(|worker| Some(order[worker % order.len()])).collect())
}

/// A core without a worker, where the workers have theirs.
fn spare(plan: &Plan, allowed: &[usize], taken: &[Option<usize>]) -> Option<usize> {
    let mut allowed = allowed.iter().copied();
    allowed.find(|core| plan.pin != Pin::Off && !taken.contains(&Some(*core)))
}

/// The one that a run of so many workers will leave.
pub fn spare_core(plan: &Plan, workers: usize) -> Option<usize> {
    let allowed = host::allowed_cores();
    spare(plan, &allowed, &cores(plan, workers, &allowed).ok()?)
}

/// Those that a run of so many workers will sit on.
pub fn taken_cores(plan: &Plan, workers: usize) -> Vec<usize> {
    let taken = cores(plan, workers, &host::allowed_cores()).unwrap_or_default();
    taken.into_iter().flatten().collect()
}

/// With one core, a spinning worker would keep the server and the control thread from it.
fn wait(plan: &Plan, allowed: usize, warnings: &mut Vec<Warning>) -> Wait {
    if plan.wait != Wait::Hybrid || allowed > 1 {
        return plan.wait;
    }
    if plan.load.offered().is_some() {
        warnings.push(Warning::WaitBlocks);
    }
    Wait::Block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_engine_takes_few_descriptors_and_the_other_one_each() {
        let url = crate::plan::Url::parse("http://127.0.0.1/").expect("a URL");
        let request = crate::http::Request::new("GET", "/", "127.0.0.1");
        let plan = |engine, connections| Plan {
            engine,
            connections,
            ..Plan::new(url.clone(), request.clone())
        };
        assert!(check_descriptors(&plan(Engine::Ring, 1_000_000), 2, 20_000).is_ok());
        assert!(check_descriptors(&plan(Engine::TokioUring, 19_936), 2, 20_000).is_ok());
        let text = check_descriptors(&plan(Engine::TokioUring, 19_937), 2, 20_000);
        assert!(text.expect_err("too many").message.contains("ulimit -Hn 20001"));
        let text = check_descriptors(&plan(Engine::Ring, 1_000_000), 2, 1_024);
        assert!(text.expect_err("too many").message.contains("ulimit -Hn 8192"));
        assert!(check_descriptors(&plan(Engine::Ring, 1_000_000), 2, 8_192).is_ok());
    }

    #[test]
    fn connections_and_requests_are_shared_out_exactly() {
        assert_eq!((0..3).map(|w| part(100, w, 3)).collect::<Vec<_>>(), [34, 33, 33]);
        for (whole, workers) in [(1, 1), (7, 3), (10_000, 7), (2, 5)] {
            assert_eq!((0..workers).map(|w| part(whole, w, workers)).sum::<u64>(), whole);
        }
    }
}
