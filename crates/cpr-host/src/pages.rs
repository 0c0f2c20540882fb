//! Paths: calls and contracts for clients, `/metrics` and `/health` for operations.

use std::path::PathBuf;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use cpr_wire::{Answer, Endpoint};

use crate::config::{Bounds, Fingerprint};
use crate::desk::Desk;
use crate::metrics::Number;
use crate::places::Place;
use crate::received::Received;
use crate::service::Service;

/// What is behind the paths.
pub(crate) struct Pages {
    pub(crate) desk: Arc<Desk>,
    pub(crate) bounds: Bounds,
    /// A place for each call that the engine answers at once.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) contracts: Option<PathBuf>,
}

/// A client that is connected.
pub(crate) struct Visitor {
    pub(crate) certificate: Fingerprint,
    pub(crate) place: Place,
}

type Page = Response<Full<Bytes>>;

impl Pages {
    /// Answers a client.
    pub(crate) async fn serve(&self, request: Request<Incoming>, visitor: &Visitor) -> Page {
        let Some(endpoint) = Endpoint::from_path(request.uri().path()) else {
            return plain(StatusCode::NOT_FOUND, "no such path\n");
        };
        match *request.method() {
            Method::POST => self.call(request, endpoint, visitor).await,
            Method::GET if request.uri().query().is_some_and(|query| query.eq_ignore_ascii_case("wsdl")) => {
                self.contract(endpoint).await
            }
            _ => {
                let mut page = plain(StatusCode::METHOD_NOT_ALLOWED, "requests are posted\n");
                page.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                page
            }
        }
    }

    async fn call(&self, request: Request<Incoming>, endpoint: Endpoint, visitor: &Visitor) -> Page {
        let charset = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(charset_of);
        let body = Limited::new(request.into_body(), self.bounds.body_bytes).collect();
        let body = match timeout(self.bounds.read, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            failed => {
                self.desk.metrics.add(Number::BodiesRefused);
                let status = if failed.is_ok() { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::REQUEST_TIMEOUT };
                return plain(status, "the body is larger, or slower, than is taken\n");
            }
        };
        if !visitor.place.begin() {
            // The connection is being closed, since its place was needed.
            return std::future::pending().await;
        }
        let page = self.answer(endpoint, charset, body, visitor.certificate).await;
        visitor.place.rest();
        page
    }

    /// Waits for a turn with the engine, and answers.
    async fn answer(&self, endpoint: Endpoint, charset: Option<String>, body: Bytes, certificate: Fingerprint) -> Page {
        let Ok(Ok(turn)) = timeout(self.bounds.turn, self.turns.clone().acquire_owned()).await else {
            self.desk.metrics.add(Number::CallsTurnedAway);
            let mut page = plain(StatusCode::SERVICE_UNAVAILABLE, "too many calls at once\n");
            page.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return page;
        };
        let desk = self.desk.clone();
        let answered = spawn_blocking(move || {
            // Until the call ends, also when its client goes away meanwhile.
            let _turn = turn;
            let charset = charset.as_deref();
            desk.serve(&Received { endpoint, charset, body: &body, certificate: &certificate, holder: None })
        });
        match answered.await {
            Ok(Some(Answer { status, content_type, body })) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                page(status, content_type, body)
            }
            Ok(None) | Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the service cannot answer at present\n"),
        }
    }

    /// The contract of a path: `SF1520-5.wsdl` in the folder that is configured.
    async fn contract(&self, endpoint: Endpoint) -> Page {
        let name = format!("{}.wsdl", Service::name_of(endpoint).replace('/', "-"));
        let path = self.contracts.as_ref().map(|folder| folder.join(name));
        let read = spawn_blocking(move || path.and_then(|path| std::fs::read(path).ok()));
        match read.await.ok().flatten() {
            Some(contract) => page(StatusCode::OK, "text/xml; charset=utf-8", contract),
            None => plain(StatusCode::NOT_FOUND, "no contract is kept here\n"),
        }
    }

    /// Answers whoever watches the host.
    pub(crate) fn serve_operations(&self, request: &Request<Incoming>) -> Page {
        let delivery = self.desk.replika.snapshot().known().0;
        match request.uri().path() {
            "/metrics" => {
                let text = self.desk.metrics.to_text(delivery);
                page(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
            }
            "/health" => {
                let metrics = &self.desk.metrics;
                let scrub = match metrics.get(Number::Scrubs) {
                    0 => String::new(),
                    _ => format!(",\"scrub_faults\":{}", metrics.get(Number::ScrubFaults)),
                };
                page(StatusCode::OK, "application/json", format!("{{\"delivery\":{delivery}{scrub}}}\n"))
            }
            _ => plain(StatusCode::NOT_FOUND, "/metrics and /health are here\n"),
        }
    }
}

/// The charset in a `Content-Type`.
fn charset_of(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn page(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Page {
    let mut page = Response::new(Full::new(body.into()));
    *page.status_mut() = status;
    page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    page
}

fn plain(status: StatusCode, text: &'static str) -> Page {
    page(status, "text/plain; charset=utf-8", text)
}
