//! Large bodies: read to the byte, whatever the way they are taken from the kernel.

use std::sync::Arc;

use crate::support::{Blast, Server, chunked, counted, each_engine};

/// Each connection is answered with these, round and round.
fn cycling(answers: Vec<Vec<u8>>) -> Server {
    let answers = Arc::new(answers);
    Server::start(move |peer| {
        for answer in answers.iter().cycle() {
            if peer.request().is_none() {
                return;
            }
            peer.write(answer);
        }
    })
}

#[test]
fn bodies_of_every_size_are_read_to_the_byte_in_any_order() {
    let small = [0, 1, 4_000, 4_096, 5_000, 16_384, 24_576];
    let large = [32_768, 40_000, 65_536, 131_072, 262_144, 300_001, 1_048_576, 3_000_000];
    let mut mixed: Vec<usize> = small.iter().zip(&large).flat_map(|(s, l)| [*s, *l, *l]).collect();
    mixed.extend(small.iter().chain(&large));
    each_engine(|engine| {
        for (name, answers) in [
            ("counted", mixed.iter().map(|size| counted(*size)).collect::<Vec<_>>()),
            (
                "chunked",
                vec![chunked(&[10, 200_000, 1, 30_000]), chunked(&[5]), chunked(&mixed[1..9])],
            ),
            ("both", vec![chunked(&[70_000; 5]), counted(70_000), counted(7), chunked(&[1; 900])]),
        ] {
            let bytes = |turn: usize| answers[turn % answers.len()].len() as u64;
            let rounds = answers.len() * 2;
            let expected: u64 = (0..rounds).map(bytes).sum();
            let server = cycling(answers.clone());
            let flags = format!("-c 1 -n {rounds}");
            let document = Blast::calm(engine, &server.url()).args(&flags).document();
            let sent = rounds as u64;
            assert_eq!(document.fates(["sent", "good"]), [sent; 2], "{name}");
            assert_eq!(document.count("bytes.received"), expected, "{name}");
            assert_eq!(document.count("connections.reopened"), 0, "{name}");
            assert_eq!(document.count("unsolicited_bytes"), 0, "{name}");
        }
    });
}

#[test]
fn pipelined_large_answers_are_told_apart() {
    each_engine(|engine| {
        let server = cycling(vec![counted(100_000), counted(3), counted(400_000)]);
        let flags = "-c 3 -n 90 -p 4";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["sent", "good"]), [90, 90]);
    });
}

#[test]
fn a_large_body_that_ends_with_its_connection_is_read_to_the_end() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            if peer.request().is_some() {
                peer.write("HTTP/1.1 200 OK\r\n\r\n");
                peer.write(vec![b'x'; 2_000_000]);
            }
        });
        let document = Blast::calm(engine, &server.url()).args("-c 2 -n 20").document();
        assert_eq!(document.fates(["sent", "good"]), [20, 20]);
        assert_eq!(document.count("bytes.received"), 20 * 2_000_019);
    });
}

#[test]
fn a_large_body_that_is_cut_short_is_truncated_and_one_too_long_is_unsolicited() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            while let Some(heard) = peer.request() {
                let whole = counted(1_000_000);
                match heard.turn {
                    // The way of receiving has changed by then.
                    0..3 => peer.write(&whole),
                    _ if peer.number == 0 => return peer.write(&whole[..700_000]),
                    _ => peer.write([&whole[..], b"HTTP/1.1"].concat()),
                }
            }
        });
        let document = Blast::calm(engine, &server.url()).args("-c 1 -n 8").document();
        assert_eq!(document.fates(["sent", "good", "failed"]), [8, 7, 1]);
        assert_eq!(document.count("failures.truncated"), 1);
        assert_eq!(document.count("unsolicited_bytes"), 8);
        assert_eq!(document.count("connections.opened"), 2);
    });
}

#[test]
fn what_comes_behind_a_large_body_is_never_the_next_answer() {
    each_engine(|engine| {
        for size in [10, 5_000, 20_000, 30_000, 300_000] {
            let surplus = b"HTTP/1.1 404 Smuggled\r\nContent-Length: 0\r\n\r\n";
            let server = Server::answering([&counted(size)[..], surplus].concat());
            let document = Blast::calm(engine, &server.url()).args("-c 2 -n 60").document();
            assert_eq!(document.fates(["sent", "good"]), [60, 60], "{size}");
            assert_eq!(document.count("connections.opened"), 60, "{size}");
            // The rest of the surplus may come after the close.
            assert!(document.count("unsolicited_bytes") >= 60, "{size}");
        }
    });
}

