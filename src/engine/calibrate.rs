//! How late a sleeping worker wakes on this host.

use crate::time::{self, Nanos};

/// Sleeps that are tried. With their length, about 10 ms in all.
const TRIES: usize = 41;

/// Long enough for the core to go to sleep.
const LENGTH: Nanos = Nanos::from_micros(250);

/// The overshoot of a sleep until an instant: the ninth decile of a few tries.
pub fn overshoot() -> Nanos {
    let mut late: Vec<Nanos> = (0..TRIES)
        .map(|_| {
            let until = time::now() + LENGTH;
            time::sleep_until(until);
            time::now() - until
        })
        .collect();
    late.sort_unstable();
    late[TRIES * 9 / 10]
}
