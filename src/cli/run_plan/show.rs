//! `--show N`: the first requests as they would be sent, but for their secrets.
//!
//! Of a mix, in the order of its choice; of users, the first one's setup and then its steps.
//! All that is random is drawn from the dice that the run draws from, in the same order. Captured
//! values are secrets as those of the environment are, and stand as `***` too.

use crate::dice::Dice;
use crate::metrics::Phase;
use crate::plan::mask::mask_query;
use crate::plan::scenario::{Flow, Mix, Model, Scenario, Step, Steps, lots};
use crate::plan::template::Context;
use crate::plan::{Plan, Warmup};

/// What a body is shown of.
const LONGEST: usize = 4 * 1024;

/// More is not for a person.
const MOST: usize = 100_000;

/// The requests, each behind a line that names it. The plan was made to be shown.
pub fn text(plan: &Plan, count: u64) -> String {
    let Some(scenario) = &plan.scenario else { return String::new() };
    let most = usize::try_from(count).unwrap_or(usize::MAX).min(MOST);
    let mut play = Play::new(scenario, most);
    match &scenario.model {
        Model::Mix(mix) => {
            let is_warm = plan.warmup == Warmup::NONE;
            play.mix(mix, if is_warm { Phase::Measure } else { Phase::Warmup });
        }
        Model::Users(flow) => play.user(flow, flow.rounds),
        Model::Sessions(flow) => play.user(flow, Some(1)),
    }
    play.shown.join("\n")
}

/// Makes requests one after the other.
struct Play<'a> {
    scenario: &'a Scenario,
    most: usize,
    shown: Vec<String>,
    dice: Dice,
    captures: Vec<Option<Box<[u8]>>>,
    rows: Vec<u64>,
    /// From each table so far.
    draws: Vec<u64>,
    body: Vec<u8>,
    bytes: Vec<u8>,
}

