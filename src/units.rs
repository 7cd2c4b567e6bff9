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
    let shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    let cut = if text.chars().nth(LONGEST).is_some() { "..." } else { "" };
    format!("`{}{cut}`", shown.replace("\\'", "'").replace("\\\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_short_and_printable() {
        assert_eq!(quote("it's"), "`it's`");
        assert_eq!(quote("a\nb"), "`a\\nb`");
        assert_eq!(quote(&"x".repeat(61)), format!("`{}...`", "x".repeat(60)));
    }
}
