//! What TLS costs a request, without the kernel: a request sealed, and its answer opened.

use std::hint::black_box;
use std::sync::Arc;

use blast::tls::{Client, Session, Settings};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

fn server() -> ServerConnection {
    let made =
        rcgen::generate_simple_self_signed(["localhost".to_string()]).expect("a certificate");
    let certificate = CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).expect("PEM");
    let key =
        PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).expect("PEM");
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|suite| format!("{suite:?}").contains("TLS13_AES_128_GCM"));
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("a version")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a key");
    ServerConnection::new(Arc::new(config)).expect("a server")
}

/// A session and its server, after the handshake.
fn connected() -> (Session, ServerConnection) {
    let settings = Settings { insecure: true, ..Settings::new() };
    let client = Client::new(&settings, "localhost").expect("settings").for_worker(1);
    let (mut server, mut out) = (server(), Vec::new());
    let mut session = client.session(&mut out).expect("a session");
    for _ in 0..4 {
        let _ = server.read_tls(&mut &out[..]).expect("bytes");
        server.process_new_packets().expect("TLS");
        out.clear();
        let mut answer = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut answer).expect("a write");
        }
        session.receive(&mut answer, &mut out, &mut |_| true).expect("TLS");
    }
    assert!(session.is_established());
    (session, server)
}

fn tls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tls");
    let request = [b'x'; 60];
    group.bench_function("seal_60", |bencher| {
        let (mut session, _server) = connected();
        let mut out = Vec::new();
        bencher.iter(|| {
            out.clear();
            session.seal(black_box(&request), &mut out).expect("sealed");
        });
    });
    for size in [130, 64 * 1024] {
        use std::io::Write;
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("open_{size}"), |bencher| {
            let (session, server) = connected();
            let (mut session, mut server) = (session, server);
            server.set_buffer_limit(None);
            let answer = vec![b'y'; size];
            let mut out = Vec::new();
            bencher.iter_batched(
                || {
                    server.writer().write_all(&answer).expect("written");
                    let mut records = Vec::new();
                    while server.wants_write() {
                        server.write_tls(&mut records).expect("a write");
                    }
                    records
                },
                |mut records| {
                    let mut seen = 0;
                    let mut count = |plain: &[u8]| {
                        seen += plain.len();
                        true
                    };
                    session.receive(&mut records, &mut out, &mut count).expect("opened");
                    assert_eq!(seen, size);
                    records
                },
                BatchSize::NumIterations(64),
            );
        });
    }
    group.finish();
}

criterion_group!(benches, tls);
criterion_main!(benches);
