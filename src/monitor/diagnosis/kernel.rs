//! The kernel and its io_uring.

use std::io;

use super::{Needs, Row, Side};
use crate::host;
use crate::monitor::feature::{Feature, Need};
use crate::monitor::uring::Uring;
use crate::plan::Engine;

/// The kernels that the engines were written for: major and minor number.
const RING: (u32, u32) = (6, 1);
const TOKIO_URING: (u32, u32) = (5, 19);
const EPOLL: (u32, u32) = (4, 5);

pub fn version(release: &str, needs: &Needs) -> Row {
    let least = match needs.engine {
        Engine::Ring => RING,
        Engine::TokioUring => TOKIO_URING,
        Engine::Epoll => EPOLL,
    };
    let engine = needs.engine.name();
    let wanted = format!("{}.{} or newer for the {engine} engine", least.0, least.1);
    let Some(version) = parse(release) else {
        return Row::unread("kernel", Side::Client, "the kernel's version", wanted);
    };
    let row = Row::new("kernel", Side::Client, format!("Linux {release}"), wanted);
    match version < least {
        // Distributions backport: what is missing stops the run, not the number.
        true => row.warn("run on a newer kernel, unless the next rows find nothing missing"),
        false => row,
    }
}

/// "6.18.44-generic" is 6.18.
fn parse(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

pub fn io_uring(uring: &Uring, needs: &Needs) -> Row {
    let filter = match uring.filtered {
        true => "a seccomp filter is on",
        false => "no seccomp filter",
    };
    let sysctl = match uring.disabled {
        Some(disabled) => format!("kernel.io_uring_disabled is {disabled}"),
        None => "no sysctl that could forbid it".to_string(),
    };
    let row = |tried: &str| {
        let here = format!("{tried}; {sysctl}; {filter}");
        let wanted = match needs.engine {
            Engine::Epoll if !needs.may_fall_back => "none: the epoll engine does without",
            _ => "a ring for each worker",
        };
        Row::new("io_uring", Side::Client, here, wanted)
    };
    let Err(errno) = uring.missing else { return row("a ring can be set up") };
    let error = io::Error::from_raw_os_error(errno);
    let row = row(&format!("io_uring_setup fails: {error}"));
    // It was asked for, and is not the way out of a refusal.
    if needs.engine == Engine::Epoll && !needs.may_fall_back {
        return row;
    }
    let advice = match (errno, uring) {
        (libc::EPERM, Uring { disabled: Some(1 | 2), .. }) => {
            "`sysctl -w kernel.io_uring_disabled=0` as root"
        }
        (libc::EPERM | libc::ENOSYS, Uring { filtered: true, .. }) => {
            "run outside the container, or with `--security-opt seccomp=unconfined`"
        }
        _ => host::cause_of_refusal(Some(errno)),
    };
    match needs.may_fall_back {
        true => row.warn(format!("the epoll engine will run instead, at more cost; or {advice}")),
        false => row.stop(format!("{advice}; or use `--engine epoll`")),
    }
}

/// What was found by trying; nothing where there is no ring to try.
pub fn features(uring: &Uring, needs: &Needs) -> Option<Row> {
    let missing = uring.missing.as_ref().ok()?;
    let all = Feature::ALL.len();
    let name = |feature: &Feature| {
        let (name, since, _) = feature.facts();
        format!("{name} ({since})")
    };
    let here = match missing.as_slice() {
        [] => format!("all {all} that blast uses"),
        missing => {
            let names: Vec<String> = missing.iter().map(name).collect();
            format!("{} of {all}; missing: {}", all - missing.len(), names.join(", "))
        }
    };
    let without: Vec<String> = missing.iter().filter_map(without).collect();
    let here = [vec![here], without].concat().join("; ");
    let engine = needs.engine;
    let needed = Feature::ALL.iter().filter(|feature| feature.is_needed_by(engine)).count();
    let wanted = format!("the {needed} that the {} engine cannot do without", engine.name());
    let row = Row::new("io_uring_features", Side::Client, here, wanted)
        .counts(&[("used", all as u64), ("missing", missing.len() as u64)]);
    let lacks = |engine| missing.iter().any(|feature| feature.is_needed_by(engine));
    Some(match engine {
        engine if !lacks(engine) => row,
        Engine::Ring if needs.may_fall_back => {
            row.warn("run on Linux 6.1 or newer: the epoll engine will run instead, at more cost")
        }
        Engine::Ring if !lacks(Engine::TokioUring) => {
            row.stop("run on Linux 6.1 or newer, or use `--engine tokio-uring`")
        }
        _ => row.stop("run on Linux 6.1 or newer"),
    })
}

/// What blast does without a feature that nobody has to have.
fn without(feature: &Feature) -> Option<String> {
    match feature.facts() {
        (name, _, Need::Nobody(instead)) => Some(format!("without {name} {instead}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::fixture::needs;
    use super::*;

    #[test]
    fn an_old_kernel_is_a_worry_and_one_of_unknown_version_is_not_judged() {
        for (release, state) in [
            ("6.18.44-generic", State::Ok),
            ("6.1.0", State::Ok),
            ("6.0.19", State::Warn),
            ("5.14.0-427.el9.x86_64", State::Warn),
            ("4.4.0", State::Warn),
            ("", State::Ok),
            ("gVisor", State::Ok),
        ] {
            assert_eq!(version(release, &needs(1)).state, state, "{release}");
        }
        let tokio = Needs { engine: Engine::TokioUring, ..needs(1) };
        assert_eq!(version("5.19.1", &tokio).state, State::Ok);
    }

    #[test]
    fn a_refusal_names_whoever_refuses() {
        for (errno, disabled, filtered, words) in [
            (libc::EPERM, Some(2), false, "kernel.io_uring_disabled=0"),
            (libc::EPERM, Some(2), true, "kernel.io_uring_disabled=0"),
            (libc::EPERM, Some(0), true, "seccomp=unconfined"),
            (libc::ENOSYS, None, true, "seccomp=unconfined"),
            (libc::ENOSYS, None, false, "gVisor"),
            (libc::ENOMEM, None, false, "ulimit -l"),
        ] {
            let row = io_uring(&Uring { disabled, filtered, missing: Err(errno) }, &needs(1));
            assert_eq!(row.state, State::Stop);
            assert!(row.advice.contains(words), "{row:?}");
            assert!(row.here.contains("io_uring_setup fails"), "{row:?}");
        }
    }

    #[test]
    fn a_masked_feature_stops_the_engine_that_needs_it_and_no_other() {
        let masked = |feature, engine| {
            let uring = Uring { disabled: None, filtered: false, missing: Ok(vec![feature]) };
            features(&uring, &Needs { engine, ..needs(1) }).unwrap()
        };
        for feature in Feature::ALL {
            for engine in [Engine::Ring, Engine::TokioUring] {
                let row = masked(feature, engine);
                let stops = row.state == State::Stop;
                assert_eq!(stops, feature.is_needed_by(engine), "{row:?}");
                assert!(row.here.contains(feature.name()), "{row:?}");
                assert_eq!(
                    row.here.contains("without"),
                    matches!(feature.facts().2, Need::Nobody(_))
                );
            }
        }
        let row = masked(Feature::DeferTaskrun, Engine::Ring);
        assert!(row.advice.contains("--engine tokio-uring"), "{row:?}");
        assert!(!masked(Feature::NoDrop, Engine::Ring).advice.contains("tokio"));
    }

    #[test]
    fn where_there_is_no_ring_nothing_is_said_of_its_features() {
        let uring = Uring { disabled: None, filtered: false, missing: Err(libc::ENOSYS) };
        assert_eq!(features(&uring, &needs(1)), None);
    }
}
