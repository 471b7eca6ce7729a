//! The epoch: what interrupts guests that compute, and nobody while none runs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

/// How often a running guest is interrupted to look at its processor time and let others run. Two guests that compute keep two threads
/// busy, and each step of another run waits for this long at most: it takes a handful of steps.
const TICK: Duration = Duration::from_millis(2);

/// Advances an engine's epoch as long as guests run.
#[derive(Debug)]
pub(super) struct Epoch(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    guests: usize,
    /// Whether no guest will run any more.
    over: bool,
}

/// A guest that runs, until it is dropped.
pub(super) struct Ticking<'a>(&'a Epoch);

impl Epoch {
    /// Starts the thread that ticks for `engine` until this is dropped.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (shared, engine) = (Arc::<Shared>::default(), engine.weak());
        let waiting = Arc::clone(&shared);
        let tick = move || {
            while waiting.is_needed() {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        };
        std::thread::Builder::new().name("podlens-epoch".into()).spawn(tick)?;
        Ok(Self(shared))
    }

    /// Ticks as long as this is kept.
    pub(super) fn tick(&self) -> Ticking<'_> {
        let mut state = self.0.state();
        state.guests += 1;
        if state.guests == 1 {
            self.0.changed.notify_one();
        }
        Ticking(self)
    }
}

impl Shared {
    /// Waits until a guest runs; `false` once none will any more.
    fn is_needed(&self) -> bool {
        let waited = self.changed.wait_while(self.state(), |state| state.guests == 0 && !state.over);
        !waited.unwrap_or_else(PoisonError::into_inner).over
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        self.0.state().over = true;
        self.0.changed.notify_one();
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.0.state().guests -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_needed_while_a_guest_runs_and_until_it_is_over() {
        let epoch = Epoch(Arc::default());
        let ticking = epoch.tick();
        assert!(epoch.0.is_needed());
        drop(ticking);
        let shared = Arc::clone(&epoch.0);
        let waiting = std::thread::spawn(move || shared.is_needed());
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished(), "no guest runs");
        let ticking = epoch.tick();
        assert!(waiting.join().unwrap());
        drop(ticking);
        let shared = Arc::clone(&epoch.0);
        drop(epoch);
        assert!(!shared.is_needed());
    }
}
