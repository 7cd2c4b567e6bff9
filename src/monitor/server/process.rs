//! What the kernel tells of one process (proc(5)). One that has ended tells nothing.

use std::fs;
use std::path::Path;

use crate::time::{self, Nanos};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    pub pid: u32,
    /// As the kernel keeps it: at most [`LONGEST_NAME`] bytes.
    pub name: String,
    pub parent: u32,
    /// User and system, in ticks; its threads that have ended are in it.
    ticks: u64,
    pub threads: u64,
    /// In ticks since the start of the host: with the pid it names a process for good.
    pub started: u64,
    rss_pages: u64,
}

pub const LONGEST_NAME: usize = 15;

/// The kernel shows times to programs in hundredths of a second on every architecture (USER_HZ).
const TICK: Nanos = Nanos::from_millis(10);

/// The processes that there are.
pub fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

impl Stat {
    pub fn read(pid: u32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name stands in parentheses and may hold anything.
    fn parse(text: &str) -> Option<Stat> {
        let (head, rest) = text.rsplit_once(')')?;
        let (pid, name) = head.split_once(" (")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
        let is_dead = matches!(*fields.first()?, "Z" | "X");
        (!is_dead).then_some(())?;
        Some(Stat {
            pid: pid.parse().ok()?,
            name: name.to_string(),
            parent: number(1)?.try_into().ok()?,
            ticks: number(11)? + number(12)?,
            threads: number(17)?,
            started: number(19)?,
            rss_pages: number(21)?,
        })
    }

    /// Since its start; in ticks where the kernel does not tell it to the nanosecond.
    pub fn cpu(&self) -> Nanos {
        time::cpu_of(self.pid).unwrap_or(Nanos(self.ticks.saturating_mul(TICK.0)))
    }

    pub fn rss_bytes(&self) -> u64 {
        self.rss_pages * page_bytes()
    }

    /// Of each of its threads, since that one's start.
    pub fn thread_times(&self) -> Vec<(u32, Nanos)> {
        let tasks =
            fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten();
        let times = tasks.filter_map(|task| {
            let id = task.file_name().to_str()?.parse().ok()?;
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            // Time on a core, time waiting for one, time slices.
            Some((id, Nanos(text.split(' ').next()?.parse().ok()?)))
        });
        times.collect()
    }

    /// Open files; `None`: not for this user to see.
    pub fn descriptors(&self) -> Option<u64> {
        let folder = format!("/proc/{}/fd", self.pid);
        // Since Linux 6.2 the folder's size is their number.
        match fs::metadata(&folder).ok()?.len() {
            0 => Some(fs::read_dir(&folder).ok()?.count() as u64),
            count => Some(count),
        }
    }

    /// The inodes of its sockets, among its first `most` descriptors; `None`: not for this user to
    /// see.
    pub fn sockets(&self, most: usize) -> Option<Vec<u64>> {
        let links = fs::read_dir(format!("/proc/{}/fd", self.pid)).ok()?.flatten().take(most);
        let inode = |link: fs::DirEntry| {
            let target = fs::read_link(link.path()).ok()?;
            target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
        };
        Some(links.filter_map(inode).collect())
    }

    /// Whether somebody would call it so: its name, or that of its program.
    pub fn is_called(&self, name: &str) -> bool {
        let cut = name.as_bytes().get(..LONGEST_NAME).unwrap_or(name.as_bytes());
        self.name.as_bytes() == cut && (cut.len() < LONGEST_NAME || self.is_program(name))
            || self.is_program(name)
    }

    /// The first word of its command line, without its folder.
    fn is_program(&self, name: &str) -> bool {
        let words = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let first = words.split(|byte| *byte == 0).next().unwrap_or_default();
        let first = String::from_utf8_lossy(first);
        // Programs may write there what they do: `nginx: master process`.
        first == name || Path::new(&*first).file_name().is_some_and(|file| file == name)
    }

    /// The name for people: a process may call itself anything.
    pub fn shown(&self) -> String {
        self.name.chars().flat_map(char::escape_debug).collect()
    }
}

fn page_bytes() -> u64 {
    // SAFETY: takes no pointer.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const NGINX: &str = "4711 (ng) (x 1) S 1 4711 4711 0 -1 4194624 1 2 3 4 150 50 6 7 20 0 3 0 \
                         123456 8192000 250 18446744073709551615 1 1 0 0 0 0 0 0 0";

    #[test]
    fn a_process_is_read_whatever_it_is_called() {
        let stat = Stat::parse(NGINX).unwrap();
        assert_eq!((stat.pid, stat.name.as_str(), stat.parent), (4711, "ng) (x 1", 1));
        assert_eq!((stat.ticks, stat.threads, stat.started), (200, 3, 123_456));
        assert_eq!(stat.rss_bytes(), 250 * page_bytes());
        assert_eq!(Stat::parse(&NGINX.replace(") S ", ") Z ")), None, "it has ended");
        for text in ["", "1", "1 (a", "1 (a) S", "x (a) S 1 1 1"] {
            assert_eq!(Stat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn this_process_is_seen_as_it_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let me = Stat::read(std::process::id()).unwrap();
        assert!(me.rss_bytes() > 1 << 20 && me.threads > 1 && me.cpu() > Nanos::ZERO);
        assert!(me.cpu() <= time::process_cpu());
        // Other tests open and close files meanwhile.
        let here = fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        assert!(me.descriptors().unwrap().abs_diff(here) < 200);
        let times = me.thread_times();
        assert!(!times.is_empty() && times.iter().all(|(_, time)| *time <= time::process_cpu()));
        assert!(!me.sockets(usize::MAX).unwrap().is_empty());
        assert!(all().contains(&me.pid));
        drop(listener);
    }

    #[test]
    fn a_process_answers_to_its_name_and_to_that_of_its_program() {
        let me = Stat::read(std::process::id()).unwrap();
        let program = std::env::current_exe().unwrap();
        let program = program.file_name().unwrap().to_str().unwrap().to_string();
        assert!(me.is_called(&program), "{program}: {me:?}");
        assert!(!me.is_called("no such program") && !me.is_called(""));
    }
}
