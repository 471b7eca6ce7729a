//! Bound service account tokens: JSON Web Tokens with the claims that a cluster puts in them.
//!
//! The server accepts a token by looking it up whole, so nothing here verifies one. It is signed all the same: the signature
//! is by a key that is made at start and kept nowhere, and a token can therefore not be guessed.

use std::io;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rcgen::{KeyPair, SigningKey};
use serde_json::{Value, json};

use super::account::Account;
use super::identity;
use crate::kube::Pod;

/// What a cluster calls itself unless told otherwise (kubeadm's `--service-account-issuer`), and the audience of tokens for its API server.
pub(super) const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// A kubelet asks for an hour and 7 seconds, and the API server gives a year and says when it will warn
/// (kubernetes `pkg/serviceaccount/claims.go`).
const REQUESTED_SECONDS: i64 = 60 * 60 + 7;
const LIFETIME_SECONDS: i64 = 365 * 24 * 60 * 60;

pub(super) struct Issuer {
    key: KeyPair,
}

impl Issuer {
    /// Ed25519, whose signature is already in the form of a JSON Web Token (RFC 8037); a cluster has RSA or P-256.
    pub(super) fn new() -> Result<Self, rcgen::Error> {
        Ok(Self { key: KeyPair::generate_for(&rcgen::PKCS_ED25519)? })
    }

    /// A token of `account` for `audience`, bound to the first of `pods` that runs as it.
    pub(super) fn issue(&self, account: Account, audience: &str, pods: &[Pod], now: Timestamp) -> io::Result<String> {
        let now = now.as_second();
        let mut bound = json!({
            "namespace": account.namespace(),
            "serviceaccount": { "name": account.name(), "uid": account.uid() },
            "warnafter": now + REQUESTED_SECONDS,
        });
        let user = (account.namespace(), account.name());
        if let Some(pod) = pods.iter().find(|pod| (&*pod.metadata.namespace, &*pod.spec.service_account_name) == user) {
            bound["pod"] = json!({ "name": pod.metadata.name, "uid": pod.metadata.uid });
            bound["node"] = json!({ "name": pod.spec.node_name, "uid": identity::uid(&["Node", &pod.spec.node_name]) });
        }
        let claims = json!({
            "aud": [audience],
            "exp": now + LIFETIME_SECONDS,
            "iat": now,
            "iss": ISSUER,
            "jti": random_uuid()?,
            "kubernetes.io": bound,
            "nbf": now,
            "sub": account.user(),
        });
        let signed = format!("{}.{}", encode(&json!({ "alg": "EdDSA", "typ": "JWT" })), encode(&claims));
        let signature = self.key.sign(signed.as_bytes()).map_err(io::Error::other)?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn encode(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
}

fn random_uuid() -> io::Result<String> {
    let mut bytes = [0; 16];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the system gives no random bytes"))?;
    Ok(identity::uuid(&format!("{:032x}", u128::from_be_bytes(bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_can_be_decoded_and_never_comes_twice() {
        let now = Timestamp::UNIX_EPOCH;
        let pods = super::super::pods::pods(now);
        let issuer = Issuer::new().unwrap();
        let token = issuer.issue(Account::Podlens, ISSUER, &pods, now).unwrap();
        assert_ne!(token, issuer.issue(Account::Podlens, ISSUER, &pods, now).unwrap());

        let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["sub"], "system:serviceaccount:shop:podlens");
        assert_eq!(claims["aud"], json!([ISSUER]));
        assert_eq!(claims["exp"], LIFETIME_SECONDS);
        assert_eq!(claims["kubernetes.io"]["warnafter"], 3607);
        assert!(claims["kubernetes.io"]["pod"]["name"].as_str().unwrap().starts_with("podlens-"));
        assert!(claims["kubernetes.io"]["node"]["name"].is_string());
    }
}
