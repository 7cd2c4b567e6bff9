//! The flow of a user: steps, thinking in between, loops, chance. [`Flow::program`] takes it apart
//! to a list of operations, so that a user is no more than a place in that list.

use crate::dice::Dice;
use crate::error::{Error, Result};
use crate::time::Nanos;

/// What a user does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// Once, at first: places of entries.
    pub setup: Vec<usize>,
    pub steps: Vec<Step>,
    /// Each round takes one of the steps, by weight, instead of all in order.
    pub weighted: bool,
    /// Once, at last.
    pub teardown: Vec<usize>,
    /// Rounds that a user makes; `None`: until the run ends. A session makes one.
    pub rounds: Option<u64>,
}

/// One step of a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub what: Steps,
    /// How often in a row: any of these, each as likely.
    pub repeat: (u32, u32),
    /// How likely it is taken at all; 1: always.
    pub probability: f64,
    /// Where one of several is chosen; 1 unless said.
    pub weight: u64,
    /// After each time.
    pub think: Think,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Steps {
    /// The place of an entry.
    One(usize),
    /// All of these, in order.
    Group(Vec<Step>),
    /// One of these, by weight.
    OneOf(Vec<Step>),
}

impl Step {
    /// Without a thought, nor any in it.
    pub fn hasten(&mut self) {
        self.think = Think::Not;
        if let Steps::Group(steps) | Steps::OneOf(steps) = &mut self.what {
            steps.iter_mut().for_each(Step::hasten);
        }
    }
}

/// How long a user thinks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Think {
    #[default]
    Not,
    Constant(Nanos),
    Uniform(Nanos, Nanos),
    /// Of this mean.
    Exponential(Nanos),
}

impl Think {
    #[inline]
    pub fn draw(self, dice: &mut Dice) -> Nanos {
        match self {
            Think::Not => Nanos::ZERO,
            Think::Constant(time) => time,
            Think::Uniform(from, to) => from + Nanos(dice.below((to - from).0.saturating_add(1))),
            // The inverse of its distribution; `1 - unit` is never 0.
            Think::Exponential(mean) => Nanos((-(1.0 - dice.unit()).ln() * mean.0 as f64) as u64),
        }
    }

    pub fn mean(self) -> Nanos {
        match self {
            Think::Not => Nanos::ZERO,
            Think::Constant(time) | Think::Exponential(time) => time,
            Think::Uniform(from, to) => Nanos(from.0 / 2 + to.0 / 2),
        }
    }
}

/// How deep loops may stand in loops.
pub const DEEPEST: usize = 4;

/// Operations of a program at most.
const LONGEST: usize = 10_000;

/// What a user does next. A place is that of an operation in the program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Sends the entry and waits for its answer.
    Send(u16),
    Think(Think),
    /// Goes on so often of 2^53, and to the place otherwise.
    Chance(u64, u16),
    /// A loop of as many turns begins.
    Loop {
        counter: u8,
        turns: (u32, u32),
    },
    /// A turn of it is over: back to the place while there are more.
    Again {
        counter: u8,
        to: u16,
    },
    /// To one of the places of the choice of that number.
    Choose(u16),
    Jump(u16),
    /// A round begins.
    Round,
    /// A round is over: there may be another one.
    Over,
    /// The user is done.
    Leave,
}

/// A flow as operations.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub ops: Vec<Op>,
    /// The sums of the weights up to each place, and the place.
    pub choices: Vec<Vec<(u64, u16)>>,
    /// Where the first round begins.
    pub round: u16,
    /// What is done at last.
    pub teardown: u16,
    pub rounds: Option<u64>,
    /// A round is one step, and no session of several.
    pub weighted: bool,
}

