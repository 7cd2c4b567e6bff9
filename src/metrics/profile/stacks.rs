//! Collapsed stacks, as the scripts of FlameGraph made them known: a line a stack, its frames from
//! the root to the leaf with `;` between them, and how often it was seen.
//!
//! ```text
//! main;handle;parse 12
//! ```

use std::collections::HashMap;

/// Bytes of a name, and frames of a stack; what is longer is cut.
const LONGEST_NAME: usize = 400;
const DEEPEST: usize = 400;

/// Lines that are none are passed over, up to this share of all of them.
const MOST_UNREADABLE: f64 = 0.1;

/// What was left out, where not all of them are kept.
const OTHERS: &str = "(other stacks)";

/// Different stacks, the one seen most often first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stacks(Vec<(String, u64)>);

impl Stacks {
    /// The error says what is wrong, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Stacks, String> {
        let mut counts: HashMap<String, u64> = HashMap::new();
        let (mut read, mut unreadable, mut first) = (0u64, 0u64, None);
        let lines = text.lines().map(str::trim).enumerate();
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let Some((stack, count)) = stack(line) else {
                unreadable += 1;
                first = first.or(Some(number + 1));
                continue;
            };
            read += 1;
            let all = counts.entry(stack).or_default();
            *all = all.saturating_add(count);
        }
        if let Some(line) = first
            && unreadable as f64 > (read + unreadable) as f64 * MOST_UNREADABLE
        {
            return Err(format!("line {line} is no collapsed stack, `a;b;c 12`"));
        }
        let mut stacks: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        if stacks.is_empty() {
            return Err("there is no sample in it".to_string());
        }
        stacks.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(Stacks(stacks))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(stack, count)| (&**stack, *count))
    }

    /// As lines again, of at most so many bytes: those seen least often are put together.
    pub fn lines(&self, most: usize) -> Vec<String> {
        let (mut lines, mut bytes, mut others) = (Vec::new(), 0, 0u64);
        for (stack, count) in self.iter() {
            let line = format!("{stack} {count}");
            bytes += line.len();
            if bytes <= most {
                lines.push(line);
            } else {
                others = others.saturating_add(count);
            }
        }
        if others > 0 {
            lines.push(format!("{OTHERS} {others}"));
        }
        lines
    }
}

fn stack(line: &str) -> Option<(String, u64)> {
    let (frames, count) = line.rsplit_once(char::is_whitespace)?;
    let frames = frames.trim_end();
    let digits = count.bytes().all(|byte| byte.is_ascii_digit());
    let count = count.parse().ok().filter(|_| digits)?;
    if frames.is_empty() {
        return None;
    }
    let frames: Vec<&str> = frames.split(';').collect();
    let frames = &frames[frames.len().saturating_sub(DEEPEST)..];
    let names: Vec<String> = frames.iter().map(|frame| name(frame)).collect();
    Some((names.join(";"), count))
}

/// What came from another program goes to terminals: without control characters, and not without
/// end.
fn name(frame: &str) -> String {
    let frame = frame.trim();
    let mut length = frame.len().min(LONGEST_NAME);
    while !frame.is_char_boundary(length) {
        length -= 1;
    }
    frame[..length].chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, u64)> {
        Stacks::parse(text).unwrap().0
    }

    fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        expected.iter().map(|(stack, count)| (stack.to_string(), *count)).collect()
    }

    #[test]
    fn equal_stacks_are_added_up_and_the_most_frequent_stands_first() {
        let text = "a;b 1\na;c d 5\n\n# a comment\r\na;b 3\na;b 0\nalone 2\r\nx;y\t4\n";
        assert_eq!(read(text), pairs(&[("a;c d", 5), ("a;b", 4), ("x;y", 4), ("alone", 2)]));
        let python = "handle (app.py:10);select (selectors.py:415) 7";
        assert_eq!(read(python), pairs(&[("handle (app.py:10);select (selectors.py:415)", 7)]));
    }

    #[test]
    fn what_is_no_stack_is_told_with_its_line() {
        for (text, expected) in [
            ("", "there is no sample in it"),
            ("# nothing\n", "there is no sample in it"),
            ("a;b 0\n", "there is no sample in it"),
            ("a;b 1\nnonsense\n", "line 2 is no collapsed stack"),
            ("a;b -1", "line 1 is no"),
            ("a;b +1", "line 1 is no"),
            ("12", "line 1 is no"),
            (" 12", "line 1 is no"),
            ("a 99999999999999999999999", "line 1 is no"),
        ] {
            let why = Stacks::parse(text).unwrap_err();
            assert!(why.contains(expected), "{text:?}: {why}");
        }
        // A tool's last words do not cost the profile.
        let lines: String = (0..20).map(|line| format!("f{line} 1\n")).collect();
        assert_eq!(read(&format!("{lines}error: lost 3 samples!\n")).len(), 20);
    }

    #[test]
    fn names_and_stacks_that_never_end_are_cut() {
        let long = format!("{}é;leaf\x1b[31m 1", "x".repeat(LONGEST_NAME - 1));
        let [(stack, 1)] = &read(&long)[..] else { panic!() };
        assert_eq!(*stack, format!("{};leaf?[31m", "x".repeat(LONGEST_NAME - 1)));
        let deep = format!("{};leaf 1", vec!["f"; 10_000].join(";"));
        let [(stack, 1)] = &read(&deep)[..] else { panic!() };
        assert_eq!(stack.split(';').count(), DEEPEST);
        assert!(stack.ends_with(";leaf"));
    }

    #[test]
    fn counts_saturate() {
        let text = format!("a {0}\na {0}\n", u64::MAX);
        assert_eq!(read(&text), pairs(&[("a", u64::MAX)]));
    }

    #[test]
    fn the_rarest_stacks_are_put_together_where_there_is_no_room() {
        let stacks = Stacks::parse("a;b 10\nc;d 5\ne;f 2\ng;h 1\n").unwrap();
        assert_eq!(stacks.lines(100), ["a;b 10", "c;d 5", "e;f 2", "g;h 1"]);
        assert_eq!(stacks.lines(12), ["a;b 10", "c;d 5", "(other stacks) 3"]);
        assert_eq!(stacks.lines(0), ["(other stacks) 18"]);
    }
}
