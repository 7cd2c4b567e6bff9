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

#[cfg(test)]
mod tests {
    use super::*;

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