impl Program {
    /// Entries that it may send.
    pub fn entries(&self) -> impl Iterator<Item = usize> + '_ {
        self.ops.iter().filter_map(|op| match op {
            Op::Send(entry) => Some(usize::from(*entry)),
            _ => None,
        })
    }

    /// The first entry of the main part: what somebody who never came would have sent.
    pub fn first(&self) -> u16 {
        let main = &self.ops[usize::from(self.round)..usize::from(self.teardown)];
        let sent =
            main.iter().find_map(|op| if let Op::Send(entry) = op { Some(*entry) } else { None });
        sent.unwrap_or(0)
    }

    pub fn has_teardown(&self) -> bool {
        usize::from(self.teardown) + 1 < self.ops.len()
    }
}

impl Flow {
    pub fn program(&self) -> Result<Program> {
        let mut maker = Maker::default();
        self.setup.iter().for_each(|entry| maker.ops.push(Op::Send(*entry as u16)));
        let round = maker.place();
        maker.ops.push(Op::Round);
        if self.weighted {
            maker.one_of(&self.steps)?;
        } else {
            self.steps.iter().try_for_each(|step| maker.step(step))?;
        }
        maker.ops.push(Op::Over);
        let teardown = maker.place();
        self.teardown.iter().for_each(|entry| maker.ops.push(Op::Send(*entry as u16)));
        maker.ops.push(Op::Leave);
        if maker.ops.len() > LONGEST {
            return Err(Error::usage(format!(
                "the steps of a session are over {LONGEST} in all; write them as loops"
            )));
        }
        let Maker { ops, choices, .. } = maker;
        Ok(Program { ops, choices, round, teardown, rounds: self.rounds, weighted: self.weighted })
    }
}

#[derive(Default)]
struct Maker {
    ops: Vec<Op>,
    choices: Vec<Vec<(u64, u16)>>,
    depth: usize,
}

impl Maker {
    /// Where the next operation will stand. Programs that are too long are refused at the end.
    fn place(&self) -> u16 {
        self.ops.len().min(usize::from(u16::MAX)) as u16
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        let chance = (step.probability < 1.0).then(|| {
            self.ops.push(Op::Chance(chance(step.probability), 0));
            self.ops.len() - 1
        });
        let loops = step.repeat != (1, 1);
        if loops {
            self.begin_loop(step)?;
        }
        let start = self.place();
        match &step.what {
            Steps::One(entry) => self.ops.push(Op::Send(*entry as u16)),
            Steps::Group(steps) => steps.iter().try_for_each(|step| self.step(step))?,
            Steps::OneOf(steps) => self.one_of(steps)?,
        }
        if step.think != Think::Not {
            self.ops.push(Op::Think(step.think));
        }
        if loops {
            self.depth -= 1;
            self.ops.push(Op::Again { counter: self.depth as u8, to: start });
        }
        let end = self.place();
        if let Some(at) = chance
            && let Op::Chance(_, to) = &mut self.ops[at]
        {
            *to = end;
        }
        Ok(())
    }

    fn begin_loop(&mut self, step: &Step) -> Result<()> {
        if self.depth == DEEPEST {
            return Err(Error::usage(format!(
                "steps that repeat stand in more than {DEEPEST} others that do; write them flatter"
            )));
        }
        self.ops.push(Op::Loop { counter: self.depth as u8, turns: step.repeat });
        self.depth += 1;
        Ok(())
    }

    fn one_of(&mut self, steps: &[Step]) -> Result<()> {
        let choice = self.choices.len();
        self.choices.push(Vec::new());
        self.ops.push(Op::Choose(choice as u16));
        let (mut sum, mut places, mut jumps) = (0u64, Vec::new(), Vec::new());
        for step in steps.iter().filter(|step| step.weight > 0) {
            sum = sum.checked_add(step.weight).ok_or_else(|| {
                Error::usage("the weights of steps are too large together; write smaller ones")
            })?;
            places.push((sum, self.place()));
            self.step(step)?;
            jumps.push(self.ops.len());
            self.ops.push(Op::Jump(0));
        }
        if places.is_empty() {
            return Err(Error::usage(
                "of the steps to choose from none has a weight; give one at least 1",
            ));
        }
        self.choices[choice] = places;
        let end = self.place();
        jumps.into_iter().for_each(|at| self.ops[at] = Op::Jump(end));
        Ok(())
    }
}

