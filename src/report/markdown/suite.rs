//! A suite for a pull request.

use std::path::Path;

use super::{plain, row};
use crate::error::Result;
use crate::report::console::suite::{
    HEAD, cells, growth_rows, headline, problem_in_words, remark, title,
};
use crate::report::staged;
use crate::report::suite::{Scaling, SuiteDocument};

/// Writes the file, which is either whole or untouched.
pub fn save(document: &SuiteDocument, path: &Path) -> Result<()> {
    staged::save(path, text(document).as_bytes())
}

pub fn text(document: &SuiteDocument) -> String {
    let mut text = format!("## blast suite\n\n{}\n\n", plain(&headline(document).1));
    for problem in &document.problems {
        text += &format!("- {}: {}\n", problem.part, plain(&problem_in_words(problem)));
        for line in &problem.lines {
            text += &format!("  - {}\n", plain(line));
        }
    }
    text += "\n";
    text += &row(&[&["", "run"][..], &HEAD, &[""]].concat());
    text += &row(&["---", "---", "---:", "---:", "---:", "---:", "---:", "---:", "---"]);
    for run in &document.runs {
        let remark = if run.has_passed() { String::new() } else { remark(run) };
        let mark = match run.outcome.as_str() {
            "passed" => "✅",
            "skipped" => "-",
            "invalid" | "interrupted" => "⚠️",
            _ => "❌",
        };
        let mut line = vec![mark.to_string(), plain(&run.title())];
        line.extend(cells(run).map(|cell| plain(&cell)));
        line.push(plain(&remark));
        text += &row(&line);
    }
    document.scaling.iter().for_each(|scaling| text += &growth(scaling));
    text
}

fn growth(scaling: &Scaling) -> String {
    let mut rows = growth_rows(scaling).into_iter().map(|row| row.map(|cell| plain(&cell)));
    let head = rows.next().map(|head| row(&head)).unwrap_or_default();
    let body: String = rows.map(|cells| row(&cells)).collect();
    format!("\n{}\n\n{head}{}{body}", plain(&title(scaling)), row(&["---", "---:", "---:", "---:"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::suite::tests::example;

    #[test]
    fn a_table_has_a_row_a_run_and_nothing_in_it_is_markup() {
        let text = text(&example());
        for expected in [
            "suite.toml: 1 of 3 runs passed in 60 s",
            "| ✅ | smoke WORKERS=1 |",
            "| ❌ | peak WORKERS=1 |",
            "a threshold failed: p99&lt;1us was 5 ms |",
            "ERROR &lt;db&gt; is gone",
            "| WORKERS=2 | 1,600 | 1.60 | 80 % |",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        let columns = |line: &str| line.matches(" | ").count();
        let table: Vec<usize> =
            text.lines().filter(|line| line.contains("smoke")).map(columns).collect();
        assert_eq!(table, [8, 8]);
    }
}
