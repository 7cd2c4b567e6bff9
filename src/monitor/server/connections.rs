//! Connections of the watched processes: those that came to them, and those that they hold to a
//! pool (of a database, say).
//!
//! The kernel is asked for sockets with such a port alone, and answers in the order of those,
//! however many others there are. Whose a socket is, only the links in /proc/PID/fd tell: they are
//! read when there is a socket that was not seen before.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::family::Member;
use super::process::Stat;
use crate::metrics::{Label, Unit};
use crate::monitor::sampler::Probe;
use crate::monitor::sockets::{self, End};

/// A server opens what it listens on before it has so many files open.
const EARLY: usize = 1024;

/// One with more ports than these is asked for the lowest ones.
const MOST_PORTS: usize = 8;

/// Connections to the ports that the watched processes listen on.
#[derive(Debug, Default)]
pub struct Incoming {
    /// All listeners of the host, whoever's, when their owners were last looked for.
    listeners: BTreeSet<u64>,
    members: Vec<u32>,
    ports: BTreeSet<u16>,
}

impl Incoming {
    pub fn count(&mut self, members: &[Member]) -> Option<u64> {
        self.find_ports(members)?;
        if self.ports.is_empty() {
            return None;
        }
        let ports = self.ports.iter().take(MOST_PORTS);
        let counts = ports.map(|port| Some(sockets::connected_at(*port).ok()?.len() as u64));
        counts.sum()
    }

    /// Again when there are other listeners or other processes than before.
    fn find_ports(&mut self, members: &[Member]) -> Option<()> {
        let listening = sockets::listening().ok()?;
        let listeners = listening.iter().map(|listener| listener.inode).collect();
        let pids: Vec<u32> = members.iter().map(|member| member.stat.pid).collect();
        if (&listeners, &pids) == (&self.listeners, &self.members) {
            return Some(());
        }
        let of_member = |member: &Member| member.stat.sockets(EARLY);
        let ours: HashSet<u64> = members.iter().filter_map(of_member).flatten().collect();
        let ours = listening.iter().filter(|listener| ours.contains(&listener.inode));
        self.ports = ours.map(|listener| listener.address.port()).collect();
        (self.listeners, self.members) = (listeners, pids);
        Some(())
    }
}

/// Connections to a port of wherever.
#[derive(Debug)]
pub struct Pool {
    port: u16,
    /// Sockets that were seen, and whether they are ours.
    ours: HashMap<u64, bool>,
}

impl Pool {
    pub fn new(port: u16) -> Pool {
        Pool { port, ours: HashMap::new() }
    }

    pub fn label() -> Label {
        Label::new("pool", Unit::Count)
    }

    /// Those that these processes hold. Where their files are not to be seen: those of their users.
    pub fn count(&mut self, members: &[Member]) -> Option<u64> {
        let ends = sockets::connected_to(self.port).ok()?;
        let sockets = || {
            let each = members.iter().map(|member| member.stat.sockets(usize::MAX));
            each.collect::<Option<Vec<_>>>().map(|all| all.into_iter().flatten().collect())
        };
        let users = || members.iter().filter_map(|member| user(&member.stat)).collect();
        Some(self.ours_of(&ends, sockets, users))
    }

    fn ours_of(
        &mut self,
        ends: &[End],
        sockets: impl FnOnce() -> Option<HashSet<u64>>,
        users: impl FnOnce() -> HashSet<u32>,
    ) -> u64 {
        let there: HashSet<u64> = ends.iter().map(|end| end.inode).collect();
        self.ours.retain(|inode, _| there.contains(inode));
        if ends.iter().any(|end| !self.ours.contains_key(&end.inode)) {
            let is_ours: Box<dyn Fn(&End) -> bool> = match sockets() {
                Some(held) => Box::new(move |end| held.contains(&end.inode)),
                None => {
                    let users = users();
                    Box::new(move |end| users.contains(&end.uid))
                }
            };
            for end in ends {
                self.ours.entry(end.inode).or_insert_with(|| is_ours(end));
            }
        }
        self.ours.values().filter(|is_ours| **is_ours).count() as u64
    }
}

/// Where nobody is watched: the connections of the whole host.
impl Probe for Pool {
    fn labels(&self) -> Vec<Label> {
        vec![Pool::label()]
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let ends = sockets::connected_to(self.port).ok();
        values.push(ends.map(|ends| ends.len() as f64));
    }
}

fn user(stat: &Stat) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    Some(std::fs::metadata(format!("/proc/{}", stat.pid)).ok()?.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(inode: u64) -> End {
        End { uid: 33, inode }
    }

    #[test]
    fn files_are_looked_through_only_for_a_socket_that_is_new() {
        let mut pool = Pool::new(5432);
        let held = || Some(HashSet::from([1, 2, 9]));
        let none = || panic!("nothing is new");
        assert_eq!(pool.ours_of(&[end(1), end(2), end(3)], held, HashSet::new), 2);
        assert_eq!(pool.ours_of(&[end(3), end(2)], none, HashSet::new), 1);
        assert_eq!(pool.ours_of(&[end(3), end(2), end(9)], held, HashSet::new), 2);
        assert_eq!(pool.ours_of(&[], || None, HashSet::new), 0);
    }

    #[test]
    fn where_files_are_hidden_a_socket_is_its_users() {
        let ends = [end(1), End { uid: 0, inode: 2 }];
        let count = |user| Pool::new(5432).ours_of(&ends, || None, || HashSet::from([user]));
        assert_eq!((count(33), count(1)), (1, 0));
    }
}
