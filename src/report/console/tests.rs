//! The pages as they are: golden files in `src/report/golden/`, written anew with
//! `BLAST_GOLDEN=write cargo test golden`.

use std::fs;
use std::path::Path;

use super::*;
use crate::metrics::signs::CODES;
use crate::report::document::Warning;
use crate::report::fixture;

fn golden(name: &str, options: &PageOptions) {
    let base = name.split('-').next().unwrap();
    let (_, mut run) = fixture::all().into_iter().find(|(found, _)| *found == base).unwrap();
    run.as_wrk = name.ends_with("-as-wrk");
    let page = page(&run.document(), options);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden");
    let file = folder.join(format!("{name}.txt"));
    if std::env::var_os("BLAST_GOLDEN").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(page == expected, "{} differs; the page is now:\n{page}", file.display());
}

#[test]
fn the_golden_pages_are_printed() {
    for (name, _) in fixture::all() {
        golden(name, &PageOptions::default());
    }
    golden("held-spectrum", &PageOptions { spectrum: true, ..PageOptions::default() });
    golden("behind-spectrum", &PageOptions { spectrum: true, ..PageOptions::default() });
    for name in ["behind-as-wrk", "closed-as-wrk", "empty-as-wrk"] {
        golden(name, &PageOptions::default());
    }
    golden("secured-verbose", &PageOptions { verbose: true, ..PageOptions::default() });
    golden("mixed-verbose", &PageOptions { verbose: true, ..PageOptions::default() });
    golden("mix-narrow", &PageOptions { width: 50, ..PageOptions::default() });
    golden("mix-wide", &PageOptions { width: 132, ..PageOptions::default() });
    golden("grouped-narrow", &PageOptions { width: 50, ..PageOptions::default() });
    golden("mixed-narrow", &PageOptions { width: 50, ..PageOptions::default() });
}

#[test]
fn a_stored_document_prints_the_same_page() {
    let options = PageOptions { spectrum: true, ..PageOptions::default() };
    for (name, run) in fixture::all() {
        let document = run.document();
        let stored = serde_json::from_str(&serde_json::to_string(&document).unwrap()).unwrap();
        assert_eq!(page(&document, &options), page(&stored, &options), "{name}");
    }
}

#[test]
fn a_length_that_was_changed_by_hand_stands_beside_the_one_asked_for() {
    let mut run = fixture::held();
    run.summary.measured = crate::time::Nanos::from_secs(20);
    let page = page(&run.document(), &PageOptions::default());
    assert!(page.contains("20 s (of 10 s asked for) at 50,000/s"), "{page}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for (name, mut run) in fixture::all() {
        run.as_wrk = true;
        let document = run.document();
        for width in 60..200 {
            let page = page(&document, &PageOptions { width, ..PageOptions::default() });
            let widest = page.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(widest.chars().count() <= width, "{name} at {width}: {widest}");
        }
    }
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    for (name, run) in fixture::all() {
        let document = run.document();
        let coloured = page(&document, &PageOptions { color: true, ..PageOptions::default() });
        let plain = page(&document, &PageOptions::default());
        assert!(!plain.contains('\x1b'), "{name}");
        let mut stripped = String::new();
        for (at, part) in coloured.split('\x1b').enumerate() {
            stripped += if at == 0 { part } else { part.split_once('m').unwrap().1 };
        }
        // Padding that stood inside a colour is not trimmed from the end of a line.
        let trimmed: Vec<&str> = stripped.lines().map(str::trim_end).collect();
        assert_eq!(trimmed.join("\n") + "\n", plain, "{name}");
    }
}

#[test]
fn the_last_two_lines_are_wrks() {
    for (name, run) in fixture::all() {
        let page = page(&run.document(), &PageOptions::default());
        let lines: Vec<&str> = page.lines().rev().take(2).collect();
        assert!(lines[1].starts_with("Requests/sec: "), "{name}");
        assert!(lines[0].starts_with("Transfer/sec: ") && lines[0].ends_with('B'), "{name}");
    }
}

