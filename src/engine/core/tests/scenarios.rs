//! Mixes, users and sessions under the simulated clock: what is sent, when, and how it is booked.

use super::*;
use crate::http::Request;
use crate::plan::Scenario;
use crate::plan::answer::{Check, Field, Test};
use crate::plan::scenario::{Entry, Exchange, Flow, Mix, Model, Part, Step, Steps, Think};
use crate::plan::template::{Message, Scope};

/// Requests `/0`, `/1`, ... of these parts.
fn scenario(parts: &[Part], model: Model) -> Scenario {
    let scope = Scope {
        tables: &[],
        captures: &[],
        vars: &Default::default(),
        env: &|_| None,
        has_users: model.flow().is_some(),
        has_cookies: false,
    };
    let exchange = |index: usize| {
        let request = Request::new("GET", &format!("/{index}"), "h");
        let message = Message::compile(&request, &[], &scope).expect("a message");
        let name = format!("GET /{index}");
        let (expected, checks, captures) = Default::default();
        Exchange { name, request, message, expected, checks, captures }
    };
    let entry = |(index, part): (usize, &Part)| Entry {
        name: format!("GET /{index}"),
        request: index,
        part: *part,
        weight: 1,
    };
    Scenario {
        requests: (0..parts.len()).map(exchange).collect(),
        entries: parts.iter().enumerate().map(entry).collect(),
        model,
        run_setup: Vec::new(),
        run_teardown: Vec::new(),
        tables: Vec::new(),
        captures: Vec::new(),
        checks: Vec::new(),
        seed: 1,
        has_cookies: false,
        body_limit: 1024,
        request_id: None,
    }
}

fn with(scenario: Scenario, job: Job) -> Job {
    Job { scenario: Some(Arc::new(scenario)), ..job }
}

fn mix(weights: &[u64]) -> Scenario {
    let entries = weights.iter().copied().enumerate().collect();
    scenario(&vec![Part::Main; weights.len()], Model::Mix(Mix { entries, random: false }))
}

fn step(entry: usize) -> Step {
    Step { what: Steps::One(entry), repeat: (1, 1), probability: 1.0, weight: 1, think: Think::Not }
}

fn thinking(entry: usize, from: u64, to: u64) -> Step {
    let think = Think::Uniform(Nanos::from_millis(from), Nanos::from_millis(to));
    Step { think, ..step(entry) }
}

/// Of which entry each request was, in the order they were sent.
fn entries(outcome: &Outcome) -> Vec<usize> {
    let entry = |bytes: &Vec<u8>| {
        let text = std::str::from_utf8(bytes).expect("text");
        text["GET /".len()..].split(' ').next().and_then(|n| n.parse().ok()).expect("a number")
    };
    outcome.delivered.iter().map(entry).collect()
}

fn after(service: Nanos) -> impl FnMut(Nanos) -> Option<Nanos> {
    move |now| Some(now + service)
}

/// By entry: sent, good.
fn booked(outcome: &Outcome) -> Vec<(u64, u64)> {
    let books = |account: &crate::metrics::Account| {
        (account.fates.counters.sent, account.fates.counters.good)
    };
    outcome.totals.by_name.accounts.iter().map(books).collect()
}

#[test]
fn a_mix_has_its_shares_in_any_window_of_the_sum_of_its_weights() {
    for job in [closed_loop(1, 7), open_loop(1_000, 1, 7)] {
        let outcome = against(with(mix(&[10, 3, 2, 2, 1]), job), after(Nanos::from_millis(5)));
        let sent = entries(&outcome);
        assert!(sent.len() >= 1_000, "{}", sent.len());
        for window in sent.windows(18) {
            let mut counts = [0; 5];
            window.iter().for_each(|entry| counts[*entry] += 1);
            assert_eq!(counts, [10, 3, 2, 2, 1]);
        }
        let by_name: u64 = booked(&outcome).iter().map(|(sent, _)| sent).sum();
        assert_eq!(by_name, outcome.measure.counters.sent);
    }
}

