//! Who acts. In a mix nobody in particular: each request stands for itself. Users and sessions have
//! a slot each, and with it a place in their flow.

use std::sync::Arc;

use super::user::{Act, State, User};
use super::{Script, Slot};
use crate::dice::Dice;
use crate::engine::job::{Arrivals, Job};
use crate::engine::pacer::Due;
use crate::engine::tally::Tally;
use crate::metrics::{Phase, SessionEnd};
use crate::plan::Scenario;
use crate::plan::answer::Captured;
use crate::plan::data::Table;
use crate::plan::scenario::{Flow, Mix, Model, Program, lots};
use crate::plan::template::Context;
use crate::time::Nanos;

pub enum Cast {
    Mix(Repertoire),
    Users(Ensemble),
    Sessions(Ensemble),
}

/// What a mix chooses from.
pub struct Repertoire {
    /// Gone through over and over.
    table: Vec<u16>,
    random: bool,
    /// Where this worker begins.
    start: u64,
    /// It takes each of so many places, so that all workers together take them in order: a
    /// schedule's requests have an order, and a closed loop's have none.
    stride: u64,
    seed: u64,
    /// The dice and the rows of the request that is being made.
    dice: Dice,
    rows: Box<[u64]>,
}

/// Users, by slot.
pub struct Ensemble {
    program: Program,
    users: Vec<User>,
    seed: u64,
    /// What their rounds draw rows from.
    tables: Vec<usize>,
    /// How many have come so far, how many of them are there, and how many have left for good.
    come: u64,
    there: usize,
    left: usize,
}

/// What is to be done for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This entry is to be sent, due at that time.
    Send(u16, Nanos),
    /// Something else comes first.
    Nothing,
    /// It is done.
    Left,
}

impl Cast {
    /// The scenario was checked when it was made.
    pub fn of(scenario: &Scenario, job: &Job) -> Cast {
        match &scenario.model {
            Model::Mix(mix) => Cast::Mix(Repertoire::of(mix, scenario, job)),
            Model::Users(flow) => Cast::Users(Ensemble::of(flow, scenario, job)),
            Model::Sessions(flow) => Cast::Sessions(Ensemble::of(flow, scenario, job)),
        }
    }

    pub fn has_users(&self) -> bool {
        !matches!(self, Cast::Mix(_))
    }

    #[inline]
    pub fn ensemble(&mut self) -> Option<&mut Ensemble> {
        match self {
            Cast::Mix(_) => None,
            Cast::Users(ensemble) | Cast::Sessions(ensemble) => Some(ensemble),
        }
    }

    /// What the slot's request is made from.
    #[inline]
    pub fn context<'a>(
        &'a mut self,
        slot: Slot,
        sequence: u64,
        given: &'a Captured,
    ) -> Context<'a> {
        match self {
            Cast::Mix(repertoire) => Context {
                dice: &mut repertoire.dice,
                number: sequence,
                user: 0,
                captures: given,
                rows: &repertoire.rows,
                jar: None,
            },
            Cast::Users(ensemble) | Cast::Sessions(ensemble) => {
                let user = &mut ensemble.users[slot as usize];
                Context {
                    dice: &mut user.dice,
                    number: sequence,
                    user: user.number,
                    captures: &user.captures,
                    rows: &user.rows,
                    jar: Some(&user.jar),
                }
            }
        }
    }

    pub fn memory(&self) -> usize {
        match self {
            Cast::Mix(repertoire) => size_of_val(&*repertoire.table),
            Cast::Users(ensemble) | Cast::Sessions(ensemble) => {
                let of_users: usize = ensemble.users.iter().map(User::memory).sum();
                of_users + size_of_val(&*ensemble.users)
            }
        }
    }
}

impl Repertoire {
    fn of(mix: &Mix, scenario: &Scenario, job: &Job) -> Repertoire {
        let table = mix.table(scenario.seed).expect("a plan's mix has weights");
        let (worker, workers) = (job.worker as u64, job.workers as u64);
        let (start, stride) = match &job.arrivals {
            Arrivals::Open(_) => (worker, workers),
            // What the workers before it send of a number of requests; else somewhere else.
            Arrivals::Closed { budget: u64::MAX, .. } => (worker * table.len() as u64 / workers, 1),
            Arrivals::Closed { .. } => (job.budget_before, 1),
        };
        Repertoire {
            table,
            random: mix.random,
            start,
            stride,
            seed: scenario.seed,
            dice: Dice::of(0, 0, 0),
            rows: vec![0; scenario.tables.len()].into(),
        }
    }

