//! The verifiers of rustls that are our own: each decides in its own way whether a certificate is a server's. That the server has the
//! certificate's key is verified here, the same for all of them.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

/// What a server shows of itself in a handshake.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'a> {
    pub(crate) end_entity: &'a CertificateDer<'a>,
    pub(crate) intermediates: &'a [CertificateDer<'a>],
    /// Whom the connection is for.
    pub(crate) server_name: &'a ServerName<'a>,
    pub(super) ocsp_response: &'a [u8],
    pub(super) now: UnixTime,
}

impl Presented<'_> {
    /// What another verifier makes of it.
    pub(crate) fn verified_by(&self, verifier: &dyn ServerCertVerifier) -> Result<ServerCertVerified, rustls::Error> {
        let Self { end_entity, intermediates, server_name, ocsp_response, now } = *self;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }
}

/// Decides whether a certificate is a server's.
pub(crate) trait Judge: fmt::Debug + Send + Sync {
    /// Accepts it, or says why not.
    fn judge(&self, presented: &Presented<'_>) -> Result<ServerCertVerified, rustls::Error>;
}

/// A verifier that decides as its judge does.
#[derive(Debug)]
pub(crate) struct Judged<J> {
    pub(crate) judge: J,
    provider: Arc<CryptoProvider>,
}

impl<J> Judged<J> {
    pub(crate) fn new(judge: J, provider: &Arc<CryptoProvider>) -> Self {
        Self { judge, provider: Arc::clone(provider) }
    }
}

impl<J: Judge> ServerCertVerifier for Judged<J> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.judge.judge(&Presented { end_entity, intermediates, server_name, ocsp_response, now })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
