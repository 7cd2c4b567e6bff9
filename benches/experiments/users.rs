//! E6b: users who think. N of them, each away for Z between two requests that take R, send
//! N (T / (Z + R) + 0.54) requests in T where Z is uniform from 1 to 3 s and all begin at once; over
//! a ramp it is the integral of N(t) / (Z + R).

use crate::lab::{Lab, Outcome};
use crate::table::Row;

/// The ready plans of a gateway and of a hospital.
pub fn think(lab: &Lab) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for (plan, users, seconds) in [
        ("gateway-50", 50.0, 60.0),
        ("gateway-100", 100.0, 120.0),
        ("gateway-1000", 1000.0, 120.0),
        ("gateway-5000", 5000.0, 120.0),
    ] {
        let speed = lab.pick(1, 6);
        let length = seconds / f64::from(speed);
        rows.extend(count(lab, plan, "118ms", speed, |r| users * (length / (2.0 + r) + 0.54))?);
    }
    let speed = lab.pick(1, 20);
    let user_seconds = 39_000.0 / f64::from(speed);
    rows.extend(count(lab, "hospital", "85ms", speed, |r| user_seconds / (0.782 + r))?);
    Ok(rows)
}

/// `expected`: requests, by how long each took on average.
fn count(
    lab: &Lab,
    plan: &str,
    delay: &str,
    speed: u32,
    expected: impl Fn(f64) -> f64,
) -> Outcome<Vec<Row>> {
    let server = lab.target(&format!("--app --delay {delay}"))?;
    let words = ["run".to_owned(), format!("scripts/plans/{plan}.toml")];
    let document = lab.carry_out(&server, &words, &format!("--speed {speed}x"))?;
    let expected = expected(document.latency("service.mean")?);
    let (sent, good) = (document.requests("sent")?, document.requests("good")?);
    Ok(vec![
        Row::number(&format!("{plan}: requests"), expected, sent as f64, 0.03 * expected),
        Row::count(&format!("{plan}: good"), sent, good),
    ])
}
