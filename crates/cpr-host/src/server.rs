//! Connections: accepted as far as there is a place, each with its handshake, its requests and its end within a time.
//!
//! A slow client holds a place and nothing else, and gives way when there is none left (see [`places`]): no thread of
//! the engine's, and memory for one head and one body. Clients are let in by a thread of its own, so that any number of
//! strangers who come and go at once does not hold up whoever is connected. Whoever is served when the host is to stop is served to the end, for a second and a
//! half.
//!
//! [`places`]: crate::places

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
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
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Fingerprint;
use crate::journal::Line;
use crate::metrics::Number;
use crate::pages::{Pages, Visitor};
use crate::places::{Displaced, Place, Places};
use crate::tls;

/// How long connections have to end when the host is to stop.
const GRACE: Duration = Duration::from_millis(1500);
/// After an error of the listener, which is mostly one of too many open files.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a request's head that are held at most.
const HEAD_BYTES: usize = 16 * 1024;

/// Who lets clients in. All of it runs on a thread of its own, but for the readiness of sockets.
#[derive(Clone)]
pub(crate) struct Doorkeeper {
    pub(crate) acceptor: TlsAcceptor,
    /// The threads of those who have shown a certificate.
    pub(crate) inside: Handle,
    pub(crate) pages: Arc<Pages>,
}

/// Lets clients in until `stopping` is true.
pub(crate) async fn serve_clients(listener: TcpListener, doorkeeper: Doorkeeper, mut stopping: watch::Receiver<bool>) {
    let Doorkeeper { pages, inside, .. } = &doorkeeper;
    let places = Places::new(pages.bounds.connections);
    let mut connections = JoinSet::new();
    loop {
        // The socket belongs to the threads that will serve it.
        let accept = poll_fn(|context| {
            let _inside = inside.enter();
            listener.poll_accept(context)
        });
        let accepted = tokio::select! {
            accepted = accept => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let Ok((stream, from)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        let place = tokio::select! {
            place = places.take() => place,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let Some(place) = place else {
            pages.desk.metrics.add(Number::ConnectionsRefused);
            continue;
        };
        match place.displaced {
            Some(Displaced::Stranger) => pages.desk.metrics.add(Number::StrangersDisplaced),
            Some(Displaced::Quiet) => pages.desk.metrics.add(Number::ConnectionsDisplaced),
            None => {}
        }
        connections.spawn(let_in(stream, from, place, doorkeeper.clone(), stopping.clone()));
    }
    drop(listener);
    timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await.ok();
}

/// Shakes hands with a client, and has it served.
async fn let_in(
    stream: TcpStream,
    from: SocketAddr,
    place: Place,
    doorkeeper: Doorkeeper,
    mut stopping: watch::Receiver<bool>,
) {
    stream.set_nodelay(true).ok();
    let Doorkeeper { acceptor, inside, pages } = doorkeeper;
    let shaken = tokio::select! {
        shaken = timeout(pages.bounds.read, acceptor.accept(stream)) => shaken,
        () = place.is_to_leave() => return,
        _ = stopping.wait_for(|stopping| *stopping) => return,
    };
    let certified: io::Result<(TlsStream<TcpStream>, Fingerprint)> = match shaken {
        Ok(Ok(stream)) => tls::fingerprint(stream.get_ref().1).map(|certificate| (stream, certificate)),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    };
    match certified {
        Ok((stream, certificate)) => {
            if !place.certify(certificate, pages.bounds.client_connections) {
                pages.desk.metrics.add(Number::ConnectionsOverShare);
                return;
            }
            let visitor = Arc::new(Visitor { certificate, place });
            let served = inside.spawn(async move {
                pages.desk.metrics.add(Number::Connections);
                serve_requests(stream, Some(visitor), pages.clone(), stopping).await;
                pages.desk.metrics.subtract(Number::Connections);
            });
            // It ends by itself, also when the host is to stop.
            served.await.ok();
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

/// Serves the requests of a connection, one after the other; of a client, until it is to give way.
async fn serve_requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    visitor: Option<Arc<Visitor>>,
    pages: Arc<Pages>,
    mut stopping: watch::Receiver<bool>,
) {
    let bounds = pages.bounds;
    let service = service_fn(|request: Request<Incoming>| {
        let (pages, visitor) = (pages.clone(), visitor.clone());
        async move {
            let answer: Response<Full<Bytes>> = match visitor {
                Some(visitor) => pages.serve(request, &visitor).await,
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
    let is_to_leave = async {
        match &visitor {
            Some(visitor) => visitor.place.is_to_leave().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        // A client that went away has nobody to be told.
        _ = connection.as_mut() => return,
        () = is_to_leave => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
        () = sleep(bounds.connection) => {}
    }
    connection.as_mut().graceful_shutdown();
    timeout(bounds.read, connection).await.ok();
}
