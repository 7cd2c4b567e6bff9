//! The sheet a page is written on: lines, labelled paragraphs, wrapping, colour.

use super::PageOptions;

/// Columns of the label before a paragraph.
pub const LABEL: usize = 13;

/// Fewer columns than these are written as if they were these.
const NARROWEST: usize = 40;

/// What a text means; a terminal shows it as a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Heading,
    Aside,
    Good,
    Doubtful,
    Bad,
}

/// A page in the making.
pub struct Sheet {
    out: String,
    width: usize,
    color: bool,
}

impl Sheet {
    pub fn new(options: &PageOptions) -> Sheet {
        let width = options.width.max(NARROWEST);
        Sheet { out: String::new(), width, color: options.color }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn finish(self) -> String {
        self.out
    }

    /// One line as it is, however long.
    pub fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// An empty line, unless there is one.
    pub fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A paragraph behind a label; further lines stand under the first.
    pub fn labelled(&mut self, label: &str, tone: Tone, text: &str) {
        let label = self.paint(Tone::Heading, &format!("{label:<LABEL$}"));
        self.hanging(&label, LABEL, tone, text);
    }

    /// A paragraph, each of its lines indented.
    pub fn indented(&mut self, indent: usize, tone: Tone, text: &str) {
        self.hanging(&" ".repeat(indent), indent, tone, text);
    }

    /// A paragraph behind `first`, which takes up `indent` columns.
    pub fn hanging(&mut self, first: &str, indent: usize, tone: Tone, text: &str) {
        let mut margin = first.to_string();
        for line in wrap(text, self.width.saturating_sub(indent)) {
            let painted = self.paint(tone, &line);
            self.line(&format!("{margin}{painted}"));
            margin = " ".repeat(indent);
        }
    }

    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_string(),
            Tone::Heading => "1",
            Tone::Aside => "2",
            Tone::Good => "1;32",
            Tone::Doubtful => "1;33",
            Tone::Bad => "1;31",
        };
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// Lines of at most `width` columns, broken at spaces. A longer word has a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        let room = line.chars().count() + 1 + word.chars().count() <= width;
        if !line.is_empty() && !room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

/// Units that stay on the line of their number.
const UNITS: [&str; 9] = ["%", "ns", "us", "ms", "s", "B", "kB", "MB", "GB"];

/// The words of a text; a number and its unit are one.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let bare = word.trim_end_matches([',', ';', ':', '.', ')']);
        let unit = UNITS.contains(&bare.strip_suffix("/s").unwrap_or(bare));
        match words.last_mut() {
            Some(number) if unit && number.ends_with(|c: char| c.is_ascii_digit()) => {
                number.push(' ');
                number.push_str(word);
            }
            _ => words.push(word.to_string()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_breaks_at_spaces_and_keeps_a_long_word_whole() {
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a http://long/path b", 6), ["a", "http://long/path", "b"]);
        assert_eq!(wrap("used 33.7 %, no more", 9), ["used", "33.7 %,", "no more"]);
        assert_eq!(wrap("in 75 MB/s, out", 8), ["in", "75 MB/s,", "out"]);
    }

    #[test]
    fn colour_is_used_only_when_asked_for() {
        let plain = Sheet::new(&PageOptions::default());
        assert_eq!(plain.paint(Tone::Bad, "x"), "x");
        let coloured = Sheet::new(&PageOptions { color: true, ..PageOptions::default() });
        assert_eq!(coloured.paint(Tone::Bad, "x"), "\x1b[1;31mx\x1b[0m");
    }
}
