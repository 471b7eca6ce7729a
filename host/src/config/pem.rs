//! What TLS needs: the certificates that the API server is trusted by, and the client's own certificate and key.
//!
//! [`TlsSources`] says where they are; [`TlsSources::load`] reads and checks them, at the start and whenever they may have rotated.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, RootCertStore};

use super::{Origin, Sourced, file};
use crate::error::{Error, Kind};

/// PEM text, and where it is.
#[derive(Clone)]
pub(crate) enum Pem {
    /// A file, which may rotate.
    File(PathBuf),
    /// The text itself, from a field of a kubeconfig. It may be a private key: there is no `Debug`.
    Inline { text: Arc<[u8]>, field: &'static str, origin: Origin },
}

/// Where trust and identity come from.
#[derive(Clone)]
pub(crate) struct TlsSources {
    pub(crate) authority: Authority,
    /// The name that the server's certificate has to be for; `None`: the address's.
    pub(crate) server_name: Option<Sourced<ServerName<'static>>>,
    pub(crate) identity: Option<IdentitySource>,
}

/// Whom the API server's certificate has to be issued by.
#[derive(Clone)]
pub(crate) enum Authority {
    /// One of the platform's authorities. Only a kubeconfig without one says so; a pod's service account never does.
    Platform,
    /// One of these.
    Given(Pem),
    /// Anybody: `insecure-skip-tls-verify`, and where it is set.
    Anybody(Origin),
}

/// Where the client's certificate and its key are.
#[derive(Clone)]
pub(crate) struct IdentitySource {
    pub(crate) certificate: Pem,
    pub(crate) key: Pem,
}

/// What the sources hold at one moment, checked.
pub(crate) struct Tls {
    pub(crate) roots: Roots,
    pub(crate) identity: Option<Identity>,
    /// The texts that this was read from: equal ones need no new connections.
    texts: Vec<Vec<u8>>,
}

/// The certificates that an [`Authority`] is.
pub(crate) enum Roots {
    Platform,
    /// Never empty.
    Given(RootCertStore),
    Anybody,
}

/// The client's certificate chain and key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// Why PEM text is of no use. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PemError {
    Empty,
    Malformed,
    NoCertificate,
    UnusableCertificates,
    NoKey,
    OtherKey,
}

impl TlsSources {
    /// Reads and checks everything. A source that yields nothing is an error, never an empty trust or a missing identity.
    pub(crate) fn load(&self) -> Result<Tls, Error> {
        let mut texts = Vec::new();
        let mut read = |pem: &Pem, what: &'static str| {
            let text = pem.read(what)?;
            texts.push(text.clone());
            Ok::<_, Error>(text)
        };
        let roots = match &self.authority {
            Authority::Platform => Roots::Platform,
            Authority::Given(pem) => {
                let what = "certificate authority";
                Roots::Given(roots(&read(pem, what)?, pem).map_err(|error| pem.refuse(what, error))?)
            }
            Authority::Anybody(_) => Roots::Anybody,
        };
        let identity = match &self.identity {
            Some(IdentitySource { certificate, key }) => {
                let (what, key_what) = ("client certificate", "client key");
                let chain = certificates(&read(certificate, what)?).map_err(|error| certificate.refuse(what, error))?;
                let private = private_key(&read(key, key_what)?).map_err(|error| key.refuse(key_what, error))?;
                Some(Identity::new(chain, private).map_err(|error| key.refuse(key_what, error))?)
            }
            None => None,
        };
        Ok(Tls { roots, identity, texts })
    }

    /// Whether anything may change while the process runs.
    pub(crate) fn rotates(&self) -> bool {
        let authority = match &self.authority {
            Authority::Given(pem) => Some(pem),
            Authority::Platform | Authority::Anybody(_) => None,
        };
        let identity = self.identity.iter().flat_map(|identity| [&identity.certificate, &identity.key]);
        authority.into_iter().chain(identity).any(|pem| matches!(pem, Pem::File(_)))
    }

    /// What the API server's certificate has to be issued by, for people.
    pub(crate) fn authority(&self) -> &'static str {
        match &self.authority {
            Authority::Platform => "the platform's",
            Authority::Given(_) => "as configured",
            Authority::Anybody(_) => "none: any certificate is accepted",
        }
    }

    /// Where the authority is, for people.
    pub(crate) fn authority_origin(&self) -> String {
        match &self.authority {
            Authority::Platform => Origin::Default.to_string(),
            Authority::Given(pem) => pem.to_string(),
            Authority::Anybody(Origin::Option(name)) => Origin::Option(name).to_string(),
            Authority::Anybody(origin) => format!("`insecure-skip-tls-verify` of {origin}"),
        }
    }

    /// Where the client certificate is, for people.
    pub(crate) fn identity_origin(&self) -> Option<String> {
        self.identity.as_ref().map(|identity| identity.certificate.to_string())
    }
}

