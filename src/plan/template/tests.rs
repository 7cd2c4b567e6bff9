//! Messages: golden bytes, lengths, seeds, room, and what is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::compile::Reader;
use super::*;
use crate::dice::Dice;
use crate::error::Result;
use crate::http::{Payload, Request};
use crate::plan::data::{Exhausted, Order, Table};

/// What the tests' placeholders refer to.
struct World {
    tables: Vec<Arc<Table>>,
    captures: Vec<String>,
    vars: BTreeMap<String, String>,
    has_users: bool,
    has_cookies: bool,
}

const ROWS: &str = "email,password,note\na@b.example,p&w,\"x\"\"y\nz\"\nc@d.example,q=r,\r\n";

impl World {
    fn new() -> World {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("blast-template-{}-{number}.csv", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, ROWS).unwrap();
        let table = Table::open("users", &path, Order::default(), Exhausted::default());
        std::fs::remove_file(&path).unwrap();
        let vars = [("channel", "1"), ("path", "a b"), ("braces", "{{int 1 2}}")];
        World {
            tables: vec![Arc::new(table.unwrap())],
            captures: vec!["token".into(), "next".into()],
            vars: vars.map(|(name, value)| (name.to_string(), value.to_string())).into(),
            has_users: true,
            has_cookies: false,
        }
    }

    fn compile_as(&self, reader: Reader, request: &Request, body: &[Piece]) -> Result<Message> {
        let env = |name: &str| (name == "API_KEY").then(|| "s3cr3t \"1\"".to_string());
        let scope = Scope {
            tables: &self.tables,
            captures: &self.captures,
            vars: &self.vars,
            env: &env,
            has_users: self.has_users,
            has_cookies: self.has_cookies,
        };
        match reader {
            Reader::Server => Message::compile(request, body, &scope),
            Reader::Person => Message::shown(request, body, &scope),
        }
    }

    fn compile(&self, request: &Request, body: &[Piece]) -> Message {
        let message = self.compile_as(Reader::Server, request, body);
        message.unwrap_or_else(|error| panic!("{request:?}: {error}"))
    }

    /// The values of a text in a body.
    fn values(&self, text: &str, escape: Escape, seed: u64) -> String {
        let message = self.compile(&get("/"), &[Piece::Text(text.to_string(), escape)]);
        let sent = String::from_utf8(sent(&message, seed)).unwrap();
        sent.split_once("\r\n\r\n").unwrap().1.to_string()
    }
}

fn get(target: &str) -> Request {
    let mut request = Request::new("GET", target, "h");
    request.remove_header("User-Agent");
    request
}

fn post() -> Request {
    Request { method: "POST".into(), ..get("/") }
}

fn context<'a>(dice: &'a mut Dice, captures: &'a [Option<Box<[u8]>>]) -> Context<'a> {
    Context { dice, number: 7, id: 7, user: 3, captures, rows: &[0], jar: None }
}

/// All that goes out for the 7th request of user 3, with the first row.
fn sent(message: &Message, seed: u64) -> Vec<u8> {
    let captures = [Some(b"t\"k\r\nX: y".to_vec().into_boxed_slice()), None];
    let (mut body, mut into) = (Vec::new(), b"of before".to_vec());
    let mut dice = Dice::of(seed, 0, 0);
    message.write(&mut context(&mut dice, &captures), &mut body, &mut into);
    [&into[..], message.tail()].concat()
}

