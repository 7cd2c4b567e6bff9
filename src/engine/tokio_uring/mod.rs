//! The second driver: one pinned tokio-uring runtime a worker, a task a connection, and one task
//! that keeps the time.
//!
//! The core is shared by the tasks of the worker's one thread; none holds it across an await.
//! COOP_TASKRUN: completions wait for the thread's next system call instead of interrupting it.
//! (DEFER_TASKRUN, which the bare ring uses, hangs tokio-uring 0.5: it never enters with
//! GETEVENTS.)

mod connection;
mod seats;
mod timer;

use std::cell::{Cell, RefCell, RefMut};
use std::io;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use io_uring::IoUring;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use self::seats::Seats;
use self::timer::Timer;
use super::core::{Core, Finished, Wake};
use super::job::Job;
use super::meter::{Effort, Meter};
use super::relay::Relay;
use super::wire::{Event, Slot};
use crate::error::{Error, Result};
use crate::host;
use crate::metrics::Worker;
use crate::plan::Wait;
use crate::time::{self, Nanos};

/// Submission entries. tokio-uring submits when its thread has nothing else to do, or when full.
const SUBMISSIONS: u32 = 1024;

/// The longest that the end of what is pending is waited for, and the least rounds through the
/// ring for it.
const SETTLING: Nanos = Nanos::from_secs(1);
const ROUNDS: usize = 8;

/// Runs one worker's share of the load, from connecting to the last answer, and of those that
/// follow.
pub fn run(job: Arc<Job>, relay: Arc<Relay>) -> Result<()> {
    let completions = (job.connections * 2).next_power_of_two().clamp(SUBMISSIONS * 2, 32_768);
    let mut uring = tokio_uring::uring_builder();
    uring.setup_cqsize(completions).setup_coop_taskrun();
    // The runtime would panic where there is no ring; this finds out why first.
    let trial: io::Result<IoUring> = IoUring::builder().setup_coop_taskrun().build(8);
    drop(trial.map_err(|error| host::io_uring_refused(&error))?);
    tokio_uring::builder().entries(SUBMISSIONS).uring_builder(&uring).start(async move {
        let shared = Rc::new(Shared::new(job, relay));
        for slot in 0..shared.job.connections {
            let task = connection::attend(Watched::new(&shared), slot);
            let memory = size_of_val(&task) + connection::BUFFER + seats::MEMORY;
            shared.task_memory.set(shared.task_memory.get() + memory as u64);
            tokio_uring::spawn(task);
        }
        let outcome = shared.keep_time().await;
        outcome.map_err(|error| {
            Error::failed(format!("the timer of a worker failed ({error}); try `--engine ring`"))
        })
    })
}

/// What the tasks of one worker share.
struct Shared {
    job: Arc<Job>,
    relay: Arc<Relay>,
    core: RefCell<Core>,
    seats: RefCell<Seats>,
    meter: RefCell<Meter>,
    effort: Cell<Effort>,
    /// The timekeeper sleeps until then; whoever finds that too late wakes it.
    asleep_until: Cell<Nanos>,
    rouse: Notify,
    /// The bytes of the tasks, their buffers and their seats.
    task_memory: Cell<u64>,
    /// The books are closed: what is still pending only has to end.
    over: Cell<bool>,
    /// A task has panicked. tokio keeps that to itself, and the others would wait for ever.
    panicked: Cell<bool>,
}

impl Shared {
    fn new(job: Arc<Job>, relay: Arc<Relay>) -> Shared {
        Shared {
            core: RefCell::new(Core::new(job.clone())),
            seats: RefCell::new(Seats::new(job.connections)),
            meter: RefCell::new(Meter::new(job.connections)),
            effort: Cell::default(),
            asleep_until: Cell::new(Nanos::ZERO),
            rouse: Notify::new(),
            task_memory: Cell::new(0),
            over: Cell::new(false),
            panicked: Cell::new(false),
            job,
            relay,
        }
    }

