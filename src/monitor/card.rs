//! The network cards of this host, by how much of their speed is in use: a gauge, where some card
//! says how fast it is. (The loopback has no speed, and most virtual cards do not tell theirs.)

use std::fs;
use std::path::{Path, PathBuf};

use super::sampler::Probe;
use crate::metrics::{Label, Unit};
use crate::time::{self, Nanos};

/// Where the kernel tells of them: sysfs-class-net.
const CARDS: &str = "/sys/class/net";

/// The cards whose speed is known; the busiest of them in its busier direction is the gauge.
#[derive(Debug)]
pub struct Cards {
    cards: Vec<Card>,
    before: Option<Nanos>,
}

#[derive(Debug)]
struct Card {
    folder: PathBuf,
    bytes_per_s: f64,
    /// Received and sent so far.
    before: Option<[u64; 2]>,
}

impl Default for Cards {
    fn default() -> Cards {
        Cards::of(Path::new(CARDS))
    }
}

impl Cards {
    fn of(folder: &Path) -> Cards {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let cards = entries.filter_map(|entry| Card::of(entry.path())).collect();
        Cards { cards, before: None }
    }

    /// Percent of the speed, over the time since the reading before.
    fn used(&mut self, now: Nanos) -> Option<f64> {
        let length = self.before.replace(now).map_or(0.0, |before| (now - before).as_secs_f64());
        let used = self.cards.iter_mut().filter_map(|card| {
            let bytes = card.read()?;
            let before = card.before.replace(bytes)?;
            // A card that was taken out and put in again counts from zero.
            let sent = bytes.iter().zip(before).map(|(now, then)| now.saturating_sub(then));
            (length > 0.0).then(|| sent.max().unwrap_or(0) as f64 / length / card.bytes_per_s)
        });
        used.reduce(f64::max).map(|share| share * 100.0)
    }
}

impl Card {
    /// `None` where its speed is unknown: no such file, an error, or -1.
    fn of(folder: PathBuf) -> Option<Card> {
        let megabits: f64 = fs::read_to_string(folder.join("speed")).ok()?.trim().parse().ok()?;
        let card = Card { folder, bytes_per_s: megabits * 125_000.0, before: None };
        (megabits > 0.0).then_some(card)
    }

    fn read(&self) -> Option<[u64; 2]> {
        let number = |name: &str| {
            let file = self.folder.join("statistics").join(name);
            fs::read_to_string(file).ok()?.trim().parse().ok()
        };
        Some([number("rx_bytes")?, number("tx_bytes")?])
    }
}

impl Probe for Cards {
    fn labels(&self) -> Vec<Label> {
        let label = (!self.cards.is_empty()).then(|| Label::new("host.net_use", Unit::Percent));
        label.into_iter().collect()
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        if !self.cards.is_empty() {
            let used = self.used(time::now());
            values.push(used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A card as sysfs shows it.
    fn put(folder: &Path, name: &str, speed: &str, received: u64, sent: u64) {
        let card = folder.join(name);
        fs::create_dir_all(card.join("statistics")).unwrap();
        fs::write(card.join("speed"), format!("{speed}\n")).unwrap();
        fs::write(card.join("statistics/rx_bytes"), format!("{received}\n")).unwrap();
        fs::write(card.join("statistics/tx_bytes"), format!("{sent}\n")).unwrap();
    }

    #[test]
    fn the_busiest_card_counts_in_its_busier_direction_and_those_without_a_speed_do_not() {
        let folder = std::env::temp_dir().join(format!("blast-cards-{}", std::process::id()));
        put(&folder, "eth0", "1000", 0, 0);
        put(&folder, "eth1", "10000", 0, 0);
        put(&folder, "lo", "", 0, 0);
        put(&folder, "virtio", "-1", 0, 0);
        let mut cards = Cards::of(&folder);
        assert_eq!(cards.cards.len(), 2);
        assert_eq!(cards.used(Nanos::from_secs(1)), None);
        // In two seconds: a gigabit card sends 187.5 MB of 250, the other takes in 500 of 2,500.
        put(&folder, "eth0", "1000", 5_000_000, 187_500_000);
        put(&folder, "eth1", "10000", 500_000_000, 0);
        put(&folder, "lo", "", 1 << 40, 1 << 40);
        assert_eq!(cards.used(Nanos::from_secs(3)), Some(75.0));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(cards.used(Nanos::from_secs(4)), None);
    }

    #[test]
    fn a_host_whose_cards_tell_no_speed_has_no_such_gauge() {
        let mut cards = Cards::of(Path::new("/nowhere"));
        let mut values = Vec::new();
        cards.read(&mut values);
        assert!(cards.labels().is_empty() && values.is_empty());
    }
}
