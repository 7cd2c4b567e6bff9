//! The host and the server beside the load: processes whose readings are known, watched in each
//! way that they can be named; and `blast monitor`, which has no load.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    Blast, Document, Folder, LIMIT, Outsider, Run, Server, answer, beside_others, process_cpu,
    ring_alone, skipped,
};

/// A shell that does something and says so, killed with its children at the end.
struct Shell(Child);

impl Shell {
    /// `script` prints a line once it is as it will stay.
    fn start(script: &str) -> Shell {
        use std::os::unix::process::CommandExt;
        let mut shell = Command::new("bash");
        shell.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
        // A group of its own, so that its children can be ended with it.
        let mut child = shell.process_group(0).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{script}");
        Shell(child)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn kill(&mut self) {
        // SAFETY: signals the group of our own child, which has not been waited for.
        unsafe { libc::kill(-(self.0.id() as i32), libc::SIGKILL) };
        let _ = self.0.wait();
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a gauge was over measure.
fn gauge<'a>(document: &'a Document, name: &str) -> &'a Value {
    let series = document.at("gauges.series").as_array().unwrap();
    let found = series.iter().find(|gauge| gauge["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not among {series:#?}"))
}

fn figure(document: &Document, name: &str, of: &str) -> f64 {
    let gauge = gauge(document, name);
    gauge[of].as_f64().unwrap_or_else(|| panic!("{name}.{of}: {gauge:#}"))
}

fn server() -> Server {
    Server::answering(answer("200 OK", "hello"))
}

/// A run of two seconds that asks for little.
fn load(url: &str, flags: &str) -> Document {
    let blast = Blast::calm("ring", url).args("-c 4 -R 50 -d 2").args(flags);
    blast.document()
}

#[test]
fn what_a_process_does_beside_the_load_is_seen() {
    ring_alone(|_| {
        // Not accepted, and open all the same.
        let database = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = database.local_addr().unwrap().port();
        let shell = Shell::start(&format!(
            "for fd in {{11..15}}; do eval \"exec $fd<>/dev/tcp/127.0.0.1/{port}\"; done
             for fd in {{21..60}}; do eval \"exec $fd</dev/null\"; done
             head -c 60000000 /dev/zero | tail -c 60000000 | sleep 60 &
             head=$(jobs -p); while [ -d /proc/$head ]; do sleep 0.05; done
             (while :; do :; done) & echo ready; wait"
        ));
        let (server, started) = (server(), Instant::now());
        let burnt = || family(shell.pid()).into_iter().map(process_cpu).sum::<Duration>();
        let before = burnt();
        let flags = format!("--watch pid:{} --watch-pool {port}", shell.pid());
        let document = load(&server.url(), &flags);
        let (burnt, took) = (burnt() - before, started.elapsed());
        assert_eq!(document.text("server.name"), "bash");
        assert_eq!(document.count("server.pid"), u64::from(shell.pid()));
        // The shell, the loop, tail, sleep; head has ended.
        assert_eq!(document.count("server.processes"), 4);
        assert_eq!(figure(&document, "server.threads", "mean"), 4.0);
        // Two seconds of the time it took; how busy it was in the rest is not known.
        let cpu = document.number("server.cpu_s");
        let least = burnt.saturating_sub(took.saturating_sub(Duration::from_secs(2)));
        let most = burnt.as_secs_f64() + 0.03;
        assert!((least.as_secs_f64() * 0.8 - 0.05..=most).contains(&cpu), "{cpu}: {burnt:?}");
        assert!(cpu > 0.02, "it does nothing but burn: {cpu}");
        let share = figure(&document, "server.cpu", "mean");
        // It is all one thread's.
        let busiest = figure(&document, "server.core_max", "mean");
        assert!((share - busiest).abs() < 5.0, "{share} and {busiest}");
        let rss = figure(&document, "server.rss", "mean");
        assert!((60e6..90e6).contains(&rss), "{rss}");
        assert_eq!(
            document.count("server.rss_last_bytes") as f64,
            figure(&document, "server.rss", "last")
        );
        // Each process has these open.
        let files = figure(&document, "server.fds", "mean");
        assert!((4.0 * 45.0..4.0 * 52.0).contains(&files), "{files}");
        // A child has the same sockets: they are five, not twenty.
        assert_eq!(figure(&document, "pool", "min"), 5.0);
        assert_eq!(figure(&document, "pool", "max"), 5.0);
        let cpu = figure(&document, "host.cpu", "mean");
        assert!(cpu > 0.0 && cpu <= 100.0, "{cpu}");
    });
}

/// The process and its children.
fn family(pid: u32) -> Vec<u32> {
    let children = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let child: u32 = entry.unwrap().file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok()?;
        (parent == pid).then_some(child)
    });
    children.chain([pid]).collect()
}

