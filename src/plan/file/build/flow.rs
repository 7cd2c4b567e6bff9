//! Who sends what and when: steps, the mix, and the rows of the results that follow from them.

use super::Builder;
use super::names::{self, Numbered};
use crate::error::Result;
use crate::plan::file::session::{SessionModel, StepOrder};
use crate::plan::file::{OnceSheet, Place, SessionSheet, StepSheet, StepTable, Text};
use crate::plan::scenario::flow::{Flow, Step, Steps, Think};
use crate::plan::scenario::{Entry, Model, Part};
use crate::time::Nanos;
use crate::units::{parse_count, parse_duration, quote};

/// Where requests are sent from.
#[derive(Debug)]
pub struct Entries {
    pub rows: Vec<Entry>,
    pub model: Model,
    pub run_setup: Vec<usize>,
    pub run_teardown: Vec<usize>,
}

/// Places that requests are sent from: each has books of its own on each worker, and a number of 16
/// bits.
const MOST_ENTRIES: usize = 10_000;

/// How deep groups may stand in groups.
const DEEPEST: usize = 16;

impl Builder<'_> {
    pub(super) fn entries(&self) -> Result<Entries> {
        let sheet = &self.written.sheet;
        let mut rows = Rows::default();
        let run_setup = self.once("setup", sheet.setup.as_ref(), Part::Setup, &mut rows)?;
        let model = match &sheet.session {
            Some(session) => self.session(session, &mut rows)?,
            None => self.all_requests(&mut rows)?,
        };
        let run_teardown =
            self.once("teardown", sheet.teardown.as_ref(), Part::Teardown, &mut rows)?;
        if rows.entries.len() > MOST_ENTRIES {
            let message = format!(
                "requests are sent from {} places, over {MOST_ENTRIES}; leave the rarest away, or \
                 write those that are alike as one with placeholders",
                rows.entries.len()
            );
            return Err(self.error(&Place::top("requests"), message));
        }
        Ok(Entries { rows: rows.entries, model, run_setup, run_teardown })
    }

    fn once(
        &self,
        key: &str,
        once: Option<&OnceSheet>,
        part: Part,
        rows: &mut Rows,
    ) -> Result<Vec<usize>> {
        let Some(once) = once else { return Ok(Vec::new()) };
        let place = Place::top(key).then("steps");
        if once.steps.is_empty() {
            return Err(
                self.error(&place, format!("[{key}] has no steps; name a request, or drop it"))
            );
        }
        self.named(&once.steps, &place, part, rows)
    }

    /// An entry for each name of a list.
    fn named(
        &self,
        names: &[String],
        place: &Place,
        part: Part,
        rows: &mut Rows,
    ) -> Result<Vec<usize>> {
        let entry = |(index, name): (usize, &String)| {
            let request = names::find(self.written, &self.names, name, &place.then(index))?;
            Ok(rows.add(&self.names[request], request, part, 0))
        };
        names.iter().enumerate().map(entry).collect()
    }

    fn all_requests(&self, rows: &mut Rows) -> Result<Model> {
        let mut mix = Vec::new();
        for request in self.for_the_load() {
            let weight = self.weight_of(request);
            if weight > 0 {
                mix.push((rows.add(&self.names[request], request, Part::Main, weight), weight));
            }
        }
        if mix.is_empty() {
            return Err(self.no_load());
        }
        self.mix(&mix)
    }

    fn no_load(&self) -> crate::error::Error {
        let place = Place::top("requests").then(0).then("weight");
        let message = match self.for_the_load().next() {
            Some(_) => "each request has a weight of 0; give one of them more",
            None => "each request is for setup or teardown; add one for the load",
        };
        self.error(&place, message)
    }

    /// The sum of weights is an integer of 64 bits somewhere.
    fn check_sum(&self, weights: impl Iterator<Item = u64>, place: &Place) -> Result<()> {
        match weights.map(u128::from).sum::<u128>() {
            0 => Err(self.error(place, "each weight is 0; give one of them more")),
            sum if sum > u128::from(u32::MAX) => {
                Err(self.error(place, "the weights add up to more than 4G; divide them all"))
            }
            _ => Ok(()),
        }
    }

    fn weight_of(&self, request: usize) -> u64 {
        self.written.sheet.requests[request].weight.unwrap_or(1)
    }

    /// All that are named in no setup and no teardown.
    fn for_the_load(&self) -> impl Iterator<Item = usize> {
        let sheet = &self.written.sheet;
        let session = sheet.session.as_ref();
        let lists = [
            sheet.setup.as_ref().map(|once| &once.steps),
            sheet.teardown.as_ref().map(|once| &once.steps),
            session.map(|session| &session.setup),
            session.map(|session| &session.teardown),
        ];
        let others: Vec<&String> = lists.into_iter().flatten().flatten().collect();
        let names = self.names.iter().enumerate();
        names.filter(move |(_, name)| !others.contains(name)).map(|(place, _)| place)
    }

    fn session(&self, session: &SessionSheet, rows: &mut Rows) -> Result<Model> {
        let place = Place::top("session");
        self.check_model(session, &place)?;
        let default = match &session.think {
            Some(text) => self.think(text, &place.then("think"))?,
            None => Think::Not,
        };
        let setup = self.named(&session.setup, &place.then("setup"), Part::Setup, rows)?;
        let weighted = session.order == StepOrder::Weighted;
        let steps = match &session.steps {
            Some(steps) => {
                let mut reader = Reader { builder: self, default, rows, depth: 0 };
                reader.steps(steps, &place.then("steps"))?
            }
            None => self.steps_of_all(default, rows)?,
        };
        if weighted {
            self.check_sum(steps.iter().map(|step| step.weight), &place.then("steps"))?;
        }
        let teardown =
            self.named(&session.teardown, &place.then("teardown"), Part::Teardown, rows)?;
        let flow = Flow { setup, steps, weighted, teardown, rounds: session.rounds };
        // The engine takes it that there is one.
        flow.program().map_err(|error| self.error(&place.then("steps"), error.message))?;
        Ok(match session.model {
            SessionModel::Users => Model::Users(flow),
            SessionModel::Sessions => Model::Sessions(flow),
        })
    }

    fn check_model(&self, session: &SessionSheet, place: &Place) -> Result<()> {
        let refuse = |key: &str, message: &str| Err(self.error(&place.then(key), message));
        match (session.model, self.around.has_rate) {
            (SessionModel::Sessions, false) => refuse(
                "model",
                "\"sessions\" arrive by a schedule; add a rate: rps or stages in [load], or --rps",
            ),
            (SessionModel::Users, true) => refuse(
                "model",
                "\"users\" send when they are answered, and a rate says when; drop rps, stages or \
                 steps, or take model = \"sessions\"",
            ),
            (SessionModel::Sessions, true) if session.rounds.is_some() => refuse(
                "rounds",
                "a session takes its steps once; drop it, or put them into a group with repeat",
            ),
            _ if session.rounds == Some(0) => refuse("rounds", "0 is no round; give 1 or more"),
            _ => Ok(()),
        }
    }

    fn steps_of_all(&self, think: Think, rows: &mut Rows) -> Result<Vec<Step>> {
        let step = |request: usize| {
            let weight = self.weight_of(request);
            let entry = rows.add(&self.names[request], request, Part::Main, weight);
            Step { what: Steps::One(entry), repeat: (1, 1), probability: 1.0, weight, think }
        };
        let steps: Vec<Step> = self.for_the_load().map(step).collect();
        if steps.is_empty() { Err(self.no_load()) } else { Ok(steps) }
    }

    fn think(&self, text: &Text, place: &Place) -> Result<Think> {
        let wrong = || {
            let given = quote(&text.0);
            let message =
                format!("{given} is no think time; write \"2s\", \"1s..3s\" or \"exp 2s\"");
            self.error(place, message)
        };
        let time = |text: &str| parse_duration(text.trim()).map_err(|_| wrong());
        if let Some(mean) = text.0.strip_prefix("exp ") {
            return time(mean).map(|mean| {
                if mean == Nanos::ZERO { Think::Not } else { Think::Exponential(mean) }
            });
        }
        match text.0.split_once("..") {
            Some((least, most)) => match (time(least)?, time(most)?) {
                (least, most) if least > most => Err(self.error(
                    place,
                    format!("{} ends before it begins; swap its ends", quote(&text.0)),
                )),
                (least, most) if least == most => Ok(constant(least)),
                (least, most) => Ok(Think::Uniform(least, most)),
            },
            None => time(&text.0).map(constant),
        }
    }
}