    /// The entry of this worker's `number`-th request of a phase.
    #[inline]
    fn choose(&self, number: u64) -> u16 {
        let place = self.start.wrapping_add(number.wrapping_mul(self.stride));
        let length = self.table.len() as u64;
        let place = match self.random {
            false => place % length,
            true => lots::of_choice(self.seed, place).below(length),
        };
        self.table[place as usize]
    }
}

impl Ensemble {
    fn of(flow: &Flow, scenario: &Scenario, job: &Job) -> Ensemble {
        let mut program = flow.program().expect("a plan's flow has a program");
        if matches!(scenario.model, Model::Sessions(_)) {
            program.rounds = Some(1);
        }
        let drawn =
            |entry: &usize| scenario.requests[scenario.entries[*entry].request].message.tables();
        let mut tables: Vec<usize> =
            program.entries().flat_map(|entry| drawn(&entry).to_vec()).collect();
        tables.sort_unstable();
        tables.dedup();
        let (captures, all) = (scenario.captures.len(), scenario.tables.len());
        let users = (0..job.connections).map(|_| User::absent(captures, all)).collect();
        Ensemble { program, users, seed: scenario.seed, tables, come: 0, there: 0, left: 0 }
    }

    #[inline]
    pub fn user(&mut self, slot: Slot) -> &mut User {
        &mut self.users[slot as usize]
    }
}

/// Rows for a round of a user; false where there are no more of them.
fn draw(
    tables: &[usize],
    all: &[Arc<Table>],
    draws: &mut [u64],
    (worker, workers): (u64, u64),
    user: u64,
    dice: &mut Dice,
    rows: &mut [u64],
) -> bool {
    for table in tables {
        let number = draws[*table];
        draws[*table] += 1;
        match all[*table].row(number, worker, workers, user, dice) {
            Some(row) => rows[*table] = row,
            None => return false,
        }
    }
    true
}

impl Script {
    /// The requests stand for themselves.
    #[inline]
    pub fn is_mix(&self) -> bool {
        matches!(self.cast, Cast::Mix(_))
    }

    /// Users arrive by the schedule.
    pub fn is_sessions(&self) -> bool {
        matches!(self.cast, Cast::Sessions(_))
    }

    /// The entry of what is due as this worker's `number`-th of a phase.
    #[inline]
    pub fn due(&self, number: u64) -> u16 {
        match &self.cast {
            Cast::Mix(repertoire) => repertoire.choose(number),
            Cast::Users(ensemble) | Cast::Sessions(ensemble) => ensemble.program.first(),
        }
    }

    /// Prepares a mix's `number`-th request of a phase. False where the data has no more rows.
    #[inline]
    pub fn stage(&mut self, entry: u16, number: u64, phase: Phase) -> bool {
        let Cast::Mix(repertoire) = &mut self.cast else { return true };
        let number = number * self.workers + self.worker;
        repertoire.dice = lots::of_request(repertoire.seed, phase, number);
        let facet = &self.facets[usize::from(entry)];
        let tables = self.scenario.requests[facet.request].message.tables();
        if tables.is_empty() {
            return true;
        }
        let (mut dice, who) = (repertoire.dice.clone(), (self.worker, self.workers));
        let rows = &mut repertoire.rows;
        let all = &self.scenario.tables;
        let drawn = draw(tables, all, &mut self.draws, who, number + 1, &mut dice, rows);
        repertoire.dice = dice;
        self.has_run_out |= !drawn;
        drawn
    }

