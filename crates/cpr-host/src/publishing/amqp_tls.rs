//! The connection of `lapin` over the host's own TLS: the runtime is tokio, but for its connections.

use std::future::ready;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_compat::{Compat, CompatExt};
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_core::Stream;
use futures_io::{AsyncRead, AsyncWrite};
use lapin::tcp::AsyncTcpStream;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// tokio, whose connections are those that [`connect`] opens.
#[derive(Clone, Debug)]
struct OverTls(Tokio);

impl Reactor for OverTls {
    type TcpStream = Compat<TlsStream<TcpStream>>;
    type Sleep = <Tokio as Reactor>::Sleep;

    /// For sockets of one's own, of which there are none.
    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Self::TcpStream, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    /// Nothing connects but by the name in a certificate.
    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

/// Connects to a broker, which must show the certificate of its name.
pub(super) async fn connect(
    uri: AMQPUri,
    tls: Arc<ClientConfig>,
    properties: ConnectionProperties,
) -> lapin::Result<Connection> {
    let runtime = Runtime::new(RuntimeParts::new(Tokio::current(), OverTls(Tokio::current())));
    let open = move |uri: AMQPUri, _: Runtime<RuntimeParts<Tokio, OverTls>>| {
        let tls = TlsConnector::from(tls.clone());
        async move {
            let host = uri.authority.host.clone();
            let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
            let stream = TcpStream::connect((host.as_str(), uri.authority.port)).await?;
            stream.set_nodelay(true)?;
            Ok(AsyncTcpStream::Plain(tls.connect(name, stream).await?.compat()))
        }
    };
    Connection::connector(uri, runtime, open, properties).await
}
