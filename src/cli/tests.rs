//! From typed words to what they mean, in tables.

use super::low::{LoadArgs, Verb};
use super::*;
use crate::plan::route::Family;
use crate::plan::template::Context;
use crate::plan::{Engine, Law, Load, Pin, Plan, Rate, Wait, Warmup};
use crate::report::otlp::Endpoint;
use crate::time::Nanos;

const SECOND: Nanos = Nanos::from_secs(1);

fn typed(words: &[&str]) -> Result<Cli> {
    let words = std::iter::once("blast").chain(words.iter().copied()).map(OsString::from);
    match parse(&words.collect::<Vec<_>>())? {
        Parsed::Cli(cli) => Ok(*cli),
        Parsed::Text(text) => panic!("help was printed: {text}"),
    }
}

fn load(words: &str) -> LoadArgs {
    let words: Vec<&str> = words.split_whitespace().collect();
    typed(&words).unwrap_or_else(|error| panic!("{words:?}: {error}")).load
}

/// The plan of `blast WORDS http://h/`.
fn plan(words: &str) -> Plan {
    high::plan(&load(&format!("{words} http://h/"))).unwrap_or_else(|e| panic!("{words}: {e}"))
}

/// The plan of `blast ARGUMENTS http://h/`, where arguments may hold spaces.
fn plan_of(arguments: &[&str]) -> Result<Plan> {
    high::plan(&typed(&[arguments, &["http://h/"]].concat())?.load)
}

fn refusal(words: &str) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let meant = typed(&words).and_then(|cli| {
        Outputs::of(&cli.load)?;
        high::plan(&cli.load)
    });
    let error = meant.err().unwrap_or_else(|| panic!("{words:?} was accepted"));
    assert_eq!(error.exit, Exit::Usage, "{words:?}");
    error.message
}

fn headers(plan: &Plan) -> Vec<(&str, &str)> {
    let headers = plan.request.headers.iter().map(|(name, value)| (&**name, &**value));
    headers.filter(|(name, _)| *name != "User-Agent").collect()
}

#[test]
fn a_url_alone_has_every_default() {
    let plan = plan("");
    assert_eq!((plan.load, plan.connections, plan.threads), (Load::CLOSED, 64, None));
    assert_eq!((plan.duration, plan.requests), (Some(Nanos::from_secs(10)), None));
    assert_eq!((plan.warmup, plan.drain), (Warmup::NONE, Nanos::from_secs(10)));
    assert_eq!((plan.timeout, plan.connect_timeout), (Nanos::from_secs(10), Nanos::from_secs(5)));
    assert_eq!((plan.pipeline, plan.keepalive), (1, true));
    assert_eq!((plan.requests_per_connection, plan.connect_rate), (None, None));
    assert_eq!((plan.wait, plan.pin, plan.bind), (Wait::Hybrid, Pin::Auto, vec![]));
    assert_eq!((&*plan.request.method, &*plan.request.target), ("GET", "/"));
    assert!(plan.request.body.is_empty());
    assert_eq!(Outputs::of(&load("h")).unwrap(), Outputs::default());
}

#[test]
fn each_flag_and_each_hidden_name_means_the_same() {
    for (forms, same) in [
        (&["-c 10k", "-c10k", "--connections 10k", "--connections=10000"][..], "-c 10000"),
        (&["--concurrency 9", "--clients 9", "--workers 9", "--users 9", "--vus 9"], "-c 9"),
        (&["--rps 50k", "--rate 50k", "--qps 50k", "-R 50k/s", "-R 50000/1s"], "-R 50k"),
        (&["--duration 2m", "-z 2m", "--run-time 2m", "-d 120", "-d 1m60s"], "-d 2m"),
        (&["--threads 2", "--cpus 2"], "-t 2"),
        (&["--requests 1M", "-n 1_000_000"], "-n 1M"),
        (&["--header A:1", "-HA:1"], "-H A:1"),
        (&["--method PUT", "-X put"], "-X PUT"),
        (&["--body x", "--data x"], "-b x"),
        (&["--timeout 250ms"], "-T 250ms"),
        (&["--pipeline 8"], "-p 8"),
        (&["--bind 10.0.0.1 --bind ::1", "--local-ips 10.0.0.1,::1"], "--bind 10.0.0.1,::1"),
        (&["--slo p50<1s --threshold errors<5"], "--threshold p50<1s --threshold errors<5"),
        (&["-j"], "--json"),
        (&["--latency"], "-L"),
        (&["--output a.json", "--html a.json"], "-o a.json"),
        (&["-c 5 -c 7", "-c 5 --users 7"], "-c 7"),
    ] {
        for form in forms {
            assert_eq!(load(form), load(same), "{form}");
        }
        assert_ne!(load(same), load(""), "{same}");
    }
    assert!(load("--headless").headless);
}

