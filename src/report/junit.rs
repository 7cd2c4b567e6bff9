//! `-o FILE.xml`: JUnit's XML, for what shows the tests of a build. A test case for each threshold,
//! one for the audit, one that the run was complete; the figures of the run as properties.

use std::io;
use std::path::Path;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::console::head::target;
use super::console::threshold_value;
use super::document::Soak;
use super::{Document, staged};
use crate::error::Result;

/// Writes the file, which is either whole or untouched.
pub fn save(document: &Document, path: &Path) -> Result<()> {
    staged::save(path, text(document).as_bytes())
}

/// A test case: it passed, or what it has to say.
struct Case {
    class: &'static str,
    name: String,
    failure: Option<Failure>,
}

struct Failure {
    kind: &'static str,
    message: String,
    text: String,
}

pub fn text(document: &Document) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Memory takes every write.
    let written = write(&mut writer, document);
    debug_assert!(written.is_ok());
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    text
}

fn write(writer: &mut Writer<Vec<u8>>, document: &Document) -> io::Result<()> {
    let cases = cases(document);
    let failed = cases.iter().filter(|case| case.failure.is_some()).count().to_string();
    let (tests, time) = (cases.len().to_string(), document.duration_s.to_string());
    let counts =
        [("tests", &*tests), ("failures", &*failed), ("errors", "0"), ("time", time.as_str())];
    let what = clean(&target(document));
    // Readers of the older kind know no zone: it is UTC.
    let started = document.started_at.split(['.', 'Z']).next().unwrap_or_default();
    let started = clean(started);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = writer.create_element("testsuites").with_attribute(("name", "blast"));
    suites.with_attributes(counts).write_inner_content(|writer| {
        let suite = writer.create_element("testsuite").with_attribute(("name", what.as_str()));
        let suite = suite.with_attributes(counts).with_attribute(("skipped", "0"));
        let suite = suite.with_attribute(("timestamp", started.as_str()));
        suite.write_inner_content(|writer| {
            properties(writer, document)?;
            cases.iter().try_for_each(|case| case.write(writer))
        })?;
        Ok(())
    })?;
    Ok(())
}

fn cases(document: &Document) -> Vec<Case> {
    let mut cases: Vec<Case> = document.thresholds.iter().map(Case::threshold).collect();
    let broken: Vec<String> = document
        .audit
        .checks
        .iter()
        .filter(|check| !check.ok)
        .map(|check| format!("{}: {} is not {}", check.name, check.left, check.right))
        .collect();
    let broken = (!document.audit.ok).then(|| Failure {
        kind: "audit",
        message: "the books of the run do not balance; its figures are in doubt".to_string(),
        text: broken.join("\n"),
    });
    cases.push(Case::run("audit", broken));
    cases.push(Case::run("complete", incomplete(document)));
    cases.extend(document.soak.as_ref().map(|soak| Case::run("soak", drift(soak))));
    cases
}

fn drift(soak: &Soak) -> Option<Failure> {
    soak.drifts().then(|| Failure {
        kind: "drift",
        message: format!("the server is {}", soak.verdict),
        text: soak.sentences.join("\n"),
    })
}

fn incomplete(document: &Document) -> Option<Failure> {
    let (kind, message) = match &document.aborted {
        Some(aborted) => {
            let shown = super::console::aborted(aborted);
            ("abort-on", format!("the run was ended after {:.2} s: {shown}", aborted.at_s))
        }
        None if document.complete => return None,
        None => ("interrupted", "the run was interrupted; its figures are of a part".to_string()),
    };
    Some(Failure { kind, message, text: format!("measured for {} s", document.duration_s) })
}

impl Case {
    fn threshold(threshold: &super::document::Threshold) -> Case {
        let value = threshold_value(threshold);
        let failure = (!threshold.ok).then(|| Failure {
            kind: "threshold",
            message: match threshold.value {
                Some(_) => format!("{}: it was {value}", threshold.expr),
                None => format!("{}: it cannot be told", threshold.expr),
            },
            text: threshold.why.clone().unwrap_or_else(|| exact(threshold)),
        });
        Case { class: "blast.thresholds", name: threshold.expr.clone(), failure }
    }

    fn run(name: &str, failure: Option<Failure>) -> Case {
        Case { class: "blast.run", name: name.to_string(), failure }
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let name = clean(&self.name);
        let case = writer.create_element("testcase").with_attribute(("classname", self.class));
        let case = case.with_attribute(("name", name.as_str())).with_attribute(("time", "0"));
        let Some(failure) = &self.failure else {
            return case.write_empty().map(drop);
        };
        let (message, text) = (clean(&failure.message), clean(&failure.text));
        let content = |writer: &mut Writer<Vec<u8>>| {
            let failed = writer.create_element("failure").with_attribute(("type", failure.kind));
            let failed = failed.with_attribute(("message", message.as_str()));
            failed.write_text_content(BytesText::new(&text)).map(drop)
        };
        case.write_inner_content(content).map(drop)
    }
}

/// What was measured, to the last digit.
fn exact(threshold: &super::document::Threshold) -> String {
    match threshold.value {
        Some(value) => format!("{value} {}", threshold.unit),
        None => "nothing was measured".to_string(),
    }
}

