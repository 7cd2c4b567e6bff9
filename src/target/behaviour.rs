//! What the target is told to do: delay, queue, limit, stall, size, status mix, chunking, closing. The same words
//! are flags of the whole server and `key=value` pairs of one request's path and query.

use crate::error::{Error, Result};
use crate::time::Nanos;
use crate::units::{parse_count, parse_duration, parse_size, quote};

pub use super::limit::Limited;

/// How a server, or one request, is answered. The default is the plain 130-byte answer, at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// Between the request's last byte, or the end of its service, and its answer.
    pub delay: Delay,
    /// How long the request occupies one of the `workers`, which all connections share.
    pub service: Option<Nanos>,
    /// `None`: one. Without a `service` they have nothing to do.
    pub workers: Option<u32>,
    /// What is beyond this rate is turned away at once.
    pub limit: Option<Limited>,
    /// Each so-manieth request is read, counted and never answered.
    pub unanswered: Option<u64>,
    /// Nothing is answered while the gate is shut.
    pub stall: Option<Stall>,
    /// Bytes of the body; `None` is the default answer's 50.
    pub size: Option<u64>,
    /// Status and weight; empty means 200.
    pub status: Vec<(u16, u32)>,
    /// Bytes per chunk of a chunked body.
    pub chunk: Option<u64>,
    /// The so-manieth request of a connection is its last.
    pub close_after: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delay {
    #[default]
    None,
    Fixed(Nanos),
    /// Exponentially distributed with this mean, from the server's seed.
    Exponential(Nanos),
}

/// Shut for the last `shut` of every `period`, counted from the start of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    pub shut: Nanos,
    pub period: Nanos,
}

impl Stall {
    /// The first instant at or after `at` when the gate is open; both since the server's start.
    pub fn opens(self, at: Nanos) -> Nanos {
        let cycles = at.0 / self.period.0;
        let shuts = cycles * self.period.0 + (self.period - self.shut).0;
        if at.0 < shuts { at } else { Nanos((cycles + 1) * self.period.0) }
    }
}

impl Delay {
    /// The delay of the next request; `uniform` lies in (0, 1].
    pub fn draw(self, uniform: impl FnOnce() -> f64) -> Nanos {
        match self {
            Delay::None => Nanos::ZERO,
            Delay::Fixed(delay) => delay,
            Delay::Exponential(mean) => Nanos((-uniform().ln() * mean.0 as f64) as u64),
        }
    }
}

