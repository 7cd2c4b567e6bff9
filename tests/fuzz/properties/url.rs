//! Any text is an address that can be sent and read back, or one sentence; and a password in it
//! stands in no output.

use blast::plan::Url;
use blast::plan::template::occurs_in;
use blast::plan::url::Host;

use super::is_one_sentence;

/// No part of a URL that a mutation makes by chance.
const SECRET: &str = "s3cr3t";

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Url::parse(&text) {
        Ok(url) => is_sendable(&url),
        Err(error) => is_one_sentence(&error),
    }
    if !text.contains(SECRET) {
        keeps_its_secret(&text);
    }
}

fn is_sendable(url: &Url) {
    assert!(url.target.starts_with('/'), "{url:?}");
    // Placeholders are drawn, and escaped, before it is sent.
    if occurs_in(&url.target) {
        return assert!(url.authority.bytes().all(|b| b.is_ascii_graphic()), "{url:?}");
    }
    let sent = [url.target.as_str(), &url.authority];
    assert!(sent.iter().all(|part| part.bytes().all(|b| b.is_ascii_graphic())), "{url:?}");
    assert!(!url.target.contains('#') && url.port > 0, "{url:?}");
    assert!(!url.authority.is_empty() && !url.authority.contains(['/', '?', '#', '@']), "{url:?}");
    assert!(!matches!(&url.host, Host::Name(name) if name.is_empty()), "{url:?}");
    assert!(!url.shown.chars().any(char::is_control), "{url:?}");
    let authorization = url.authorization.as_deref().unwrap_or("Basic ");
    assert!(authorization.starts_with("Basic ") && authorization.is_ascii(), "{url:?}");

    // Where a scheme alone stands for a host it is taken for a slip.
    if matches!(&url.host, Host::Name(name) if name == "http" || name == "https") {
        return;
    }
    // What is not sent is still shown.
    if matches!(&url.host, Host::Zoned(..) | Host::Unix(_)) {
        if url.authorization.is_none() && !url.shown.contains("***") {
            let again = Url::parse(&url.shown);
            let again = again.unwrap_or_else(|error| panic!("{:?}: {error}", url.shown));
            assert_eq!((&again.host, &again.target), (&url.host, &url.target));
        }
        return;
    }
    let scheme = if url.is_https { "https" } else { "http" };
    let again = format!("{scheme}://{}{}", url.authority, url.target);
    let again = Url::parse(&again).unwrap_or_else(|error| panic!("{again:?}: {error}"));
    assert_eq!((&again.host, again.port), (&url.host, url.port));
    assert_eq!((&again.authority, &again.target), (&url.authority, &url.target));
    assert_eq!(again.authorization, None);
}

/// Whatever stands in a password beside the secret, with a scheme and without.
fn keeps_its_secret(text: &str) {
    for scheme in ["http://", "https://", ""] {
        for password in [format!("{SECRET}{text}"), format!("{text}{SECRET}")] {
            let url = format!("{scheme}user:{password}@host/");
            match Url::parse(&url) {
                // After a `/` it is no password any more, but what is addressed.
                Ok(url) if url.target.contains(SECRET) || url.authority.contains(SECRET) => {}
                Ok(Url { shown, .. }) => assert!(!shown.contains(SECRET), "{url:?}: {shown:?}"),
                Err(error) => assert!(!error.message.contains(SECRET), "{url:?}: {error}"),
            }
        }
    }
}

pub const SEEDS: &[&[u8]] = &[
    b"http://example.com/",
    b"localhost:8080/x",
    b"127.0.0.1:8080",
    b"http://[::1]:8080/a/../b/./c?d=e&f#g",
    b"http://user:pa%20ss@host:81/x?api_key=1&page=2",
    b"u:p@ss@host",
    b"b\xc3\xbccher.example/\xc3\xa4 b|c",
    b"https://host/",
    b"unix:///run/x.sock",
    b"http:host",
    b"host:99999",
    b"http://1.2.3.4.5/",
    b"http://[::1%25eth0]/",
    b"http://0x7f.1/",
    b"http://u:p@[fe80::1%br-0]:81/x",
    b"http+unix://%2Frun%2Fapp.sock/x?y#z",
    b"http+unix://u:p@%40name",
    b"http://host/{{int 1 9}}/{{choice \"a b\" c}}?q={{hex 4}}#x",
];

pub const WORDS: &[&str] = &[
    "http://",
    "https://",
    "http+unix://",
    "HTTP:",
    "://",
    "//",
    "/",
    "\\",
    ":",
    "@",
    "?",
    "#",
    "&",
    "=",
    "%",
    "%2e",
    "%00",
    "%40",
    "%25",
    "%2F",
    "eth0",
    "[",
    "]",
    "[::1]",
    "::",
    ".",
    "..",
    "127.0.0.1",
    "0x7f",
    "4294967296",
    ":0",
    ":65536",
    "xn--",
    "\u{e9}",
    "\u{3002}",
    "\u{ad}",
    " ",
    "\t",
    "\n",
    "\0",
    "|",
    "^",
    "<",
    "\"",
    "key=",
    "token=",
    "{{",
    "}}",
    "{{seq}}",
];
