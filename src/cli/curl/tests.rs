//! Commands as browsers copy them and people write them, and the requests they come to.

use super::super::groups::RequestArgs;
use super::super::request;
use super::*;
use crate::http::Request;
use crate::plan::Url;

fn made(command: &str) -> Request {
    beside(command, &RequestArgs::default())
}

/// The request of a command with these flags beside it.
fn beside(command: &str, args: &RequestArgs) -> Request {
    let mut sources = Sources::default();
    let curl = Curl::parse(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    let text = curl.url(None, &mut sources).unwrap_or_else(|error| panic!("{command}: {error}"));
    let url = Url::parse(&text.replace("https://", "http://")).unwrap();
    request::build(args, Some(&curl), &url, false, &mut sources)
        .map(|(request, _)| request)
        .unwrap_or_else(|error| panic!("{command}: {error}"))
}

fn refusal(command: &str) -> String {
    let mut sources = Sources::default();
    let built = Curl::parse(command).and_then(|curl| {
        let url = Url::parse(&curl.url(None, &mut sources)?)?;
        request::build(&RequestArgs::default(), Some(&curl), &url, false, &mut sources)
    });
    built.expect_err(command).message
}

fn field<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut fields = request.headers.iter();
    fields.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
}

fn body(request: &Request) -> String {
    String::from_utf8(request.body.to_vec()).unwrap()
}

#[test]
fn a_get_as_chrome_copies_it() {
    let request = made(
        "curl 'https://www.example.com/search?q=a%20b&page=2' \\\n  \
         -H 'accept: text/html,application/xhtml+xml,*/*;q=0.8' \\\n  \
         -H 'accept-language: en-GB,en;q=0.9' \\\n  \
         -b 'sid=abc123; theme=dark' \\\n  \
         -H 'priority: u=0, i' \\\n  \
         -H 'sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"' \\\n  \
         -H 'sec-ch-ua-platform: \"Linux\"' \\\n  \
         -H 'upgrade-insecure-requests: 1' \\\n  \
         -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0'",
    );
    assert_eq!((&*request.method, &*request.target), ("GET", "/search?q=a%20b&page=2"));
    assert_eq!(field(&request, "Host"), Some("www.example.com"));
    assert_eq!(field(&request, "cookie"), Some("sid=abc123; theme=dark"));
    assert_eq!(field(&request, "accept"), Some("text/html,application/xhtml+xml,*/*;q=0.8"));
    assert_eq!(field(&request, "sec-ch-ua-platform"), Some("\"Linux\""));
    let agent = Some("Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0");
    assert_eq!(field(&request, "User-Agent"), agent);
    assert_eq!(request.headers.len(), 9);
}

#[test]
fn a_post_of_json_as_chrome_copies_it() {
    let request = made(
        "curl 'https://api.example.com/v1/items' \\\n  \
         -H 'accept: application/json' \\\n  \
         -H 'authorization: Bearer eyJ.x.y' \\\n  \
         -H 'content-type: application/json' \\\n  \
         --data-raw $'{\"name\":\"it\\'s \\u0021\",\"note\":\"caf\\u00e9\\\\n\"}' \\\n  \
         --insecure",
    );
    assert_eq!((&*request.method, &*request.target), ("POST", "/v1/items"));
    assert_eq!(body(&request), "{\"name\":\"it's !\",\"note\":\"café\\n\"}");
    assert_eq!(field(&request, "content-type"), Some("application/json"));
    assert_eq!(field(&request, "content-length"), Some("34"));
    assert_eq!(field(&request, "authorization"), Some("Bearer eyJ.x.y"));
}

