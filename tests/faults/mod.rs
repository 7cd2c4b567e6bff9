//! The faults that a server, a network or a host can have. Each stands in one row of the table, and
//! each row in a test on both engines; after a fault the rate returns.
//!
//! | fault | test |
//! |---|---|
//! | RST within an answer | `failures::a_reset_within_an_answer_...`, `examples::how_far_...` |
//! | RST right after the accept | `connections::a_server_that_hangs_up_on_everyone_...` |
//! | RST or FIN on an idle connection | `connections::a_server_that_closes_idle_connections_...` |
//! | RST on one that was used before | `examples::a_reset_after_an_answer_...` |
//! | FIN before a byte, in a head, in a body | `failures::a_connection_closed_...` |
//! | a body that ends with the connection | `reading::a_connection_that_must_not_go_on_...` |
//! | Content-Length too small | `reading::bytes_after_a_complete_answer_...` |
//! | Content-Length too large | `protocol::a_length_that_is_too_large_...` |
//! | no HTTP at all: binary, TLS, HTTP/2, SSH | `failures::what_is_not_http_...`, `examples::what_came_...` |
//! | head too large, or endless; endless 1xx | `failures::a_head_over_...`, `protocol::what_never_ends_...` |
//! | chunks that cannot be read | `protocol::chunks_...` |
//! | HEAD, 204 and 304 with a body | `protocol::an_answer_that_has_no_body_...` |
//! | 101 that nobody asked for | `failures::what_is_not_http_...` |
//! | early answer to a large request | `failures::an_early_answer_...`, `protocol::an_early_refusal_...` |
//! | a server that never reads | `pace::a_server_that_reads_nothing_...` |
//! | an answer that dribbles | `pace::a_dribbled_answer_...` |
//! | slow but legal | `pace::a_slow_answer_...` |
//! | an answer after its timeout | `failures::an_answer_after_its_timeout_...` |
//! | connection refused | `connections::where_nothing_listens_...`, `connections::what_is_due_...` |
//! | full listen queue, lost SYNs | `connections::a_full_listen_queue_...`, `network::syns_...` |
//! | no route, no host, a lost network | `network::where_no_way_...`, `network::a_network_...` |
//! | a server killed and restarted | `restart::a_killed_server_...`, `restart::a_hole_...` |
//! | `Connection: close` now and then | `restart::a_server_that_closes_now_and_then_...` |
//! | a peer that is half there | `pace::a_server_that_stops_...` |
//! | no descriptors | `limits`, `host::descriptors_that_...` |
//! | no ports | `limits`, `network::ports_...` |
//! | no processor time | `host::a_generator_without_processor_time_...`, `experiments::freezes` |
//! | the wall clock jumps | `host::a_wall_clock_...` |
//! | the terminal is lost; closed descriptors | `host::a_terminal_...`, `host::descriptors_that_were_closed_...` |
//! | redirects, encoded bodies | `protocol::a_redirect_...`, `protocol::an_encoded_body_...` |
//! | all of them in turn | `restart::faults_of_every_sort_...` |

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
