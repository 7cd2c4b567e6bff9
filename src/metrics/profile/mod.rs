//! Where a program spent its time: its functions by their own time, and what kind of work that was.
//!
//! Waiting (for a connection, a lock, the clock) stands apart from the start: shares are of the time
//! in which something was done, so that the place where an idle server waits is never its hot spot.
//!
//! ```text
//! stacks    collapsed stacks, `a;b;c 12`      class    a name -> the kind of work, or waiting
//! pstat     what Python's cProfile writes     marshal  the format that is written in
//! ```

pub mod class;
mod marshal;
mod name;
pub mod pstat;
pub mod stacks;

use std::collections::HashMap;

pub use class::Class;
pub use stacks::Stacks;

/// What time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Samples,
    Microseconds,
}

/// A profile, its functions ranked.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// What took it.
    pub tool: String,
    pub unit: Unit,
    /// All of it, with waiting.
    pub all: u64,
    /// Without waiting; the shares of functions and classes are of this.
    pub busy: u64,
    /// Who waits is in it too. A tool that only sees what is on a processor cannot tell how much
    /// that was.
    pub sees_waiting: bool,
    /// Those that did something themselves, most first.
    pub functions: Vec<Function>,
    /// Where it waited, longest first; `own` is of all of it.
    pub waits: Vec<Function>,
    /// By the place in [`Class::ALL`].
    pub by_class: [u64; 4],
    /// What it was made of; `None` where that is not known.
    pub stacks: Option<Stacks>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: String,
    /// In itself.
    pub own: u64,
    /// With all that it called, but for waiting. At least `own`.
    pub total: u64,
    /// What it mostly did itself.
    pub class: Class,
}

impl Profile {
    /// Samples of whole stacks.
    pub fn of_stacks(tool: &str, stacks: Stacks, sees_waiting: bool) -> Profile {
        let mut costs: HashMap<&str, Cost> = HashMap::new();
        let mut seen: Vec<&str> = Vec::new();
        for (stack, count) in stacks.iter() {
            let frames: Vec<&str> = stack.split(';').collect();
            let Some(leaf) = frames.last() else { continue };
            if class::is_waiting(leaf) {
                costs.entry(leaf).or_default().waited += count;
                continue;
            }
            let class = class::of_stack(&frames);
            costs.entry(leaf).or_default().own[class as usize] += count;
            // Once, however often it called itself.
            seen.clear();
            seen.extend(&frames);
            seen.sort_unstable();
            seen.dedup();
            for frame in &seen {
                costs.entry(frame).or_default().total += count;
            }
        }
        let costs = costs.into_iter().map(|(name, cost)| (shown(name), cost)).collect();
        let profile = Profile::of_costs(tool, Unit::Samples, costs);
        Profile { sees_waiting, stacks: Some(stacks), ..profile }
    }

    fn of_costs(tool: &str, unit: Unit, costs: Vec<(String, Cost)>) -> Profile {
        let (mut functions, mut waits) = (Vec::new(), Vec::new());
        let (mut by_class, mut waited) = ([0; 4], 0);
        for (name, cost) in costs {
            for (class, own) in by_class.iter_mut().zip(cost.own) {
                *class += own;
            }
            waited += cost.waited;
            let own: u64 = cost.own.iter().sum();
            let class = Class::ALL.into_iter().max_by_key(|class| cost.own[*class as usize]);
            let class = class.unwrap_or(Class::Cpu);
            if cost.waited > 0 {
                waits.push(Function { name: name.clone(), own: cost.waited, total: own, class });
            }
            if own > 0 {
                functions.push(Function { name, own, total: cost.total.max(own), class });
            }
        }
        let by_own = |a: &Function, b: &Function| b.own.cmp(&a.own).then(a.name.cmp(&b.name));
        functions.sort_by(by_own);
        waits.sort_by(by_own);
        let busy: u64 = by_class.iter().sum();
        Profile {
            tool: tool.to_string(),
            unit,
            all: busy + waited,
            busy,
            sees_waiting: true,
            functions,
            waits,
            by_class,
            stacks: None,
        }
    }

    /// Of what was done.
    pub fn share(&self, part: u64) -> f64 {
        if self.busy == 0 { 0.0 } else { (part as f64 / self.busy as f64).min(1.0) }
    }

    /// Of all of it; `None` where the tool cannot see it.
    pub fn waiting_share(&self) -> Option<f64> {
        let waited = self.all - self.busy;
        (self.sees_waiting && self.all > 0).then(|| waited as f64 / self.all as f64)
    }
}

/// What one function cost.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    /// By the place in [`Class::ALL`].
    own: [u64; 4],
    waited: u64,
    total: u64,
}

/// Without the mark of where it ran.
fn shown(name: &str) -> String {
    name::unmarked(name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> Profile {
        Profile::of_stacks("test", Stacks::parse(text).unwrap(), true)
    }

    fn ranked(profile: &Profile) -> Vec<(&str, u64, u64)> {
        let row = |function: &'_ Function| (function.own, function.total);
        let rows = profile.functions.iter().map(|one| (&*one.name, row(one).0, row(one).1));
        rows.collect()
    }

    #[test]
    fn functions_are_ranked_by_their_own_time_and_know_what_they_called() {
        let profile = profile("main;parse;next 30\nmain;parse 10\nmain;render 50\nmain 10\n");
        assert_eq!(
            ranked(&profile),
            [("render", 50, 50), ("next", 30, 30), ("main", 10, 100), ("parse", 10, 40)]
        );
        assert_eq!((profile.all, profile.busy, profile.waiting_share()), (100, 100, Some(0.0)));
        assert_eq!(profile.share(profile.functions[0].own), 0.5);
    }

    #[test]
    fn a_function_that_calls_itself_counts_once() {
        let profile = profile("main;walk;walk;walk 7\nmain;walk;leaf 3\n");
        assert_eq!(ranked(&profile), [("walk", 7, 10), ("leaf", 3, 3)]);
    }

    #[test]
    fn waiting_is_never_the_hot_spot_however_long_it_is() {
        let profile = profile(
            "main;loop;epoll_wait 9000\nmain;pool;pthread_cond_wait@@GLIBC_2.3.2 900\n\
             main;handle;encode 60\nmain;handle;malloc 40\n",
        );
        assert_eq!(ranked(&profile), [("encode", 60, 60), ("malloc", 40, 40)]);
        assert_eq!(profile.waiting_share(), Some(0.99));
        assert_eq!(profile.waits[0].name, "epoll_wait");
        assert_eq!((profile.share(60), profile.by_class), (0.6, [60, 0, 0, 40]));
        let on_processor = Profile { sees_waiting: false, ..profile };
        assert_eq!(on_processor.waiting_share(), None);
    }

    #[test]
    fn one_that_only_waited_has_no_functions_and_no_shares() {
        let profile = profile("main;sleep 5\n");
        assert!(profile.functions.is_empty());
        assert_eq!((profile.share(5), profile.waiting_share()), (0.0, Some(1.0)));
    }
}
