//! `/proc/sys`, and the little formats that its files have.

use std::fs;

/// The text of a setting named with dots, as sysctl(8) names it.
pub fn text(name: &str) -> Option<String> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    fs::read_to_string(path).ok().map(|text| text.trim().to_string())
}

pub fn number(name: &str) -> Option<u64> {
    text(name)?.parse().ok()
}

/// Three numbers, such as those of `net.ipv4.tcp_mem`.
pub fn triple(text: &str) -> Option<[u64; 3]> {
    let numbers: Vec<u64> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
    numbers.try_into().ok()
}

/// The ports that the kernel gives to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub first: u16,
    pub last: u16,
    /// Without the reserved ones.
    pub count: u64,
}

impl Ports {
    /// The widest range that leaves the well-known ports alone.
    pub const WIDEST: (u16, u16) = (1_024, 65_535);

    pub fn read() -> Option<Ports> {
        let reserved = text("net.ipv4.ip_local_reserved_ports").unwrap_or_default();
        Ports::parse(&text("net.ipv4.ip_local_port_range")?, &reserved)
    }

    /// From "32768 60999", and reserved ports such as "8080,9000-9099".
    pub fn parse(range: &str, reserved: &str) -> Option<Ports> {
        let mut bounds = range.split_whitespace().map(str::parse::<u16>);
        let (first, last) = (bounds.next()?.ok()?, bounds.next()?.ok()?);
        let all = u64::from(last.checked_sub(first)?) + 1;
        let taken = reserved.split(',').filter_map(|part| overlap(part.trim(), first, last));
        Some(Ports { first, last, count: all.saturating_sub(taken.sum()) })
    }
}

/// How many of `first..=last` lie in "8080" or "9000-9099".
fn overlap(part: &str, first: u16, last: u16) -> Option<u64> {
    let (from, to) = part.split_once('-').unwrap_or((part, part));
    let (from, to) = (from.parse::<u16>().ok()?.max(first), to.parse::<u16>().ok()?.min(last));
    to.checked_sub(from).map(|more| u64::from(more) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_range_is_counted_without_what_is_reserved() {
        let parse = |reserved| Ports::parse("32768\t60999\n", reserved).unwrap();
        assert_eq!(parse(""), Ports { first: 32_768, last: 60_999, count: 28_232 });
        assert_eq!(parse("8080,40000-40099,60999").count, 28_232 - 101);
        assert_eq!(parse("1-65535").count, 0);
        assert_eq!(parse("60000-65535").count, 28_232 - 1_000);
    }

    #[test]
    fn what_is_no_range_is_none() {
        for text in ["", "32768", "60999 32768", "a b", "1 99999"] {
            assert_eq!(Ports::parse(text, ""), None, "{text}");
        }
    }

    #[test]
    fn three_numbers_are_three_numbers() {
        assert_eq!(triple("4096\t131072\t33554432\n"), Some([4_096, 131_072, 33_554_432]));
        assert_eq!(triple("4096 131072"), None);
        assert_eq!(triple("1 2 3 4"), None);
    }

    #[test]
    fn this_host_has_settings() {
        assert!(text("kernel.osrelease").is_some_and(|release| release.contains('.')));
        assert!(number("net.core.somaxconn").is_some_and(|n| n > 0));
        assert_eq!(number("net.core.no_such_setting"), None);
    }
}
