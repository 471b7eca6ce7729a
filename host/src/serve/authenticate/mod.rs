//! Who is calling: a request and its connection become a tenant, or nobody.
//!
//! A caller shows one thing: a bearer token, else the certificate of its connection, else nothing at all, which is somebody only on this
//! machine. `token.rs` knows static tokens by their hashes, and has the API server say whose any other is (`review.rs`). What is shown and
//! is nobody's is refused: it never counts as nothing shown.

mod certificate;
mod review;
mod token;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use tokio::time::Instant;

use crate::kube::Reviewed;
use crate::serve::audit::Subject;
use crate::serve::policy::{Caller, Policy, Tenant};

pub(crate) use certificate::{Authorities, Certificate};
pub(crate) use review::TokenReviews;
use token::{BearerError, Sha256Hash};

/// Whom a policy knows, by what they show.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    accounts: HashMap<String, Arc<Tenant>>,
    tokens: HashMap<Sha256Hash, Arc<Tenant>>,
    certificates: HashMap<String, Arc<Tenant>>,
    anonymous: Option<Arc<Tenant>>,
}

/// What is known of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: std::net::IpAddr,
    /// What it showed as it was opened.
    pub(crate) certificate: Option<Arc<Certificate>>,
}

/// A tenant, and what it was known by.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) by: Subject,
}

/// Why nobody is calling.
#[derive(Clone, Debug)]
pub(crate) enum Unauthenticated {
    /// Nothing was shown, and nothing is nobody's.
    NothingShown,
    /// What was shown is not one bearer token.
    NoBearer,
    /// What was shown is nobody's whom the policy knows.
    Unknown,
    /// The certificate of the connection was good as it was opened, and is not any more.
    Outdated,
    /// The API server could not be asked whose the token is.
    CannotTell,
    /// What is asked of the API server cannot be put on record, and so is not asked or not told.
    NoAudit,
    /// The API server is being asked about as many tokens as it may be, whoever shows them.
    Busy,
    /// This address has shown too many that are nobody's; it may show another after so long.
    TooMany(Duration),
}

impl Callers {
    pub(crate) fn of(policy: &Policy) -> Self {
        let mut callers = Self::default();
        for tenant in policy.tenants.values() {
            for caller in &tenant.callers {
                let tenant = Arc::clone(tenant);
                match caller {
                    Caller::ServiceAccount(account) => drop(callers.accounts.insert(account.user(), tenant)),
                    Caller::TokenSha256(hash) => drop(callers.tokens.insert(Sha256Hash(*hash), tenant)),
                    Caller::Certificate { common_name } => drop(callers.certificates.insert(common_name.clone(), tenant)),
                    Caller::Anonymous => callers.anonymous = Some(tenant),
                }
            }
        }
        callers
    }

    /// Whether somebody may call who shows nothing.
    pub(crate) fn admits_anonymous(&self) -> bool {
        self.anonymous.is_some()
    }

    /// Decides who is calling.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: &Peer,
        reviews: &TokenReviews,
        deadline: Instant,
    ) -> Result<Authenticated, Unauthenticated> {
        if headers.contains_key(AUTHORIZATION) {
            let bearer = token::bearer(headers).map_err(|BearerError| Unauthenticated::NoBearer)?;
            let hash = Sha256Hash::of(bearer);
            if let Some(tenant) = self.tokens.get(&hash) {
                return Ok(Authenticated { tenant: Arc::clone(tenant), by: Subject::Token { sha256: hash.0 } });
            }
            // Without an account in the policy, there is nobody whom the API server could name.
            if self.accounts.is_empty() {
                return Err(Unauthenticated::Unknown);
            }
            let is_known = |user: &str| self.accounts.contains_key(user);
            return match reviews.review(bearer, hash, is_known, peer.address, deadline).await? {
                Reviewed::ServiceAccount(account) => {
                    let tenant = self.accounts.get(&account.user()).ok_or(Unauthenticated::Unknown)?;
                    Ok(Authenticated { tenant: Arc::clone(tenant), by: Subject::ServiceAccount(account) })
                }
                Reviewed::Somebody | Reviewed::Nobody => Err(Unauthenticated::Unknown),
            };
        }
        if let Some(certificate) = &peer.certificate {
            if !certificate.counts() {
                return Err(Unauthenticated::Outdated);
            }
            let common_name = certificate.common_name.clone();
            let tenant = self.certificates.get(&common_name).ok_or(Unauthenticated::Unknown)?;
            return Ok(Authenticated { tenant: Arc::clone(tenant), by: Subject::Certificate { common_name } });
        }
        match &self.anonymous {
            Some(tenant) if peer.address.is_loopback() => Ok(Authenticated { tenant: Arc::clone(tenant), by: Subject::Anonymous }),
            _ => Err(Unauthenticated::NothingShown),
        }
    }
}

impl fmt::Display for Unauthenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingShown => "show who is calling: `Authorization: Bearer TOKEN`, or a client certificate",
            Self::NoBearer => "the `Authorization` header has to be one, and `Bearer` with a token",
            Self::Unknown => "what was shown is of nobody who may call",
            Self::Outdated => "the certificate of this connection does not count any more; connect anew with one that does",
            Self::NoAudit => "whose token this is cannot be found out while the audit log cannot be written",
            Self::CannotTell => "whose token this is could not be found out",
            Self::Busy => "too many tokens are being looked at; try again",
            Self::TooMany(_) => "too many tokens that are nobody's have come from this address",
        })
    }
}

#[cfg(test)]
mod tests;
