//! TLS with rustls and ring: what a listener presents, reloaded when its files change, and whom a client trusts.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds no PEM block of the expected kind.
    #[error("{path}: expected PEM with {expected}: {source}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
        /// What the reader met.
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not fit, or a certificate is no authority's.
    #[error("{path}: {source}")]
    Refused {
        /// The file with the certificate.
        path: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// The provider lacks what TLS needs: a bug.
    #[error("TLS cannot be set up: {0}")]
    Provider(#[from] rustls::Error),
}

/// The files of a certificate: a chain, own certificate first, and its private key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and those above it.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What a listener presents. Clones share it.
#[derive(Clone)]
pub struct ServerTls {
    files: CertificateFiles,
    current: Arc<ArcSwap<ServerConfig>>,
}

impl ServerTls {
    /// Reads the files; HTTP/2 and HTTP/1.1 are offered.
    ///
    /// # Errors
    /// If a file cannot be read or they do not fit together.
    pub fn open(files: CertificateFiles) -> Result<Self, TlsError> {
        let config = server_config(&files)?;
        Ok(Self {
            files,
            current: Arc::new(ArcSwap::from(config)),
        })
    }

    /// Looks at the files every so often until `stop`, and presents what they hold to connections that begin later. Files that
    /// cannot be used are reported and counted; the certificate before them stays.
    pub(crate) async fn reload(self, every: Duration, stop: CancellationToken) {
        let mut seen = self.fingerprint();
        while stop
            .run_until_cancelled(tokio::time::sleep(every))
            .await
            .is_some()
        {
            let found = self.fingerprint();
            if found != seen {
                seen = found;
                self.look_again();
            }
        }
    }

    /// Reads the files once more.
    fn look_again(&self) {
        let chain = self.files.chain.display();
        match server_config(&self.files) {
            Ok(config) => {
                self.current.store(config);
                metrics::counter!("doorstep_tls_reloads_total", "outcome" => "done").increment(1);
                tracing::info!(%chain, "the certificate was reloaded");
            }
            Err(error) => {
                metrics::counter!("doorstep_tls_reloads_total", "outcome" => "failed").increment(1);
                tracing::error!(%error, %chain, "the new certificate cannot be used; the old one stays");
            }
        }
    }

    /// Changes with the contents of the files.
    fn fingerprint(&self) -> [Option<blake3::Hash>; 2] {
        [&self.files.chain, &self.files.key]
            .map(|path| fs::read(path).ok().map(|bytes| blake3::hash(&bytes)))
    }

    pub(crate) async fn accept<I>(&self, stream: I) -> io::Result<TlsStream<I>>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        TlsAcceptor::from(self.current.load_full())
            .accept(stream)
            .await
    }
}

fn server_config(files: &CertificateFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates(&files.chain)?;
    let bytes = read(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|source| TlsError::Pem {
        path: files.key.clone(),
        expected: "a private key",
        source,
    })?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|source| TlsError::Refused {
            path: files.chain.clone(),
            source,
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Whom our clients trust: the public authorities, and those of a PEM file beside them.
///
/// # Errors
/// If the file cannot be read or holds no certificate of an authority.
pub fn client_config(ca: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = ca {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|source| TlsError::Refused {
                path: path.to_path_buf(),
                source,
            })?;
        }
    }
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Whether a client's error comes from a certificate that it does not accept.
#[must_use]
pub fn is_distrust(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if matches!(
            error.downcast_ref(),
            Some(rustls::Error::InvalidCertificate(_))
        ) {
            return true;
        }
        // What an I/O error wraps is not among its sources.
        let wrapped = error.downcast_ref().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}

/// Makes ring the provider of every library that asks rustls for its default. To be called once, before any connection.
pub fn install_provider() {
    // An error only says that there is a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable {
        path: path.to_path_buf(),
        source,
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |source| TlsError::Pem {
        path: path.to_path_buf(),
        expected: "a certificate",
        source,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    let found = found.map_err(wrong)?;
    if found.is_empty() {
        return Err(wrong(rustls::pki_types::pem::Error::NoItemsFound));
    }
    Ok(found)
}