impl<'a> Play<'a> {
    fn new(scenario: &'a Scenario, most: usize) -> Play<'a> {
        Play {
            scenario,
            most,
            shown: Vec::new(),
            dice: lots::of_user(scenario.seed, 1, 0),
            // Whatever it is, it is masked.
            captures: vec![Some(Box::from(*b"-")); scenario.captures.len()],
            rows: vec![0; scenario.tables.len()],
            draws: vec![0; scenario.tables.len()],
            body: Vec::new(),
            bytes: Vec::new(),
        }
    }

    fn is_done(&self) -> bool {
        self.shown.len() >= self.most
    }

    fn mix(&mut self, mix: &Mix, phase: Phase) {
        let seed = self.scenario.seed;
        let table = mix.table(seed).unwrap_or_default();
        for number in 0..self.most as u64 {
            let length = table.len().max(1) as u64;
            let place = match mix.random {
                true => lots::of_choice(seed, number).below(length),
                false => number % length,
            };
            let Some(entry) = table.get(place as usize).copied().map(usize::from) else { return };
            self.dice = lots::of_request(seed, phase, number);
            let request = self.scenario.entries[entry].request;
            self.draw(self.scenario.requests[request].message.tables());
            self.send(entry);
        }
    }

    fn user(&mut self, flow: &Flow, rounds: Option<u64>) {
        let tables = self.tables_of(flow);
        self.draw(&tables);
        flow.setup.iter().for_each(|entry| self.send(*entry));
        let mut round = 0;
        // A round may be empty by chance; one that always is sends nothing in a thousand.
        let mut empty = 0;
        while !self.is_done() && rounds.is_none_or(|rounds| round < rounds) && empty < 1_000 {
            let before = self.shown.len();
            // The first one has the rows that were drawn for the setup.
            if round > 0 {
                self.draw(&tables);
            }
            match flow.weighted {
                true => self.one_of(&flow.steps),
                false => flow.steps.iter().for_each(|step| self.step(step)),
            }
            round += 1;
            empty = if self.shown.len() == before { empty + 1 } else { 0 };
        }
        flow.teardown.iter().for_each(|entry| self.send(*entry));
    }

    fn one_of(&mut self, steps: &[Step]) {
        let sum: u64 = steps.iter().map(|step| step.weight).sum();
        let mut left = self.dice.below(sum.max(1));
        for step in steps {
            if left < step.weight {
                return self.step(step);
            }
            left -= step.weight;
        }
    }

    fn step(&mut self, step: &Step) {
        if step.probability < 1.0 && self.dice.unit() >= step.probability {
            return;
        }
        let times = match step.repeat {
            (1, 1) => 1,
            (least, most) => u64::from(least) + self.dice.below(u64::from(most - least) + 1),
        };
        for _ in 0..times {
            if self.is_done() {
                return;
            }
            match &step.what {
                Steps::One(entry) => self.send(*entry),
                Steps::Group(steps) => steps.iter().for_each(|step| self.step(step)),
                Steps::OneOf(steps) => self.one_of(steps),
            }
            step.think.draw(&mut self.dice);
        }
    }

    /// All tables that a user's requests draw from, ascending.
    fn tables_of(&self, flow: &Flow) -> Vec<usize> {
        let entries = flow.program().map_or(Vec::new(), |program| program.entries().collect());
        let message =
            |entry: &usize| &self.scenario.requests[self.scenario.entries[*entry].request].message;
        let tables = entries.iter().flat_map(|entry| message(entry).tables().to_vec());
        tables.collect::<std::collections::BTreeSet<usize>>().into_iter().collect()
    }

    /// The next row of each of these tables.
    fn draw(&mut self, tables: &[usize]) {
        for table in tables {
            let row = self.scenario.tables[*table].row(self.draws[*table], 0, 1, 1, &mut self.dice);
            self.rows[*table] = row.unwrap_or(0);
            self.draws[*table] += 1;
        }
    }

    fn send(&mut self, entry: usize) {
        if !self.is_done() {
            let number = self.shown.len() as u64 + 1;
            let bytes = self.bytes_of(entry, number);
            let name = mask_query(&self.scenario.entries[entry].name);
            self.shown.push(format!("--- {number}: {name}\n{}\n", readable(&bytes)));
        }
    }

    fn bytes_of(&mut self, entry: usize, number: u64) -> Vec<u8> {
        let message = &self.scenario.requests[self.scenario.entries[entry].request].message;
        if let Some(payload) = message.fixed() {
            let (first, rest) = payload.piece(0..payload.length());
            let head = first[rest].to_vec();
            let (second, rest) = payload.piece(head.len()..payload.length());
            return [&head[..], &second[rest]].concat();
        }
        let mut context = Context {
            dice: &mut self.dice,
            number,
            id: number,
            user: 1,
            captures: &self.captures,
            rows: &self.rows,
            jar: None,
        };
        message.write(&mut context, &mut self.body, &mut self.bytes);
        [&self.bytes[..], message.tail()].concat()
    }
}

/// Line ends are a terminal's, and what is no text is told by its size.
fn readable(bytes: &[u8]) -> String {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = bytes.split_at(end.map_or(bytes.len(), |at| at + 4));
    let head = String::from_utf8_lossy(head).replace("\r\n", "\n");
    let head = head.trim_end_matches('\n');
    match std::str::from_utf8(body) {
        Ok("") => head.to_string(),
        Ok(text) if is_readable(text) => format!("{head}\n\n{}", shortened(text)),
        _ => format!("{head}\n\n({} bytes)", body.len()),
    }
}

fn is_readable(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || matches!(c, '\r' | '\n' | '\t'))
}

fn shortened(text: &str) -> String {
    match text.char_indices().find(|(at, _)| *at >= LONGEST) {
        Some((at, _)) => format!("{}\n... ({} bytes in all)", &text[..at], text.len()),
        None => text.replace("\r\n", "\n"),
    }
}
