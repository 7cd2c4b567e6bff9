//! Names that were typed and do not exist: which one was probably meant.

/// Above this, more than half of it being the same, one may be meant for the other.
const ALIKE: f64 = 0.5;

/// Those of `names` that may have been meant, the likeliest first.
pub fn alike<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let given = plain(given);
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&given, &plain(name));
    let scored = names.into_iter().map(|name| (likeness(name), name));
    let mut alike: Vec<(f64, &str)> = scored.filter(|(likeness, _)| *likeness > ALIKE).collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.into_iter().map(|(_, name)| name).collect()
}

/// The likeliest of them.
pub fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    alike(given, names).first().copied()
}

/// Case and kind of dash are no difference.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_comes_first_and_what_is_unlike_not_at_all() {
        let names = ["rps", "connections", "connect_rate"];
        assert_eq!(nearest("Conections", names), Some("connections"));
        assert_eq!(alike("connect-rates", names), ["connect_rate", "connections"]);
        assert_eq!(nearest("zzz", names), None);
    }
}