#[test]
fn a_server_on_this_host_is_watched_by_itself() {
    ring_alone(|_| {
        let target = Outsider::start("--threads 1");
        let before = process_cpu(target.pid());
        let document = Blast::new("ring", target.url()).args("-c 8 -R 500 -d 2").document();
        let burnt = (process_cpu(target.pid()) - before).as_secs_f64();
        assert_eq!(document.text("server.name"), "blast");
        assert_eq!(document.count("server.pid"), u64::from(target.pid()));
        assert_eq!(figure(&document, "server.connections", "max"), 8.0);
        // The kernel's ticks are 10 ms; it also opened the connections.
        let cpu = document.number("server.cpu_s");
        assert!(cpu > 0.0 && cpu <= burnt + 0.02, "{cpu} of {burnt}");
        let each = document.number("server.cpu_us_per_request");
        let completed = document.number("rate.completed_per_s") * document.number("duration_s");
        assert!((each - cpu * 1e6 / completed).abs() < 0.01, "{each}");
        let page = Blast::page("ring", target.url()).args("-c 8 -R 500 -d 1").run();
        let expected = format!("server       blast (pid {}): CPU ", target.pid());
        assert!(page.stdout.contains(&expected), "{page:?}");
        assert!(page.stdout.contains("8 connections"), "{page:?}");
        assert!(page.stdout.contains("\nhost         CPU "), "{page:?}");
    });
}

#[test]
fn blast_does_not_watch_itself_nor_what_it_was_told_to_leave_alone() {
    beside_others(|| {
        let demo = Blast::verb("demo").args("--json -d 1 -R 100 -c 2").run();
        assert!(matches!(demo.code(), Some(0 | 4)), "{demo:?}");
        assert!(demo.document().at("server").is_null());
        let target = Outsider::start("--threads 1");
        let document = load(target.url(), "--watch off");
        assert!(document.at("server").is_null());
        let series = document.at("gauges.series").as_array().unwrap();
        assert!(!series.iter().any(|gauge| gauge["name"].as_str().unwrap().starts_with("server")));
        // Nobody is watched: the pool is that of the host.
        let document =
            load(target.url(), &format!("--watch off --watch-pool {}", target.address().port()));
        assert_eq!(figure(&document, "pool", "max"), 4.0);
    });
}

#[test]
fn a_server_can_be_named_by_its_name_and_by_its_port() {
    beside_others(|| {
        let (target, other) = (Outsider::start("--threads 1"), Outsider::start("--threads 1"));
        let port = other.address().port();
        for watch in [format!("port:{port}"), format!(":{port}"), format!("pid:{}", other.pid())] {
            let document = load(target.url(), &format!("--watch {watch}"));
            assert_eq!(document.count("server.pid"), u64::from(other.pid()), "{watch}");
            // Nobody asks it for anything.
            assert_eq!(figure(&document, "server.connections", "max"), 0.0);
        }
        let folder = Folder::new();
        let program = folder.path().join("blast-test-idler");
        fs::copy("/bin/sleep", &program).unwrap();
        let mut first = Command::new(&program).arg("60").spawn().unwrap();
        let mut second = Command::new(&program).arg("60").spawn().unwrap();
        let document = load(target.url(), "--watch blast-test-idler");
        assert_eq!(document.count("server.processes"), 2);
        assert_eq!(figure(&document, "server.threads", "max"), 2.0);
        for child in [&mut first, &mut second] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    });
}

/// A control group of the test's own, wherever this user may make one.
fn control_group() -> Option<PathBuf> {
    let name = format!("blast-test-{}", std::process::id());
    let mounted = fs::read_dir("/sys/fs/cgroup").ok()?.flatten().map(|entry| entry.path());
    let places = mounted.filter(|place| place.join("cgroup.procs").exists());
    let mut groups = places.chain([PathBuf::from("/sys/fs/cgroup")]).map(|place| place.join(&name));
    groups.find(|group| fs::create_dir(group).is_ok() && group.join("cgroup.procs").exists())
}

#[test]
fn a_control_group_is_all_processes_in_it() {
    beside_others(|| {
        let Some(group) = control_group() else {
            return skipped("a control group", "this user may make none");
        };
        let server = server();
        let mut shell = Shell::start("echo ready; sleep 60");
        let joined = fs::write(group.join("cgroup.procs"), shell.pid().to_string());
        let name = group.file_name().unwrap().to_str().unwrap();
        if let Err(error) = joined {
            skipped("a control group", &error.to_string());
        } else {
            for path in [name, group.to_str().unwrap()] {
                let document = load(&server.url(), &format!("--watch cgroup:{path}"));
                assert_eq!(document.count("server.pid"), u64::from(shell.pid()), "{path}");
            }
        }
        shell.kill();
        let _ = fs::remove_dir(&group);
    });
}

