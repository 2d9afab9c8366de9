//! Whom a server of the web must be vouched for by: the authorities that this machine trusts, or one that is given.

use std::{path::Path, sync::Arc};

use anyhow::{Context, ensure};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::exit::UsageError;

/// What connections are made with.
#[derive(Clone)]
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Trusts the authorities in a file of certificates in PEM, and no others; without one, those of this machine.
    ///
    /// # Errors
    /// [`UsageError`] for a file that holds none; others when this machine has none.
    pub(crate) fn new(authorities: Option<&Path>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = authorities {
            let wrong = |why: String| UsageError::new(format!("{}: {why}", path.display()));
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("there is no certificate in it; it should hold one in PEM".into()).into());
            }
        } else {
            // Some of a system's may be of a kind that nobody knows here.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            let none = "this machine trusts no authority: install the package ca-certificates, or name one with --ca";
            ensure!(!roots.is_empty(), none);
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("TLS")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Makes a connection secret, to this host and no other.
    ///
    /// # Errors
    /// When the host cannot show that it is the one.
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> anyhow::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned())
            .context("its name is none that a certificate could hold")?;
        let connected = TlsConnector::from(self.0.clone()).connect(name, stream).await;
        connected
            .context("no secret connection to it; for an authority that this machine does not know, see --ca")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert!(Trust::new(Some(&file)).is_err(), "absent");
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&file, text).unwrap();
            let error = Trust::new(Some(&file)).err().unwrap();
            assert!(error.is::<UsageError>() && error.to_string().contains("ca.pem"), "{text}: {error}");
        }
    }
}
