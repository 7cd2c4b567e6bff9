//! Which answer a request gets: its behaviour found by its path and query, the bytes built once and
//! kept. One per server thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::behaviour::{Behaviour, Delay};
use super::limit::Bucket;
use super::queue::{Queue, Queues};
use super::request::Request;
use super::response::{Blocks, Response, Shape};
use crate::time::Nanos;

/// Behaviours that came with requests and are kept; one more empties the shelf. Clients repeat a
/// few; one that never repeats pays for its formatting.
const SHELF: usize = 256;
/// A target longer than this is not kept.
const LONGEST: usize = 512;

pub(super) struct Catalogue {
    server: Rc<RefCell<Course>>,
    shelf: HashMap<Box<[u8]>, Rc<RefCell<Course>>>,
    blocks: Rc<Blocks>,
    /// Those of the whole target.
    queues: Arc<Queues>,
    started: Nanos,
    seed: u64,
    refusals: HashMap<u16, Rc<Response>>,
    pub go_on: Rc<Response>,
}

impl Catalogue {
    pub fn new(behaviour: Behaviour, queues: Arc<Queues>, started: Nanos, seed: u64) -> Catalogue {
        let blocks = Rc::new(Blocks::new());
        let server = Course::new(behaviour, &blocks, &queues, started, seed);
        Catalogue {
            server: Rc::new(RefCell::new(server)),
            shelf: HashMap::new(),
            blocks,
            queues,
            started,
            seed,
            refusals: HashMap::new(),
            go_on: Rc::new(Response::go_on()),
        }
    }

    /// The course of a request for this path and query; an `Err` is the status to refuse it with.
    pub fn find(&mut self, target: &[u8]) -> Result<Rc<RefCell<Course>>, u16> {
        // Without a `key=value` nothing can differ from the server's own behaviour.
        if !target.contains(&b'=') {
            return Ok(Rc::clone(&self.server));
        }
        if let Some(course) = self.shelf.get(target) {
            return Ok(Rc::clone(course));
        }
        let text = String::from_utf8_lossy(target);
        let adapted = self.server.borrow().behaviour.adapted(&text).map_err(|_| 400_u16)?;
        let Some(behaviour) = adapted else { return Ok(Rc::clone(&self.server)) };
        let course = Course::new(behaviour, &self.blocks, &self.queues, self.started, self.seed);
        let course = Rc::new(RefCell::new(course));
        if target.len() <= LONGEST {
            if self.shelf.len() >= SHELF {
                self.shelf.clear();
            }
            self.shelf.insert(target.into(), Rc::clone(&course));
        }
        Ok(course)
    }

    pub fn refusal(&mut self, status: u16) -> Rc<Response> {
        let shape = Shape { status, size: Some(0), last: true, ..Shape::default() };
        let build = || Rc::new(Response::build(shape, &self.blocks));
        Rc::clone(self.refusals.entry(status).or_insert_with(build))
    }
}

/// One behaviour in progress: its bytes, its queue, and its place in the status mix, the random
/// stream and the count of those it leaves unanswered.
pub(super) struct Course {
    pub behaviour: Behaviour,
    statuses: Vec<Weighted>,
    /// For what is beyond the limit.
    turned_away: Weighted,
    bucket: Arc<Bucket>,
    random: u64,
    queue: Option<(Arc<Queue>, Nanos)>,
    asked: u64,
    started: Nanos,
    blocks: Rc<Blocks>,
}

struct Weighted {
    status: u16,
    weight: i64,
    current: i64,
    /// By [`variant`]; built when first asked for.
    responses: [Option<Rc<Response>>; 8],
}

impl Course {
    fn new(
        behaviour: Behaviour,
        blocks: &Rc<Blocks>,
        queues: &Queues,
        started: Nanos,
        seed: u64,
    ) -> Course {
        let plain = [(200, 1)];
        let mix = if behaviour.status.is_empty() { &plain[..] } else { &behaviour.status };
        let weighted = |&(status, weight): &(u16, u32)| Weighted {
            status,
            weight: i64::from(weight),
            current: 0,
            responses: [const { None }; 8],
        };
        let statuses = mix.iter().map(weighted).collect();
        let turned_away = weighted(&(behaviour.limit.map_or(429, |limit| limit.status), 1));
        let bucket = Arc::clone(&queues.bucket);
        let workers = behaviour.workers.unwrap_or(1);
        let queue = behaviour.service.map(|service| (queues.of(workers), service));
        let (random, asked, blocks) = (seed, 0, Rc::clone(blocks));
        Course { behaviour, statuses, turned_away, bucket, random, queue, asked, started, blocks }
    }

    /// When the answer may leave: after its turn in the queue, then the delay, then the gate.
    /// `None` is at once, and needs no clock.
    pub fn due(&mut self, arrived: Nanos) -> Option<Nanos> {
        let Behaviour { delay, stall, unanswered, .. } = self.behaviour;
        self.asked += 1;
        if unanswered.is_some_and(|every| self.asked.is_multiple_of(every)) {
            return Some(Nanos::MAX);
        }
        if delay == Delay::None && stall.is_none() && self.queue.is_none() {
            return None;
        }
        let done = match &self.queue {
            Some((queue, service)) => queue.admit(arrived, *service),
            None => arrived,
        };
        let random = &mut self.random;
        let due = done + delay.draw(|| uniform(random));
        Some(match stall {
            None => due,
            Some(stall) => self.started + stall.opens(due - self.started),
        })
    }

