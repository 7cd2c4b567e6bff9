//! Report files on a host that is against them: whatever happens, a file is whole or as it was,
//! nothing is left beside it, and the figures are not lost.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Blast, Document, Folder, LIMIT, Run, Server, each_engine, ok, skipped};

const LOAD: &str = "-R 100 -d 200ms -c 2 --wait block --pin off";

/// Exit 1 with one sentence, the page, and after it the document.
fn offered(run: &Run) -> Document {
    assert_eq!(run.code(), Some(1), "{run:?}");
    assert_eq!(run.stderr.matches('\n').count(), 1, "{run:?}");
    assert!(run.stderr.contains("could not write the report to"), "{run:?}");
    assert!(run.stderr.contains("the JSON follows the page on stdout"), "{run:?}");
    let (page, json) = run.stdout.split_once("\n{\n").unwrap_or_else(|| panic!("{run:?}"));
    assert!(page.contains("Requests/sec:") && page.contains("Transfer/sec:"), "{run:?}");
    Document::parse(&format!("{{\n{json}")).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[test]
fn a_file_that_may_not_grow_leaves_the_older_one_and_the_document_goes_to_stdout() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let file = folder.path().join("result.json");
        fs::write(&file, "older").unwrap();
        // 8 blocks of 512 bytes or, to some shells, of 1,024.
        let script = "ulimit -f 8; exec \"$0\" \"$@\"";
        let blast = Blast::by_shell(script, engine, &server.url()).args(LOAD).args("-o");
        let run = blast.arg(file.to_str().unwrap()).run();
        assert_eq!(offered(&run).fates(["good"]), [20]);
        assert!(run.stderr.contains("File too large"), "{run:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "older");
        assert_eq!(folder.names(), ["result.json"]);
    });
}

#[test]
fn a_small_disk_that_fills_up_keeps_the_older_file_and_the_document_goes_to_stdout() {
    // A disk of this process alone; what else is on it afterwards is told on stderr.
    const ON_SMALL_DISK: &str = r#"exec unshare -rm sh -c '
        mount -t tmpfs -o size=8k none "$DISK" && echo older >"$DISK/result.json" || exit 77
        "$0" "$@"
        code=$?
        grep -qx older "$DISK/result.json" || exit 78
        ls -A "$DISK" | grep -vx result.json >&2
        exit $code' "$0" "$@""#;
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let disk = folder.path().to_str().unwrap();
        let script = format!("export DISK={disk}; {ON_SMALL_DISK}");
        let blast = Blast::by_shell(&script, engine, &server.url()).args(LOAD).args("-o");
        let run = blast.arg(&format!("{disk}/result.json")).run();
        if run.stdout.is_empty() && matches!(run.code(), Some(1 | 77 | 127)) {
            return skipped("no disk of one's own may be mounted here", &run.stderr);
        }
        assert_eq!(offered(&run).fates(["good"]), [20]);
        assert!(run.stderr.contains("No space left"), "{run:?}");
    });
}

#[test]
fn a_full_disk_is_found_before_anything_is_sent() {
    each_engine(|engine| {
        for name in ["result.json", "result.hgrm", "result.hlog"] {
            let (server, folder) = (Server::answering(ok()), Folder::new());
            let file = folder.path().join(name);
            fs::write(&file, "older").unwrap();
            let script = "ulimit -f 0; exec \"$0\" \"$@\"";
            let blast = Blast::by_shell(script, engine, &server.url()).args(LOAD).args("-o");
            let run = blast.arg(file.to_str().unwrap()).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            assert!(run.complaint().contains("cannot be written (File too large)"), "{run:?}");
            assert_eq!(server.connections(), 0);
            assert_eq!(fs::read_to_string(&file).unwrap(), "older");
            assert_eq!(folder.names(), [name]);
        }
    });
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn permissions_are_respected_before_anything_is_sent() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let locked = folder.path().join("locked");
        fs::create_dir(&locked).unwrap();
        let [inside, protected] =
            [locked.join("result.json"), folder.path().join("protected.json")];
        fs::write(&protected, "older").unwrap();
        set_mode(&locked, 0o555);
        set_mode(&protected, 0o444);
        for file in [&inside, &protected] {
            let blast = Blast::new(engine, &server.url()).args(LOAD).bound_by_permissions();
            let run = blast.arg("-o").arg(file.to_str().unwrap()).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            assert!(run.complaint().contains("Permission denied"), "{run:?}");
        }
        assert_eq!(server.connections(), 0);
        assert_eq!(fs::read_to_string(&protected).unwrap(), "older");
        assert_eq!(fs::read_dir(&locked).unwrap().count(), 0);
        assert_eq!(folder.names().len(), 2);
    });
}

