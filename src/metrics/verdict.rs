//! The verdict: who was the limit, and the evidence for it.
//!
//! blast suspects itself first. Only where its workers had time to spare and were punctual can
//! anything be said about the server.

use super::named::{SESSIONS, USERS};
use super::{Histogram, Limit::*, Mode, Stage, Summary};
use crate::failure::{Kind, Side};
use crate::time::Nanos;
use crate::units::{format_count, format_duration};

/// A worker this busy has nothing to spare.
const BUSY: f64 = 0.95;

/// blast's own lateness at p99 is its fault past this, and past a tenth of the response p99.
const LATE: Nanos = Nanos::from_millis(1);

/// A rate counts as held when this share of it was sent on schedule, and of it answered well.
const HELD: f64 = 0.99;

/// Requests that had to wait for a connection were served in about the time of the others, up to
/// this factor: the server answered as before, only the connections ran out.
const AS_BEFORE: f64 = 1.5;

/// Users of whom this share waits for answers, on average, do little else.
const MOSTLY_WAITING: f64 = 0.9;

/// Who was the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The rate asked for was held.
    None,
    Server,
    ClientCpu,
    Connections,
    Ports,
    Descriptors,
    Network,
}

impl Limit {
    pub fn name(self) -> &'static str {
        match self {
            None => "none",
            Server => "server",
            ClientCpu => "client_cpu",
            Connections => "connections",
            Ports => "ports",
            Descriptors => "descriptors",
            Network => "network",
        }
    }

    /// blast or its host was the limit, so the figures say nothing about the server.
    pub fn is_generator(self) -> bool {
        matches!(self, ClientCpu | Ports | Descriptors)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub limit: Limit,
    /// One sentence with the evidence, fit to follow the limit's name.
    pub why: String,
}

impl Verdict {
    pub fn of(summary: &Summary) -> Verdict {
        if !summary.complete && summary.measured == Nanos::ZERO {
            let why = "the run was ended before measure began".to_string();
            return Verdict { limit: None, why };
        }
        let (limit, why) = match summary.mode {
            Mode::Open => open_loop(summary),
            Mode::Closed => closed_loop(summary),
        };
        Verdict { limit, why }
    }
}

fn open_loop(summary: &Summary) -> (Limit, String) {
    if let Some(own) = own_limits(summary).or_else(|| lateness(summary)) {
        return own;
    }
    let efficiency = summary.efficiency().unwrap_or(0.0);
    let success = summary.success_share();
    if efficiency >= HELD && success >= HELD {
        return (None, held(summary));
    }
    if efficiency >= HELD {
        return unsuccessful(summary);
    }
    behind(summary, efficiency)
}

fn closed_loop(summary: &Summary) -> (Limit, String) {
    if let Some(own) = own_limits(summary) {
        return own;
    }
    if summary.success_share() < HELD {
        return unsuccessful(summary);
    }
    if let Some(thinking) = thinking(summary) {
        return thinking;
    }
    let busy = busiest(summary);
    let why = format!(
        "each connection waited for its answer; blast's busiest worker used {} of its core",
        percent(busy)
    );
    (Server, why)
}

/// Users who spend their time thinking are held up by nobody. By Little's law the requests' times,
/// over the length of measure, are how many of them waited for an answer on average.
fn thinking(summary: &Summary) -> Option<(Limit, String)> {
    if summary.model != Some(USERS) || summary.measured == Nanos::ZERO {
        return Option::None;
    }
    let measured = summary.measured.as_secs_f64();
    let measure = &summary.measure;
    let times = [&measure.service(Mode::Closed), &measure.rejected];
    let total = |times: &Histogram| times.mean().as_secs_f64() * times.count() as f64;
    let waiting = times.into_iter().map(total).sum::<f64>() / measured;
    let user_seconds = |stage: &Stage| (stage.from + stage.to) / 2.0 * stage.length.as_secs_f64();
    let users = match &summary.stages[..] {
        [] => summary.connections.open_peak as f64,
        stages => stages.iter().map(user_seconds).sum::<f64>() / measured,
    };
    (waiting < MOSTLY_WAITING * users).then(|| {
        let why = format!(
            "the users set the pace: of {} on average {} waited for an answer",
            format_count(users),
            format_count(waiting)
        );
        (None, why)
    })
}

