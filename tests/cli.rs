//! The binary as a shell sees it: errors, hints, exit codes, help, completions. Nothing here needs
//! a server.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::support::NO_CALIBRATION;

const URL: &str = "http://localhost:9/";

fn blast(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
    command.args(arguments).stdin(Stdio::null()).env_remove("BLAST_ENGINE").env_remove("COLUMNS");
    command.env("BLAST_CALIBRATION", NO_CALIBRATION);
    command.output().expect("blast starts")
}

fn stdout(arguments: &[&str]) -> String {
    let output = blast(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The sentence of a usage error, checked for its form.
fn complaint(arguments: &[&str]) -> String {
    let output = blast(arguments);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(text.matches('\n').count(), 1, "{arguments:?}: {text}");
    let sentence = text.strip_prefix("blast: ").unwrap_or_else(|| panic!("{arguments:?}: {text}"));
    assert!(!sentence.starts_with("error"), "{text}");
    sentence.trim_end().to_string()
}

#[test]
fn a_command_line_that_is_wrong_is_one_sentence_and_exit_2() {
    for (arguments, expected) in [
        (&[][..], "the URL is missing"),
        (&["-c", "5"], "the URL is missing"),
        (&[""], "the URL is empty"),
        (&[URL, URL], "one URL is taken"),
        (&["--tls-max", "1.1", "https://localhost/"], "no TLS older than 1.2"),
        (&["--cacert", "/dev/null", "https://localhost/"], "--cacert: it holds no certificate"),
        (&["--cert", "/nowhere", "https://localhost/"], "--cert: `/nowhere` cannot be read"),
        (&["--key", "/dev/null", "https://localhost/"], "--key needs the certificate"),
        (&["--ktls", "maybe", "https://localhost/"], "use `auto`, `on` or `off`"),
        (&["--ktls", "off", "http://localhost/"], "the URL is no https:// one"),
        (&["--ciphers", "RC4-MD5", "https://localhost/"], "is no cipher suite here"),
        (&["--sni", "a", "localhost"], "the URL is no https:// one"),
        (&["agent", URL], "`agent` is not there yet"),
        (&[URL, "-c", "0"], "--connections: `0` is too few"),
        (&[URL, "-R", "0"], "--rps: `0` is no rate"),
        (&[URL, "-d", "0"], "--duration: `0` is no time at all"),
        (&[URL, "-p", "0"], "--pipeline: `0` is too few"),
        (&[URL, "-n", "0"], "--requests: `0` is too few"),
        (&[URL, "-T", "0"], "--timeout: `0` is no time at all"),
        (&[URL, "-c", "-5"], "`-5` is negative"),
        (&[URL, "-d", "-5s"], "`-5` is negative"),
        (&[URL, "-R", "-.5"], "`-.` is negative"),
        (&[URL, "-c", "many"], "--connections: `many` is no count"),
        (&[URL, "-R", "99999999999999999999"], "--rps: `99999999999999999999` is too large"),
        (&[URL, "-c"], "`--connections` needs a value"),
        (&["-c", URL], "`--connections` needs a value"),
        (&[URL, "--quiet=5"], "`--quiet` takes no value"),
        (
            &[URL, "--engine", "epol"],
            "--engine: `epol` is not one of `ring`, `tokio-uring`, `epoll`",
        ),
        (&[URL, "--wait", "spn"], "did you mean `spin`?"),
        (&[URL, "--conections", "5"], "did you mean `--connections`?"),
        (&[URL, "--xyzzy"], "`blast --help` lists them"),
        (&[URL, "-b", "@/no/such/file"], "`/no/such/file` cannot be read"),
        (&[URL, "-o", "a.pdf"], "must end in `.json`"),
        (&[URL, "--html", "a.txt"], "must end in `.json`"),
        (&["demo", "-n", "5"], "`-n` is no flag"),
        (&[URL, "--form", "a"], "--form: a field has no name"),
        (&[URL, "--user", "me"], "--user: the credentials have no password"),
        (&[URL, "-H", "@/no/such/file"], "--header: `/no/such/file` cannot be read"),
        (&[URL, "-b", "x", "--form", "a=1"], "are three bodies"),
        (&[URL, "--expect-status", "2000"], "--expect-status: `2000` is no status"),
        (&[URL, "--expect-size", "2k..1k"], "--expect-size: `2k..1k` holds no size"),
        (&[URL, "--expect-body", "/(/"], "--expect-body: what stands between the slashes"),
        (&["--curl", "curl -x p http://h/"], "--curl: `--proxy`: blast goes to the server itself"),
        (&["-H", "Transfer-Encoding: chunked", "-b", "a", URL], "a body is sent with its length"),
        (&["--cookie", "s3cret", URL], "--cookie: what was given has no `=`"),
        (&["--expect-size", "1", "-X", "HEAD", URL], "an answer to HEAD has no body"),
        (&["--curl", "curl -k https://h/", "--tls-min", "1.4"], "is no version of TLS"),
        (&["--curl", "curl -d a"], "--curl: the command has no URL"),
        (&["completions"], "`SHELL` is missing"),
        (&["completions", "tcsh"], "`tcsh` is not one of `bash`, `zsh`, `fish`"),
    ] {
        let sentence = complaint(arguments);
        assert!(sentence.contains(expected), "{arguments:?}: {sentence}");
    }
}

#[test]
fn letters_that_mean_other_things_elsewhere_get_a_hint() {
    for (arguments, hints) in [
        (&["-q", "10"][..], &["`-q` means different things", "`--rps`", "`--quiet`"][..]),
        (&["-q10"], &["`--rps`"]),
        (&["-u", "10"], &["`--connections`"]),
        (&["-r", "10"], &["`--rps`", "`--spawn-rate`"]),
        (&["-m", "POST"], &["`--method`", "`--timeout`"]),
        (&["-d", "{\"a\":1}"], &["did you mean `--body`?"]),
        (&["-d", "10x"], &["`10x`", "did you mean `--body`?"]),
        (&["-t", "5s"], &["`5s`", "did you mean `--timeout`?"]),
    ] {
        let sentence = complaint(&[arguments, &[URL]].concat());
        for hint in hints {
            assert!(sentence.contains(hint), "{arguments:?}: {sentence}");
        }
    }
}

#[test]
fn no_error_repeats_a_secret() {
    for arguments in [
        &["http://user:s3cret@localhost:99999/"][..],
        &["http://user:s3/cret@localhost/"],
        &["https://user:s3cret@localhost:99999/"],
        &["ftp://user:s3cret@localhost/"],
        &["localhost:0/?api_key=s3cret"],
        &["-c", "http://user:s3cret@localhost/"],
        &["--pin", "user:s3cret@localhost"],
        &["--engine", "http://user:s3cret@localhost/"],
        &[URL, "-H", "Authorization Bearer s3cret"],
        &[URL, "-H", "Authorization:", "s3cret"],
        &[URL, "-H", "Authorization: s3cret\r\nX: y"],
        &[URL, "-d", "password=s3cret"],
        &[URL, "--password=s3cret"],
        &[URL, "-u", "user:s3cret"],
        &[URL, "http://user:s3cret@localhost/"],
        &[URL, "--user", "s3cret"],
        &[URL, "--user", "user@host s3cret"],
        &[URL, "--form", "s3cret"],
        &[URL, "--form", "s3cret@host"],
        &[URL, "--expect-body", "/s3cret@(/"],
        &["--curl", "curl 'http://h/' -u s3cret"],
        &["--curl", "curl https://user:s3cret@h:99999/"],
        &["--curl", "curl http://h/ -H 'Authorization s3cret'"],
        &["--curl", "curl http://h/ --cert=s3cret"],
        &["--curl", "curl http://h/ -d 's3cret"],
        &["--curl", "http://user:s3cret@h/"],
    ] {
        let sentence = complaint(arguments);
        assert!(
            !sentence.contains("s3") && !sentence.contains("cret"),
            "{arguments:?}: {sentence}"
        );
    }
}

#[test]
fn a_bad_engine_in_the_environment_is_said_to_be_there() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
    let output = command.arg(URL).env("BLAST_ENGINE", "nonsense").output().expect("blast starts");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.starts_with("blast: BLAST_ENGINE: `nonsense` is no engine"), "{text}");
}

