//! The steps of a user: how long it thinks in between, how often it does what, and in which order.
//!
//! Times are taken where a request arrives. One that is noted late makes the gap before it longer
//! and the one behind it shorter: the server's thread has a core within [`LATE`] but when the
//! machine is busy, so that bounds hold for all but a twentieth.

use std::thread;
use std::time::Duration;

use super::{Call, Script, Witness, by_connection, count};
use crate::support::{each_engine, each_engine_alone, ok, ring_alone};

const SERVICE: Duration = Duration::from_millis(20);
const LATE: f64 = 0.003;

/// Users that make twelve rounds each, thinking so behind each request: the times they thought,
/// ascending, in seconds.
fn thoughts(engine: &str, think: &str, users: u32) -> Vec<f64> {
    let plan = format!("[session]\nthink = \"{think}\"\nrounds = 12\n[[requests]]\n");
    let witness = Witness::serving(|peer, _| {
        thread::sleep(SERVICE);
        peer.write(ok());
    });
    let words = format!("-c {users} -t 1 --seed 11");
    let document = Script::new(&plan).play(engine, &witness, &words);
    assert_eq!(document.fates(["good"]), [u64::from(users) * 12]);
    let gap = |pair: &[Call]| (pair[1].at - pair[0].at - SERVICE).as_secs_f64();
    let users = by_connection(&witness.take());
    let mut gaps: Vec<f64> = users.iter().flat_map(|calls| calls.windows(2).map(gap)).collect();
    gaps.sort_by(f64::total_cmp);
    gaps
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// All but a twentieth of them, at both ends together, lie there.
#[track_caller]
fn lie_within(values: &[f64], least: f64, most: f64) {
    let outside = values.iter().filter(|value| !(least - LATE..=most + LATE).contains(*value));
    assert!(outside.count() * 20 <= values.len(), "{values:?}");
}

#[test]
fn a_constant_thought_takes_its_time_behind_each_answer() {
    ring_alone(|engine| {
        let gaps = thoughts(engine, "60ms", 5);
        assert_eq!(gaps.len(), 55);
        lie_within(&gaps, 0.06, 0.06);
    });
}

/// Of 110 thoughts: the mean has a standard deviation of 29 ms / sqrt(110) = 2.8 ms.
#[test]
fn an_even_thought_keeps_its_bounds_and_its_mean() {
    ring_alone(|engine| {
        let gaps = thoughts(engine, "20ms..120ms", 10);
        lie_within(&gaps, 0.02, 0.12);
        assert!((mean(&gaps) - 0.07).abs() < 4.0 * 0.0028 + LATE, "{}", mean(&gaps));
        assert!(gaps[5] < 0.04 && gaps[gaps.len() - 6] > 0.1, "{gaps:?}");
    });
}

/// Of 330 thoughts: the mean has a standard deviation of 50 ms / sqrt(330) = 2.8 ms, and the share
/// of those that are twice as long, e^-2, one of 1.9 %.
#[test]
fn an_exponential_thought_has_its_mean_and_its_tail() {
    ring_alone(|engine| {
        let gaps = thoughts(engine, "exp 50ms", 30);
        assert!((mean(&gaps) - 0.05).abs() < 4.0 * 0.0028 + LATE, "{}", mean(&gaps));
        let long = gaps.iter().filter(|gap| **gap > 0.1).count() as f64 / gaps.len() as f64;
        assert!((long - 0.135).abs() < 4.0 * 0.019, "{long}");
    });
}

/// X = N / (Z + R), with R as it was measured: 40 users, a thought of 75 ms on average. That all
/// begin with a request at once adds half of a round to each. The mean of 40 x 9 thoughts has a
/// standard deviation of 1 %; four of them, and two for a machine that wakes users late.
#[test]
fn users_who_think_send_as_often_as_the_law_says() {
    each_engine_alone(|engine| {
        let plan = "[session]\nthink = \"50ms..100ms\"\n[[requests]]\n";
        let witness = Witness::serving(|peer, _| {
            thread::sleep(SERVICE);
            peer.write(ok());
        });
        let document = Script::new(plan).play(engine, &witness, "-c 40 -t 2 -d 950ms");
        let service = document.number("latency.service.mean_us") / 1e6;
        assert!(service >= SERVICE.as_secs_f64(), "{service}");
        let expected = 40.0 * (0.95 / (0.075 + service) + 0.5);
        let sent = document.number("requests.sent");
        assert!((sent / expected - 1.0).abs() < 0.06, "{sent} of {expected}");
        document.agrees_with(witness.take().len() as u64);
    });
}

const LOOPS: &str = r#"
[[requests]]
path = "/l"
[[requests]]
path = "/s"
[[requests]]
path = "/o"
[[requests]]
path = "/g"
[[requests]]
path = "/h"
[[requests]]
path = "/x"
[[requests]]
path = "/y"
[session]
rounds = 100
steps = [
  "GET /l",
  { request = "GET /s", repeat = 3 },
  { request = "GET /o", probability = 0.5 },
  { repeat = "1..3", steps = [ "GET /g", { request = "GET /h", repeat = 2 } ] },
  { one_of = [ { request = "GET /x", weight = 3 }, { steps = ["GET /y", "GET /y"] } ] },
]
"#;

/// What one round may be, taken off the front: whether it went by `/o`, its turns of the group,
/// and whether it ended with `/x`.
#[track_caller]
fn round(rest: &str) -> (bool, u64, bool, &str) {
    let rest = rest.strip_prefix("lsss").unwrap_or_else(|| panic!("{rest}"));
    let (optional, mut rest) = rest.strip_prefix('o').map_or((false, rest), |rest| (true, rest));
    let mut turns = 0;
    while let Some(behind) = rest.strip_prefix("ghh") {
        (turns, rest) = (turns + 1, behind);
    }
    assert!((1..=3).contains(&turns), "{turns} turns before {rest}");
    match (rest.strip_prefix('x'), rest.strip_prefix("yy")) {
        (Some(rest), _) => (optional, turns, true, rest),
        (_, Some(rest)) => (optional, turns, false, rest),
        _ => panic!("no choice at {rest}"),
    }
}

/// Four standard deviations of 300 rounds: of the optional step (1/2) 35, of the turns (mean 2,
/// variance 2/3) 57, of the choice (3/4) 30.
#[test]
fn loops_chance_and_choice_keep_to_their_numbers_in_each_round() {
    each_engine(|engine| {
        let (script, witness) = (Script::new(LOOPS), Witness::new());
        let document = script.play(engine, &witness, "-c 3 -t 2 --seed 4");
        let users = by_connection(&witness.take());
        assert_eq!(users.len(), 3);
        let (mut rounds, mut options, mut turns, mut choices) = (0, 0, 0, 0);
        for calls in users {
            let text: String = calls.iter().map(|call| &call.target()[1..]).collect();
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (optional, turn, choice, behind) = round(rest);
                (rounds, rest, turns) = (rounds + 1, behind, turns + turn);
                (options, choices) = (options + u32::from(optional), choices + u32::from(choice));
            }
        }
        assert_eq!(rounds, 300);
        assert!((115..=185).contains(&options), "{options}");
        assert!((543..=657).contains(&turns), "{turns}");
        assert!((195..=255).contains(&choices), "{choices}");
        assert_eq!(document.count("sessions.completed"), 300);
        assert_eq!(document.sent("GET /g"), turns);
    });
}

/// Four standard deviations of 800 at 5/8 are 55, at 1/4 49, at 1/8 37.
#[test]
fn weighted_steps_come_by_their_weights() {
    each_engine(|engine| {
        let plan = "[session]\norder = \"weighted\"\n[[requests]]\npath = \"/a\"\nweight = 5\n\
                    [[requests]]\npath = \"/b\"\nweight = 2\n[[requests]]\npath = \"/c\"\n";
        let (script, witness) = (Script::new(plan), Witness::new());
        script.play(engine, &witness, "-c 4 -t 2 -n 800 --seed 9");
        let calls = witness.take();
        assert_eq!(calls.len(), 800);
        for (target, expected, off) in [("/a", 500, 55), ("/b", 200, 49), ("/c", 100, 37)] {
            let found = count(&calls, target);
            assert!(found.abs_diff(expected) <= off, "{target}: {found}, not {expected}");
        }
    });
}
