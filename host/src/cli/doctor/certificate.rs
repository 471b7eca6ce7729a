//! What an X.509 certificate says, for people. Whether it is to be trusted is the verifier's to say.

use std::net::IpAddr;

use jiff::Timestamp;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::x509::X509Name;

use crate::text::excerpt;

/// Most names of a certificate that are told; an API server's has about ten.
const MAX_NAMES: usize = 24;
/// Bytes of a key's identifier that are told: enough to tell two apart.
const KEY_BYTES: usize = 8;

/// A certificate's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) subject: String,
    pub(super) issuer: String,
    /// DNS names and IP addresses.
    pub(super) names: Vec<String>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) not_after: Option<Timestamp>,
    /// The beginning of the identifier of its key.
    pub(super) key: Option<String>,
    /// The same of its issuer's.
    pub(super) issuer_key: Option<String>,
    pub(super) is_authority: bool,
}

impl Certificate {
    /// `None` where it is no certificate that can be read.
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let mut certificate = Self {
            subject: name(parsed.subject()),
            issuer: name(parsed.issuer()),
            names: Vec::new(),
            not_before: Timestamp::from_second(parsed.validity().not_before.timestamp()).ok(),
            not_after: Timestamp::from_second(parsed.validity().not_after.timestamp()).ok(),
            key: None,
            issuer_key: None,
            is_authority: parsed.is_ca(),
        };
        for extension in parsed.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    certificate.names = names.general_names.iter().filter_map(general_name).take(MAX_NAMES).collect();
                }
                ParsedExtension::SubjectKeyIdentifier(key) => certificate.key = Some(hexadecimal(key.0)),
                ParsedExtension::AuthorityKeyIdentifier(authority) => {
                    certificate.issuer_key = authority.key_identifier.as_ref().map(|key| hexadecimal(key.0));
                }
                _ => {}
            }
        }
        Some(certificate)
    }

    /// Who it is of and who issued it, each with its key where that is known.
    pub(super) fn described(&self) -> String {
        let issuer = if self.subject == self.issuer && self.issuer_key.as_ref().is_none_or(|key| Some(key) == self.key.as_ref()) {
            "itself".to_owned()
        } else {
            with_key(&self.issuer, self.issuer_key.as_deref())
        };
        let what = if self.is_authority { "authority " } else { "" };
        format!("{what}{}, issued by {issuer}", with_key(&self.subject, self.key.as_deref().filter(|_| self.is_authority)))
    }

    pub(super) fn validity(&self) -> String {
        format!("{} to {}", day(self.not_before), day(self.not_after))
    }
}

/// A name, and the key that tells it from another of that name: every cluster of one installer calls its authority the same.
pub(super) fn with_key(name: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("`{name}` (key {key})"),
        None => format!("`{name}`"),
    }
}

fn name(name: &X509Name<'_>) -> String {
    let text = excerpt(&name.to_string());
    if text.is_empty() { "no name".to_owned() } else { text }
}

fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(excerpt(name)),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().take(KEY_BYTES).map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

/// To the second, in UTC.
pub(super) fn day(time: Option<Timestamp>) -> String {
    time.map_or("an unknown time".to_owned(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, "test-ca");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
    }

    #[test]
    fn a_certificate_is_read() {
        let issuer = authority();
        let mut parameters = CertificateParams::new(["a.example".to_owned(), "10.96.0.1".to_owned(), "::1".to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, "server\u{1b}[31m");
        parameters.use_authority_key_identifier_extension = true;
        let leaf = parameters.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let leaf = Certificate::parse(leaf.der()).unwrap();
        assert_eq!(leaf.names, ["a.example", "10.96.0.1", "::1"]);
        assert!(!leaf.is_authority && leaf.subject.contains(r"server\u{1b}"), "{leaf:?}");

        let [same, other] = [Certificate::parse(issuer.der()).unwrap(), Certificate::parse(authority().der()).unwrap()];
        assert!(same.is_authority && same.key == leaf.issuer_key && other.key != leaf.issuer_key);
        assert_eq!(same.subject, other.subject);
        assert!(same.described().ends_with("issued by itself"), "{}", same.described());
        assert_eq!(Certificate::parse(b"\x30\x00"), None);
    }
}
