//! A run: the workers, the control thread's few acts, and one clock for all of them.

use super::books::Books;
use super::net::{Net, State, Told};
use super::outcome::Outcome;
use super::scene::Scene;
use super::{START, judge};
use crate::engine::core::{Core, Finished};
use crate::engine::timeline::Gate;
use crate::engine::wire::Event;
use crate::metrics;
use crate::time::Nanos;

/// Events handled in one turn, as a ring does.
const SLICE: usize = 64;

/// By how much the core may be late for a timeout, for the sake of a request.
const TIMER_SLACK: Nanos = Nanos::from_micros(200);

/// How often the control thread looks.
const LOOK: Nanos = Nanos::from_millis(2);

/// Carries the scene out. Fails with the first rule that is broken.
pub fn run(mut scene: Scene) -> Result<Outcome, String> {
    let mut workers: Vec<Worker> =
        (0..scene.jobs.len()).map(|n| Worker::new(&mut scene, n)).collect();
    let mut control = START;
    loop {
        let next = workers.iter_mut().filter(|worker| worker.finished.is_none());
        let Some(worker) = next.min_by_key(|worker| worker.at) else { break };
        if control <= worker.at {
            scene.control(control, &workers);
            control += LOOK;
            workers.iter_mut().for_each(Worker::collect);
            continue;
        }
        let told = worker.step().map_err(|what| worker.report(what))?;
        if told > scene.deadline {
            return Err(worker.report("the run does not end".to_string()));
        }
    }
    workers.iter_mut().for_each(Worker::collect);
    let (mut books, mut nets, mut finished) = (vec![], vec![], vec![]);
    for worker in workers {
        if let Some(over) = worker.finished {
            judge::worker(&worker.books, &worker.net, &over)
                .map_err(|what| report(what, &worker.net))?;
            finished.push(over);
        }
        books.push(worker.books);
        nets.push(worker.net);
    }
    let outcome = Outcome { books, nets, finished, scene, saw_the_rate_return: false };
    let saw_the_rate_return = judge::all(&outcome)?;
    Ok(Outcome { saw_the_rate_return, ..outcome })
}

impl Scene {
    /// What the control thread does at `now`.
    fn control(&self, now: Nanos, workers: &[Worker]) {
        let timeline = &self.timeline;
        if timeline.ready() == workers.len()
            && timeline.gate() == Gate::Open
            && timeline.origin().is_none()
        {
            timeline.start(now + Nanos::from_millis(5));
        }
        for (at, stop) in &self.interrupts {
            if *at <= now {
                timeline.request_stop(*stop);
            }
        }
        // Told of before the start, it is there from the start.
        while let Some((told, edit)) = self.edits.get(timeline.edited())
            && *told <= now
        {
            timeline.edit(*edit);
        }
        let auto = self.jobs[0].warmup.length().is_none() && timeline.measure().is_none();
        if auto && timeline.origin().is_some_and(|origin| origin + self.steady_after <= now) {
            timeline.begin_measure(now + Nanos::from_millis(100));
        }
    }
}

struct Worker {
    core: Core,
    net: Net,
    books: Books,
    /// When it runs next.
    at: Nanos,
    turns: u64,
    finished: Option<Finished>,
}

impl Worker {
    fn new(scene: &mut Scene, number: usize) -> Worker {
        let job = scene.jobs[number].clone();
        let mut net = Net::new(job.clone(), scene.weather.clone(), scene.dice.fork(), START);
        net.tail_from = scene.tail_from;
        let at = START + net.dice.micros(0..=500);
        let books = Books::default();
        Worker { core: Core::new(job), net, books, at, turns: 0, finished: None }
    }

    /// One round of a driver: what came, then what is due, then how long to wait.
    fn step(&mut self) -> Result<Nanos, String> {
        self.tell();
        self.net.now += self.net.dice.micros(0..=3);
        let now = self.net.now;
        let goes_on = self.core.turn(now, &mut self.net);
        self.check()?;
        if !goes_on {
            self.finish();
            return Ok(now);
        }
        let due = self.core.wake(now).at;
        if self.net.next_timeout().is_some_and(|over| over + TIMER_SLACK < due) {
            return Err(format!("it sleeps until {due:?}, past a timeout"));
        }
        let due = due.min(self.net.next_at().unwrap_or(Nanos::MAX)).max(now);
        self.at = self.wakes(now, due);
        Ok(self.at)
    }

    fn tell(&mut self) {
        self.net.now = self.at;
        self.core.roll(self.at);
        for _ in 0..SLICE {
            let Some(told) = self.net.next(self.at) else { return };
            let meaning = self.net.foresee(&told);
            let event = self.as_a_driver_tells(&told);
            self.core.on(told.slot, event, self.at, &mut self.net);
            self.net.look_back(&told, &meaning);
        }
    }

    /// What is all body may have been thrown away in the kernel, as far as the core goes.
    fn as_a_driver_tells<'a>(&mut self, told: &'a Told) -> Event<'a> {
        let event = told.event();
        if let Event::Received(bytes) = event {
            let length = bytes.len() as u64;
            if length <= self.core.body_left(told.slot) && self.net.dice.percent(50) {
                self.net.note(told.life, "of it thrown away", length as i64);
                return Event::Discarded(length);
            }
        }
        event
    }

    /// When a worker that should wake at `due` does.
    fn wakes(&mut self, now: Nanos, due: Nanos) -> Nanos {
        let Net { dice, weather, .. } = &mut self.net;
        if dice.percent(1) && due > now {
            // A signal, or nothing at all.
            return now + Nanos(dice.below((due - now).0));
        }
        if due == now {
            return now;
        }
        let at = due + dice.micros(0..=weather.lateness_us);
        if weather.is_bad(at) && dice.below(100_000) < weather.pauses {
            let length = dice.millis(30..=2_500);
            let heals = weather.heals;
            self.net.trace.note(at, 0, "pause", length.0 as i64);
            return (at + length).min(heals);
        }
        at
    }

    /// What must hold after each turn.
    fn check(&mut self) -> Result<(), String> {
        self.turns += 1;
        self.net.no_one_is_forgotten();
        if let Some(complaint) = self.net.complaint.take() {
            return Err(complaint);
        }
        let happened = self.net.trace.moments;
        let polls = (self.net.now - START).0 / 1_000_000;
        if self.turns > 1_000 + 4 * happened + 3 * polls {
            return Err(format!(
                "the worker spins: {} turns for {happened} events; {:?} at {:?}",
                self.turns,
                self.core.wake(self.net.now),
                self.net.now,
            ));
        }
        if self.turns.is_multiple_of(16) { self.core.check() } else { Ok(()) }
    }

    fn finish(&mut self) {
        self.collect();
        let now = self.net.now;
        self.finished = Some(self.core.finished(now, metrics::Worker::default()));
        for place in self.net.places.iter().filter(|place| place.state == State::Open) {
            let in_flight = std::mem::take(&mut self.net.lives[place.life].in_flight);
            in_flight.into_iter().for_each(|sent| self.net.ledger.abandoned(sent, now));
        }
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(letter) = self.net.job.mailbox.collect() {
            self.books.add(&letter.snapshot);
        }
    }

    fn report(&self, what: String) -> String {
        report(what, &self.net)
    }
}

fn report(what: String, net: &Net) -> String {
    format!("{what}\n{}", net.trace)
}
