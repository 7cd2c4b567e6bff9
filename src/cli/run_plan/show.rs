//! `--show N`: the first requests as they would be sent, but for their secrets.
//!
//! Of a mix, in the order of its choice; of users, the first one's setup and then its steps.
//! Captured values are secrets as those of the environment are, and stand as `***` too.

use crate::dice::Dice;
use crate::plan::Plan;
use crate::plan::scenario::{Exchange, Flow, Model, Scenario, Step, Steps};
use crate::plan::template::Context;

/// Streams of the dice of what is chosen, and of what requests hold.
const CHOICES: u64 = 1;
const REQUESTS: u64 = 2;

/// What a body is shown of.
const LONGEST: usize = 4 * 1024;

/// The requests, each behind a line that names it. The plan was made to be shown.
pub fn text(plan: &Plan, count: u64) -> String {
    let Some(scenario) = &plan.scenario else { return String::new() };
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(MOST);
    let mut writer = Writer::new(scenario);
    let entries = match &scenario.model {
        Model::Mix(mix) => {
            let table = mix.table(scenario.seed).unwrap_or_default();
            let mut dice = Dice::of(scenario.seed, CHOICES, 0);
            let length = table.len().max(1);
            let place = |k: usize, dice: &mut Dice| match mix.random {
                true => dice.below(length as u64) as usize,
                false => k % length,
            };
            (0..count)
                .filter_map(|k| table.get(place(k, &mut dice)).copied().map(usize::from))
                .collect()
        }
        Model::Users(flow) => Walk::of(flow, scenario, count, flow.rounds).entries,
        Model::Sessions(flow) => Walk::of(flow, scenario, count, Some(1)).entries,
    };
    let shown = entries.iter().zip(1..).map(|(entry, number)| writer.request(*entry, number));
    shown.collect::<Vec<_>>().join("\n")
}

/// More is not for a person.
const MOST: usize = 100_000;

/// The entries that the first user sends.
struct Walk<'a> {
    entries: Vec<usize>,
    most: usize,
    dice: Dice,
    flow: &'a Flow,
}

impl<'a> Walk<'a> {
    fn of(flow: &'a Flow, scenario: &Scenario, most: usize, rounds: Option<u64>) -> Walk<'a> {
        let dice = Dice::of(scenario.seed, CHOICES, 1);
        let mut walk = Walk { entries: flow.setup.clone(), most, dice, flow };
        let mut round = 0;
        // A round may be empty by chance; one that always is sends nothing in a thousand.
        let mut empty = 0;
        while walk.entries.len() < most
            && rounds.is_none_or(|rounds| round < rounds)
            && empty < 1_000
        {
            let before = walk.entries.len();
            walk.round();
            round += 1;
            empty = if walk.entries.len() == before { empty + 1 } else { 0 };
        }
        if walk.entries.len() < most {
            walk.entries.extend(&flow.teardown);
        }
        walk.entries.truncate(most);
        walk
    }

    fn round(&mut self) {
        let flow = self.flow;
        match flow.weighted {
            true => self.one_of(&flow.steps),
            false => flow.steps.iter().for_each(|step| self.step(step)),
        }
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
        if self.dice.unit() >= step.probability {
            return;
        }
        let (least, most) = step.repeat;
        let times = u64::from(least) + self.dice.below(u64::from(most - least) + 1);
        for _ in 0..times {
            if self.entries.len() >= self.most {
                return;
            }
            match &step.what {
                Steps::One(entry) => self.entries.push(*entry),
                Steps::Group(steps) => steps.iter().for_each(|step| self.step(step)),
                Steps::OneOf(steps) => self.one_of(steps),
            }
        }
    }
}

/// Makes requests one after the other.
struct Writer<'a> {
    scenario: &'a Scenario,
    captures: Vec<Option<Box<[u8]>>>,
    rows: Vec<u64>,
    /// From each table so far.
    draws: Vec<u64>,
    body: Vec<u8>,
    bytes: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(scenario: &'a Scenario) -> Writer<'a> {
        Writer {
            scenario,
            // Whatever it is, it is masked.
            captures: vec![Some(Box::from(*b"-")); scenario.captures.len()],
            rows: vec![0; scenario.tables.len()],
            draws: vec![0; scenario.tables.len()],
            body: Vec::new(),
            bytes: Vec::new(),
        }
    }

    fn request(&mut self, entry: usize, number: u64) -> String {
        let entry = &self.scenario.entries[entry];
        let exchange = &self.scenario.requests[entry.request];
        let bytes = self.bytes_of(exchange, number);
        format!("--- {number}: {}\n{}\n", entry.name, readable(&bytes))
    }

    fn bytes_of(&mut self, exchange: &Exchange, number: u64) -> Vec<u8> {
        let message = &exchange.message;
        if let Some(payload) = message.fixed() {
            let (first, rest) = payload.piece(0..payload.length());
            let head = first[rest].to_vec();
            let (second, rest) = payload.piece(head.len()..payload.length());
            return [&head[..], &second[rest]].concat();
        }
        let mut dice = Dice::of(self.scenario.seed, REQUESTS, number);
        for place in message.tables() {
            let table = &self.scenario.tables[*place];
            let row = table.row(self.draws[*place], 0, 1, 1, &mut dice);
            self.rows[*place] = row.unwrap_or(0);
            self.draws[*place] += 1;
        }
        let mut context = Context {
            dice: &mut dice,
            number,
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
