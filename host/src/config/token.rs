//! The secret of the `Authorization` header: a bearer token, or a user's password. One type holds it, `Debug` shows nothing of it, and
//! one function gives it away: the one that sets the header.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::file;
use crate::error::{Error, Kind};

/// The scheme, RFC 6750 section 2.1.
const BEARER: &[u8] = b"Bearer ";
/// The scheme of a user and a password, RFC 7617 section 2.
const BASIC: &[u8] = b"Basic ";

/// A bearer token, or a user and a password in its place: never empty and always fit for a header.
///
/// It is kept as the header's value, so that no other copy is made. That copy is not wiped: the HTTP stack shares it and makes more.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(HeaderValue);

/// Why bytes are no token. Says nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    Empty,
    Whitespace,
    NotVisible,
}

impl Token {
    /// Whitespace around the token is dropped, as client-go does: a file usually ends with a newline.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TokenError> {
        let token = bytes.trim_ascii();
        if token.is_empty() {
            return Err(TokenError::Empty);
        }
        if token.iter().any(u8::is_ascii_whitespace) {
            return Err(TokenError::Whitespace);
        }
        if !token.iter().all(u8::is_ascii_graphic) {
            return Err(TokenError::NotVisible);
        }
        Self::new(BEARER, token).ok_or(TokenError::NotVisible)
    }

    /// A user and a password. `None` where the user has a colon, at which the server would split.
    pub(crate) fn basic(user: &str, password: &str) -> Option<Self> {
        if user.contains(':') {
            return None;
        }
        Self::new(BASIC, STANDARD.encode(format!("{user}:{password}")).as_bytes())
    }

    fn new(scheme: &[u8], secret: &[u8]) -> Option<Self> {
        let mut value = HeaderValue::from_bytes(&[scheme, secret].concat()).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    /// The token in the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let refuse = |what: &str| Error::new(Kind::Configuration, format!("{what} the token file `{}`", crate::text::path(path)));
        let bytes = file::read(path).map_err(|error| refuse("cannot read").because(error))?;
        Self::parse(&bytes).map_err(|error| refuse("cannot use").because(error))
    }

    /// Sets the `Authorization` header: the only way a token leaves this type.
    pub(crate) fn authorize(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.0.clone());
    }

    /// Whether it is a user and a password.
    pub(crate) fn is_basic(&self) -> bool {
        self.0.as_bytes().starts_with(BASIC)
    }

    /// What it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        if self.is_basic() { "user and password" } else { "bearer token" }
    }

    /// Whether a server's words have the secret in them, in the clear.
    pub(crate) fn is_sent_back_in(&self, words: &str) -> bool {
        self.0.len() >= BEARER.len() + SENT_BACK_MIN_BYTES && self.is_in(words)
    }

    /// The same of all text in a JSON document, however it is escaped there.
    pub(crate) fn is_sent_back_in_json(&self, document: &[u8]) -> bool {
        let raw = self.is_sent_back_in(&String::from_utf8_lossy(document));
        raw || serde_json::from_slice(document).is_ok_and(|document| self.is_sent_back_in_value(&document))
    }

    fn is_sent_back_in_value(&self, value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::String(text) => self.is_sent_back_in(text),
            serde_json::Value::Array(values) => values.iter().any(|value| self.is_sent_back_in_value(value)),
            serde_json::Value::Object(fields) => {
                fields.iter().any(|(name, value)| self.is_sent_back_in(name) || self.is_sent_back_in_value(value))
            }
            _ => false,
        }
    }

    /// Whether `text` quotes the secret: a server may send it back.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        let quotes = |secret: &[u8]| !secret.is_empty() && text.as_bytes().windows(secret.len()).any(|window| window == secret);
        let header = self.0.as_bytes();
        match header.strip_prefix(BASIC) {
            Some(encoded) => quotes(encoded) || quotes(&password(encoded)),
            None => quotes(header.strip_prefix(BEARER).unwrap_or_default()),
        }
    }
}

/// Shorter secrets are words that an answer may well have of its own. Those that Kubernetes issues have at least 16 characters
/// (bootstrap tokens: `[a-z0-9]{6}.[a-z0-9]{16}`).
const SENT_BACK_MIN_BYTES: usize = 16;

fn password(encoded: &[u8]) -> Vec<u8> {
    let both = STANDARD.decode(encoded).unwrap_or_default();
    both.splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default().to_vec()
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the token is empty",
            Self::Whitespace => "the token has whitespace in it",
            Self::NotVisible => "the token has characters other than visible ASCII",
        })
    }
}

impl std::error::Error for TokenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_trimmed_and_checked() {
        type Parsed<'a> = Result<&'a [u8], TokenError>;
        let cases: [(&[u8], Parsed<'_>); 10] = [
            (b"abc", Ok(b"Bearer abc")),
            (b" abc.DEF-_~+/=\r\n", Ok(b"Bearer abc.DEF-_~+/=")),
            (b"", Err(TokenError::Empty)),
            (b" \n\t", Err(TokenError::Empty)),
            (b"a b", Err(TokenError::Whitespace)),
            (b"a\nAuthorization: x", Err(TokenError::Whitespace)),
            (b"a\0b", Err(TokenError::NotVisible)),
            (b"\x7f", Err(TokenError::NotVisible)),
            ("ü".as_bytes(), Err(TokenError::NotVisible)),
            (b"\xef\xbb\xbfabc", Err(TokenError::NotVisible)),
        ];
        for (bytes, expected) in cases {
            let parsed = Token::parse(bytes).map(|token| {
                let mut headers = HeaderMap::new();
                token.authorize(&mut headers);
                assert!(headers[AUTHORIZATION].is_sensitive());
                headers[AUTHORIZATION].as_bytes().to_vec()
            });
            assert_eq!(parsed.as_deref(), expected.as_ref().map(|bytes| *bytes), "{bytes:?}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = Token::parse(b"canary").unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert!(token.is_in("a canary sings") && !token.is_in("canar") && !token.is_in(""));
    }

    #[test]
    fn a_secret_that_is_sent_back_is_found() {
        let token = Token::parse(b"canary-0123456789").unwrap();
        assert!(token.is_sent_back_in_json(br#"{"gitVersion":"canary-0123456789"}"#));
        assert!(token.is_sent_back_in_json(br#"{"a":[{"gitVersion":"\u0063anary-0123456789"}]}"#));
        assert!(token.is_sent_back_in_json(b"canary-0123456789"));
        assert!(!token.is_sent_back_in_json(br#"{"gitVersion":"v1.37.2"}"#));
        assert!(!Token::parse(b"v1").unwrap().is_sent_back_in_json(br#"{"gitVersion":"v1.37.2"}"#));
    }

    #[test]
    fn a_user_and_a_password_are_one_secret() {
        // The example of RFC 7617, section 2.
        let token = Token::basic("Aladdin", "open sesame").unwrap();
        let mut headers = HeaderMap::new();
        token.authorize(&mut headers);
        assert_eq!(headers[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(headers[AUTHORIZATION].is_sensitive() && token.kind() == "user and password");
        assert!(token.is_in("say: open sesame!") && token.is_in("QWxhZGRpbjpvcGVuIHNlc2FtZQ==") && !token.is_in("Aladdin"));
        assert!(!Token::basic("a", "").unwrap().is_in("a"));
        assert_eq!(Token::basic("a:b", "c"), None);
    }
}
