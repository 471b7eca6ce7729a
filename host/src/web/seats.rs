//! Room for clients. When all seats are taken, who has waited longest without a request leaves for who comes: a client with a request is
//! never put off by those that keep connections open and say nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The clients that wait: by how long, and how each is told to leave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seats(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    leave: BTreeMap<u64, Arc<Notify>>,
}

/// One client's.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Seats,
    leave: Arc<Notify>,
    /// Its place among those who wait; none while a request of it is answered.
    place: Mutex<Option<u64>>,
}

impl Seats {
    /// A seat for a client that has not asked for anything yet.
    pub(crate) fn seat(&self) -> Seat {
        let leave = Arc::new(Notify::new());
        let place = Mutex::new(Some(self.wait(&leave)));
        Seat { seats: self.clone(), leave, place }
    }

    /// Tells who has waited longest to leave, if anybody waits.
    pub(crate) fn free_one(&self) {
        if let Some((_, leave)) = self.waiting().leave.pop_first() {
            leave.notify_one();
        }
    }

    fn wait(&self, leave: &Arc<Notify>) -> u64 {
        let mut waiting = self.waiting();
        let place = waiting.next;
        waiting.next += 1;
        waiting.leave.insert(place, Arc::clone(leave));
        place
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that is done with it can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Returns when the seat is another's.
    pub(crate) async fn left(&self) {
        self.leave.notified().await;
    }

    /// Whether no request of this client is answered just now.
    pub(crate) fn waits(&self) -> bool {
        self.place().is_some()
    }

    /// A request has come. The seat is safe until what is returned is dropped.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.give_up_place();
        Busy(Arc::clone(self))
    }

    fn give_up_place(&self) {
        if let Some(place) = self.place().take() {
            self.seats.waiting().leave.remove(&place);
        }
    }

    fn place(&self) -> MutexGuard<'_, Option<u64>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.give_up_place();
    }
}

/// While a request is answered.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Seat>);

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.place() = Some(self.0.seats.wait(&self.0.leave));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn has_left(seat: &Seat) -> bool {
        tokio::time::timeout(std::time::Duration::ZERO, seat.left()).await.is_ok()
    }

    #[tokio::test]
    async fn who_has_waited_longest_leaves() {
        let seats = Seats::default();
        let [a, b, c] = [(); 3].map(|()| Arc::new(seats.seat()));
        let busy = a.busy();
        seats.free_one();
        assert_eq!((has_left(&a).await, has_left(&b).await, has_left(&c).await), (false, true, false));
        // Answered: now it waits, and later than `c`.
        drop(busy);
        seats.free_one();
        assert_eq!((has_left(&a).await, has_left(&c).await), (false, true));
        seats.free_one();
        assert!(has_left(&a).await);
        seats.free_one();
    }

    #[tokio::test]
    async fn who_is_gone_is_not_asked_to_leave() {
        let seats = Seats::default();
        let [a, b] = [(); 2].map(|()| Arc::new(seats.seat()));
        drop(a);
        seats.free_one();
        assert!(has_left(&b).await);
    }
}