#[test]
fn each_placeholder_is_written_in_golden_bytes() {
    let world = World::new();
    for (text, expected) in [
        ("{{int 1 100}} {{int -5 -5}}", "37 -5"),
        ("{{int -9223372036854775808 9223372036854775807}}", "-2431474271005351650"),
        ("{{float 0 1 2}} {{float -1 1 0}} {{float -0.05 -0.05 2}}", "0.37 1 -0.05"),
        ("{{choice a \"b c\" d}}", "b c"),
        ("{{uuid}}", "5e41ab08-7439-411e-b18d-6ce93d6cf1ee"),
        ("{{seq}} {{seq}}", "7 7"),
        ("{{string 12}}", "JJQ91tZwfV9g"),
        ("{{hex 20}}", "e116934780ba14e5ee1f"),
        ("{{env API_KEY}}", "s3cr3t \"1\""),
        ("{{data.users.email}}:{{data.users.password}}", "a@b.example:p&w"),
        ("{{data.users.note}}", "x\"y\nz"),
        ("{{capture.token}}|{{capture.next}}|", "t\"k\r\nX: y||"),
        ("{{user.id}}", "3"),
        ("{{var.channel}} {{var.braces}}", "1 {{int 1 2}}"),
        ("{{\"{{\"}}int 1 2}}", "{{int 1 2}}"),
    ] {
        assert_eq!(world.values(text, Escape::Raw, 1), expected, "{text}");
    }
    let now = world.values("{{now rfc3339}} {{now unix}} {{now unix_ms}}", Escape::Raw, 1);
    let parts: Vec<&str> = now.split(' ').collect();
    let instant = humantime::parse_rfc3339(parts[0]).unwrap();
    assert!(instant.elapsed().unwrap().as_secs() < 60, "{now}");
    assert!(parts[2].starts_with(&parts[1][..8]) && parts[0].len() == 24, "{now}");
}

#[test]
fn values_are_made_fit_for_what_surrounds_them() {
    let world = World::new();
    let text = "{{data.users.note}} {{capture.token}} {{choice \"a b\"}} {{var.path}}";
    for (escape, expected) in [
        (Escape::Raw, "x\"y\nz t\"k\r\nX: y a b a b"),
        (Escape::Url, "x%22y%0Az t%22k%0D%0AX%3A%20y a%20b a%20b"),
        (Escape::Form, "x%22y%0Az t%22k%0D%0AX%3A+y a+b a+b"),
        (Escape::Header, "x\"yz t\"kX: y a b a b"),
        (Escape::Json, r#"x\"y\nz t\"k\r\nX: y a b a b"#),
    ] {
        assert_eq!(world.values(text, escape, 1), expected, "{escape:?}");
    }
}

#[test]
fn no_value_makes_a_line_of_its_own_in_the_head() {
    let world = World::new();
    let mut request = get("/{{capture.token}}?q={{data.users.note}}");
    request.add_header("X-A", "{{capture.token}}").unwrap();
    request.add_header("X-B", "{{data.users.note}}").unwrap();
    let expected = "GET /t%22k%0D%0AX%3A%20y?q=x%22y%0Az HTTP/1.1\r\nHost: h\r\n\
                    X-A: t\"kX: y\r\nX-B: x\"yz\r\n\r\n";
    assert_eq!(sent(&world.compile(&request, &[]), 1), expected.as_bytes());
}

#[test]
fn a_captured_link_at_the_beginning_of_a_path_is_followed() {
    let world = World::new();
    for (target, link, expected) in [
        ("/{{capture.next}}", Some("/items/7?page=2"), "GET /items/7?page=2 "),
        ("/{{capture.next}}/more", Some("https://h:1/items"), "GET /items/more "),
        ("/{{capture.next}}", Some("a/7"), "GET /a%2F7 "),
        ("/{{capture.next}}", None, "GET / "),
        ("/items/{{capture.next}}", Some("/7"), "GET /items/%2F7 "),
        ("/?to={{capture.next}}", Some("/7"), "GET /?to=%2F7 "),
    ] {
        let message = world.compile(&get(target), &[]);
        let captures = [None, link.map(|link| link.as_bytes().into())];
        let (mut dice, mut body, mut into) = (Dice::of(1, 0, 0), Vec::new(), Vec::new());
        message.write(&mut context(&mut dice, &captures), &mut body, &mut into);
        assert!(into.starts_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&into));
    }
}

