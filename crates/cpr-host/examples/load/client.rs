//! A client of the host: its connections, and a question on one of them.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A connection, read by lines.
pub(crate) type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// Who calls whom.
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    tls: Arc<ClientConfig>,
}

impl Client {
    /// The school of a demonstration.
    pub(crate) fn of_demo(folder: &Path, address: SocketAddr) -> Result<Client, Box<dyn Error>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(folder.join("authority.pem"))?)?;
        let (certificate, key) = (folder.join("school.pem"), folder.join("school.key"));
        let (certificate, key) = (CertificateDer::from_pem_file(certificate)?, PrivateKeyDer::from_pem_file(key)?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots).with_client_auth_cert(vec![certificate], key)?;
        Ok(Client { address, tls: Arc::new(config) })
    }

    pub(crate) fn connect(&self) -> io::Result<Stream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let client = ClientConnection::new(self.tls.clone(), name).map_err(io::Error::other)?;
        Ok(BufReader::new(StreamOwned::new(client, stream)))
    }
}

/// Sends a request and reads its answer, which must be one, or say that there is no such number.
pub(crate) fn question(stream: &mut Stream, request: &str) -> io::Result<Vec<u8>> {
    stream.get_mut().write_all(request.as_bytes())?;
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let is_answer = line.starts_with("HTTP/1.1 200 ");
    if !is_answer && !line.starts_with("HTTP/1.1 500 ") {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    let is_whole = body.len() as u64 == length && length > 0;
    let is_unknown = || body.windows(13).any(|words| words == b"PNR not found");
    if is_whole && (is_answer || is_unknown()) { Ok(body) } else { Err(io::ErrorKind::InvalidData.into()) }
}
