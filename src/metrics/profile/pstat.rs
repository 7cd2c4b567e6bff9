//! What Python's cProfile writes (`python -m cProfile -o app.pstat`): a dictionary in the marshal
//! format.
//!
//! ```text
//! (file, line, function): (calls but of itself, calls, own seconds, seconds with what it called,
//!     {caller: (calls, calls but of itself, own seconds, seconds with what it called)})
//! ```

use std::collections::HashMap;

use super::marshal::{self, Value};
use super::{Cost, Profile, Unit, class};

/// The tool's name in what is shown.
const TOOL: &str = "cProfile";

/// How often waiting is handed up to callers at most: that deep it is seen through, and a circle of
/// calls ends.
const DEEPEST: usize = 64;

/// What two functions share of each other's time, in seconds, below which it is nothing.
const NOTHING: f64 = 1e-6;

/// Whether these bytes begin as such a file does: a dictionary, and a tuple as its first key.
pub fn is_one(bytes: &[u8]) -> bool {
    let begins = |byte: u8, any: &[u8]| any.contains(&(byte & 0x7f));
    matches!(bytes, [dict, key, ..] if begins(*dict, b"{") && begins(*key, b"()"))
}

/// The error says what is wrong, as the end of a sentence.
pub fn read(bytes: &[u8]) -> Result<Profile, String> {
    let Value::Dict(entries) = marshal::read(bytes)? else {
        return Err("it is no profile of cProfile".to_string());
    };
    let rows = entries.iter().map(|(key, value)| Row::of(key, value));
    let rows: Option<Vec<Row>> = rows.collect();
    let rows = rows.ok_or("it is no profile of cProfile")?;
    let waited = waited(&rows);
    let costs = rows.iter().zip(waited).map(|(row, waited)| (row.name.clone(), row.cost(waited)));
    let profile = Profile::of_costs(TOOL, Unit::Microseconds, costs.collect());
    match profile.all {
        0 => Err("there is no time in it".to_string()),
        _ => Ok(profile),
    }
}

struct Row {
    key: Key,
    /// As Python prints it.
    name: String,
    own_s: f64,
    total_s: f64,
    /// Whom it was called by, and how long it took for that one with all that it called.
    callers: Vec<(Key, f64)>,
}

/// File, line, function.
type Key = (String, i64, String);

impl Row {
    fn of(key: &Value, value: &Value) -> Option<Row> {
        let key = read_key(key)?;
        let Value::Tuple(figures) = value else { return None };
        let [_, _, own, total, Value::Dict(callers)] = &figures[..] else { return None };
        let caller = |(key, edge): &(Value, Value)| Some((read_key(key)?, total_of(edge)?));
        Some(Row {
            name: name(&key),
            key,
            own_s: seconds(own)?,
            total_s: seconds(total)?,
            callers: callers.iter().filter_map(caller).collect(),
        })
    }

    /// `waited`: in it and in all that it called.
    fn cost(&self, waited: f64) -> Cost {
        let own = micros(self.own_s);
        if class::is_waiting(&self.name) {
            return Cost { waited: own, ..Cost::default() };
        }
        let mut cost = Cost { total: micros(self.total_s - waited).max(own), ..Cost::default() };
        cost.own[class::of(&self.name) as usize] = own;
        cost
    }
}

/// How long each of them waited with all that it called. What a function waited is its callers' in
/// the proportion of the time that it took for each, as gprof has it (Graham, Kessler and McKusick,
/// 1982).
fn waited(rows: &[Row]) -> Vec<f64> {
    let places: HashMap<&Key, usize> =
        rows.iter().enumerate().map(|(place, row)| (&row.key, place)).collect();
    let mut waited = vec![0.0; rows.len()];
    let waits = |row: &Row| if class::is_waiting(&row.name) { row.own_s } else { 0.0 };
    let mut more: Vec<f64> = rows.iter().map(waits).collect();
    for _ in 0..DEEPEST {
        let mut next = vec![0.0; rows.len()];
        for (place, row) in rows.iter().enumerate().filter(|(place, _)| more[*place] > NOTHING) {
            let all: f64 = row.callers.iter().map(|(_, total)| total).sum();
            for (caller, total) in row.callers.iter().filter(|(caller, _)| *caller != row.key) {
                if let Some(caller) = places.get(caller).filter(|_| all > 0.0) {
                    next[*caller] += more[place] * total / all;
                }
            }
        }
        waited.iter_mut().zip(&more).for_each(|(waited, more)| *waited += more);
        more = next;
    }
    waited
}

fn read_key(value: &Value) -> Option<Key> {
    let Value::Tuple(parts) = value else { return None };
    match &parts[..] {
        [Value::Text(file), Value::Int(line), Value::Text(function)] => {
            Some((file.to_string(), *line, function.to_string()))
        }
        _ => None,
    }
}

