//! Messages posted to a receiver over TLS, each answered by a `StandardRetur`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::receipt::{Failure, judge};
use crate::config::ClientTls;
use crate::tls::{self, TlsError};

/// How long a try may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const ANSWER_BYTES: usize = 64 * 1024;

type Connection = SendRequest<Full<Bytes>>;

/// A receiver, and the connections to it that are free.
pub(super) struct Rest {
    connector: TlsConnector,
    name: ServerName<'static>,
    address: (String, u16),
    path: String,
    idle: Mutex<Vec<Connection>>,
}

impl Rest {
    pub(super) fn new(url: &Uri, client: &ClientTls) -> Result<Rest, TlsError> {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host.clone());
        let name = name.map_err(|_| rustls::Error::General("not the name of a host".to_owned()))?;
        Ok(Rest {
            connector: TlsConnector::from(Arc::new(tls::client_config(client)?)),
            name,
            address: (host, url.port_u16().unwrap_or(443)),
            path: url.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            idle: Mutex::default(),
        })
    }

    /// Posts a message; the connection is kept for the next one when it was answered.
    pub(super) async fn post(&self, message: String) -> Result<(), Failure> {
        let mut connection = match self.take_idle() {
            Some(connection) => connection,
            None => within(self.connect()).await?,
        };
        let request = Request::post(&self.path)
            .header(HOST, self.address.0.as_str())
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .body(Full::new(Bytes::from(message)))
            .map_err(unreachable)?;
        let (status, answer) = within(async {
            let response: Response<Incoming> = connection.send_request(request).await.map_err(unreachable)?;
            let (status, body) = (response.status(), Limited::new(response.into_body(), ANSWER_BYTES));
            let answer =
                body.collect().await.map_err(|_| Failure::Unreachable("an answer without an end".to_owned()))?;
            Ok((status, answer.to_bytes()))
        })
        .await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        match status {
            StatusCode::OK => judge(&answer),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::Unreachable(status.to_string()))
            }
            status if status.is_server_error() => Err(Failure::Unreachable(status.to_string())),
            status => Err(Failure::Refused(status.to_string())),
        }
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if !connection.is_closed() && connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let (host, port) = &self.address;
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
        stream.set_nodelay(true).ok();
        let stream = self.connector.connect(self.name.clone(), stream).await.map_err(unreachable)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn within<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = |_| Failure::Unreachable(format!("no answer within {} seconds", PATIENCE.as_secs()));
    timeout(PATIENCE, work).await.map_err(late)?
}

fn unreachable(error: impl std::fmt::Display) -> Failure {
    Failure::Unreachable(error.to_string())
}