#[test]
fn an_unsupported_quantile_is_a_dash_and_one_past_the_errors_a_bound() {
    let interrupted = page(&fixture::interrupted().document(), &PageOptions::default());
    let row = interrupted.lines().find(|line| line.starts_with("service time")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().skip(2).collect();
    assert_eq!(cells, ["310us", ">=1.51ms", "310us", "410us", "410us", "-", "-", ">=120ms"]);
}

#[test]
fn a_closed_loop_shows_no_response_time() {
    let closed = page(&fixture::closed().document(), &PageOptions::default());
    assert!(!closed.contains("response") && !closed.contains("send lag"));
    assert!(closed.contains("--rps"));
}

#[test]
fn failed_connects_of_a_closed_loop_are_errors() {
    let mut run = fixture::closed();
    run.summary.connections.failures[crate::Kind::ConnectRefused as usize] = 500_000;
    let page = page(&run.document(), &PageOptions::default());
    assert!(page.contains("none; 50 % counting 500,000 failed connects"), "{page}");
}

#[test]
fn the_table_by_name_has_every_figure_where_there_is_room_and_aggregated_last() {
    let wide = PageOptions { width: 160, ..PageOptions::default() };
    let page = page(&fixture::mix().document(), &wide);
    let mut lines = page.lines().skip_while(|line| !line.starts_with("by name"));
    let head: Vec<&str> = lines.next().unwrap().split_whitespace().skip(2).collect();
    let columns = "reqs fails % median avg p95 p99 max good/s asked/sent";
    assert_eq!(head, columns.split(' ').collect::<Vec<_>>());
    let rows: Vec<&str> = lines.take(6).collect();
    assert!(rows[2].starts_with("GET  /patients/{{int 1 100000}}/records/latest"), "{}", rows[2]);
    let cells: Vec<&str> = rows[1].split_whitespace().skip(2).collect();
    assert_eq!(cells[..3], ["3,000", "60", "2%"]);
    assert_eq!(cells.last(), Some(&"16.66/16.66%"));
    assert!(rows[5].starts_with("Aggregated"), "{}", rows[5]);
}

#[test]
fn setup_and_teardown_have_groups_of_their_own() {
    let page = page(&fixture::users().document(), &PageOptions::default());
    let lines = page.lines().skip_while(|line| !line.starts_with("by name"));
    let labels: Vec<&str> =
        lines.skip(1).take(8).map(|line| line.get(..14).unwrap_or(line).trim_end()).collect();
    let expected = ["setup", "  POST login", "main", "  GET  whoami", "  POST transla", "teardown"];
    assert_eq!(labels[..6], expected);
    assert_eq!(labels[7], "Aggregated");
}

#[test]
fn the_readme_shows_the_table_by_name_as_it_is_printed() {
    let page = page(&fixture::users().document(), &PageOptions::default());
    let table = page.lines().skip_while(|line| !line.starts_with("by name"));
    let table: Vec<&str> = table.take(8).collect();
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&table.join("\n")), "{}", table.join("\n"));
}

#[test]
fn the_page_has_room_for_five_signs_and_says_where_the_others_are() {
    let mut document = fixture::mixed().document();
    let others = document.warnings.iter().filter(|w| !CODES.contains(&w.code.as_str())).count();
    document.warnings.retain(|warning| !CODES.contains(&warning.code.as_str()));
    let labels = |document: &Document| {
        let page = page(document, &PageOptions::default());
        (page.matches("\nwarning ").count() - others, page.contains("more signs"))
    };
    for (signs, shown) in [(0, (0, false)), (5, (5, false)), (8, (5, true))] {
        let mut document = document.clone();
        document.warnings.extend(CODES[..signs].iter().map(|code| Warning {
            code: code.to_string(),
            text: "seen".to_string(),
            hint: "look".to_string(),
        }));
        assert_eq!(labels(&document), shown, "{signs}");
    }
}
