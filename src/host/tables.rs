//! The tables of registered files, where the ring engine's sockets lie: how many rings so many
//! connections take, and what these take of the limit of open files. Sockets in a table are no
//! descriptors, but a table is no longer than the limit.

use super::SPARE_DESCRIPTORS;

/// The rings that a worker may have, the descriptors that each takes (its own and its bell's), and
/// those that a worker needs besides while it opens connections.
pub const MOST_RINGS: u64 = 64;
const PER_RING: u64 = 2;
const PER_WORKER: u64 = 4;

/// The kernel's own limit of a table.
const LARGEST: u64 = 1 << 20;

/// How long the table of one ring may be.
pub fn longest(limit: u64) -> u32 {
    limit.clamp(1, LARGEST) as u32
}

/// How many rings a worker takes for so many connections. Where one table is too short, they lie
/// in blocks of a power of two.
pub fn rings(connections: u64, limit: u64) -> u64 {
    let longest = longest(limit);
    match connections <= u64::from(longest) {
        true => 1,
        false => connections.div_ceil(1 << longest.ilog2()),
    }
}

/// The descriptors that the workers take.
pub fn descriptors(workers: u64, rings: u64) -> u64 {
    workers * (rings * PER_RING + PER_WORKER)
}

/// The lowest limit, as a power of two, that lets each worker have so many connections.
pub fn least_limit(connections: u64, workers: u64) -> u64 {
    let fits = |limit: &u64| {
        let rings = rings(connections, *limit);
        rings <= MOST_RINGS && SPARE_DESCRIPTORS + descriptors(workers, rings) <= *limit
    };
    (6..).map(|power| 1_u64 << power).find(fits).unwrap_or(LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_takes_as_many_rings_as_its_connections_need_tables() {
        for (connections, limit, expected) in [
            (1, 1, 1),
            (20_000, 20_000, 1),
            (50_000, 20_000, 4),
            (1_000, 64, 16),
            (1_000_000, u64::MAX, 1),
            (2_000_000, u64::MAX, 2),
        ] {
            assert_eq!(rings(connections, limit), expected, "{connections} in {limit}");
        }
    }

    #[test]
    fn the_least_limit_would_do_and_half_of_it_would_not() {
        for (connections, workers) in [(500, 1), (100_000, 2), (1_000_000, 8)] {
            let fits = |limit| {
                let rings = rings(connections, limit);
                rings <= MOST_RINGS && SPARE_DESCRIPTORS + descriptors(workers, rings) <= limit
            };
            let least = least_limit(connections, workers);
            assert!(fits(least) && !fits(least / 2), "{connections}, {workers}: {least}");
        }
    }
}
