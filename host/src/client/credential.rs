//! The credential of the moment: none, a token that may rotate, or what a plugin says.

use std::sync::Arc;
use std::time::Duration;

use super::exec::Exec;
use super::reloading::Reloading;
use crate::config::{Credentials, ExecCredential, ExecIdentity, Token};
use crate::error::Error;

/// How old a token may be before its file is read again: client-go's minute less its leeway of ten seconds
/// (k8s.io/client-go v0.37.2 `transport/token_source.go`, `NewCachedFileTokenSource`). The kubelet renews at 80 % of the lifetime, so
/// that a minute more is well within it.
const TOKEN_RELOAD_INTERVAL: Duration = Duration::from_secs(50);

/// What one attempt is sent with. Clones are the same one.
#[derive(Clone)]
pub(super) enum Credential {
    None,
    Token(Arc<Token>),
    Exec(Arc<ExecCredential>),
}

impl Credential {
    pub(super) fn token(&self) -> Option<&Token> {
        match self {
            Self::None => None,
            Self::Token(token) => Some(token),
            Self::Exec(credential) => credential.token.as_ref(),
        }
    }

    /// Whether a server's words have it in them, in the clear.
    pub(super) fn is_sent_back_in(&self, words: &str) -> bool {
        self.token().is_some_and(|token| token.is_sent_back_in(words))
    }

    /// The client certificate that came with it.
    pub(super) fn identity(&self) -> Option<&ExecIdentity> {
        match self {
            Self::None | Self::Token(_) => None,
            Self::Exec(credential) => credential.identity.as_ref(),
        }
    }
}

/// Where it comes from.
pub(super) enum Source {
    None,
    Token(Reloading<Token>),
    Exec(Exec),
}

impl Source {
    pub(super) fn new(credentials: &Credentials) -> Self {
        let what = "token";
        match credentials {
            Credentials::None => Self::None,
            Credentials::Fixed(token) => Self::Token(Reloading::fixed(what, token.clone())),
            Credentials::TokenFile { path, token } => {
                let path = path.clone();
                Self::Token(Reloading::new(what, token.clone(), TOKEN_RELOAD_INTERVAL, move |seen| {
                    Ok(Some(Token::read(&path)?).filter(|token| token != seen))
                }))
            }
            Credentials::Exec(plugin) => Self::Exec(Exec::new(Arc::clone(plugin))),
        }
    }

    /// How long a person or a service that a plugin asks may take. That is not the API server's time, and moves the deadline of a call.
    pub(super) fn patience(&self) -> Duration {
        match self {
            Self::None | Self::Token(_) => Duration::ZERO,
            Self::Exec(exec) => exec.patience(),
        }
    }

    /// The credential. Only a plugin can fail.
    pub(super) async fn get(&self) -> Result<Credential, Error> {
        Ok(match self {
            Self::None => Credential::None,
            Self::Token(tokens) => Credential::Token(tokens.get().await),
            Self::Exec(exec) => Credential::Exec(exec.get().await?),
        })
    }

    /// Another credential than `refused`, after a look at the file, or a run of the plugin, at once; `None` where there is no other.
    pub(super) async fn replace(&self, refused: &Credential) -> Option<Credential> {
        match (self, refused) {
            (Self::Token(tokens), Credential::Token(refused)) => {
                let token = tokens.refresh(refused).await;
                (!Arc::ptr_eq(&token, refused)).then_some(Credential::Token(token))
            }
            (Self::Exec(exec), Credential::Exec(refused)) => exec.replace(refused).await.map(Credential::Exec),
            _ => None,
        }
    }
}
