//! Tables whose last column is words: what came of the row. A narrow terminal goes without some of
//! the figures, and the words go on below where they began.

use std::array;

use super::text::{Sheet, Tone};

/// Between the figures and the words.
const GAP: usize = 2;

/// Tables of `N` columns that stand below each other with the same widths. The first row of each is
/// its head.
pub(super) struct Worded<const N: usize> {
    pub tables: Vec<Vec<[String; N]>>,
    /// The first column is a name, which stands to the left; figures stand to the right.
    pub is_named: bool,
    /// Places of columns that a narrow terminal goes without, the first to go first.
    pub spare: &'static [usize],
}

impl<const N: usize> Worded<N> {
    pub fn write(&self, sheet: &mut Sheet) {
        let widths = self.widths();
        let figures = self.fitting(&widths, sheet.width());
        let is_roomy = taken(&widths, &figures, 2) <= sheet.width();
        let gap = if is_roomy { 2 } else { 1 };
        for table in &self.tables {
            sheet.gap();
            for (at, row) in table.iter().enumerate() {
                let tone = if at == 0 { Tone::Heading } else { Tone::Plain };
                let cells = figures.iter().map(|at| self.cell(&row[*at], *at, widths[*at]));
                let cells = cells.collect::<Vec<_>>().join(&" ".repeat(gap));
                let indent = cells.chars().count() + GAP;
                let first = sheet.paint(tone, &cells) + &" ".repeat(GAP);
                sheet.hanging(&first, indent, tone, &row[N - 1]);
            }
        }
    }

    fn cell(&self, text: &str, at: usize, width: usize) -> String {
        if at == 0 && self.is_named { format!("{text:<width$}") } else { format!("{text:>width$}") }
    }

    fn widths(&self) -> [usize; N] {
        let widest = |at: usize| self.tables.iter().flatten().map(move |row| &row[at]);
        array::from_fn(|at| widest(at).map(|cell| cell.chars().count()).max().unwrap_or(0))
    }

    /// As many columns of figures as there is room for beside the words.
    fn fitting(&self, widths: &[usize; N], room: usize) -> Vec<usize> {
        let mut figures: Vec<usize> = (0..N - 1).collect();
        for spare in self.spare {
            if taken(widths, &figures, 1) <= room {
                break;
            }
            figures.retain(|at| at != spare);
        }
        figures
    }
}

/// By the figures and the words.
fn taken<const N: usize>(widths: &[usize; N], figures: &[usize], gap: usize) -> usize {
    let sum: usize = figures.iter().map(|at| widths[*at]).sum();
    sum + gap * figures.len().saturating_sub(1) + GAP + widths[N - 1]
}

#[cfg(test)]
mod tests {
    use super::super::PageOptions;
    use super::*;

    fn page(width: usize) -> Vec<String> {
        let row = |cells: [&str; 4]| cells.map(str::to_string);
        let first = vec![
            row(["step", "rate", "p99", "outcome"]),
            row(["1x", "1,000", "12ms", "fails: p99<10ms"]),
        ];
        let second = vec![row(["step", "rate", "", "above"]), row(["10x", "9", "", ""])];
        let mut sheet = Sheet::new(&PageOptions { width, ..PageOptions::default() });
        Worded { tables: vec![first, second], is_named: true, spare: &[2, 1] }.write(&mut sheet);
        sheet.finish().lines().map(str::to_string).collect()
    }

    #[test]
    fn a_table_has_the_columns_that_there_is_room_for_and_its_words_last() {
        assert_eq!(
            page(80),
            [
                "step   rate   p99  outcome",
                "1x    1,000  12ms  fails: p99<10ms",
                "",
                "step   rate        above",
                "10x       9",
            ]
        );
    }

    fn row(words: &str, width: usize) -> String {
        let row = ["1x", "1,000", "12ms", words].map(str::to_string);
        let mut sheet = Sheet::new(&PageOptions { width, ..PageOptions::default() });
        let tables = vec![vec![row]];
        Worded { tables, is_named: true, spare: &[2, 1] }.write(&mut sheet);
        sheet.finish()
    }

    #[test]
    fn on_a_narrow_terminal_figures_go_before_words_are_broken() {
        let words = "fails: service.p99.9<10ms at last";
        for (width, expected) in [
            (50, "1x  1,000  12ms  "),
            (48, "1x 1,000 12ms  "),
            (46, "1x  1,000  "),
            (43, "1x 1,000  "),
            (42, "1x  "),
        ] {
            assert_eq!(row(words, width), format!("{expected}{words}\n"), "{width}");
        }
        let broken = "1x  fails: threshold service.p99.9<10ms\n    which was 31 ms\n";
        assert_eq!(row("fails: threshold service.p99.9<10ms which was 31 ms", 40), broken);
    }
}
