//! The whole screen, in a terminal of one's own: the keys, the sizes, and that the terminal is given
//! back whatever happens.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Blast, LIMIT, Server, Terminal, closed_port, counted, each_engine};

const TAKEN: &str = "\x1b[?1049h";
const GIVEN_BACK: &str = "\x1b[?1049l";

/// A program that runs in a terminal.
struct Watched {
    terminal: Terminal,
    shown: String,
    modes: [libc::tcflag_t; 4],
    since: Instant,
}

impl Watched {
    /// The terminal, and blast in it but for stdout.
    fn of(blast: Blast) -> (Watched, Blast) {
        let (terminal, theirs): (Terminal, OwnedFd) = Terminal::open();
        let modes = terminal.modes();
        let blast = blast.stdin(theirs.try_clone().unwrap()).stderr(theirs);
        (Watched { terminal, shown: String::new(), modes, since: Instant::now() }, blast)
    }

    /// Until a person sees this.
    fn until(&mut self, text: &str) {
        while !picture(&self.shown).contains(text) {
            assert!(self.since.elapsed() < LIMIT, "never {text:?}: {}", picture(&self.shown));
            let some = self.terminal.read_some();
            assert!(!some.is_empty(), "ended before {text:?}: {:?}", self.shown);
            self.shown += &String::from_utf8_lossy(&some);
        }
    }

    /// What was shown after the screen was left.
    fn end(mut self) -> String {
        while let some @ [_, ..] = &self.terminal.read_some()[..] {
            self.shown += &String::from_utf8_lossy(some);
        }
        assert_eq!(self.terminal.modes(), self.modes, "the modes are those from before");
        let shown = self.shown;
        assert_eq!(shown.matches(TAKEN).count(), 1, "{shown:?}");
        assert_eq!(shown.matches(GIVEN_BACK).count(), 1, "{shown:?}");
        assert!(shown.contains("\x1b[?25h"), "there is a cursor: {shown:?}");
        shown.split_once(GIVEN_BACK).unwrap().1.to_string()
    }
}

/// What stands on the screen after all this was written to it: moves of the cursor and the end of
/// all that was there before are heeded (ECMA-48, 8.3.21 and 8.3.39), colours are not.
fn picture(written: &str) -> String {
    let mut rows = vec![vec![' '; 200]; 60];
    let (mut row, mut column) = (0, 0);
    let mut rest = written.chars();
    while let Some(character) = rest.next() {
        if character != '\x1b' {
            if let Some(cell) =
                rows.get_mut(row).and_then(|row: &mut Vec<char>| row.get_mut(column))
            {
                *cell = character;
            }
            column += 1;
            continue;
        }
        if rest.next() != Some('[') {
            continue;
        }
        let mut numbers = String::new();
        let verb = rest.by_ref().find(|character| {
            let is_verb = character.is_ascii_alphabetic();
            numbers.extend((!is_verb).then_some(*character));
            is_verb
        });
        match verb {
            Some('H') => {
                let mut places = numbers.split(';').map(|n| n.parse::<usize>().unwrap_or(1) - 1);
                (row, column) = (places.next().unwrap_or(0), places.next().unwrap_or(0));
            }
            Some('J') => rows.iter_mut().for_each(|row| row.fill(' ')),
            _ => {}
        }
    }
    let row = |row: Vec<char>| format!("{}\n", String::from_iter(row).trim_end());
    rows.into_iter().map(row).collect()
}

fn server() -> Server {
    Server::answering(counted(2))
}

#[test]
fn a_run_is_watched_made_longer_and_stopped_and_its_report_is_whole() {
    each_engine(|engine| {
        let server = server();
        let blast = Blast::calm(engine, &server.url()).args("--tui -R 50 -d 2s -c 2");
        let (mut watched, blast) = Watched::of(blast);
        let running = blast.start();
        watched.until("requests");
        watched.until("q stop");
        assert_ne!(watched.terminal.modes(), watched.modes);
        watched.terminal.type_in("+");
        watched.until("of 12 s");
        watched.terminal.resize(30, 8);
        watched.until("too small: 40x10");
        watched.terminal.resize(120, 40);
        watched.until("latency");
        // Past the end that was asked for.
        thread::sleep(Duration::from_millis(2_600));
        watched.terminal.type_in("q");
        assert_eq!(watched.end(), "", "nothing stays of it");
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        let document = run.document();
        assert!(!document.is_complete());
        assert_eq!(document.number("plan.duration_s"), 2.0);
        assert!(document.number("duration_s") > 2.5, "{}", document.at("duration_s"));
    });
}

