//! Who is watched: some processes, and whoever descends from them. Workers come and go, so it is
//! asked anew at each reading.
//!
//! blast itself is never among them, nor what it starts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::process::{self, Stat};

#[derive(Debug)]
pub struct Family {
    roots: Roots,
    /// Those of the reading before, with their starts.
    members: BTreeMap<u32, u64>,
    /// Who was there at the reading before.
    known: HashSet<u32>,
    /// Those among them that were looked at and had nothing to do with it.
    strangers: HashSet<u32>,
    readings: u32,
}

/// Where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    Pids(BTreeSet<u32>),
    Name(String),
    Cgroup(PathBuf),
}

/// One who is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub stat: Stat,
    /// It was not there at the reading before: all that it did, it did since.
    pub is_new: bool,
}

/// A stranger may become somebody else by exec: each is looked at again after so many readings. To
/// look at all of them each time would cost 6 us for every process of the host.
const PATIENCE: u32 = 10;

/// The first process of a host adopts whoever has lost its parent.
const INIT: u32 = 1;
const INITS: [&str; 3] = ["systemd", "init", "tini"];

impl Family {
    pub fn new(roots: Roots) -> Family {
        Family {
            roots,
            members: BTreeMap::new(),
            known: HashSet::new(),
            strangers: HashSet::new(),
            readings: 0,
        }
    }

    /// Who belongs to it now, by pid.
    pub fn read(&mut self) -> Vec<Member> {
        if self.readings.is_multiple_of(PATIENCE) {
            self.strangers.clear();
        }
        self.readings += 1;
        let all: HashSet<u32> = process::all().into_iter().collect();
        self.strangers.retain(|pid| all.contains(pid));
        let me = std::process::id();
        let looked_at = all.iter().filter(|pid| **pid != me && !self.strangers.contains(pid));
        let stats: Vec<Stat> = looked_at.filter_map(|pid| Stat::read(*pid)).collect();
        let chosen = self.choose(&stats);
        let (ours, others): (Vec<Stat>, Vec<Stat>) =
            stats.into_iter().partition(|stat| chosen.contains(&stat.pid));
        self.strangers.extend(others.iter().map(|stat| stat.pid));
        let member = |stat: Stat| Member { is_new: !self.known.contains(&stat.pid), stat };
        let mut members: Vec<Member> = ours.into_iter().map(member).collect();
        members.sort_by_key(|member| member.stat.pid);
        self.members =
            members.iter().map(|member| (member.stat.pid, member.stat.started)).collect();
        self.known = all;
        members
    }

    /// Who belonged to it at the last reading.
    pub fn pids(&self) -> impl Iterator<Item = u32> {
        self.members.keys().copied()
    }

    fn choose(&self, stats: &[Stat]) -> HashSet<u32> {
        let in_cgroup = match &self.roots {
            Roots::Cgroup(path) => processes_in(path),
            _ => HashSet::new(),
        };
        let is_first = self.readings == 1;
        let is_root = |stat: &Stat| match &self.roots {
            // A number is given to another process once its first has ended.
            Roots::Pids(pids) => is_first && pids.contains(&stat.pid),
            Roots::Name(name) => stat.is_called(name),
            Roots::Cgroup(_) => in_cgroup.contains(&stat.pid),
        };
        // One that has lost its parent still belongs to it.
        let was = |stat: &Stat| self.members.get(&stat.pid) == Some(&stat.started);
        let chosen = stats.iter().filter(|stat| was(stat) || is_root(stat)).map(|stat| stat.pid);
        let mut chosen: HashSet<u32> = chosen.collect();
        let adopter = stats.iter().find(|stat| is_init(stat)).map(|stat| stat.pid);
        loop {
            let parent =
                |stat: &&Stat| chosen.contains(&stat.parent) && Some(stat.parent) != adopter;
            let more = stats.iter().filter(|stat| !chosen.contains(&stat.pid)).filter(parent);
            let more: Vec<u32> = more.map(|stat| stat.pid).collect();
            if more.is_empty() {
                return chosen;
            }
            chosen.extend(more);
        }
    }
}

/// A first process that only keeps others, and is not itself the server of a container.
pub fn is_init(stat: &Stat) -> bool {
    stat.pid == INIT && INITS.contains(&stat.name.as_str())
}

/// The processes of a control group and of those below it.
pub fn processes_in(cgroup: &Path) -> HashSet<u32> {
    let text = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let mut pids: HashSet<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            pids.extend(processes_in(&entry.path()));
        }
    }
    pids
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    use super::*;

    /// A shell with a child, which goes on when the shell has ended.
    fn shell() -> Child {
        let script = "sleep 40 & echo $!; read line";
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        shell.spawn().unwrap()
    }

    fn line(child: &mut Child) -> String {
        use std::io::{BufRead, BufReader};
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line.trim().to_string()
    }

    fn pids(members: &[Member]) -> Vec<u32> {
        members.iter().map(|member| member.stat.pid).collect()
    }

    #[test]
    fn a_child_belongs_to_it_also_when_its_parent_has_ended() {
        let mut parent = shell();
        let child: u32 = line(&mut parent).parse().unwrap();
        let mut family = Family::new(Roots::Pids([parent.id()].into()));
        assert_eq!(pids(&family.read()), [parent.id(), child]);
        assert!(family.read().iter().all(|member| !member.is_new));
        parent.kill().unwrap();
        // Not yet waited for: it is dead all the same.
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(pids(&family.read()), [child]);
        parent.wait().unwrap();
        // SAFETY: signals a process that this test has started.
        unsafe { libc::kill(child as i32, libc::SIGKILL) };
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(pids(&family.read()), [0; 0]);
    }

    #[test]
    fn whoever_is_called_so_belongs_to_it_from_the_moment_it_comes() {
        let folder = std::env::temp_dir().join(format!("blast-family-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("blast-watched");
        fs::copy("/bin/sleep", &program).unwrap();
        let mut family = Family::new(Roots::Name("blast-watched".to_string()));
        assert_eq!(pids(&family.read()), [0; 0]);
        let mut child = Command::new(&program).arg("40").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let members = family.read();
        assert_eq!(pids(&members), [child.id()]);
        assert!(members[0].is_new);
        assert!(!family.read()[0].is_new);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(pids(&family.read()), [0; 0]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn blast_is_never_watched() {
        let me = std::process::id();
        let mut family = Family::new(Roots::Pids([me].into()));
        assert_eq!(pids(&family.read()), [0; 0]);
        // SAFETY: takes nothing.
        let parent = unsafe { libc::getppid() } as u32;
        let mut family = Family::new(Roots::Pids([parent].into()));
        let members = pids(&family.read());
        assert!(members.contains(&parent) && !members.contains(&me), "{members:?}");
    }
}
