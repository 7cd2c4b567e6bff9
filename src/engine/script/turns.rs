//! Who does what next: the requests of a mix one after the other, users and sessions by their flow.

use std::sync::Arc;

use super::cast::{Cast, Ensemble};
use super::user::{Act, State, User};
use super::{Script, Slot};
use crate::dice::Dice;
use crate::engine::pacer::Due;
use crate::engine::tally::Tally;
use crate::metrics::{Phase, SessionEnd};
use crate::plan::data::Table;
use crate::plan::scenario::{Program, lots};
use crate::time::Nanos;

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

    /// Who are there and not done; `None`: the requests stand for themselves.
    pub fn users(&self) -> Option<u64> {
        match &self.cast {
            Cast::Mix(_) => None,
            Cast::Users(ensemble) | Cast::Sessions(ensemble) => Some(ensemble.there as u64),
        }
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

    /// Nobody has anything left to do. `expected`: users there are to be.
    pub fn is_over(&self, expected: Slot) -> bool {
        match &self.cast {
            Cast::Mix(_) => self.has_run_out,
            Cast::Users(ensemble) => {
                // Where a person has sent everyone away, others may come.
                let all_left = ensemble.left >= expected.max(1) as usize;
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
