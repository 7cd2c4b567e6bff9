//! What stands for secrets in all that is shown or stored.

/// What stands for a secret wherever something is shown.
pub const MASK: &str = "***";

/// Path and query, with the values of secret fields masked.
pub fn mask_query(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_string();
    };
    let fields = query.split('&').map(|field| match field.split_once('=') {
        Some((name, _)) if sounds_secret(name) => format!("{name}={MASK}"),
        _ => field.to_string(),
    });
    format!("{path}?{}", fields.collect::<Vec<_>>().join("&"))
}

/// A text that somebody else wrote, such as a line of a log: `password=***`, `"token": "***"`,
/// `Cookie: ***`, `postgres://***@host/db`.
pub fn mask_text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        masked += &rest[..=at];
        rest = after;
        let (skipped, length) = match after.strip_prefix("//") {
            Some(place) => (2, userinfo(place)),
            None => value_of(name_before(before), after),
        };
        if length > 0 {
            masked += &after[..skipped];
            masked += MASK;
            rest = &after[skipped + length..];
        }
    }
    masked + rest
}

/// The length of what stands before the `@` of an authority.
fn userinfo(place: &str) -> usize {
    let end = place.find(|c: char| c.is_whitespace() || "/?#\"'".contains(c));
    place[..end.unwrap_or(place.len())].rfind('@').unwrap_or(0)
}

/// The word that ends there, without what closes its quotation.
fn name_before(text: &str) -> &str {
    let text = text.trim_end().trim_end_matches(['"', '\'', '\\']);
    let is_letter = |c: char| c.is_alphanumeric() || "_-.%".contains(c);
    let start = text.char_indices().rev().take_while(|(_, c)| is_letter(*c)).last();
    start.map_or("", |(at, _)| &text[at..])
}

/// Where the value of a field begins, and its length if nobody is to see it.
fn value_of(name: &str, after: &str) -> (usize, usize) {
    let is_whole_line = WHOLE_LINES.contains(&name.to_ascii_lowercase().as_str());
    if !is_whole_line && !sounds_secret(name) {
        return (0, 0);
    }
    let value = after.trim_start().trim_start_matches('\\');
    let quote = value.chars().next().filter(|c| "\"'".contains(*c));
    let value = &value[quote.map_or(0, char::len_utf8)..];
    let length = match quote {
        Some(quote) => value.find(quote),
        None if is_whole_line => None,
        None => value.find(|c: char| c.is_whitespace() || ",;&)}]\"'".contains(c)),
    };
    (after.len() - value.len(), length.unwrap_or(value.len()))
}

/// Whether a header of this name may hold a secret.
pub fn is_secret_header(name: &str) -> bool {
    WHOLE_LINES.contains(&name.trim().to_ascii_lowercase().as_str()) || sounds_secret(name)
}

/// Headers whose values are secrets to their end.
const WHOLE_LINES: [&str; 4] = ["authorization", "cookie", "set-cookie", "proxy-authorization"];

/// Whether a field of this name may hold a secret.
pub fn sounds_secret(name: &str) -> bool {
    let name = String::from_utf8_lossy(&percent_decoded(name)).to_ascii_lowercase();
    ["key", "token", "secret", "password"].iter().any(|word| name.contains(word))
}

/// A `%` that no two hex digits follow stands for itself.
pub fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|&byte| (byte as char).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_a_text_are_masked_and_the_rest_of_it_stays() {
        for (text, expected) in [
            ("ERROR 7 password=geheim for bob", "ERROR 7 password=*** for bob"),
            ("a?token=1&b=2&api_key=3, c=4", "a?token=***&b=2&api_key=***, c=4"),
            ("DB_PASSWORD : 'a b' x", "DB_PASSWORD : '***' x"),
            (
                r#"{"user": "u", "password":"a b", "n": 1}"#,
                r#"{"user": "u", "password":"***", "n": 1}"#,
            ),
            (r#"{\"token\":\"x\"}"#, r#"{\"token\":\"***"}"#),
            ("Authorization: Bearer abc def", "Authorization: ***"),
            ("'Cookie': 'sid=1; b=2', 'A': 1", "'Cookie': '***', 'A': 1"),
            ("to postgres://me:pw@db/x failed: timeout", "to postgres://***@db/x failed: timeout"),
            ("GET http://h/a@b at 12:30:01", "GET http://h/a@b at 12:30:01"),
            ("secret=", "secret="),
            ("GET /x?a=1&token=planted&b=2 200", "GET /x?a=1&token=***&b=2 200"),
            ("token: planted, user: 5", "token: ***, user: 5"),
            ("{\"api_key\": \"planted a\", \"n\": 1}", "{\"api_key\": \"***\", \"n\": 1}"),
            ("Authorization: Bearer planted", "Authorization: ***"),
            ("at 10:00:01 Set-Cookie: id=planted; a=b", "at 10:00:01 Set-Cookie: ***"),
            ("postgres://u:planted@db:5432/x failed", "postgres://***@db:5432/x failed"),
            ("PGPASSWORD=planted psql", "PGPASSWORD=*** psql"),
            ("password=é planted=1", "password=*** planted=1"),
            ("key not found: user 7", "key not found: user 7"),
            ("http://host/a@b?c=d", "http://host/a@b?c=d"),
            ("token:", "token:"),
            ("a=b:c=", "a=b:c="),
            ("é=ü: ö", "é=ü: ö"),
        ] {
            assert_eq!(mask_text(text), expected, "{text}");
        }
    }
}