impl Tls {
    /// With a client certificate that came from elsewhere, and the text that it was read from.
    pub(crate) fn with_identity(mut self, identity: Identity, text: &[u8]) -> Self {
        self.identity = Some(identity);
        self.texts.push(text.to_vec());
        self
    }

    /// Whether both were read from the same text.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Identity {
    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, PemError> {
        // Whatever else is wrong with either is told when they are used.
        match CertifiedKey::from_der(chain.clone(), key.clone_key(), &ring::default_provider()) {
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(PemError::OtherKey),
            Ok(_) | Err(_) => Ok(Self { chain, key }),
        }
    }

    /// Certificate chain and key of PEM text, if they are that and belong together.
    pub(super) fn parse(certificate: &[u8], key: &[u8]) -> Option<Self> {
        Self::new(certificates(certificate).ok()?, private_key(key).ok()?).ok()
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl Pem {
    /// The text, which may be a key. `what` names it in messages.
    pub(super) fn read(&self, what: &'static str) -> Result<Vec<u8>, Error> {
        match self {
            Self::File(path) => file::read(path).map_err(|error| {
                Error::new(Kind::Configuration, format!("cannot read the {what} `{}`", crate::text::path(path))).because(error)
            }),
            Self::Inline { text, .. } => Ok(text.to_vec()),
        }
    }

    fn refuse(&self, what: &'static str, error: PemError) -> Error {
        let refused = Error::new(Kind::Configuration, format!("cannot use the {what} {self}")).because(error);
        match error {
            PemError::NoKey => refused.hint("a key that is encrypted with a passphrase is not supported"),
            _ => refused,
        }
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "`{}`", crate::text::path(path)),
            Self::Inline { field, origin, .. } => write!(f, "`{field}` of {origin}"),
        }
    }
}

fn roots(text: &[u8], pem: &Pem) -> Result<RootCertStore, PemError> {
    let mut roots = RootCertStore::empty();
    // As Go's `AppendCertsFromPEM`: what cannot be used is passed over while something can.
    let (added, ignored) = roots.add_parsable_certificates(certificates(text)?);
    if added == 0 {
        return Err(PemError::UnusableCertificates);
    }
    if ignored > 0 {
        tracing::warn!(ignored, "some certificates of the certificate authority {pem} cannot be used");
    }
    Ok(roots)
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    if text.trim_ascii().is_empty() {
        return Err(PemError::Empty);
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|_| PemError::Malformed)?;
    if certificates.is_empty() { Err(PemError::NoCertificate) } else { Ok(certificates) }
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|_| PemError::NoKey)
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::Malformed => "it is not well-formed PEM",
            Self::NoCertificate => "it has no PEM certificate (`-----BEGIN CERTIFICATE-----`)",
            Self::UnusableCertificates => "none of its certificates can be used as a certificate authority",
            Self::NoKey => "it has no PEM private key (PKCS #8, PKCS #1 or SEC 1)",
            Self::OtherKey => "it does not belong to the client certificate",
        })
    }
}

impl std::error::Error for PemError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(authority: Pem) -> TlsSources {
        TlsSources { authority: Authority::Given(authority), server_name: None, identity: None }
    }

    fn load_error(authority: &[u8]) -> String {
        let sources = sources(Pem::Inline { text: authority.into(), field: "certificate-authority-data", origin: Origin::Caller });
        let error = sources.load().err().unwrap();
        assert_eq!(error.to_string(), "cannot use the certificate authority `certificate-authority-data` of the caller");
        std::error::Error::source(&error).unwrap().to_string()
    }

    #[test]
    fn an_authority_without_a_usable_certificate_is_refused() {
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (text, cause) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("canary", "it has no PEM certificate (`-----BEGIN CERTIFICATE-----`)"),
            (key, "it has no PEM certificate (`-----BEGIN CERTIFICATE-----`)"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "it is not well-formed PEM"),
            ("-----BEGIN CERTIFICATE-----\n??\n-----END CERTIFICATE-----\n", "it is not well-formed PEM"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "none of its certificates can be used as a certificate authority",
            ),
        ] {
            assert_eq!(load_error(text.as_bytes()), cause, "{text}");
        }
    }

    #[test]
    fn a_certificate_that_cannot_be_used_is_passed_over() {
        let good = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap().cert.pem();
        let text = format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{good}");
        let authority = Pem::Inline { text: text.as_bytes().into(), field: "f", origin: Origin::Caller };
        let sources = sources(authority);
        assert!(matches!(sources.load().unwrap().roots, Roots::Given(roots) if roots.len() == 1));
        assert!(!sources.rotates());
    }
}
