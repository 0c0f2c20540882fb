//! Connections: accepted as far as there is room, each with its handshake, its requests and its end within a time.
//!
//! A slow client holds a connection and nothing else: no thread of the engine's, and memory for one head and one body.
//! Whoever is served when the host is to stop is served to the end, for a second and a half.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::config::Fingerprint;
use crate::journal::Line;
use crate::metrics::Number;
use crate::pages::Pages;
use crate::tls;

/// How long connections have to end when the host is to stop.
const GRACE: Duration = Duration::from_millis(1500);
/// After an error of the listener, which is mostly one of too many open files.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a request's head that are held at most.
const HEAD_BYTES: usize = 16 * 1024;

/// Serves clients until `stopping` is true.
pub(crate) async fn serve_clients(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    pages: Arc<Pages>,
    mut stopping: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(pages.bounds.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let Ok((stream, from)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = room.clone().try_acquire_owned() else {
            pages.desk.metrics.add(Number::ConnectionsRefused);
            continue;
        };
        let (acceptor, pages, stopping) = (acceptor.clone(), pages.clone(), stopping.clone());
        connections.spawn(async move {
            serve_client(stream, from, &acceptor, pages, stopping).await;
            drop(place);
        });
    }
    drop(listener);
    timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await.ok();
}

async fn serve_client(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: &TlsAcceptor,
    pages: Arc<Pages>,
    stopping: watch::Receiver<bool>,
) {
    stream.set_nodelay(true).ok();
    let handshake = async { timeout(pages.bounds.read, acceptor.accept(stream)).await };
    let mut aborting = stopping.clone();
    let handshake = tokio::select! {
        handshake = handshake => handshake,
        _ = aborting.wait_for(|stopping| *stopping) => return,
    };
    let certified = match handshake {
        Ok(Ok(stream)) => tls::fingerprint(stream.get_ref().1).map(|certificate| (stream, certificate)),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    };
    match certified {
        Ok((stream, certificate)) => {
            pages.desk.metrics.add(Number::Connections);
            serve_requests(stream, Some(certificate), pages.clone(), stopping).await;
            pages.desk.metrics.subtract(Number::Connections);
        }
        Err(error) => {
            pages.desk.metrics.add(Number::HandshakesFailed);
            let (about, error) = (from.ip().to_string(), error.to_string());
            pages.desk.journal.tell(&Line::event("handshake_failed", Some(about), Some(error)));
        }
    }
}

/// Serves `/metrics` and `/health`, in the clear and to a few at once, until `stopping` is true.
pub(crate) async fn serve_operations(listener: TcpListener, pages: Arc<Pages>, mut stopping: watch::Receiver<bool>) {
    const AT_ONCE: usize = 16;
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept(), if connections.len() < AT_ONCE => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        match accepted {
            Ok((stream, _)) => drop(connections.spawn(serve_requests(stream, None, pages.clone(), stopping.clone()))),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Serves the requests of a connection, one after the other.
async fn serve_requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    certificate: Option<Fingerprint>,
    pages: Arc<Pages>,
    mut stopping: watch::Receiver<bool>,
) {
    let bounds = pages.bounds;
    let service = service_fn(|request: Request<Incoming>| {
        let pages = pages.clone();
        async move {
            let answer: Response<Full<Bytes>> = match certificate {
                Some(certificate) => pages.serve(request, certificate).await,
                None => pages.serve_operations(&request),
            };
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.read)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A client that went away has nobody to be told.
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
        () = sleep(bounds.connection) => {}
    }
    connection.as_mut().graceful_shutdown();
    timeout(bounds.read, connection).await.ok();
}