#[test]
fn a_reset_in_a_large_body_is_a_receive_reset() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            while let Some(heard) = peer.request() {
                let whole = counted(1_000_000);
                if heard.turn == 2 {
                    peer.write(&whole[..300_000]);
                    // What was written is read first: the reset would overtake it.
                    std::thread::sleep(std::time::Duration::from_millis(50));
                    return peer.reset();
                }
                peer.write(&whole);
            }
        });
        let document = Blast::calm(engine, &server.url()).args("-c 1 -n 6").document();
        assert_eq!(document.fates(["sent", "good", "failed"]), [6, 4, 2]);
        assert_eq!(document.count("failures.receive_reset"), 2);
    });
}

#[test]
fn the_timeout_of_a_large_body_that_dribbles_counts_from_sending() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            while let Some(heard) = peer.request() {
                let whole = counted(400_000);
                if heard.turn < 2 {
                    peer.write(&whole);
                    continue;
                }
                for piece in whole.chunks(1_000) {
                    peer.write(piece);
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
            }
        });
        let document = Blast::calm(engine, &server.url()).args("-c 1 -n 3 -T 500ms").document();
        assert_eq!(document.fates(["sent", "good", "failed"]), [3, 2, 1]);
        assert_eq!(document.count("failures.timeout"), 1);
        assert!(document.number("duration_s") < 1.5, "{}", document.number("duration_s"));
    });
}

/// A file of this many bytes in a folder of the test's own.
fn file_of(name: &str, size: usize) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("bodies");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, vec![b'b'; size]).unwrap();
    path
}

#[test]
fn a_large_body_is_sent_from_its_file_on_every_connection() {
    each_engine(|engine| {
        let size = 6_000_000;
        let path = file_of(&format!("whole-{engine}"), size);
        let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        for (flags, requests) in [("-c 3 -n 12 -t 2", 12), ("-c 2 -n 12 -p 3", 12)] {
            let body = format!("@{}", path.display());
            let blast = Blast::calm(engine, &server.url()).arg("-b").arg(&body).args(flags);
            let document = blast.document();
            assert_eq!(document.fates(["sent", "good"]), [requests; 2], "{flags}");
            assert_eq!(document.count("plan.body_bytes"), size as u64);
        }
        let log = server.log();
        assert_eq!(log.len(), 24);
        // The server has read each body to its end, or it would not have found the next head.
        assert!(log.iter().all(|heard| heard.body == size));
    });
}

#[test]
fn an_early_answer_to_a_large_body_ends_the_sending() {
    each_engine(|engine| {
        let path = file_of(&format!("early-{engine}"), 50_000_000);
        let server = Server::start(|peer| {
            if peer.head().is_some() {
                peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
                peer.fin();
                peer.wait_without_reading();
            }
        });
        let body = format!("@{}", path.display());
        let blast = Blast::calm(engine, &server.url()).arg("-b").arg(&body).args("-c 2 -n 10");
        let document = blast.document();
        assert_eq!(document.fates(["sent", "completed", "rejected"]), [10; 3]);
        assert_eq!(document.count("statuses.413"), 10);
    });
}

#[test]
fn a_file_that_is_cut_while_it_is_sent_fails_the_request_and_not_blast() {
    each_engine(|engine| {
        let path = file_of(&format!("cut-{engine}"), 40_000_000);
        let cut = path.clone();
        let server = Server::start(move |peer| {
            while peer.head().is_some() {
                std::fs::OpenOptions::new().write(true).open(&cut).unwrap().set_len(10).unwrap();
                peer.wait_for_end();
            }
        });
        let body = format!("@{}", path.display());
        let blast = Blast::calm(engine, &server.url()).arg("-b").arg(&body).args("-c 1 -n 2");
        let document = blast.document();
        assert_eq!(document.fates(["sent", "failed"]), [2, 2]);
        assert_eq!(document.count("failures.send_failed"), 2);
    });
}
