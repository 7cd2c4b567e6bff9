//! Each limit, by figures made up for it.

use super::super::{Client, Fates, Gauges, Histogram, Label, Unit, Worker, fixture, summary};
use super::*;

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
    for (kind, limit) in [(Kind::PortsExhausted, Ports), (Kind::DescriptorsExhausted, Descriptors)]
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
        held: Nanos::ZERO,
        fates: Fates::default(),
        events: crate::metrics::Events::default(),
    };
    let ramped = Summary { stages: vec![ramp.clone()], ..users(245) };
    assert_eq!(Verdict::of(&ramped).limit, Server);
    // The same in two seconds, and held for eight: 45 users on average, of whom 25 wait.
    let held = Stage { held: Nanos::from_secs(8), ..ramp };
    let verdict = Verdict::of(&Summary { stages: vec![held], ..users(245) });
    assert_eq!(verdict.limit, None);
    assert!(verdict.why.contains("of 45 on average"), "{}", verdict.why);
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

/// Ten readings of each gauge, all alike.
fn reading(readings: &[(&str, f64)]) -> Gauges {
    let labels = readings.iter().map(|(name, _)| Label::new(*name, Unit::Percent)).collect();
    let mut gauges = Gauges::new(Nanos::from_secs(1), labels);
    let row: Vec<_> = readings.iter().map(|(_, value)| Some(*value)).collect();
    (1..=10).for_each(|second| gauges.push(Nanos::from_secs(second), &row));
    gauges
}

fn read(readings: &[(&str, f64)], summary: Summary) -> Summary {
    Summary { gauges: Some(reading(readings)), ..summary }
}

#[test]
fn too_few_connections_are_told_by_their_arithmetic_and_how_many_would_do() {
    let mut summary = behind(Nanos::from_micros(1_400));
    summary.measure.unwaited = Default::default();
    summary.measure.unwaited.record(Nanos::from_millis(1));
    (summary.connections.asked, summary.target_per_s) = (256, Some(200_000.0));
    let verdict = Verdict::of(&summary);
    assert_eq!(verdict.limit, Connections);
    let why = "256 in flight at 1.40 ms can carry 183k/s at most";
    assert!(verdict.why.starts_with(why), "{}", verdict.why);
    assert_eq!(verdict.change, "raise --connections to 560");
}

#[test]
fn a_server_whose_processes_were_watched_is_told_by_what_they_used() {
    let behind = || behind(Nanos::from_millis(30));
    let full = [("server.cpu", 99.0), ("server.core_max", 98.6), ("host.cpu", 40.0)];
    let verdict = Verdict::of(&read(&full, behind()));
    assert_eq!(verdict.limit, Server);
    let used = "its processes used 99 % of one core, its busiest thread 99 %";
    assert!(verdict.why.ends_with(used), "{}", verdict.why);
    assert!(verdict.change.contains("more worker processes"), "{}", verdict.change);
    for (readings, change) in [
        (&[("server.cpu", 12.0), ("host.cpu", 40.0)][..], "processor time to spare"),
        (&[("server.cpu", 390.0), ("host.cpu", 99.0)], "all processors of this host"),
        (&[("server.cpu", 190.0), ("host.cpu", 60.0)], "look at the server"),
        (&[], "look at the server"),
    ] {
        let verdict = Verdict::of(&read(readings, behind()));
        assert!(verdict.change.contains(change), "{readings:?}: {}", verdict.change);
    }
    let closed = Verdict::of(&read(&full, easy(Mode::Closed)));
    assert!(closed.why.ends_with(used), "{}", closed.why);
}

#[test]
fn a_server_without_a_processor_to_spare_is_not_taken_for_too_few_connections() {
    // No slower for those that waited: it was as slow for those that did not.
    let full = [("server.cpu", 99.0), ("server.core_max", 98.0), ("host.cpu", 60.0)];
    assert_limit(&read(&full, behind_on_few()), Server);
    let beside_others = [("server.cpu", 46.0), ("server.core_max", 46.0), ("host.cpu", 100.0)];
    assert_limit(&read(&beside_others, behind_on_few()), Server);
    let waits = [("server.cpu", 6.0), ("server.core_max", 6.0), ("host.cpu", 100.0)];
    assert_limit(&read(&waits, behind_on_few()), Connections);
    assert_limit(&behind_on_few(), Connections);
}

