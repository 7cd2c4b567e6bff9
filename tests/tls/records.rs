//! Records: however they are cut, split over segments, or heaped into one, what comes out is the
//! same; and so it is for large bodies either way.

use super::Site;
use crate::support::{Document, Peer, Server, Terms, answer, chunked, counted, each_engine, ok};

const VERSIONS: [&str; 2] = ["1.2", "1.3"];

fn run(site: &Site, engine: &str, server: &Server, flags: &str) -> Document {
    let before = server.requests();
    let document = site.blast(engine, &server.https()).args(flags).document();
    assert!(document.counts("failures").is_empty(), "{}", document.at("failure_examples"));
    assert!(document.counts("connections.failures").is_empty());
    assert_eq!(document.fates(["good"]), document.fates(["sent"]));
    document.agrees_with(server.requests() - before);
    document
}

#[test]
fn answers_of_every_size_are_read_to_the_byte() {
    let sizes = [0, 1, 100, 5_000, 16_384, 16_385, 65_536, 3_000_000, 7, 300_001];
    let mut answers: Vec<Vec<u8>> = sizes.into_iter().map(counted).collect();
    answers.push(chunked(&[10, 200_000, 1, 30_000]));
    answers.push(chunked(&[1; 900]));
    each_engine(|engine| {
        let site = Site::new();
        for (version, fragment) in
            [("1.2", None), ("1.3", None), ("1.2", Some(1_000)), ("1.3", Some(5_000))]
        {
            let answers = answers.clone();
            let expected: usize = answers.iter().map(Vec::len).sum();
            let rounds = answers.len();
            let config = site.config_on(&Terms { fragment, ..Terms::of(version) });
            let server = Server::secure(config, move |peer| {
                for answer in answers.iter().cycle() {
                    if peer.request().is_none() {
                        return;
                    }
                    peer.write(answer);
                }
            });
            let flags = format!("-c 1 -n {}", rounds * 2);
            let document = run(&site, engine, &server, &flags);
            assert_eq!(document.count("bytes.received"), 2 * expected as u64);
            assert_eq!(document.count("connections.reopened"), 0);
            assert_eq!(document.count("unsolicited_bytes"), 0);
        }
    });
}

#[test]
fn small_records_change_nothing() {
    each_engine(|engine| {
        let site = Site::new();
        for version in VERSIONS {
            // The smallest that rustls makes, the head of a record included. The handshake's
            // messages are in many records, too.
            let terms = Terms { fragment: Some(32), ..Terms::of(version) };
            let server = site.answering(&terms, counted(2_000));
            run(&site, engine, &server, "-c 2 -n 20");
            run(&site, engine, &server, "-c 2 -n 20 --no-keepalive");
        }
    });
}

#[test]
fn a_record_that_comes_byte_by_byte_is_read_like_any_other() {
    each_engine(|engine| {
        let site = Site::new();
        for version in VERSIONS {
            let config = site.config_on(&Terms::of(version));
            let server = Server::secure(config, |peer| {
                while peer.request().is_some() {
                    peer.dribble(counted(300));
                    peer.dribble("");
                }
            });
            run(&site, engine, &server, "-c 2 -n 20");
        }
    });
}

#[test]
fn a_handshake_that_comes_byte_by_byte_is_shaken_like_any_other() {
    each_engine(|engine| {
        let site = Site::new();
        for version in VERSIONS {
            let config = site.config_on(&Terms::of(version));
            let server = Server::start(move |peer| {
                if peer.secure_slowly(&config) {
                    peer.answer_all(ok().as_bytes());
                }
            });
            run(&site, engine, &server, "-c 2 -n 20 --requests-per-connection 5");
        }
    });
}

#[test]
fn many_records_in_a_segment_are_read_one_after_the_other() {
    each_engine(|engine| {
        let site = Site::new();
        for version in VERSIONS {
            let config = site.config_on(&Terms::of(version));
            let server = Server::secure(config, |peer| {
                let answer = counted(200);
                while peer.request().is_some() {
                    // Empty ones are legal (RFC 8446, 5.1).
                    peer.write_records(answer.chunks(3));
                }
            });
            run(&site, engine, &server, "-c 2 -n 20");
        }
    });
}

#[test]
fn pipelined_answers_are_told_apart_however_the_records_are_cut() {
    each_engine(|engine| {
        let site = Site::new();
        for (version, fragment) in [("1.2", None), ("1.3", Some(100))] {
            let config = site.config_on(&Terms { fragment, ..Terms::of(version) });
            let answers = [counted(10), counted(100_000), counted(0), chunked(&[5, 5])];
            let server = Server::secure(config, move |peer| {
                for answer in answers.iter().cycle() {
                    if peer.request().is_none() {
                        return;
                    }
                    peer.write(answer);
                }
            });
            run(&site, engine, &server, "-c 3 -n 120 -p 8");
        }
    });
}

