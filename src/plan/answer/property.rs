//! No bytes make a test or a source panic, and what was captured stands in what was answered.

use super::{Answer, Check, Field, Source, Test};
use crate::dice::Dice;
use crate::time::Nanos;

/// What bytes are put together from: pieces that mean something to one of the tests.
const PIECES: [&[u8]; 24] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"id\"",
    b":",
    b",",
    b"1",
    b"-0.5e9",
    b"\"",
    b"\\u00",
    b"\\",
    b"\xff",
    b"null",
    b"\r\n",
    b"Set-Cookie: sid=",
    b"id=17",
    b";",
    b" ",
    b"\t",
    b"=",
    b"\0",
    b"true",
    b"HTTP/1.1 200 OK\r\n",
];

#[test]
fn no_bytes_make_a_check_or_a_capture_panic() {
    let checks = [
        Test::status("2xx"),
        Test::contains("id=1"),
        Test::regex(r"id=(\d+)|^$|\bx\b"),
        Test::json("/id", None),
        Test::json("/id/0", Some(serde_json::json!([1, {"id": null}]))),
        Test::json("", Some(serde_json::json!(1.0))),
        Test::header("Set-Cookie", Field::Contains("sid".to_owned())),
        Test::size("..2k"),
        Test::latency("5ms"),
    ]
    .map(|test| Check::new("any", 0, test.unwrap()));
    let sources = [
        Source::json("/id"),
        Source::json(""),
        Source::header("set-cookie"),
        Source::cookie("sid"),
        Source::regex("(?s)id=(.*)$"),
    ]
    .map(Result::unwrap);
    for number in 0..20_000 {
        let mut dice = Dice::of(6, 10, number);
        let (head, body) = (bytes(&mut dice), bytes(&mut dice));
        let answer = Answer {
            status: dice.next() as u16,
            head: &head,
            body: &body,
            is_cut: dice.below(2) == 1,
            body_bytes: dice.next(),
            latency: Nanos(dice.below(10_000_000)),
        };
        for check in &checks {
            check.holds(&answer);
        }
        for source in &sources {
            if let Some(found) = source.find(&answer) {
                assert!(found.len() <= head.len().max(body.len()), "{number}: longer than all");
            }
        }
    }
}

fn bytes(dice: &mut Dice) -> Vec<u8> {
    let count = dice.below(12);
    (0..count).flat_map(|_| PIECES[dice.below(PIECES.len() as u64) as usize].to_vec()).collect()
}