/// What blast or its host ran out of.
fn own_limits(summary: &Summary) -> Option<(Limit, String)> {
    let failures = &summary.connections.failures;
    let unfinished = summary.measure.counters.dropped > 0 || summary.mode == Mode::Closed;
    let short = |kind: Kind| unfinished && failures[kind as usize] > 0;
    if short(Kind::PortsExhausted) {
        let times = failures[Kind::PortsExhausted as usize];
        return Some((Ports, format!("{times} connects found no free local port")));
    }
    if short(Kind::DescriptorsExhausted) {
        let times = failures[Kind::DescriptorsExhausted as usize];
        return Some((Descriptors, format!("{times} connects found no free descriptor")));
    }
    let busy = busiest(summary);
    (busy > BUSY).then(|| {
        let why = format!(
            "a worker of blast was busy {} of the time: the server may do more; give blast more \
             cores",
            percent(busy)
        );
        (ClientCpu, why)
    })
}

/// blast sent late although a connection was free.
fn lateness(summary: &Summary) -> Option<(Limit, String)> {
    let late = summary.measure.late.supported_quantile(0.99)?;
    let response = summary.response().quantile(0.99).map_or(Nanos::ZERO, |r| r.value());
    (late > LATE.max(Nanos(response.0 / 10))).then(|| {
        if let Some(longest) = summary.client.pauses.iter().max_by_key(|pause| pause.length) {
            let length = format_duration(longest.length);
            let why = format!(
                "blast itself did not run for {length}, and sent 1 % of the requests {} or more \
                 too late: do not stop it, and give it an idle core",
                format_duration(late)
            );
            return (ClientCpu, why);
        }
        let why = format!(
            "blast itself sent 1 % of the requests {} or more too late: give it more cores or an \
             idle host",
            format_duration(late)
        );
        (ClientCpu, why)
    })
}

fn held(summary: &Summary) -> String {
    let target = summary.target_per_s.unwrap_or(0.0);
    let efficiency = summary.efficiency().unwrap_or(0.0);
    let what = match summary.stages.is_empty() {
        true => format!("the rate of {}{}/s", format_count(target), unit(summary)),
        false => "the rate of each stage".to_string(),
    };
    format!(
        "{what} was held: {} sent on schedule, {} good",
        percent(efficiency),
        percent(summary.success_share())
    )
}

/// What the rate is of, where that is not requests.
fn unit(summary: &Summary) -> &'static str {
    if summary.model == Some(SESSIONS) { " sessions" } else { "" }
}

/// Sent as asked, but answered badly or not at all.
fn unsuccessful(summary: &Summary) -> (Limit, String) {
    let counters = &summary.measure.counters;
    let lost: u64 =
        counters.failures().filter(|(k, _)| k.side() == Side::Network).map(|f| f.1).sum();
    if lost * 2 > counters.errors() {
        return (Network, format!("{lost} requests were lost by the network"));
    }
    let timeouts = counters.failures[Kind::Timeout as usize];
    let why = format!(
        "only {} of the requests were good: {} rejected, {} failed ({timeouts} of them timed out), \
         {} unanswered",
        percent(summary.success_share()),
        counters.rejected(),
        counters.failed(),
        counters.abandoned + counters.dropped
    );
    (Server, why)
}