impl Behaviour {
    /// Applies one `key=value`. Unknown keys are `Ok(false)`: clients add queries of their own.
    pub fn set(&mut self, key: &str, value: &str) -> Result<bool> {
        match key {
            "delay" => self.delay = delay(value)?,
            "service" => self.service = service(value)?,
            "workers" => self.workers = Some(workers(value)?),
            "limit" => self.limit = limit(value)?,
            "unanswered" => self.unanswered = every(value)?,
            "stall" => self.stall = stall(value)?,
            "size" => self.size = Some(size(value)?),
            "status" => self.status = mix(value)?,
            "chunked" => self.chunk = chunk(value)?,
            "close_after" => self.close_after = every(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// This behaviour, changed by the `key=value` pairs in a request's path and then by those in
    /// its query (`/size=1k/x?delay=5ms`). `None` when there are none.
    pub fn adapted(&self, target: &str) -> Result<Option<Behaviour>> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut adapted = self.clone();
        let mut changed = false;
        for pair in path.split('/').chain(query.split('&')) {
            if let Some((key, value)) = pair.split_once('=') {
                changed |= adapted.set(key, &decoded(value))?;
            }
        }
        Ok(changed.then_some(adapted))
    }
}

/// `5ms`, `exp:5ms`, `0`
fn delay(text: &str) -> Result<Delay> {
    Ok(match text.strip_prefix("exp:") {
        Some(mean) => Delay::Exponential(parse_duration(mean)?),
        None => match parse_duration(text)? {
            Nanos::ZERO => Delay::None,
            delay => Delay::Fixed(delay),
        },
    })
}

/// `5ms`, `0`
fn service(text: &str) -> Result<Option<Nanos>> {
    let service = parse_duration(text)?;
    Ok((service > Nanos::ZERO).then_some(service))
}

fn workers(text: &str) -> Result<u32> {
    let expected = "one from 1 to 10000, as in `4`";
    let error = || wrong("number of workers", text, expected);
    let workers = text.parse().map_err(|_| error())?;
    if (1..=MAX_WORKERS).contains(&workers) { Ok(workers) } else { Err(error()) }
}

/// `1k` (answers 429 beyond it), `1k:503`, `0`
fn limit(text: &str) -> Result<Option<Limited>> {
    let error = || wrong("limit", text, "requests a second and a status, as in `1k` or `1k:503`");
    let (rate, status) = text.split_once(':').unwrap_or((text, "429"));
    let per_s = parse_count(rate).map_err(|_| error())?;
    let status: u16 = status.parse().map_err(|_| error())?;
    if !(200..=599).contains(&status) || per_s > MAX_LIMIT {
        return Err(error());
    }
    Ok((per_s > 0).then_some(Limited { per_s, status }))
}

/// `1s/10s`, `0`
fn stall(text: &str) -> Result<Option<Stall>> {
    if text == "0" || text == "off" {
        return Ok(None);
    }
    let (shut, period) = text
        .split_once('/')
        .ok_or_else(|| wrong("stall", text, "a length out of a period, as in `1s/10s`"))?;
    let stall = Stall { shut: parse_duration(shut)?, period: parse_duration(period)? };
    if stall.shut >= stall.period {
        return Err(wrong("stall", text, "a length that is shorter than its period"));
    }
    Ok((stall.shut > Nanos::ZERO).then_some(stall))
}

/// `200:95,503:5`, `404`
fn mix(text: &str) -> Result<Vec<(u16, u32)>> {
    let expected = "statuses from 200 to 599 with weights, as in `200:95,503:5`";
    let error = || wrong("mix of statuses", text, expected);
    let mut mix = Vec::new();
    for entry in text.split(',') {
        let (status, weight) = entry.split_once(':').unwrap_or((entry, "1"));
        let status: u16 = status.trim().parse().map_err(|_| error())?;
        let weight: u32 = weight.trim().parse().map_err(|_| error())?;
        if !(200..=599).contains(&status) || weight > 1_000_000 {
            return Err(error());
        }
        if weight > 0 {
            mix.push((status, weight));
        }
    }
    if mix.is_empty() || mix.len() > 100 { Err(error()) } else { Ok(mix) }
}

fn size(text: &str) -> Result<u64> {
    match parse_size(text)? {
        size if size <= MAX_SIZE => Ok(size),
        _ => Err(wrong("size of a body", text, "1000000G or less")),
    }
}

/// `1` (chunks of 4 kB), `0`, or bytes per chunk
fn chunk(text: &str) -> Result<Option<u64>> {
    Ok(match text {
        "0" | "off" | "false" => None,
        "1" | "on" | "true" => Some(4096),
        size => match parse_size(size)? {
            size if size <= MAX_CHUNK => Some(size),
            _ => return Err(wrong("length of a chunk", text, "1MB or less")),
        },
    })
}

fn every(text: &str) -> Result<Option<u64>> {
    let count: u64 = text
        .parse()
        .map_err(|_| wrong("number of requests", text, "one such as `100`, 0 for no limit"))?;
    Ok((count > 0).then_some(count))
}

/// Far from where the lengths of its chunks could overflow.
const MAX_SIZE: u64 = 1_000_000_000_000_000;
const MAX_CHUNK: u64 = super::response::MAX_CHUNK;
/// A token a nanosecond is no limit.
const MAX_LIMIT: u64 = 100_000_000;
/// Requests may name any number of them, and each number has a queue of its own.
const MAX_WORKERS: u32 = 10_000;

fn wrong(what: &str, text: &str, expected: &str) -> Error {
    Error::usage(format!("{} is no {what}; give {expected}", quote(text)))
}

/// Undoes percent-encoding: some clients send `:` and `,` as %3A and %2C.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        out.push(code.map_or('%', char::from));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn the_words_of_the_command_line_are_understood() {
        let mut behaviour = Behaviour::default();
        for (key, value) in [
            ("delay", "exp:5ms"),
            ("service", "5ms"),
            ("workers", "4"),
            ("unanswered", "100"),
            ("stall", "1s/10s"),
            ("size", "10k"),
            ("status", "200:95,503:5"),
            ("limit", "1k:503"),
            ("chunked", "1"),
            ("close_after", "3"),
        ] {
            assert_eq!(behaviour.set(key, value), Ok(true), "{key}={value}");
        }
        let expected = Behaviour {
            limit: Some(Limited { per_s: 1_000, status: 503 }),
            delay: Delay::Exponential(Nanos::from_millis(5)),
            service: Some(Nanos::from_millis(5)),
            workers: Some(4),
            unanswered: Some(100),
            stall: Some(Stall { shut: Nanos::from_secs(1), period: Nanos::from_secs(10) }),
            size: Some(10_000),
            status: vec![(200, 95), (503, 5)],
            chunk: Some(4096),
            close_after: Some(3),
        };
        assert_eq!(behaviour, expected);
    }