#[test]
fn a_shorter_measure_is_over_soon_and_a_whole_run() {
    each_engine(|engine| {
        let server = server();
        let blast = Blast::calm(engine, &server.url()).args("--tui -R 50 -d 25s -c 2");
        let (mut watched, blast) = Watched::of(blast);
        let running = blast.start();
        watched.until("q stop");
        watched.until("- shorter");
        watched.terminal.type_in("---");
        watched.end();
        let run = running.end();
        // A schedule may be missed on a busy machine.
        assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
        let document = run.document();
        assert!(document.is_complete());
        assert_eq!(document.number("plan.duration_s"), 25.0);
        // As soon as the key is read: 3 s for a machine that others use as well.
        assert!(document.number("duration_s") < 20.0, "{}", document.at("duration_s"));
    });
}

#[test]
fn however_a_run_ends_the_terminal_is_as_it_was() {
    let server = server();
    for (signals, code) in [(&[libc::SIGTERM][..], 143), (&[libc::SIGTERM, libc::SIGINT], 143)] {
        let blast = Blast::calm("ring", &server.url()).args("--tui -R 50 -d 20s -c 2");
        let (mut watched, blast) = Watched::of(blast);
        let running = blast.start();
        watched.until("q stop");
        signals.iter().for_each(|signal| running.signal(*signal));
        watched.end();
        assert_eq!(running.end().code(), Some(code));
    }
    // Ctrl-C is a key here; the second one ends what waits for an answer.
    let silent = Server::answering(Vec::new());
    let blast = Blast::calm("ring", &silent.url()).args("--tui -d 20s -c 2");
    let (mut watched, blast) = Watched::of(blast);
    let running = blast.start();
    watched.until("q stop");
    watched.terminal.type_in("\x03");
    watched.until("stopping");
    watched.terminal.type_in("\x03");
    watched.end();
    assert_eq!(running.end().code(), Some(130));
    // Nobody listens: the sentence stands on the screen that stays.
    let url = format!("http://127.0.0.1:{}/", closed_port().port());
    let (watched, blast) = Watched::of(Blast::calm("ring", &url).args("--tui"));
    let running = blast.start();
    let after = watched.end();
    assert!(after.contains("connection refused"), "{after:?}");
    assert_eq!(running.end().code(), Some(1));
}

#[test]
fn without_colours_there_are_none() {
    let server = server();
    for (wanted, variable) in [(true, ""), (false, "1")] {
        let blast = Blast::calm("ring", &server.url()).args("--tui -R 50 -d 1200ms -c 2");
        let (mut watched, blast) = Watched::of(blast.env("NO_COLOR", variable));
        let running = blast.start();
        watched.until("workers");
        watched.until("good of 50");
        let shown = watched.shown.clone();
        watched.end();
        running.end();
        // crossterm names the sixteen by their place among the 256.
        assert_eq!(shown.contains("\x1b[38;5;"), wanted, "{shown:?}");
    }
}

#[test]
fn in_a_pipe_there_are_lines_that_stay_and_nothing_unless_asked_for() {
    let server = server();
    let run = Blast::calm("ring", &server.url()).args("--tui -R 50 -d 2200ms -c 2").run();
    assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
    let mut lines = run.stderr.lines();
    assert!(lines.next().unwrap().contains("stderr is no terminal"), "{run:?}");
    assert!(lines.next().unwrap().contains("1/2s measure"), "{run:?}");
    assert!(!run.stderr.contains(['\r', '\x1b']), "{run:?}");
    run.document();
    let run = Blast::calm("ring", &server.url()).args("-R 50 -d 1200ms -c 2").run();
    assert_eq!(run.stderr, "");
}