#[test]
fn whoever_is_not_there_is_told_before_anything_is_sent() {
    beside_others(|| {
        let server = server();
        for (flags, expected) in [
            ("--watch 4194305", "there is no process 4194305 here"),
            ("--watch no-such-server", "no process here is called `no-such-server`"),
            ("--watch cgroup:/no/such", "there is no control group `/no/such` here"),
            ("--watch port:0", "`port:0` is no port; write a process id, a name, a port"),
            ("--watch-pool 70000", "--watch-pool: `70000` is no port"),
        ] {
            let run = Blast::calm("ring", &server.url()).args(flags).run();
            assert_eq!(run.code(), Some(2), "{run:?}");
            assert!(run.complaint().contains(expected), "{run:?}");
            let alone = Blast::verb("monitor").args(flags).args("-d 1").run();
            assert_eq!(alone.code(), Some(2), "{alone:?}");
        }
        assert_eq!(server.connections(), 0);
    });
}

#[test]
fn one_that_ends_in_the_run_is_told_and_read_no_more() {
    beside_others(|| {
        let server = server();
        let mut shell = Shell::start("echo ready; sleep 60");
        let pid = shell.pid();
        let flags = format!("-c 4 -R 50 -d 4 --watch {pid}");
        let running = Blast::calm("ring", &server.url()).args(&flags).start();
        // It is watched from before the first connection on.
        let start = Instant::now();
        while server.connections() == 0 {
            assert!(start.elapsed() < LIMIT, "never connected");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(1_500));
        shell.kill();
        let document = running.end().document();
        assert!(document.warnings().contains(&"watched_process_gone"), "{:?}", document.warnings());
        let values = gauge(&document, "server.rss")["values"].as_array().unwrap();
        assert!(!values[0].is_null() && values.last().unwrap().is_null(), "{values:?}");
        assert!(document.number("server.rss_last_bytes") > 0.0);
    });
}

fn lines(run: &Run) -> Vec<&str> {
    run.stdout.lines().collect()
}

#[test]
fn the_monitor_alone_writes_its_document_and_its_picture() {
    beside_others(|| {
        let (folder, target) = (Folder::new(), Outsider::start("--threads 1"));
        let place = format!("{}/new/", folder.path().display());
        let flags = format!("--watch {} -d 2s -o {place}", target.pid());
        let run = Blast::verb("monitor").args(&flags).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        // A second each, and one for what was left over on a machine that is late.
        assert!((1..=3).contains(&lines(&run).len()), "{run:?}");
        assert!(lines(&run)[0].contains("cpu ") && lines(&run)[0].contains("rss "), "{run:?}");
        let text = fs::read_to_string(folder.path().join("new/system_metrics.json")).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let schema = serde_json::from_str(blast::report::monitored::SCHEMA).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(document["server"]["pid"], target.pid());
        let rows = document["gauges"]["t_s"].as_array().unwrap().len();
        assert_eq!(rows, lines(&run).len());
        if cfg!(feature = "pictures") {
            let picture = fs::read(folder.path().join("new/system_monitor.png")).unwrap();
            assert!(picture.starts_with(b"\x89PNG"));
        }
        let svg = folder.path().join("m.svg");
        let flags = format!("-d 1 --quiet -o {}", svg.display());
        let run = Blast::verb("monitor").args(&flags).run();
        assert_eq!((run.code(), run.stdout.as_str()), (Some(0), ""), "{run:?}");
        assert!(fs::read_to_string(&svg).unwrap().contains(">Disk<"));
    });
}

#[test]
fn the_monitor_ends_on_a_signal_with_what_it_has_read() {
    beside_others(|| {
        let folder = Folder::new();
        let file = folder.path().join("m.json");
        let running = Blast::verb("monitor").args(&format!("-o {}", file.display())).start();
        let start = Instant::now();
        while !running.catches(libc::SIGINT) {
            assert!(start.elapsed() < LIMIT);
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(400));
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(0), "{run:?}");
        let document: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(document["gauges"]["t_s"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn the_monitor_refuses_a_file_that_it_does_not_know() {
    beside_others(|| {
        let run = Blast::verb("monitor").args("-o run.txt -d 1").run();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains("name a folder that ends in `/`"), "{run:?}");
    });
}