    #[test]
    fn nonsense_is_refused_with_what_to_write() {
        let mut behaviour = Behaviour::default();
        for (key, value) in [
            ("delay", "soon"),
            ("service", "exp:5ms"),
            ("workers", "0"),
            ("workers", "10001"),
            ("unanswered", "-1"),
            ("stall", "1s"),
            ("stall", "2s/1s"),
            ("size", "-1"),
            ("size", "9999999G"),
            ("limit", "1k:99"),
            ("limit", "x"),
            ("status", "99"),
            ("status", "200:x"),
            ("status", "200:0"),
            ("chunked", "2M"),
            ("close_after", "often"),
        ] {
            let error = behaviour.set(key, value).unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            assert!(error.message.contains("; "), "{}", error.message);
        }
        assert_eq!(behaviour, Behaviour::default());
    }

    #[test]
    fn a_query_wins_over_the_path_and_the_path_over_the_server() {
        let server = Behaviour { size: Some(1), close_after: Some(9), ..Behaviour::default() };
        let adapted = server.adapted("/size=2/status=404?size=3&x=y").unwrap().unwrap();
        assert_eq!(adapted.size, Some(3));
        assert_eq!(adapted.status, [(404, 1)]);
        assert_eq!(adapted.close_after, Some(9));
        assert_eq!(server.adapted("/plain?id=42").unwrap(), None);
        assert!(server.adapted("/?delay=x").is_err());
        let mixed = server.adapted("/?status=200%3A1%2C503%3a1").unwrap().unwrap();
        assert_eq!(mixed.status, [(200, 1), (503, 1)]);
    }

    #[test]
    fn the_gate_is_shut_at_the_end_of_each_period() {
        let stall = Stall { shut: Nanos(2), period: Nanos(10) };
        for (at, opens) in [(0, 0), (7, 7), (8, 10), (9, 10), (10, 10), (18, 20), (27, 27)] {
            assert_eq!(stall.opens(Nanos(at)), Nanos(opens), "at {at}");
        }
    }

    #[test]
    fn an_exponential_delay_has_the_mean_asked_for() {
        let delay = Delay::Exponential(Nanos::from_millis(5));
        // The mean of -ln over an even grid of (0, 1] is 1.
        let count = 100_000;
        let sum: u64 = (0..count).map(|k| delay.draw(|| (k as f64 + 0.5) / count as f64).0).sum();
        let mean = sum as f64 / count as f64 / 5e6;
        assert!((mean - 1.0).abs() < 1e-3, "{mean}");
    }
}
