//! What may be loaded and what not, by every way to write it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::*;

/// Knows some names; one of them stands for another address each time it is asked for.
#[derive(Default)]
struct Names {
    asked: AtomicUsize,
}

impl Resolver for Names {
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, SeqCst);
        let texts: &[&str] = match name {
            "localhost" => &["127.0.0.1", "::1", "127.0.0.1"],
            "staging.example" => &["10.1.2.3"],
            "outside.example" => &["93.184.216.34"],
            "both.example" => &["127.0.0.1", "93.184.216.34"],
            "sly.example" => &["169.254.169.254"],
            "turning.example" if turn == 0 => &["10.1.2.3"],
            "turning.example" => &["169.254.169.254"],
            "empty.example" => &[],
            _ => return Err(io::Error::other("no such name")),
        };
        Ok(texts.iter().map(|text| text.parse().unwrap()).collect())
    }
}

fn aims(targets: &[&str], allow: &[&str]) -> Aims {
    let targets = targets.iter().map(|text| Target::parse(text).unwrap()).collect();
    let allow = allow.iter().map(|text| Allowed::parse(text).unwrap()).collect();
    Aims::new(targets, allow).resolved_by(Arc::new(Names::default()))
}

#[test]
fn loopback_is_allowed_in_every_way_to_write_it() {
    for target in [
        "http://127.0.0.1:8080/",
        "127.0.0.1:8080",
        "http://127.8.9.10/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]:80/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost:8080/path?a=b",
        "localhost",
    ] {
        let aim = aims(&[], &[]).choose(target, None);
        let aim = aim.unwrap_or_else(|refusal| panic!("{target}: {}", refusal.message));
        assert!(aim.addresses.iter().all(|ip| forbidden::bare(*ip).is_loopback()), "{target}");
    }
    let twice = aims(&[], &[]).choose("http://localhost/", None).unwrap().addresses;
    assert_eq!(twice.len(), 2, "each address once");
}

#[test]
fn what_is_neither_loopback_nor_listed_is_refused() {
    for target in [
        "http://outside.example/",
        "http://both.example/",
        "http://staging.example/",
        "http://10.1.2.3/",
        "http://93.184.216.34/",
        "http://[2001:db8::1]/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http+unix://%2Frun%2Fapp.sock/",
        "http://[fe80::1%25eth0]/",
    ] {
        let refusal = aims(&[], &[]).choose(target, None).expect_err(target);
        assert_eq!(refusal.status, 403, "{target}: {}", refusal.message);
    }
}

#[test]
fn link_local_and_metadata_addresses_are_never_loaded_not_even_listed() {
    let everything = ["0.0.0.0/0", "::/0", "sly.example"];
    for host in [
        "169.254.169.254",
        "169.254.1.1",
        "2852039166",
        "0xa9.0xfe.0xa9.0xfe",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::169.254.169.254]",
        "[2002:a9fe:a9fe::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "sly.example",
    ] {
        let url = format!("http://{host}/");
        let listed = format!("bad={url}");
        let refusal = aims(&[&listed], &everything).choose("bad", None).expect_err(host);
        assert_eq!(refusal.status, 403, "{host}: {}", refusal.message);
        assert!(aims(&[], &everything).choose(&url, None).is_err(), "{host}");
    }
}

#[test]
fn a_host_is_allowed_by_its_name_by_its_network_or_as_a_target() {
    for (targets, allow, asked) in [
        (&[][..], &["staging.example"][..], "http://staging.example/a"),
        (&[], &["10.1.0.0/16"], "http://staging.example/a"),
        (&[], &["10.1.0.0/16"], "http://10.1.9.9/"),
        (&["staging=http://staging.example/base"], &[], "staging"),
        (&["staging=http://staging.example/base"], &[], "http://staging.example/other"),
    ] {
        let aim = aims(targets, allow).choose(asked, None);
        assert!(aim.is_ok(), "{targets:?} {allow:?} {asked}: {aim:?}");
    }
    // A target is a server: another port of its host is another one.
    let other = aims(&["staging=http://staging.example/"], &[]);
    assert!(other.choose("http://staging.example:9200/", None).is_err());
}

#[test]
fn a_name_that_stands_for_something_else_the_second_time_is_not_asked_twice() {
    let aims = aims(&["it=http://turning.example/"], &[]);
    let aim = aims.choose("it", None).unwrap();
    assert_eq!(aim.addresses, ["10.1.2.3".parse::<IpAddr>().unwrap()]);
    // The next run finds the other one, and is refused.
    assert_eq!(aims.choose("it", None).unwrap_err().status, 403);
}

#[test]
fn a_protected_target_asks_for_its_name_however_its_server_is_named() {
    let mut aims =
        aims(&["prod=http://staging.example:81/", "same=http://staging.example:81/x"], &[]);
    aims.targets[0].protected = true;
    for asked in ["prod", "same", "http://staging.example:81/"] {
        for typed in [None, Some(""), Some("PROD"), Some("same")] {
            let refusal = aims.choose(asked, typed).expect_err(asked);
            assert_eq!(refusal.field.as_deref(), Some("confirm"), "{asked} {typed:?}");
        }
        assert!(aims.choose(asked, Some("prod")).unwrap().is_protected, "{asked}");
    }
}

#[test]
fn what_cannot_be_a_target_is_told_in_a_sentence() {
    let aims = aims(&["staging=http://staging.example/"], &[]);
    for (asked, part) in [
        ("stagin", "no target `stagin`"),
        ("", "no target"),
        ("http://ada:s3cret@127.0.0.1/", "would be stored"),
        ("http://127.0.0.1/{{env HOME}}", "no placeholders"),
        ("http://empty.example/", "has no address"),
        ("http://nowhere.example/", "cannot be resolved"),
        ("ftp://127.0.0.1/", ""),
    ] {
        let refusal = aims.choose(asked, None).expect_err(asked);
        assert!(refusal.message.contains(part), "{asked}: {}", refusal.message);
        assert!(!refusal.message.contains("s3cret"));
        assert_eq!((refusal.status, refusal.field.as_deref()), (422, Some("target")), "{asked}");
    }
    for text in ["", "a", "=http://h/", "a b=http://h/", "a=http+unix://%2Fa/"] {
        assert!(Target::parse(text).is_err(), "{text}");
    }
}
