//! What a credential plugin answers.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::ExecVersion;
use crate::config::{Identity, Token, yaml};

/// A credential that a plugin gave: a token, a client certificate, or both. There is no `Debug`.
pub(crate) struct ExecCredential {
    pub(crate) token: Option<Token>,
    pub(crate) identity: Option<ExecIdentity>,
    /// `None`: until the API server refuses it.
    pub(crate) expires: Option<Timestamp>,
}

/// A client certificate and its key, and the text that they were read from: equal ones need no new connections.
pub(crate) struct ExecIdentity {
    pub(crate) identity: Identity,
    pub(crate) text: Arc<[u8]>,
}

/// Why an answer is no credential. Says nothing of the answer: all of it may be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialError {
    Malformed,
    Version(ExecVersion),
    NoStatus,
    Nothing,
    Half,
    Token,
    Certificate,
    Expiry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    kind: Option<String>,
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl ExecCredential {
    /// Reads a plugin's standard output, JSON or YAML as with client-go.
    pub(crate) fn parse(output: &[u8], version: ExecVersion) -> Result<Self, CredentialError> {
        let text = std::str::from_utf8(output).map_err(|_| CredentialError::Malformed)?;
        let answer: Answer = yaml::parse(text).map_err(|_| CredentialError::Malformed)?;
        if answer.kind.as_deref() != Some("ExecCredential") || answer.api_version.as_deref() != Some(version.as_str()) {
            return Err(CredentialError::Version(version));
        }
        let status = answer.status.ok_or(CredentialError::NoStatus)?;
        let set = |field: Option<String>| field.filter(|value| !value.is_empty());
        let token = set(status.token).map(|token| Token::parse(token.as_bytes())).transpose();
        let identity = match (set(status.client_certificate_data), set(status.client_key_data)) {
            (Some(certificate), Some(key)) => Some(ExecIdentity::parse(&certificate, &key).ok_or(CredentialError::Certificate)?),
            (None, None) => None,
            _ => return Err(CredentialError::Half),
        };
        let token = token.map_err(|_| CredentialError::Token)?;
        if token.is_none() && identity.is_none() {
            return Err(CredentialError::Nothing);
        }
        let expires = set(status.expiration_timestamp).map(|time| time.parse()).transpose();
        Ok(Self { token, identity, expires: expires.map_err(|_| CredentialError::Expiry)? })
    }

    /// Whether both say the same of who we are.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let text = |credential: &Self| credential.identity.as_ref().map(|identity| Arc::clone(&identity.text));
        self.token == other.token && text(self) == text(other)
    }
}

impl ExecIdentity {
    fn parse(certificate: &str, key: &str) -> Option<Self> {
        let identity = Identity::parse(certificate.as_bytes(), key.as_bytes())?;
        Some(Self { identity, text: [certificate, key].concat().into_bytes().into() })
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("its output is not one JSON object"),
            Self::Version(version) => {
                write!(f, "its output is not an `ExecCredential` of `{}`, as the kubeconfig says", version.as_str())
            }
            Self::NoStatus => f.write_str("its output has no `status`"),
            Self::Nothing => f.write_str("it gives neither a token nor a client certificate"),
            Self::Half => f.write_str("it gives a client certificate without its key, or a key alone"),
            Self::Token => f.write_str("its token is blank, or has characters other than visible ASCII"),
            Self::Certificate => f.write_str("its client certificate or key is not PEM, or they do not belong together"),
            Self::Expiry => f.write_str("its `expirationTimestamp` is not a time by RFC 3339"),
        }
    }
}

impl std::error::Error for CredentialError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(status: serde_json::Value) -> Result<ExecCredential, CredentialError> {
        let answer = json!({ "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status });
        ExecCredential::parse(answer.to_string().as_bytes(), ExecVersion::V1)
    }

    #[test]
    fn a_token_a_certificate_or_both_are_a_credential() {
        let key = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        let (certificate, key) = (key.cert.pem(), key.signing_key.serialize_pem());
        let both = parse(json!({
            "token": "canary\n", "clientCertificateData": certificate, "clientKeyData": key,
            "expirationTimestamp": "2026-11-24T06:00:00Z", "unknown": {},
        }))
        .ok()
        .unwrap();
        assert!(both.token.is_some() && both.identity.is_some());
        assert_eq!(both.expires, Some("2026-11-24T06:00:00Z".parse().unwrap()));
        let token = parse(json!({ "token": "t", "expirationTimestamp": null, "clientKeyData": "" })).ok().unwrap();
        assert!(token.token.is_some() && token.identity.is_none() && token.expires.is_none());
        let yaml = "kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1\nstatus: {token: t}\n";
        assert_eq!(ExecCredential::parse(yaml.as_bytes(), ExecVersion::V1).err(), None);
    }

    #[test]
    fn anything_else_is_told_and_never_quoted() {
        let key = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
        let (certificate, key, other) = (key.cert.pem(), key.signing_key.serialize_pem(), other.signing_key.serialize_pem());
        for (status, error) in [
            (json!({}), CredentialError::Nothing),
            (json!(null), CredentialError::NoStatus),
            (json!({ "token": "" }), CredentialError::Nothing),
            (json!({ "token": "canary canary" }), CredentialError::Token),
            (json!({ "token": "t", "clientKeyData": "canary" }), CredentialError::Half),
            (json!({ "clientCertificateData": certificate }), CredentialError::Half),
            (json!({ "clientCertificateData": "canary", "clientKeyData": key }), CredentialError::Certificate),
            (json!({ "clientCertificateData": certificate, "clientKeyData": "canary" }), CredentialError::Certificate),
            (json!({ "clientCertificateData": certificate, "clientKeyData": other }), CredentialError::Certificate),
            (json!({ "token": "t", "expirationTimestamp": "canary" }), CredentialError::Expiry),
            (json!({ "token": ["canary"] }), CredentialError::Malformed),
        ] {
            let found = parse(status).err();
            assert_eq!(found, Some(error));
            assert!(!format!("{found:?} {error}").contains("canary"));
        }
        for (output, error) in [
            ("", CredentialError::Version(ExecVersion::V1)),
            ("canary", CredentialError::Malformed),
            ("{", CredentialError::Malformed),
            ("{}", CredentialError::Version(ExecVersion::V1)),
            (r#"{"kind":"Pod","apiVersion":"client.authentication.k8s.io/v1"}"#, CredentialError::Version(ExecVersion::V1)),
            (
                r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"a"}}"#,
                CredentialError::Version(ExecVersion::V1),
            ),
        ] {
            assert_eq!(ExecCredential::parse(output.as_bytes(), ExecVersion::V1).err(), Some(error), "{output}");
        }
        assert_eq!(ExecCredential::parse(b"\xff", ExecVersion::V1).err(), Some(CredentialError::Malformed));
    }
}
