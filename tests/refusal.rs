//! Where io_uring is refused: a filter like those of container runtimes, in a child of the test.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use blast::target::{Options, Target};

use crate::support::NO_CALIBRATION;

/// `io_uring_setup`, the same number on every architecture (asm-generic/unistd.h).
const IO_URING_SETUP: u32 = 425;

/// Runs blast under a seccomp filter that answers io_uring_setup with `errno`.
fn without_io_uring(errno: i32, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
    command.args(arguments).env("BLAST_CALIBRATION", NO_CALIBRATION);
    // SAFETY: the closure calls nothing but prctl, on memory of its own, before the exec.
    unsafe { command.pre_exec(move || refuse(errno)) };
    command.output().unwrap()
}

fn refuse(errno: i32) -> io::Result<()> {
    let instruction = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    // Load the system call's number (offset 0 of seccomp_data); if it is that one, the errno.
    let filter = [
        instruction((libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, 0, 0, 0),
        instruction((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, 0, 1, IO_URING_SETUP),
        instruction((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, SECCOMP_RET_ERRNO | errno as u32),
        instruction((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the filter outlives the call, which copies it.
    let outcome = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            | libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

// From linux/seccomp.h.
const SECCOMP_RET_ERRNO: u32 = 0x0005_0000;
const SECCOMP_RET_ALLOW: u32 = 0x7fff_0000;

#[test]
fn where_io_uring_is_refused_one_sentence_names_the_likely_cause() {
    let target = Target::start(Options::default()).unwrap();
    let url = format!("http://{}/", target.address());
    for engine in ["ring", "tokio-uring"] {
        for (errno, cause) in [
            (libc::ENOSYS, "seccomp profile"),
            (libc::EPERM, "kernel.io_uring_disabled"),
            (libc::EINVAL, "this kernel is too old"),
        ] {
            let output = without_io_uring(errno, &["--engine", engine, "-d", "1s", &url]);
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(text.starts_with("blast: io_uring cannot be used"), "{text}");
            assert!(text.contains(cause) && text.lines().count() == 1, "{text}");
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn where_io_uring_is_refused_and_no_engine_was_chosen_the_epoll_engine_runs_and_says_so() {
    let target = Target::start(Options::default()).unwrap();
    let url = format!("http://{}/", target.address());
    for errno in [libc::ENOSYS, libc::EPERM, libc::EINVAL] {
        let flags = ["-c", "20", "-R", "500", "-d", "400ms", "--wait", "block", "--json", &url];
        let output = without_io_uring(errno, &flags);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{output:?}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["plan"]["engine"], "epoll");
        assert_eq!(document["requests"]["good"], 200);
        let warnings = document["warnings"].as_array().unwrap();
        let fallback = warnings.iter().find(|warning| warning["code"] == "engine_fallback");
        let text = fallback.expect("a warning")["text"].as_str().unwrap();
        assert!(text.contains("io_uring cannot be used"), "{text}");
    }
}

#[test]
fn the_doctor_says_who_refuses_io_uring() {
    let output = without_io_uring(libc::EPERM, &["doctor", "--json", "--engine", "ring"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = document["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == "io_uring").unwrap();
    assert_eq!(row["state"], "stop");
    let here = row["here"].as_str().unwrap();
    assert!(here.contains("Operation not permitted") && here.contains("a seccomp filter is on"));
    assert!(document["io_uring"].is_null());
    assert!(rows.iter().all(|row| row["id"] != "io_uring_features"));
    // Where nobody insists on the ring, the epoll engine would run.
    let output = without_io_uring(libc::EPERM, &["doctor", "-c", "1M"]);
    assert_eq!(output.status.code(), Some(1), "its connections need descriptors: {output:?}");
    let output = without_io_uring(libc::EPERM, &["doctor"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("the epoll engine will run"));
}
