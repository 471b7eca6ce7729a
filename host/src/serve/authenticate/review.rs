//! Asks the API server whose tokens are, and remembers what it said for a moment.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::Unauthenticated;
use super::token::Sha256Hash;
use crate::client::{Call, Client, Failure};
use crate::kube::{Request, Reviewed, TokenClaims};
use crate::serve::audit::AuditLog;
use crate::serve::bucket::Bucket;

/// How long what was said of a token holds: as long as the API server itself remembers what an authenticating webhook said of one that is
/// good (`--authentication-token-webhook-cache-ttl` is 2 minutes; kubelets use it), cut to what a token that was revoked may still do.
const HOLDS: Duration = Duration::from_secs(10);

/// Most tokens that are remembered. Arbitrary; some 100 bytes each.
const MAX_KEPT: usize = 4096;

/// Most tokens that are asked about at once: who makes up tokens must not make the host a burden to the API server. Arbitrary.
const ASKED_AT_ONCE: usize = 16;

/// How many tokens that are nobody's an address may have asked about, at once and in each second after that. Each is a line of the audit log,
/// and whoever makes them up must not fill the disk; tokens that are somebody's do not count. Arbitrary.
const NOBODYS_AT_ONCE: f64 = 20.0;
const NOBODYS_PER_SECOND: f64 = 1.0;

/// Most addresses of which that is remembered. Arbitrary.
const MAX_ADDRESSES: usize = 4096;

/// Most bytes of an answer. One has some hundred, and groups.
const ANSWER_MAX_BYTES: u64 = 64 * 1024;

type Kept = HashMap<Sha256Hash, (Reviewed, Instant)>;

/// Asks, and remembers.
#[derive(Debug)]
pub(crate) struct TokenReviews {
    client: Client,
    pub(super) audit: AuditLog,
    audience: RwLock<String>,
    kept: Mutex<Kept>,
    /// Of those that are nobody's: anybody can make up as many as he likes, and must not push the others out.
    nobodys: Mutex<Kept>,
    asking: Semaphore,
    addresses: Mutex<HashMap<IpAddr, Bucket>>,
}

impl TokenReviews {
    /// Asks through `client`, which has to act as the host and to put on record in `audit` what it asks, about tokens that are meant for
    /// `audience`.
    pub(crate) fn new(client: Client, audit: AuditLog, audience: &str) -> Self {
        let audience = RwLock::new(audience.to_owned());
        let asking = Semaphore::new(ASKED_AT_ONCE);
        Self { client, audit, audience, kept: Mutex::default(), nobodys: Mutex::default(), asking, addresses: Mutex::default() }
    }

