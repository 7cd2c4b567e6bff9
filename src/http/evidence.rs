//! What a reader says of an answer that came to nothing: how far it had got, its status, and bytes
//! that begin where a head or a body does, so that what in them is secret can be told.

use super::{HeadPool, Reader};
use crate::evidence::Reached;

#[test]
fn what_came_of_a_broken_answer_is_noted_however_it_was_split() {
    let cookie = "HTTP/1.1 101 Up\r\nSet-Cookie: planted\r\n\r\n";
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let bad_size = format!("{chunk}5\r\nhello\r\nzz");
    let table: [(&str, usize, &str, Reached, Option<u16>); 6] = [
        ("garbage", 3, "garbage", Reached::Head, None),
        ("HTTP/1.1 2x0 OK\r\n", 10, "HTTP/1.1 2x0 OK\r\n", Reached::Head, None),
        (cookie, 30, cookie, Reached::Head, None),
        ("HTTP/1.1 100 C\r\n\r\nSSH-2", 17, "SSH-2", Reached::Head, None),
        (&bad_size, chunk.len() - 1, "5\r\nhello\r\nzz", Reached::Body, Some(200)),
        // Whose the first bytes of this piece are, nobody can tell.
        (&bad_size, chunk.len() + 5, "", Reached::Body, Some(200)),
    ];
    for (input, cut, expected, reached, status) in table {
        let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
        let noted = [&input[..cut], &input[cut..]].into_iter().find_map(|piece| {
            reader.read(piece.as_bytes(), false, &mut pool);
            pool.noted()
        });
        let noted = noted.expect("it is broken");
        let found = noted.received.bytes();
        assert!(expected.as_bytes().starts_with(found), "{input}: {}", found.escape_ascii());
        assert_eq!(found.is_empty(), expected.is_empty(), "{input}");
        assert_eq!((noted.reached, noted.status), (reached, status), "{input}");
        assert!(pool.noted().is_none() && pool.is_whole());
    }
}

#[test]
fn how_far_an_answer_got_can_be_told_at_any_time() {
    let table: [(&str, Reached, Option<u16>); 5] = [
        ("", Reached::Wait, None),
        ("HTTP/1.1 2", Reached::Head, None),
        ("HTTP/1.1 100 C\r\n\r\n", Reached::Head, None),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Reached::Body, Some(200)),
        ("HTTP/1.1 503 No\r\n\r\nto the end", Reached::Body, Some(503)),
    ];
    for (input, reached, status) in table {
        let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
        reader.read(input.as_bytes(), false, &mut pool);
        let evidence = reader.so_far(&pool);
        assert_eq!((evidence.reached, evidence.status), (reached, status), "{input}");
    }
}
