//! Which process a row belongs to, and whether it is still there.

use std::fs;

/// A process by its number and when it was started, on one boot of the host: numbers come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(String);

impl Holder {
    /// This process.
    pub fn this() -> Holder {
        Holder::of(std::process::id())
    }

    pub fn of(pid: u32) -> Holder {
        Holder(format!("{} {pid} {}", boot(), started(pid).unwrap_or(0)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the process that this text names is still there.
    pub fn is_there(text: &str) -> bool {
        let mut words = text.split(' ');
        let (Some(booted), Some(pid), Some(start)) = (words.next(), words.next(), words.next())
        else {
            return false;
        };
        let running = pid.parse().ok().and_then(started);
        booted == boot() && running.is_some_and(|now| start == now.to_string())
    }
}

fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_string()
}

/// The 22nd field of its stat, in ticks since the boot; a name may have spaces and braces in it.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    // A zombie has ended.
    let is_over = fields.starts_with(['Z', 'X']);
    fields.split(' ').nth(19)?.parse().ok().filter(|_| !is_over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_there_and_one_with_its_number_but_another_start_is_not() {
        let this = Holder::this();
        assert!(Holder::is_there(this.as_str()));
        assert!(!Holder::is_there(&format!("{}0", this.as_str())));
        assert!(!Holder::is_there(&this.as_str().replacen(
            |c: char| c.is_ascii_hexdigit(),
            "x",
            1
        )));
        assert!(!Holder::is_there(""));
    }
}
