//! The sockets of a worker against a peer that lets them wait.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use socket2::SockRef;

use super::sockets::{Owed, Sockets};
use crate::engine::core::tests;
use crate::engine::job::{Arrivals, Job};
use crate::engine::wire::{Parcel, Wire};
use crate::time::Nanos;

/// An open connection on slot 0 with little room in the kernel, and its other end.
fn connected() -> (Sockets, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    SockRef::from(&listener).set_recv_buffer_size(4 << 10).expect("a small buffer");
    let addresses = [listener.local_addr().expect("an address")].into();
    let arrivals = Arrivals::Closed { budget: 1, users: None };
    let job = Job { addresses, ..tests::job(1, arrivals) };
    let mut sockets = Sockets::new(Arc::new(job)).expect("sockets");
    sockets.open(0, 0);
    let (peer, _) = listener.accept().expect("a peer");
    while sockets.is_opening(0) {
        sockets.poll.look(Nanos::from_secs(1)).expect("a look");
        for index in 0..sockets.poll.len() {
            let (_, ready) = sockets.poll.ready(index);
            assert!(matches!(sockets.connected(0, ready), None | Some(0)));
        }
    }
    sockets.set_send_buffer(0, 4 << 10);
    (sockets, peer)
}

/// Until all is written. How often a confirmed send was found to be over.
fn write_all(sockets: &mut Sockets) -> usize {
    let mut sent = 0;
    while sockets.unsent(0) > 0 {
        sockets.unfinished.clear();
        sent += usize::from(sockets.write_on(0));
        thread::yield_now();
    }
    sent
}

#[test]
fn parcels_that_wait_for_room_keep_their_order_and_the_last_one_is_confirmed() {
    for confirms in [false, true] {
        let (mut sockets, mut peer) = connected();
        let bytes: Vec<u8> = (0..3_000_000_usize).map(|at| (at + at / 251) as u8).collect();
        let (small, large) = bytes.split_at(1_000_000);
        let mut waiting = 0;
        for piece in small.chunks(7_001) {
            sockets.deliver(0, Parcel::new(piece, &[], false));
            waiting += usize::from(sockets.unsent(0) > 0);
        }
        assert!(waiting > 100, "only {waiting} parcels had to wait");
        let (head, tail) = large.split_at(100);
        if confirms {
            sockets.deliver(0, Parcel::new(head, tail, true));
        }
        let expected = if confirms { &bytes[..] } else { small }.to_vec();
        let reader = thread::spawn(move || {
            let mut read = vec![0; expected.len()];
            peer.read_exact(&mut read).expect("all that was delivered");
            assert!(read == expected, "other bytes came than were delivered");
        });
        assert_eq!(write_all(&mut sockets), usize::from(confirms));
        reader.join().expect("no panic");
        assert!(sockets.owed().is_none());
    }
}

#[test]
fn a_parcel_that_is_taken_at_once_is_told_of_where_it_is_confirmed() {
    let (mut sockets, _peer) = connected();
    sockets.deliver(0, Parcel::new(b"one", b"", false));
    assert!(sockets.owed().is_none());
    sockets.deliver(0, Parcel::new(b"two", b"three", true));
    assert!(matches!(sockets.owed(), Some((0, Owed::Sent))));
    assert!(sockets.owed().is_none());
}

#[test]
fn what_waits_is_forgotten_with_its_connection() {
    let (mut sockets, _peer) = connected();
    let bytes = vec![7; 1_000_000];
    sockets.deliver(0, Parcel::new(&bytes, &bytes, true));
    assert!(sockets.unsent(0) > 0);
    sockets.close(0);
    drop(bytes);
    assert!(matches!(sockets.owed(), Some((0, Owed::Closed))));
    assert!(!sockets.write_on(0) && sockets.unsent(0) == 0);
}