/// The schedule was not kept, and blast was not the cause: requests waited for a connection.
fn behind(summary: &Summary, efficiency: f64) -> (Limit, String) {
    let mut waited = summary.measure.waited;
    let mut unwaited = summary.measure.unwaited;
    waited.add(summary.warmup.waited);
    unwaited.add(summary.warmup.unwaited);
    let target = summary.target_per_s.unwrap_or(0.0);
    let good = summary.good_per_s();
    let connections = summary.connections.asked;
    let most = |service: Nanos| connections as f64 / service.as_secs_f64();
    if summary.model == Some(SESSIONS) {
        let why = format!(
            "{} of what the sessions had to send was sent on schedule while blast's busiest worker \
             used {} of its core; each takes a connection until it is done: raise --connections if \
             the server has room",
            percent(efficiency),
            percent(busiest(summary))
        );
        return (Connections, why);
    }
    if let (Some(busy), Some(free)) = (waited.mean(), unwaited.mean())
        && busy.0 as f64 <= free.0 as f64 * AS_BEFORE
        && most(busy) < target
    {
        let why = format!(
            "{connections} in flight at {} can carry {}/s at most, and the server answered no \
             slower than with free connections: raise --connections",
            format_duration(busy),
            format_count(most(busy))
        );
        return (Connections, why);
    }
    let share = if target > 0.0 { good / target } else { 0.0 };
    let why = format!(
        "it answered {}/s of the {}/s offered ({}); {} sent on schedule while blast's busiest \
         worker used {} of its core",
        format_count(good),
        format_count(target),
        percent(share),
        percent(efficiency),
        percent(busiest(summary))
    );
    (Server, why)
}

fn busiest(summary: &Summary) -> f64 {
    summary.client.workers.iter().map(|worker| worker.busy()).fold(0.0, f64::max)
}

