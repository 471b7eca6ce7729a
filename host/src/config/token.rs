//! The bearer token. One type holds it, `Debug` shows nothing of it, and one function gives it away: the one that sets the header.

use std::fmt;
use std::path::Path;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::file;
use crate::error::{Error, Kind};

/// The scheme, RFC 6750 section 2.1.
const PREFIX: &[u8] = b"Bearer ";

/// A bearer token, never empty and always fit for a header.
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
        let mut value = HeaderValue::from_bytes(&[PREFIX, token].concat()).map_err(|_| TokenError::NotVisible)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The token in the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let refuse = |what: &str| Error::new(Kind::Configuration, format!("{what} the token file `{}`", path.display()));
        let bytes = file::read(path).map_err(|error| refuse("cannot read").because(error))?;
        Self::parse(&bytes).map_err(|error| refuse("cannot use").because(error))
    }

    /// Sets the `Authorization` header: the only way a token leaves this type.
    pub(crate) fn authorize(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.0.clone());
    }

    /// Whether `text` quotes the token: a server may send it back.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        let token = self.0.as_bytes().strip_prefix(PREFIX).unwrap_or_default();
        text.as_bytes().windows(token.len().max(1)).any(|window| window == token)
    }
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
}
