//! The families in each format. OpenMetrics and protobuf are the client library's; the older text
//! (exposition format 0.0.4) differs from OpenMetrics in its comments alone.

use std::fmt::{Error, Result, Write};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, MetricEncoder, NativeHistogram, NativeHistogramBuckets, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::report::exposition::{Buckets, Exposition, Family, Labels, SCHEMA, Values};

/// What the client library asks to be counted as zero in a native histogram: next to nothing.
const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

/// How a scraper wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    OpenMetrics,
    /// What every tool reads.
    Text,
    #[cfg(feature = "native-histograms")]
    Protobuf,
}

impl Format {
    /// The one with the highest weight of those that `Accept` names (RFC 9110, 12.5.1), the first
    /// of equals. What is none of them has the text.
    pub fn accepted(accept: &str) -> Format {
        let mut best = (0.0, Format::Text);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let parameter = |name: &str| {
                let mut pairs = range.split(';').filter_map(|part| part.trim().split_once('='));
                pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            };
            let weight = parameter("q").map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if let Some(format) = Format::of(&kind.to_ascii_lowercase(), parameter)
                && weight > best.0
            {
                best = (weight, format);
            }
        }
        best.1
    }

    #[cfg_attr(not(feature = "native-histograms"), allow(unused_variables))]
    fn of<'a>(kind: &str, parameter: impl Fn(&str) -> Option<&'a str>) -> Option<Format> {
        match kind {
            "application/openmetrics-text" => Some(Format::OpenMetrics),
            #[cfg(feature = "native-histograms")]
            "application/vnd.google.protobuf" => {
                let is = |name, value| parameter(name).is_none_or(|given| given == value);
                let fits =
                    is("proto", "io.prometheus.client.MetricFamily") && is("encoding", "delimited");
                fits.then_some(Format::Protobuf)
            }
            "text/plain" | "text/*" | "*/*" => Some(Format::Text),
            _ => None,
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            #[cfg(feature = "native-histograms")]
            Format::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                 encoding=delimited"
            }
        }
    }

    /// The metrics of the moment.
    pub fn encode(self, exposition: &Exposition) -> std::result::Result<Vec<u8>, Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Moment(exposition.families())));
        let mut text = String::new();
        match self {
            Format::OpenMetrics => text::encode(&mut text, &registry)?,
            Format::Text => {
                text::encode_registry(&mut text, &registry)?;
                text = older(&text)?;
            }
            #[cfg(feature = "native-histograms")]
            Format::Protobuf => {
                let encoded = prometheus_client::encoding::prometheus_protobuf::encode_to_vec;
                return encoded(&registry).map_err(|_| Error);
            }
        }
        Ok(text.into_bytes())
    }
}

/// The older text names what stands in the samples: `_total` and `_info` belong to the name, an
/// info is a gauge, and there are no units.
fn older(text: &str) -> std::result::Result<String, Error> {
    let mut older = String::with_capacity(text.len());
    let mut help = "";
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# HELP ") {
            help = about.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, kind) = typed.split_once(' ').ok_or(Error)?;
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            writeln!(older, "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}")?;
        } else if !line.starts_with('#') {
            writeln!(older, "{line}")?;
        }
    }
    Ok(older)
}

/// The families of one moment, as the client library takes metrics that are kept elsewhere.
#[derive(Debug)]
struct Moment(Vec<Family>);

impl Collector for Moment {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result {
        for family in &self.0 {
            let unit = family.unit.map(|unit| Unit::Other(unit.to_string()));
            let Family { name, help, values, .. } = family;
            let kind = kind(values);
            write_values(encoder.encode_descriptor(name, help, unit.as_ref(), kind)?, values)?;
        }
        Ok(())
    }
}

fn kind(values: &Values) -> MetricType {
    match values {
        Values::Counter(_) => MetricType::Counter,
        Values::Gauge(_) => MetricType::Gauge,
        Values::Histogram(_) => MetricType::Histogram,
        Values::Info(_) => MetricType::Info,
    }
}

fn write_values(mut encoder: MetricEncoder, values: &Values) -> Result {
    match values {
        Values::Counter(values) => values.iter().try_for_each(|(labels, value)| {
            labelled(&mut encoder, labels, &|encoder| {
                encoder.encode_counter::<NoLabelSet, u64, u64>(value, None)
            })
        }),
        Values::Gauge(values) => values.iter().try_for_each(|(labels, value)| {
            labelled(&mut encoder, labels, &|encoder| encoder.encode_gauge(value))
        }),
        Values::Histogram(buckets) => write_histogram(&mut encoder, buckets),
        Values::Info(labels) => encoder.encode_info(labels),
    }
}

/// Without labels there are no braces.
fn labelled(
    encoder: &mut MetricEncoder,
    labels: &Labels,
    write: &dyn Fn(&mut MetricEncoder) -> Result,
) -> Result {
    if labels.is_empty() { write(encoder) } else { write(&mut encoder.encode_family(labels)?) }
}

/// Both forms; the texts have no room for the native one.
fn write_histogram(encoder: &mut MetricEncoder, buckets: &Buckets) -> Result {
    let native = buckets.native();
    let negative = NativeHistogramBuckets { spans: &[], deltas: &[] };
    let positive = NativeHistogramBuckets { spans: &native.spans, deltas: &native.deltas };
    let native = NativeHistogram {
        schema: SCHEMA,
        zero_threshold: ZERO_THRESHOLD,
        zero_count: native.zero,
        negative,
        positive,
        created: None,
    };
    encoder.encode_histogram_with_native::<NoLabelSet>(
        buckets.sum_s(),
        buckets.count(),
        &buckets.classic(),
        None,
        native,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Mode;
    use crate::report::exposition::About;

    #[test]
    fn the_scraper_chooses_and_everyone_else_has_text() {
        for (accept, expected) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,application/xhtml+xml", Format::Text),
            ("text/plain;version=0.0.4", Format::Text),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", Format::OpenMetrics),
            // As Prometheus 2 asks.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;\
                 version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            ("text/plain;q=0.9, application/openmetrics-text;q=0.2", Format::Text),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/vnd.google.protobuf;proto=another.Message", Format::Text),
        ] {
            assert_eq!(Format::accepted(accept), expected, "{accept}");
        }
    }

    #[cfg(feature = "native-histograms")]
    #[test]
    fn prometheus_with_native_histograms_is_given_them() {
        // As Prometheus 2.42 asks with that feature, and Prometheus 3.
        for accept in [
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
             encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
             encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.2",
        ] {
            assert_eq!(Format::accepted(accept), Format::Protobuf, "{accept}");
        }
    }

    #[test]
    fn the_older_text_names_its_samples_and_has_no_units() {
        let url = "http://h/?a=\"b\"\\".to_string();
        let about = About { url, engine: "ring", mode: Mode::Open };
        let page = Format::Text.encode(&Exposition::new(about)).unwrap();
        let page = String::from_utf8(page).unwrap();
        for line in [
            "# TYPE blast_info gauge",
            "# TYPE blast_requests_sent_total counter",
            "# HELP blast_requests_sent_total Requests written to a connection.",
            "# TYPE blast_response_seconds histogram",
            "blast_requests_sent_total 0",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        assert!(page.contains(r#"url="http://h/?a=\"b\"\\""#), "{page}");
        assert!(!page.contains("# UNIT") && !page.contains("# EOF") && !page.contains(" info\n"));
    }
}