/// Rounded down to a tenth, so that 100 % means all.
fn percent(share: f64) -> String {
    format!("{:.1} %", (share * 1000.0).floor() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Client, Fates, Worker, fixture, summary};

    const MS: Nanos = Nanos::from_millis(1);

    /// 10,000 requests at 1,000/s, all good and on time, by a worker that is half busy.
    fn easy(mode: Mode) -> Summary {
        let mut measure = Fates::default();
        for _ in 0..10_000 {
            measure.good.record(MS);
            measure.late.record(Nanos(100));
            measure.unwaited.record(MS);
        }
        let counters = &mut measure.counters;
        (counters.scheduled, counters.sent) = (10_000, 10_000);
        (counters.completed, counters.good) = (10_000, 10_000);
        counters.on_schedule = 10_000;
        let worker = Worker {
            cpu_time: Nanos::from_secs(5),
            wall_time: Nanos::from_secs(10),
            ..Worker::default()
        };
        Summary {
            target_per_s: (mode == Mode::Open).then_some(1_000.0),
            measure_events: fixture::events_of(&measure),
            measure,
            peak_good_per_s: 1_000.0,
            connections: summary::Connections { asked: 20, ..Default::default() },
            client: Client { workers: vec![worker], ..Client::default() },
            ..fixture::blank(mode)
        }
    }

    /// The same, with half of the requests sent late for want of a connection.
    fn behind(waited: Nanos) -> Summary {
        let mut summary = easy(Mode::Open);
        summary.measure.counters.on_schedule = 5_000;
        (0..5_000).for_each(|_| summary.measure.waited.record(waited));
        summary
    }

    #[track_caller]
    fn assert_limit(summary: &Summary, limit: Limit) {
        let verdict = Verdict::of(summary);
        assert_eq!(verdict.limit, limit, "{}", verdict.why);
    }

    #[test]
    fn a_rate_that_was_held_had_no_limit_and_a_closed_loop_waits_for_the_server() {
        assert_limit(&easy(Mode::Open), None);
        assert_limit(&easy(Mode::Closed), Server);
    }

    #[test]
    fn a_run_that_ended_before_measure_blames_nobody() {
        for mode in [Mode::Open, Mode::Closed] {
            let blank = fixture::blank(mode);
            let ended = Summary { complete: false, measured: Nanos::ZERO, ..blank };
            assert_limit(&ended, None);
            assert!(Verdict::of(&ended).why.contains("before measure"));
        }
    }

    #[test]
    fn a_busy_worker_is_suspected_before_anyone_else() {
        for mut summary in [easy(Mode::Open), easy(Mode::Closed), behind(MS)] {
            summary.client.workers[0].cpu_time = Nanos::from_millis(9_600);
            assert_limit(&summary, ClientCpu);
            // Spinning is no work.
            summary.client.workers[0].spin_time = Nanos::from_millis(4_600);
            assert_ne!(Verdict::of(&summary).limit, ClientCpu);
            // A core taken by others is not there for the load.
            summary.client.workers[0].starved_time = Nanos::from_millis(4_600);
            assert_limit(&summary, ClientCpu);
        }
    }

    #[test]
    fn sending_late_with_a_connection_free_is_blasts_fault() {
        let mut summary = easy(Mode::Open);
        (0..200).for_each(|_| summary.measure.late.record(Nanos::from_millis(3)));
        assert_limit(&summary, ClientCpu);
        // Not if users wait ten times as long anyway.
        (0..500).for_each(|_| summary.measure.good.record(Nanos::from_millis(50)));
        assert_limit(&summary, None);
    }

    #[test]
    fn waiting_for_a_connection_is_the_servers_fault_only_if_it_slowed_down() {
        // Where one connection at 1 ms can carry 1,000/s at most.
        let mut summary = behind(Nanos::from_micros(1_400));
        summary.connections.asked = 1;
        assert_limit(&summary, Connections);
        let mut summary = behind(Nanos::from_millis(2));
        summary.connections.asked = 1;
        assert_limit(&summary, Server);
    }

    #[test]
    fn connections_that_could_carry_the_rate_are_not_too_few() {
        // A hiccup: the backlog took a while, at the usual service time.
        assert_limit(&behind(Nanos::from_micros(1_400)), Server);
    }

    #[test]
    fn a_punctual_schedule_with_bad_answers_is_no_rate_held() {
        let mut summary = easy(Mode::Open);
        summary.measure.counters.good = 5_000;
        assert_limit(&summary, Server);
    }

    #[test]
    fn ports_and_descriptors_are_named_when_requests_were_lost_over_them() {
        for (kind, limit) in
            [(Kind::PortsExhausted, Ports), (Kind::DescriptorsExhausted, Descriptors)]
        {
            let mut summary = behind(MS);
            summary.connections.failures[kind as usize] = 7;
            assert_limit(&summary, Server);
            summary.measure.counters.dropped = 1;
            assert_limit(&summary, limit);
        }
    }

    /// Users whose answers take 100 ms each, so many of them a second.
    fn users(each_second: u64) -> Summary {
        let mut summary = easy(Mode::Closed);
        summary.model = Some(USERS);
        summary.connections.open_peak = 50;
        summary.measure = Fates::default();
        let count = each_second * 10;
        summary.measure.good.record_many(Nanos::from_millis(100), count);
        let counters = &mut summary.measure.counters;
        (counters.scheduled, counters.sent) = (count, count);
        (counters.completed, counters.good) = (count, count);
        summary
    }

    #[test]
    fn users_who_think_are_held_up_by_nobody() {
        // Fifty users, and 100 answers a second that take 100 ms each: ten wait at a time.
        let verdict = Verdict::of(&users(100));
        assert_eq!(verdict.limit, None);
        assert!(verdict.why.contains("of 50 on average 10 waited"), "{}", verdict.why);
        assert_eq!(Verdict::of(&users(490)).limit, Server, "they do nothing but wait");
        let mix = Summary { model: Some("mix"), ..users(100) };
        assert_eq!(Verdict::of(&mix).limit, Server, "whose connections never rest");
        // A ramp to 50 users, who wait all the time.
        let ramp = Stage {
            start: Nanos::ZERO,
            length: Nanos::from_secs(10),
            from: 0.0,
            to: 50.0,
            fates: Fates::default(),
            events: crate::metrics::Events::default(),
        };
        let ramped = Summary { stages: vec![ramp], ..users(245) };
        assert_eq!(Verdict::of(&ramped).limit, Server);
    }

    #[test]
    fn a_rate_of_sessions_is_none_of_requests() {
        let held = Summary { model: Some(SESSIONS), ..easy(Mode::Open) };
        let why = Verdict::of(&held).why;
        assert!(why.contains(" sessions/s was held"), "{why}");
        let behind = Summary { model: Some(SESSIONS), ..behind(Nanos::from_millis(10)) };
        let verdict = Verdict::of(&behind);
        assert_eq!(verdict.limit, Connections, "{}", verdict.why);
    }
}
