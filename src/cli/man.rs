//! `blast man`: the manual page blast(1), made from the same definitions as `--help`.
//!
//! clap_mangen writes the flags; the order of the sections, and what is no flag (examples, exit
//! codes, the environment), is set here. One page for all verbs, as there is one `--help` to read.

use std::io::{self, Write};

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::help;

/// What blast reads from the environment, and nothing else. A test looks for others.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("BLAST_CALIBRATION", "The file that `blast calibrate` keeps its figures in."),
    ("BLAST_ENGINE", "The engine where --engine does not name one: ring, tokio-uring or epoll."),
    ("BLAST_HISTORY", "The file that runs are kept in."),
    ("HOME", "Without those two, that file is .local/share/blast/calibration.json in it."),
    ("NO_COLOR", "Set and not empty: no colours, on a terminal too (https://no-color.org)."),
    ("PATH", "Where `blast versus` looks for other tools."),
    (
        "XDG_DATA_HOME",
        "Where BLAST_CALIBRATION names no file, it is blast/calibration.json in here.",
    ),
];

const DESCRIPTION: [&str; 3] = [
    "blast sends HTTP requests over many connections, either as answers come (closed loop) or, \
     with --rps, each at the instant it is due, whatever the server does (open loop). Response \
     times start when a request was due, so a stall of the server, or of blast, shows in full.",
    "One page comes out in the end: who was the limit first, then what was offered, sent, \
     completed and good, the latencies, and every failure by kind and side. A run that is \
     interrupted prints it too.",
    "The load runs on io_uring. Where that is refused, as most container runtimes' seccomp \
     profiles do, it runs on epoll by itself and says so.",
];

/// The whole page, in roff.
pub fn page() -> String {
    let mut command = help::command(false);
    command.build();
    let mut page = Page(preamble());
    page.front(&command);
    page.flags(&command);
    page.heading("SH", "VERBS");
    let mut verbs: Vec<_> = command.get_subcommands().collect();
    verbs.sort_by_key(|verb| verb.get_display_order());
    verbs.into_iter().for_each(|verb| page.verb(verb, &command));
    page.heading("SH", "EXAMPLES");
    page.entries(help::EXAMPLES);
    page.heading("SH", "EXIT STATUS");
    page.entries(help::EXIT_CODES);
    page.environment();
    page.other_names(&command);
    page.0
}

/// The text so far.
struct Page(String);

impl Page {
    fn front(&mut self, command: &Command) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        // The section puts the name in front by itself.
        let about = about.trim_start_matches("blast: ").to_string();
        // The version says how old it is; an empty date would let the next word take its place.
        let man = Man::new(command.clone().about(about)).title("BLAST").date(" ");
        let man = man.manual("User Commands");
        self.raw(&written(|to| man.render_title(to)));
        self.raw(&written(|to| man.render_name_section(to)));
        self.raw(&written(|to| man.render_synopsis_section(to)));
        self.heading("SH", "DESCRIPTION");
        DESCRIPTION.iter().for_each(|text| self.paragraph(text));
        self.paragraph(&help::CONVENTIONS.replace('\n', " "));
    }

    /// All flags in their groups.
    fn flags(&mut self, command: &Command) {
        self.heading("SH", "OPTIONS");
        self.raw(&flags(command).replacen(".SS OPTIONS\n", ".SS GENERAL\n", 1));
    }

    /// The flags of its own in full; those that mean the same as in a run are only named.
    fn verb(&mut self, verb: &Command, run: &Command) {
        self.heading("SS", &format!("blast {}", verb.get_name()));
        self.paragraph(&format!("{}.", verb.get_about().cloned().unwrap_or_default()));
        let usage = verb.clone().render_usage().to_string();
        self.paragraph(&usage);
        let (shared, own): (Vec<&Arg>, Vec<&Arg>) = shown(verb).partition(|arg| stands(arg, run));
        if !own.is_empty() {
            let own: Vec<_> = own.iter().map(|arg| arg.get_id().clone()).collect();
            let hide = |arg: Arg| if own.contains(arg.get_id()) { arg } else { arg.hide(true) };
            self.raw(&flags(&verb.clone().mut_args(hide)).replacen(".SS OPTIONS\n", "", 1));
        }
        let shared: Vec<_> = shared.into_iter().filter(|arg| arg.get_id() != "help").collect();
        if !shared.is_empty() {
            let names: Vec<_> = shared.into_iter().map(named).collect();
            self.paragraph(&format!("As above: {}.", names.join(", ")));
        }
        if let Some(text) = verb.get_after_help() {
            self.prose(&text.to_string());
        }
    }

    fn environment(&mut self) {
        self.heading("SH", "ENVIRONMENT");
        for (name, text) in ENVIRONMENT {
            self.entry(bold(name), text);
        }
    }

    /// The hidden names, by the flag that each of them is.
    fn other_names(&mut self, command: &Command) {
        self.heading("SH", "NAMES OF OTHER TOOLS");
        self.paragraph("Understood as well, for those who come from other load generators:");
        for arg in command.get_arguments() {
            let short = arg.get_all_short_aliases().unwrap_or_default().into_iter();
            let long = arg.get_all_aliases().unwrap_or_default().into_iter();
            let names: Vec<_> = short
                .map(|c| format!("-{c}"))
                .chain(long.map(|name| format!("--{name}")))
                .collect();
            if !names.is_empty() {
                self.entry(bold(named(arg)), &names.join(", "));
            }
        }
    }

    /// Paragraphs as `--help` has them: an empty line parts them, entries are indented.
    fn prose(&mut self, text: &str) {
        for paragraph in text.split("\n\n") {
            match paragraph.contains("\n  ") {
                true => {
                    self.paragraph(paragraph.lines().next().unwrap_or_default());
                    self.entries(paragraph);
                }
                false => self.paragraph(&paragraph.replace('\n', " ")),
            }
        }
    }

    /// The indented lines, each a word or a command, two spaces or more, and what it means.
    fn entries(&mut self, text: &str) {
        for line in text.lines().filter_map(|line| line.strip_prefix("  ")) {
            let (term, meaning) = line.split_once("  ").unwrap_or((line, ""));
            self.entry(bold(term), meaning.trim_start());
        }
    }

    fn entry(&mut self, term: Inline, meaning: &str) {
        self.roff(|roff| {
            roff.control("TP", []).text([term]).text([roman(meaning)]);
        });
    }

    fn paragraph(&mut self, text: &str) {
        let last = self.0.lines().last().unwrap_or_default();
        let first = [".SH ", ".SS "].iter().any(|heading| last.starts_with(heading));
        self.roff(|roff| {
            if !first {
                roff.control("PP", []);
            }
            roff.text([roman(text)]);
        });
    }

    fn heading(&mut self, level: &str, text: &str) {
        self.roff(|roff| {
            roff.control(level, [text]);
        });
    }

    fn roff(&mut self, write: impl FnOnce(&mut Roff)) {
        let mut roff = Roff::new();
        write(&mut roff);
        self.raw(&roff.render());
    }

    /// Each piece comes with the preamble, which stands once, at the top.
    fn raw(&mut self, roff: &str) {
        self.0 += &roff.replace(&preamble(), "");
    }
}

