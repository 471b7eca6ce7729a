//! In whose name requests are made, how they name themselves to the API server, and who is told of them.
//!
//! One client serves many callers: they share connections, token and authorities, and nothing else. A caller is made before the first
//! request and never changes, so that none can be sent in the name of whoever came before.

use std::fmt;
use std::sync::Arc;

use reqwest::header::HeaderValue;

use super::Client;
use super::witness::Witness;
use crate::config::{Impersonation, Sourced};

/// One caller.
#[derive(Clone, Default)]
pub(super) struct Caller {
    /// Who the API server is to take us for; nobody but ourselves where there is none.
    pub(super) impersonation: Option<Sourced<Impersonation>>,
    /// What is added to the `User-Agent`.
    pub(super) agent: Option<HeaderValue>,
    pub(super) witness: Option<Arc<dyn Witness>>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("impersonation", &self.impersonation).field("agent", &self.agent).finish_non_exhaustive()
    }
}

#[cfg(feature = "cli")]
impl Client {
    /// The same connections, for requests that are answered as `identity`; `None` for ourselves. What the configuration says of that is
    /// replaced.
    pub(crate) fn acting_as(&self, identity: Option<Sourced<Impersonation>>) -> Self {
        self.with(|caller| caller.impersonation = identity)
    }

    /// The same, with words of its own in the `User-Agent`, behind ours. They are the host's: what cannot stand in a header is left out.
    pub(crate) fn announcing(&self, words: &str) -> Self {
        self.with(|caller| caller.agent = HeaderValue::from_str(&format!("{} {words}", super::pool::user_agent())).ok())
    }

    /// The same, with each request told to `witness`.
    pub(crate) fn witnessed(&self, witness: Arc<dyn Witness>) -> Self {
        self.with(|caller| caller.witness = Some(witness))
    }

    fn with(&self, change: impl FnOnce(&mut Caller)) -> Self {
        let mut caller = Caller::clone(&self.caller);
        change(&mut caller);
        Self { inner: Arc::clone(&self.inner), caller: Arc::new(caller) }
    }
}
