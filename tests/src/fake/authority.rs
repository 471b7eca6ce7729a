//! A CA, and certificates of it that are in order or are not.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// What the server shows. All but the first must be refused by a client that trusts the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// Issued by the authority for `127.0.0.1` and `localhost`.
    InOrder,
    /// Issued by another authority of the same name.
    OtherAuthority,
    /// Valid for the year 2020.
    Expired,
    /// Valid from the year 4000.
    NotYetValid,
    /// Issued for `other.example` and `10.0.0.1`.
    OtherName,
    /// Issued by itself.
    SelfSigned,
    /// Issued by the authority, for the right name, and an authority's itself.
    AnAuthority,
}

/// A CA. Clones are the same one.
#[derive(Clone)]
pub struct Authority(Arc<CertifiedIssuer<'static, KeyPair>>);

/// A client's certificate and key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// Its private key, PEM (PKCS #8).
    pub key_pem: String,
}

impl Authority {
    /// A new CA.
    pub fn new() -> Self {
        let mut parameters = parameters("podlens-fake-ca", &[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(parameters, key()).expect("a CA certificate has nothing to be refused for");
        Self(Arc::new(issuer))
    }

    /// Its certificate, PEM: the content of a `ca.crt`.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A client certificate for `user`.
    pub fn client(&self, user: &str) -> ClientCertificate {
        let mut parameters = parameters(user, &[]);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate_pem, key_pem) = self.sign(&parameters);
        ClientCertificate { certificate_pem, key_pem }
    }

    /// The certificate of a server at `127.0.0.1` and `localhost`, and its key: PEM both.
    pub fn server(&self) -> (String, String) {
        self.serving(Serving::InOrder)
    }

    fn sign(&self, parameters: &CertificateParams) -> (String, String) {
        let key = key();
        let certificate = parameters.signed_by(&key, &*self.0).expect("a leaf has nothing to be refused for");
        (certificate.pem(), key.serialize_pem())
    }

    fn serving(&self, serving: Serving) -> (String, String) {
        let names: &[&str] = match serving {
            Serving::OtherName => &["other.example", "10.0.0.1"],
            _ => &["127.0.0.1", "localhost"],
        };
        let mut parameters = parameters("kube-apiserver", names);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        match serving {
            Serving::Expired => {
                parameters.not_before = date_time_ymd(2020, 1, 1);
                parameters.not_after = date_time_ymd(2021, 1, 1);
            }
            Serving::NotYetValid => parameters.not_before = date_time_ymd(4000, 1, 1),
            Serving::OtherAuthority => return Self::new().sign(&parameters),
            Serving::SelfSigned => {
                let key = key();
                let certificate = parameters.self_signed(&key).expect("a leaf has nothing to be refused for");
                return (certificate.pem(), key.serialize_pem());
            }
            Serving::AnAuthority => parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            Serving::InOrder | Serving::OtherName => {}
        }
        self.sign(&parameters)
    }

    /// TLS, and the certificate that it shows.
    pub(super) fn server_config(&self, serving: Serving, client_certificates: bool) -> (ServerConfig, String) {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring has every protocol version");
        let builder = if client_certificates {
            let mut roots = RootCertStore::empty();
            roots.add(self.0.der().clone()).expect("the CA is one");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("there is a root"))
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = self.serving(serving);
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("rcgen writes PEM")];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("rcgen writes PEM");
        (builder.with_single_cert(chain, key).expect("the key is the certificate's"), certificate)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

fn parameters(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().copied().map(String::from).collect();
    let mut parameters = CertificateParams::new(names).expect("the names are host names and IP addresses");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters
}

fn key() -> KeyPair {
    KeyPair::generate().expect("ring makes P-256 keys")
}
