//! One watch that is kept, and what it knows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::client::Client;
use crate::error::Error;
use crate::kube::Namespace;
use crate::policy::Grant;
use crate::source::{Keep, Latest, Room, Watch};

/// How long a watch that failed is not tried again, at first and at most, twice as long each time: what is refused, or too large, is so for
/// a while, but an API server that has just started refuses everybody for a moment. Arbitrary.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

pub(super) struct Kept {
    latest: Arc<Mutex<Option<Latest>>>,
    state: Arc<Mutex<State>>,
    following: AbortHandle,
    retry: Duration,
}

struct State {
    asked: Instant,
    failed: Option<Instant>,
    /// Whether it went on for a while before it failed.
    lasted: bool,
}

impl Kept {
    /// Begins to watch, where one that failed has been before. The API server is not waited for.
    ///
    /// # Errors
    ///
    /// None that depends on anybody: the grant gives what is watched.
    pub(super) fn start(
        client: &Client,
        namespace: Option<&Namespace>,
        room: Arc<Room>,
        keep: Keep,
        io: &Handle,
        before: Option<&Self>,
    ) -> Result<Self, Error> {
        let grant = namespace.map_or_else(Grant::all_namespaces, |namespace| Grant::nothing().namespace(namespace.clone()));
        // Its followers are tasks of the runtime that is entered here.
        let entered = io.enter();
        let mut watch = Watch::within(client, &grant, room, keep)?;
        drop(entered);
        let latest = watch.latest();
        let state = Arc::new(Mutex::new(State { asked: Instant::now(), failed: None, lasted: false }));
        let begun = Instant::now();
        let (told, forgotten, namespace) = (Arc::clone(&state), Arc::clone(&latest), namespace.cloned());
        let following = io.spawn(async move {
            let error = loop {
                if let Err(error) = watch.next().await {
                    break error;
                }
            };
            let place = namespace.map_or("all namespaces".to_owned(), |namespace| format!("`{namespace}`"));
            tracing::warn!(place, cause = error.causes_in_line(), "pods are not kept, and are read each time: {error}");
            let mut state = lock(&told);
            state.failed = Some(Instant::now());
            state.lasted = begun.elapsed() >= RETRY.1;
            *lock(&forgotten) = None;
        });
        let retry = match before {
            Some(before) if !lock(&before.state).lasted => (2 * before.retry).min(RETRY.1),
            _ => RETRY.0,
        };
        Ok(Self { latest, state, following: following.abort_handle(), retry })
    }

    /// What is known, for somebody who asks.
    pub(super) fn latest(&self) -> Option<Latest> {
        lock(&self.state).asked = Instant::now();
        lock(&self.latest).clone()
    }

    /// How many pods are known.
    pub(super) fn count(&self) -> usize {
        lock(&self.latest).as_ref().map_or(0, |latest| latest.pods.len())
    }

    /// Whether nobody has asked for `idle`.
    pub(super) fn is_idle(&self, now: Instant, idle: Duration) -> bool {
        now.saturating_duration_since(lock(&self.state).asked) >= idle
    }

    /// Whether it failed long enough ago to be tried again.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        lock(&self.state).failed.is_some_and(|at| now.saturating_duration_since(at) >= self.retry)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