#[test]
fn connections_follow_the_rate_unless_they_are_given() {
    for (words, connections) in [
        ("-R 1", 64),
        ("-R 640", 64),
        ("-R 641", 65),
        ("-R 50k", 5_000),
        ("-R 3M/m", 5_000),
        ("-R 1M", 10_000),
        ("-R 1G", 10_000),
        ("-R 50k -c 3", 3),
    ] {
        assert_eq!(plan(words).connections, connections, "{words}");
    }
}

#[test]
fn a_number_of_requests_alone_sets_no_time_limit() {
    for (words, duration, requests) in [
        ("-n 5", None, Some(5)),
        ("-n 5 -d 1", Some(SECOND), Some(5)),
        ("-d 1", Some(SECOND), None),
        ("-n 5 -R 1", None, Some(5)),
    ] {
        let plan = plan(words);
        assert_eq!((plan.duration, plan.requests), (duration, requests), "{words}");
    }
}

#[test]
fn the_rate_makes_an_open_loop() {
    let open = |count, period| Load::steady(Rate { count, period });
    assert_eq!(plan("-R 50k").load, open(50_000, SECOND));
    assert_eq!(plan("-R 50/1s").load, open(50, SECOND));
    assert_eq!(plan("-R 1000/m").load, open(1_000, Nanos::from_secs(60)));
    assert_eq!(plan("-R 0.5").load, open(1, Nanos::from_secs(2)));
}

#[test]
fn a_shape_has_levels_a_length_and_connections_for_its_highest_rate() {
    for (words, stages, seconds, connections) in [
        ("-R 100:5k -d 4", "100-5000", 4, 500),
        ("-R 100:5k", "100-5000", 10, 500),
        ("--stages 30s:1k,1m:10k,10s:0", "0-1000 1000-10000 10000-0", 100, 1_000),
        ("-R 2k --stages 30s:1k", "2000-1000", 30, 200),
        ("--stages 10s:60/m,10s:2", "0-60 60-120", 20, 64),
        ("--steps 1k..3k/1k@10s", "1000-1000 2000-2000 3000-3000", 30, 300),
        ("--connections-stages 5m:100,3m:100,2m:0", "0-100 100-100 100-0", 600, 100),
        ("-c 20 --connections-stages 1m:5", "20-5", 60, 20),
        ("-c 100 --spawn-rate 10 -d 30", "0-100 100-100", 30, 100),
        ("-c 100 --spawn-rate 10 -d 5", "0-100", 5, 100),
        ("-c 5 --spawn-rate 0.5 -d 1", "0-5", 1, 5),
        ("-c 100 --spawn-rate 10", "0-100", 10, 100),
    ] {
        let plan = plan(words);
        let levels = plan.load.stages().iter().map(|s| format!("{}-{}", s.from, s.to));
        assert_eq!(levels.collect::<Vec<_>>().join(" "), stages, "{words}");
        assert_eq!(plan.duration, Some(Nanos::from_secs(seconds)), "{words}");
        assert_eq!(plan.connections, connections, "{words}");
    }
}

#[test]
fn arrivals_have_a_law_and_those_at_random_a_seed() {
    let law = |words| plan(words).load.offered().map(|offered| offered.law());
    assert_eq!(law("-R 5"), Some(Law::Uniform));
    assert_eq!(law("-R 5 --arrivals uniform --seed 3"), Some(Law::Uniform));
    assert_eq!(law("-R 5 --arrivals poisson"), Some(Law::Poisson { seed: 1 }));
    assert_eq!(
        law("--steps 1..2/1@1s --arrivals poisson --seed 7"),
        Some(Law::Poisson { seed: 7 })
    );
    assert_eq!(law("--stages 1s:5 --arrivals burst:50"), Some(Law::Burst(50)));
    assert_eq!(law(""), None);
}

#[test]
fn what_is_behind_waits_unless_a_policy_drops_it() {
    let policies = |words| (plan(words).deadline, plan(words).max_in_flight);
    assert_eq!(policies("-R 5"), (None, None));
    assert_eq!(policies("-R 5 --deadline 1s --max-in-flight 9"), (Some(SECOND), Some(9)));
    assert_eq!(plan("-R 5 --max-in-flight 500").connections, 500);
    assert_eq!(plan("-R 5 -p 4 --max-in-flight 500").connections, 125);
}