#[test]
fn the_help_starts_with_three_examples_and_ends_with_the_exit_codes() {
    let help = stdout(&["--help"]);
    let examples = help.find("\nExamples:\n  blast ").expect("examples");
    let usage = help.find("\nUsage:").expect("usage");
    assert_eq!(help[examples..usage].matches("\n  blast ").count(), 3, "{help}");
    let (_, codes) = help.split_once("\nExit codes:\n").expect("exit codes");
    let codes = codes.lines().filter_map(|line| line.split_whitespace().next());
    assert_eq!(codes.collect::<Vec<_>>(), ["0", "1", "2", "3", "4", "130", "143"]);
    assert_eq!(stdout(&["help"]), help);
}

#[test]
fn the_help_has_every_flag_and_fits_a_screen_in_width() {
    const FLAGS: &str = "-c, --connections -R, --rps -d, --duration -n, --requests -t, --threads \
        -H, --header -X, --method -b, --body -T, --timeout --content-type --connect-timeout \
        -F, --form --json-body --user --cookie --compressed --curl --expect-status --expect-body --expect-size \
        -p, --pipeline --no-keepalive --requests-per-connection --connect-rate --warmup --drain \
        --threshold --abort-on --json -o, --output -L, --latency --quiet --engine --wait --pin --bind -h, --help \
        -V, --version";
    const HIDDEN: &str = "--concurrency --clients --workers --users --vus --rate --qps --run-time \
        --cpus --data --local-ips --headless --html --slo";
    let help = stdout(&["--help"]);
    let words: Vec<&str> = help.split_whitespace().collect();
    for flag in FLAGS.split_whitespace() {
        assert!(words.contains(&flag), "{flag} is missing");
    }
    for flag in HIDDEN.split_whitespace() {
        assert!(!words.contains(&flag), "{flag} is shown");
    }
    for line in help.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn the_short_help_is_shorter_and_names_the_long_one() {
    let (short, long) = (stdout(&["-h"]), stdout(&["--help"]));
    assert!(short.lines().count() + 12 < long.lines().count(), "{short}");
    assert!(short.contains("`blast --help`") && short.contains("--connections"), "{short}");
    assert!(!short.contains("--requests-per-connection"), "{short}");
    assert!(short.contains("--threshold") && !short.contains("--abort-on"), "{short}");
}

#[test]
fn each_verb_has_help_and_the_program_a_version() {
    for verb in ["run", "target", "demo", "doctor", "import", "report", "completions", "man"] {
        assert!(stdout(&[verb, "--help"]).contains(&format!("Usage: blast {verb}")), "{verb}");
    }
    assert_eq!(stdout(&["--version"]), concat!("blast ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn each_shell_gets_completions_of_flags_and_verbs() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&["completions", shell]);
        for word in ["blast", "connections", "tokio-uring", "demo"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    for arguments in [&["--help"][..], &["completions", "zsh"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
        command.args(arguments).stdout(writer).stderr(Stdio::piped());
        drop(reader);
        let output = command.spawn().and_then(|child| child.wait_with_output()).expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn a_full_disk_is_one_sentence_and_exit_1() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
    let output = command.arg("--help").stdout(full).output().expect("blast starts");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.starts_with("blast: stdout cannot be written (No space left"), "{text}");
}

#[test]
fn a_body_may_come_from_stdin() {
    // The file name is refused after the body was read: a child that did not read all of it
    // would break the pipe.
    let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
    command.args([URL, "-b", "@-", "-o", "a.csv"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("blast starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(&vec![b'x'; 1 << 20]).expect("the body is read to its end");
    drop(stdin);
    assert_eq!(child.wait().expect("it ends").code(), Some(2));
}
