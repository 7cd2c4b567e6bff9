//! The faults that a server, a network or a host can have (FAULTS.md).

mod examples;
mod host;
mod network;
mod pace;
mod protocol;
mod restart;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::support::{Peer, Server, ok};

/// The head of an answer in chunks.
const CHUNKS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A server at which every so manieth request, over all connections, meets `fault`; the connection
/// is not used after it.
fn every(manieth: usize, fault: impl Fn(&mut Peer) + Send + Sync + 'static) -> Server {
    let number = AtomicUsize::new(0);
    Server::start(move |peer| {
        while peer.request().is_some() {
            if number.fetch_add(1, SeqCst) % manieth == manieth - 1 {
                return fault(peer);
            }
            peer.write(ok());
        }
    })
}
