//! What a worker books by name: for each entry of the scenario, each check, and the sessions. At
//! the end the workers' books become the rows of the results.
//!
//! Without a scenario all of it is empty, and costs a look at a length.

use crate::metrics::{Account, CheckCount, Fates, Named, Part, SessionEnd, Sessions};
use crate::plan::Scenario;
use crate::plan::scenario::{Model, Step, Steps};
use crate::time::Nanos;

/// How many rows there are to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    pub entries: usize,
    pub checks: usize,
    pub has_sessions: bool,
}

impl Rows {
    pub fn of(scenario: Option<&Scenario>) -> Rows {
        scenario.map_or(Rows::default(), |scenario| Rows {
            entries: scenario.entries.len(),
            checks: scenario.checks.len(),
            // A round of one step is no session.
            has_sessions: scenario.model.flow().is_some_and(|flow| !flow.weighted),
        })
    }
}

/// Entries whose room is made before the start. Each takes 280 KB on each worker (in open loop
/// 840 KB), so that of more entries is made with the first request of each, and is an eighth of it:
/// their times have two significant digits.
const RESERVED: usize = 64;

/// One worker's books by name.
#[derive(Debug, Default)]
pub struct ByName {
    /// By the place of the entry.
    pub accounts: Vec<Account>,
    /// How often each check held, and how often it did not.
    pub checks: Vec<(u64, u64)>,
    pub sessions: Option<Box<Sessions>>,
}

impl ByName {
    /// With the room made for the good requests of each entry, where there are few enough.
    pub fn reserved(rows: Rows, open_loop: bool) -> ByName {
        let fates = || match rows.entries {
            0..=RESERVED => Fates::reserved_for_good(open_loop),
            _ => Fates::coarse(),
        };
        let account = |_| Account::new(fates(), rows.checks);
        ByName {
            accounts: (0..rows.entries).map(account).collect(),
            checks: vec![(0, 0); rows.checks],
            sessions: rows.has_sessions.then(|| Box::new(Sessions::reserved())),
        }
    }

    #[inline]
    pub fn account(&mut self, entry: u16) -> Option<&mut Account> {
        self.accounts.get_mut(usize::from(entry))
    }

    pub fn checked(&mut self, check: usize, holds: bool) {
        if let Some((passed, failed)) = self.checks.get_mut(check) {
            *if holds { passed } else { failed } += 1;
        }
    }

    pub fn session_ended(&mut self, outcome: SessionEnd, length: Nanos) {
        if let Some(sessions) = &mut self.sessions {
            sessions.ended(outcome, length);
        }
    }

    /// The books as they are handed over. Nobody knows of a request whose turn it is before it is
    /// sent, or given up.
    pub fn take(&mut self) -> ByName {
        let mut taken = std::mem::take(self);
        for account in &mut taken.accounts {
            let counters = &mut account.fates.counters;
            counters.scheduled = counters.sent + counters.dropped;
        }
        taken
    }
}

/// The rows of all workers' books, in the order of the scenario's entries.
pub fn names<'a>(
    scenario: &Scenario,
    workers: impl Iterator<Item = &'a ByName> + Clone,
) -> Vec<Named> {
    let shares = shares(scenario);
    let rows = scenario.entries.iter().zip(shares).enumerate();
    let row = |(place, (entry, share_asked)): (usize, (&crate::plan::scenario::Entry, _))| {
        let mut account = Account::new(Fates::default(), scenario.checks.len());
        workers.clone().filter_map(|w| w.accounts.get(place)).for_each(|of| account.add(of));
        let method = scenario.requests[entry.request].request.method.clone();
        let (name, part, weight) = (entry.name.clone(), entry.part, entry.weight);
        Named { name, method, part, weight, share_asked, account }
    };
    rows.map(row).collect()
}

pub fn checks<'a>(
    scenario: &Scenario,
    workers: impl Iterator<Item = &'a ByName> + Clone,
) -> Vec<CheckCount> {
    let rows = scenario.checks.iter().enumerate();
    let row = |(place, name): (usize, &String)| {
        let of_worker = |w: &ByName| w.checks.get(place).copied().unwrap_or_default();
        let sum = |sum: (u64, u64), of: (u64, u64)| (sum.0 + of.0, sum.1 + of.1);
        let (passed, failed) = workers.clone().map(of_worker).fold((0, 0), sum);
        CheckCount { name: name.clone(), passed, failed }
    };
    rows.map(row).collect()
}

pub fn sessions<'a>(workers: impl Iterator<Item = &'a ByName>) -> Option<Sessions> {
    workers.filter_map(|w| w.sessions.as_deref()).fold(None, |sum, of| {
        let mut sum: Sessions = sum.unwrap_or_default();
        sum.add(of);
        Some(sum)
    })
}

/// The share of each entry that the weights ask for, where they are all that decides.
fn shares(scenario: &Scenario) -> Vec<Option<f64>> {
    let mut weights = vec![None; scenario.entries.len()];
    let chosen: Vec<(usize, u64)> = match &scenario.model {
        Model::Mix(mix) => mix.entries.clone(),
        Model::Users(flow) | Model::Sessions(flow) if flow.weighted => {
            flow.steps.iter().filter_map(chosen).collect()
        }
        Model::Users(_) | Model::Sessions(_) => Vec::new(),
    };
    let whole = scenario.entries.iter().filter(|entry| entry.part == Part::Main).count();
    let sum: u64 = chosen.iter().map(|(_, weight)| weight).sum();
    if chosen.len() == whole && sum > 0 {
        for (place, weight) in chosen {
            weights[place] = Some(weight as f64 / sum as f64);
        }
    }
    weights
}