/// The older `profile` module counts calls alone.
fn total_of(edge: &Value) -> Option<f64> {
    match edge {
        Value::Tuple(figures) => seconds(figures.last()?),
        Value::Int(calls) => Some(*calls as f64),
        _ => None,
    }
}

fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::Float(seconds) => Some(*seconds).filter(|seconds| seconds.is_finite()),
        Value::Int(seconds) => Some(*seconds as f64),
        _ => None,
    }
}

/// A float becomes an integer by saturation, one below zero is none. At most an hundred years, so
/// that sums do not overflow.
fn micros(seconds: f64) -> u64 {
    (seconds.min(3e9) * 1e6).round() as u64
}

/// As `pstats` prints it, with no more of the path than tells the file.
fn name((file, line, function): &Key) -> String {
    let function: String =
        function.chars().take(400).map(|c| if c.is_control() { '?' } else { c }).collect();
    if file == "~" && *line == 0 {
        let inside = function.strip_prefix('<').and_then(|inside| inside.strip_suffix('>'));
        return inside.map_or(function.clone(), |inside| format!("{{{inside}}}"));
    }
    let parts: Vec<&str> = file.rsplit('/').take(2).collect();
    let file: Vec<&str> = parts.into_iter().rev().collect();
    let file: String = file.join("/").chars().filter(|c| !c.is_control()).collect();
    format!("{function} ({}:{line})", file.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a program that counts for some milliseconds in `busy`, sleeps for 60 ms in `rest`, and
    /// calls both in `main`.
    const SMALL: &[u8] = include_bytes!("small.pstat");

    #[test]
    fn a_profile_of_cprofile_is_read() {
        assert!(is_one(SMALL));
        let profile = read(SMALL).unwrap();
        assert_eq!((&*profile.tool, profile.unit), ("cProfile", Unit::Microseconds));
        let at = |name: &str| {
            let found = profile.functions.iter().find(|one| one.name.starts_with(name));
            found.unwrap_or_else(|| panic!("no {name} in {:#?}", profile.functions))
        };
        // Which of them took how long, the file says; that the order is Python's is what counts.
        assert!(profile.functions.is_sorted_by(|a, b| a.own >= b.own));
        assert!(at("busy (").own > 0 && at("main (").total >= at("busy (").total);
        let sleep = profile.waits.iter().find(|one| one.name == "{built-in method time.sleep}");
        assert!(sleep.unwrap().own >= 50_000, "{:?}", profile.waits);
        // It slept half of the time and more, and that is in nobody's total.
        assert!(at("rest (").total < 10_000, "{:?}", at("rest ("));
        assert!(at("main (").total < profile.all - 50_000, "{:?}", at("main ("));
        assert!(profile.waiting_share().unwrap() > 0.3);
        assert!(!profile.functions.iter().any(|one| one.name.contains("sleep")));
    }

    #[test]
    fn a_name_is_python_s_own_and_short() {
        let name = |file: &str, line, function: &str| {
            name(&(file.to_string(), line, function.to_string()))
        };
        assert_eq!(name("/srv/app/views.py", 12, "index"), "index (app/views.py:12)");
        assert_eq!(name("app.py", 1, "<module>"), "<module> (app.py:1)");
        assert_eq!(name("~", 0, "<built-in method time.sleep>"), "{built-in method time.sleep}");
        assert_eq!(name("a\x1b.py", 1, "f\n"), "f? (a.py:1)");
    }

    #[test]
    fn what_is_no_profile_is_refused() {
        for bytes in [&b"i\x01\x00\x00\x00"[..], b"{N0N0", b"{i\x01\x00\x00\x00N0", b"{)\x00N0"] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        assert!(read(b"{0").unwrap_err().contains("no time in it"));
        for length in 0..SMALL.len() {
            assert!(read(&SMALL[..length]).is_err(), "{length}");
        }
        assert!(!is_one(b"{method 'recv' of 'x' objects} 3") && !is_one(b"{") && !is_one(b"a;b 1"));
    }

    #[test]
    fn waiting_is_handed_up_to_callers_in_proportion_and_circles_end() {
        let row = |name: &str, own_s: f64, total_s: f64, callers: &[(&str, f64)]| {
            let key = |name: &str| (String::new(), 1, name.to_string());
            let callers = callers.iter().map(|(name, total)| (key(name), *total)).collect();
            Row { key: key(name), name: name.to_string(), own_s, total_s, callers }
        };
        let rows = [
            row("main", 1.0, 11.0, &[]),
            row("a", 0.0, 8.0, &[("main", 7.0), ("b", 1.0)]),
            row("b", 0.0, 2.0, &[("main", 2.0), ("a", 1.0)]),
            row("sleep", 10.0, 10.0, &[("a", 8.0), ("b", 2.0)]),
        ];
        let waited = waited(&rows);
        assert_eq!(waited[3], 10.0);
        // Whatever goes round between a and b, in the end all of it is main's.
        assert!((waited[0] - 10.0).abs() < 0.01, "{waited:?}");
    }
}
