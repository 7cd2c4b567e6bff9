//! A user: a place in the program of its flow, and what it remembers. Knows no connection and no
//! clock; [`User::act`] says what it does next.

use crate::dice::Dice;
use crate::http::Jar;
use crate::plan::scenario::flow::DEEPEST;
use crate::plan::scenario::{Op, Program};
use crate::time::Nanos;

/// What a user does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Sends this entry, due at that time.
    Send(u16, Nanos),
    /// Nothing before that time.
    Rest(Nanos),
    /// A round begins: it wants rows of the data.
    Draw,
    /// A round is over, and took all of its steps.
    Over,
    /// It waits for an answer, or thinks.
    Wait,
    /// It leaves.
    Leave,
    /// It has left before.
    Gone,
}

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not come yet.
    Absent,
    /// It acts when asked.
    Ready,
    Thinking(Nanos),
    /// A request of it is on its way.
    Waiting,
    /// It has gone, and does not come again by itself.
    Left,
}

#[derive(Debug)]
pub struct User {
    pub state: State,
    /// The operation that is next.
    place: u16,
    turns: [u32; DEEPEST],
    rounds: u64,
    pub dice: Dice,
    /// From 1.
    pub number: u64,
    /// Since when the next request is due.
    due: Nanos,
    /// What it captured, by the captures' places.
    pub captures: Box<[Option<Box<[u8]>>]>,
    /// The row of each table.
    pub rows: Box<[u64]>,
    pub jar: Jar,
    /// When the round began, and whether it is measured.
    pub began: Nanos,
    pub is_measured: bool,
    /// Some request of the round came to nothing good.
    pub is_spoilt: bool,
    /// A request of the main part was sent since it came.
    pub has_begun: bool,
    /// Something was sent or thought in this round.
    is_busy: bool,
    /// Rows were drawn when it came: for its setup, and for its first round.
    pub has_rows: bool,
    /// It came in warm-up.
    pub is_early: bool,
}

/// How long a user waits who had nothing to do in a whole round; else it would never let go.
const IDLE_ROUND: Nanos = Nanos::from_millis(1);

/// How long a user waits before it tries to set itself up again.
const RETRY: Nanos = Nanos::from_secs(1);

/// The stream of the dice of users.
const USERS: u64 = 0x7573_6572_73;

impl User {
    pub fn absent(captures: usize, tables: usize) -> User {
        User {
            state: State::Absent,
            place: 0,
            turns: [0; DEEPEST],
            rounds: 0,
            dice: Dice::of(0, USERS, 0),
            number: 0,
            due: Nanos::ZERO,
            captures: vec![None; captures].into(),
            rows: vec![0; tables].into(),
            jar: Jar::default(),
            began: Nanos::ZERO,
            is_measured: false,
            is_spoilt: false,
            has_begun: false,
            is_busy: false,
            has_rows: false,
            is_early: false,
        }
    }

    /// A new one comes, of that number, at that time; it remembers nothing.
    pub fn come(&mut self, seed: u64, number: u64, due: Nanos) {
        (self.state, self.place, self.rounds) = (State::Ready, 0, 0);
        (self.number, self.dice) = (number, Dice::of(seed, USERS, number));
        self.captures.iter_mut().for_each(|value| *value = None);
        self.jar = Jar::default();
        (self.due, self.began) = (due, due);
        (self.is_spoilt, self.has_begun, self.is_busy) = (false, false, false);
        self.has_rows = true;
    }

    /// It is between its coming and its leaving.
    pub fn is_there(&self) -> bool {
        !matches!(self.state, State::Absent | State::Left)
    }

    /// It is setting itself up.
    pub fn is_in_setup(&self, program: &Program) -> bool {
        self.place <= program.round
    }

    /// It is taking itself down.
    pub fn is_leaving(&self, program: &Program) -> bool {
        self.place >= program.teardown
    }