#[test]
fn a_closed_stdout_is_a_quiet_end_and_the_file_is_written() {
    each_engine(|engine| {
        for (closed, flags) in [(">&-", ""), (">&-", "--json"), (">&- 2>&-", ""), ("<&-", "")] {
            let (server, folder) = (Server::answering(ok()), Folder::new());
            let file = folder.path().join("result.json");
            let script = format!("exec \"$0\" \"$@\" {closed}");
            let blast = Blast::by_shell(&script, engine, &server.url()).args(LOAD).args(flags);
            let run = blast.arg("-o").arg(file.to_str().unwrap()).run();
            assert_eq!((run.code(), run.stderr.as_str()), (Some(0), ""), "{run:?}");
            let document = Document::parse(&fs::read_to_string(&file).unwrap()).unwrap();
            assert_eq!(document.fates(["good"]), [20]);
            assert_eq!(folder.names(), ["result.json"]);
        }
    });
}

#[test]
fn the_same_file_asked_for_twice_is_written_whole() {
    each_engine(|engine| {
        for name in ["result.json", "result.hgrm", "result.hlog"] {
            let (server, folder) = (Server::answering(ok()), Folder::new());
            let file = folder.path().join(name);
            let indirect = folder.path().join(".").join(name);
            let mut blast = Blast::page(engine, &server.url()).args(LOAD);
            for path in [&file, &file, &indirect] {
                blast = blast.arg("-o").arg(path.to_str().unwrap());
            }
            let run = blast.run();
            assert_eq!((run.code(), run.stderr.as_str()), (Some(0), ""), "{run:?}");
            let text = fs::read_to_string(&file).unwrap();
            match name {
                "result.json" => assert_eq!(Document::parse(&text).unwrap().fates(["good"]), [20]),
                "result.hgrm" => assert_eq!(text.matches("#[Mean").count(), 1, "{text}"),
                _ => assert_eq!(text.matches("#[BaseTime").count(), 1, "{text}"),
            }
            assert_eq!(folder.names(), [name]);
        }
    });
}

#[test]
fn who_reads_the_file_finds_the_older_document_or_the_new_one_and_never_a_part() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let file = folder.path().join("result.json");
        let run = |load: &str| {
            let blast = Blast::page(engine, &server.url()).args(load).arg("-o");
            blast.arg(file.to_str().unwrap()).start()
        };
        run(LOAD).end();
        set_mode(&file, 0o640);
        let older = fs::read_to_string(&file).unwrap();
        let running = run("-R 100 -d 300ms -c 2 --wait block --pin off");
        let (start, mut reads) = (Instant::now(), 0);
        let new = loop {
            let text = fs::read_to_string(&file).unwrap();
            if text != older {
                break text;
            }
            reads += 1;
            assert!(start.elapsed() < LIMIT, "it was never replaced");
        };
        assert_eq!(Document::parse(&new).unwrap().fates(["good"]), [30]);
        assert!(reads > 10, "{reads}");
        assert_eq!(running.end().code(), Some(0));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(folder.names(), ["result.json"]);
    });
}

#[test]
fn interrupts_while_the_report_is_written_do_not_cut_it() {
    each_engine(|engine| {
        for signals in [&[libc::SIGINT][..], &[libc::SIGTERM; 3]] {
            let (server, folder) = (Server::answering(ok()), Folder::new());
            let file = folder.path().join("result.json");
            let (mut reader, writer) = std::io::pipe().unwrap();
            // SAFETY: asks for the size of a pipe that is open.
            unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, 4096) };
            let blast = Blast::new(engine, &server.url()).args(LOAD).stdout(writer).arg("-o");
            let running = blast.arg(file.to_str().unwrap()).start();
            // From the first byte on it writes, and it cannot end before it is read.
            let mut text = vec![0];
            reader.read_exact(&mut text).unwrap();
            for signal in signals {
                running.signal(*signal);
                thread::sleep(Duration::from_millis(5));
            }
            reader.read_to_end(&mut text).unwrap();
            let run = running.end();
            // The run itself was over.
            assert_eq!((run.code(), run.stderr.as_str()), (Some(0), ""), "{run:?}");
            let text = String::from_utf8(text).unwrap();
            assert!(text.len() > 8192, "it fits the pipe");
            assert!(Document::parse(&text).unwrap().is_complete());
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
    });
}

#[test]
fn a_pipe_that_nobody_reads_is_a_sentence_and_not_a_wait_without_end() {
    each_engine(|engine| {
        let folder = Folder::new();
        let server = Server::answering(ok());
        for name in ["pipe.json", "pipe.hlog"] {
            let path = folder.path().join(name);
            let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
            assert!(made.success());
            let blast = Blast::page(engine, &server.url()).args("-n 5 -c 1 --pin off -o");
            let run = blast.arg(path.to_str().unwrap()).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            assert!(run.stderr.contains(name), "{run:?}");
        }
    });
}