/// Two connections at 10 ms, for 1,000 a second.
fn behind_on_few() -> Summary {
    let mut summary = behind(Nanos::from_millis(10));
    summary.measure.unwaited = Default::default();
    summary.measure.unwaited.record(Nanos::from_millis(10));
    summary.connections.asked = 2;
    summary
}

#[test]
fn a_closed_loop_of_a_few_milliseconds_blames_nobody() {
    let mut short = easy(Mode::Closed);
    short.measured = Nanos::from_millis(3);
    short.client.workers[0].cpu_time = Nanos::from_millis(9_900);
    let verdict = Verdict::of(&short);
    assert_eq!(verdict.limit, None);
    assert!(verdict.why.contains("over after 3 ms, too soon to tell"), "{}", verdict.why);
    assert!(verdict.change.contains("more requests"), "{}", verdict.change);
    short.measured = own::TELLING;
    assert_limit(&short, ClientCpu);
}

#[test]
fn what_others_on_this_host_sent_again_is_weighed_by_all_that_it_sent() {
    let loaded = [("host.retransmits", 30.0), ("host.segments_sent", 50_000.0)];
    assert_limit(&read(&loaded, easy(Mode::Closed)), Server);
    let lossy = [("host.retransmits", 30.0), ("host.segments_sent", 2_000.0)];
    assert_limit(&read(&lossy, easy(Mode::Closed)), Network);
    // Nine in ten seconds, of a load of ten a second.
    let mut small = read(&[("host.retransmits", 0.9)], easy(Mode::Closed));
    (small.measure_events.sent, small.measure_events.bytes_received) = (100, 0);
    small.measure_events.bytes_sent = 0;
    assert_limit(&small, Server);
}

#[test]
fn packets_sent_again_are_the_networks_only_where_they_are_many_and_the_rate_was_not_held() {
    // 1,000 requests a second, each one segment.
    let at = |per_s| [("host.retransmits", per_s)];
    for (per_s, limit) in [(9.0, Server), (11.0, Network)] {
        assert_limit(&read(&at(per_s), behind(Nanos::from_millis(30))), limit);
        assert_limit(&read(&at(per_s), easy(Mode::Closed)), limit);
    }
    assert_limit(&read(&at(11.0), easy(Mode::Open)), None);
    // Large answers are many segments.
    let mut large = read(&at(11.0), easy(Mode::Closed));
    large.measure_events.bytes_received = 10_000 * 14_480;
    assert_limit(&large, Server);
    // blast suspects itself first.
    let mut busy = read(&at(11.0), easy(Mode::Closed));
    busy.client.workers[0].cpu_time = Nanos::from_millis(9_600);
    assert_limit(&busy, ClientCpu);
}

#[test]
fn a_network_card_at_its_speed_is_the_networks_limit() {
    for (used, limit) in [(80.0, Server), (94.0, Network)] {
        let verdict = Verdict::of(&read(&[("host.net_use", used)], easy(Mode::Closed)));
        assert_eq!(verdict.limit, limit, "{}", verdict.why);
    }
}

#[test]
fn requests_that_no_connection_could_be_opened_for_are_the_networks_where_it_was_the_cause() {
    for (kind, limit) in [
        (Kind::NetworkUnreachable, Network),
        (Kind::HostUnreachable, Network),
        (Kind::ConnectRefused, Server),
    ] {
        for mode in [Mode::Open, Mode::Closed] {
            let mut summary = easy(mode);
            let counters = &mut summary.measure.counters;
            (counters.good, counters.completed, counters.on_schedule) = (5_000, 5_000, 5_000);
            counters.failures[Kind::Timeout as usize] = 20;
            match mode {
                Mode::Open => counters.dropped = 4_980,
                Mode::Closed => counters.scheduled = 5_100,
            }
            summary.connections.failures[kind as usize] = 300;
            assert_limit(&summary, limit);
        }
    }
    // One that is lost among thousands does not make the network the limit.
    let mut summary = behind(Nanos::from_millis(30));
    summary.measure.counters.failures[Kind::ReceiveFailed as usize] = 1;
    assert_limit(&summary, Server);
}

