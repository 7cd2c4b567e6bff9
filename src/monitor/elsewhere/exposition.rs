//! The text format of Prometheus, 0.0.4, as far as one value is to be found in it.
//!
//! ```text
//! line  = "#" ... | metric [ "{" label "=" quoted { "," label "=" quoted } [ "," ] "}" ] value [ time ]
//! ```
//!
//! A line that does not read so is passed over: the page is another server's, and only one metric
//! of it matters.

use crate::units::quote;

/// Which series of a page: a metric, and labels that have these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    pub metric: String,
    labels: Vec<(String, String)>,
}

impl Selector {
    /// `metric`, or `metric{label="value",...}`. The error is a sentence's end.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let form = "write it as in `http_requests_total{code=\"200\"}`";
        let (metric, rest) = name(text).ok_or(format!("names no metric; {form}"))?;
        let flaw = || format!("has labels that cannot be read; {form}");
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest).ok_or_else(flaw)?,
            None => (Vec::new(), rest),
        };
        match rest.trim() {
            "" => Ok(Selector { metric: metric.to_string(), labels }),
            rest => Err(format!("has {} behind the metric; {form}", quote(rest))),
        }
    }

    /// The sum over the series that match; `None`: there are none with a number.
    pub fn sum(&self, page: &str) -> Option<f64> {
        let values = page.lines().filter_map(|line| self.value(line));
        values.filter(|value| value.is_finite()).reduce(|sum, value| sum + value)
    }

    fn value(&self, line: &str) -> Option<f64> {
        let rest = line.trim().strip_prefix(&self.metric)?;
        let (labels, rest) = match rest.trim_start().strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None if rest.starts_with([' ', '\t']) => (Vec::new(), rest),
            // It is a longer name.
            None => return None,
        };
        let is_there = |asked| labels.iter().any(|label| label == asked);
        let matches = self.labels.iter().all(is_there);
        matches.then(|| rest.split_whitespace().next()?.parse().ok()).flatten()
    }
}

/// The name that a text begins with, and the rest. Of metrics, a colon too.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some((name, rest))
}

type Labels = Vec<(String, String)>;

/// What stands behind a brace, up to the closing one, and the rest.
fn labels(text: &str) -> Option<(Labels, &str)> {
    let mut labels = Vec::new();
    let mut rest = text.trim_start();
    while !rest.starts_with('}') {
        let (label, after) = name(rest)?;
        let after = after.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
        let (value, after) = quoted(after)?;
        labels.push((label.to_string(), value));
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if rest.starts_with('}') => rest,
            None => return None,
        };
    }
    Some((labels, &rest[1..]))
}

/// Up to the closing quote, without its escapes, and the rest.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"# HELP http_requests_total The total.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400",}    3
http_requests_total{method="get",code="200"} 1e3
http_requests_total_more 5
up 1
 spaced{ a = "b" , c="d" } 4.5
odd{path="C:\\DIR\\FILE.TXT",error="Cannot \"find\"\n{file}"} 7
nothing NaN
best +Inf
broken{a="b
pool_size{state="idle"} -2
rpc:rate5m 0.25
"#;

    fn sum(selector: &str) -> Option<f64> {
        Selector::parse(selector).unwrap().sum(PAGE)
    }

    #[test]
    fn a_value_is_the_sum_of_the_series_that_match() {
        for (selector, expected) in [
            ("http_requests_total", Some(2_030.0)),
            ("http_requests_total{code=\"200\"}", Some(2_027.0)),
            ("http_requests_total{code=\"200\",method=\"get\"}", Some(1_000.0)),
            ("http_requests_total{code=\"500\"}", None),
            ("http_requests", None),
            ("http_requests_total_more", Some(5.0)),
            ("up", Some(1.0)),
            ("up{}", Some(1.0)),
            ("up{a=\"b\"}", None),
            ("spaced{c=\"d\", a=\"b\"}", Some(4.5)),
            (r#"odd{error="Cannot \"find\"\n{file}"}"#, Some(7.0)),
            ("odd{path=\"C:\\\\DIR\\\\FILE.TXT\"}", Some(7.0)),
            ("nothing", None),
            ("best", None),
            ("broken", None),
            ("pool_size", Some(-2.0)),
            ("rpc:rate5m", Some(0.25)),
            ("HELP", None),
        ] {
            assert_eq!(sum(selector), expected, "{selector}");
        }
    }

    #[test]
    fn a_selector_that_is_none_is_told() {
        for (text, expected) in [
            ("", "names no metric"),
            ("1up", "names no metric"),
            ("up{", "labels that cannot be read"),
            ("up{a=b}", "labels that cannot be read"),
            ("up{a=\"b\"", "labels that cannot be read"),
            ("up{a=\"b\"} 5", "has `5` behind the metric"),
            ("up down", "has `down` behind the metric"),
        ] {
            let flaw = Selector::parse(text).unwrap_err();
            assert!(flaw.contains(expected), "{text}: {flaw}");
        }
    }

    #[test]
    fn no_page_makes_it_panic() {
        let selector = Selector::parse("a{b=\"c\"}").unwrap();
        const PARTS: [&str; 9] = ["a", "{", "}", "b", "=", "\"", "\\", ",", " é"];
        let mut pages = vec![String::new()];
        for _ in 0..5 {
            let longer =
                pages.iter().flat_map(|page| PARTS.iter().map(move |p| format!("{page}{p}")));
            pages = longer.collect();
            for page in &pages {
                let _ = selector.sum(page);
                let _ = selector.sum(&format!("a{page}"));
                let _ = Selector::parse(page);
            }
        }
    }
}