fn constant(time: Nanos) -> Think {
    if time == Nanos::ZERO { Think::Not } else { Think::Constant(time) }
}

/// Reads steps, and makes an entry of each request in them.
struct Reader<'a, 'b> {
    builder: &'a Builder<'b>,
    default: Think,
    rows: &'a mut Rows,
    depth: usize,
}

impl Reader<'_, '_> {
    fn steps(&mut self, steps: &[StepSheet], place: &Place) -> Result<Vec<Step>> {
        if steps.is_empty() {
            return Err(self.builder.error(place, "there is no step in it; name a request"));
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.builder.error(place, "groups stand 16 deep in groups; flatten them"));
        }
        let read =
            steps.iter().enumerate().map(|(index, step)| self.step(step, &place.then(index)));
        let read = read.collect();
        self.depth -= 1;
        read
    }

    fn step(&mut self, step: &StepSheet, place: &Place) -> Result<Step> {
        match step {
            StepSheet::Request(name) => {
                let table = StepTable { request: Some(name.0.clone()), ..StepTable::default() };
                self.table(&table, place, place)
            }
            StepSheet::Table(table) => self.table(table, place, &place.then("request")),
        }
    }

    /// `of_name`: where the request's name stands.
    fn table(&mut self, step: &StepTable, place: &Place, of_name: &Place) -> Result<Step> {
        let builder = self.builder;
        let think = match &step.think {
            Some(text) => builder.think(text, &place.then("think"))?,
            None if step.request.is_some() => self.default,
            None => Think::Not,
        };
        let repeat = match &step.repeat {
            Some(text) => self.repeat(text, &place.then("repeat"))?,
            None => (1, 1),
        };
        let probability = step.probability.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&probability) {
            let message = "a probability is from 0 to 1; write 0.5 for every other time";
            return Err(builder.error(&place.then("probability"), message));
        }
        let mut weight = step.weight.unwrap_or(1);
        let what = match (&step.request, &step.steps, &step.one_of) {
            (Some(name), None, None) => {
                let request = names::find(builder.written, &builder.names, name, of_name)?;
                weight = step.weight.unwrap_or_else(|| builder.weight_of(request));
                let name = step.name.as_deref().unwrap_or(&builder.names[request]);
                Steps::One(self.rows.add(name, request, Part::Main, weight))
            }
            (None, Some(steps), None) => Steps::Group(self.steps(steps, &place.then("steps"))?),
            (None, None, Some(steps)) => {
                let here = place.then("one_of");
                let steps = self.steps(steps, &here)?;
                builder.check_sum(steps.iter().map(|step| step.weight), &here)?;
                Steps::OneOf(steps)
            }
            _ => {
                let message = "a step is one of `request`, `steps` and `one_of`; write one of them";
                return Err(builder.error(place, message));
            }
        };
        if step.name.is_some() && step.request.is_none() {
            let message = "only a request has a name in the results; drop it";
            return Err(builder.error(&place.then("name"), message));
        }
        Ok(Step { what, repeat, probability, weight, think })
    }

    /// `3` or `1..3`.
    fn repeat(&self, text: &Text, place: &Place) -> Result<(u32, u32)> {
        let (least, most) = text.0.split_once("..").unwrap_or((&text.0, &text.0));
        let count = |text: &str| parse_count(text.trim()).ok().and_then(|n| u32::try_from(n).ok());
        match (count(least), count(most)) {
            (Some(least), Some(most)) if 1 <= least && least <= most => Ok((least, most)),
            _ => Err(self.builder.error(
                place,
                format!(
                    "{} is no number of times; write 3 or \"1..3\", or use `probability` for \
                     steps that are left out",
                    quote(&text.0)
                ),
            )),
        }
    }
}

/// The entries, as they come.
#[derive(Default)]
struct Rows {
    entries: Vec<Entry>,
    names: Numbered,
}

impl Rows {
    fn add(&mut self, name: &str, request: usize, part: Part, weight: u64) -> usize {
        let name = self.names.next(name);
        self.entries.push(Entry { name, request, part, weight });
        self.entries.len() - 1
    }
}