#[test]
fn shapes_and_policies_that_make_no_sense_together_are_one_sentence() {
    for (words, expected) in [
        ("--stages 1s:1 --steps 1..2/1@1s", "two shapes"),
        ("--steps 1..2/1@1s -R 5", "drop `--rps`"),
        ("--stages 1s:1 -R 5:6", "give `--rps` that one"),
        ("--stages 1s:1 -d 5", "drop `--duration`"),
        ("--steps 1..2/1@1s -d 5", "drop `--duration`"),
        ("--connections-stages 1s:1 -d 5", "drop `--duration`"),
        ("--connections-stages 1s:1 --spawn-rate 5", "two shapes"),
        ("--connections-stages 1s:1 -R 5", "use `--stages`"),
        ("--spawn-rate 5 --steps 1..2/1@1s", "use `--stages`"),
        ("--spawn-rate 5 --warmup 1s", "drop `--warmup`"),
        ("--connections-stages 1s:1 --warmup auto", "drop `--warmup`"),
        ("--arrivals poisson", "add `--rps`"),
        ("--deadline 1s", "`--rps`"),
        ("--max-in-flight 5", "add `--rps`"),
        ("-R 5 -c 10 --max-in-flight 11", "raise `--connections` to 11"),
        ("-R 5 -c 10 -p 4 --max-in-flight 41", "raise `--connections` to 11"),
        ("-R 5:6 -n 10", "add `--duration`"),
        ("--stages 0s:5", "--stages: no stage has a length"),
        ("--stages 5s:0", "--stages: every level is 0"),
        ("--stages 900h:5", "--stages: the stages take over 30 days"),
        ("--steps 1..200/1@1s", "--steps: 101 stages are too many; make it 100 or fewer"),
        ("--stages 1s:1/7ns,1s:1/999999999999ns,1s:1/999999999998ns", "write them all per second"),
        ("--stages 1s:1k --threshold stage2.p99<1s", "this load has 1"),
        ("-R 5 --threshold stage1.p99<1s", "a steady load has none"),
        ("-R 5 --abort-on stage1.p99<1s", "cannot end a run"),
    ] {
        let arguments: Vec<&str> = words.split_whitespace().collect();
        let error = plan_of(&arguments).expect_err(words);
        assert_eq!(error.exit, Exit::Usage, "{words}");
        assert!(error.message.contains(expected), "{words}: {}", error.message);
        assert!(!error.message.contains('\n'), "{words}: {}", error.message);
    }
}

#[test]
fn the_other_flags_reach_the_plan() {
    assert_eq!(plan("-T 2s").timeout, Nanos::from_secs(2));
    assert_eq!(plan("-T 2s").drain, Nanos::from_secs(2));
    assert_eq!(plan("-T 2s --drain 0").drain, Nanos::ZERO);
    assert_eq!(plan("--connect-timeout 1s").connect_timeout, SECOND);
    assert_eq!(plan("--warmup 1").warmup, Warmup::For(SECOND));
    assert_eq!(plan("-p 16").pipeline, 16);
    assert_eq!(plan("-t 3").threads, Some(3));
    assert_eq!(plan("--requests-per-connection 9").requests_per_connection, Some(9));
    assert_eq!(plan("--connect-rate 1k").connect_rate, Some(Rate::per_second(1_000)));
    assert_eq!(plan("--engine ring").engine, Engine::Ring);
    assert_eq!(plan("--engine tokio-uring").engine, Engine::TokioUring);
    assert_eq!(plan("--wait hybrid").wait, Wait::Hybrid);
    assert_eq!(plan("--wait spin").wait, Wait::Spin);
    assert_eq!(plan("--wait block").wait, Wait::Block);
    assert_eq!(plan("--pin off").pin, Pin::Off);
    assert_eq!(plan("--pin 0,2-3").pin, Pin::List(vec![0, 2, 3]));
    assert_eq!(plan("--bind 10.0.0.1,::1").bind.len(), 2);
    let rules = plan("--threshold p50<1s --threshold errors<5 --abort-on errors>50%");
    assert_eq!((rules.thresholds.len(), rules.abort_on.len()), (2, 1));
}

#[test]
fn the_engine_is_the_flag_or_else_the_variable() {
    let engine = |flag, variable: &str| high::engine(flag, Some(variable.as_ref()));
    assert_eq!(high::engine(None, None), Ok(None));
    assert_eq!(engine(None, ""), Ok(None));
    assert_eq!(engine(None, "tokio-uring"), Ok(Some(Engine::TokioUring)));
    assert_eq!(engine(Some(Engine::Ring), "tokio-uring"), Ok(Some(Engine::Ring)));
    assert_eq!(engine(Some(Engine::Ring), "nonsense"), Ok(Some(Engine::Ring)));
    let message = engine(None, "nonsense").unwrap_err().message;
    assert!(message.starts_with("BLAST_ENGINE: `nonsense` is no engine"), "{message}");
}