#[test]
fn the_users_of_a_scenario_are_those_who_are_there() {
    let steps = vec![thinking(0, 400, 400)];
    let flow = Flow { steps, rounds: Some(3), ..Flow::default() };
    let job = with(scenario(&[Part::Main], Model::Users(flow)), closed_loop(9, 5));
    // A round takes half a second; they are done before measure is over.
    let outcome = against(job, after(Nanos::from_millis(100)));
    assert_eq!(outcome.users, [Some(5), Some(0)]);
    let outcome = against(with(mix(&[1]), closed_loop(2, 5)), after(Nanos::from_millis(30)));
    assert_eq!(
        outcome.users,
        [Some(5), Some(5), Some(0)],
        "a mix has no users but its connections"
    );
    let outcome = against(with(mix(&[1]), open_loop(100, 2, 5)), after(Nanos::from_millis(30)));
    assert_eq!(outcome.users, [None; 3]);
}

#[test]
fn workers_share_a_number_of_requests_so_that_the_shares_are_exact() {
    let mut counts = [0u64; 5];
    let parts = [67, 67, 66];
    for worker in 0..3 {
        let arrivals = Arrivals::Closed { budget: parts[worker] * 9, users: None };
        let budget_before = parts[..worker].iter().sum::<u64>() * 9;
        let job = Job { worker, workers: 3, budget_before, ..job(5, arrivals) };
        // Whoever is not the first waits for the first one's connection.
        job.timeline.open_gate();
        let outcome = against(with(mix(&[10, 3, 2, 2, 1]), job), after(Nanos::from_millis(1)));
        entries(&outcome).into_iter().for_each(|entry| counts[entry] += 1);
    }
    assert_eq!(counts, [1_000, 300, 200, 200, 100]);
}

#[test]
fn what_is_dropped_of_a_mix_has_a_name_as_well() {
    let job = Job { max_in_flight: 2, ..open_loop(100, 1, 4) };
    let outcome = against(with(mix(&[1, 1]), job), after(Nanos::from_secs(3)));
    let accounts = &outcome.totals.by_name.accounts;
    let dropped: Vec<u64> = accounts.iter().map(|a| a.fates.counters.dropped).collect();
    assert_eq!(dropped, [49, 49]);
    assert_eq!(booked(&outcome), [(1, 1), (1, 1)]);
}

#[test]
fn users_who_think_keep_the_law_of_the_closed_loop() {
    let (users, service) = (500, Nanos::from_millis(118));
    let steps = vec![thinking(0, 1_000, 3_000)];
    let model = Model::Users(Flow { steps, ..Flow::default() });
    let outcome =
        against(with(scenario(&[Part::Main], model), closed_loop(60, users)), after(service));
    let expected = f64::from(users) * (60.0 / 2.118 + 0.54);
    let sent = outcome.measure.counters.sent as f64;
    assert!((sent / expected - 1.0).abs() < 0.01, "{sent}, not {expected}");
}

#[test]
fn each_user_sets_up_once_and_takes_down_once_beside_the_headline() {
    let parts = [Part::Setup, Part::Main, Part::Teardown];
    let flow = Flow {
        setup: vec![0],
        steps: vec![thinking(1, 100, 100)],
        teardown: vec![2],
        ..Flow::default()
    };
    let job = with(scenario(&parts, Model::Users(flow)), closed_loop(2, 20));
    let outcome = against(job, after(Nanos::from_millis(10)));
    let sent = entries(&outcome);
    let count = |entry| sent.iter().filter(|sent| **sent == entry).count() as u64;
    assert_eq!((count(0), count(2)), (20, 20));
    assert_eq!(count(1), outcome.measure.counters.sent);
    assert_eq!(outcome.aside.counters.sent, 40);
    assert_eq!(outcome.aside.counters.good, 40);
    let sessions = outcome.totals.by_name.sessions.as_ref().expect("sessions");
    assert_eq!(sessions.cut + sessions.completed, count(1));
}

