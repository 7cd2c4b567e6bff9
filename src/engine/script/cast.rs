//! Who acts. In a mix nobody in particular: each request stands for itself. Users and sessions have
//! a slot each, and with it a place in their flow.

use super::Slot;
use super::user::User;
use crate::dice::Dice;
use crate::engine::job::{Arrivals, Job};
use crate::plan::Scenario;
use crate::plan::answer::Captured;
use crate::plan::scenario::{Flow, Mix, Model, Program, lots};
use crate::plan::template::Context;

pub enum Cast {
    Mix(Repertoire),
    Users(Ensemble),
    Sessions(Ensemble),
}

/// What a mix chooses from.
pub struct Repertoire {
    /// Gone through over and over.
    pub table: Vec<u16>,
    pub random: bool,
    /// Where this worker begins.
    pub start: u64,
    /// It takes each of so many places, so that all workers together take them in order: a
    /// schedule's requests have an order, and a closed loop's have none.
    pub stride: u64,
    pub seed: u64,
    /// The dice and the rows of the request that is being made.
    pub dice: Dice,
    pub rows: Box<[u64]>,
}

/// Users, by slot.
pub struct Ensemble {
    pub program: Program,
    pub users: Vec<User>,
    pub seed: u64,
    /// What their rounds draw rows from.
    pub tables: Vec<usize>,
    /// How many have come so far, how many of them are there, and how many have left for good.
    pub come: u64,
    pub there: usize,
    pub left: usize,
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
        (sequence, id): (u64, u64),
        given: &'a Captured,
    ) -> Context<'a> {
        match self {
            Cast::Mix(repertoire) => Context {
                dice: &mut repertoire.dice,
                number: sequence,
                id,
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
                    id,
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
    pub fn choose(&self, number: u64) -> u16 {
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