#[test]
fn a_form_as_chrome_copies_it() {
    let request = made(
        "curl 'http://localhost:8080/upload' -H 'content-type: multipart/form-data; \
         boundary=----WebKitFormBoundaryA1' --data-raw $'------WebKitFormBoundaryA1\\r\\n\
         Content-Disposition: form-data; name=\"a\"\\r\\n\\r\\n1\\r\\n\
         ------WebKitFormBoundaryA1--\\r\\n'",
    );
    let boundary = "multipart/form-data; boundary=----WebKitFormBoundaryA1";
    assert_eq!(field(&request, "content-type"), Some(boundary));
    assert!(body(&request).starts_with("------WebKitFormBoundaryA1\r\nContent-Disposition"));
    assert!(body(&request).ends_with("\r\n\r\n1\r\n------WebKitFormBoundaryA1--\r\n"));
}

#[test]
fn a_post_as_firefox_copies_it() {
    let request = made(
        "curl 'https://example.org/login' --compressed -X POST \
         -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0' \
         -H 'Accept: */*' -H 'Accept-Encoding: gzip, deflate, br, zstd' \
         -H 'Content-Type: application/x-www-form-urlencoded' \
         -H 'Origin: https://example.org' -H 'Connection: keep-alive' \
         -H 'Referer: https://example.org/' -H 'Cookie: a=1; b=2' \
         -H 'TE: trailers' --data-raw 'user=me&password=it%27s'",
    );
    assert_eq!((&*request.method, &*request.target), ("POST", "/login"));
    assert_eq!(body(&request), "user=me&password=it%27s");
    assert_eq!(field(&request, "accept-encoding"), Some("gzip, deflate, br, zstd"));
    assert_eq!(field(&request, "cookie"), Some("a=1; b=2"));
    assert_eq!(field(&request, "connection"), Some("keep-alive"));
    let encodings = request.headers.iter().filter(|(n, _)| n == "Accept-Encoding");
    assert_eq!(encodings.count(), 1);
}

#[test]
fn methods_and_bodies_follow_from_the_flags_as_in_curl() {
    for (flags, method, target, sent) in [
        ("", "GET", "/", ""),
        ("-d a=1", "POST", "/", "a=1"),
        ("-d a=1 -d b=2 --data-raw @c", "POST", "/", "a=1&b=2&@c"),
        ("-da=1 -XPUT", "PUT", "/", "a=1"),
        ("-sSXDELETE", "DELETE", "/", ""),
        ("--request PATCH --data-binary ' x '", "PATCH", "/", " x "),
        ("-G -d a=1 --data-urlencode 'b=ä &'", "GET", "/?a=1&b=%C3%A4+%26", ""),
        ("-I", "HEAD", "/", ""),
        ("-I -G -d a=1", "HEAD", "/?a=1", ""),
        ("--data-urlencode 'a b'", "POST", "/", "a+b"),
        ("--data-urlencode '=a=b'", "POST", "/", "a%3Db"),
        ("--data-urlencode n=-._~/", "POST", "/", "n=-._~%2F"),
        ("--json '{\"a\":' --json 1}", "POST", "/", "{\"a\":1}"),
        ("-d ''", "POST", "/", ""),
    ] {
        let request = made(&format!("curl {flags} http://h/"));
        let found = (&*request.method, &*request.target, &*body(&request));
        assert_eq!(found, (method, target, sent), "{flags}");
    }
}

#[test]
fn the_data_of_a_get_stands_in_the_query_before_the_fragment() {
    for (url, expected) in [
        ("http://h", "/?a=1"),
        ("http://h/p?", "/p?a=1"),
        ("http://h/p?b=2", "/p?b=2&a=1"),
        ("'http://h/p?b=2#x?y'", "/p?b=2&a=1"),
    ] {
        assert_eq!(made(&format!("curl -G -d a=1 {url}")).target, expected, "{url}");
    }
    assert_eq!(made("curl -G -d 'a= b\"é#' http://h/").target, "/?a=%20b%22%C3%A9%23");
}