#[test]
fn requests_of_a_connection_that_closes_are_never_written_to_the_next_one() {
    each_engine(|engine| {
        let site = Site::new();
        let server = site.serve(|peer| {
            for _ in 0..2 {
                if peer.request().is_none() {
                    return;
                }
                peer.write(counted(100));
            }
            if peer.request().is_some() {
                peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let blast = site.blast(engine, &server.https()).args("-c 4 -p 4 -n 600");
        let document = blast.document();
        assert_eq!(document.counts("connections.failures"), [].into());
        assert!(document.count("connections.reopened") > 20);
    });
}

#[test]
fn what_comes_behind_a_complete_answer_is_never_the_next_answer() {
    each_engine(|engine| {
        let site = Site::new();
        for pieces in [1, 2] {
            let server = site.serve(move |peer| {
                while peer.request().is_some() {
                    let (first, second) = (counted(10), answer("404 Smuggled", ""));
                    match pieces {
                        1 => peer.write([&first, second.as_bytes()].concat()),
                        _ => peer.write_records([&first[..], second.as_bytes()]),
                    }
                }
            });
            let document = run(&site, engine, &server, "-c 2 -n 20");
            assert_eq!(document.counts("statuses"), [("200", 20)].into());
            assert_eq!(
                document.count("unsolicited_bytes"),
                20 * answer("404 Smuggled", "").len() as u64
            );
        }
    });
}

#[test]
fn keys_may_change_at_any_time() {
    each_engine(|engine| {
        let site = Site::new();
        let config = site.config_on(&Terms::of("1.3"));
        let server = Server::secure(config, |peer| {
            while let Some(heard) = peer.request() {
                let answer = counted(20_000);
                if heard.turn % 4 == 1 {
                    peer.refresh_keys();
                }
                peer.write(&answer[..9_000]);
                if heard.turn % 4 == 2 {
                    peer.refresh_keys();
                }
                peer.write(&answer[9_000..]);
            }
        });
        let document = run(&site, engine, &server, "-c 2 -n 80");
        assert_eq!(document.count("connections.reopened"), 0);
        let document = run(&site, engine, &server, "-c 2 -n 80 -p 4");
        assert_eq!(document.count("connections.reopened"), 0);
    });
}

#[test]
fn large_requests_arrive_whole() {
    each_engine(|engine| {
        let site = Site::new();
        let size = 2_000_000;
        let body = site.folder.file("body", vec![b'b'; size]);
        for version in VERSIONS {
            let server = site.answering(&Terms::of(version), counted(5));
            for flags in ["-c 3 -n 6 -t 2", "-c 2 -n 6 -p 3"] {
                let flags = format!("{flags} -b @{}", body.display());
                run(&site, engine, &server, &flags);
            }
            // The server has read each to its end, or it would not have found the next head.
            assert!(server.log().iter().all(|heard| heard.body == size));
            assert_eq!(server.requests(), 12);
        }
    });
}

#[test]
fn an_early_answer_to_a_large_request_ends_the_sending() {
    each_engine(|engine| {
        let site = Site::new();
        let body = site.folder.file("body", vec![b'b'; 20_000_000]);
        let server = site.serve(|peer: &mut Peer| {
            if peer.head().is_some() {
                peer.write(answer("413 Too Large", ""));
                peer.fin();
                peer.wait_without_reading();
            }
        });
        let flags = format!("-c 2 -n 6 -T 10s -b @{}", body.display());
        let document = site.blast(engine, &server.https()).args(&flags).document();
        assert_eq!(document.counts("statuses"), [("413", 6)].into(), "{}", document.at("failures"));
        assert!(document.number("duration_s") < 5.0, "nothing waits for a timeout");
    });
}

#[test]
fn a_server_that_does_not_read_a_large_request_is_a_timeout() {
    each_engine(|engine| {
        let site = Site::new();
        let body = site.folder.file("body", vec![b'b'; 20_000_000]);
        let server = site.serve(|peer: &mut Peer| {
            peer.head();
            peer.wait_without_reading();
        });
        let flags = format!("-c 2 -n 2 -T 300ms -b @{}", body.display());
        let document = site.blast(engine, &server.https()).args(&flags).document();
        assert_eq!(document.counts("failures"), [("timeout", 2)].into());
    });
}