#[test]
fn a_body_makes_a_post_of_curls_type_unless_something_else_is_typed() {
    for (arguments, method, content_type) in [
        (&["-b", "x"][..], "POST", Some("application/x-www-form-urlencoded")),
        (&["-b", ""], "POST", Some("application/x-www-form-urlencoded")),
        (&["-b", "x", "-X", "PUT"], "PUT", Some("application/x-www-form-urlencoded")),
        (&["-b", "x", "--content-type", "text/csv"], "POST", Some("text/csv")),
        (&["-b", "x", "-H", "content-type: a/b"], "POST", Some("a/b")),
        (&["-b", "x", "-H", "Content-Type:"], "POST", None),
        (&["--content-type", "a/b"], "GET", Some("a/b")),
        (&["-X", "DELETE"], "DELETE", None),
    ] {
        let plan = plan_of(arguments).unwrap();
        let found =
            headers(&plan).into_iter().find(|(n, _)| n.eq_ignore_ascii_case("content-type"));
        assert_eq!(plan.request.method, method, "{arguments:?}");
        assert_eq!(found.map(|(_, value)| value), content_type, "{arguments:?}");
    }
}

#[test]
fn a_body_is_sent_byte_for_byte() {
    let file = std::env::temp_dir().join(format!("blast-body-{}.bin", std::process::id()));
    let bytes = b"\0\xff\r\n@x \n";
    std::fs::write(&file, bytes).unwrap();
    let at_file = plan_of(&["-b", &format!("@{}", file.display())]).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(&*at_file.request.body, bytes);
    assert_eq!(&*plan_of(&["-b", "-d 5 "]).unwrap().request.body, b"-d 5 ");
}

#[test]
fn typed_headers_replace_remove_and_repeat() {
    for (typed, expected) in [
        (&[][..], &[("Host", "h")][..]),
        (&["host: other"], &[("host", "other")]),
        (&["Host:"], &[]),
        (&["A: 1", "a: 2", "B;"], &[("Host", "h"), ("A", "1"), ("a", "2"), ("B", "")]),
        (&["A: 1", "A:"], &[("Host", "h")]),
    ] {
        let arguments: Vec<&str> = typed.iter().flat_map(|header| ["-H", header]).collect();
        assert_eq!(headers(&plan_of(&arguments).unwrap()), expected, "{typed:?}");
    }
    let plan = plan_of(&["-H", "User-Agent: me"]).unwrap();
    assert!(plan.request.headers.contains(&("User-Agent".to_string(), "me".to_string())));
}

#[test]
fn what_is_expected_reaches_the_plan() {
    let default = plan("").expected;
    assert!(default.statuses.is_none() && default.size.is_none() && default.body.is_none());
    let arguments =
        ["--expect-status", "200,3xx", "--expect-size", "1k..", "--expect-body", "-a b"];
    let expected = plan_of(&arguments).unwrap().expected;
    assert!(expected.statuses.is_some_and(|statuses| statuses.has(301) && !statuses.has(201)));
    assert!(expected.size.is_some_and(|sizes| sizes.has(1_000) && !sizes.has(999)));
    assert_eq!(expected.body.unwrap().text, "-a b");
    let accepts = ["-H", "Accept-Encoding: identity", "--expect-body", "x"];
    assert!(plan_of(&accepts).is_ok());
    let removed = ["--compressed", "-H", "Accept-Encoding:", "--expect-body", "x"];
    assert!(plan_of(&removed).is_ok());
}

#[test]
fn credentials_cookies_and_encodings_have_flags_and_headers_win_over_them() {
    for (arguments, name, value) in [
        (&["--user", "me:p:w"][..], "Authorization", "Basic bWU6cDp3"),
        (&["--user", "me:p", "-H", "Authorization: x"], "Authorization", "x"),
        (&["--cookie", "a=b; c=d"], "Cookie", "a=b; c=d"),
        (&["--cookie", "a=b", "-H", "Cookie: x=y"], "Cookie", "x=y"),
        (&["--compressed"], "Accept-Encoding", "gzip, deflate, br"),
        (&["--json-body", "{}"], "Content-Type", "application/json"),
        (&["--json-body", "{}"], "Accept", "application/json"),
        (&["--json-body", "{}", "--content-type", "a/b"], "Content-Type", "a/b"),
    ] {
        let plan = plan_of(arguments).unwrap();
        let found = headers(&plan).into_iter().find(|(n, _)| *n == name);
        assert_eq!(found.map(|(_, value)| value), Some(value), "{arguments:?}");
    }
    assert_eq!(plan_of(&["-F", "a=1"]).unwrap().request.method, "POST");
}

