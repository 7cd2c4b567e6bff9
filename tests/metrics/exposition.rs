//! A page of metrics as the OpenMetrics specification (1.0, text format) has it, read by none of
//! blast's own code. Strict: what breaks a MUST panics.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub struct Exposition {
    /// By name and labels, as [`key`] writes them.
    pub samples: BTreeMap<String, f64>,
    families: BTreeMap<String, String>,
}

pub struct Histogram {
    pub count: f64,
    /// Below the last bound.
    pub finite: f64,
    pub sum: f64,
    buckets: Vec<(f64, f64)>,
}

/// `name{a=1,b=2}`, or the name alone.
pub fn key(name: &str, labels: &str) -> String {
    // A bound is the same whether it ends in `.0` or not.
    let labels = labels.split(',').map(|label| match label.strip_prefix("le=") {
        Some("+Inf") => "le=+Inf".to_string(),
        Some(bound) => format!("le={}", bound.parse::<f64>().unwrap()),
        None => label.to_string(),
    });
    let labels: Vec<String> = labels.collect();
    if labels == [""] { name.to_string() } else { format!("{name}{{{}}}", labels.join(",")) }
}

impl Exposition {
    pub fn strict(text: &str) -> Exposition {
        let text = text.strip_suffix("# EOF\n").expect("it ends in # EOF");
        let page = Exposition::read(text, |name, kind| match kind {
            "counter" => vec![format!("{name}_total")],
            "info" => vec![format!("{name}_info")],
            "histogram" => ["bucket", "count", "sum"].map(|end| format!("{name}_{end}")).into(),
            "gauge" => vec![name.to_string()],
            kind => panic!("{name} is a {kind}"),
        });
        for (name, kind) in &page.families {
            if kind == "histogram" {
                page.histogram(name);
            }
            let of_it = |sample: &str| sample.starts_with(name.as_str());
            assert!(page.samples.keys().any(|sample| of_it(sample)), "{name} has no sample");
        }
        page
    }

    /// The older format, where the type names the samples.
    pub fn of_text(text: &str) -> Exposition {
        Exposition::read(text, |name, kind| match kind {
            "histogram" => ["bucket", "count", "sum"].map(|end| format!("{name}_{end}")).into(),
            "counter" | "gauge" => vec![name.to_string()],
            kind => panic!("{name} is a {kind}"),
        })
    }

    fn read(text: &str, samples_of: impl Fn(&str, &str) -> Vec<String>) -> Exposition {
        let mut page = Exposition { samples: BTreeMap::new(), families: BTreeMap::new() };
        let (mut current, mut helped) = (Vec::new(), String::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# ") {
                let [word, name, value] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                    panic!("{line}")
                };
                match word {
                    "HELP" => helped = name.to_string(),
                    "TYPE" => {
                        assert_eq!(helped, name, "a family is described once, and in one place");
                        current = samples_of(name, value);
                        let before = page.families.insert(name.to_string(), value.to_string());
                        assert_eq!(before, None, "{name} comes twice");
                    }
                    "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{line}"),
                    _ => panic!("{line}"),
                }
                continue;
            }
            let (name, labels, value) = sample(line);
            assert!(current.contains(&name), "{line} is in the family of {current:?}");
            let before = page.samples.insert(key(&name, &labels), value);
            assert_eq!(before, None, "{line} comes twice");
        }
        page
    }

    pub fn has(&self, family: &str) -> bool {
        self.families.contains_key(family)
    }

    pub fn has_sample(&self, name: &str) -> bool {
        self.samples.keys().any(|sample| name_of(sample) == name)
    }

    /// All with this name.
    pub fn all(&self, name: &str) -> Vec<(&str, f64)> {
        let of_it = self.samples.iter().filter(|(sample, _)| name_of(sample) == name);
        of_it.map(|(sample, value)| (sample.as_str(), *value)).collect()
    }

    pub fn sum(&self, name: &str) -> f64 {
        let all = self.all(name);
        assert!(!all.is_empty(), "there is no {name}");
        all.iter().map(|(_, value)| value).sum()
    }

    /// Labels in the order of their names.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let key = key(name, &labels.join(","));
        *self.samples.get(&key).unwrap_or_else(|| panic!("there is no {key}"))
    }

    /// By the value of one label, what is not zero.
    pub fn nonzero(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let all = self.all(name).into_iter().filter(|(_, value)| *value != 0.0);
        let named = all.map(|(sample, value)| {
            let labels = sample.split(['{', '}', ',']).skip(1);
            let mut of_it = labels.filter_map(|pair| pair.strip_prefix(label)?.strip_prefix('='));
            (of_it.next().unwrap().to_string(), value)
        });
        named.collect()
    }

    pub fn histogram(&self, name: &str) -> Histogram {
        let buckets = self.all(&format!("{name}_bucket")).into_iter().map(|(sample, value)| {
            let bound = sample.split("le=").nth(1).unwrap().trim_end_matches('}');
            (if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() }, value)
        });
        let mut buckets: Vec<(f64, f64)> = buckets.collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{name}: {buckets:?}");
        let [.., (last, finite), (bound, count)] = buckets[..] else { panic!("{name}") };
        assert!(last.is_finite() && bound == f64::INFINITY, "{name}");
        assert_eq!(count, self.sum(&format!("{name}_count")), "{name}");
        Histogram { count, finite, sum: self.sum(&format!("{name}_sum")), buckets }
    }

    /// Every counter and every bucket is at least what it was.
    pub fn has_grown_from(&self, before: &Exposition) {
        let grows = |sample: &str| {
            ["_total", "_bucket", "_count", "_sum"].iter().any(|end| name_of(sample).ends_with(end))
        };
        for (sample, value) in before.samples.iter().filter(|(sample, _)| grows(sample)) {
            let now = self.samples.get(sample).unwrap_or_else(|| panic!("{sample} is gone"));
            assert!(now >= value, "{sample} was {value} and is {now}");
        }
    }
}

impl Histogram {
    /// The bounds around the quantile.
    pub fn around(&self, q: f64) -> (f64, f64) {
        let at = self.buckets.iter().position(|(_, count)| *count >= q * self.count).unwrap();
        let below = if at == 0 { 0.0 } else { self.buckets[at - 1].0 };
        (below, self.buckets[at].0)
    }
}

fn name_of(sample: &str) -> &str {
    sample.split('{').next().unwrap()
}

/// Its name, its labels in the order of their names, its value.
fn sample(line: &str) -> (String, String, f64) {
    let name_end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
    let (name, rest) = line.split_at(name_end);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    assert!(name.chars().all(is_name) && name.starts_with("blast"), "{line}");
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest, line),
        None => (BTreeSet::new(), rest),
    };
    let value = value.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
    let labels: Vec<String> = labels.into_iter().collect();
    (name.to_string(), labels.join(","), value)
}

/// Up to the closing brace, and what follows it. No value here holds a comma or a quote.
fn labels<'a>(rest: &'a str, line: &str) -> (BTreeSet<String>, &'a str) {
    let (inside, after) = rest.rsplit_once('}').unwrap_or_else(|| panic!("{line}"));
    let mut labels = BTreeSet::new();
    for pair in inside.split("\",") {
        let (name, value) = pair.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        let value = value.trim_end_matches('"');
        assert!(!value.contains(['"', '\\', ',']), "{line}");
        assert!(labels.insert(format!("{name}={value}")), "{line}");
    }
    (labels, after)
}
