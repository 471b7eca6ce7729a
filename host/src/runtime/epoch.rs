//! The epoch: what interrupts guests that compute, and nobody while none runs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use wasmtime::Engine;

/// How often a running guest is interrupted to look at its processor time and let others run. Two guests that compute keep two threads
/// busy, and each step of another run waits for this long at most: it takes a handful of steps.
const TICK: Duration = Duration::from_millis(2);

/// Advances an engine's epoch as long as guests run.
#[derive(Debug, Default)]
pub(super) struct Epoch {
    guests: Mutex<usize>,
    begun: Condvar,
}

/// A guest that runs, until it is dropped.
pub(super) struct Ticking<'a>(&'a Epoch);

impl Epoch {
    /// Starts the thread that ticks for `engine` until both are gone.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Arc<Self>> {
        let (epoch, engine) = (Arc::new(Self::default()), engine.weak());
        let waiting = Arc::downgrade(&epoch);
        let tick = move || {
            while Self::wait(&waiting) {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        };
        std::thread::Builder::new().name("podlens-epoch".into()).spawn(tick)?;
        Ok(epoch)
    }

    /// Waits until a guest runs; `false` once none can any more.
    fn wait(epoch: &Weak<Self>) -> bool {
        /// How long it takes to see that.
        const LOOK: Duration = Duration::from_millis(100);
        loop {
            let Some(epoch) = epoch.upgrade() else { return false };
            let guests = epoch.guests();
            if *guests > 0 {
                return true;
            }
            let waited = epoch.begun.wait_timeout_while(guests, LOOK, |guests| *guests == 0);
            if *waited.unwrap_or_else(PoisonError::into_inner).0 > 0 {
                return true;
            }
        }
    }

    /// Ticks as long as this is kept.
    pub(super) fn tick(&self) -> Ticking<'_> {
        let mut guests = self.guests();
        *guests += 1;
        if *guests == 1 {
            self.begun.notify_one();
        }
        Ticking(self)
    }

    fn guests(&self) -> MutexGuard<'_, usize> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        *self.0.guests() -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ticks_while_a_guest_runs_and_ends_with_the_last_of_it() {
        let epoch = Arc::new(Epoch::default());
        let weak = Arc::downgrade(&epoch);
        let ticking = epoch.tick();
        assert!(Epoch::wait(&weak));
        drop(ticking);
        let waiting = std::thread::spawn(move || Epoch::wait(&weak));
        std::thread::sleep(Duration::from_millis(150));
        assert!(!waiting.is_finished(), "no guest runs");
        let ticking = epoch.tick();
        assert!(waiting.join().unwrap());
        drop(ticking);
        let weak = Arc::downgrade(&epoch);
        drop(epoch);
        assert!(!Epoch::wait(&weak));
    }
}
