//! Whether the kernel of this host encrypts for sockets (kTLS), and what: tried on a connection to
//! ourselves, in the way of the engine that is to run. The target sees nothing of it.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

use io_uring::{IoUring, opcode, squeue, types};

use super::socket;
use crate::error::{Error, Result};
use crate::plan::{Engine, Plan};
use crate::tls::{KernelKeys, KernelKind, Ktls};

/// Records that a key is used for: half of what AES-GCM allows (RFC 8446, 5.5), because how the
/// kernel cuts what it is given is its business. It cannot be given new keys, so the connection is
/// opened anew.
const ENDURANCE: u64 = 1 << 23;

/// The longest plaintext of a record.
const RECORD: u64 = 16 * 1024;

/// What the kernel is to encrypt; empty: nothing. Requests that differ are sealed here.
pub fn choose(plan: &Plan) -> Result<Arc<[KernelKind]>> {
    let wanted = plan.tls.as_ref().map_or(Ktls::Off, |settings| settings.ktls);
    if plan.scenario.is_some() && wanted == Ktls::On {
        return Err(Error::usage(
            "--ktls on: the kernel encrypts one request that is sent over and over, and this plan \
             has a scenario; leave the flag out",
        ));
    }
    if plan.scenario.is_some() {
        return Ok([].into());
    }
    if wanted == Ktls::Off || wanted == Ktls::Auto && !pays(plan) {
        return Ok([].into());
    }
    let kinds = probe(plan.engine).unwrap_or_default();
    if wanted == Ktls::On && kinds.is_empty() {
        let engine = plan.engine.name();
        return Err(Error::failed(format!(
            "--ktls on: the kernel does not encrypt for the sockets of the {engine} engine here; \
             load its module with `modprobe tls` (the ring engine needs Linux 6.7 as well), or \
             leave the flag out"
        )));
    }
    Ok(kinds.into())
}

/// The requests that one connection may send when the kernel encrypts them.
pub fn endurance(request: usize) -> u64 {
    (ENDURANCE / (request as u64 / RECORD + 2)).max(1)
}

/// Encrypting in the kernel spares a copy, and costs it more for each record: with AES-128-GCM on
/// the ring (Linux 6.12, all instructions of blast a request, thousands) a GET took 31 instead of
/// 27, a request of 12 KB 76 instead of 94, and one of 1 MB 4,640 instead of 6,650. Making the keys
/// takes its time as well: a few requests do not earn it.
fn pays(plan: &Plan) -> bool {
    plan.keepalive
        && plan.request.body.len() >= LARGE
        && plan.requests_per_connection.is_none_or(|requests| requests >= WORTH)
}

/// The bytes of a body, and requests on a connection.
const LARGE: usize = 8 * 1024;
const WORTH: u64 = 100;

/// Each kind on a connection of its own.
fn probe(engine: Engine) -> io::Result<Vec<KernelKind>> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let mut ring = if engine == Engine::Ring { Some(IoUring::new(2)?) } else { None };
    let mut kinds = Vec::new();
    for keys in KernelKeys::trials() {
        let stream = TcpStream::connect(listener.local_addr()?)?;
        let peer = listener.accept()?;
        let tried = match &mut ring {
            None => socket::encrypt(stream.as_fd(), &keys),
            Some(ring) => by_ring(ring, &stream, &keys),
        };
        drop(peer);
        match tried {
            Ok(()) => kinds.push(keys.kind()),
            // Without the module there is nothing more to try.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => break,
            Err(_) => {}
        }
    }
    Ok(kinds)
}

/// The two options, as operations of a ring.
fn by_ring(ring: &mut IoUring, stream: &TcpStream, keys: &KernelKeys) -> io::Result<()> {
    let options =
        [(libc::SOL_TCP, libc::TCP_ULP, socket::TLS), (libc::SOL_TLS, libc::TLS_TX, keys.bytes())];
    for (level, option, value) in options {
        let fixed = types::Fd(stream.as_raw_fd());
        let (start, length) = (value.as_ptr().cast(), value.len() as u32);
        let entry = opcode::SetSockOpt::new(fixed, level as u32, option as u32, start, length);
        set(ring, &entry.build())?;
    }
    Ok(())
}

/// Waits for the end of one operation, whose memory the caller keeps.
fn set(ring: &mut IoUring, entry: &squeue::Entry) -> io::Result<()> {
    // SAFETY: what the entry points to is borrowed by the caller until this has returned, and it
    // returns after the operation has ended.
    let pushed = unsafe { ring.submission().push(entry) };
    pushed.map_err(|_| io::Error::from_raw_os_error(libc::EBUSY))?;
    ring.submit_and_wait(1)?;
    match ring.completion().next().map(|completion| completion.result()) {
        Some(0) => Ok(()),
        result => Err(io::Error::from_raw_os_error(-result.unwrap_or(-libc::EIO))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::scenario::{Mix, Model, Scenario};
    use crate::plan::url::Url;

    #[test]
    fn a_connection_ends_before_its_keys_wear_out() {
        assert_eq!(endurance(60), ENDURANCE / 2);
        assert_eq!(endurance(5_000_000), ENDURANCE / 307);
        assert_eq!(endurance(usize::MAX / 2), 1);
    }

    #[test]
    fn nothing_is_offloaded_where_requests_differ() {
        let scenario = Scenario {
            requests: vec![],
            entries: vec![],
            model: Model::Mix(Mix { entries: vec![], random: false }),
            run_setup: vec![],
            run_teardown: vec![],
            tables: vec![],
            captures: vec![],
            checks: vec![],
            seed: 1,
            has_cookies: false,
            body_limit: 0,
            request_id: None,
        };
        let url = Url::parse("https://h/").expect("a URL");
        let mut plan = Plan::new(url, Request::new("GET", "/", "h"));
        plan.scenario = Some(Arc::new(scenario));
        assert!(choose(&plan).expect("a choice").is_empty());
        if let Some(settings) = &mut plan.tls {
            settings.ktls = Ktls::On;
        }
        let error = choose(&plan).expect_err("it cannot be on");
        assert!(error.message.contains("leave the flag out"), "{}", error.message);
    }

    /// Each engine may find less than plain sockets do, and nothing else.
    #[test]
    fn a_probe_ends_and_the_ring_has_no_more_than_sockets() {
        let sockets = probe(Engine::Epoll).expect("a connection to ourselves");
        if let Ok(ring) = probe(Engine::Ring) {
            assert!(ring.iter().all(|kind| sockets.contains(kind)));
        }
    }
}
