//! The list: a line a run, newest first. Columns that a narrow terminal has no room for are left
//! away, the least important first.

use std::io;

use clap::Args;
use serde::Serialize;

use super::PlaceArgs;
use super::filter::FilterArgs;
use crate::cli::{print, terminal};
use crate::error::{Exit, Result};
use crate::history::{Filter, Row};
use crate::report::json;
use crate::time::Nanos;
use crate::units::{format_count, format_duration, format_exact};

/// How many are shown unless the user says otherwise.
const MOST: u32 = 50;

/// Of a text that somebody else wrote, so much is shown.
const LONGEST: usize = 36;

/// Columns of a table are parted by so many blanks.
const GAP: usize = 2;

#[derive(Clone, Debug, Default, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub filter: FilterArgs,

    /// Print the list as JSON
    #[arg(long, short = 'j')]
    pub json: bool,

    #[command(flatten)]
    pub place: PlaceArgs,
}

/// As JSON.
#[derive(Serialize)]
struct List<'a> {
    runs: &'a [Row],
    /// `--before` of what comes next; null: that is all.
    next: Option<i64>,
}

pub fn run(args: &ListArgs) -> Result<Exit> {
    let mut history = args.place.open()?;
    let limit = args.filter.limit.unwrap_or(MOST);
    let filter = Filter { limit: Some(limit), ..args.filter.filter() };
    let runs = history.list(&filter)?;
    let all = history.count(&filter)?;
    if args.json {
        let is_cut = (runs.len() as u64) < all;
        let next = runs.last().filter(|_| is_cut).map(|row| row.id);
        let list = List { runs: &runs, next };
        return json::write(&list, &mut io::stdout().lock()).map(|()| Exit::Done);
    }
    print(&page(&runs, all, terminal::width(&io::stdout())))
}

fn page(runs: &[Row], all: u64, width: usize) -> String {
    if runs.is_empty() {
        return "no run; `blast --save URL` keeps one, and fewer flags find more\n".to_string();
    }
    let mut page = table(runs, width);
    if runs.iter().any(|run| run.is_baseline) {
        page += "* the baseline of its plan\n";
    }
    if let Some(oldest) = runs.last().filter(|_| (runs.len() as u64) < all) {
        let (shown, all) = (format_exact(runs.len() as u64), format_exact(all));
        page += &format!("{shown} of {all}; older ones: --before {}, or --limit N\n", oldest.id);
    }
    page
}

struct Column {
    name: &'static str,
    /// Numbers stand on the right.
    is_number: bool,
    /// The highest is left away first; 0 never.
    rank: u8,
    cell: fn(&Row) -> String,
}

const fn text(name: &'static str, rank: u8, cell: fn(&Row) -> String) -> Column {
    Column { name, is_number: false, rank, cell }
}

const fn number(name: &'static str, rank: u8, cell: fn(&Row) -> String) -> Column {
    Column { name, is_number: true, rank, cell }
}

const COLUMNS: [Column; 19] = [
    number("id", 0, |row| format!("{}{}", row.id, if row.is_baseline { "*" } else { " " })),
    text("status", 0, |row| row.status.name().to_string()),
    text("started (UTC)", 2, |row| minute(&row.begun.started_at)),
    text("by", 12, |row| shown(&row.begun.started_by)),
    text("kind", 8, |row| shown(&row.begun.kind)),
    text("label", 1, |row| shown(&row.begun.label)),
    text("plan", 13, |row| shown(&row.begun.plan_name)),
    text("target", 7, |row| shown(without_scheme(&row.begun.target))),
    number("conns", 10, |row| format_exact(row.begun.connections)),
    number("rate/s", 9, |row| some(row.begun.rate_per_s, format_count)),
    number("for", 11, |row| some(row.begun.duration_s, seconds)),
    number("requests", 6, |row| some(row.figures.scheduled, format_exact)),
    number("good", 14, |row| some(row.figures.good, format_exact)),
    number("errors", 3, |row| some(row.figures.error_share, percent)),
    number("good/s", 1, |row| some(row.figures.good_per_s, format_count)),
    number("on time", 15, |row| some(row.figures.efficiency, percent)),
    number("mean", 16, |row| some(row.figures.mean_us, micros)),
    number("p95", 1, |row| some(row.figures.p95_us, micros)),
    text("grade", 5, |row| row.figures.grade.clone().unwrap_or_default()),
];