#[test]
fn times_of_a_curl_command_count_unless_they_are_typed() {
    let words = ["--curl", "curl http://h/x -m 3 --connect-timeout 2"];
    let plan = high::plan(&typed(&words).unwrap().load).unwrap();
    let seconds = Nanos::from_secs;
    assert_eq!((plan.timeout, plan.connect_timeout), (seconds(3), seconds(2)));
    let plan = high::plan(&typed(&[&words[..], &["-T", "5", "h/y"]].concat()).unwrap().load);
    let plan = plan.unwrap();
    assert_eq!((plan.timeout, &*plan.request.target), (seconds(5), "/y"));
}

#[test]
fn a_connection_that_closes_is_not_kept_alive() {
    let plan = plan("--no-keepalive");
    assert!(!plan.keepalive);
    assert_eq!(headers(&plan), [("Host", "h"), ("Connection", "close")]);
    for (header, keepalive) in [
        ("Connection: close", false),
        ("connection: te, Close", false),
        ("Connection: keep-alive", true),
        ("X-Connection: close", true),
    ] {
        assert_eq!(plan_of(&["-H", header]).unwrap().keepalive, keepalive, "{header}");
    }
    assert!(!plan_of(&["--no-keepalive", "-H", "Connection:"]).unwrap().keepalive);
}

#[test]
fn the_credentials_of_the_url_are_sent_unless_a_header_is_typed() {
    let authorization = |words: &[&str]| {
        let plan = high::plan(&typed(words).unwrap().load).unwrap();
        let sent = headers(&plan).into_iter().find(|(name, _)| *name == "Authorization");
        sent.map(|(_, value)| value.to_string())
    };
    assert_eq!(authorization(&["http://u:p@h/"]), Some("Basic dTpw".to_string()));
    assert_eq!(authorization(&["u:p@h", "-H", "Authorization: x"]), Some("x".to_string()));
    assert_eq!(authorization(&["u:p@h", "-H", "Authorization:"]), None);
}

