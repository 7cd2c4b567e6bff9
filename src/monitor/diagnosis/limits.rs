//! The limits of this process.

use super::{Needs, Row, Side};
use crate::host::{SPARE_DESCRIPTORS, tables};
use crate::monitor::limits::{Limit, Limits};
use crate::monitor::uring::Uring;
use crate::plan::Engine;
use crate::units::{format_bytes, format_exact as exact};

pub fn descriptors(limits: &Limits, needs: &Needs) -> Row {
    let wanted = match needs.engine {
        Engine::Ring => "places in the tables of the rings".to_string(),
        Engine::TokioUring | Engine::Epoll => "descriptors".to_string(),
    };
    let Some(files) = limits.files else {
        return Row::unread("descriptors", Side::Client, "the limit of open files", wanted);
    };
    let row = match needs.engine {
        Engine::Ring => in_tables(files, limits.open, needs),
        Engine::TokioUring | Engine::Epoll => as_descriptors(files, needs),
    };
    let known = [("hard", files.hard), ("soft", files.soft)];
    let known = known.into_iter().filter_map(|(name, limit)| Some((name, limit?)));
    row.counts(&known.collect::<Vec<_>>())
}

/// On the ring engine a socket is a place in a ring's table, which is as long as the limit at
/// most.
fn in_tables(files: Limit, open: u64, needs: &Needs) -> Row {
    let per_worker = needs.connections.div_ceil(needs.workers.max(1));
    let rings = tables::rings(per_worker, files.reachable());
    let needed = open + tables::descriptors(needs.workers, rings);
    let most = tables::MOST_RINGS;
    let here = format!(
        "{}; sockets of the ring engine lie in tables of registered files, each no longer than \
         that, and cost no descriptor",
        words(files)
    );
    let wanted = format!(
        "{} connections over {}: {} a worker ({most} at most)",
        exact(needs.connections),
        plural(needs.workers, "worker"),
        plural(rings, "ring")
    );
    let row = Row::new("descriptors", Side::Client, here, wanted)
        .counts(&[("rings_per_worker", rings), ("needed", needed)]);
    if rings <= most && needed <= files.reachable() {
        return row;
    }
    let enough = tables::least_limit(per_worker, needs.workers);
    row.stop(format!("`ulimit -Hn {enough}` as root, or fewer --connections"))
}

fn as_descriptors(files: Limit, needs: &Needs) -> Row {
    let needed = needs.connections + SPARE_DESCRIPTORS;
    let here = {
        let engine = needs.engine.name();
        format!("{}; on the {engine} engine the hard limit binds", words(files))
    };
    let wanted = format!("{}: one a connection and {SPARE_DESCRIPTORS} more", exact(needed));
    let row = Row::new("descriptors", Side::Client, here, wanted).counts(&[("needed", needed)]);
    match needed <= files.reachable() {
        true => row,
        false => row.stop(format!(
            "`ulimit -Hn {needed}` as root, fewer --connections, or `--engine ring`, whose \
             sockets are no descriptors"
        )),
    }
}

fn words(files: Limit) -> String {
    let number = |limit: Option<u64>| limit.map_or("none".to_string(), exact);
    match files.soft == files.hard {
        true => format!("the limit is {}", number(files.hard)),
        false => format!(
            "soft limit {} (blast raises it), hard limit {}",
            number(files.soft),
            number(files.hard)
        ),
    }
}

/// Since Linux 5.12 a ring's memory counts to the control group, and what blast registers is none
/// of what is still locked (io_uring_setup(2), io_uring_register(2)).
pub fn locked_memory(limits: &Limits, uring: &Uring) -> Row {
    let wanted = "none: since Linux 5.12 rings count to the control group's memory";
    let Some(limit) = limits.locked_bytes else {
        return Row::unread("memlock", Side::Client, "the limit of locked memory", wanted);
    };
    let bytes = limit.soft.map_or("unlimited".to_string(), |bytes| format_bytes(bytes as f64));
    let row = Row::new("memlock", Side::Client, format!("{bytes} may be locked"), wanted);
    match uring.missing {
        Err(libc::ENOMEM) => row.stop("`ulimit -l unlimited` as root"),
        _ => row,
    }
}

pub(super) fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{} {what}s", exact(count)) }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::fixture::{needs, readings};
    use super::*;

    fn row(soft: u64, hard: u64, needs: &Needs) -> Row {
        let files = Some(Limit { soft: Some(soft), hard: Some(hard) });
        descriptors(&Limits { files, ..Limits::default() }, needs)
    }

    #[test]
    fn the_ring_engine_makes_up_for_a_small_limit_with_more_rings() {
        for (hard, connections, rings, state) in [
            (20_000, 10_000, 1, State::Ok),
            (20_000, 40_000, 1, State::Ok),
            (20_000, 100_000, 4, State::Ok),
            (1_024, 100_000, 49, State::Ok),
            (512, 100_000, 98, State::Stop),
            (64, 1_000, 8, State::Ok),
            (64, 2_000, 16, State::Stop),
        ] {
            let row = row(hard, hard, &needs(connections));
            assert_eq!(row.state, state, "{row:?}");
            assert!(row.needs.contains(&format!("{} a worker", plural(rings, "ring"))), "{row:?}");
        }
    }

    #[test]
    fn what_would_do_for_the_rings_does() {
        for (hard, connections) in [(512, 100_000), (64, 2_000), (16, 500), (1_000, 1_000_000)] {
            let needs = needs(connections);
            let advice = row(hard, hard, &needs).advice;
            let (_, rest) = advice.split_once("ulimit -Hn ").expect(&advice);
            let enough = rest.split('`').next().unwrap().parse().unwrap();
            assert_eq!(row(hard, enough, &needs).state, State::Ok, "{advice}");
        }
    }

    #[test]
    fn on_the_tokio_uring_engine_the_hard_limit_binds() {
        let needs = |connections| Needs { engine: Engine::TokioUring, ..needs(connections) };
        assert_eq!(row(64, 1_064, &needs(1_000)).state, State::Ok);
        let short = row(64, 1_064, &needs(1_001));
        assert_eq!(short.state, State::Stop);
        for words in ["soft limit 64", "hard limit 1,064", "the hard limit binds"] {
            assert!(short.here.contains(words), "{short:?}");
        }
        assert!(short.advice.contains("ulimit -Hn 1065") && short.advice.contains("--engine ring"));
    }

    #[test]
    fn no_limit_is_enough_for_anything() {
        let limits = Limits { files: Some(Limit { soft: None, hard: None }), ..Limits::default() };
        for engine in [Engine::Ring, Engine::TokioUring] {
            let needs = Needs { engine, ..needs(1_000_000) };
            assert_eq!(descriptors(&limits, &needs).state, State::Ok);
        }
        assert!(descriptors(&Limits::default(), &needs(1)).here.contains("cannot be read"));
    }

    #[test]
    fn locked_memory_matters_only_where_a_ring_was_refused_for_it() {
        let readings = readings();
        assert_eq!(locked_memory(&readings.limits, &readings.uring).state, State::Ok);
        let refused = Uring { missing: Err(libc::ENOMEM), ..readings.uring };
        assert_eq!(locked_memory(&readings.limits, &refused).state, State::Stop);
    }
}
