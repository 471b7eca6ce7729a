//! Who asks.

use std::collections::HashMap;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::account::Account;
use super::status::Status;
use super::token::ISSUER;
use super::user::User;

/// The tokens that the server issued.
#[derive(Debug, Default)]
pub(super) struct Tokens(HashMap<String, Issued>);

/// What a token is good for.
#[derive(Clone, Copy, Debug)]
struct Issued {
    account: Account,
    audience: &'static str,
}

/// A token is worth nothing to those who ask about it. The words are those of kubernetes `pkg/serviceaccount/jwt.go` and apiserver
/// `pkg/authentication/request/bearertoken/bearertoken.go`.
pub(super) enum Refusal {
    Unknown,
    /// It is for somebody else.
    Audience(&'static str),
}

impl Tokens {
    /// From now on `token` is the account's, for this audience.
    pub(super) fn accept(&mut self, token: String, account: Account, audience: &'static str) {
        self.0.insert(token, Issued { account, audience });
    }

    /// Whose the token is, and the one of `audiences` that it is for.
    pub(super) fn authenticate(&self, token: &str, audiences: &[&str]) -> Result<(User, &'static str), Refusal> {
        let Issued { account, audience } = *self.0.get(token).ok_or(Refusal::Unknown)?;
        if audiences.contains(&audience) { Ok((User::of(account), audience)) } else { Err(Refusal::Audience(audience)) }
    }
}

/// Whose token a request carries; anonymous is who carries no bearer token at all (apiserver
/// `pkg/authentication/request/bearertoken/bearertoken.go`).
pub(super) fn authenticate(headers: &HeaderMap, tokens: &Tokens) -> Result<User, Status> {
    let Some(header) = headers.get(AUTHORIZATION) else { return Ok(User::anonymous()) };
    let Ok(header) = header.to_str() else { return Err(Status::unauthorized()) };
    let mut words = header.trim().splitn(3, ' ');
    match (words.next(), words.next()) {
        (Some(scheme), Some(token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            tokens.authenticate(token, &[ISSUER]).map(|(user, _)| user).map_err(|_| Status::unauthorized())
        }
        _ => Ok(User::anonymous()),
    }
}
