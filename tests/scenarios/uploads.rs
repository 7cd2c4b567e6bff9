//! Large bodies between small requests: every byte of them, on every engine, and over TLS.

use std::sync::LazyLock;

use memchr::memmem;

use super::{Call, Script, Witness, count};
use crate::support::each_engine;

/// No two stretches of it are the same for long.
fn recording(size: usize) -> Vec<u8> {
    (0..size as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

static VOICE: LazyLock<Vec<u8>> = LazyLock::new(|| recording(70_000));
static FILM: LazyLock<Vec<u8>> = LazyLock::new(|| recording(1_200_000));

/// Twice as many small ones as large ones; the multipart body varies before and behind its file.
const UPLOADS: &str = r#"
[[requests]]
name = "small"
path = "/small"
weight = 2
[[requests]]
name = "voice"
path = "/voice"
multipart = [ { name = "user_id", value = "{{int 1 100000}}" }, { name = "file", file = "voice.ogg", filename = "v.ogg", type = "audio/ogg" }, { name = "after", value = "{{string 5}}" } ]
[[requests]]
name = "film"
method = "PUT"
path = "/film/{{seq}}"
body_file = "film.bin"
[[requests]]
name = "late"
path = "/late"
multipart = [ { name = "n", value = "{{seq}}" }, { name = "film", file = "film.bin" } ]
"#;

fn uploads(more: &str) -> Script {
    let script = Script::new(&[UPLOADS, more].concat());
    script.with("voice.ogg", &*VOICE).with("film.bin", &*FILM)
}

/// What stands between the parts, and the parts' contents.
fn parts(call: &Call) -> Vec<Vec<u8>> {
    let (_, boundary) = call.of("Content-Type").split_once("boundary=").unwrap();
    let boundary = format!("--{}", boundary.trim_matches('"'));
    let (mut parts, mut rest) = (Vec::new(), &call.body[..]);
    assert!(rest.starts_with(boundary.as_bytes()) && rest.ends_with(b"--\r\n"));
    let end = format!("\r\n{boundary}");
    while let Some(start) = memmem::find(rest, b"\r\n\r\n") {
        let length = memmem::find(&rest[start + 4..], end.as_bytes()).unwrap();
        parts.push(rest[start + 4..start + 4 + length].to_vec());
        rest = &rest[start + 4 + length..];
    }
    parts
}

#[track_caller]
fn are_whole(calls: &[Call]) {
    for call in calls {
        match call.target() {
            "/small" => assert_eq!(call.body.len(), 0),
            "/voice" => {
                let parts = parts(call);
                assert_eq!(parts.len(), 3);
                let user: u32 = std::str::from_utf8(&parts[0]).unwrap().parse().unwrap();
                assert!((1..=100_000).contains(&user) && parts[2].len() == 5);
                assert!(parts[1] == *VOICE, "a voice of {} bytes", parts[1].len());
            }
            "/late" => assert!(parts(call)[1] == *FILM),
            _ => assert!(call.body == *FILM, "a film of {} bytes", call.body.len()),
        }
    }
}

#[test]
fn every_byte_of_large_bodies_arrives_between_small_requests() {
    each_engine(|engine| {
        let (script, witness) = (uploads(""), Witness::new());
        for words in ["-c 2 -t 1 -n 20", "-c 3 -t 1 -n 20 -R 100"] {
            let document = script.play(engine, &witness, words);
            let calls = witness.take();
            are_whole(&calls);
            assert_eq!(document.fates(["good", "failed"]), [20, 0], "{words}");
            assert_eq!((count(&calls, "/small"), count(&calls, "/voice")), (8, 4), "{words}");
            // A schedule's measure is over before the last of its bytes are sent.
            let heard: usize = calls.iter().map(|call| call.head.len() + call.body.len()).sum();
            let sent = document.count("bytes.sent");
            assert!(sent == heard as u64 || words.contains("-R") && sent < heard as u64, "{sent}");
        }
    });
}

#[test]
fn pipelined_uploads_do_not_mix() {
    each_engine(|engine| {
        let (script, witness) = (uploads(""), Witness::new());
        let document = script.play(engine, &witness, "-c 1 -n 15 -p 4");
        let calls = witness.take();
        are_whole(&calls);
        assert_eq!(document.fates(["good", "failed"]), [15, 0]);
    });
}

#[test]
fn a_session_uploads_over_tls() {
    #[cfg(feature = "tls")]
    each_engine(|engine| {
        use super::attend;
        use crate::support::{Authority, Server, ok};
        let script =
            uploads("[session]\nrounds = 2\nsteps = [\"small\", \"voice\", \"film\", \"late\"]\n");
        let calls = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let (kept, config) = (calls.clone(), Authority::new().certify().served());
        let server = Server::secure(config, move |peer| {
            attend(peer, &kept, &|peer, _| peer.write(ok()));
        });
        let document =
            script.blast(engine, &server.https()).args("--insecure -c 2 -t 1").document();
        let calls: Vec<Call> = calls.lock().unwrap().clone();
        are_whole(&calls);
        assert_eq!(calls.len(), 16);
        assert_eq!(document.fates(["good", "failed"]), [16, 0]);
    });
}
