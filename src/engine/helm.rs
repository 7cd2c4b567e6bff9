//! The helm: how whoever watches a run steers it, and how far it is to go. Shared by the control
//! thread and whoever has a keyboard or a page; the workers never see it.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::edits::Level;
use crate::error::{Error, Result};
use crate::plan::{Load, Plan, Rate, shape};
use crate::time::Nanos;

#[derive(Debug, Default)]
pub struct Helm {
    /// By how many nanoseconds measure is to be longer than it is.
    wished: AtomicI64,
    reach: Mutex<Reach>,
    course: Mutex<Course>,
}

/// How far a run is to go. Instants are by the clock of [`crate::time`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The start of the load; `None`: it has not started.
    pub origin: Option<Nanos>,
    /// The start of measure; `None`: that is still to be found.
    pub measure: Option<Nanos>,
    /// The length of measure; `None`: something else ends it.
    pub length: Option<Nanos>,
    /// The length may be changed.
    pub is_elastic: bool,
}

/// What the load may be changed to, and what it is to be.
#[derive(Debug, Default)]
struct Course {
    /// `None`: no run was begun.
    bounds: Option<Bounds>,
    orders: Vec<Order>,
}

/// What somebody wants the load to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub level: Level,
    pub who: String,
}

/// What a load can be changed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    steers: Steers,
    /// How often it can be changed: each makes a stage of the run.
    pub left: usize,
    /// Measure is over, or about to be.
    pub is_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steers {
    Rate,
    /// A rate whose end is a number of requests.
    Counted,
    /// Users, so many at most.
    Users(u32),
}

impl Helm {
    pub fn lengthen(&self, by: Nanos) {
        self.wished.fetch_add(signed(by), SeqCst);
    }

    pub fn shorten(&self, by: Nanos) {
        self.wished.fetch_sub(signed(by), SeqCst);
    }

    /// From about a tenth of a second on, so many requests a second; `who`: for the report. Takes
    /// the place of whatever was to follow, stages included. In warm-up or before, it is the rate of
    /// measure as well. Refused in closed loop, in the drain, and where it is out of range; what
    /// turns out to be too late only then is told as [`super::Progress::EditRefused`].
    pub fn set_rate(&self, per_s: f64, who: &str) -> Result<()> {
        self.order(Level::Rate(rate(per_s)?), who)
    }

    /// The same for a closed loop: so many connections, or users of a scenario. Those that are too
    /// many end after what they have in flight.
    pub fn set_users(&self, count: u32, who: &str) -> Result<()> {
        self.order(Level::Users(count), who)
    }

    pub fn reach(&self) -> Reach {
        *self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, reach: Reach) {
        *self.reach.lock().unwrap_or_else(PoisonError::into_inner) = reach;
    }

    /// What an order may be, from now on.
    pub(super) fn bound(&self, bounds: Bounds) {
        self.course().bounds = Some(bounds);
    }

    /// The orders that nobody has carried out.
    pub(super) fn orders(&self) -> Vec<Order> {
        std::mem::take(&mut self.course().orders)
    }

    /// The length that is wished for in the place of this one, once.
    pub(super) fn wish(&self, length: Nanos) -> Option<Nanos> {
        let by = self.wished.swap(0, SeqCst);
        let to = Nanos(length.0.saturating_add_signed(by));
        (by != 0).then_some(to)
    }

