//! A CA and the serving certificate it signs, new at each start.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The names and addresses that a client may reach an API server by, those inside a pod included.
const SERVING_NAMES: [&str; 6] = ["127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];

pub(super) struct Certificates {
    /// What a client trusts.
    pub(super) ca_pem: String,
    pub(super) serving: CertificateDer<'static>,
    pub(super) serving_key: PrivateKeyDer<'static>,
}

impl Certificates {
    pub(super) fn generate() -> Result<Self, rcgen::Error> {
        let mut ca = parameters("podlens-demo-ca", [])?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

        let mut serving = parameters("kube-apiserver", SERVING_NAMES)?;
        serving.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = serving.signed_by(&key, &ca)?;
        let serving_key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Ok(Self { ca_pem: ca.pem(), serving: certificate.into(), serving_key })
    }
}

fn parameters<const N: usize>(common_name: &str, names: [&str; N]) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(names.map(String::from))?;
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}
