//! How placeholders are written, and what is said of those that are not.

use super::*;

fn parse(inside: &str) -> Result<Placeholder> {
    Placeholder::parse(&format!("{{{{{inside}}}}}"))
}

#[test]
fn a_text_is_split_at_its_braces() {
    use Stretch::*;
    let table: [(&str, &[Stretch]); 11] = [
        ("", &[]),
        ("a{b}c", &[Literal("a{b}c")]),
        ("a{{b}}c", &[Literal("a"), Placeholder("{{b}}"), Literal("c")]),
        ("{{a}}{{b}}", &[Placeholder("{{a}}"), Placeholder("{{b}}")]),
        ("{\"v\": {{a}}}", &[Literal("{\"v\": "), Placeholder("{{a}}"), Literal("}")]),
        ("{{{a}}}", &[Literal("{"), Placeholder("{{a}}"), Literal("}")]),
        ("{{\"{{\"}}", &[Placeholder("{{\"{{\"}}")]),
        ("{{c \"}}\" \"\\\"}}\"}}x", &[Placeholder("{{c \"}}\" \"\\\"}}\"}}"), Literal("x")]),
        ("a{{b", &[Literal("a"), Open("{{b")]),
        ("{{c \"a}}", &[Open("{{c \"a}}")]),
        ("}}a", &[Literal("}}a")]),
    ];
    for (text, expected) in table {
        assert_eq!(split(text).collect::<Vec<_>>(), expected, "{text}");
    }
    for text in ["", "a{{b", "{{{", "{{{{x}}"] {
        let literal = literal(text);
        let read = split(&literal).map(|stretch| match stretch {
            Literal(literal) => literal.to_string(),
            Placeholder(whole) => match super::Placeholder::parse(whole).unwrap() {
                super::Placeholder::Text(text) => text,
                other => panic!("{other:?}"),
            },
            Open(open) => panic!("{open}"),
        });
        assert_eq!(read.collect::<String>(), text);
    }
}

#[test]
fn each_placeholder_is_read() {
    use super::Placeholder::*;
    for (inside, expected) in [
        ("int 1 100", Int(1, 100)),
        (" int  -9223372036854775808 9223372036854775807 ", Int(i64::MIN, i64::MAX)),
        ("float 0 1 2", Float { low: 0, high: 100, decimals: 2 }),
        ("float -0.125 1.999 2", Float { low: -12, high: 199, decimals: 2 }),
        ("float 0.121 .5 2", Float { low: 13, high: 50, decimals: 2 }),
        ("float -1.001 -0.009 2", Float { low: -100, high: -1, decimals: 2 }),
        ("float 3 3 0", Float { low: 3, high: 3, decimals: 0 }),
        ("choice a \"b c\" \"\\\"\"", Choice(vec!["a".into(), "b c".into(), "\"".into()])),
        ("choice \"\"", Choice(vec![String::new()])),
        ("uuid", Uuid),
        ("seq", Seq),
        ("seq hex", SeqHex),
        ("string 12", Letters(12)),
        ("hex 16", Hex(16)),
        ("now rfc3339", Now(Clock::Rfc3339)),
        ("now unix", Now(Clock::Seconds)),
        ("now unix_ms", Now(Clock::Milliseconds)),
        ("env API_KEY", Env("API_KEY".into())),
        ("data.users.email", Data { table: "users".into(), column: "email".into() }),
        ("data.u.\"first name\"", Data { table: "u".into(), column: "first name".into() }),
        ("data.u.a.b", Data { table: "u".into(), column: "a.b".into() }),
        ("capture.token", Capture("token".into())),
        ("user.id", User),
        ("var.channel", Var("channel".into())),
        ("\"{{\"", Text("{{".into())),
    ] {
        assert_eq!(parse(inside), Ok(expected), "{inside}");
    }
}

#[test]
fn a_wrong_placeholder_is_one_sentence_that_says_what_to_write() {
    for (inside, expected) in [
        ("", "is empty"),
        ("itn 1 2", "`itn` is no placeholder; did you mean `{{int 1 100}}`?"),
        ("uid", "did you mean `{{uuid}}`?"),
        ("date.users.email", "did you mean `{{data.TABLE.COLUMN}}`?"),
        ("users.id", "did you mean `{{user.id}}`?"),
        ("user.name", "`user.name` is not complete; write it as in `{{user.id}}`"),
        ("env.NAME", "write it as in `{{env NAME}}`"),
        ("zzz", "use one of int, float"),
        ("zzz", "two braces themselves are written `{{\"{{\"}}`"),
        ("int", "`int` is not complete; write it as in `{{int 1 100}}`"),
        ("int 1", "`{{int 1 100}}`"),
        ("int 1 x", "`x` is no whole number"),
        ("int 1 9223372036854775808", "is no whole number of 64 bits"),
        ("int 2 1", "put the lower end first"),
        ("float 0 1", "write it as in `{{float 0 1 2}}`"),
        ("float 0 1e3 2", "`1e3` is no decimal number"),
        ("float 0 . 2", "`.` is no decimal number"),
        ("float 0 1 16", "0 to 15"),
        ("float 0 99999999999999999 15", "with 15 decimals"),
        ("float 0.001 0.009 2", "raise the decimals"),
        ("choice", "`{{choice a b c}}`"),
        ("string 0", "`0` is no length"),
        ("hex 99999999", "1 to 1048576"),
        ("now", "`{{now unix}}`"),
        ("now utc", "`{{now rfc3339}}`"),
        ("env", "`{{env NAME}}`"),
        ("data.users", "`{{data.TABLE.COLUMN}}`"),
        ("capture.", "`{{capture.NAME}}`"),
        ("var.a b", "`{{var.NAME}}`"),
        ("\"a\" b", "takes nothing behind it"),
    ] {
        let error = parse(inside).expect_err(inside);
        assert!(error.message.contains(expected), "{inside}: {error}");
        assert!(!error.message.contains('\n'), "{inside}: {error}");
    }
}
