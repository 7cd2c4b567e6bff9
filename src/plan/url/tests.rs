use super::*;

fn parse(text: &str) -> Url {
    Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn an_address_needs_no_scheme_no_port_and_no_path() {
    for (text, host, port, authority, target) in [
        ("http://example.com/", "example.com", 80, "example.com", "/"),
        ("example.com", "example.com", 80, "example.com", "/"),
        ("HTTP://Example.COM", "example.com", 80, "example.com", "/"),
        ("localhost:8080/x", "localhost", 8080, "localhost:8080", "/x"),
        ("127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080", "/"),
        ("[::1]:80", "::1", 80, "[::1]", "/"),
        ("http://[::1]:8080/a", "::1", 8080, "[::1]:8080", "/a"),
        ("http://host:80?q", "host", 80, "host", "/?q"),
        ("  host  ", "host", 80, "host", "/"),
        ("host/http://other/", "host", 80, "host", "/http://other/"),
        ("bücher.example", "xn--bcher-kva.example", 80, "xn--bcher-kva.example", "/"),
    ] {
        let url = parse(text);
        let expected = match host.parse() {
            Ok(ip) => Host::Ip(ip),
            Err(_) => Host::Name(host.to_string()),
        };
        assert_eq!((url.host, url.port), (expected, port), "{text}");
        assert_eq!((&*url.authority, &*url.target), (authority, target), "{text}");
        assert_eq!(url.authorization, None, "{text}");
    }
}

#[test]
fn path_and_query_stay_as_typed_and_the_fragment_goes() {
    for (typed, target) in [
        ("/a/b?c=d&e=f", "/a/b?c=d&e=f"),
        ("/a%2Fb%20c", "/a%2Fb%20c"),
        ("/a b", "/a%20b"),
        ("/a/../b/./c", "/b/c"),
        ("//a//b/", "//a//b/"),
        ("/?q=1#top", "/?q=1"),
        ("#top", "/"),
        ("/ä", "/%C3%A4"),
        ("/~x;p=1,2:3@4?a|b", "/~x;p=1,2:3@4?a|b"),
    ] {
        assert_eq!(parse(&format!("http://host{typed}")).target, target, "{typed}");
    }
}

#[test]
fn userinfo_becomes_basic_auth_and_is_not_shown() {
    for (userinfo, pair) in [
        ("user:pass", "user:pass"),
        ("user", "user:"),
        (":pass", ":pass"),
        ("us%40er:p%3Aa%2Fss", "us@er:p:a/ss"),
        ("u:p@ss", "u:p@ss"),
        ("u:100%", "u:100%"),
    ] {
        let url = parse(&format!("http://{userinfo}@host:81/x"));
        let expected = format!("Basic {}", BASE64.encode(pair));
        assert_eq!(url.authorization, Some(expected), "{userinfo}");
        assert_eq!(url.shown, "http://***@host:81/x", "{userinfo}");
        assert_eq!(url.authority, "host:81", "{userinfo}");
    }
    assert_eq!(parse("http://@host/").authorization, None);
}

#[test]
fn query_values_that_sound_secret_are_sent_and_not_shown() {
    for (query, shown) in [
        ("a=1&b=2", "a=1&b=2"),
        ("api_key=s3&a=1", "api_key=***&a=1"),
        ("accessToken=s3", "accessToken=***"),
        ("a=1&CLIENT-SECRET=s3=", "a=1&CLIENT-SECRET=***"),
        ("%70assword=s3", "%70assword=***"),
        ("key", "key"),
        ("q=token", "q=token"),
    ] {
        let url = parse(&format!("http://host/p?{query}"));
        assert_eq!(url.shown, format!("http://host/p?{shown}"));
        assert_eq!(url.target, format!("/p?{query}"));
    }
}

#[test]
fn a_zone_is_kept_for_the_connect_and_not_sent() {
    for (text, zone, authority, shown) in [
        ("http://[fe80::1%25eth0]:81/a%25b", "eth0", "[fe80::1]:81", "[fe80::1%25eth0]:81"),
        ("[fe80::1%eth0]/a%25b", "eth0", "[fe80::1]", "[fe80::1%25eth0]"),
        ("http://u:p@[FE80::1%2]/a%25b", "2", "[fe80::1]", "***@[fe80::1%252]"),
    ] {
        let url = parse(text);
        let ip = "fe80::1".parse().expect("an address");
        assert_eq!(url.host, Host::Zoned(ip, zone.to_string()), "{text}");
        assert_eq!((&*url.authority, &*url.target), (authority, "/a%25b"), "{text}");
        assert_eq!(url.shown, format!("http://{shown}/a%25b"), "{text}");
    }
    assert_eq!(Host::parse("[::1%lo]"), Some(Host::Zoned("::1".parse().unwrap(), "lo".into())));
    assert_eq!(Host::parse("A.example"), Some(Host::Name("a.example".into())));
    assert_eq!(Host::parse("::1"), None);
}

#[test]
fn a_unix_socket_stands_in_a_url_percent_encoded() {
    for (text, name, target, shown) in [
        ("http+unix://%2Frun%2Fa.sock/p?q=1#f", "/run/a.sock", "/p?q=1", "%2Frun%2Fa.sock/p?q=1"),
        ("HTTP+unix://a.sock", "a.sock", "/", "a.sock/"),
        ("http+unix://%40name/", "@name", "/", "%40name/"),
        ("http+unix://@name/", "@name", "/", "%40name/"),
        ("http+unix://u:p@%2Fa/?key=s3", "/a", "/?key=s3", "***@%2Fa/?key=***"),
    ] {
        let url = parse(text);
        assert_eq!(url.host, Host::Unix(UnixName::parse(name).expect(name)), "{text}");
        assert_eq!((&*url.authority, &*url.target), ("localhost", target), "{text}");
        assert_eq!(url.shown, format!("http+unix://{shown}"), "{text}");
        assert_eq!(url.authorization.is_some(), text.contains("u:p"), "{text}");
    }
}

#[test]
fn a_bad_address_gets_one_sentence_that_says_what_to_do() {
    for (text, expected) in [
        ("", "the URL is empty"),
        ("  ", "the URL is empty"),
        ("http://", "names no host"),
        ("http:///x", "names no host"),
        ("/path", "names no host"),
        (":8080", "names no host"),
        ("http://?q", "names no host"),
        ("http://user:pw@/x", "names no host"),
        ("https://", "names no host"),
        ("HTTPS:///x", "names no host"),
        ("ftp://host/", "is no http address"),
        ("unix:///run/x.sock", "is no http address"),
        ("curl http://h/ -u a:b", "write `--curl 'curl ...'`"),
        ("https+unix://%2Frun%2Fx.sock/", "--unix-socket PATH https://host/"),
        ("://host", "no scheme before"),
        ("http:host", "lacks `//`"),
        ("HTTP:66", "lacks `//`"),
        ("https:/host", "lacks `//`"),
        ("8080", "is a number"),
        ("host:0", "has port 0"),
        ("host:99999", "bad port"),
        ("host:80x/", "bad port"),
        ("http://1.2.3.4.5/", "bad IPv4 address"),
        ("http://300.1.1.1/", "bad IPv4 address"),
        ("http://[::1/", "bad IPv6 address"),
        ("http://[::x]/", "bad IPv6 address"),
        ("http://[::1%]/", "bad zone"),
        ("http://[::1%25a%20b]/", "bad zone"),
        ("http://[::1%25far-too-long-a-name]/", "bad zone"),
        ("http+unix:///p", "names no Unix socket"),
        ("http+unix://%FF/", "names no Unix socket"),
        ("http+unix://%2Fa:80/", "names no Unix socket"),
        ("http+unix://a%00b/", "zero byte"),
        ("::1", "names no host"),
        ("http://a b/", "character that none can have"),
        ("http://ho|st/", "character that none can have"),
    ] {
        let error = Url::parse(text).expect_err(text);
        assert_eq!(error.exit, crate::Exit::Usage, "{text}");
        assert!(error.message.contains(expected), "{text}: {error}");
        assert!(!error.message.contains('\n'), "{text}: {error}");
    }
}

#[test]
fn an_error_repeats_no_secret() {
    for text in [
        "http://user:s3cret@host:99999/",
        "user:s3cret@host:0/",
        "http://user:s3/cret@host/",
        "http://user:p?s3cret@host/",
        "http://s3cret@/",
        "ftp://user:s3cret@host/",
        "http://host:0/?token=s3cret",
        "http://host:0/#s3cret",
        "http://user:s3cret@[::1%]/",
        "http+unix://user:s3cret@/p",
        "http+unix://user:s3/cret@%2Fa",
        "user:s3cret://x@host/",
        "ftp://h/ -u user:s3cret",
    ] {
        let message = Url::parse(text).expect_err(text).message;
        assert!(!message.contains("s3") && !message.contains("cret"), "{text}: {message}");
    }
}

#[test]
fn no_text_makes_the_parser_panic() {
    const PARTS: [&str; 14] =
        ["http://", "a", ":", "/", "@", "[", "]", "::1", "%", "?", "#", "\\", "\0", "é"];
    for n in 0..PARTS.len().pow(4) {
        let digits = [n % 14, n / 14 % 14, n / 196 % 14, n / 2744];
        let text: String = digits.iter().map(|&digit| PARTS[digit]).collect();
        if let Ok(url) = Url::parse(&text) {
            assert!(url.target.starts_with('/'), "{text}");
            assert!(url.target.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
        }
    }
}

#[test]
fn placeholders_in_path_and_query_pass_through_as_they_are() {
    for (typed, target, shown) in [
        ("/items/{{int 1 100}}", "/items/{{int 1 100}}", "/items/{{int 1 100}}"),
        ("/{{choice \"a?b#c\" d}}/x y", "/{{choice \"a?b#c\" d}}/x%20y", ""),
        ("?q={{hex 4}}&key={{env K}}#top", "/?q={{hex 4}}&key={{env K}}", "/?q={{hex 4}}&key=***"),
        ("/a/../{{seq}}/{{seq}}", "/{{seq}}/{{seq}}", ""),
        ("/blast0x0x/{{seq}}", "/blast0x0x/{{seq}}", ""),
        ("/{{seq", "/{{seq", ""),
        ("/{x}", "/%7Bx%7D", ""),
    ] {
        let url = parse(&format!("http://host{typed}"));
        assert_eq!(url.target, target, "{typed}");
        let shown = if shown.is_empty() { target } else { shown };
        assert_eq!(url.shown, format!("http://host{shown}"), "{typed}");
    }
    assert_eq!(parse("http://u:p{{x}}@host/{{seq}}").shown, "http://***@host/{{seq}}");
    assert_eq!(Url::fixed("http://h/{{a b}}").unwrap().target, "/%7B%7Ba%20b%7D%7D");
    let error = Url::parse("http://h{{int 1 9}}/{{seq}}").unwrap_err();
    assert!(error.message.contains("character that none can have"), "{error}");
}
