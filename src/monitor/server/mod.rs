//! The server beside the load as gauges, `server.*` and `pool`, where it runs on this host: all its
//! processes together.
//!
//! ```text
//! find         --watch -> where it begins       process      what the kernel tells of one
//! family       who belongs to it right now      connections  its ports, and its pool
//! ```

mod connections;
mod family;
mod find;
mod process;

use std::collections::HashMap;

use super::sampler::Probe;
use crate::address::Address;
use crate::error::Result;
use crate::metrics::{self, Label, Unit};
use crate::plan::Watch;
use crate::time::{self, Nanos};
use connections::{Incoming, Pool};
use family::{Family, Member};

/// Threads of a server that has more are not looked at one by one: that would cost 6 us each.
const MOST_THREADS: u64 = 512;

/// Watched processes.
#[derive(Debug)]
pub struct Server {
    family: Family,
    identity: metrics::Server,
    at: Nanos,
    /// Processor time so far, by pid and start.
    processes: HashMap<(u32, u64), Nanos>,
    /// The same by pid and thread, unless there were too many.
    threads: Option<HashMap<(u32, u32), Nanos>>,
    incoming: Incoming,
    pool: Option<Pool>,
}

/// What is watched beside a load.
pub struct Watched {
    pub probes: Vec<Box<dyn Probe>>,
    /// Who it is; `None`: nobody.
    pub server: Option<metrics::Server>,
    /// All its processes, the one first that the others descend from.
    pub pids: Vec<u32>,
}

impl Watched {
    /// `addresses`: the target's, looked up only where it could be this host. `pool`: the port of a
    /// pool.
    pub fn find(
        watch: &Watch,
        addresses: impl FnOnce() -> Vec<Address>,
        pool: Option<u16>,
    ) -> Result<Watched> {
        let pool = pool.map(Pool::new);
        let server = find::find(watch, addresses)?.map(Server::new);
        // It may have ended since.
        let server = server.filter(|server| server.identity.processes > 0);
        let identity = server.as_ref().map(|server| server.identity.clone());
        let pids = server.as_ref().map(Server::pids).unwrap_or_default();
        let probes: Vec<Box<dyn Probe>> = match (server, pool) {
            (Some(server), pool) => vec![Box::new(Server { pool, ..server })],
            (None, Some(pool)) => vec![Box::new(pool)],
            (None, None) => Vec::new(),
        };
        Ok(Watched { probes, server: identity, pids })
    }
}

impl Server {
    fn new(mut family: Family) -> Server {
        let members = family.read();
        Server {
            family,
            identity: identity(&members),
            at: Nanos::ZERO,
            processes: HashMap::new(),
            threads: None,
            incoming: Incoming::default(),
            pool: None,
        }
    }

    fn pids(&self) -> Vec<u32> {
        let others = self.family.pids().filter(|pid| *pid != self.identity.pid);
        [self.identity.pid].into_iter().chain(others).collect()
    }

    /// Processor time since the reading before, all of it. What was there before and is seen for
    /// the first time has spent nothing that could be told.
    fn spent(&mut self, members: &[Member]) -> Nanos {
        let mut all = Nanos::ZERO;
        let mut processes = HashMap::new();
        for Member { stat, is_new } in members {
            let (key, now) = ((stat.pid, stat.started), stat.cpu());
            let first = if *is_new { Nanos::ZERO } else { now };
            all += now - self.processes.get(&key).copied().unwrap_or(first);
            processes.insert(key, now);
        }
        self.processes = processes;
        all
    }

    /// The same of the thread that spent most.
    fn busiest(&mut self, members: &[Member]) -> Option<Nanos> {
        let count: u64 = members.iter().map(|member| member.stat.threads).sum();
        let before = self.threads.take();
        if count > MOST_THREADS {
            return None;
        }
        let mut busiest = Nanos::ZERO;
        let threads = self.threads.insert(HashMap::new());
        for Member { stat, is_new } in members {
            let knew = before.is_some() || *is_new;
            for (thread, now) in stat.thread_times() {
                let key = (stat.pid, thread);
                let then = before.as_ref().and_then(|before| before.get(&key)).copied();
                busiest = busiest.max(now - then.unwrap_or(if knew { Nanos::ZERO } else { now }));
                threads.insert(key, now);
            }
        }
        Some(busiest)
    }
}

/// Its first process, and how many there are.
fn identity(members: &[Member]) -> metrics::Server {
    let is_member = |pid| members.iter().any(|member| member.stat.pid == pid);
    let first = members.iter().find(|member| !is_member(member.stat.parent));
    let first = first.or(members.first()).map(|member| &member.stat);
    metrics::Server {
        pid: first.map_or(0, |stat| stat.pid),
        name: first.map_or_else(String::new, process::Stat::shown),
        processes: members.len() as u64,
    }
}

impl Probe for Server {
    fn labels(&self) -> Vec<Label> {
        let own = [
            ("server.cpu", Unit::Percent),
            ("server.core_max", Unit::Percent),
            ("server.rss", Unit::Bytes),
            ("server.threads", Unit::Count),
            ("server.fds", Unit::Count),
            ("server.connections", Unit::Count),
        ];
        let own = own.into_iter().map(|(name, unit)| Label::new(name, unit));
        own.chain(self.pool.iter().map(|_| Pool::label())).collect()
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let now = time::now();
        let members = self.family.read();
        let length = (now - std::mem::replace(&mut self.at, now)).as_secs_f64();
        let first = self.processes.is_empty();
        let (spent, busiest) = (self.spent(&members), self.busiest(&members));
        if members.is_empty() {
            return values.resize(values.len() + self.labels().len(), None);
        }
        let percent = |spent: Nanos| (!first).then(|| spent.as_secs_f64() / length * 100.0);
        let sum = |of: fn(&Member) -> u64| members.iter().map(of).sum::<u64>() as f64;
        let descriptors =
            members.iter().map(|member| member.stat.descriptors()).sum::<Option<u64>>();
        values.extend([
            percent(spent),
            busiest.and_then(percent),
            Some(sum(|member| member.stat.rss_bytes())),
            Some(sum(|member| member.stat.threads)),
            descriptors.map(|count| count as f64),
            self.incoming.count(&members).map(|count| count as f64),
        ]);
        if let Some(pool) = &mut self.pool {
            values.push(pool.count(&members).map(|count| count as f64));
        }
    }
}
