//! The bearer token of the moment.

use std::sync::Arc;
use std::time::Duration;

use super::reloading::Reloading;
use crate::config::{Credentials, Token};

/// How old a token may be before its file is read again: client-go's minute less its leeway of ten seconds
/// (k8s.io/client-go v0.37.2 `transport/token_source.go`, `NewCachedFileTokenSource`). The kubelet renews at 80 % of the lifetime, so
/// that a minute more is well within it.
const TOKEN_RELOAD_INTERVAL: Duration = Duration::from_secs(50);

/// The token, where the credentials have one.
pub(super) struct Tokens(Option<Reloading<Token>>);

impl Tokens {
    pub(super) fn new(credentials: &Credentials) -> Self {
        let what = "token";
        Self(match credentials {
            Credentials::None => None,
            Credentials::Token(token) => Some(Reloading::fixed(what, token.clone())),
            Credentials::TokenFile { path, token } => {
                let path = path.clone();
                Some(Reloading::new(what, token.clone(), TOKEN_RELOAD_INTERVAL, move |seen| {
                    Ok(Some(Token::read(&path)?).filter(|token| token != seen))
                }))
            }
        })
    }

    pub(super) async fn get(&self) -> Option<Arc<Token>> {
        match &self.0 {
            Some(tokens) => Some(tokens.get().await),
            None => None,
        }
    }

    /// Another token than `refused`, after a look at the file at once; `None` where there is no other.
    pub(super) async fn replace(&self, refused: &Arc<Token>) -> Option<Arc<Token>> {
        let token = self.0.as_ref()?.refresh(refused).await;
        if Arc::ptr_eq(&token, refused) { None } else { Some(token) }
    }
}