    fn wire(&self) -> RefMut<'_, Seats> {
        self.seats.borrow_mut()
    }

    /// The end of each write is told.
    fn confirms(&self) -> bool {
        self.job.tls.is_some() || self.job.confirms_sends()
    }

    /// An event of a connection, and what it makes possible.
    fn on(&self, slot: Slot, event: Event) {
        self.tell(|core, seats, now| core.on(slot, event, now, seats));
    }

    fn received(&self, slot: Slot, bytes: &mut [u8]) {
        self.tell(|core, seats, now| core.received(slot, bytes, now, seats));
    }

    fn tell(&self, tell: impl FnOnce(&mut Core, &mut Seats, Nanos)) {
        let now = time::now();
        let mut core = self.core.borrow_mut();
        let mut seats = self.seats.borrow_mut();
        core.roll(now);
        tell(&mut core, &mut seats, now);
        let mut effort = self.effort.get();
        effort.completions += 1;
        self.effort.set(effort);
        core.has_spun(effort.spin_time);
        let goes_on = core.turn(now, &mut *seats);
        if !goes_on || core.wake(now).at < self.asleep_until.get() {
            self.rouse.notify_one();
        }
    }

    /// The timekeeper: turns the core whenever something is due.
    async fn keep_time(self: &Rc<Shared>) -> io::Result<()> {
        let timer = Rc::new(Timer::new()?);
        let alarm = tokio_uring::spawn(ring_alarm(self.clone(), timer.clone()));
        let outcome = self.loads(&timer).await;
        self.settle(&timer, alarm).await;
        outcome
    }

    async fn loads(&self, timer: &Timer) -> io::Result<()> {
        loop {
            self.turns(timer).await?;
            let Some(job) = self.relay.hand_over(self.finish()) else { return Ok(()) };
            self.core.borrow_mut().again(job, time::now(), &mut *self.wire());
        }
    }

    /// Ends every receive and the timer's read before the runtime goes. tokio-uring 0.5 frees the
    /// buffers of what is pending before it has it cancelled (`Driver::drop`): an answer or an
    /// expiry in between was written into freed memory, and now and then the process died of it.
    async fn settle(&self, timer: &Timer, alarm: JoinHandle<()>) {
        self.over.set(true);
        self.wire().shut_down();
        // In the past: the read ends at once.
        if timer.arm(Nanos(1)).is_ok() {
            let _ = alarm.await;
        }
        let until = time::now() + SETTLING;
        let mut rounds = 0;
        // Some rounds more than nobody needs: a write ends after the receive that gave it up.
        while (!self.wire().are_vacant() || rounds < ROUNDS) && time::now() < until {
            rounds += 1;
            if tokio_uring::no_op().await.is_err() {
                return;
            }
        }
    }

    async fn turns(&self, timer: &Timer) -> io::Result<()> {
        loop {
            let now = time::now();
            assert!(!self.panicked.get(), "a connection's task has panicked");
            let Some(wake) = self.turn(now) else { return Ok(()) };
            self.meter_phase();
            let spin = match self.job.wait {
                Wait::Hybrid if wake.exact => self.job.spin_window,
                Wait::Spin if wake.exact => Nanos::MAX,
                _ => Nanos::ZERO,
            };
            let asleep_until = wake.at - spin;
            if asleep_until > now {
                self.asleep_until.set(wake.at);
                timer.arm(asleep_until)?;
                self.rouse.notified().await;
                self.asleep_until.set(Nanos::ZERO);
            } else {
                self.spin(wake.at).await?;
            }
        }
    }

    fn turn(&self, now: Nanos) -> Option<Wake> {
        let mut core = self.core.borrow_mut();
        core.has_spun(self.effort.get().spin_time);
        core.turn(now, &mut *self.wire()).then(|| core.wake(now))
    }

    /// Goes round through the ring until `until` or until something came. At least once: what the
    /// last turn asked for is submitted when the thread parks, which a mere `yield_now` never
    /// lets it do (100 connections then answered in bursts of 2 ms at 50,000/s).
    async fn spin(&self, until: Nanos) -> io::Result<()> {
        loop {
            let start = time::now();
            let before = self.effort.get().completions;
            tokio_uring::no_op().await?;
            let now = time::now();
            let mut effort = self.effort.get();
            // A round in which nothing came was waiting.
            if effort.completions == before {
                effort.spin_time += now - start;
                self.effort.set(effort);
            }
            if now >= until || effort.completions != before {
                return Ok(());
            }
        }
    }

    fn meter_phase(&self) {
        let phase = self.core.borrow().phase();
        let mut meter = self.meter.borrow_mut();
        if meter.is_due(phase) {
            meter.turn_over(phase, self.effort());
        }
    }

    fn effort(&self) -> Effort {
        Effort { buffers_exhausted: self.core.borrow().heads_grown(), ..self.effort.get() }
    }

    fn finish(&self) -> Finished {
        let effort = self.effort();
        let memory = self.core.borrow().memory() as u64 + self.task_memory.get();
        let worker = Worker { rings: 1, memory, ..self.meter.borrow_mut().finish(effort) };
        self.core.borrow_mut().finished(time::now(), worker)
    }
}

/// What a connection's task has of the shared state. Tells the timekeeper of its panic, which then
/// ends the worker.
struct Watched(Rc<Shared>);

impl Watched {
    fn new(shared: &Rc<Shared>) -> Watched {
        Watched(shared.clone())
    }
}

impl Deref for Watched {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.panicked.set(true);
            self.rouse.notify_one();
        }
    }
}

/// Wakes the timekeeper whenever the timer expires. A task of its own, so that a wake-up for
/// another reason leaves the pending read of the timer alone.
async fn ring_alarm(shared: Rc<Shared>, timer: Rc<Timer>) {
    let mut buffer = vec![0; 8];
    loop {
        let (expired, returned) = timer.expired(buffer).await;
        buffer = returned;
        shared.rouse.notify_one();
        if expired.is_err() || shared.over.get() {
            return;
        }
    }
}
