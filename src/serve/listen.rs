//! Connections: who opens them, and how long they may take. Behind each stands the same router.
//!
//! Whoever is slow is cut off: in the handshake, in a head, between two requests. (Bodies are
//! `input`'s.) So many connections at once and no more; the others wait in the kernel.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower_service::Service;

use super::input::Peer;
use super::{Panel, routes};
use crate::error::{Error, Result, reason};

/// Connections at once: ten people with a few tabs each, and streams.
const MOST_CONNECTIONS: usize = 256;

/// For a head to arrive, from the first byte on and between two requests.
const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(feature = "tls")]
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Bytes of a head.
const LONGEST_HEAD: usize = 32 * 1_024;

const MOST_FIELDS: usize = 64;

/// How long answers may take that are on their way when the panel ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// Where people come in.
pub struct Door {
    listener: TcpListener,
    #[cfg(feature = "tls")]
    tls: Option<tokio_rustls::TlsAcceptor>,
}

impl Door {
    pub async fn open(address: SocketAddr) -> Result<Door> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Error::failed(format!(
                "--listen: cannot listen on {address} ({}); choose another address or port",
                reason(&error)
            ))
        })?;
        Ok(Door {
            listener,
            #[cfg(feature = "tls")]
            tls: None,
        })
    }

    /// The same over TLS: a certificate with its chain and its key, both in PEM.
    #[cfg(feature = "tls")]
    pub fn with_tls(self, chain: &[u8], key: &[u8]) -> Result<Door> {
        use rustls::pki_types::pem::PemObject;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};

        let chain =
            CertificateDer::pem_slice_iter(chain).collect::<std::result::Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| {
            Error::usage("--tls-cert: it holds no certificate that can be read; give one in PEM")
        })?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
            Error::usage(
                "--tls-key: it holds no private key that can be read; give one in PEM, without a \
                 passphrase",
            )
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let together = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_no_client_auth())
            .and_then(|builder| builder.with_single_cert(chain, key));
        let mut settings = together.map_err(|error| {
            Error::usage(format!(
                "--tls-cert and --tls-key do not go together ({error}); give the key of this very \
                 certificate"
            ))
        })?;
        settings.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Door { tls: Some(Arc::new(settings).into()), ..self })
    }

    /// With the port that was chosen, where any would do.
    pub fn address(&self) -> Result<SocketAddr> {
        let address = self.listener.local_addr();
        address.map_err(|error| Error::failed(format!("the panel has no address ({error})")))
    }
}

/// Answers until [`Panel::close`].
pub async fn serve(panel: Arc<Panel>, door: Door) {
    let router = routes::router(Arc::clone(&panel));
    let mut closing = panel.closing.subscribe();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut open = JoinSet::new();
    let door = Arc::new(door);
    loop {
        while open.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = next(&room, &door.listener) => accepted,
            _ = closing.wait_for(|is_closing| *is_closing) => break,
        };
        let Some((turn, stream, peer)) = accepted else { continue };
        let (door, router, closing) =
            (Arc::clone(&door), router.clone(), panel.closing.subscribe());
        open.spawn(async move {
            door.attend(stream, peer, router, closing).await;
            drop(turn);
        });
    }
    let _ =
        tokio::time::timeout(FAREWELL, async { while open.join_next().await.is_some() {} }).await;
}

async fn next(
    room: &Arc<Semaphore>,
    listener: &TcpListener,
) -> Option<(tokio::sync::OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    // It is never closed.
    let turn = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((turn, stream, peer)),
        Err(_) => {
            // Out of descriptors, or a client that was gone already.
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

impl Door {
    async fn attend(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        router: Router,
        closing: watch::Receiver<bool>,
    ) {
        // A second's events are small, and are wanted now.
        let _ = stream.set_nodelay(true);
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                answer(stream, peer, router, closing).await;
            }
            return;
        }
        answer(stream, peer, router, closing).await;
    }
}

async fn answer<S>(stream: S, peer: SocketAddr, router: Router, mut closing: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| route(router.clone(), peer, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_headers(MOST_FIELDS)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // Whoever hangs up or says nonsense has no answer; the next one may.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closing.wait_for(|is_closing| *is_closing) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn route(
    mut router: Router,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> std::result::Result<Response<Body>, Infallible> {
    request.extensions_mut().insert(Peer(peer.ip()));
    router.call(request).await
}
