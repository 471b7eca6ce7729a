//! What tenants may read, by the API server's own word: what is in the cache was read by another.
//!
//! A decision holds for ten seconds, a refusal for one. What cannot be decided is refused.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::client::{Call, Client, Response, STARTING};
use crate::error::Error;
use crate::kube::{Access, AccessAnswer, Namespace, Request};
use crate::serve::policy::Identity;
use crate::serve::traces::Span;

/// How long a decision holds. kube-apiserver itself keeps those of an authorization webhook for up to five minutes
/// (`--authorization-webhook-cache-authorized-ttl`); a right that is taken away should be gone while somebody watches.
const HOLDS: Duration = Duration::from_secs(10);

/// How long a refusal holds: kube-apiserver keeps those of a webhook less long, too (`--authorization-webhook-cache-unauthorized-ttl`), and
/// who was just given a right should not have to wait.
const REFUSAL_HOLDS: Duration = Duration::from_secs(1);

/// After how long, and for how long, it is asked again where the API server refuses what it has allowed before. One that has just started
/// answers before it knows any role, and says no to everybody, to the host, too: kube-apiserver's `/readyz` fails meanwhile, which whoever
/// asks it directly does not see. It took kube-apiserver 1.37.2 under four times the load of its processors up to 2.6 s. Arbitrary beyond
/// that; a right that was taken away costs the runs that would use it just then as much, and once. Where the client has seen that the API
/// server may have just started, a run asks for as long as one call would: [`STARTING`].
const ASK_AGAIN: Duration = Duration::from_millis(500);
const ASK_FOR: Duration = Duration::from_secs(3);

/// Most decisions that are kept: identities times namespaces times two. Arbitrary; bounds memory to some MiB.
const MAX_KEPT: usize = 20_000;

/// Most bytes of an answer to a review. One has some hundred.
const ANSWER_MAX_BYTES: u64 = 64 * 1024;

/// Asks, and remembers.
#[derive(Debug)]
pub(crate) struct AccessReviews {
    /// Asks as the host, whoever it is about.
    client: Client,
    kept: Mutex<HashMap<Asked, Decided>>,
    /// Since when the host itself is refused to ask.
    refused: Mutex<Option<Instant>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    /// The user name; `None` for the host itself.
    user: Option<String>,
    verb: &'static str,
    /// `None` for all namespaces together.
    namespace: Option<Namespace>,
}

#[derive(Clone, Copy, Debug)]
struct Decided {
    allowed: bool,
    until: Instant,
}

impl Decided {
    /// What was answered to what was asked at that time.
    fn read(answer: &Response, asked: Instant) -> Result<Self, Error> {
        let answer = AccessAnswer::decode(&answer.body)
            .map_err(|error| Error::server_error("the API server's word on what the tenant may read is none").because(error))?;
        Ok(Self { allowed: answer.allowed, until: asked + if answer.allowed { HOLDS } else { REFUSAL_HOLDS } })
    }
}

impl AccessReviews {
    /// Asks through `client`, which has to act as the host.
    pub(crate) fn new(client: Client) -> Self {
        Self { client, kept: Mutex::default(), refused: Mutex::default() }
    }

    /// Refuses what the API server would refuse `identity`.
    pub(crate) async fn check(
        &self,
        identity: &Identity,
        verb: &'static str,
        namespace: Option<&Namespace>,
        deadline: Instant,
    ) -> Result<(), Error> {
        let user = match identity {
            Identity::Host => None,
            Identity::ServiceAccount(account) => Some(account.user()),
        };
        let asked = Asked { user, verb, namespace: namespace.cloned() };
        let allowed = match self.kept(&asked) {
            Some(decided) => decided.allowed,
            None => {
                let access = Access { verb, resource: "pods", namespace };
                let decided = self.decide(&asked, identity, &access, deadline).await?;
                self.keep(asked, decided);
                decided.allowed
            }
        };
        match allowed {
            true => Ok(()),
            false => {
                let place = namespace.map_or("all namespaces".to_owned(), |namespace| format!("namespace `{namespace}`"));
                Err(Error::denied(format!("the API server does not let {identity} {verb} pods in {place}")))
            }
        }
    }

    /// Asks, and again where a refusal may not be the last word.
    async fn decide(&self, asked: &Asked, identity: &Identity, access: &Access<'_>, deadline: Instant) -> Result<Decided, Error> {
        let (was_allowed, might_ask) = (self.was_allowed(asked), self.has_decided());
        let began = Instant::now();
        loop {
            // Holds from when it was asked: what changes meanwhile may not be in the answer.
            let now = Instant::now();
            let answer = match Span::current().within("access_review", self.ask(identity, access, deadline)).await {
                Ok(answer) => Ok(Decided::read(&answer, now)?),
                Err(error) => Err(error),
            };
            let refused = self.note_refusal(answer.as_ref().is_err_and(Error::is_denied));
            let is_starting = self.client.may_be_starting();
            let is_doubtful = match &answer {
                Ok(decided) => !decided.allowed && (was_allowed || is_starting),
                Err(error) => error.is_denied() && (might_ask || is_starting),
            };
            let patience = if is_starting { began + STARTING } else { refused.unwrap_or(began) + ASK_FOR };
            if !is_doubtful || Instant::now() + ASK_AGAIN >= patience.min(deadline) {
                // Refused to ask is not refused to read: it is the host that lacks a right, and nothing is decided.
                return answer
                    .map_err(|error| Error::unavailable("nobody could say what the tenant may read", None).because(error));
            }
            sleep(ASK_AGAIN).await;
            // Another run may know by now.
            if let Some(decided) = self.kept(asked) {
                return Ok(decided);
            }
        }
    }

    /// Remembers whether the host is refused to ask; since when, if it is.
    fn note_refusal(&self, is_refused: bool) -> Option<Instant> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused = is_refused.then(|| refused.unwrap_or_else(Instant::now));
        *refused
    }

    async fn ask(&self, identity: &Identity, access: &Access<'_>, deadline: Instant) -> Result<Response, Error> {
        let request = match identity {
            Identity::Host => Request::self_subject_access_review(access),
            Identity::ServiceAccount(account) => Request::subject_access_review(access, account),
        };
        self.client.ask(&request, Call { deadline, max_bytes: ANSWER_MAX_BYTES }).await
    }

    /// Whether the host was ever let ask.
    fn has_decided(&self) -> bool {
        !self.kept.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether the last decision, which may hold no more, was that it is allowed.
    fn was_allowed(&self, asked: &Asked) -> bool {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(asked).is_some_and(|decided| decided.allowed)
    }

    fn kept(&self, asked: &Asked) -> Option<Decided> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(asked).filter(|decided| Instant::now() < decided.until).copied()
    }

    fn keep(&self, asked: Asked, decided: Decided) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            let now = Instant::now();
            kept.retain(|_, decided| now < decided.until);
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
        }
        kept.insert(asked, decided);
    }
}