    /// Somebody comes to the slot, at that time, in that phase and stage. False where there is no
    /// data for it.
    pub fn come(&mut self, slot: Slot, due: Nanos, arrival: (Phase, u16)) -> bool {
        let is_sessions = self.is_sessions();
        let Some(ensemble) = self.cast.ensemble() else { return true };
        let user = &mut ensemble.users[slot as usize];
        // A user is the one of its connection, a session one of those that arrive.
        let place = if is_sessions { ensemble.come } else { slot.into() };
        let number = place * self.workers + self.worker + 1;
        ensemble.come += 1;
        user.arrival = arrival;
        user.come(ensemble.seed, number, due);
        user.before += u32::from(!is_sessions);
        user.captures.clone_from_slice(&self.given);
        let (tables, all) = (&ensemble.tables, &self.scenario.tables);
        let who = (self.worker, self.workers);
        let User { dice, rows, .. } = user;
        let drawn = draw(tables, all, &mut self.draws, who, number, dice, rows);
        if drawn {
            ensemble.there += 1;
        } else {
            ensemble.left += 1;
            (user.state, self.has_run_out) = (State::Left, true);
        }
        drawn
    }

    /// Whether somebody is there who is not done.
    #[inline]
    pub fn is_there(&mut self, slot: Slot) -> bool {
        self.cast.ensemble().is_some_and(|e| e.users[slot as usize].is_there())
    }

    pub fn is_absent(&mut self, slot: Slot) -> bool {
        let absent = |e: &mut Ensemble| e.users[slot as usize].state == State::Absent;
        self.cast.ensemble().is_some_and(absent)
    }

    /// A user that goes on when a connection is there, but does not begin anew.
    pub fn has_left(&mut self, slot: Slot) -> bool {
        let left = |e: &mut Ensemble| e.users[slot as usize].state == State::Left;
        matches!(self.cast, Cast::Users(_)) && self.cast.ensemble().is_some_and(left)
    }

    /// The slot's user did not leave by itself.
    pub fn was_sent_away(&mut self, slot: Slot) -> bool {
        self.cast.ensemble().is_some_and(|e| e.users[slot as usize].is_sent_away)
    }

    /// The slot is nobody's from now on.
    pub fn vacate(&mut self, slot: Slot) {
        let Some(ensemble) = self.cast.ensemble() else { return };
        let user = &mut ensemble.users[slot as usize];
        if user.state == State::Left {
            ensemble.left -= 1;
        }
        user.state = State::Absent;
    }

    /// The slot's user loses its connection for good: it goes without a word.
    pub fn give_up(&mut self, slot: Slot, now: Nanos, tally: &mut Tally) {
        let Some(ensemble) = self.cast.ensemble() else { return };
        let user = &mut ensemble.users[slot as usize];
        if user.is_there() {
            dismiss(user, &ensemble.program, now, tally);
            user.state = State::Absent;
            ensemble.there -= 1;
        }
    }

    /// The phase and the stage that the slot's user arrived in.
    pub fn arrival(&mut self, slot: Slot) -> (Phase, u16) {
        self.cast.ensemble().map_or((Phase::Measure, 0), |e| e.users[slot as usize].arrival)
    }

    /// What the slot's user does next. `leaving`: it is to go.
    #[inline]
    pub fn next(&mut self, slot: Slot, now: Nanos, leaving: bool, tally: &mut Tally) -> Next {
        let is_sessions = self.is_sessions();
        let Some(ensemble) = self.cast.ensemble() else { return Next::Nothing };
        let Ensemble { program, users, tables, there, left, .. } = ensemble;
        let user = &mut users[slot as usize];
        if leaving && user.is_there() && user.state != State::Waiting && !user.is_leaving(program) {
            user.is_sent_away = true;
            dismiss(user, program, now, tally);
        }
        loop {
            match user.act(program, now) {
                Act::Send(entry, due) => return Next::Send(entry, due),
                Act::Rest(until) => {
                    self.naps.push(until, slot);
                    return Next::Nothing;
                }
                Act::Wait => return Next::Nothing,
                Act::Leave => {
                    *there -= 1;
                    *left += 1;
                    return Next::Left;
                }
                Act::Gone => return Next::Left,
                Act::Draw => {
                    // A session is one of those that were due.
                    user.is_measured = match is_sessions {
                        true => !user.is_early(),
                        false => tally.phase() == Phase::Measure,
                    };
                    let who = (self.worker, self.workers);
                    let is_first = std::mem::replace(&mut user.has_rows, false);
                    let (number, User { dice, rows, .. }) = (user.number, &mut *user);
                    let all = &self.scenario.tables;
                    if !is_first && !draw(tables, all, &mut self.draws, who, number, dice, rows) {
                        self.has_run_out = true;
                        dismiss(user, program, now, tally);
                    }
                }
                Act::Over => {
                    end_round(user, program, user.due(), tally);
                    if let Some(until) = user.may_go_on(now) {
                        self.naps.push(until, slot);
                        return Next::Nothing;
                    }
                }
            }
        }
    }

