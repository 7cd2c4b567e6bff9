//! A user: a place in the program of its flow, and what it remembers. Knows no connection and no
//! clock; [`User::act`] says what it does next.

use crate::dice::Dice;
use crate::http::Jar;
use crate::metrics::Phase;
use crate::plan::scenario::flow::DEEPEST;
use crate::plan::scenario::{Op, Program, lots};
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
    /// Something was answered or thought in this round.
    is_busy: bool,
    /// It leaves because it is to, and not because it is done.
    pub is_sent_away: bool,
    /// How many came with its number before it: they did not say the same.
    pub before: u32,
    /// Rows were drawn when it came: for its setup, and for its first round.
    pub has_rows: bool,
    /// The phase and the stage that it came in.
    pub arrival: (Phase, u16),
}

/// How long a user waits who had nothing to do in a whole round; else it would never let go.
const IDLE_ROUND: Nanos = Nanos::from_millis(1);

/// How long a user waits before it tries to set itself up again.
const RETRY: Nanos = Nanos::from_secs(1);

impl User {
    pub fn absent(captures: usize, tables: usize) -> User {
        User {
            state: State::Absent,
            place: 0,
            turns: [0; DEEPEST],
            rounds: 0,
            dice: lots::of_user(0, 0, 0),
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
            is_sent_away: false,
            before: 0,
            has_rows: false,
            arrival: (Phase::Measure, 0),
        }
    }

