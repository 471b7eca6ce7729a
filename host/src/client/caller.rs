//! In whose name requests are made, how they name themselves to the API server, and who is told of them.
//!
//! One client serves many callers: they share connections, token and authorities, and nothing else. A caller is made before the first
//! request and never changes, so that none can be sent in the name of whoever came before.

use std::fmt;
use std::sync::Arc;

use reqwest::header::HeaderValue;

#[cfg(feature = "cli")]
use super::Client;
use super::witness::Witness;
use crate::config::{Impersonation, Sourced};

/// Who the API server is to take us for.
#[derive(Clone, Debug, Default)]
pub(crate) enum Acting {
    /// Nobody has said yet: nothing is sent.
    #[default]
    Undecided,
    /// Ourselves.
    Ourselves,
    /// Another.
    As(Sourced<Impersonation>),
}

/// One caller.
#[derive(Clone, Default)]
pub(super) struct Caller {
    pub(super) acting: Acting,
    /// What is added to the `User-Agent`.
    pub(super) agent: Option<HeaderValue>,
    pub(super) witness: Option<Arc<dyn Witness>>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("acting", &self.acting).field("agent", &self.agent).finish_non_exhaustive()
    }
}

impl Caller {
    /// Whom to impersonate, where that is somebody.
    pub(super) fn impersonation(&self) -> Option<&Sourced<Impersonation>> {
        match &self.acting {
            Acting::As(impersonation) => Some(impersonation),
            Acting::Undecided | Acting::Ourselves => None,
        }
    }
}

#[cfg(feature = "cli")]
impl Client {
    /// The same connections, for requests that are answered so. What the configuration says of that is replaced.
    pub(crate) fn acting(&self, acting: Acting) -> Self {
        self.with(|caller| caller.acting = acting)
    }

    /// The same, with words of its own in the `User-Agent`, behind ours. They are the host's: what cannot stand in a header is left out.
    pub(crate) fn announcing(&self, words: &str) -> Self {
        self.with(|caller| caller.agent = HeaderValue::from_str(&format!("{} {words}", super::pool::user_agent())).ok())
    }

    /// The same, with each request told to `witness`. As whom it acts is to be said anew: a witness is of one caller.
    pub(crate) fn witnessed(&self, witness: Arc<dyn Witness>) -> Self {
        self.with(|caller| {
            caller.witness = Some(witness);
            caller.acting = Acting::Undecided;
        })
    }

    fn with(&self, change: impl FnOnce(&mut Caller)) -> Self {
        let mut caller = Caller::clone(&self.caller);
        change(&mut caller);
        Self { inner: Arc::clone(&self.inner), caller: Arc::new(caller) }
    }
}
