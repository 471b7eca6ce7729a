//! A value that is read again from time to time, and kept when it cannot be.
//!
//! The contract of Kubernetes for mounted tokens (kubernetes/kubernetes#68164): read it again about once a minute, and when that fails
//! go on with the last one. So a failure here is a warning, never a failed call; what has really expired is told by the server.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::Error;

/// Reads the value again; `None` when nothing changed. It may block: it runs on a thread for that.
type Load<T> = dyn Fn(&T) -> Result<Option<T>, Error> + Send + Sync;

pub(super) struct Reloading<T> {
    /// For the log.
    what: &'static str,
    current: RwLock<Arc<T>>,
    /// `None`: the value never changes.
    load: Option<(Arc<Load<T>>, Duration)>,
    /// When to look again. Held by the one that looks.
    next: Mutex<Instant>,
}

impl<T: Send + Sync + 'static> Reloading<T> {
    /// A value that stays as it is.
    pub(super) fn fixed(what: &'static str, value: T) -> Self {
        Self { what, current: RwLock::new(Arc::new(value)), load: None, next: Mutex::new(Instant::now()) }
    }

    /// A value that `load` reads again when it is asked for and was last looked at `interval` ago.
    pub(super) fn new(
        what: &'static str,
        value: T,
        interval: Duration,
        load: impl Fn(&T) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Self {
        let next = Mutex::new(Instant::now() + interval);
        Self { what, current: RwLock::new(Arc::new(value)), load: Some((Arc::new(load), interval)), next }
    }

    /// The value. At most one caller at a time looks whether it changed; the others go on with what there is.
    pub(super) async fn get(&self) -> Arc<T> {
        if let Some((load, interval)) = &self.load
            && let Ok(mut next) = self.next.try_lock()
            && Instant::now() >= *next
        {
            self.look(load).await;
            *next = Instant::now() + *interval;
        }
        self.current()
    }

    /// The value after a look at once, unless it is another one than `seen` already.
    pub(super) async fn refresh(&self, seen: &Arc<T>) -> Arc<T> {
        if let Some((load, interval)) = &self.load {
            let mut next = self.next.lock().await;
            if Arc::ptr_eq(seen, &self.current()) {
                self.look(load).await;
                *next = Instant::now() + *interval;
            }
        }
        self.current()
    }

    fn current(&self) -> Arc<T> {
        // A writer does nothing that could panic between its lock and its unlock.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn look(&self, load: &Arc<Load<T>>) {
        let (load, seen) = (Arc::clone(load), self.current());
        match tokio::task::spawn_blocking(move || load(&seen)).await {
            Ok(Ok(Some(changed))) => {
                tracing::debug!(what = self.what, "rotated");
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(changed);
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::warn!(what = self.what, cause, "{error}; the last good one is still used");
            }
            Err(_) => tracing::warn!(what = self.what, "cannot be read again; the last good one is still used"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::error::Kind;

    const INTERVAL: Duration = Duration::from_secs(50);

    /// Counts up with each look; every third fails.
    fn counting() -> (Arc<AtomicU32>, Reloading<u32>) {
        let looks = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&looks);
        let reloading = Reloading::new("count", 0, INTERVAL, move |seen| match counter.fetch_add(1, Ordering::SeqCst) % 3 {
            2 => Err(Error::new(Kind::Configuration, "gone")),
            _ => Ok(Some(seen + 1)),
        });
        (looks, reloading)
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_looked_at_once_an_interval_and_kept_on_failure() {
        let (looks, value) = counting();
        for (advance, expected) in [(0, 0), (49, 0), (1, 1), (49, 1), (1, 2), (50, 2), (50, 3)] {
            tokio::time::advance(Duration::from_secs(advance)).await;
            assert_eq!(*value.get().await, expected);
            assert_eq!(*value.get().await, expected);
        }
        assert_eq!(looks.load(Ordering::SeqCst), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refresh_looks_once_for_all_who_saw_the_same() {
        let (looks, value) = counting();
        let seen = value.get().await;
        let (a, b) = tokio::join!(value.refresh(&seen), value.refresh(&seen));
        assert_eq!((*a, *b, looks.load(Ordering::SeqCst)), (1, 1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fixed_value_stays() {
        let value = Reloading::fixed("fixed", 7);
        tokio::time::advance(INTERVAL * 9).await;
        let seen = value.get().await;
        assert!(Arc::ptr_eq(&seen, &value.refresh(&seen).await));
    }
}