#[test]
fn users_with_a_number_of_rounds_end_the_run_themselves() {
    let steps = vec![step(0), thinking(1, 50, 60)];
    let model = Model::Users(Flow { steps, rounds: Some(3), ..Flow::default() });
    let outcome = against(
        with(scenario(&[Part::Main; 2], model), closed_loop(3_600, 10)),
        after(Nanos::from_millis(10)),
    );
    assert_eq!(booked(&outcome), [(30, 30), (30, 30)]);
    assert!(outcome.phases.end - outcome.phases.measure < SECOND);
}

#[test]
fn a_budget_of_requests_ends_users_as_well() {
    let model = Model::Users(Flow { steps: vec![thinking(0, 10, 20)], ..Flow::default() });
    let job = job(9, Arrivals::Closed { budget: 100, users: None });
    let outcome = against(with(scenario(&[Part::Main], model), job), after(Nanos::from_millis(1)));
    assert_eq!(outcome.measure.counters.sent, 100);
}

#[test]
fn sessions_arrive_by_the_schedule_and_take_their_steps_behind_one_another() {
    let steps = vec![step(0), thinking(1, 200, 200), step(2)];
    let model = Model::Sessions(Flow { steps, ..Flow::default() });
    let job = with(scenario(&[Part::Main; 3], model), open_loop(10, 10, 50));
    let outcome = against(job, after(Nanos::from_millis(20)));
    let counters = &outcome.measure.counters;
    // A session takes 260 ms: the last two are cut before their third step.
    assert_eq!(booked(&outcome), [(100, 100), (100, 100), (98, 98)]);
    assert_eq!((counters.scheduled, counters.dropped), (298, 0));
    let sessions = outcome.totals.by_name.sessions.as_ref().expect("sessions");
    assert_eq!(sessions.completed, 98);
    assert_eq!(sessions.cut, 2);
    // Each step is due when the one before it is done, or thought about.
    assert_close(outcome.mean(), 20.0);
    // Those of the last 260 ms are there, and in the end nobody is.
    assert_eq!(outcome.users, [[Some(2); 10].as_slice(), &[Some(0)]].concat());
}

#[test]
fn sessions_that_find_nobody_free_wait_and_their_first_step_shows_it() {
    let steps = vec![step(0), step(1)];
    let model = Model::Sessions(Flow { steps, ..Flow::default() });
    let job = with(scenario(&[Part::Main; 2], model), open_loop(10, 10, 1));
    // One at a time takes 200 ms, and they come every 100 ms.
    let outcome = against(job, after(Nanos::from_millis(100)));
    let counters = &outcome.measure.counters;
    assert_eq!(booked(&outcome)[0].0, 100, "the drain sends what was due");
    let sessions = outcome.totals.by_name.sessions.as_ref().expect("sessions");
    assert_eq!(sessions.started(), 100);
    assert_eq!(sessions.completed, booked(&outcome)[1].0);
    assert_eq!(counters.scheduled, counters.sent + counters.dropped);
    let first = &outcome.totals.by_name.accounts[0].fates.good;
    assert!(first.max() > Nanos::from_secs(4), "{:?}", first.max());
    let second = &outcome.totals.by_name.accounts[1].fates.good;
    assert_eq!(second.max().as_micros_f64().round() as u64 / 1_000, 100);
    let sessions = outcome.totals.by_name.sessions.as_ref().expect("sessions");
    assert_eq!(sessions.started(), 100, "those that begin in the drain were due before it");
}

#[test]
fn a_user_whose_connection_breaks_goes_on_with_a_new_one() {
    let steps = vec![step(0), thinking(1, 300, 500)];
    let model = Model::Users(Flow { steps, ..Flow::default() });
    let job = with(scenario(&[Part::Main; 2], model), closed_loop(5, 20));
    let is_up = |now: Nanos| now.0 >= 1 << 62 || !(2 * SECOND.0..3 * SECOND.0).contains(&now.0);
    let outcome = simulate(job, after(Nanos::from_millis(10)), move |now, _| is_up(now)).audited();
    let counters = &outcome.measure.counters;
    assert!(counters.failed() > 0 && counters.good > 200, "{counters:?}");
    assert_eq!(counters.sent, counters.good + counters.failed());
}