fn table(runs: &[Row], width: usize) -> String {
    let mut columns: Vec<(&Column, Vec<String>, usize)> = COLUMNS
        .iter()
        .map(|column| {
            let cells: Vec<String> = runs.iter().map(column.cell).collect();
            let longest = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
            (column, cells, longest.max(column.name.len()))
        })
        .collect();
    // One that says nothing of any run has no place.
    columns.retain(|(column, cells, _)| {
        column.rank == 0 || cells.iter().any(|cell| !cell.is_empty() && cell != "-")
    });
    let taken = |columns: &[(&Column, Vec<String>, usize)]| {
        columns.iter().map(|(.., width)| width + GAP).sum::<usize>().saturating_sub(GAP)
    };
    while taken(&columns) > width {
        let least = columns.iter().map(|(column, ..)| column.rank).max().unwrap_or(0);
        if least == 0 {
            break;
        }
        // Of several as important, the widest.
        let widest = columns.iter().enumerate().filter(|(_, (column, ..))| column.rank == least);
        let widest = widest.max_by_key(|(_, (.., width))| *width).map(|(at, _)| at);
        columns.remove(widest.unwrap_or(0));
    }
    let line = |cell: &dyn Fn(&Column, &[String]) -> String| {
        let cells = columns.iter().map(|(column, cells, width)| {
            let text = cell(column, cells);
            if column.is_number { format!("{text:>width$}") } else { format!("{text:<width$}") }
        });
        format!("{}\n", cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end())
    };
    let head = line(&|column, _| match column.name {
        // Its cells end in a mark or a blank.
        "id" => "id ".to_string(),
        name => name.to_string(),
    });
    (0..runs.len()).fold(head, |page, at| page + &line(&|_, cells| cells[at].clone()))
}

/// On one line, without what a terminal would obey.
pub fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '?' } else { c };
    let mut text: String = text.chars().map(clean).collect();
    if text.chars().count() > LONGEST {
        text = text.chars().take(LONGEST - 3).chain("...".chars()).collect();
    }
    text
}

fn without_scheme(url: &str) -> &str {
    url.strip_prefix("http://").unwrap_or(url)
}

/// `2026-11-21T10:00:07.123Z` without its seconds.
fn minute(at: &str) -> String {
    shown(at).chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn some<T>(value: Option<T>, text: impl Fn(T) -> String) -> String {
    value.map_or("-".to_string(), text)
}

fn seconds(length: f64) -> String {
    format_duration(Nanos((length * 1e9) as u64))
}

fn micros(us: f64) -> String {
    format_duration(Nanos((us * 1e3) as u64))
}

fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Begun, Figures, Status};

    fn row(id: i64, label: &str) -> Row {
        Row {
            id,
            status: Status::Completed,
            reason: None,
            note: String::new(),
            ended_at: None,
            exit_code: Some(0),
            is_baseline: id == 2,
            begun: Begun {
                label: label.to_string(),
                kind: "run".to_string(),
                started_at: "2026-11-21T10:00:07.123Z".to_string(),
                started_by: "ada".to_string(),
                target: "http://127.0.0.1:8080/a/rather/long/path/of/some/api".to_string(),
                connections: 64,
                rate_per_s: Some(100.0),
                duration_s: Some(60.0),
                ..Begun::default()
            },
            figures: Figures {
                scheduled: Some(6_000),
                good: Some(5_999),
                error_share: Some(1.0 / 6_000.0),
                good_per_s: Some(99.98),
                p95_us: Some(1_234.5),
                grade: Some("excellent".to_string()),
                ..Figures::default()
            },
        }
    }

    #[test]
    fn a_list_is_as_wide_as_the_terminal_and_no_wider() {
        let runs = [row(12, "after the index"), row(2, "before")];
        for width in [40, 60, 80, 120, 200] {
            let page = page(&runs, 2, width);
            let widest = page.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width, "{widest} of {width}:\n{page}");
            assert!(page.contains("completed") && page.contains("2*"), "{page}");
        }
        let narrow = page(&runs, 2, 60);
        assert!(narrow.contains("after the index") && narrow.contains("1.23 ms"), "{narrow}");
        let wide = page(&runs, 2, 200);
        for part in ["127.0.0.1:8080/a/rather", "6,000", "0.02 %", "excellent", "2026-11-21 10:00"]
        {
            assert!(wide.contains(part), "{part}: {wide}");
        }
        assert!(!wide.contains("on time"), "nobody has it: {wide}");
    }

    #[test]
    fn what_is_left_away_is_said_and_nothing_is_obeyed() {
        let page = page(&[row(7, "a\x1b[31m\nb")], 90, 200);
        assert!(page.ends_with("1 of 90; older ones: --before 7, or --limit N\n"), "{page}");
        assert!(page.contains("a?[31m?b") && !page.contains('\x1b'), "{page}");
        assert!(super::page(&[], 0, 80).starts_with("no run"));
    }
}
