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

/// Whether a field of this name may hold a secret.
pub fn sounds_secret(name: &str) -> bool {
    let name = String::from_utf8_lossy(&percent_decoded(name)).to_ascii_lowercase();
    ["key", "token", "secret", "password"].iter().any(|word| name.contains(word))
}

/// A line that somebody else wrote, a log's say, without the values of fields whose names sound
/// secret and without the userinfo of addresses.
pub fn mask_text(line: &str) -> String {
    let (mut shown, mut rest) = (String::new(), line);
    while let Some(at) = rest.find([':', '=']) {
        let (name, value) = (&rest[..at], &rest[at + 1..]);
        let secret = match value.strip_prefix("//") {
            Some(place) if rest[at..].starts_with(':') => userinfo(place).map(|end| (2, end)),
            _ => secret_value(name, value),
        };
        let (before, length) = secret.unwrap_or_default();
        shown += &rest[..at + 1 + before];
        shown += if length > 0 { MASK } else { "" };
        rest = &value[before + length..];
    }
    shown + rest
}

/// How long it is.
fn userinfo(place: &str) -> Option<usize> {
    let end = place.find(|c: char| c.is_whitespace() || "/?#\"'".contains(c));
    place[..end.unwrap_or(place.len())].rfind('@')
}

/// What stands before the secret, and how long it is.
fn secret_value(name: &str, value: &str) -> Option<(usize, usize)> {
    let name = name.trim_end_matches(['"', '\'', ' ', '\\']);
    let word = name.rsplit(|c: char| !c.is_ascii_alphanumeric() && !"_-.%".contains(c)).next()?;
    let lower = word.to_ascii_lowercase();
    let is_line = lower.contains("authorization") || lower.contains("cookie");
    if !is_line && !sounds_secret(word) {
        return None;
    }
    let text = value.trim_start_matches([' ', '\t', '"', '\'', '\\', '=']);
    let is_quoted = value[..value.len() - text.len()].contains(['"', '\'']);
    let is_end = |c: char| match (is_quoted, is_line) {
        (true, _) => c == '"' || c == '\'',
        (false, true) => false,
        (false, false) => c.is_whitespace() || "&,;\"'})]".contains(c),
    };
    Some((value.len() - text.len(), text.find(is_end).unwrap_or(text.len())))
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
    fn a_line_of_somebody_else_is_shown_without_its_secrets() {
        for (line, expected) in [
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
        ] {
            assert_eq!(mask_text(line), expected);
        }
    }
}