    /// Whether what comes at `now` is beyond the limit.
    pub fn turns_away(&self, now: Nanos) -> bool {
        self.behaviour.limit.is_some_and(|limit| !self.bucket.takes(now, limit))
    }

    /// The next answer of the mix, or that there is none of it, in the form this request needs.
    pub fn answer(&mut self, request: &Request<'_>, last: bool, away: bool) -> Rc<Response> {
        let (size, chunk) = (self.behaviour.size, self.behaviour.chunk);
        let blocks = Rc::clone(&self.blocks);
        let chosen = if away { &mut self.turned_away } else { self.choose() };
        let status = chosen.status;
        let slot = &mut chosen.responses[variant(request, last)];
        Rc::clone(slot.get_or_insert_with(|| {
            let (head, old) = (request.head, request.old);
            Rc::new(Response::build(Shape { status, size, chunk, head, old, last }, &blocks))
        }))
    }

    /// Smooth weighted order: each gains its weight, the richest is chosen and pays the sum. Over
    /// any stretch as long as the sum each comes exactly as often as its weight says, evenly spread.
    fn choose(&mut self) -> &mut Weighted {
        if self.statuses.len() == 1 {
            return &mut self.statuses[0];
        }
        let sum: i64 = self.statuses.iter().map(|one| one.weight).sum();
        let mut richest = 0;
        for index in 0..self.statuses.len() {
            self.statuses[index].current += self.statuses[index].weight;
            if self.statuses[index].current > self.statuses[richest].current {
                richest = index;
            }
        }
        let chosen = &mut self.statuses[richest];
        chosen.current -= sum;
        chosen
    }
}

fn variant(request: &Request<'_>, last: bool) -> usize {
    usize::from(request.head) | usize::from(request.old) << 1 | usize::from(last) << 2
}

/// In (0, 1], from splitmix64 (Steele, Lea and Flood, 2014).
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^= word >> 31;
    ((word >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::request::Body;

    fn course(words: &str) -> Course {
        let behaviour = Behaviour::default().adapted(words).unwrap().unwrap();
        Course::new(behaviour, &Rc::new(Blocks::new()), &Queues::default(), Nanos(1000), 7)
    }

    #[test]
    fn the_mix_is_exact_over_each_round_and_evenly_spread() {
        let mut course = course("/?status=200:95,503:5");
        let order: Vec<u16> = (0..400).map(|_| course.choose().status).collect();
        for round in order.chunks(100) {
            assert_eq!(round.iter().filter(|status| **status == 503).count(), 5);
        }
        let errors: Vec<usize> = (0..400).filter(|at| order[*at] == 503).collect();
        assert!(errors.windows(2).all(|pair| pair[1] - pair[0] == 20), "{errors:?}");
    }

    #[test]
    fn an_answer_in_a_stall_is_due_when_the_gate_opens() {
        let mut course = course("/?stall=20ns/100ns&delay=5ns");
        assert_eq!(course.due(Nanos(1000)), Some(Nanos(1005)));
        assert_eq!(course.due(Nanos(1076)), Some(Nanos(1100)));
        assert_eq!(course.due(Nanos(1090)), Some(Nanos(1100)));
        assert_eq!(course.due(Nanos(1099)), Some(Nanos(1104)));
    }

    #[test]
    fn an_answer_passes_the_queue_then_its_delay_and_then_the_gate() {
        let mut course = course("/?service=10ns&workers=1&delay=5ns&stall=20ns/100ns");
        assert_eq!(course.due(Nanos(1000)), Some(Nanos(1015)));
        assert_eq!(course.due(Nanos(1001)), Some(Nanos(1025)), "the delay occupies no worker");
        assert_eq!(course.due(Nanos(1060)), Some(Nanos(1075)));
        assert_eq!(course.due(Nanos(1061)), Some(Nanos(1100)));
        assert_eq!(course.due(Nanos(1086)), Some(Nanos(1101)), "nor does the gate");
    }

    #[test]
    fn each_so_manieth_request_is_never_answered() {
        let mut course = course("/?unanswered=3");
        let due: Vec<_> = (0..7).map(|_| course.due(Nanos(1000))).collect();
        let never = Some(Nanos::MAX);
        assert_eq!(due, [None, None, never, None, None, never, None]);
    }

    #[test]
    fn exponential_delays_repeat_with_their_seed_and_have_their_mean() {
        let draws = |mut course: Course| -> Vec<u64> {
            (0..20_000).map(|_| course.due(Nanos(1000)).unwrap().0 - 1000).collect()
        };
        let first = draws(course("/?delay=exp:5ms"));
        assert_eq!(first, draws(course("/?delay=exp:5ms")));
        // 20,000 draws: the mean's standard error is 0.7 %, three of them 2.1 %.
        let mean = first.iter().sum::<u64>() as f64 / first.len() as f64 / 5e6;
        assert!((mean - 1.0).abs() < 0.021, "{mean}");
    }

    #[test]
    fn an_answer_is_built_once() {
        let queues = Arc::default();
        let mut catalogue = Catalogue::new(Behaviour::default(), queues, Nanos::ZERO, 1);
        let request = Request {
            method: b"GET",
            fields: b"",
            target: b"/?size=9",
            head: false,
            old: false,
            keep_alive: true,
            expects: false,
            body: Body::None,
        };
        let mut ask = || {
            let course = catalogue.find(request.target).unwrap();
            course.borrow_mut().answer(&request, false, false)
        };
        assert!(Rc::ptr_eq(&ask(), &ask()));
    }
}
