//! Any words are a plan, a text to print or one sentence; and whatever stands around a password and
//! a credential, the sentence does not repeat them.
//!
//! A line is a word.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use blast::cli::{self, Header, Parsed};
use blast::http::Payload;
use blast::plan::Plan;
use blast::{Error, Nanos};

use super::is_one_sentence;

const SECRET: &str = "s3cr3t";

pub fn check(data: &[u8]) {
    let words: Vec<_> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    match plan(&words, &[]) {
        Ok(Some(plan)) => is_whole(&plan),
        Ok(None) => {}
        Err(error) => is_one_sentence(&error),
    }
    if data.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()) {
        return;
    }
    let url = format!("http://user:{SECRET}@h/");
    let header = format!("Authorization: {SECRET}");
    let user = format!("user:{SECRET}");
    let field = format!("password={SECRET}");
    let command = format!("curl http://h/ -u '{user}' -H '{header}' -d '{field}'");
    for planted in [
        &[url.as_str()][..],
        &["-H", &header, "h"],
        &["--user", &user, "h"],
        &["--form", &field, "h"],
        &["--curl", &command],
    ] {
        match plan(&words, planted) {
            Ok(Some(plan)) => assert!(!plan.url.shown.contains(SECRET), "{}", plan.url.shown),
            Ok(None) => {}
            Err(error) => assert!(!error.message.contains(SECRET), "{error}"),
        }
    }
}

/// `None`: there is a text to print, or a verb to do.
fn plan(words: &[Vec<u8>], planted: &[&str]) -> Result<Option<Plan>, Error> {
    let planted = planted.iter().map(OsString::from);
    let words = words.iter().cloned().map(OsString::from_vec).chain(planted);
    let arguments: Vec<_> = std::iter::once("blast".into()).chain(words).collect();
    match cli::parse(&arguments)? {
        Parsed::Text(text) => {
            assert!(text.contains("blast"), "{text:?}");
            Ok(None)
        }
        Parsed::Cli(mut cli) if cli.verb.is_none() => {
            // No file of this machine is an input.
            let request = &mut cli.load.request;
            request.body = request.body.take().filter(|body| !body.starts_with('@'));
            request.json_body = request.json_body.take().filter(|body| !body.starts_with('@'));
            request.cookie.retain(|cookie| cookie.contains('='));
            request.form.retain(|part| !part.reads());
            request.headers.retain(|header| !matches!(header, Header::File(_)));
            // Whichever of its flags it may stand behind.
            request.curl = request.curl.take().filter(|command| !names_a_file(command));
            cli::plan(&cli.load).map(Some)
        }
        Parsed::Cli(_) => Ok(None),
    }
}

fn names_a_file(command: &str) -> bool {
    command.contains(['@', '<']) || (command.contains("-b") | command.contains("cookie"))
}

/// What the engine counts on.
fn is_whole(plan: &Plan) {
    assert!((1..=1_000_000).contains(&plan.connections) && plan.threads != Some(0));
    assert!((1..=1_024).contains(&plan.pipeline), "{}", plan.pipeline);
    assert!(plan.duration.is_some() || plan.requests.is_some(), "it would never end");
    let limits = [plan.timeout, plan.connect_timeout, plan.deadline.unwrap_or(Nanos::MAX)];
    assert!(limits.iter().all(|limit| *limit > Nanos::ZERO), "{limits:?}");
    let counts = [plan.requests, plan.requests_per_connection, plan.max_in_flight];
    assert!(counts.iter().all(|count| *count != Some(0)), "{counts:?}");
    assert!(plan.keepalive || plan.pipeline == 1, "a connection that closes takes one request");
    let payload = Payload::new(&plan.request, 1);
    let bytes = payload.bytes();
    let head = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let head = &bytes[..head.expect("an end of the head")];
    let lines = head.split(|byte| *byte == b'\n').count();
    assert!(lines <= 3 + plan.request.headers.len(), "a value that is a line of its own");
}

