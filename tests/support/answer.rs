//! Answers as bytes, for servers to write.

/// An answer with a body of so many bytes.
pub fn counted(size: usize) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").into_bytes();
    // A body that looks like answers: a byte too few or too many would be seen.
    answer.extend(b"HTTP/1.1 500 X\r\n\r\n".iter().cycle().take(size));
    answer
}

/// An answer with a body in these chunks.
pub fn chunked(chunks: &[usize]) -> Vec<u8> {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for size in chunks {
        answer.extend(format!("{size:x}\r\n").bytes());
        answer.extend(vec![b'0'; *size]);
        answer.extend(b"\r\n");
    }
    answer.extend(b"0\r\n\r\n");
    answer
}
