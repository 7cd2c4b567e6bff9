//! What `blast doctor` found, as a document: one schema, versioned, a field never redefined
//! (`src/report/doctor.schema.json`).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::monitor::diagnosis::{Figure, Row, Side, State};
use crate::monitor::feature::{Feature, Need};
use crate::monitor::uring::Uring;
use crate::monitor::{Destination, Needs, Readings, rows};

/// What the document is valid by.
pub const SCHEMA: &str = include_str!("doctor.schema.json");

const NAME: &str = "blast.doctor/1";

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checkup {
    pub schema: &'static str,
    /// The worst of the rows.
    pub state: State,
    /// As reports show it; `None` where the host was looked at in general.
    pub url: Option<String>,
    pub run: Run,
    pub rows: Vec<Finding>,
    /// What blast uses of io_uring; `None` where there is none.
    pub io_uring: Option<Vec<Ability>>,
}

/// What the rows were held against.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    pub connections: u64,
    /// Requests per second at the highest; null in a closed loop.
    pub rps: Option<f64>,
    pub workers: u64,
    pub engine: &'static str,
    /// Null where connections are kept.
    pub requests_per_connection: Option<u64>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    pub id: &'static str,
    pub state: State,
    pub side: Side,
    pub here: String,
    pub needs: String,
    /// What to do; null when there is nothing to do.
    pub advice: Option<String>,
    pub figures: BTreeMap<&'static str, Figure>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ability {
    pub name: &'static str,
    /// The kernel it came with.
    pub since: &'static str,
    pub present: bool,
    /// The engine of this run cannot do without.
    pub needed: bool,
    /// What blast does instead.
    pub without: Option<&'static str>,
}

impl Checkup {
    pub fn new(
        url: Option<&str>,
        readings: &Readings,
        destination: &Destination,
        needs: &Needs,
    ) -> Checkup {
        let rows = rows(readings, destination, needs);
        let stops = rows.iter().any(|row| row.state == State::Stop);
        let warns = rows.iter().any(|row| row.state == State::Warn);
        Checkup {
            schema: NAME,
            state: match (stops, warns) {
                (true, _) => State::Stop,
                (false, true) => State::Warn,
                (false, false) => State::Ok,
            },
            url: url.map(str::to_string),
            run: Run {
                connections: needs.connections,
                rps: needs.rate,
                workers: needs.workers,
                engine: needs.engine.name(),
                requests_per_connection: needs.per_connection,
            },
            rows: rows.into_iter().map(Finding::from).collect(),
            io_uring: abilities(&readings.uring, needs),
        }
    }

    /// The same with a row of something that is no reading, and stops nothing.
    pub fn with(mut self, row: Row) -> Checkup {
        debug_assert!(row.state == State::Ok);
        self.rows.push(Finding::from(row));
        self
    }

    /// The ids of the rows in this state.
    pub fn ids(&self, state: State) -> Vec<&'static str> {
        self.rows.iter().filter(|row| row.state == state).map(|row| row.id).collect()
    }
}

impl From<Row> for Finding {
    fn from(row: Row) -> Finding {
        let Row { id, state, side, here, needs, advice, figures } = row;
        let advice = Some(advice).filter(|advice| !advice.is_empty());
        Finding { id, state, side, here, needs, advice, figures: figures.into_iter().collect() }
    }
}

fn abilities(uring: &Uring, needs: &Needs) -> Option<Vec<Ability>> {
    let missing = uring.missing.as_ref().ok()?;
    let ability = |feature: &Feature| {
        let (name, since, need) = feature.facts();
        let present = !missing.contains(feature);
        let without = match need {
            Need::Nobody(instead) => Some(instead),
            _ => None,
        };
        Ability { name, since, present, needed: feature.is_needed_by(needs.engine), without }
    };
    Some(Feature::ALL.iter().map(ability).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;

    use super::*;
    use crate::monitor::diagnosis::fixture::{elsewhere, needs, nginx, readings};

    /// A host that is fine, one that is not, and one without a target.
    pub fn all() -> Vec<Checkup> {
        let mut poor = readings();
        poor.uring.missing = Ok(vec![Feature::AbsoluteTimer]);
        poor.steal = Some(0.071);
        poor.cpu.clock_source = Some("hpet".to_string());
        let mut forbidden = readings();
        forbidden.uring = Uring { disabled: Some(2), filtered: true, missing: Err(libc::EPERM) };
        let url = Some("http://127.0.0.1:80/");
        vec![
            Checkup::new(url, &readings(), &nginx("127.0.0.1:80", 511), &needs(64)),
            Checkup::new(url, &poor, &nginx("127.0.0.1:80", 511), &needs(100_000)),
            Checkup::new(url, &readings(), &elsewhere(&["10.0.0.1:80"]), &needs(100_000)),
            Checkup::new(None, &forbidden, &Destination::None, &needs(64)),
        ]
    }

    #[test]
    fn every_checkup_is_valid_by_the_schema() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for checkup in all() {
            let document = serde_json::to_value(&checkup).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}\n{document:#}");
            let mut broken = document;
            broken["rows"][0].as_object_mut().unwrap().remove("needs");
            assert!(!validator.is_valid(&broken));
        }
    }

    #[test]
    fn the_state_is_that_of_the_worst_row() {
        let states: Vec<State> = all().iter().map(|checkup| checkup.state).collect();
        assert_eq!(states, [State::Ok, State::Warn, State::Stop, State::Stop]);
        assert_eq!(all()[1].ids(State::Warn)[..2], ["clock_source", "steal"]);
        assert_eq!(all()[3].ids(State::Stop), ["io_uring"]);
        assert_eq!(all()[3].io_uring, None);
    }

    #[test]
    fn a_missing_ability_says_what_is_done_instead() {
        let all = all();
        let abilities = all[1].io_uring.as_ref().unwrap();
        let absent: Vec<&Ability> = abilities.iter().filter(|ability| !ability.present).collect();
        let [timer] = absent[..] else { panic!("{absent:?}") };
        assert_eq!((timer.name, timer.since, timer.needed), ("ABS_TIMER", "6.12", false));
        assert!(timer.without.is_some());
    }
}
