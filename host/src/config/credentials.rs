//! Who we are to the API server, the client certificate aside (that is part of TLS, see `pem.rs`).

use std::fmt;
use std::path::PathBuf;

use super::Token;
use crate::error::Error;

/// The credential that each request carries.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// None; or the client certificate alone.
    None,
    /// A token that does not change.
    Token(Token),
    /// A token in a file that rotates, and the one that it held when it was first read.
    TokenFile { path: PathBuf, token: Token },
}

impl Credentials {
    /// Reads the file once, so that a missing token is told at the start.
    pub(crate) fn token_file(path: PathBuf) -> Result<Self, Error> {
        let token = Token::read(&path)?;
        Ok(Self::TokenFile { path, token })
    }

    /// What it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token(_) => "bearer token",
            Self::TokenFile { .. } => "bearer token from a file",
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}