#[test]
fn what_is_kept_of_an_answer_is_what_its_own_request_needs_on_a_new_connection_too() {
    let any_body = Test::regex("x*").expect("a regular expression");
    let counted = Test::header("Content-Length", Field::Exists).expect("a name");
    let model = Model::Users(Flow { steps: vec![step(0), step(1)], ..Flow::default() });
    let mut scenario = scenario(&[Part::Main; 2], model);
    scenario.requests[0].checks = vec![Check::new("of the body", 0, any_body)];
    scenario.requests[1].checks = vec![Check::new("of the head", 1, counted)];
    scenario.checks = vec!["of the body".into(), "of the head".into()];
    let job = Job { per_connection: Some(1), ..with(scenario, closed_loop(1, 2)) };
    let outcome = against(job, after(Nanos::from_millis(100)));
    let counters = &outcome.measure.counters;
    assert_eq!((counters.good, counters.sent), (20, 20), "{counters:?}");
}

#[test]
fn users_come_and_go_with_the_level_and_take_themselves_down() {
    let parts = [Part::Setup, Part::Main, Part::Teardown];
    let flow = Flow {
        setup: vec![0],
        steps: vec![thinking(1, 50, 50)],
        teardown: vec![2],
        ..Flow::default()
    };
    let shape = Shape::to_levels(0, &[(SECOND, 10), (SECOND, 10), (SECOND, 0)]).unwrap();
    let duration = Some(shape.length());
    let arrivals = Arrivals::Closed { budget: u64::MAX, users: Some(shape) };
    let job = with(scenario(&parts, Model::Users(flow)), Job { duration, ..job(10, arrivals) });
    let outcome = against(job, after(Nanos::from_millis(10)));
    let sent = entries(&outcome);
    let count = |entry| sent.iter().filter(|sent| **sent == entry).count();
    assert_eq!((count(0), count(2)), (10, 10));
}

fn flow(setup: &[usize], steps: Vec<Step>, teardown: &[usize]) -> Flow {
    Flow { setup: setup.to_vec(), steps, teardown: teardown.to_vec(), ..Flow::default() }
}

#[test]
fn what_is_kept_of_an_answer_is_what_its_own_request_needs() {
    let mut scenario =
        scenario(&[Part::Main; 2], Model::Users(flow(&[], vec![step(1), step(0)], &[])));
    let test = [Test::regex(".*"), Test::header("Content-Length", Field::Equals("0".into()))];
    for (index, (test, exchange)) in test.into_iter().zip(&mut scenario.requests).enumerate() {
        exchange.checks.push(Check::new(format!("{index}"), index, test.expect("a test")));
        scenario.checks.push(format!("{index}"));
    }
    let outcome = against(with(scenario, closed_loop(1, 3)), after(Nanos::from_millis(100)));
    assert_eq!(outcome.totals.by_name.checks[1].1, 0, "the field is there each time");
    assert_eq!(outcome.measure.counters.rejected(), 0);
}

#[test]
fn thinking_for_no_time_is_nothing_to_do() {
    let never = Step { probability: 0.0, ..step(0) };
    let think = Think::Constant(Nanos::ZERO);
    let idle = Step { what: Steps::Group(vec![never]), think, ..step(0) };
    let job =
        with(scenario(&[Part::Main], Model::Users(flow(&[], vec![idle], &[]))), closed_loop(1, 1));
    let outcome = against(job, after(Nanos::from_millis(20)));
    assert_eq!(outcome.measure.counters.sent, 0);
}

