//! Who we are to the API server, the client certificate aside (that is part of TLS, see `pem.rs`).

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::Token;
use super::exec::ExecPlugin;
use crate::error::Error;
use crate::text::excerpt;

/// The credential that each request carries.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// None; or the client certificate alone.
    None,
    /// A token, or a user with a password, that does not change.
    Fixed(Token),
    /// A token in a file that rotates, and the one that it held when it was first read.
    TokenFile { path: PathBuf, token: Token },
    /// What a program says when it is asked.
    Exec(Arc<ExecPlugin>),
}

impl Credentials {
    /// Reads the file once, so that a missing token is told at the start.
    pub(crate) fn token_file(path: PathBuf) -> Result<Self, Error> {
        let token = Token::read(&path)?;
        Ok(Self::TokenFile { path, token })
    }

    /// What it is, for people.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Fixed(token) => token.kind().to_owned(),
            Self::TokenFile { .. } => "bearer token from a file".to_owned(),
            Self::Exec(plugin) => format!("credential plugin `{}`", excerpt(&plugin.command)),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind())
    }
}