/// By the names that they have in the JSON; what is null there is missing here.
fn properties(writer: &mut Writer<Vec<u8>>, document: &Document) -> io::Result<()> {
    let (requests, rate) = (&document.requests, &document.rate);
    let response = &document.latency.response;
    let counts = [
        ("requests.scheduled", requests.scheduled),
        ("requests.sent", requests.sent),
        ("requests.good", requests.good),
        ("requests.rejected", requests.rejected),
        ("requests.failed", requests.failed),
        ("requests.abandoned", requests.abandoned),
        ("requests.dropped", requests.dropped),
        ("latency.response.censored", response.censored),
    ];
    let figures = [
        ("duration_s", Some(document.duration_s)),
        ("requests.success_share", Some(requests.success_share)),
        ("requests.error_share", Some(requests.error_share)),
        ("rate.target_per_s", rate.target_per_s),
        ("rate.sent_per_s", Some(rate.sent_per_s)),
        ("rate.good_per_s", Some(rate.good_per_s)),
        ("rate.efficiency", rate.efficiency),
        ("latency.response.min_us", response.min_us),
        ("latency.response.mean_us", response.mean_us),
        ("latency.response.p50_us", response.p50_us),
        ("latency.response.p75_us", response.p75_us),
        ("latency.response.p90_us", response.p90_us),
        ("latency.response.p95_us", response.p95_us),
        ("latency.response.p99_us", response.p99_us),
        ("latency.response.p99_9_us", response.p99_9_us),
        ("latency.response.p99_99_us", response.p99_99_us),
        ("latency.response.max_us", response.max_us),
    ];
    let texts = [
        ("blast_version", &document.blast_version),
        ("verdict.limit", &document.verdict.limit),
        ("verdict.why", &document.verdict.why),
        ("latency_from", &document.latency_from),
    ];
    let counts = counts.iter().map(|(name, count)| (*name, count.to_string()));
    let figures = figures.iter().filter_map(|(name, value)| Some((*name, (*value)?.to_string())));
    let texts = texts.iter().map(|(name, text)| (*name, clean(text)));
    let all: Vec<(&str, String)> = texts.chain(counts).chain(figures).collect();
    let content = |writer: &mut Writer<Vec<u8>>| {
        all.iter().try_for_each(|(name, value)| {
            let property = writer.create_element("property").with_attribute(("name", *name));
            property.with_attribute(("value", value.as_str())).write_empty().map(drop)
        })
    };
    writer.create_element("properties").write_inner_content(content).map(drop)
}

/// Without the characters that XML 1.0 cannot hold even when they are escaped (2.2, `Char`).
fn clean(text: &str) -> String {
    let holds = |c: &char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    };
    text.chars().filter(holds).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quick_xml::events::BytesStart;
    use quick_xml::{Reader, XmlVersion};

    use super::*;
    use crate::report::fixture;

    /// The attributes of each element of this name, unescaped.
    fn elements(xml: &str, name: &str) -> Vec<BTreeMap<String, String>> {
        let attributes = |element: BytesStart| {
            let found = element.attributes().map(|attribute| {
                let attribute = attribute.unwrap();
                let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                (key, attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned())
            });
            found.collect()
        };
        let (mut reader, mut found) = (Reader::from_str(xml), Vec::new());
        reader.config_mut().check_end_names = true;
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) | Event::Empty(element)
                    if element.name().as_ref() == name.as_bytes() =>
                {
                    found.push(attributes(element));
                }
                Event::Eof => return found,
                _ => {}
            }
        }
    }

    #[test]
    fn the_golden_files_are_written() {
        for name in ["held", "mixed", "empty", "judged", "aborted", "interrupted", "mix"] {
            let text = text(&fixture::named(name).document());
            fixture::golden(&format!("{name}.xml"), &text);
        }
    }

    #[test]
    fn each_threshold_is_a_test_that_fails_when_it_does() {
        for (name, run) in fixture::all() {
            let document = run.document();
            let xml = text(&document);
            let cases = elements(&xml, "testcase");
            let soaks = usize::from(document.soak.is_some());
            assert_eq!(cases.len(), document.thresholds.len() + 2 + soaks, "{name}");
            for (case, threshold) in cases.iter().zip(&document.thresholds) {
                assert_eq!(case["name"], threshold.expr, "{name}");
            }
            let failed = document.thresholds.iter().filter(|threshold| !threshold.ok).count()
                + usize::from(!document.audit.ok)
                + usize::from(!document.complete)
                + usize::from(document.soak.as_ref().is_some_and(Soak::drifts));
            assert_eq!(elements(&xml, "failure").len(), failed, "{name}");
            for element in ["testsuites", "testsuite"] {
                let suite = &elements(&xml, element)[0];
                assert_eq!(suite["tests"], cases.len().to_string(), "{name}");
                assert_eq!(suite["failures"], failed.to_string(), "{name}");
            }
        }
    }

    #[test]
    fn every_property_is_the_figure_of_that_name_in_the_json() {
        for (name, run) in fixture::all() {
            let document = run.document();
            let json = serde_json::to_value(&document).unwrap();
            let properties = elements(&text(&document), "property");
            assert!(properties.len() >= 16, "{name}");
            for property in properties {
                let key = &property["name"];
                let expected = json.pointer(&format!("/{}", key.replace('.', "/"))).unwrap();
                match expected.as_str() {
                    Some(text) => assert_eq!(property["value"], text, "{name} {key}"),
                    None => {
                        let value: f64 = property["value"].parse().unwrap();
                        assert_eq!(Some(value), expected.as_f64(), "{name} {key}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_name_is_escaped_and_control_characters_are_left_out() {
        let mut document = fixture::judged().document();
        document.thresholds[0].expr = "'<a href=\"x\">&\u{1}\u{0}\u{fffe}é😀'.p99<1ms".to_string();
        document.thresholds[0].ok = false;
        document.thresholds[0].why = Some("]]> <!-- \u{8} & done".to_string());
        let xml = text(&document);
        assert_eq!(elements(&xml, "testcase")[0]["name"], "'<a href=\"x\">&é😀'.p99<1ms");
        assert!(!xml.contains("]]>") && !xml.contains("<!--"), "{xml}");
        assert!(!xml.chars().any(|c| c.is_control() && c != '\n'), "{xml}");
    }
}