#[test]
fn the_first_request_of_a_session_counts_where_its_arrival_does() {
    let steps = vec![step(1), thinking(2, 300, 300), step(1)];
    let model = Model::Sessions(flow(&[0], steps, &[]));
    let scenario = scenario(&[Part::Setup, Part::Main, Part::Main], model);
    let levels = [(SECOND, 10), (SECOND, 20), (SECOND, 20)];
    let shape = Shape::to_levels(10, &levels).unwrap();
    for connections in [3, 200] {
        let offered = Offered::shaped(shape.clone(), SECOND, Law::Uniform).unwrap();
        let schedule = Schedule::new(&offered, Warmup::For(SECOND), None, None);
        let stage_ends = shape.stages().iter().map(|stage| stage.end()).collect();
        let job = job(connections, Arrivals::Open(schedule));
        let job = Job { stage_ends, warmup: Warmup::For(SECOND), ..job };
        let outcome = against(with(scenario.clone(), job), after(Nanos::from_millis(130)));
        let warmup = &outcome.warmup.counters;
        assert_eq!(warmup.scheduled, warmup.sent + warmup.dropped);
        for stage in &outcome.totals.stages {
            let counters = &stage.counters;
            assert_eq!(counters.scheduled, counters.sent + counters.dropped);
        }
    }
}

#[test]
fn a_session_whose_last_answer_comes_in_the_drain_has_taken_all_of_its_steps() {
    let job = with(
        scenario(&[Part::Main], Model::Sessions(flow(&[], vec![step(0)], &[]))),
        open_loop(10, 1, 1),
    );
    // Four of ten are sent in the drain.
    let outcome = against(job, after(Nanos::from_millis(150)));
    let sessions = outcome.totals.by_name.sessions.as_ref().expect("sessions");
    assert_eq!((sessions.completed, sessions.failed, sessions.cut), (10, 0, 0));
    assert_eq!(sessions.completed_in.max(), outcome.measure.good.max());
}

#[test]
fn a_round_of_which_nothing_was_sent_is_none_that_was_cut() {
    for service in [100, 170] {
        let model = Model::Users(flow(&[], vec![step(0)], &[]));
        let job = with(scenario(&[Part::Main], model), closed_loop(1, 5));
        let outcome = against(job, after(Nanos::from_millis(service)));
        let sessions = outcome.totals.by_name.sessions.as_ref().expect("sessions");
        assert_eq!(sessions.cut, 0, "each answer comes, and is all there is of a round");
        assert_eq!(sessions.completed, outcome.measure.counters.sent);
    }
}

#[test]
fn who_needs_a_new_connection_for_each_request_is_done_with_the_answer_and_thinks_from_then_on() {
    let steps = vec![step(0), thinking(1, 100, 100), step(0)];
    let parts = [Part::Main; 2];
    for is_session in [false, true] {
        let flow = Flow { rounds: (!is_session).then_some(2), ..flow(&[], steps.clone(), &[]) };
        let (model, job) = match is_session {
            true => (Model::Sessions(flow), open_loop(1, 3, 10)),
            false => (Model::Users(flow), closed_loop(3_600, 10)),
        };
        let job = Job { per_connection: Some(1), ..with(scenario(&parts, model), job) };
        let outcome = against(job, after(Nanos::from_millis(20)));
        let sessions = outcome.totals.by_name.sessions.as_ref().expect("sessions");
        // Three answers and a thought; one connect before the second request, and the one before
        // the third is made while the user thinks.
        let length = sessions.completed_in.max();
        let expected = Nanos::from_micros(20 * 3_000 + 100_000 + 50);
        assert!(length <= expected + Nanos::from_micros(200), "{length:?}");
        assert_eq!(sessions.cut, 0);
        assert_eq!(outcome.measure.counters.sent, outcome.measure.counters.good);
    }
}

#[test]
fn who_was_sent_away_and_is_wanted_again_comes_again() {
    let parts = [Part::Setup, Part::Main, Part::Teardown];
    let flow = flow(&[0], vec![thinking(1, 20, 20)], &[2]);
    // Down and up again while the teardown is on its way.
    let step = Nanos::from_millis(10);
    let levels = [(SECOND, 10), (step, 5), (step, 10), (SECOND, 10)];
    let shape = Shape::to_levels(10, &levels).unwrap();
    let duration = Some(shape.length());
    let arrivals = Arrivals::Closed { budget: u64::MAX, users: Some(shape) };
    let job = with(scenario(&parts, Model::Users(flow)), Job { duration, ..job(10, arrivals) });
    let outcome = against(job, after(Nanos::from_millis(60)));
    let sent = entries(&outcome);
    let count = |entry| sent.iter().filter(|sent| **sent == entry).count();
    assert!(count(0) > 10, "some were sent away: {}", count(0));
    assert_eq!(count(0), count(2));
    assert!(count(1) as f64 > 0.9 * 10.0 * 2.0 / 0.08, "{}", count(1));
}