/// A step that is one request whenever it is taken.
fn chosen(step: &Step) -> Option<(usize, u64)> {
    match step.what {
        Steps::One(entry) if step.repeat == (1, 1) && step.probability == 1.0 => {
            Some((entry, step.weight))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::http::Request;
    use crate::plan::scenario::{BODY_LIMIT, Entry, Exchange, Flow, Mix, Think};
    use crate::plan::template::{Message, Scope};
    use crate::plan::{Expected, Url};

    /// A login, and two requests of the weights 3 and 1.
    fn scenario(model: Model) -> Scenario {
        let url = Url::parse("http://127.0.0.1/").expect("a URL");
        let request = Request::new("GET", &url.target, "127.0.0.1");
        let scope = Scope {
            tables: &[],
            captures: &[],
            vars: &BTreeMap::new(),
            env: &|_| None,
            has_users: false,
            has_cookies: false,
        };
        let entry =
            |name: &str, part, weight| Entry { name: name.to_string(), request: 0, part, weight };
        Scenario {
            requests: vec![Exchange {
                name: "GET /".to_string(),
                message: Message::compile(&request, &[], &scope).expect("no placeholders"),
                request,
                expected: Expected::default(),
                checks: Vec::new(),
                captures: Vec::new(),
            }],
            entries: vec![
                entry("login", Part::Setup, 0),
                entry("list", Part::Main, 3),
                entry("save", Part::Main, 1),
            ],
            model,
            run_setup: Vec::new(),
            run_teardown: Vec::new(),
            tables: Vec::new(),
            captures: Vec::new(),
            checks: vec!["ok".to_string(), "small".to_string()],
            seed: 1,
            has_cookies: false,
            body_limit: BODY_LIMIT,
            request_id: None,
        }
    }

    fn step(entry: usize, weight: u64) -> Step {
        let (what, think) = (Steps::One(entry), Think::Not);
        Step { what, repeat: (1, 1), probability: 1.0, weight, think }
    }

    #[test]
    fn shares_are_told_where_the_weights_alone_decide() {
        let mix = Mix { entries: vec![(1, 3), (2, 1)], random: false };
        let asked = [None, Some(0.75), Some(0.25)];
        assert_eq!(shares(&scenario(Model::Mix(mix))), asked);
        let flow = Flow { steps: vec![step(1, 3), step(2, 1)], ..Flow::default() };
        let weighted = Flow { weighted: true, ..flow.clone() };
        assert_eq!(shares(&scenario(Model::Users(weighted.clone()))), asked);
        let often = Step { repeat: (1, 3), ..step(2, 1) };
        let often = Flow { steps: vec![step(1, 3), often], ..weighted };
        for flow in [flow, often] {
            assert_eq!(shares(&scenario(Model::Sessions(flow))), [None; 3]);
        }
    }

    #[test]
    fn the_rows_are_the_sum_of_all_workers() {
        let scenario = scenario(Model::Users(Flow::default()));
        let rows = Rows::of(Some(&scenario));
        assert_eq!(rows, Rows { entries: 3, checks: 2, has_sessions: true });
        let mut worker = ByName::reserved(rows, false);
        let counters = &mut worker.account(2).expect("an entry").fates.counters;
        (counters.sent, counters.dropped) = (5, 2);
        worker.checked(1, true);
        worker.checked(1, false);
        worker.checked(1, false);
        worker.session_ended(SessionEnd::Cut, Nanos(5));
        let workers = [worker.take(), ByName::reserved(rows, false).take()];
        let both = workers.iter().chain(&workers);
        let names = names(&scenario, both.clone());
        let counts: Vec<_> = names
            .iter()
            .map(|row| (row.name.as_str(), row.account.fates.counters.scheduled))
            .collect();
        assert_eq!(counts, [("login", 0), ("list", 0), ("save", 14)]);
        let checks = checks(&scenario, both.clone());
        assert_eq!((checks[1].name.as_str(), checks[1].passed, checks[1].failed), ("small", 2, 4));
        assert_eq!(sessions(both).expect("sessions").cut, 2);
    }

    #[test]
    fn the_room_of_many_entries_is_made_when_they_are_used() {
        let rows = |entries| Rows { entries, ..Rows::default() };
        let mut few = ByName::reserved(rows(RESERVED), true);
        let mut many = ByName::reserved(rows(RESERVED + 1), true);
        let has_room = |books: &mut ByName| books.account(7).unwrap().fates.good.has_room();
        assert_eq!([has_room(&mut few), has_room(&mut many)], [true, false]);
        many.account(7).unwrap().fates.good.record(Nanos(5));
        assert!(has_room(&mut many));
    }

    #[test]
    fn without_a_scenario_there_are_no_rows() {
        let mut none = ByName::reserved(Rows::of(None), true);
        assert!(none.account(0).is_none());
        none.checked(0, true);
        none.session_ended(SessionEnd::Completed, Nanos(1));
        assert!(sessions([none.take()].iter()).is_none());
    }
}