/// What roff puts in front of everything: how an apostrophe is written.
fn preamble() -> String {
    Roff::new().render()
}

/// The flags that are shown, their groups below a section instead of sections themselves. No line
/// of text can look like a heading: roff escapes a full stop that stands first.
fn flags(command: &Command) -> String {
    let man = Man::new(command.clone());
    written(|to| man.render_options_section(to)).replace("\n.SH ", "\n.SS ")
}

fn written(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut text = Vec::new();
    render(&mut text).expect("memory takes every write");
    String::from_utf8(text).expect("roff writes what it was given, which is UTF-8")
}

fn shown(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_hide_set())
}

/// It is a flag of `command` too, with the same meaning.
fn stands(arg: &Arg, command: &Command) -> bool {
    let meaning = |arg: &Arg| arg.get_help().map(ToString::to_string);
    let mut same = shown(command).filter(|other| other.get_long() == arg.get_long());
    arg.get_long().is_some() && same.any(|other| meaning(other) == meaning(arg))
}

/// Its longest name.
fn named(arg: &Arg) -> String {
    match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => arg.get_id().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_one_preamble_and_its_sections_in_the_usual_order() {
        let page = page();
        assert_eq!(page.matches(&preamble()).count(), 1);
        let sections = page.lines().filter_map(|line| line.strip_prefix(".SH "));
        let sections: Vec<_> = sections.map(|name| name.trim_matches('"')).collect();
        assert_eq!(
            sections,
            [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "VERBS",
                "EXAMPLES",
                "EXIT STATUS",
                "ENVIRONMENT",
                "NAMES OF OTHER TOOLS"
            ]
        );
    }

    #[test]
    fn a_flag_of_a_verb_that_means_something_else_is_written_out() {
        let page = page();
        let (_, target) = page.split_once("\n.SS \"blast target\"\n").expect("the verb");
        let (target, _) = target.split_once("\n.SS ").expect("another verb");
        // A run has a --bind and a --pin too, of other things.
        for text in
            [r"\fB\-\-bind\fR", "Address to listen on", r"\fB\-\-pin\fR", r"\fB\-\-delay\fR"]
        {
            assert!(target.contains(text), "{text}: {target}");
        }
        let (_, demo) = page.split_once("\n.SS \"blast demo\"\n").expect("the verb");
        assert!(demo.contains(r"As above: \-\-connections, \-\-rps"), "{demo}");
    }
}