    /// From now on, tokens are meant for another audience.
    pub(crate) fn set_audience(&self, audience: &str) {
        let mut current = self.audience.write().unwrap_or_else(PoisonError::into_inner);
        if *current != audience {
            audience.clone_into(&mut current);
            for kept in [&self.kept, &self.nobodys] {
                kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
        }
    }

    pub(super) async fn review(
        &self,
        token: &str,
        hash: Sha256Hash,
        is_known: impl Fn(&str) -> bool,
        from: IpAddr,
        deadline: Instant,
    ) -> Result<Reviewed, Unauthenticated> {
        if let Some(kept) = self.kept(hash) {
            return Ok(kept);
        }
        let audience = self.audience.read().unwrap_or_else(PoisonError::into_inner).clone();
        if !may_be_good(token, &audience, is_known) {
            return Ok(Reviewed::Nobody);
        }
        let Ok(Ok(_place)) = timeout_at(deadline, self.asking.acquire()).await else { return Err(Unauthenticated::Busy) };
        // Somebody may have asked about the same one meanwhile.
        if let Some(kept) = self.kept(hash) {
            return Ok(kept);
        }
        // Nothing is asked that could not be put on record. Whoever is turned away for that is, if it can be, and the log is well again.
        if !self.audit.is_well() {
            return Err(Unauthenticated::NoAudit);
        }
        // Those that were somebody's are asked about again whoever else is at that address, such as all who come through one proxy.
        let counts = !self.was_somebodys(hash);
        if counts {
            self.may_be_wrong(from).map_err(Unauthenticated::TooMany)?;
        }
        let until = Instant::now() + HOLDS;
        let request = Request::token_review(token, &audience);
        let answer = self.client.send(&request, Call { deadline, max_bytes: ANSWER_MAX_BYTES }).await;
        let is_away = matches!(&answer, Err(Failure::Other(error)) if error.is_unavailable());
        // Neither the cause nor the body is told: a server may send the token back in either.
        let reviewed = answer.ok().and_then(|answer| Reviewed::decode(&answer.body, &audience).ok());
        // One that nothing is known of afterwards counts as nobody's: it was asked about again and again, each time on record.
        let Some(reviewed) = reviewed else {
            if !self.audit.is_well() {
                if counts {
                    self.was_not_wrong(from);
                }
                tracing::warn!("whose a token is could not be found out: the audit log cannot be written");
                return Err(Unauthenticated::NoAudit);
            }
            match is_away {
                true => tracing::warn!("whose a token is could not be found out: the API server does not answer"),
                false => tracing::warn!(
                    "the API server did not say whose a token is: may the host create tokenreviews.authentication.k8s.io?"
                ),
            }
            return Err(Unauthenticated::CannotTell);
        };
        if counts && matches!(reviewed, Reviewed::ServiceAccount(_)) {
            self.was_not_wrong(from);
        }
        self.keep(hash, reviewed.clone(), until);
        Ok(reviewed)
    }

    /// Takes one of those that an address may be wrong about; else tells when there is one.
    fn may_be_wrong(&self, from: IpAddr) -> Result<(), Duration> {
        let (mut addresses, now) = (self.addresses.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        if let Some(bucket) = addresses.get_mut(&network(from)) {
            return bucket.take(now);
        }
        if addresses.len() >= MAX_ADDRESSES {
            addresses.retain(|_, bucket| !bucket.is_full(now));
            if addresses.len() >= MAX_ADDRESSES {
                // Nobody who is right should pay for that; there is still how many are asked about at once.
                return Ok(());
            }
        }
        let bucket = addresses.entry(network(from)).or_insert_with(|| Bucket::new(NOBODYS_PER_SECOND, NOBODYS_AT_ONCE, now));
        bucket.take(now)
    }

    fn was_not_wrong(&self, from: IpAddr) {
        if let Some(bucket) = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&network(from)) {
            bucket.put_back();
        }
    }

    /// Whether it was somebody's when it was last asked about.
    fn was_somebodys(&self, hash: Sha256Hash) -> bool {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&hash)
    }

    fn kept(&self, hash: Sha256Hash) -> Option<Reviewed> {
        [&self.kept, &self.nobodys].into_iter().find_map(|kept| {
            let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(&hash).filter(|(_, until)| Instant::now() < *until).map(|(reviewed, _)| reviewed.clone())
        })
    }

    fn keep(&self, hash: Sha256Hash, reviewed: Reviewed, until: Instant) {
        let kept = if matches!(reviewed, Reviewed::ServiceAccount(_)) { &self.kept } else { &self.nobodys };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            let now = Instant::now();
            kept.retain(|_, (_, until)| now < *until);
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
        }
        kept.insert(hash, (reviewed, until));
    }
}

/// An address, as far as one host does not choose it: those of an IPv6 subnet are all one's own (RFC 4291 section 2.5.1).
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        other => other,
    }
}

/// Whether the API server need be asked at all. A token of a service account says itself whom it is meant for and until when, without
/// proof; one that says it is not good is believed.
fn may_be_good(token: &str, audience: &str, is_known: impl Fn(&str) -> bool) -> bool {
    let Ok(claims) = TokenClaims::decode(token.as_bytes()) else { return false };
    claims.subject.as_deref().is_some_and(is_known)
        && claims.audiences.iter().any(|named| named == audience)
        && claims.expires.is_none_or(|expires| Timestamp::now() < expires)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_token_that_says_it_is_not_good_is_not_asked_about() {
        let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        for (claims, expected) in [
            (r#"{"sub":"a","aud":["podlens"],"exp":99999999999}"#, true),
            (r#"{"sub":"a","aud":"podlens"}"#, true),
            (r#"{"sub":"b","aud":"podlens"}"#, false),
            (r#"{"aud":"podlens"}"#, false),
            (r#"{"sub":"a","aud":["podlens"],"exp":1}"#, false),
            (r#"{"sub":"a","aud":["https://kubernetes.default.svc"]}"#, false),
            (r"{}", false),
        ] {
            assert_eq!(may_be_good(&token(claims), "podlens", |user| user == "a"), expected, "{claims}");
        }
        assert!(!may_be_good("made-up", "podlens", |_| true));
    }
}