/// Over three seconds, from 10 a second to 20.
fn sessions_in_stages(parts: &[Part], flow: Flow) -> Job {
    let shape = Shape::to_levels(10, &[(SECOND, 10), (SECOND, 20), (SECOND, 20)]).unwrap();
    let job = Job { drain: SECOND, ..shaped(shape, Law::Uniform, 200) };
    with(scenario(parts, Model::Sessions(flow)), job)
}

#[test]
fn sessions_that_never_came_to_their_first_request_are_dropped() {
    let job = sessions_in_stages(&[Part::Setup, Part::Main], flow(&[0], vec![step(1)], &[]));
    // From the middle of the second stage on, nobody is set up.
    let until = Nanos::from_millis(1_500);
    let server = move |now| (now < until).then_some(now + Nanos::from_millis(20));
    let outcome = against(job, server);
    let counters = &outcome.measure.counters;
    assert_eq!((counters.scheduled, counters.sent + counters.dropped), (45, 45));
    assert!(counters.dropped > 20, "{}", counters.dropped);
    assert_eq!(outcome.aside.counters.abandoned, counters.dropped);
    assert_eq!(outcome.totals.by_name.accounts[1].fates.counters.dropped, counters.dropped);
}

#[test]
fn sessions_that_have_nothing_to_send_are_due_in_no_stage() {
    let steps = vec![Step { probability: 0.5, ..step(0) }];
    let outcome = against(
        sessions_in_stages(&[Part::Main], flow(&[], steps, &[])),
        after(Nanos::from_millis(20)),
    );
    let counters = &outcome.measure.counters;
    assert!((10..35).contains(&counters.sent), "{}", counters.sent);
    assert_eq!((counters.scheduled, counters.dropped), (counters.sent, 0));
}

#[test]
fn behind_a_large_request_in_a_pipeline_each_write_is_waited_for() {
    let confirmed = |pipeline, length| {
        let mut scenario = mix(&[1, 1]);
        let exchange = &mut scenario.requests[1];
        exchange.request.set_header("X", &"x".repeat(length)).expect("a field");
        let scope = Scope {
            tables: &[],
            captures: &[],
            vars: &Default::default(),
            env: &|_| None,
            has_users: false,
            has_cookies: false,
        };
        exchange.message = Message::compile(&exchange.request, &[], &scope).expect("a message");
        let job = with(scenario, Job { pipeline, ..closed_loop(1, 1) });
        let mut script = Script::of(&job).expect("a script");
        [0, 1].map(|entry| script.make(0, usize::from(entry), entry).confirmed)
    };
    assert_eq!(confirmed(1, 100), [false, false]);
    assert_eq!(confirmed(1, 20_000), [false, true]);
    assert_eq!(confirmed(4, 100), [false, false]);
    assert_eq!(confirmed(4, 5_000), [true, true]);
}

