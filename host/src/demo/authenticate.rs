//! Who asks.

use std::collections::HashMap;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::account::Account;
use super::status::Status;

/// The account whose token a request carries; `None` for one that carries no bearer token at all (apiserver
/// `pkg/authentication/request/bearertoken/bearertoken.go`).
pub(super) fn authenticate(headers: &HeaderMap, tokens: &HashMap<String, Account>) -> Result<Option<Account>, Status> {
    let Some(header) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let Ok(header) = header.to_str() else { return Err(Status::unauthorized()) };
    let mut words = header.trim().splitn(3, ' ');
    match (words.next(), words.next()) {
        (Some(scheme), Some(token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            tokens.get(token).copied().map(Some).ok_or_else(Status::unauthorized)
        }
        _ => Ok(None),
    }
}