#[test]
fn the_length_is_that_of_the_body_and_stands_where_it_stood() {
    let world = World::new();
    let text = |text: &str| [Piece::Text(text.to_string(), Escape::Raw)];
    let mut typed = post();
    typed.add_header("Content-Length", "99").unwrap();
    let mut own = Request::new("POST", "/", "h");
    own.remove_header("User-Agent");
    own.add_header("X-N", "{{seq}}").unwrap();
    let mut chunked = post();
    chunked.add_header("Transfer-Encoding", "chunked").unwrap();
    for (request, body, expected) in [
        (get("/"), "", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        (get("/{{seq}}"), "", "GET /7 HTTP/1.1\r\nHost: h\r\n\r\n"),
        (post(), "", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        (get("/"), "a{{seq}}", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na7"),
        (get("/{{seq}}"), "abc", "GET /7 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
        (typed, "{{seq}}", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n7"),
        (
            own.clone(),
            "{{seq}}{{user.id}}",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nX-N: 7\r\n\r\n73",
        ),
        (own, "ab", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nX-N: 7\r\n\r\nab"),
        (chunked, "{{seq}}", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n7"),
    ] {
        let message = world.compile(&request, &text(body));
        assert_eq!(String::from_utf8(sent(&message, 1)).unwrap(), expected);
    }
}

#[test]
fn what_never_varies_is_what_a_request_makes_of_it() {
    let world = World::new();
    for method in ["GET", "HEAD", "POST"] {
        for size in [0, 5, 5_000, 100_000] {
            for headers in [&[][..], &[("X-A", "1"), ("Content-Length", "7")], &[("Cookie", "a")]] {
                let mut request = Request::new(method, "/a?b=c", "h");
                headers.iter().for_each(|(name, value)| request.set_header(name, value).unwrap());
                let body = Bytes::from(vec![b'x'; size]);
                let message = world.compile(&request, &[Piece::Fixed(body.clone())]);
                let mut whole = request.clone();
                whole.set_body(body, None);
                if headers.len() == 2 {
                    whole.set_header("Content-Length", "7").unwrap();
                }
                let expected = Payload::new(&whole, 1);
                let payload = message.fixed().expect("nothing varies");
                let all = |payload: &Payload| {
                    let mut all = Vec::new();
                    while all.len() < payload.length() {
                        let (bytes, range) = payload.piece(all.len()..payload.length());
                        all.extend_from_slice(&bytes[range]);
                    }
                    all
                };
                assert_eq!(all(payload), all(&expected), "{method} {size} {headers:?}");
                // Written, it is the same.
                assert_eq!(sent(&message, 1), all(&expected), "{method} {size} {headers:?}");
            }
        }
    }
    let vars = world.compile(&get("/{{var.channel}}/{{var.path}}"), &[]);
    let expected = "GET /1/a%20b HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(vars.fixed().unwrap().bytes(), expected);
    assert!(world.compile(&get("/{{seq}}"), &[]).fixed().is_none());
}

#[test]
fn a_large_fixed_end_of_a_body_is_shared() {
    let world = World::new();
    let large = Bytes::from(vec![b'x'; 5_000]);
    let id = Piece::Text("{{seq}}".into(), Escape::Raw);
    let message = world.compile(&post(), &[id.clone(), Piece::Fixed(large.clone())]);
    assert_eq!(message.tail().as_ptr(), large.as_ptr());
    assert!(
        sent(&message, 1).starts_with(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5001\r\n")
    );
    assert!(message.most() < 200);
    let message = world.compile(&get("/{{seq}}"), &[Piece::Fixed(large.clone())]);
    assert_eq!(message.tail().as_ptr(), large.as_ptr());
    // In front of what varies it is copied.
    let message = world.compile(&post(), &[Piece::Fixed(large), id]);
    assert!(message.tail().is_empty() && sent(&message, 1).ends_with(b"xx7"));
    let small = [Piece::Text("{{seq}}".into(), Escape::Raw), Piece::Fixed(vec![b'x'; 4096].into())];
    assert!(world.compile(&post(), &small).tail().is_empty());
}

#[test]
fn the_bodies_of_plans_are_written_in_golden_bytes() {
    let world = World::new();
    let of = |pieces: &[Piece]| {
        let sent = String::from_utf8(sent(&world.compile(&get("/"), pieces), 1)).unwrap();
        sent.split_once("\r\n\r\n").unwrap().1.to_string()
    };
    let json: serde_json::Value = serde_json::from_str(
        r#"{"z": "{{int 5 5}}", "a": [true, null, 1.5, "{{float 1 1 2}}"], "s": "n {{seq}}\"\n",
            "id": "{{user.id}}", "e": "{{data.users.note}}", "c": "{{choice \"a b\" \"a b\"}}",
            "k{{seq}}": {}, "r": "{{\"{{\"}}", "q": "{{{seq}}}"}"#,
    )
    .unwrap();
    let expected = r#"{"z":5,"a":[true,null,1.5,1.00],"s":"n 7\"\n","id":3,"e":"x\"y\nz","c":"a b","k7":{},"r":"{{","q":"{7}"}"#;
    assert_eq!(of(&body::json(&json)), expected);
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    let form = pairs(&[("user name", "{{data.users.email}}"), ("p", "a&b {{capture.token}}")]);
    let expected = "user+name=a%40b.example&p=a%26b+t%22k%0D%0AX%3A+y";
    assert_eq!(of(&body::form(&form)), expected);
    let query = body::query(&pairs(&[("page", "{{int 9 9}}"), ("q", "a b&{{var.path}}")]));
    let line = "GET /?page=9&q=a%20b%26a%20b HTTP/1.1\r\n";
    let message = world.compile(&get(&format!("/?{query}")), &[]);
    assert!(sent(&message, 1).starts_with(line.as_bytes()));
    // Braces that nothing closes in one text are not closed by the next.
    let open = serde_json::json!({ "a": "{{choice \"x", "b": "y\"}}" });
    assert!(world.compile_as(Reader::Server, &get("/"), &body::json(&open)).is_err());
    let part = |name: &str, content, filename: Option<&str>, content_type: Option<&str>| {
        let (filename, content_type) = (filename.map(Into::into), content_type.map(Into::into));
        MultipartPart { name: name.into(), content, filename, content_type }
    };
    let (pieces, content_type) = body::multipart(&[
        part("user_id", Piece::Text("{{user.id}}".into(), Escape::Raw), None, None),
        part("file", Piece::Fixed("{{seq}}".into()), Some("v.ogg"), Some("audio/ogg")),
    ]);
    let boundary = "------------------------0000000000000000";
    assert_eq!(content_type, format!("multipart/form-data; boundary={boundary}"));
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"user_id\"\r\n\r\n3\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"v.ogg\"\r\n\
         Content-Type: audio/ogg\r\n\r\n{{{{seq}}}}\r\n--{boundary}--\r\n"
    );
    assert_eq!(of(&pieces), expected);
}

/// Any order of texts in any place: the length is right, the seed decides, and room once made is
/// enough.
#[test]
fn a_thousand_random_templates_have_the_length_that_they_say() {
    const TEXTS: [&str; 12] = [
        "{{int -5 100000}}",
        "{{float -1 1000 3}}",
        "{{choice a \"b c d\" \"\"}}",
        "{{uuid}}",
        "{{string 9}}",
        "{{hex 3}}",
        "{{data.users.email}}",
        "{{data.users.note}}",
        "{{capture.token}}",
        "{{seq}}",
        "plain",
        "{",
    ];
    let world = World::new();
    for number in 0..1_000 {
        let mut dice = Dice::of(crate::time::now().0, 1, number);
        let mut text = |kinds| {
            let count = dice.below(5);
            (0..count).map(|_| TEXTS[dice.below(kinds) as usize]).collect::<Vec<_>>().join("-")
        };
        let (target, header, texts) = (format!("/{}", text(11)), text(12), [text(12), text(12)]);
        let large = dice.below(2) as usize * 5_000;
        let mut request = Request::new(["GET", "PUT"][dice.below(2) as usize], &target, "h");
        request.set_header("X-A", &header).unwrap();
        let [first, second] = texts.map(|text| Piece::Text(text, Escape::Json));
        let pieces = [first, Piece::Fixed(vec![b'y'; large].into()), second];
        let message = match world.compile_as(Reader::Server, &request, &pieces) {
            Ok(message) => message,
            Err(error) => panic!("{request:?} {pieces:?}: {error}"),
        };
        let sent = sent(&message, number);
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut parsed = httparse::Request::new(&mut fields);
        let head = parsed.parse(&sent).unwrap_or_else(|error| panic!("{request:?}: {error}"));
        let length = sent.len() - head.unwrap();
        let said = parsed.headers.iter().find(|field| field.name == "Content-Length");
        let said = said.map_or(0, |said| std::str::from_utf8(said.value).unwrap().parse().unwrap());
        assert_eq!(said, length, "{request:?} {pieces:?}");
        assert_eq!(sent, self::sent(&message, number), "the same seed, other bytes");
        assert!(sent.len() <= message.most() + message.tail().len(), "{request:?} {pieces:?}");
    }
}

#[test]
fn another_seed_makes_another_message() {
    let world = World::new();
    let message = world.compile(&get("/{{int 1 1000000000}}"), &[]);
    let all: std::collections::BTreeSet<_> = (0..1_000).map(|seed| sent(&message, seed)).collect();
    assert!(all.len() > 990);
}

#[test]
fn buffers_of_the_size_told_never_grow() {
    let world = World::new();
    let mut request = get("/{{int 1 99}}/{{uuid}}?t={{data.users.note}}");
    request.add_header("X-T", "{{now rfc3339}} {{string 30}}").unwrap();
    let texts = ["{{float 0 1 9}}{{hex 40}}{{now unix_ms}}", "{{choice a bcd}}{{seq}}"];
    let pieces = texts.map(|text| Piece::Text(text.to_string(), Escape::Json));
    let message = world.compile(&request, &pieces);
    let mut body = Vec::with_capacity(message.most());
    let mut into = Vec::with_capacity(message.most());
    let room = (body.capacity(), into.capacity());
    for number in 0..2_000 {
        let mut dice = Dice::of(5, 0, number);
        let row = [number % 2];
        let context = context(&mut dice, &[]);
        let mut context = Context { rows: &row, number, user: number, ..context };
        message.write(&mut context, &mut body, &mut into);
        assert!(into.ends_with(number.to_string().as_bytes()));
    }
    assert_eq!((body.capacity(), into.capacity()), room);
}

#[test]
fn tables_that_are_drawn_from_are_told() {
    let world = World::new();
    let text = |text: &str| [Piece::Text(text.to_string(), Escape::Raw)];
    let message = world.compile(&get("/"), &text("{{data.users.email}} {{data.users.note}}"));
    assert_eq!(message.tables(), [0]);
    assert!(world.compile(&get("/{{seq}}"), &[]).tables().is_empty());
}

#[test]
fn cookies_of_a_request_stand_last_where_its_user_keeps_some() {
    let mut world = World::new();
    world.has_cookies = true;
    let mut request = get("/");
    request.add_header("Cookie", "a={{seq}}").unwrap();
    request.add_header("X-A", "1").unwrap();
    let message = world.compile(&request, &[]);
    assert!(message.fixed().is_none());
    // The jar is empty.
    let expected = "GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nCookie: a=7\r\n\r\n";
    assert_eq!(sent(&message, 1), expected.as_bytes());
    assert_eq!(sent(&world.compile(&get("/"), &[]), 1), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
}

#[test]
fn what_is_shown_holds_no_secret_and_is_otherwise_what_is_sent() {
    let world = World::new();
    let mut request = get("/?api_key={{hex 8}}&n={{int 1 1000000}}");
    request.method = "POST".into();
    request.add_header("Authorization", "Bearer {{uuid}}").unwrap();
    request.add_header("X-Env", "<{{env API_KEY}}>").unwrap();
    let text = r#"{"user":"{{string 8}}","password":"p{{string 9}}","n":{{int 1 99}},"t":"{{capture.token}}"}"#;
    let pieces = [Piece::Text(text.into(), Escape::Json)];
    let of = |reader| {
        let message = world.compile_as(reader, &request, &pieces).unwrap();
        String::from_utf8(sent(&message, 4)).unwrap()
    };
    let (real, shown) = (of(Reader::Server), of(Reader::Person));
    assert!(real.contains("s3cr3t") && !shown.contains("s3cr3t") && !shown.contains("t\\\"k"));
    let value = |text: &str, from: &str, to: &str| {
        let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("{from}: {text}"));
        rest.split_once(to).unwrap().0.to_string()
    };
    for (from, to, is_secret) in [
        ("api_key=", "&", true),
        ("&n=", " ", false),
        ("Authorization: ", "\r\n", true),
        ("X-Env: <", ">", true),
        ("Content-Length: ", "\r\n", false),
        ("\"user\":\"", "\"", false),
        ("\"password\":\"", "\"", true),
        ("\"n\":", ",", false),
        ("\"t\":\"", "\"}", true),
    ] {
        let expected = if is_secret { "***".to_string() } else { value(&real, from, to) };
        assert_eq!(value(&shown, from, to), expected, "{from}");
    }
    // An environment's value is no fixed payload that could be printed.
    let env = world.compile_as(Reader::Person, &get("/{{env API_KEY}}"), &[]).unwrap();
    assert!(env.fixed().is_none() && sent(&env, 1).starts_with(b"GET /*** HTTP"));
}

#[test]
fn what_a_text_refers_to_and_is_not_there_is_one_sentence() {
    let mut world = World::new();
    world.has_users = false;
    for (text, expected) in [
        (
            "{{var.chanel}}",
            "there is no variable `chanel`; name it in `[vars]`; did you mean `channel`?",
        ),
        ("{{env API_KEYS}}", "the environment has no variable `API_KEYS`; export it first"),
        ("{{capture.tokn}}", "did you mean `token`?"),
        ("{{data.user.email}}", "with a `file` to the plan; did you mean `users`?"),
        ("{{data.users.mail}}", "email, password, note; did you mean `email`?"),
        ("{{data.users.zzz}}", "use one of email, password, note"),
        ("{{user.id}}", "add `[session]` to the plan, or use `{{seq}}`"),
        ("{{itn 1 2}}", "did you mean `{{int 1 100}}`?"),
        ("a{{b", "nothing closes it"),
    ] {
        let body = [Piece::Text(text.to_string(), Escape::Raw)];
        let mut header = get("/");
        header.add_header("X-A", text).unwrap();
        for (request, body, place) in [
            (get("/"), &body[..], "in the body: "),
            (get(&format!("/{text}")), &[], "in the path: "),
            (header, &[], "in header `X-A`: "),
        ] {
            let error = world.compile_as(Reader::Server, &request, body).expect_err(text);
            assert!(error.message.starts_with(place), "{error}");
            assert!(error.message.contains(expected), "{error}");
            assert_eq!(error.exit, crate::Exit::Usage);
        }
    }
    for target in ["/a b", "/\r\nX: y", "/{{\"a b\"}}", ""] {
        assert!(world.compile_as(Reader::Server, &get(target), &[]).is_err(), "{target:?}");
    }
    let mut header = get("/");
    header.headers.push(("X-A".into(), "{{seq}}\r\nX-B: c".into()));
    assert!(world.compile_as(Reader::Server, &header, &[]).is_err());
}
