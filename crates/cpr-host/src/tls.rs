//! TLS 1.2 and 1.3 with certificates of clients: who has none of the named authorities is refused in the handshake.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use sha2::{Digest, Sha256};

#[cfg(feature = "events")]
use crate::config::ClientTls;
use crate::config::{Config, Fingerprint};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file of certificates or a key.
    #[error("{path}: {why}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Certificate and key do not fit, or are of a kind that is not known.
    #[error("certificate and key: {0}")]
    Rustls(#[from] rustls::Error),
    /// The authorities of the clients cannot be used.
    #[error("authorities of clients: {0}")]
    Verifier(#[from] rustls::client::VerifierBuilderError),
}

/// What rustls needs to serve a configuration.
///
/// # Errors
/// [`TlsError`], which names the file.
pub(crate) fn server_config(config: &Config) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let authorities = read_authorities(&config.client_authorities)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider.clone()).build()?;
    let key = read_key(&config.key)?;
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(read_certificates(&config.certificate)?, key)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}

/// What rustls needs to call somebody as a client with a certificate.
///
/// # Errors
/// [`TlsError`], which names the file.
#[cfg(feature = "events")]
pub(crate) fn client_config(config: &ClientTls) -> Result<rustls::ClientConfig, TlsError> {
    let key = read_key(&config.key)?;
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(read_authorities(&config.authorities)?)
        .with_client_auth_cert(read_certificates(&config.certificate)?, key)?;
    Ok(client)
}

fn read_authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut authorities = RootCertStore::empty();
    for certificate in read_certificates(path)? {
        authorities.add(certificate)?;
    }
    Ok(authorities)
}

/// The certificates of a file, one at least.
///
/// # Errors
/// [`TlsError`], which names the file.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|error| in_file(path, error))?;
    match certificates.is_empty() {
        false => Ok(certificates),
        true => Err(in_file(path, pem::Error::NoItemsFound)),
    }
}

/// The private key in a file that is as secret as [`open_secret`] wants it.
///
/// # Errors
/// [`TlsError`], which names the file.
pub(crate) fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_reader(BufReader::new(open_secret(path)?)).map_err(|error| in_file(path, error))
}

/// Opens a file with a secret that only its owner may read; of one that root owns, its group may too.
///
/// # Errors
/// [`TlsError`], which names the file.
pub(crate) fn open_secret(path: &Path) -> Result<File, TlsError> {
    private_file::open_secret(path).map_err(|error| in_file(path, pem::Error::Io(error)))
}

/// The reason without anything of the file.
fn in_file(path: &Path, error: pem::Error) -> TlsError {
    let why = match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "no certificate or key in it (PEM)".to_owned(),
        _ => "not PEM".to_owned(),
    };
    TlsError::File { path: path.to_owned(), why }
}

/// The fingerprint of the certificate of a client.
///
/// # Errors
/// The connection has none, which the verifier does not let happen.
pub(crate) fn fingerprint(connection: &ServerConnection) -> io::Result<Fingerprint> {
    let certificates = connection.peer_certificates().unwrap_or_default();
    let certificate = certificates.first().ok_or(io::ErrorKind::PermissionDenied)?;
    Ok(Sha256::digest(certificate).into())
}