/// Any flow or mix, against a server that is slow, silent or gone at times.
fn any(seed: u64) -> Outcome {
    let mut dice = crate::dice::Dice::of(seed, 7, 0);
    let parts = [Part::Setup, Part::Main, Part::Main, Part::Main, Part::Teardown];
    let any_step = |dice: &mut crate::dice::Dice| {
        let most = dice.below(3) * 100;
        let think = Think::Uniform(Nanos::ZERO, Nanos::from_millis(most));
        let probability = [1.0, 1.0, 0.5, 0.0][dice.below(4) as usize];
        Step { think, probability, ..step(1 + dice.below(3) as usize) }
    };
    let flow = Flow {
        setup: if dice.below(2) == 0 { vec![0] } else { Vec::new() },
        steps: (0..=dice.below(4)).map(|_| any_step(&mut dice)).collect(),
        teardown: if dice.below(2) == 0 { vec![4] } else { Vec::new() },
        weighted: dice.below(4) == 0,
        rounds: (dice.below(4) == 0).then(|| 1 + dice.below(5)),
    };
    let connections = 1 + dice.below(20) as u32;
    let entries = vec![(1, 3), (2, 2), (3, 1)];
    let (model, is_open) = match dice.below(4) {
        0 => (Model::Mix(Mix { entries, random: false }), false),
        1 => (Model::Mix(Mix { entries, random: true }), true),
        2 => (Model::Users(flow), false),
        _ => (Model::Sessions(flow), true),
    };
    let warmup = Warmup::For(Nanos::from_millis(dice.below(3) * 400));
    let is_mix = matches!(model, Model::Mix(_));
    let job = if is_open {
        let rate = 20 + dice.below(100);
        let shape = Shape::to_levels(rate, &[(SECOND, rate), (SECOND, 2 * rate)]).unwrap();
        let offered = Offered::shaped(shape.clone(), SECOND, Law::Uniform).unwrap();
        let schedule = Schedule::new(&offered, warmup, None, None);
        let stage_ends = shape.stages().iter().map(|stage| stage.end()).collect();
        Job {
            stage_ends,
            max_in_flight: if dice.below(4) == 0 { 5 } else { u64::MAX },
            deadline: (dice.below(4) == 0).then(|| Nanos::from_millis(200)),
            ..job(connections, Arrivals::Open(schedule))
        }
    } else {
        let budget = if dice.below(3) == 0 { 1 + dice.below(300) } else { u64::MAX };
        Job {
            duration: Some(SECOND + SECOND),
            ..job(connections, Arrivals::Closed { budget, users: None })
        }
    };
    let job = Job {
        warmup,
        pipeline: if is_mix { 1 + dice.below(3) as u32 } else { 1 },
        per_connection: (dice.below(3) == 0).then(|| 1 + dice.below(3)),
        timeout: Nanos::from_millis(300),
        drain: Nanos::from_millis(dice.below(3) * 400),
        ..job
    };
    let (silent, down) = (dice.below(10), dice.below(3_000));
    let mut luck = dice.clone();
    let server = move |now: Nanos| {
        let service = Nanos::from_millis(1 + luck.below(40));
        (luck.below(100) >= silent).then_some(now + service)
    };
    let down = Nanos::from_millis(down)..Nanos::from_millis(down + 200);
    // Before the load the difference is zero.
    let listens = move |now: Nanos, _| now == Nanos::ZERO || !down.contains(&now);
    simulate(with(scenario(&parts, model), job), server, listens).audited()
}

#[test]
fn the_books_of_any_scenario_are_closed() {
    let mut sent = 0;
    for seed in 0..60 {
        let outcome =
            std::panic::catch_unwind(|| any(seed)).unwrap_or_else(|_| panic!("seed {seed}"));
        let warmup = &outcome.warmup.counters;
        assert_eq!(warmup.scheduled, warmup.sent + warmup.dropped, "seed {seed}");
        sent += outcome.measure.counters.sent;
        let accounts = &outcome.totals.by_name.accounts;
        let sum = |of: fn(&Fates) -> u64| accounts.iter().map(|a| of(&a.fates)).sum::<u64>();
        let both = |of: fn(&Fates) -> u64| of(&outcome.measure) + of(&outcome.aside);
        for of in [
            |f: &Fates| f.counters.sent + f.counters.dropped,
            |f: &Fates| f.good.count(),
            |f: &Fates| f.censored.count(),
        ] {
            assert_eq!(sum(of), both(of), "seed {seed}");
        }
        for stage in &outcome.totals.stages {
            let counters = &stage.counters;
            assert_eq!(counters.scheduled, counters.sent + counters.dropped, "seed {seed}");
        }
    }
    assert!(sent > 5_000, "{sent}");
}
