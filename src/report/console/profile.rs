//! What the watched server did in measure: its functions by their own time.

use super::super::Document;
use super::super::document::{ByClass, Profile};
use super::super::number::{count, micros};
use super::PageOptions;
use super::text::{LABEL, Sheet, Tone};

/// Functions on the page, and with `--verbose`.
const SHOWN: usize = 3;
const VERBOSE: usize = 10;

/// `blast profile FILE`.
const TABLE: usize = 30;

/// A name that is longer is cut; C++ has some of a thousand characters.
const NARROWEST: usize = 20;

pub fn profile(sheet: &mut Sheet, document: &Document, verbose: bool) {
    let Some(profile) = &document.profile else { return };
    sheet.labelled("profile", Tone::Plain, &summed_up(profile));
    functions(sheet, profile, LABEL, if verbose { VERBOSE } else { SHOWN });
}

/// The whole of what `blast profile` prints.
pub fn page(profile: &Profile, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    sheet.hanging("", 0, Tone::Heading, &summed_up(profile));
    sheet.gap();
    functions(&mut sheet, profile, 0, TABLE);
    if !profile.waits.is_empty() {
        sheet.gap();
        sheet.line("waited in");
        for wait in &profile.waits {
            let room = sheet.width().saturating_sub(9).max(NARROWEST);
            let line = format!("{:>7}  {}", percent(wait.share), cut(&wait.name, room));
            sheet.line(&line);
        }
    }
    sheet.finish()
}

/// `perf, 1,240 samples: CPU 61.2 %, I/O 30.0 %, memory 8.8 %; waiting 40 % of the time`.
fn summed_up(profile: &Profile) -> String {
    let seen = match profile.unit.as_str() {
        "us" => micros(profile.samples as f64),
        _ => format!("{} samples", count(profile.samples)),
    };
    let text = format!("{}, {seen}", profile.tool);
    let waiting = match profile.waiting_share {
        Some(share) => format!("; waiting {}, which is not in these shares", percent(share)),
        None => " of what was on a processor".to_string(),
    };
    let classes = classes(&profile.by_class);
    if classes.is_empty() {
        format!("{text}, all of it waiting")
    } else {
        format!("{text}: {classes}{waiting}")
    }
}

pub fn classes(by_class: &ByClass) -> String {
    let ranked = by_class.ranked();
    let parts = ranked.iter().map(|(_, name, share)| format!("{name} {}", percent(*share)));
    parts.collect::<Vec<_>>().join(", ")
}

fn functions(sheet: &mut Sheet, profile: &Profile, indent: usize, most: usize) {
    if profile.functions.is_empty() {
        return;
    }
    let margin = " ".repeat(indent);
    let head = format!("{margin}{:>7} {:>7}  {:<8}  function", "self", "total", "class");
    let head = sheet.paint(Tone::Aside, &head);
    sheet.line(&head);
    for function in profile.functions.iter().take(most) {
        let room = sheet.width().saturating_sub(indent + 27).max(NARROWEST);
        sheet.line(&format!(
            "{margin}{:>7} {:>7}  {:<8}  {}",
            percent(function.self_share),
            percent(function.total_share),
            function.class,
            cut(&function.name, room),
        ));
    }
}

/// All with one digit, so that a column can be compared.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The end of a name tells most: `...::Reader::next`.
fn cut(name: &str, room: usize) -> String {
    let length = name.chars().count();
    if length <= room {
        return name.to_string();
    }
    let tail: String = name.chars().skip(length - (room - 3)).collect();
    format!("...{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{self, profile::Stacks};

    fn shown(text: &str) -> String {
        let profile = metrics::Profile::of_stacks("py-spy", Stacks::parse(text).unwrap(), true);
        page(&Profile::new(&profile), &PageOptions { width: 60, ..PageOptions::default() })
    }

    #[test]
    fn the_table_shows_work_by_its_own_time_and_waiting_apart() {
        let text = "main;encode (app/json.py:10) 60\nmain;query (psycopg2/extras.py:3) 40\n\
                    main;select (selectors.py:415) 900\n";
        assert_eq!(
            shown(text),
            "py-spy, 1,000 samples: CPU 60.0 %, database 40.0 %; waiting\n90.0 %, which is not in \
             these shares\n\n   self   total  class     function\n 60.0 %  60.0 %  cpu       \
             encode (app/json.py:10)\n 40.0 %  40.0 %  database  query (psycopg2/extras.py:3)\n\n\
             waited in\n 90.0 %  select (selectors.py:415)\n"
        );
        assert_eq!(shown("sleep 3\n").lines().next(), Some("py-spy, 3 samples, all of it waiting"));
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(cut("abcdefgh", 8), "abcdefgh");
        assert_eq!(cut("abcdefghi", 8), "...efghi");
        let page = shown(&format!("{}::next 1\n", "x".repeat(300)));
        assert!(page.lines().all(|line| line.chars().count() <= 60), "{page}");
    }
}
