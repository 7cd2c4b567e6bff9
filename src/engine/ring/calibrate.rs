//! How late a sleeping worker wakes on this host.

use super::uring::{Features, Uring};
use crate::engine::core::Wake;
use crate::error::Result;
use crate::plan::Wait;
use crate::time::{self, Nanos};

/// Waits that are tried. With their length, about 10 ms in all.
const TRIES: usize = 41;

/// Long enough for the core to go to sleep.
const LENGTH: Nanos = Nanos::from_micros(250);

/// The overshoot of a blocking wait: the ninth decile of a few tries.
pub fn overshoot() -> Result<Nanos> {
    let mut uring = Uring::new(1, Wait::Block, Nanos::ZERO, Features::ALL)?;
    let mut late = Vec::with_capacity(TRIES);
    for _ in 0..TRIES {
        let now = time::now();
        let at = now + LENGTH;
        uring.wait(Wake { at, exact: true }, now)?;
        late.push(time::now() - at);
    }
    late.sort_unstable();
    Ok(late[TRIES * 9 / 10])
}