    /// What `next` said is to be sent cannot be sent now.
    pub fn put_off(&mut self, slot: Slot) {
        if let Some(ensemble) = self.cast.ensemble() {
            ensemble.users[slot as usize].put_off();
        }
    }

    /// Whether a request of the main part was sent for the slot's user.
    pub fn is_under_way(&mut self, slot: Slot) -> bool {
        self.cast.ensemble().is_some_and(|e| e.users[slot as usize].has_begun)
    }

    /// The first of them is: the phase and the stage that its user arrived in.
    #[inline]
    pub fn set_under_way(&mut self, slot: Slot) -> (Phase, u16) {
        if let Some(ensemble) = self.cast.ensemble() {
            ensemble.users[slot as usize].has_begun = true;
        }
        self.arrival(slot)
    }

    /// The request of the slot's user has its fate.
    #[inline]
    pub fn took(&mut self, slot: Slot, good: bool, now: Nanos) {
        let Some(ensemble) = self.cast.ensemble() else { return };
        let user = &mut ensemble.users[slot as usize];
        user.took(good, &ensemble.program, now);
        if let State::Thinking(until) = user.state {
            self.naps.push(until, slot);
        }
    }

    /// Slots whose users are there and wait for nothing.
    pub fn those_at_leisure(&mut self) -> Vec<Slot> {
        let Some(ensemble) = self.cast.ensemble() else { return Vec::new() };
        let at_leisure = |user: &User| user.is_there() && user.state != State::Waiting;
        let users = ensemble.users.iter().zip(0..);
        users.filter(|(user, _)| at_leisure(user)).map(|(_, slot)| slot).collect()
    }

    /// Somebody still takes itself down, or is about to.
    pub fn has_teardown(&self) -> bool {
        match &self.cast {
            Cast::Mix(_) => false,
            Cast::Users(e) | Cast::Sessions(e) => e.there > 0 && e.program.has_teardown(),
        }
    }

    /// Nobody has anything left to do.
    pub fn is_over(&self) -> bool {
        match &self.cast {
            Cast::Mix(_) => self.has_run_out,
            Cast::Users(ensemble) => {
                let all_left = ensemble.left == ensemble.users.len();
                ensemble.there == 0 && (self.has_run_out || all_left)
            }
            Cast::Sessions(ensemble) => self.has_run_out && ensemble.there == 0,
        }
    }

    /// The run is over: what users had in mind is cut. The arrivals of those who never sent
    /// what they came for.
    pub fn close(&mut self, now: Nanos, tally: &mut Tally) -> Vec<Due> {
        let mut unsent = Vec::new();
        let Some(ensemble) = self.cast.ensemble() else { return unsent };
        for user in ensemble.users.iter_mut().filter(|user| user.is_there()) {
            let (phase, stage) = user.arrival;
            let due = Due { intended: user.began, phase, stage, number: 0 };
            unsent.extend((!user.has_begun).then_some(due));
            dismiss(user, &ensemble.program, now, tally);
            user.state = State::Left;
        }
        ensemble.there = 0;
        unsent
    }
}

fn dismiss(user: &mut User, program: &Program, now: Nanos, tally: &mut Tally) {
    if user.has_done_its_round(program) {
        end_round(user, program, user.due(), tally);
        user.dismiss(program, now);
        return;
    }
    let (began, is_measured) = (user.began, user.is_measured);
    if user.dismiss(program, now) && is_measured && !program.weighted {
        tally.session_ended(SessionEnd::Cut, now - began);
    }
}

fn end_round(user: &User, program: &Program, at: Nanos, tally: &mut Tally) {
    if user.is_measured && !program.weighted {
        let outcome = if user.is_spoilt { SessionEnd::Failed } else { SessionEnd::Completed };
        tally.session_ended(outcome, at - user.began);
    }
}
