//! The certificate by which apps know the server, and the TLS settings around it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doorstep_dispatch_wire::version::ALPN;
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicServerConfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use crate::private_file;

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// Made anew at every start for these names; apps must be given it: for tests, the demo and trials.
    SelfSigned {
        /// DNS names and addresses.
        names: Vec<String>,
    },
    /// Made once for these names and kept in these PEM files; apps that were given it trust it after every restart.
    Kept {
        /// The certificate.
        chain: PathBuf,
        /// Its private key, readable by its owner only.
        key: PathBuf,
        /// DNS names and addresses of a certificate that is made.
        names: Vec<String>,
    },
    /// PEM files as a certificate authority gives them.
    Files {
        /// The certificate and those above it.
        chain: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// Why there is no certificate.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A self-signed one cannot be made.
    #[error("no self-signed certificate: {0}")]
    SelfSigned(#[from] rcgen::Error),
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The file, as it was named.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{path} cannot be written: {source}")]
    Unwritable {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds no PEM block of the expected kind.
    #[error("{path} holds no usable PEM: {source}")]
    Pem {
        /// The file, as it was named.
        path: String,
        /// What the reader met.
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not fit, or TLS cannot be set up.
    #[error("TLS cannot be set up with the certificate: {0}")]
    Tls(#[from] rustls::Error),
    /// TLS has no cipher for QUIC's first packets.
    #[error("TLS cannot be set up for QUIC: {0}")]
    Cipher(#[from] NoInitialCipherSuite),
}

/// What the endpoint needs, and the certificate for clients that must trust it.
pub(crate) struct Identity {
    pub(crate) tls: QuicServerConfig,
    pub(crate) certificate_der: Vec<u8>,
}

/// Reads or makes the certificate.
pub(crate) fn load(source: &CertificateSource) -> Result<Identity, CertificateError> {
    let (chain, key) = match source {
        CertificateSource::SelfSigned { names } => {
            let made = rcgen::generate_simple_self_signed(names.clone())?;
            let key = PrivateKeyDer::try_from(made.signing_key.serialize_der());
            let key = key.map_err(|why| rustls::Error::General(why.to_owned()))?;
            (vec![made.cert.der().clone()], key)
        }
        CertificateSource::Kept { chain, key, names } => {
            if !chain.exists() {
                make(chain, key, names)?;
            }
            (read_chain(chain)?, read_key(key)?)
        }
        CertificateSource::Files { chain, key } => (read_chain(chain)?, read_key(key)?),
    };
    let first = chain
        .first()
        .ok_or(rustls::Error::NoCertificatesPresented)?;
    let certificate_der = first.as_ref().to_vec();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Identity {
        tls: QuicServerConfig::try_from(tls)?,
        certificate_der,
    })
}

/// Makes a certificate. The chain is written last: whoever finds it finds its key too, also after a crash in between.
fn make(chain: &Path, key: &Path, names: &[String]) -> Result<(), CertificateError> {
    let made = rcgen::generate_simple_self_signed(names.to_owned())?;
    write(key, &made.signing_key.serialize_pem())?;
    write(chain, &made.cert.pem())
}

fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    private_file::write(path, text.as_bytes()).map_err(|source| CertificateError::Unwritable {
        path: path.display().to_string(),
        source,
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    chain.map_err(|source| CertificateError::Pem {
        path: path.display().to_string(),
        source,
    })
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|source| CertificateError::Pem {
        path: path.display().to_string(),
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|source| CertificateError::Unreadable {
        path: path.display().to_string(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{CertificateError, CertificateSource, load};

    #[test]
    fn a_kept_certificate_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let source = CertificateSource::Kept {
            chain: folder.path().join("chain.pem"),
            key: folder.path().join("key.pem"),
            names: vec!["localhost".to_owned()],
        };
        let first = load(&source).unwrap().certificate_der;
        assert_eq!(load(&source).unwrap().certificate_der, first);
        // A crash after the key and before the certificate leaves this.
        fs::remove_file(folder.path().join("chain.pem")).unwrap();
        assert_ne!(load(&source).unwrap().certificate_der, first);
    }

    #[test]
    fn a_certificate_from_files_is_the_one_that_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (chain, key) = (
            folder.path().join("chain.pem"),
            folder.path().join("key.pem"),
        );
        fs::write(&chain, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let identity = load(&CertificateSource::Files {
            chain: chain.clone(),
            key,
        })
        .unwrap();
        assert_eq!(identity.certificate_der, made.cert.der().as_ref());

        let mixed_up = load(&CertificateSource::Files {
            chain: chain.clone(),
            key: chain,
        });
        assert!(matches!(mixed_up, Err(CertificateError::Pem { .. })));
        let missing = folder.path().join("none.pem");
        let missing = load(&CertificateSource::Files {
            chain: missing.clone(),
            key: missing,
        });
        assert!(matches!(missing, Err(CertificateError::Unreadable { .. })));
    }
}