    /// A new one comes, of that number, at that time; it remembers nothing.
    pub fn come(&mut self, seed: u64, number: u64, due: Nanos) {
        (self.state, self.place, self.rounds) = (State::Ready, 0, 0);
        (self.number, self.dice) = (number, lots::of_user(seed, number, self.before));
        self.is_sent_away = false;
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

    /// Since when it could go on: the last answer was in then, or the last thought over.
    pub fn due(&self) -> Nanos {
        self.due
    }

    /// It came in warm-up.
    pub fn is_early(&self) -> bool {
        self.arrival.0 == Phase::Warmup
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
                    self.state = State::Waiting;
                    return Act::Send(entry, self.due);
                }
                Op::Think(think) => {
                    let time = think.draw(&mut self.dice);
                    if time > Nanos::ZERO {
                        self.is_busy = true;
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
        (self.state, self.due, self.is_busy) = (State::Ready, now, true);
        self.is_spoilt |= !good;
        if !good && self.is_in_setup(program) {
            // Without what its setup brings it has no business here.
            self.place = 0;
            self.state = State::Thinking(now + RETRY);
        }
    }

    /// It is to go: what it had in mind is left undone. True if a round of which it had done
    /// something was.
    pub fn dismiss(&mut self, program: &Program, now: Nanos) -> bool {
        let has_acted = self.is_busy || self.state == State::Waiting;
        let was_under_way = has_acted && self.is_in_round(program);
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

    /// All that there was to do in its round is done.
    pub fn has_done_its_round(&self, program: &Program) -> bool {
        let mut place = self.place;
        while self.state == State::Ready && self.is_busy && self.is_in_round(program) {
            match program.ops[usize::from(place)] {
                Op::Over => return true,
                Op::Jump(to) => place = to,
                Op::Again { counter, .. } if self.turns[usize::from(counter)] <= 1 => place += 1,
                _ => return false,
            }
        }
        false
    }

    fn is_in_round(&self, program: &Program) -> bool {
        self.place > program.round && !self.is_leaving(program)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::scenario::{Flow, Step, Steps, Think};

    const SECOND: Nanos = Nanos::from_secs(1);

    fn step(entry: usize) -> Step {
        let what = Steps::One(entry);
        Step { what, repeat: (1, 1), probability: 1.0, weight: 1, think: Think::Not }
    }

    fn program(steps: Vec<Step>, rounds: Option<u64>) -> Program {
        let flow = Flow { setup: vec![8], steps, teardown: vec![9], weighted: false, rounds };
        flow.program().expect("a program")
    }

    fn come() -> User {
        let mut user = User::absent(1, 1);
        user.come(1, 1, SECOND);
        user
    }

    /// What it does, each answer good and at once, until it rests or leaves.
    fn acts(user: &mut User, program: &Program, now: Nanos) -> Vec<Act> {
        let mut acts = Vec::new();
        while acts.len() < 100 {
            let act = user.act(program, now);
            acts.push(act);
            match act {
                Act::Send(..) => user.took(true, program, now),
                Act::Draw | Act::Over => {}
                Act::Rest(_) | Act::Wait | Act::Leave | Act::Gone => break,
            }
        }
        acts
    }

    fn sends(acts: &[Act]) -> Vec<u16> {
        let sent = |act: &Act| if let Act::Send(entry, _) = act { Some(*entry) } else { None };
        acts.iter().filter_map(sent).collect()
    }

    #[test]
    fn a_user_sets_up_makes_its_rounds_takes_down_and_leaves() {
        let program = program(vec![step(1), step(2)], Some(2));
        let mut user = come();
        let acts = acts(&mut user, &program, SECOND);
        assert_eq!(sends(&acts), [8, 1, 2, 1, 2, 9]);
        assert_eq!(acts.last(), Some(&Act::Leave));
        assert_eq!(acts.iter().filter(|act| **act == Act::Over).count(), 2);
        assert_eq!((user.state, user.act(&program, SECOND)), (State::Left, Act::Gone));
    }

    #[test]
    fn what_follows_a_thought_is_due_when_the_thought_ends() {
        let think = Think::Constant(SECOND);
        let program = program(vec![Step { think, ..step(1) }, step(2)], Some(1));
        let mut user = come();
        let until = SECOND + SECOND;
        assert_eq!(acts(&mut user, &program, SECOND).last(), Some(&Act::Rest(until)));
        assert_eq!(user.act(&program, until - Nanos(1)), Act::Wait);
        assert_eq!(user.act(&program, until + Nanos(5)), Act::Send(2, until));
        assert_eq!(user.act(&program, until + Nanos(6)), Act::Wait, "for its answer");
    }

    #[test]
    fn loops_and_chance_keep_to_their_numbers() {
        let often = Step { repeat: (2, 4), ..step(1) };
        let never = Step { probability: 0.0, ..step(2) };
        let half = Step { probability: 0.5, ..step(3) };
        let program = program(vec![often, never, half], None);
        let (mut user, mut turns, mut halves, mut rounds) = (come(), 0, 0, 0);
        let mut in_round = 0;
        while rounds < 10_000 {
            match user.act(&program, SECOND) {
                Act::Send(entry, _) => {
                    (turns, halves) =
                        (turns + u64::from(entry == 1), halves + u64::from(entry == 3));
                    in_round += u64::from(entry == 1);
                    assert_ne!(entry, 2);
                    user.took(true, &program, SECOND);
                }
                Act::Over => {
                    assert!((2..=4).contains(&in_round));
                    (rounds, in_round) = (rounds + 1, 0);
                }
                act => assert_eq!(act, Act::Draw),
            }
        }
        assert!((29_500..30_500).contains(&turns), "{turns}");
        assert!((4_800..5_200).contains(&halves), "{halves}");
    }

    #[test]
    fn the_steps_to_choose_from_come_by_their_weights() {
        let weigh = |entry, weight| Step { weight, ..step(entry) };
        let steps = vec![weigh(1, 10), weigh(2, 3), weigh(3, 0), weigh(4, 1)];
        let flow = Flow { steps, weighted: true, ..Flow::default() };
        let (program, mut user, mut counts) = (flow.program().unwrap(), come(), [0; 5]);
        for _ in 0..28_000 {
            loop {
                match user.act(&program, SECOND) {
                    Act::Send(entry, _) => {
                        counts[usize::from(entry)] += 1;
                        user.took(true, &program, SECOND);
                    }
                    Act::Over => break,
                    _ => {}
                }
            }
        }
        assert!((19_700..20_300).contains(&counts[1]), "{counts:?}");
        assert!((5_750..6_250).contains(&counts[2]), "{counts:?}");
        assert_eq!(counts[3], 0);
    }

    #[test]
    fn a_setup_that_fails_is_tried_again_after_a_second() {
        let program = program(vec![step(1)], None);
        let mut user = come();
        assert_eq!(user.act(&program, SECOND), Act::Send(8, SECOND));
        user.took(false, &program, SECOND);
        assert_eq!(user.state, State::Thinking(SECOND + RETRY));
        assert_eq!(user.act(&program, SECOND + RETRY), Act::Send(8, SECOND + RETRY));
        user.took(true, &program, SECOND + RETRY);
        assert_eq!(user.act(&program, SECOND + RETRY), Act::Draw);
        assert_eq!(user.act(&program, SECOND + RETRY), Act::Send(1, SECOND + RETRY));
        user.took(false, &program, SECOND + RETRY);
        assert_eq!((user.state, user.is_spoilt), (State::Ready, true));
    }

    #[test]
    fn who_is_dismissed_takes_himself_down_if_he_has_set_himself_up() {
        let program = program(vec![step(1), step(2)], None);
        let mut fresh = come();
        assert!(!fresh.dismiss(&program, SECOND));
        assert_eq!(fresh.act(&program, SECOND), Act::Leave);
        let mut user = come();
        for _ in 0..3 {
            if let Act::Send(..) = user.act(&program, SECOND) {
                user.took(true, &program, SECOND);
            }
        }
        assert!(user.dismiss(&program, SECOND), "a round was under way");
        assert_eq!(sends(&acts(&mut user, &program, SECOND)), [9]);
    }

    #[test]
    fn a_round_without_anything_to_do_lets_others_have_their_turn() {
        let never = Step { probability: 0.0, ..step(1) };
        let flow = Flow { steps: vec![never], ..Flow::default() };
        let (program, mut user) = (flow.program().unwrap(), come());
        assert_eq!(user.act(&program, SECOND), Act::Draw);
        assert_eq!(user.act(&program, SECOND), Act::Over);
        assert_eq!(user.may_go_on(SECOND), Some(SECOND + IDLE_ROUND));
    }

    #[test]
    fn who_comes_again_draws_something_else_and_a_run_can_be_repeated() {
        let (mut first, mut second) = (come(), come());
        let draws = [first.dice.next(), second.dice.next()];
        assert_eq!(draws[0], draws[1]);
        first.before += 1;
        first.come(1, 1, SECOND);
        assert_ne!(first.dice.next(), draws[0]);
    }

    #[test]
    fn what_is_put_off_is_next_again() {
        let program = program(vec![step(1)], None);
        let mut user = come();
        let first = user.act(&program, SECOND);
        user.put_off();
        assert_eq!(user.act(&program, SECOND), first);
    }

    #[test]
    fn a_user_is_small() {
        let user = User::absent(4, 2);
        assert!(size_of::<User>() + user.memory() <= 512, "{}", size_of::<User>() + user.memory());
    }
}