#[test]
fn flags_with_a_header_of_their_own_yield_to_the_header() {
    for (flags, name, value) in [
        ("-A me", "User-Agent", Some("me")),
        ("-A ''", "User-Agent", None),
        ("-A me -H 'User-Agent: you'", "User-Agent", Some("you")),
        ("-e 'http://r/;auto'", "Referer", Some("http://r/")),
        ("-u me:pass:word", "Authorization", Some("Basic bWU6cGFzczp3b3Jk")),
        ("--oauth2-bearer t", "Authorization", Some("Bearer t")),
        ("-u a:b -H 'Authorization: x'", "Authorization", Some("x")),
        ("-b a=1 -b 'b=2; c=3;'", "Cookie", Some("a=1; b=2; c=3")),
        ("-b a=1 -H 'Cookie: d=4'", "Cookie", Some("d=4")),
        ("-b ''", "Cookie", None),
        ("--compressed", "Accept-Encoding", Some("gzip, deflate, br")),
        ("-r 0-99", "Range", Some("bytes=0-99")),
        ("", "Accept", Some("*/*")),
        ("-H Accept:", "Accept", None),
        ("-d x", "Content-Type", Some("application/x-www-form-urlencoded")),
        ("-d x -H 'content-type: a/b'", "Content-Type", Some("a/b")),
        ("-d x -H Content-Type:", "Content-Type", None),
        ("--json {}", "Content-Type", Some("application/json")),
        ("--json {}", "Accept", Some("application/json")),
        ("--json {} -H 'Accept: x/y'", "Accept", Some("x/y")),
        ("-H 'X-Empty;'", "X-Empty", Some("")),
    ] {
        let request = made(&format!("curl {flags} http://h/"));
        assert_eq!(field(&request, name), value, "{flags}");
    }
}

#[test]
fn a_form_has_its_own_type_and_a_type_that_was_typed_its_boundary() {
    let boundary = "multipart/form-data; boundary=------------------------0000000000000000";
    let request = made("curl -F a=1 --form-string 'b=@x;y' http://h/");
    assert_eq!((&*request.method, field(&request, "content-type")), ("POST", Some(boundary)));
    assert!(body(&request).contains("name=\"b\"\r\n\r\n@x;y\r\n"));
    let request = made("curl -F a=1 -H 'Content-Type: multipart/form-data' http://h/");
    assert_eq!(field(&request, "content-type"), Some(boundary));
}

#[test]
fn what_stands_beside_the_command_wins() {
    let header = |text: &str| super::super::values::header(text).unwrap();
    let args = RequestArgs {
        method: Some("PUT".to_string()),
        json_body: Some("{\"b\":2}".to_string()),
        headers: vec![header("X-A: typed"), header("Accept-Language:")],
        user: Some("me:pass".to_string()),
        cookie: vec!["typed=1".to_string()],
        ..RequestArgs::default()
    };
    let request = beside(
        "curl http://h/ -X PATCH -d a=1 -H 'Content-Type: text/plain' -H 'Content-Length: 3' \
         -H 'x-a: 1' -H 'x-a: 2' -H 'Accept-Language: en' -H 'Authorization: x' -H 'Cookie: c=d' \
         -H 'X-B: kept'",
        &args,
    );
    assert_eq!((&*request.method, &*body(&request)), ("PUT", "{\"b\":2}"));
    for (name, value) in [
        ("Content-Type", Some("application/json")),
        ("Content-Length", Some("7")),
        ("X-A", Some("typed")),
        ("X-B", Some("kept")),
        ("Accept-Language", None),
        ("Authorization", Some("Basic bWU6cGFzcw==")),
        ("Cookie", Some("typed=1")),
    ] {
        assert_eq!(field(&request, name), value, "{name}");
    }
    assert_eq!(request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("x-a")).count(), 1);
    // A body that is only typed leaves the command's type in its place.
    let args = RequestArgs { body: Some("x".to_string()), ..RequestArgs::default() };
    let request = beside("curl http://h/ -H 'content-type: text/csv' -d a=1", &args);
    assert_eq!((field(&request, "Content-Type"), &*body(&request)), (Some("text/csv"), "x"));
}

