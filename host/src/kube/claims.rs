//! What a service account's token says of itself. Nothing is verified: only the API server can do that. It is for the one who holds the
//! token and wants to know why it is refused, since the API server answers every bad token with the same 401.
//!
//! Claims: k8s.io/kubernetes v1.37.2 `pkg/serviceaccount/claims.go`, and RFC 7519 section 4.1.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// Most bytes of a token that is decoded; a service account's has about 1,000. Arbitrary: a header that long no server accepts.
const TOKEN_MAX_BYTES: usize = 64 << 10;

/// The claims of a JSON Web Token, as far as they explain a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct TokenClaims {
    /// Who issued it, such as `https://kubernetes.default.svc.cluster.local`.
    #[serde(rename = "iss")]
    pub(crate) issuer: Option<String>,
    /// Whom it is for. An API server accepts its own audiences only, by default its issuer's name.
    #[serde(rename = "aud", deserialize_with = "one_or_many")]
    pub(crate) audiences: Vec<String>,
    /// Such as `system:serviceaccount:shop:podlens`.
    #[serde(rename = "sub")]
    pub(crate) subject: Option<String>,
    #[serde(rename = "exp", deserialize_with = "seconds")]
    pub(crate) expires: Option<Timestamp>,
    #[serde(rename = "nbf", deserialize_with = "seconds")]
    pub(crate) not_before: Option<Timestamp>,
    #[serde(rename = "kubernetes.io")]
    pub(crate) kubernetes: Option<KubernetesClaims>,
}

/// What Kubernetes adds to a bound token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct KubernetesClaims {
    /// The object that the token lives and dies with, where there is one.
    pub(crate) pod: Option<Bound>,
    pub(crate) secret: Option<Bound>,
    pub(crate) node: Option<Bound>,
    /// When a client that has not read the file again is warned about; the expiry is then a year later than the kubelet's renewal.
    #[serde(rename = "warnafter", deserialize_with = "seconds")]
    pub(crate) warn_after: Option<Timestamp>,
}

/// An object that a token is bound to, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Bound {
    pub(crate) name: String,
}

/// Why there are no claims. Says nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimsError {
    /// It has not the three parts of a JSON Web Token: a static token, or some other system's.
    Opaque,
    /// It has the parts, and no claims in them.
    Malformed,
}

impl TokenClaims {
    /// Reads the claims of `token`, without looking at its signature.
    pub(crate) fn decode(token: &[u8]) -> Result<Self, ClaimsError> {
        let mut parts = token.split(|byte| *byte == b'.');
        let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(ClaimsError::Opaque);
        };
        if token.len() > TOKEN_MAX_BYTES {
            return Err(ClaimsError::Malformed);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| ClaimsError::Malformed)?;
        // A struct may also be read from an array, whose values have no names.
        if !claims.starts_with(b"{") {
            return Err(ClaimsError::Malformed);
        }
        serde_json::from_slice(&claims).map_err(|_| ClaimsError::Malformed)
    }

    /// Whether the API server that issued the token takes it for meant for itself, as far as that can be told from here: unless it is told
    /// otherwise (`--api-audiences`), its one audience is its issuer's name.
    pub(crate) fn is_for_its_issuer(&self) -> bool {
        self.issuer.as_ref().is_none_or(|issuer| self.audiences.is_empty() || self.audiences.contains(issuer))
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Audience::deserialize(deserializer)? {
        Audience::One(audience) => vec![audience],
        Audience::Many(audiences) => audiences,
    })
}

/// A NumericDate: seconds since 1970, of which RFC 7519 allows fractions. One that is no time of this era is as good as none.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and what is then no time of this era is none")]
    let whole = number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64));
    Ok(whole.and_then(|seconds| Timestamp::from_second(seconds).ok()))
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opaque => "it is not a JSON Web Token, so nothing can be read from it",
            Self::Malformed => "it looks like a JSON Web Token, and its claims cannot be read",
        })
    }
}

impl std::error::Error for ClaimsError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(claims: &str) -> Result<TokenClaims, ClaimsError> {
        TokenClaims::decode(format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims)).as_bytes())
    }

    #[test]
    fn a_bound_token_is_read() {
        let claims = decode(
            r#"{"aud":["https://issuer"],"exp":1795500000,"iat":1795496400,"iss":"https://issuer","jti":"x","kubernetes.io":{
                "namespace":"shop","node":{"name":"n1","uid":"u"},"pod":{"name":"web-0","uid":"u"},
                "serviceaccount":{"name":"podlens","uid":"u"},"warnafter":1795500007},"nbf":1795496400.5,
                "sub":"system:serviceaccount:shop:podlens"}"#,
        )
        .unwrap();
        assert_eq!(claims.subject.as_deref(), Some("system:serviceaccount:shop:podlens"));
        assert_eq!(claims.expires.map(|time| time.as_second()), Some(1_795_500_000));
        assert_eq!(claims.not_before.map(|time| time.as_second()), Some(1_795_496_400));
        assert!(claims.is_for_its_issuer());
        let kubernetes = claims.kubernetes.unwrap();
        assert_eq!(kubernetes.pod.unwrap().name, "web-0");
        assert_eq!(kubernetes.node.unwrap().name, "n1");
        assert_eq!(kubernetes.warn_after.map(|time| time.as_second()), Some(1_795_500_007));
    }

    #[test]
    fn an_audience_is_the_issuers_or_somebody_elses() {
        for (claims, expected) in [
            (r#"{"iss":"a","aud":"a"}"#, true),
            (r#"{"iss":"a","aud":["b","a"]}"#, true),
            (r#"{"iss":"a","aud":["vault"]}"#, false),
            (r#"{"iss":"a","aud":"vault"}"#, false),
            // The old tokens of Secrets have none.
            (r#"{"iss":"kubernetes/serviceaccount"}"#, true),
            (r#"{"aud":["a"]}"#, true),
        ] {
            assert_eq!(decode(claims).unwrap().is_for_its_issuer(), expected, "{claims}");
        }
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for token in ["", "opaque", "a.b", "a.b.c.d"] {
            assert_eq!(TokenClaims::decode(token.as_bytes()), Err(ClaimsError::Opaque), "{token}");
        }
        for token in ["a.?.c", "a.bm8.c", "a..c"] {
            assert_eq!(TokenClaims::decode(token.as_bytes()), Err(ClaimsError::Malformed), "{token}");
        }
        for claims in ["[]", "1", r#"{"aud":1}"#, r#"{"exp":"soon"}"#] {
            assert_eq!(decode(claims), Err(ClaimsError::Malformed), "{claims}");
        }
        let long = format!("e30.{}.", URL_SAFE_NO_PAD.encode("{}")) + &"x".repeat(TOKEN_MAX_BYTES);
        assert_eq!(TokenClaims::decode(long.as_bytes()), Err(ClaimsError::Malformed));
        assert_eq!(decode(r#"{"exp":1e300,"nbf":-1e30}"#).unwrap(), TokenClaims::default());
    }
}
