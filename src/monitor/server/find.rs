//! From what was asked for to processes of this host.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::family::{Family, Roots, is_init, processes_in};
use super::process::{self, Stat};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::monitor::listeners;
use crate::monitor::sockets::Listener;
use crate::monitor::target::Place;
use crate::plan::Watch;
use crate::units::{nearest, quote};

/// Where control groups are mounted; of the first version, and of both at a time, one below.
const CGROUPS: &str = "/sys/fs/cgroup";

/// A run does not begin later for a server that nobody asked for.
const PATIENCE: Duration = Duration::from_millis(250);

/// Who that is; `None`: nobody on this host, and nobody was asked for. `addresses`: the target's,
/// looked up only where it could be this host.
pub fn find(watch: &Watch, addresses: impl FnOnce() -> Vec<Address>) -> Result<Option<Family>> {
    let pids = |pids: BTreeSet<u32>| Roots::Pids(pids);
    let roots = match watch {
        Watch::Off => return Ok(None),
        Watch::Target => match target(addresses) {
            owners if owners.is_empty() => return Ok(None),
            owners => pids(owners),
        },
        Watch::Pid(pid) => pids([of_pid(*pid)?].into()),
        Watch::Port(port) => pids(of_port(*port)?),
        Watch::Number(number) => pids(of_number(*number)?),
        Watch::Name(name) => of_name(name)?,
        Watch::Cgroup(path) => of_cgroup(path)?,
    };
    Ok(Some(Family::new(roots)))
}

/// Those that listen for it here. In other network namespaces, or where files of others are not to
/// be seen, there are none.
fn target(addresses: impl FnOnce() -> Vec<Address>) -> BTreeSet<u32> {
    let all = listeners::all();
    if all.is_empty() {
        return BTreeSet::new();
    }
    let addresses = addresses();
    let places = addresses.iter().filter_map(|address| Some(Place::new(address.inet()?, &all)));
    let inodes: Vec<u64> =
        places.flat_map(|place| place.listeners).map(|listener| listener.inode).collect();
    if inodes.is_empty() { BTreeSet::new() } else { owners(&inodes, PATIENCE) }
}

/// Without blast itself, whose threads cannot be told from the target's in the same process; and
/// without one that opened the socket for the server alone.
fn owners(inodes: &[u64], patience: Duration) -> BTreeSet<u32> {
    let found = listeners::owners_within(inodes, patience).into_iter().map(|process| process.pid);
    let is_server = |pid: &u32| {
        *pid != std::process::id() && Stat::read(*pid).is_some_and(|stat| !is_init(&stat))
    };
    found.filter(is_server).collect()
}

fn of_pid(pid: u32) -> Result<u32> {
    if pid == std::process::id() {
        return refuse(format!("{pid} is blast itself; name the server"));
    }
    match Stat::read(pid) {
        Some(_) => Ok(pid),
        None => refuse(format!("there is no process {pid} here; look with `pgrep -l NAME`")),
    }
}

fn listening_on(port: u16) -> Vec<Listener> {
    listeners::all().into_iter().filter(|listener| listener.address.port() == port).collect()
}

fn of_port(port: u16) -> Result<BTreeSet<u32>> {
    let inodes: Vec<u64> = listening_on(port).iter().map(|listener| listener.inode).collect();
    if inodes.is_empty() {
        return refuse(format!("nothing listens on port {port} here; start the server first"));
    }
    match owners(&inodes, Duration::MAX) {
        owners if owners.is_empty() => refuse(format!(
            "who listens on port {port} is not to be seen by this user; run blast as root or as the \
             server's user, or name the server's process"
        )),
        owners => Ok(owners),
    }
}

