//! The cluster's keys and certificates, new for each cluster.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};

/// The names and addresses by which a client may reach the API server; those of a pod included.
const SERVING_NAMES: [&str; 6] = ["127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];

/// One CA signs the API server's and the clients' certificates, as in a cluster made by kubeadm.
pub(super) struct Certificates {
    ca: CertifiedIssuer<'static, KeyPair>,
    pub(super) ca_pem: String,
    pub(super) serving_pem: String,
    pub(super) serving_key_pem: String,
    /// Signs service account tokens.
    pub(super) service_account_key_pem: String,
    /// Verifies them. A file of its own: kube-apiserver finds no public key in a PKCS #8 private key.
    pub(super) service_account_public_pem: String,
}

/// A client's certificate and key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// Its private key, PEM (PKCS #8).
    pub key_pem: String,
}

impl Certificates {
    pub(super) fn generate() -> Self {
        let mut ca = parameters("podlens-test-ca", []);
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let ca = CertifiedIssuer::self_signed(ca, key()).expect("a CA certificate has nothing to be refused for");

        let mut serving = parameters("kube-apiserver", SERVING_NAMES);
        serving.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (serving_pem, serving_key_pem) = sign(&serving, &ca);
        let service_account = key();
        Self {
            ca_pem: ca.pem(),
            ca,
            serving_pem,
            serving_key_pem,
            service_account_key_pem: service_account.serialize_pem(),
            service_account_public_pem: service_account.public_key_pem(),
        }
    }

    /// Kubernetes takes the user from the common name and the groups from the organisation.
    pub(super) fn client(&self, user: &str, group: Option<&str>) -> ClientCertificate {
        let mut client = parameters(user, []);
        if let Some(group) = group {
            client.distinguished_name.push(DnType::OrganizationName, group);
        }
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate_pem, key_pem) = sign(&client, &self.ca);
        ClientCertificate { certificate_pem, key_pem }
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

fn parameters<const N: usize>(common_name: &str, names: [&str; N]) -> CertificateParams {
    let mut parameters = CertificateParams::new(names.map(String::from)).expect("the names are host names and IP addresses");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.use_authority_key_identifier_extension = true;
    parameters
}

fn key() -> KeyPair {
    KeyPair::generate().expect("ring makes P-256 keys")
}

/// The certificate and its key.
fn sign(parameters: &CertificateParams, ca: &CertifiedIssuer<'_, KeyPair>) -> (String, String) {
    let key = key();
    let certificate = parameters.signed_by(&key, ca).expect("a leaf has nothing to be refused for");
    (certificate.pem(), key.serialize_pem())
}
