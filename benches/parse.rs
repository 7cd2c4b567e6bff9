//! Reading answers: the parser's share of a request.

use std::hint::black_box;

use blast::http::{HeadPool, Progress, Reader};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SMALL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const NGINX: &[u8] =
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 05:00:00 GMT\
\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: keep-alive\r\n\r\nhello\n";

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

fn read(reader: &mut Reader, pool: &mut HeadPool, pieces: &[&[u8]]) {
    let mut last = Progress::Partial;
    for piece in pieces {
        last = reader.read(black_box(piece), false, pool).1;
    }
    assert!(matches!(last, Progress::Complete(_)));
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (name, answer) in [("small", SMALL), ("nginx", NGINX), ("chunked", CHUNKED)] {
        let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
        group.throughput(Throughput::Bytes(answer.len() as u64));
        group.bench_function(name, |b| b.iter(|| read(&mut reader, &mut pool, &[answer])));
    }
    let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
    let (a, b) = NGINX.split_at(NGINX.len() / 2);
    group.bench_function("nginx in two", |bench| {
        bench.iter(|| read(&mut reader, &mut pool, &[a, b]));
    });
}

criterion_group!(benches, parse);
criterion_main!(benches);