fn of_number(number: u32) -> Result<BTreeSet<u32>> {
    let port = u16::try_from(number).ok().filter(|port| !listening_on(*port).is_empty());
    match (port, Stat::read(number)) {
        (Some(port), None) => of_port(port),
        (None, Some(_)) => of_pid(number).map(|pid| [pid].into()),
        (Some(_), Some(_)) => refuse(format!(
            "{number} is a process and a port here; write `pid:{number}` or `port:{number}`"
        )),
        (None, None) => refuse(format!(
            "there is no process {number} here, and nothing listens on such a port; start the \
             server first, or look with `pgrep -l NAME`"
        )),
    }
}

fn of_name(name: &str) -> Result<Roots> {
    let me = std::process::id();
    let stats: Vec<Stat> =
        process::all().into_iter().filter(|pid| *pid != me).filter_map(Stat::read).collect();
    if stats.iter().any(|stat| stat.is_called(name)) {
        return Ok(Roots::Name(name.to_string()));
    }
    let hint = match nearest(name, stats.iter().map(|stat| stat.name.as_str())) {
        Some(near) => format!("did you mean {}?", quote(near)),
        None => "start the server first, or name its process id".to_string(),
    };
    refuse(format!("no process here is called {}; {hint}", quote(name)))
}

fn of_cgroup(path: &Path) -> Result<Roots> {
    let shown = quote(&path.to_string_lossy());
    let Some(found) = places(path).into_iter().find(|place| place.join("cgroup.procs").is_file())
    else {
        return refuse(format!(
            "there is no control group {shown} here; `systemd-cgls` or /proc/PID/cgroup tell its path"
        ));
    };
    match processes_in(&found).is_empty() {
        true => refuse(format!("no process is in the control group {shown}; start it first")),
        false => Ok(Roots::Cgroup(found)),
    }
}

/// Where a group with this path may be.
fn places(path: &Path) -> Vec<PathBuf> {
    let below = path.strip_prefix("/").unwrap_or(path);
    let mounted = std::fs::read_dir(CGROUPS).into_iter().flatten().flatten();
    let controllers = mounted.map(|controller| controller.path().join(below));
    let first = [path.to_path_buf(), Path::new(CGROUPS).join(below)];
    let all = first.into_iter().filter(|place| place.is_absolute()).chain(controllers);
    all.filter(|place| place.starts_with(CGROUPS)).collect()
}

fn refuse<T>(message: String) -> Result<T> {
    Err(Error::usage(format!("--watch: {message}")))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn complaint(watch: Watch) -> String {
        let error = find(&watch, Vec::new).expect_err("nobody is there");
        assert_eq!(error.exit, crate::Exit::Usage);
        error.message
    }

    #[test]
    fn whoever_is_not_there_is_told_with_what_to_do() {
        for (watch, expected) in [
            (Watch::Pid(4_194_305), "there is no process 4194305 here; look with `pgrep"),
            (Watch::Number(4_194_305), "there is no process 4194305 here, and nothing listens"),
            (Watch::Pid(std::process::id()), "is blast itself; name the server"),
            (Watch::Name("no such server".to_string()), "no process here is called"),
            (Watch::Cgroup("/no/such/group".into()), "there is no control group `/no/such/group`"),
            (Watch::Cgroup("/etc".into()), "there is no control group `/etc`"),
        ] {
            let message = complaint(watch);
            assert!(message.starts_with("--watch: ") && message.contains(expected), "{message}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // It is blast that listens there.
        assert!(complaint(Watch::Port(port)).contains("not to be seen by this user"));
        drop(listener);
        assert!(complaint(Watch::Port(port)).contains("nothing listens on port"));
    }

    #[test]
    fn nobody_is_watched_where_nobody_was_asked_for() {
        assert!(find(&Watch::Off, Vec::new).unwrap().is_none());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: Address = listener.local_addr().unwrap().into();
        // The target in this very process cannot be told from the load.
        assert!(find(&Watch::Target, || vec![address]).unwrap().is_none());
        let elsewhere: Address = "203.0.113.1:80".parse::<std::net::SocketAddr>().unwrap().into();
        assert!(find(&Watch::Target, || vec![elsewhere]).unwrap().is_none());
    }
}