#[test]
fn outputs_are_what_was_typed() {
    let args = load(
        "--json -L -v --as-wrk --quiet --prometheus :9090 --otlp http://h:1 -o a.json -o /tmp/b.JSON -o /tmp/ --csv b/c h",
    );
    let expected = Outputs {
        json_stdout: true,
        files: vec!["a.json".into(), "/tmp/b.JSON".into()],
        tables: vec!["/tmp/results".into(), "b/c".into()],
        spectrum: true,
        verbose: true,
        as_wrk: true,
        quiet: true,
        prometheus: Some(([127, 0, 0, 1], 9090).into()),
        otlp: Some(Endpoint::parse("http://h:1/v1/metrics").unwrap()),
        ..Outputs::default()
    };
    assert_eq!(Outputs::of(&args), Ok(expected));
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_do() {
    for (words, expected) in [
        ("", "the URL is missing"),
        ("-c 5", "the URL is missing"),
        #[cfg(feature = "tui")]
        ("h --tui --quiet", "drop one of them"),
        ("h i", "one URL is taken and 2 words were given"),
        ("agent", "`agent` is not there yet"),
        ("-c 5 serve", "`serve` is not there yet"),
        ("-c 5 run", "`run` is a verb and stands first"),
        ("-c 5 demo", "`demo` is a verb and stands first"),
        ("h target", "`target` is a verb and stands first"),
        ("h --no-keepalive -p 2", "drop `--pipeline`"),
        ("h -H Connection:close -p 2", "drop `--pipeline`"),
        ("h --no-keepalive --requests-per-connection 2", "drop `--requests-per-connection`"),
        ("127.0.0.1 --bind ::1", "match the URL's address"),
        ("[::1] --bind ::1,127.0.0.1", "match the URL's address"),
        ("h --threshold efficiency>99%", "a closed loop has none"),
        ("h --abort-on send_lag.p99>1s", "--abort-on: `send_lag.p99>1s` needs"),
        ("h -R 5 --abort-on connect.p99>1s", "can be told only at the end"),
        ("h --threshold p99", "--threshold: `p99` compares nothing"),
        ("h --threshold rejections.unexpected_body<1", "add `--expect-body`"),
        ("h --threshold rejections.unexpected_size<1", "add `--expect-size`"),
        ("h --threshold rejections.unexpected_status<1", "add `--expect-status`"),
        (
            "h --expect-status 200 --abort-on rejections.status_5xx>1%",
            "write `rejections.unexpected_status`",
        ),
        ("h -I --expect-body x", "is no flag of blast"),
        ("h -X HEAD --expect-body x", "an answer to HEAD has no body"),
        ("h --compressed --expect-body x", "drop `--compressed`"),
        ("h --json-body 1 --form a=1", "are three bodies"),
        ("h --form a=1 --content-type b/c", "drop `--content-type`"),
        ("h --json-body @", "--json-body: `@` names no file"),
        ("h -H @", "--header: `@` names no file"),
        ("--threshold http://h/", "the URL stands in its place"),
        ("h -b @", "--body: `@` names no file"),
        ("h -b @/no/such/file", "cannot be read (No such file or directory)"),
        ("h -b @/", "cannot be read (Is a directory)"),
        (
            "h -o a.csv",
            "must end in `.json`, `.html`, `.svg`, `.hgrm`, `.hlog`, `.xml`, `.md`, `.ndjson`",
        ),
        ("h -o Cargo.toml/", "--output: `Cargo.toml/results` cannot be the prefix of files"),
        ("h --csv Cargo.toml/a", "--csv: `Cargo.toml/a` cannot be the prefix of files"),
        ("h --csv=", "`--csv` needs a value"),
        ("h -o json", "must end in `.json`"),
        ("h --html a.txt", "must end in `.json`"),
        ("h -o -", "use `--json`"),
        ("h -o /no/such/a.json", "a directory that exists"),
    ] {
        let message = refusal(words);
        assert!(message.contains(expected), "{words}: {message}");
    }
    assert!(plan_of(&["--no-keepalive", "--requests-per-connection", "1", "-p", "1"]).is_ok());
}

#[test]
fn a_url_where_none_is_taken_is_refused_without_its_password() {
    for words in ["demo http://user:s3cret@h/", "target user:s3cret@h"] {
        let message = refusal(words);
        assert!(message.contains("***@h"), "{words}: {message}");
        assert!(!message.contains("s3cret"), "{words}: {message}");
    }
}

#[test]
fn a_verbs_name_is_still_a_host_when_it_is_written_as_one() {
    for words in ["http://ceiling/", "run:8080", "demo/", "agent.example", "localhost"] {
        assert!(high::plan(&load(words)).is_ok(), "{words}");
    }
}

#[test]
fn the_demo_takes_only_its_own_flags() {
    let words = "demo -c 5 -R 1k -d 2 -t 1 --json -L --as-wrk --engine ring --threshold p99<1s \
                 --abort-on errors>5%";
    let words: Vec<&str> = words.split_whitespace().collect();
    let Some(Verb::Demo(args)) = typed(&words).unwrap().verb else {
        panic!("no demo");
    };
    assert_eq!((args.size.connections, args.engine.engine), (Some(5), Some(Engine::Ring)));
    assert!(args.page.json && args.page.latency && args.page.as_wrk);
    assert_eq!((args.rules.thresholds.len(), args.rules.abort_on.len()), (1, 1));
    for words in ["demo -n 5", "demo -H A:1", "demo http://h/", "demo --timeout 5"] {
        refusal(words);
    }
}

#[test]
fn what_a_run_asks_of_the_host_follows_from_its_flags() {
    let needs = |words: &str| doctor::needs(&plan(words));
    let fast = needs("-c 10k");
    assert_eq!((fast.connections, fast.in_flight), (10_000, 10_000));
    assert_eq!((fast.rate, fast.per_connection, fast.bound), (None, None, None));
    // Opened slowly, fewer of them wait to be accepted.
    assert_eq!((fast.at_once, needs("").at_once), (2_000, 64));
    assert_eq!(needs("-c 10k --connect-rate 500").at_once, 50);
    // Answers are taken to need no more than a second.
    assert_eq!(needs("-c 100k -R 20k").in_flight, 20_000);
    assert_eq!(needs("-c 10 -R 20k -p 4").in_flight, 40);
    assert_eq!(needs("-R 1k:50k").rate, Some(50_000.0));
    assert_eq!(needs("--no-keepalive").per_connection, Some(1));
    assert_eq!(needs("--requests-per-connection 7").per_connection, Some(7));
    assert_eq!(needs("--bind 127.0.0.1,127.0.1.0/30").bound, Some(Ok(3)));
    assert!(matches!(needs("--bind 203.0.113.0/28").bound, Some(Err(_))));
    assert_eq!(needs("-t 2").workers, 2);
}

#[test]
fn the_doctor_takes_the_flags_of_any_run() {
    let words = "-c 5 -H A:1 -b @- -n 9 --threshold p99<1s -o x.json --wait spin --quiet http://h/";
    let typed = typed(&[&["doctor"], &*words.split(' ').collect::<Vec<_>>()].concat());
    let Some(Verb::Doctor(args)) = typed.unwrap().verb else { panic!("another verb") };
    assert_eq!(*args, load(words));
}

#[test]
fn where_connections_go_is_said_as_to_curl() {
    let route = plan("--unix-socket /run/a.sock").route;
    assert_eq!(route.unix_socket.expect("a socket").as_str(), "/run/a.sock");
    let route = plan("--resolve h:80:127.0.0.1,::1 --resolve *:81:::1 --connect-to ::g:").route;
    let texts: Vec<&str> = route.resolve.iter().map(|rule| &*rule.text).collect();
    assert_eq!(texts, ["h:80:127.0.0.1,::1", "*:81:::1"]);
    assert_eq!(route.connect_to.len(), 1);
    for (words, family) in [
        ("", None),
        ("-4", Some(Family::V4)),
        ("--ipv6", Some(Family::V6)),
        ("-6 -4", Some(Family::V4)),
        ("-4 --ipv6", Some(Family::V6)),
    ] {
        assert_eq!(plan(words).route.family, family, "{words}");
    }
    assert_eq!(plan("--dns-refresh 30").route.dns_refresh, Some(Nanos::from_secs(30)));
    assert_eq!(plan("").route, crate::plan::Route::default());
}

#[test]
fn places_that_contradict_each_other_are_refused() {
    for (words, expected) in [
        ("--unix-socket /s http+unix://%2Fs/", "drop `--unix-socket`"),
        ("--unix-socket /s --bind 127.0.0.1 h", "drop `--bind`"),
        ("http+unix://%2Fs/ --resolve h:80:::1", "drop `--resolve`"),
        ("http+unix://%2Fs/ --connect-to ::g:", "drop `--connect-to`"),
        ("http+unix://%2Fs/ -4", "drop `-4`"),
        ("http+unix://%2Fs/ -6", "drop `-6`"),
        ("http+unix://%2Fs/ --dns-refresh 1", "drop `--dns-refresh`"),
        ("--unix-socket= h", "--unix-socket: the Unix socket has no name"),
        ("--resolve http://u:p@h/", "the URL stands in its place"),
        ("--unix-socket @ h", "--unix-socket: the Unix socket has no name"),
        ("--resolve h h", "--resolve: `h` has not three parts"),
        ("--connect-to h h", "--connect-to: `h` has not four parts"),
        ("--dns-refresh 10ms h", "--dns-refresh: `10ms` is too often"),
        ("--dns-refresh 0 h", "--dns-refresh: `0` is no time at all"),
        ("--bind 127.0.0.1 [::1%lo]", "IPv4 reaches only IPv4"),
        ("--bind 127.0.0.1 --connect-to ::[::1]: 127.0.0.1", "IPv4 reaches only IPv4"),
    ] {
        let message = refusal(words);
        assert!(message.contains(expected), "{words}: {message}");
    }
    // The other way round it fits.
    plan("--bind ::1 --connect-to ::[::1]:");
}

/// What the first request of a command's run would be, under seed 1.
fn first_sent(arguments: &[&str]) -> String {
    let plan = high::plan(&typed(arguments).unwrap().load).unwrap();
    let scenario = plan.scenario.unwrap_or_else(|| panic!("{arguments:?} varies nowhere"));
    assert_eq!((scenario.model.name(), scenario.requests.len()), ("mix", 1));
    let mut dice = crate::dice::Dice::of(scenario.seed, 0, 0);
    let dice = &mut dice;
    let mut context =
        Context { dice, number: 1, id: 1, user: 0, captures: &[], rows: &[], jar: None };
    let (mut body, mut into) = (Vec::new(), Vec::new());
    let message = &scenario.requests[0].message;
    message.write(&mut context, &mut body, &mut into);
    let agent = concat!("User-Agent: blast/", env!("CARGO_PKG_VERSION"), "\r\n");
    String::from_utf8([&into[..], message.tail()].concat()).unwrap().replace(agent, "")
}

#[test]
fn what_is_typed_may_hold_placeholders() {
    assert_eq!(
        first_sent(&["http://h/items/{{int 7 7}}", "-b", "{\"v\": {{float 1 1 2}}}"]),
        "POST /items/7 HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{\"v\": 1.00}"
    );
    assert_eq!(
        first_sent(&["h", "-H", "X-Id: {{seq}}", "-H", "Host: a{{seq}}"]),
        "GET / HTTP/1.1\r\nHost: a1\r\nX-Id: 1\r\n\r\n"
    );
    let json = first_sent(&["h", "--json-body", "{\"s\":\"{{choice \"\\\"\"}}\"}"]);
    assert!(json.ends_with("\r\nAccept: application/json\r\n\r\n{\"s\":\"\\\"\"}"), "{json}");
    let form = first_sent(&["h", "-F", "a=n{{seq}}", "-F", "b=\"{{seq}};\""]);
    assert!(form.contains("name=\"a\"\r\n\r\nn1\r\n") && form.contains("\r\n\r\n1;\r\n"), "{form}");
    let two = first_sent(&["h/?q={{choice \"a b\"}}", "-b", "{{\"{{\"}}"]);
    let raw = first_sent(&["h/?q={{\"{{\"}}"]);
    assert!(raw.starts_with("GET /?q={{ HTTP/1.1\r\n"), "{raw}");
    assert!(two.starts_with("POST /?q=a%20b HTTP") && two.ends_with("\r\n\r\n{{"), "{two}");
}

#[test]
fn what_was_not_typed_is_sent_byte_for_byte() {
    let plain = |arguments: &[&str]| high::plan(&typed(arguments).unwrap().load).unwrap();
    let file = std::env::temp_dir().join(format!("blast-braces-{}", std::process::id()));
    std::fs::write(&file, "X-A: {{seq}}").unwrap();
    let from_file = format!("@{}", file.display());
    let curl = "curl 'http://h/?q={{seq}}' -H 'X-B: {{hex}}' -d '{{seq}}'";
    for arguments in [&["h", "-b", &from_file][..], &["h", "-H", &from_file], &["--curl", curl]] {
        let plan = plain(arguments);
        assert!(plan.scenario.is_none(), "{arguments:?}");
        let bytes = crate::http::Payload::new(&plan.request, 1).bytes().clone();
        assert!(String::from_utf8_lossy(&bytes).contains("{{seq}}"), "{arguments:?}");
    }
    let beside = first_sent(&["--curl", curl, "-H", "X-C: {{seq}}", "-H", &from_file]);
    assert!(beside.starts_with("POST /?q={{seq}} HTTP/1.1\r\n"), "{beside}");
    for line in ["X-A: {{seq}}", "X-B: {{hex}}", "X-C: 1", "\r\n\r\n{{seq}}"] {
        assert!(beside.contains(line), "{line}: {beside}");
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_plan_that_varies_is_told_as_it_was_written() {
    let words =
        ["h/a?n={{seq}}&token=s3", "-b", "{{uuid}}", "--seed", "9", "--expect-status", "201"];
    let plan = high::plan(&typed(&words).unwrap().load).unwrap();
    let scenario = plan.scenario.as_ref().unwrap();
    assert_eq!(plan.url.shown, "http://h/a?n={{seq}}&token=***");
    assert_eq!(scenario.entries[0].name, "POST /a?n={{seq}}&token=***");
    assert_eq!(scenario.seed, 9);
    assert_eq!(scenario.requests[0].expected.statuses, plan.expected.statuses);
    assert_eq!(scenario.requests[0].request, plan.request);
    assert!(
        plan.request.body.is_empty() && !headers(&plan).iter().any(|(n, _)| *n == "Content-Length")
    );
    assert!(plan_of(&["-b", "{\"a\":{\"b\":{}}}"]).unwrap().scenario.is_none());
}

#[test]
fn a_wrong_placeholder_is_refused_with_what_to_write() {
    for (arguments, expected) in [
        (
            &["h/{{itn 1 2}}"][..],
            "in the path: `itn` is no placeholder; did you mean `{{int 1 100}}`?",
        ),
        (&["h", "-b", "{{zzz}}"], "two braces themselves are written `{{\"{{\"}}`"),
        (&["h", "-H", "X-A: {{seq"], "in header `X-A`: `{{` opens a placeholder"),
        (&["h", "-b", "{{user.id}}"], "or use `{{seq}}`"),
        (&["h", "-b", "{{env BLAST_NO_SUCH}}"], "the environment has no variable"),
    ] {
        let error = high::plan(&typed(arguments).unwrap().load).expect_err(expected);
        assert!(error.message.contains(expected), "{error}");
        assert_eq!(error.exit, Exit::Usage);
    }
}
