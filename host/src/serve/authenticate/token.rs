//! A bearer token, as a header has it, and its hash, by which alone it is remembered.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};

use crate::serve::policy::hash_beginning;

/// Longest token that is looked at. Those of service accounts have about 1 KiB. Arbitrary.
const MAX_BYTES: usize = 8 * 1024;

/// The header is not one bearer token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BearerError;

/// The token of the one `Authorization` header. Blank ones, which stand for the host itself elsewhere (CVE-2023-48312), are none.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, BearerError> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return Err(BearerError) };
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(BearerError)?;
    // RFC 6750 section 2.1.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let fits = scheme.eq_ignore_ascii_case("bearer")
        && (1..=MAX_BYTES).contains(&token.len())
        && token.bytes().all(is_token)
        && !token.starts_with('=');
    if fits { Ok(token) } else { Err(BearerError) }
}

/// The SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sha256Hash(pub(super) [u8; 32]);

impl Sha256Hash {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

impl std::fmt::Debug for Sha256Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}…", hash_beginning(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_bearer_token_is_one() {
        let long = format!("Bearer {}", "a".repeat(MAX_BYTES + 1));
        for (values, expected) in [
            (&["Bearer abc.def-_~+/="][..], Some("abc.def-_~+/=")),
            (&["bearer x"], Some("x")),
            (&["BEARER x"], Some("x")),
            (&[], None),
            (&[""], None),
            (&["Bearer"], None),
            (&["Bearer "], None),
            (&["Bearer  "], None),
            (&["Bearer  x"], None),
            (&["Bearer x "], None),
            (&["Bearer x y"], None),
            (&["Bearer x,y"], None),
            (&["Bearer ="], None),
            (&["Basic eDp5"], None),
            (&["x"], None),
            (&["Bearer x", "Bearer y"], None),
            (&["Bearer x", "Bearer x"], None),
            (&[&long], None),
        ] {
            let headers: HeaderMap = values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect();
            assert_eq!(bearer(&headers).ok(), expected, "{values:?}");
        }
    }

    #[test]
    fn a_hash_is_that_of_sha256sum() {
        assert_eq!(hash_beginning(&Sha256Hash::of("abc").0), "ba7816bf8f01");
    }
}
