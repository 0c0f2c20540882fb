//! A host that runs for one test, and a client that speaks to it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cpr_host::Host;
use cpr_host::config::Config;
use cpr_host::demo::requests::{Context, Requests, complete};
use cpr_host::demo::{Authority, Demo};
use cpr_host::journal::Kept;
use cpr_wire::Endpoint;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

/// A number that nobody has.
pub(crate) const NOBODY: &str = "6101801234";

/// A running host with its folder.
pub(crate) struct Running {
    pub(crate) host: Option<Host>,
    pub(crate) demo: Demo,
    pub(crate) journal: Arc<Kept>,
    pub(crate) folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Running {
    /// A host of a hundred persons, with the configuration of the demonstration.
    pub(crate) fn start() -> Running {
        Running::start_with(|_| {})
    }

    /// The same with another configuration.
    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Running {
        Running::start_of(100, change)
    }

    /// The same of so many persons.
    pub(crate) fn start_of(persons: u32, change: impl FnOnce(&mut Config)) -> Running {
        let folder = tempfile::tempdir().expect("a folder");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let demo = Demo::prepare(folder.path(), persons, any, any).expect("a demonstration");
        let mut running = Running { host: None, demo, journal: Arc::default(), folder };
        running.start_again(change);
        running
    }

    /// Starts the host that was stopped.
    pub(crate) fn start_again(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = self.config();
        change(&mut config);
        self.host = Some(Host::start(config, self.journal.clone()).expect("a host"));
    }

    /// The configuration of the folder.
    pub(crate) fn config(&self) -> Config {
        Config::read(&self.demo.config).expect("a configuration")
    }

    /// Waits for something that happens soon.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Running) -> bool) {
        let since = Instant::now();
        while !is_so(self) {
            assert!(since.elapsed() < Duration::from_secs(60), "{what}: {:?}", self.journal.lines());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn host(&self) -> &Host {
        self.host.as_ref().expect("a host that runs")
    }

    pub(crate) fn stop(&mut self) {
        self.host.take().expect("a host that runs").stop();
    }

    /// The number of the first person who lives in the made-up country.
    pub(crate) fn number(&self) -> String {
        let population = self.demo.population();
        let rank = (0..population.persons()).find(|rank| population.lives_here(*rank)).expect("somebody");
        population.pnr_at(rank).reveal().to_owned()
    }

    /// Posts a request with the context of a system, under its own certificate.
    pub(crate) fn ask(&self, endpoint: Endpoint, system: &str, request: &str) -> Response {
        let context = if system == "school" { Requests::SCHOOL } else { Requests::CLINIC };
        self.ask_as(endpoint, system, &context, request)
    }

    /// Posts a request with any context and certificate.
    pub(crate) fn ask_as(&self, endpoint: Endpoint, certificate: &str, context: &Context, request: &str) -> Response {
        self.post(endpoint.path(), certificate, &complete(endpoint, context, request))
    }

    pub(crate) fn post(&self, path: &str, certificate: &str, body: &str) -> Response {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        let whole = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        self.send(certificate, &whole).expect("an answer")
    }

    /// Sends a text under a certificate of the folder.
    pub(crate) fn send(&self, certificate: &str, text: &str) -> std::io::Result<Response> {
        let mut stream = self.connect(certificate);
        stream.write_all(text.as_bytes())?;
        read_response(stream)
    }

    pub(crate) fn connect(&self, certificate: &str) -> StreamOwned<ClientConnection, TcpStream> {
        let folder = self.folder.path();
        let (cert, key) = (folder.join(format!("{certificate}.pem")), folder.join(format!("{certificate}.key")));
        connect(self.host().address(), &self.folder.path().join("authority.pem"), Some((&cert, &key)))
    }

    /// What operations see under a path.
    pub(crate) fn watch(&self, path: &str) -> Response {
        let mut stream = TcpStream::connect(self.host().operations()).expect("a connection");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").expect("a request");
        read_response(stream).expect("an answer")
    }

    /// The last line about a call.
    pub(crate) fn last_call(&self) -> String {
        let lines = self.journal.lines();
        lines.into_iter().rfind(|line| line.contains("\"line\":\"call\"")).expect("a call")
    }

    /// Everything that was written of calls, and the files of the access log.
    pub(crate) fn everything_logged(&self) -> String {
        let mut all = self.journal.lines().join("\n");
        for file in std::fs::read_dir(self.folder.path().join("access")).expect("the log") {
            all += &String::from_utf8_lossy(&std::fs::read(file.expect("a file").path()).expect("a file"));
        }
        all
    }
}

/// A connection under TLS, with or without a certificate.
pub(crate) fn connect(
    address: SocketAddr,
    authority: &Path,
    identity: Option<(&Path, &Path)>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).expect("an authority")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
            let key = PrivateKeyDer::from_pem_file(key).expect("a key");
            config.with_client_auth_cert(vec![certificate], key).expect("a certificate with its key")
        }
    };
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let name = ServerName::try_from("localhost").expect("a name");
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).expect("a client"), stream)
}

fn read_response(mut stream: impl Read) -> std::io::Result<Response> {
    let mut text = Vec::new();
    match stream.read_to_end(&mut text) {
        // Not every end of a connection is announced.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && !text.is_empty() => {}
        read => drop(read?),
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
    Ok(Response { status, body })
}

/// The body of the next answer of a connection.
pub(crate) fn read_answer(stream: &mut impl Read) -> std::io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?];
    stream.read_exact(&mut body)?;
    String::from_utf8(body).map_err(std::io::Error::other)
}

/// A certificate of another authority, in the folder under this name.
pub(crate) fn add_stranger(folder: &Path, name: &str) {
    let authority = Authority::new("Somebody else").expect("an authority");
    authority.issue("school", &[]).expect("a certificate").write(folder, name).expect("files");
}
