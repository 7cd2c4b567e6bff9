//! The panel's whole path in a browser, as a user goes it: sign in, start, watch, edit, stop,
//! history, compare, delete. On a screen, and on a phone.
//!
//! `BLAST_WALK=FOLDER` keeps a picture of each step there.

mod chromium;
mod planted;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use self::chromium::Chromium;
use crate::support::{Folder, Outsider, skipped};

#[test]
fn a_user_signs_in_starts_watches_edits_stops_compares_and_deletes_on_a_screen_and_on_a_phone() {
    let folder = Folder::new();
    let Some(mut browser) = Chromium::open(folder.path()) else {
        return skipped("the panel in a browser", "Chromium is not installed");
    };
    let target = Outsider::start("");
    let panel = Panel::start(folder.path(), target.url());
    for (name, width, height) in [("screen", 1280, 900), ("phone", 360, 740)] {
        browser.resize(width, height);
        let mut walk = Walk { browser: &mut browser, panel: &panel, name };
        walk.whole();
    }
}

/// `blast serve` with a user; killed at the end.
struct Panel {
    child: Child,
    url: String,
}

impl Panel {
    fn start(folder: &Path, target: &str) -> Panel {
        add_user(folder);
        let mut command = blast(folder);
        command.args(["serve", "--listen", "127.0.0.1:0", "--target"]).arg(format!("app={target}"));
        command.arg("--history").arg(folder.join("history.db"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = address.unwrap_or_else(|| panic!("no address in {line:?}"));
        let url = url.split('?').next().unwrap_or(url).trim_end_matches('/').to_string();
        Panel { child, url }
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PASSWORD: &str = "a long walk in the park";

fn add_user(folder: &Path) {
    let mut command = blast(folder);
    command.args(["serve", "user", "add", "ada", "--role", "admin", "--history"]);
    command.arg(folder.join("history.db")).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(child.wait().unwrap().success(), "the user is made");
}

fn blast(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
    command.env("BLAST_HISTORY", folder.join("history.db"));
    command.env("BLAST_LOCK", folder.join("lock")).env("XDG_DATA_HOME", folder);
    command
}

struct Walk<'a> {
    browser: &'a mut Chromium,
    panel: &'a Panel,
    name: &'static str,
}

impl Walk<'_> {
    fn whole(&mut self) {
        self.sign_in();
        let first = self.start("first", 60);
        self.watch();
        self.edit();
        self.stop();
        let second = self.start("<i>second</i>", 1);
        self.ends();
        self.tabs_by_keyboard();
        self.compare(&first, &second);
        self.delete(&[first, second]);
        self.sign_out();
        let complaints = self.browser.complaints();
        // Before somebody signed in, a page is refused: the only thing that may be complained of.
        let others = complaints.iter().filter(|said| !said.contains("401"));
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&String>::new());
    }

    fn sign_in(&mut self) {
        self.browser.go(&format!("{}/", self.panel.url));
        self.browser.until("location.pathname === '/login'");
        self.step("login");
        self.browser.write("#login-name", "ada");
        self.browser.write("#login-password", "not this one");
        self.browser.press("#login button");
        self.browser.until("!document.querySelector('#login .refused').hidden");
        self.browser.write("#login-password", PASSWORD);
        self.browser.press("#login button");
        self.browser.until("location.pathname === '/' && document.querySelector('#job')");
    }

    /// Returns the number of the run.
    fn start(&mut self, label: &str, seconds: u32) -> String {
        self.browser.go(&format!("{}/", self.panel.url));
        self.browser.choose("#job-target", "app");
        self.browser.write("#job-connections", "4");
        self.browser.write("#job-rps", "100");
        self.browser.write("#job-duration", &seconds.to_string());
        self.browser.write("#job-label", label);
        let due = 100 * seconds;
        let thousands =
            if due >= 1000 { format!("{},{:03}", due / 1000, due % 1000) } else { due.to_string() };
        let sentence = format!(
            "document.querySelector('#before-sentence').textContent.includes('{thousands}')"
        );
        self.browser.until(&sentence);
        self.browser
            .until("document.querySelector('#before-words').textContent.startsWith('blast ')");
        self.step("new");
        self.browser.press("#start");
        self.browser
            .until("location.pathname.startsWith('/runs/') && document.querySelector('#run')");
        self.browser.text("document.querySelector('#run').dataset.run")
    }

    fn watch(&mut self) {
        self.browser.until("document.querySelector('#run-status').textContent === 'running'");
        self.browser.until("/^\\d/.test(document.querySelector('#tile-rate').textContent)");
        self.browser.until("document.querySelector('#panel-statistics .total')");
        self.step("statistics");
        self.browser.press("#tab-charts");
        self.browser.until("document.querySelectorAll('#panel-charts svg').length >= 3");
        if pictures().is_some() {
            // Charts of a second show little.
            std::thread::sleep(Duration::from_secs(20));
        }
        self.step("charts");
    }

    fn edit(&mut self) {
        self.browser.press("#edit-open");
        self.browser.write("#edit-rate", "200");
        self.browser.press("#edit button.main");
        self.browser.until("!document.querySelector('#edit').open");
        self.browser.press("#tab-log");
        self.browser.until("/200\\/s/.test(document.querySelector('#panel-log').textContent)");
        self.step("edited");
    }

    fn stop(&mut self) {
        self.browser.press("#stop");
        self.step("asked");
        self.browser.press("#asked button.danger");
        self.browser.until("document.querySelector('#run-status').textContent === 'stopped'");
        self.browser.until("/ada/.test(document.querySelector('#run-reason').textContent + document.querySelector('#panel-log').textContent)");
    }

    fn ends(&mut self) {
        self.browser.until("document.querySelector('#run-status').textContent === 'completed'");
        let title = self.browser.text("document.querySelector('#run-title').textContent");
        assert_eq!(title, "<i>second</i>", "markup in a label is text");
        assert_eq!(self.browser.value("document.querySelectorAll('main i').length"), 0);
        self.browser.until("document.querySelector('#panel-statistics .total')");
    }

    fn tabs_by_keyboard(&mut self) {
        self.browser.value("document.querySelector('#tab-statistics').click(); document.querySelector('#tab-statistics').focus(); 1");
        for (key, tab) in [
            ("ArrowRight", "charts"),
            ("ArrowRight", "failures"),
            ("End", "download"),
            ("Home", "statistics"),
        ] {
            self.browser.key(key);
            let here = format!(
                "document.activeElement.id === 'tab-{tab}' && !document.querySelector('#panel-{tab}').hidden"
            );
            self.browser.until(&here);
        }
        let links = self.browser.value("document.querySelectorAll('#panel-download a').length");
        assert_eq!(links, 13);
    }

    fn compare(&mut self, first: &str, second: &str) {
        self.browser.go(&format!("{}/#history", self.panel.url));
        for id in [first, second] {
            self.browser.press(&format!("#runs tr[data-id='{id}'] input"));
        }
        self.step("history");
        self.browser.press("#compare");
        self.browser
            .until("location.pathname === '/compare' && document.querySelector('#study table')");
        self.step("compare");
    }

    fn delete(&mut self, ids: &[String]) {
        self.browser.go(&format!("{}/", self.panel.url));
        for id in ids {
            self.browser.press(&format!("#runs tr[data-id='{id}'] [data-part=more]"));
            self.browser.press("#of-run [data-do=delete]");
            self.browser.press("#asked button.danger");
            self.browser.until(&format!("!document.querySelector(\"#runs tr[data-id='{id}']\")"));
        }
    }

    fn sign_out(&mut self) {
        self.browser.press("#sign-out");
        self.browser.until("location.pathname === '/login'");
    }

    /// A page is never wider than its window; tables scroll in themselves.
    fn step(&mut self, name: &str) {
        let widths = self.browser.value("[document.documentElement.scrollWidth, innerWidth]");
        assert!(widths[0].as_u64() <= widths[1].as_u64(), "{name} on a {}: {widths}", self.name);
        let blank = self.browser.value(UNNAMED);
        assert_eq!(blank, 0, "{name} on a {}: a field without a name", self.name);
        if let Some(folder) = pictures() {
            let file = folder.join(format!("{}-{name}.png", self.name));
            std::fs::write(file, self.browser.picture()).unwrap();
        }
    }
}

/// Where a picture of each step is wanted.
fn pictures() -> Option<PathBuf> {
    std::env::var_os("BLAST_WALK").map(PathBuf::from)
}

/// Fields and buttons that nobody could call by a name.
const UNNAMED: &str = "[...document.querySelectorAll('input,select,textarea,button')].filter((e) => \
    !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim()).length";
