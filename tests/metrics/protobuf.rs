//! Native histograms: what Prometheus' protobuf format (io.prometheus.client, delimited) says of
//! them, read field by field.

use crate::support::{Blast, ring_alone};

use super::{Watched, moody};

const PROTOBUF: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
                        encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3";

/// A message's fields in order: number, and value or bytes.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

#[test]
fn the_native_histogram_holds_what_the_classic_one_counts() {
    ring_alone(|engine| {
        let server = moody();
        let blast = Blast::calm(engine, &server.url()).args("-R 200 -d 1s -c 4");
        let watched = Watched::start(blast);
        let found = watched.until_ended();
        let (head, body) = watched.scrape(PROTOBUF);
        assert!(head.contains("Content-Type: application/vnd.google.protobuf"), "{head}");
        let mut seen = Vec::new();
        for family in delimited(&body) {
            let name = String::from_utf8(first(family, 1).to_vec()).unwrap();
            for metric in all(family, 4) {
                // Metric.histogram is field 7.
                let Some(histogram) = all(metric, 7).next() else { continue };
                let classic = found.histogram(&name);
                let (count, spans, deltas) = native(histogram);
                assert_eq!(count as f64, classic.count, "{name}");
                let (finite, above) = slots(&spans, &deltas);
                assert_eq!(finite as f64, classic.finite, "{name}");
                assert_eq!((finite + above) as f64, classic.count, "{name}");
                seen.push(name.clone());
            }
        }
        seen.sort();
        let expected = ["response", "send_lag", "service"].map(|it| format!("blast_{it}_seconds"));
        assert_eq!(seen, expected);
        drop(watched.document());
    });
}

/// sample_count (1), positive_span (12), positive_delta (13), as metrics.proto numbers them.
fn native(histogram: &[u8]) -> (u64, Vec<(i64, u64)>, Vec<i64>) {
    let number = |message, wanted| {
        let mut of_it = fields(message).filter(move |(number, _)| *number == wanted);
        match of_it.next() {
            Some((_, Field::Number(value))) => value,
            _ => 0,
        }
    };
    assert_eq!(zigzag(number(histogram, 5)), 4, "the schema");
    let spans = all(histogram, 12).map(|span| (zigzag(number(span, 1)), number(span, 2)));
    let deltas = fields(histogram).filter(|(number, _)| *number == 13);
    let deltas = deltas.flat_map(|(_, field)| match field {
        Field::Number(value) => vec![zigzag(value)],
        Field::Bytes(mut packed) => {
            std::iter::from_fn(|| (!packed.is_empty()).then(|| zigzag(varint(&mut packed))))
                .collect()
        }
    });
    (number(histogram, 1), spans.collect(), deltas.collect())
}

/// What is in slots that end before an hour and a half, and what is above all.
fn slots(spans: &[(i64, u64)], deltas: &[i64]) -> (i64, i64) {
    let (mut at, mut count, mut finite, mut above) = (0, 0, 0, 0);
    let mut deltas = deltas.iter();
    for (gap, length) in spans {
        at += gap;
        for _ in 0..*length {
            count += deltas.next().expect("a difference for each slot");
            // 2^(at / 16) seconds.
            if at < 13 * 16 {
                finite += count
            } else {
                above += count
            }
            at += 1;
        }
    }
    assert!(deltas.next().is_none());
    (finite, above)
}

fn first(message: &[u8], wanted: u64) -> &[u8] {
    all(message, wanted).next().expect("the field is there")
}

fn all(message: &[u8], wanted: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).filter_map(move |(number, field)| match field {
        Field::Bytes(bytes) if number == wanted => Some(bytes),
        _ => None,
    })
}

fn delimited(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let length = varint(&mut bytes) as usize;
        let (message, rest) = bytes.split_at(length);
        messages.push(message);
        bytes = rest;
    }
    messages
}

fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    std::iter::from_fn(move || {
        if message.is_empty() {
            return None;
        }
        let tag = varint(&mut message);
        let mut take = |length: usize| {
            let (bytes, rest) = message.split_at(length);
            message = rest;
            bytes
        };
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut message)),
            1 => Field::Bytes(take(8)),
            5 => Field::Bytes(take(4)),
            2 => {
                let length = varint(&mut message) as usize;
                let (bytes, rest) = message.split_at(length);
                message = rest;
                Field::Bytes(bytes)
            }
            wire => panic!("wire type {wire}"),
        };
        Some((tag >> 3, field))
    })
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().expect("a whole number");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