#[test]
fn answers_that_pile_up_before_a_worker_that_hardly_rests_are_blasts_limit() {
    let piled = |busy_ms, per_enter: u64, connections| {
        let mut summary = easy(Mode::Closed);
        let worker = &mut summary.client.workers[0];
        (worker.cpu_time, worker.connections) = (Nanos::from_millis(busy_ms), connections);
        (worker.enters, worker.completions) = (1_000, per_enter * 1_000);
        summary
    };
    let verdict = Verdict::of(&piled(9_000, 40, 64));
    assert_eq!(verdict.limit, ClientCpu, "{}", verdict.why);
    assert!(verdict.why.starts_with("40 answers at a time"), "{}", verdict.why);
    assert_limit(&piled(8_000, 40, 64), Server);
    assert_limit(&piled(9_000, 20, 64), Server);
    assert_limit(&piled(9_000, 2, 2), Server);
    assert_limit(&piled(9_000, 0, 64), Server);
}

#[test]
fn a_closed_loop_that_stood_still_with_blast_is_no_measurement_of_the_server() {
    let mut summary = easy(Mode::Closed);
    let pause = |at, length| crate::metrics::Pause {
        at: Nanos::from_millis(at),
        length: Nanos::from_millis(length),
    };
    summary.client.pauses = vec![pause(1_000, 300)];
    assert_limit(&summary, Server);
    // Half of the last one lies past the end of measure.
    summary.client.pauses.push(pause(9_700, 600));
    let verdict = Verdict::of(&summary);
    assert_eq!(verdict.limit, ClientCpu);
    assert!(verdict.why.contains("6.0 % of the time"), "{}", verdict.why);
    assert!(verdict.change.contains("do not stop blast"), "{}", verdict.change);
}

#[test]
fn the_evidence_is_every_figure_that_is_known() {
    let names = |summary: &Summary| {
        let evidence = Verdict::of(summary).evidence;
        evidence.iter().map(|one| one.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&easy(Mode::Closed)), ["worker_busy", "late_p99", "in_flight"]);
    let mut all = read(
        &[
            ("host.retransmits", 2.0),
            ("host.net_use", 3.0),
            ("host.cpu", 40.0),
            ("server.cpu", 50.0),
            ("server.core_max", 45.0),
        ],
        easy(Mode::Open),
    );
    all.connections.failures[Kind::PortsExhausted as usize] = 4;
    let worker = &mut all.client.workers[0];
    (worker.enters, worker.completions, worker.connections) = (1_000, 10_000, 20);
    assert_eq!(
        names(&all),
        [
            "worker_busy",
            "late_p99",
            "in_flight",
            "completion_backlog",
            "ports_exhausted",
            "retransmits",
            "net_use",
            "host_cpu",
            "server_cpu",
            "server_core_max"
        ]
    );
    let verdict = Verdict::of(&all);
    let value = |name| verdict.evidence.iter().find(|one| one.name == name).unwrap().value;
    assert_eq!(value("worker_busy"), 0.5);
    // 1,000/s at a millisecond are one on its way: over 20 connections.
    assert!((value("completion_backlog") - 0.5).abs() < 1e-9);
    assert!((value("retransmits") - 0.002).abs() < 1e-9);
    let mut closed = easy(Mode::Closed);
    closed.measure.late = Histogram::default();
    let evidence = Verdict::of(&closed).evidence;
    assert!((evidence[1].value - 0.05).abs() < 1e-3, "{evidence:?}");
}