/// Of 2^53, which is the grain of what is drawn.
fn chance(probability: f64) -> u64 {
    (probability.clamp(0.0, 1.0) * (1u64 << 53) as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn step(what: Steps) -> Step {
        Step { what, repeat: (1, 1), probability: 1.0, weight: 1, think: Think::Not }
    }

    fn program(steps: Vec<Step>) -> Program {
        Flow { setup: vec![7], steps, teardown: vec![8], ..Flow::default() }.program().unwrap()
    }

    #[test]
    fn steps_in_order_are_sent_in_order() {
        let think = Think::Constant(Nanos(5));
        let steps = vec![Step { think, ..step(Steps::One(1)) }, step(Steps::One(2))];
        let made = program(steps);
        let main = [Op::Round, Op::Send(1), Op::Think(think), Op::Send(2), Op::Over];
        assert_eq!(made.ops, [&[Op::Send(7)], &main[..], &[Op::Send(8), Op::Leave]].concat());
        assert_eq!((made.round, made.teardown), (1, 6));
    }

    #[test]
    fn a_loop_with_a_chance_is_skipped_as_a_whole() {
        let one = Step { repeat: (2, 3), probability: 0.5, ..step(Steps::One(1)) };
        let made = program(vec![one, step(Steps::One(2))]);
        let expected = [
            Op::Chance(1 << 52, 6),
            Op::Loop { counter: 0, turns: (2, 3) },
            Op::Send(1),
            Op::Again { counter: 0, to: 4 },
            Op::Send(2),
        ];
        assert_eq!(made.ops[2..7], expected);
    }

    #[test]
    fn a_choice_leads_to_one_of_its_steps_and_behind_all_of_them() {
        let weigh = |entry, weight| Step { weight, ..step(Steps::One(entry)) };
        let steps = vec![weigh(1, 3), weigh(2, 0), weigh(3, 2)];
        let made = program(vec![step(Steps::OneOf(steps))]);
        assert_eq!(made.choices, [[(3, 3), (5, 5)]]);
        let expected = [Op::Choose(0), Op::Send(1), Op::Jump(7), Op::Send(3), Op::Jump(7)];
        assert_eq!(made.ops[2..7], expected);
    }

    #[test]
    fn too_deep_too_long_and_without_weight_are_refused() {
        let mut deep = step(Steps::One(0));
        for _ in 0..=DEEPEST {
            deep = Step { repeat: (2, 2), ..step(Steps::Group(vec![deep])) };
        }
        let idle = Step { weight: 0, ..step(Steps::One(1)) };
        let long = (0..=LONGEST).map(|_| step(Steps::One(0))).collect();
        for steps in [vec![deep], vec![step(Steps::OneOf(vec![idle]))], long] {
            assert!(Flow { steps, ..Flow::default() }.program().is_err());
        }
    }

    #[test]
    fn thinking_times_have_their_mean_and_their_bounds() {
        let (from, to) = (Nanos::from_secs(1), Nanos::from_secs(3));
        let mut dice = Dice::of(1, 0, 0);
        let mean = |think: Think, dice: &mut Dice| {
            let sum: u64 = (0..20_000).map(|_| think.draw(dice).0).sum();
            sum as f64 / 20_000.0 / 1e9
        };
        for _ in 0..1_000 {
            assert!((from..=to).contains(&Think::Uniform(from, to).draw(&mut dice)));
        }
        assert!((mean(Think::Uniform(from, to), &mut dice) - 2.0).abs() < 0.02);
        assert!((mean(Think::Exponential(to), &mut dice) - 3.0).abs() < 0.1);
        assert_eq!(mean(Think::Constant(to), &mut dice), 3.0);
    }
}