pub const SEEDS: &[&[u8]] = &[
    b"-c\n10k\n-R\n50k\nhttp://host/",
    b"localhost:8080\n-d30s\n-t2\n-n1M",
    b"-X\npost\n-H\nA: b\n-H\nHost:\n-H\nX;\n-b\n{\"a\":1}\nh",
    b"--body\n--\nh\n--content-type\na/b",
    b"--stages\n30s:1k,1m:10k\nh\n--arrivals\npoisson\n--seed\n7",
    b"--steps\n1k..3k/1k@10s\nh\n--deadline\n1s\n--max-in-flight\n5",
    b"--connections-stages\n5m:100,2m:0\nh",
    b"-p16\n--requests-per-connection\n32\n--connect-rate\n1k\n--bind\n10.0.0.1,::1\nh",
    b"--no-keepalive\n-T250ms\n--connect-timeout=1s\n--warmup\nauto\n--drain\n0\nh",
    b"--threshold\np99<10ms\n--abort-on\nerrors>50%\nh\n--json\n-L\n--quiet",
    b"--prometheus\n[::1]:0\n--otlp\nhttp://h:4318/a?b\nh",
    b"-o\na.json\n--engine\ntokio-uring\n--wait\nspin\n--pin\n0,2-3\nh",
    b"--unix-socket\n/run/a.sock\nh",
    b"--resolve\nh:80:127.0.0.1,::1\n--connect-to\n::[::1]:81\n-4\n--dns-refresh\n5\nh",
    b"--curl\ncurl 'http://h/a?b' -H 'A: b' -d c --data-raw $'\\u0021\\x41' -sSXPUT",
    b"--curl\ncurl -G -d a=1 --data-urlencode 'b= c' --json 1 -F a=1 http://h/#x\n-H\nB: c",
    b"--curl\ncurl http://h/ -u a:b -k -L \"x",
    b"--form\na=1;type=a/b\n--form\nb=\"c;d\"\n--user\na:b\n--compressed\nh",
    b"--json-body\n{}\n--cookie\na=b\n--expect-status\n200,3xx\n--expect-size\n1k..\nh",
    b"--expect-body\n/a(b|c)+$/\nh\n--threshold\nrejections.unexpected_body<1%",
    b"h/{{int 1 9}}?a={{hex 4}}\n-H\nA: {{seq}}\n-b\n{\"v\": {{float 0 1 2}}}\n--seed\n7",
    b"completions\n--",
    b"demo\n-c5",
    b"target\n--port\n0\n--delay\nexp:5ms\n--chunked=16",
    b"completions\nfish",
    b"-d",
    b"-c",
    b"h\n--bind",
    b"-R\n5\n--stages",
    b"--threshold",
    b"h\n-X",
    b"h\n-H",
    b"--help",
    b"-d\n{\"password\":1}\n-q\n5\nh",
];

pub const WORDS: &[&str] = &[
    "\n",
    "\n-",
    "\n--",
    "--\n",
    "=",
    ",",
    ":",
    "@",
    "-c\n",
    "-R\n",
    "-d\n",
    "-z",
    "-n\n",
    "-t\n",
    "-X\n",
    "-H\n",
    "-b\n",
    "-T\n",
    "-p\n",
    "-o\n",
    "-L",
    "-j",
    "-h",
    "-V",
    "-q",
    "-u",
    "-r",
    "-m",
    "--users",
    "--vus",
    "--rps\n",
    "--stages\n",
    "--steps\n",
    "--spawn-rate\n",
    "--arrivals\n",
    "--seed\n",
    "--drain\n",
    "--warmup\n",
    "--header=",
    "--method\n",
    "--data\n",
    "--curl\ncurl ",
    "--form\n",
    "--json-body\n",
    "--user\n",
    "--cookie\n",
    "--compressed",
    "--expect-status\n",
    "--expect-body\n",
    "--expect-size\n",
    "'",
    "\"",
    "\\",
    "$'",
    "/",
    ";",
    "..",
    "3xx",
    "--content-type\n",
    "--no-keepalive",
    "--bind\n",
    "--unix-socket\n",
    "--resolve\n",
    "--connect-to\n",
    "--dns-refresh\n",
    "-4\n",
    "-6\n",
    "h:80:::1",
    ":::",
    "--threshold\n",
    "--slo\n",
    "--abort-on\n",
    "--as-wrk",
    "--html\n",
    "--engine\n",
    "--wait\n",
    "--pin\n",
    "--headless",
    "--help",
    "--version",
    "help",
    "demo\n",
    "target\n",
    "completions\n",
    "run",
    "http://h/",
    "0",
    "1",
    "1k",
    "1M",
    "-5",
    "1.5",
    "18446744073709551616",
    "30s",
    "5124095h",
    "p99<1ms",
    "poisson",
    "off",
    "A: b",
    "A:",
    "A;",
    "\r",
    "\0",
    "\u{e9}",
    "\u{202e}",
    "@",
    "@-",
    "[::1]",
    " ",
];