#[test]
fn times_and_trust_are_passed_on_and_what_only_curl_prints_is_passed_over() {
    let curl = Curl::parse(
        "/usr/bin/curl -sSvif#o out --url http://h/ -w '%{http_code}' --max-time 2.5 \
         --connect-timeout 1 -k --http1.1",
    )
    .unwrap();
    let times = (curl.timeout, curl.connect_timeout);
    assert_eq!(times, (Some(Nanos::from_millis(2_500)), Some(Nanos::from_secs(1))));
    assert!(curl.insecure);
    assert_eq!(curl.url(None, &mut Sources::default()).unwrap(), "http://h/");
    assert_eq!(curl.url(Some("g"), &mut Sources::default()).unwrap(), "g");
}

#[test]
fn a_files_data_loses_its_lines_unless_it_is_binary() {
    let file = std::env::temp_dir().join(format!("blast-curl-{}.txt", std::process::id()));
    std::fs::write(&file, "a\r\nb=c d\n\0").unwrap();
    let name = file.display();
    let sent = |flags: &str| body(&made(&format!("curl http://h/ {flags}")));
    let plain = sent(&format!("-d @{name}"));
    let binary = sent(&format!("--data-binary @{name}"));
    let encoded = sent(&format!("--data-urlencode n@{name}"));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(plain, "ab=c d");
    assert_eq!(binary, "a\r\nb=c d\n\0");
    assert_eq!(encoded, "n=a%0D%0Ab%3Dc+d%0A%00");
}

#[test]
fn what_blast_does_not_do_is_refused_by_name_and_nothing_secret_is_repeated() {
    for (command, expected) in [
        ("", "does not begin with `curl`"),
        ("wget http://s3/", "does not begin with `curl`"),
        ("curl", "has no URL"),
        ("curl -d s3", "has no URL"),
        ("curl -X '' http://s3/", "is no method"),
        ("curl -e http://s3/;auto http://s3/", "`;` outside of quotes"),
        ("curl http://s3/ http://s3/", "two URLs"),
        ("curl -x s3:3128 http://s3/", "`--proxy`: blast goes to the server itself"),
        ("curl --http3 http://s3/", "`--http3`: blast speaks HTTP/1.1"),
        ("curl -T s3 http://s3/", "`--upload-file`: write it as"),
        ("curl --digest http://s3/", "`--digest`"),
        ("curl http://s3/ --next http://s3/", "`--next`"),
        ("curl --frobnicate s3 http://s3/", "`--frobnicate` is no flag of curl that blast knows"),
        ("curl --cert=s3 http://s3/", "`--cert` is no flag"),
        ("curl -Q s3 http://s3/", "`-Q` is no flag"),
        ("curl http://s3/ -H", "`--header` needs a value"),
        ("curl http://s3/ -H 'Authorization s3'", "`--header`: a header has no colon"),
        ("curl http://s3/ -u s3", "`--user`: the credentials have no password"),
        ("curl http://s3/ -d @", "`--data`: `@` names no file"),
        ("curl http://h/ -d @/no/such/file", "--data: `/no/such/file` cannot be read"),
        ("curl http://h/ -H @/no/such/file", "--header: `/no/such/file` cannot be read"),
        ("curl http://h/ -b s3", "--cookie: what was given has no `=`"),
        ("curl http://s3/ -d a -F b=1", "three bodies"),
        ("curl http://s3/ --json 1 -F b=1", "two bodies"),
        ("curl http://s3/ -I -d a", "`--head` asks without a body"),
        ("curl http://s3/ -F s3", "`--form`: a field has no name"),
        ("curl http://s3/ -m s3x", "`--max-time`"),
        ("curl http://s3/ -H $'\\xff: s3'", "no text in UTF-8"),
        ("curl ^\"http://s3/^\" ^\n -H ^\"A: s3^\"", "copy it as cURL (bash)"),
        ("curl http://h/?a=$s3", "no shell is run"),
    ] {
        let message = refusal(command);
        assert!(message.contains(expected), "{command}: {message}");
        assert!(!message.contains('\n'), "{command}: {message}");
        let repeats = message.contains("s3") && !message.contains("`s3x`");
        assert!(!repeats, "{command}: {message}");
    }
}
