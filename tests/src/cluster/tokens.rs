//! Tokens of service accounts: those that the API server issues, and the same signed again with other claims, as if issued at another
//! time. The key is the cluster's own, so that the API server judges what they say, not who says it.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, SigningKey as _};
use serde_json::{Value, json};

use super::Cluster;

impl Cluster {
    /// A token of a service account, by TokenRequest, as a kubelet gets it for a pod (though bound to no pod).
    /// Kubernetes accepts no `expiration_seconds` below 600.
    pub fn service_account_token(&self, namespace: &str, name: &str, expiration_seconds: u32) -> String {
        self.token(namespace, name, &json!({ "expirationSeconds": expiration_seconds }))
    }

    /// A token of a service account, by a TokenRequest with this `spec`.
    pub fn token(&self, namespace: &str, name: &str, spec: &Value) -> String {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec });
        let answer = self.post(&path, &request);
        answer["status"]["token"].as_str().expect("a granted TokenRequest carries a token").to_owned()
    }

    /// The same token as if it had been issued so many seconds ago.
    pub fn aged(&self, token: &str, seconds: i64) -> String {
        let [head, claims, _] = token.split('.').collect::<Vec<_>>().try_into().expect("a token has three parts");
        let mut claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("claims are base64")).expect("claims are JSON");
        for claim in ["exp", "nbf", "iat"] {
            claims[claim] = (claims[claim].as_i64().expect("a time is a number") - seconds).into();
        }
        let key = fs::read_to_string(self.data.join("service-account.key")).expect("the harness wrote it");
        let key = KeyPair::from_pem(&key).expect("the harness made it");
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = fixed_length(&key.sign(signed.as_bytes()).expect("ring signs"));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The two numbers of an ECDSA signature in 32 bytes each (RFC 7518, section 3.4), of the DER that X.509 has.
fn fixed_length(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut fixed = Vec::new();
    for _ in 0..2 {
        let (number, after) = rest[2..].split_at(rest[1].into());
        let number = &number[number.len().saturating_sub(32)..];
        fixed.extend(std::iter::repeat_n(0, 32 - number.len()));
        fixed.extend(number);
        rest = after;
    }
    fixed
}
