//! Counters whose labels others choose in part: no more of them than there is room for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::Labels;

/// How many series may yet begin.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Room {
    pub(super) fn new(series: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(series)))
    }

    fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn give_back(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A family of counters.
#[derive(Debug)]
pub(super) struct Bounded<const N: usize> {
    family: Family<Labels<N>, Counter>,
    room: Room,
    /// Which of them have taken room. Locked while one begins or ends.
    taken: Mutex<std::collections::HashSet<Labels<N>>>,
    /// The labels of what has no room.
    overflow: fn(&Labels<N>) -> Labels<N>,
}

impl<const N: usize> Bounded<N> {
    pub(super) fn new(room: Room, overflow: fn(&Labels<N>) -> Labels<N>) -> Self {
        Self { family: Family::default(), room, taken: Mutex::default(), overflow }
    }

    /// To be registered.
    pub(super) fn family(&self) -> Family<Labels<N>, Counter> {
        self.family.clone()
    }

    /// Counts one. One that `has_room` takes none from others.
    pub(super) fn count(&self, labels: &Labels<N>, has_room: bool) {
        if let Some(counter) = self.family.get(labels) {
            counter.inc();
            return;
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if has_room || taken.contains(labels) {
            self.family.get_or_create(labels).inc();
        } else if self.room.take() {
            taken.insert(labels.clone());
            self.family.get_or_create(labels).inc();
        } else {
            self.family.get_or_create(&(self.overflow)(labels)).inc();
        }
    }

    /// Forgets one.
    pub(super) fn remove(&self, labels: &Labels<N>) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        self.family.remove(labels);
        if taken.remove(labels) {
            self.room.give_back();
        }
    }
}
