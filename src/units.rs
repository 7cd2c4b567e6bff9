//! Numbers as people write them (`10k`, `2m`, `50/1s`, `1MiB`), and as people read them.

mod format;
mod likeness;
mod parse;

pub use format::{format_bytes, format_count, format_duration, format_exact};
pub use likeness::{alike, nearest};
pub use parse::{parse_amount, parse_count, parse_duration, parse_percent, parse_rate, parse_size};

/// What was typed, as an error repeats it: in backticks, cut when long, control characters shown.
pub fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::new();
    for character in text.chars() {
        if shown.chars().count() >= LONGEST {
            return format!("`{shown}...`");
        }
        match character {
            '\'' | '"' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_short_and_printable() {
        assert_eq!(quote("it's"), "`it's`");
        assert_eq!(quote("a\nb"), "`a\\nb`");
        assert_eq!(quote(&"x".repeat(60)), format!("`{}`", "x".repeat(60)));
        assert_eq!(quote(&"x".repeat(61)), format!("`{}...`", "x".repeat(60)));
        assert_eq!(quote(&"\u{1}".repeat(61)), format!("`{}...`", "\\u{1}".repeat(12)));
    }
}