    /// What comes next. Those acts that need no answer follow one another: it is asked again.
    #[inline]
    pub fn act(&mut self, program: &Program, now: Nanos) -> Act {
        match self.state {
            State::Ready => {}
            State::Thinking(until) if until <= now => {
                (self.state, self.due) = (State::Ready, until)
            }
            State::Thinking(_) | State::Waiting => return Act::Wait,
            State::Absent | State::Left => return Act::Gone,
        }
        loop {
            let op = program.ops[usize::from(self.place)];
            self.place += 1;
            match op {
                Op::Send(entry) => {
                    (self.state, self.is_busy) = (State::Waiting, true);
                    return Act::Send(entry, self.due);
                }
                Op::Think(think) => {
                    let time = think.draw(&mut self.dice);
                    self.is_busy = true;
                    if time > Nanos::ZERO {
                        return self.rest(self.due.max(now) + time);
                    }
                }
                Op::Chance(chance, to) if self.dice.next() >> 11 >= chance => self.place = to,
                Op::Chance(..) => {}
                Op::Loop { counter, turns: (least, most) } => {
                    let turns = least + self.dice.below(u64::from(most - least) + 1) as u32;
                    self.turns[usize::from(counter)] = turns;
                }
                Op::Again { counter, to } => {
                    let left = &mut self.turns[usize::from(counter)];
                    *left = left.saturating_sub(1);
                    if *left > 0 {
                        self.place = to;
                    }
                }
                Op::Choose(choice) => {
                    self.place = self.choose(&program.choices[usize::from(choice)])
                }
                Op::Jump(to) => self.place = to,
                Op::Round => {
                    self.began = self.due;
                    (self.is_spoilt, self.is_busy) = (false, false);
                    return Act::Draw;
                }
                Op::Over => {
                    self.rounds += 1;
                    let is_last = program.rounds.is_some_and(|rounds| self.rounds >= rounds);
                    self.place = if is_last { program.teardown } else { program.round };
                    return Act::Over;
                }
                Op::Leave => {
                    self.state = State::Left;
                    return Act::Leave;
                }
            }
        }
    }

    /// After a round in which there was nothing to do, it waits a little.
    pub fn may_go_on(&mut self, now: Nanos) -> Option<Nanos> {
        if self.is_busy || !self.is_there() {
            return None;
        }
        let until = now + IDLE_ROUND;
        self.state = State::Thinking(until);
        Some(until)
    }

    /// What it was about to send cannot be sent now: it will be next again.
    pub fn put_off(&mut self) {
        self.state = State::Ready;
        self.place -= 1;
    }

    /// Its request has its fate.
    pub fn took(&mut self, good: bool, program: &Program, now: Nanos) {
        if self.state != State::Waiting {
            return;
        }
        (self.state, self.due) = (State::Ready, now);
        self.is_spoilt |= !good;
        if !good && self.is_in_setup(program) {
            // Without what its setup brings it has no business here.
            self.place = 0;
            self.state = State::Thinking(now + RETRY);
        }
    }

    /// It is to go: what it had in mind is left undone. True if a round was.
    pub fn dismiss(&mut self, program: &Program, now: Nanos) -> bool {
        let was_under_way = self.place > program.round && !self.is_leaving(program);
        if !self.is_leaving(program) {
            let has_set_up = self.place >= program.round;
            self.place = program.teardown;
            if !has_set_up {
                self.place = program.ops.len() as u16 - 1;
            }
        }
        (self.state, self.due) = (State::Ready, now);
        was_under_way
    }

    pub fn memory(&self) -> usize {
        let captured = self.captures.iter().flatten().map(|value| value.len()).sum::<usize>();
        size_of_val(&*self.captures) + captured + size_of_val(&*self.rows) + self.jar.memory()
    }

    fn rest(&mut self, until: Nanos) -> Act {
        self.state = State::Thinking(until);
        Act::Rest(until)
    }

    fn choose(&mut self, choice: &[(u64, u16)]) -> u16 {
        let sum = choice.last().map_or(1, |(sum, _)| *sum);
        let drawn = self.dice.below(sum);
        choice[choice.partition_point(|(sum, _)| *sum <= drawn)].1
    }
}