    fn order(&self, level: Level, who: &str) -> Result<()> {
        let mut course = self.course();
        match course.bounds.and_then(|bounds| bounds.refuse(level)) {
            Some(why) => Err(Error::usage(why)),
            None => {
                // It goes to terminals.
                let who = who.chars().filter(|letter| !letter.is_control()).collect();
                course.orders.push(Order { level, who });
                Ok(())
            }
        }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        // Each change is one step: a panic in between leaves it whole.
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bounds {
    pub fn of(plan: &Plan) -> Bounds {
        let steers = match &plan.load {
            Load::Closed { .. } => Steers::Users(plan.room()),
            Load::Open(_) if plan.requests.is_some() => Steers::Counted,
            Load::Open(_) => Steers::Rate,
        };
        // What there is before the first change is a stage, too.
        let stages = plan.load.stages().len().max(1);
        Bounds { steers, left: shape::MOST_STAGES.saturating_sub(stages), is_over: false }
    }

    /// Why the load cannot be changed to this; `None`: it can.
    pub fn refuse(&self, level: Level) -> Option<String> {
        let why = match (self.steers, level) {
            _ if self.is_over => {
                "measure is over, so its load stays what it was; start another run"
            }
            (Steers::Users(_), Level::Rate(_)) => {
                "this load has no rate: each user sends when it was answered; change the users"
            }
            (Steers::Rate | Steers::Counted, Level::Users(_)) => {
                "this load has no number of users that could be changed: it is a rate; change that"
            }
            (Steers::Counted, _) => {
                "the rate of a run that ends after a number of requests cannot be changed; give \
                 the run a duration in the place of the number"
            }
            _ if self.left == 0 => {
                "this load was changed as often as it can be: each change is a stage of the run; \
                 start another run"
            }
            (_, Level::Users(0)) => "nobody would be left to send; stop the run to end it",
            (Steers::Users(room), Level::Users(count)) if count > room => {
                return Some(format!(
                    "{count} users are more than this run has room for; make it {room} or fewer"
                ));
            }
            _ => return None,
        };
        Some(why.to_string())
    }
}

/// Whole ones each second, or thousandths.
fn rate(per_s: f64) -> Result<Rate> {
    if !(0.001..=HIGHEST).contains(&per_s) {
        return Err(Error::usage(format!(
            "a rate of {per_s} a second is out of range; make it at least 0.001 and at most \
             {HIGHEST}"
        )));
    }
    Ok(match per_s.fract() {
        0.0 => Rate::per_second(per_s as u64),
        _ => Rate { count: (per_s * 1e3).round() as u64, period: Nanos::from_secs(1_000) },
    })
}

/// Requests a second that a load can be changed to: more than any host sends.
const HIGHEST: f64 = 1e8;

fn signed(by: Nanos) -> i64 {
    i64::try_from(by.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::Url;

    #[test]
    fn wishes_add_up_and_are_told_once() {
        let (helm, second) = (Helm::default(), Nanos::from_secs(1));
        assert_eq!(helm.wish(second), None);
        helm.lengthen(second);
        helm.lengthen(second);
        helm.shorten(Nanos::from_millis(500));
        assert_eq!(helm.wish(second), Some(Nanos::from_millis(2_500)));
        assert_eq!(helm.wish(second), None);
        helm.shorten(Nanos::from_secs(5));
        assert_eq!(helm.wish(second), Some(Nanos::ZERO));
    }

    fn plan(load: Load) -> Plan {
        let url = Url::parse("http://127.0.0.1/").expect("a URL");
        Plan { load, ..Plan::new(url, Request::new("GET", "/", "127.0.0.1")) }
    }

    fn helm(plan: &Plan) -> Helm {
        let helm = Helm::default();
        helm.bound(Bounds::of(plan));
        helm
    }

    #[test]
    fn an_order_is_taken_once_and_in_the_order_it_was_given() {
        let helm = helm(&plan(Load::steady(Rate::per_second(5))));
        helm.set_rate(250.0, "ada").expect("an order");
        helm.set_rate(0.25, "bob").expect("an order");
        let orders = helm.orders();
        let told: Vec<_> = orders.iter().map(|order| (order.level, order.who.as_str())).collect();
        let slow = Rate { count: 250, period: Nanos::from_secs(1_000) };
        let fast = Rate::per_second(250);
        assert_eq!(told, [(Level::Rate(fast), "ada"), (Level::Rate(slow), "bob")]);
        assert_eq!(helm.orders(), []);
    }

    #[test]
    fn what_cannot_be_is_refused_in_a_sentence_that_says_what_to_do() {
        let open = plan(Load::steady(Rate::per_second(5)));
        let closed = Plan { may_grow_to: Some(70), ..plan(Load::CLOSED) };
        let counted = Plan { requests: Some(9), ..open.clone() };
        let over = helm(&open);
        over.bound(Bounds { is_over: true, ..Bounds::of(&open) });
        let often = helm(&open);
        often.bound(Bounds { left: 0, ..Bounds::of(&open) });
        for (told, expected) in [
            (helm(&open).set_users(9, ""), "it is a rate; change that"),
            (helm(&closed).set_rate(9.0, ""), "change the users"),
            (helm(&closed).set_users(71, ""), "make it 70 or fewer"),
            (helm(&closed).set_users(0, ""), "stop the run"),
            (helm(&counted).set_rate(9.0, ""), "give the run a duration"),
            (helm(&open).set_rate(0.0, ""), "at least 0.001"),
            (helm(&open).set_rate(f64::NAN, ""), "at least 0.001"),
            (helm(&open).set_rate(f64::INFINITY, ""), "at most 100000000"),
            (over.set_rate(9.0, ""), "start another run"),
            (often.set_rate(9.0, ""), "as often as it can be"),
        ] {
            let error = told.expect_err(expected);
            assert!(error.message.contains(expected), "{}", error.message);
        }
        assert!(helm(&closed).set_users(70, "").is_ok() && helm(&closed).set_users(1, "").is_ok());
        assert!(helm(&open).set_rate(1e8, "").is_ok());
    }
}
