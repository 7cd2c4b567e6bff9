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
