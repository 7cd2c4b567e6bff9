//! Texts of other tools in the language of plan files, where `{{` begins a placeholder.

/// What stands for `{{` itself.
pub const OPENING: &str = "{{\"{{\"}}";

/// A text that means nothing but itself.
pub fn literal(text: &str) -> String {
    text.replace("{{", OPENING)
}

/// The text is sent as it is: nothing in it is drawn or put in.
pub fn is_literal(text: &str) -> bool {
    !text.replace(OPENING, "").contains("{{")
}

/// The pieces of a text in turn: what stands outside of `{{ }}`, and what inside.
pub enum Piece<'a> {
    Outside(&'a str),
    Inside(&'a str),
}

/// Takes a text apart at `{{name}}`, as Postman writes variables. What is never closed stands
/// outside.
pub fn pieces(mut text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some(start) = text.find("{{") {
        let Some(length) = text[start + 2..].find("}}") else { break };
        let inside = &text[start + 2..start + 2 + length];
        pieces.push(Piece::Outside(&text[..start]));
        pieces.push(Piece::Inside(inside.trim()));
        text = &text[start + 2 + length + 2..];
    }
    pieces.push(Piece::Outside(text));
    pieces
}

/// What may not stand in a request line, percent-encoded; placeholders stay.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (outside, inside, behind) = next_placeholder(rest);
        for byte in outside.bytes() {
            match byte {
                b'"' | b'#' | b'<' | b'>' => encoded.push_str(&format!("%{byte:02X}")),
                b'!'..=b'~' => encoded.push(char::from(byte)),
                _ => encoded.push_str(&format!("%{byte:02X}")),
            }
        }
        encoded.push_str(inside);
        rest = behind;
    }
    encoded
}

/// A path as a name shows it, without its query and with what varies in single braces:
/// `/users/{{var.id}}?x` is `/users/{id}`.
pub fn shown(path: &str) -> String {
    let mut shown = String::with_capacity(path.len());
    let mut rest = path;
    while !rest.is_empty() {
        let (outside, placeholder, behind) = next_placeholder(rest);
        if let Some((path, _)) = outside.split_once('?') {
            return shown + path;
        }
        shown.push_str(outside);
        match placeholder {
            "" => {}
            OPENING => shown.push_str("{{"),
            _ => shown.push_str(&format!("{{{}}}", word_of(placeholder))),
        }
        rest = behind;
    }
    shown
}

/// `int` of `{{int 1 9}}`, `id` of `{{var.id}}`.
fn word_of(placeholder: &str) -> &str {
    let inside = placeholder.trim_matches(['{', '}', ' ']);
    let word = inside.split(' ').next().unwrap_or_default();
    word.rsplit('.').next().unwrap_or_default()
}

/// What stands before the first placeholder, the placeholder, and what follows it.
fn next_placeholder(text: &str) -> (&str, &str, &str) {
    let Some(start) = text.find("{{") else { return (text, "", "") };
    let from = if text[start..].starts_with(OPENING) { OPENING.len() - 2 } else { 2 };
    match text[start + from..].find("}}") {
        Some(length) => {
            let end = start + from + length + 2;
            (&text[..start], &text[start..end], &text[end..])
        }
        None => (text, "", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_brace_is_told_from_a_placeholder() {
        assert_eq!(literal("a{{b}}"), "a{{\"{{\"}}b}}");
        assert!(is_literal(&literal("a{{b}}")) && !is_literal("{{env A}}"));
    }

    #[test]
    fn only_what_stands_outside_of_placeholders_is_encoded() {
        for (text, expected) in [
            ("/a b", "/a%20b"),
            ("/\u{e9}?q=\"#", "/%C3%A9?q=%22%23"),
            ("/{{choice \"a b\" c}}/x", "/{{choice \"a b\" c}}/x"),
            ("/a{{\"{{\"}}b}}", "/a{{\"{{\"}}b}}"),
            ("/open{{", "/open{{"),
        ] {
            assert_eq!(encoded(text), expected);
        }
    }

    #[test]
    fn a_name_shows_what_varies_in_single_braces() {
        for (path, expected) in [
            ("/users/{{var.id}}?x={{int 1 2}}", "/users/{id}"),
            ("/a/{{int 1 9}}/b", "/a/{int}/b"),
            ("/plain?x", "/plain"),
            ("/a{{\"{{\"}}b", "/a{{b"),
        ] {
            assert_eq!(shown(path), expected);
        }
    }
}
