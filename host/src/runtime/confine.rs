//! Runs a guest's function in a store of its own, under the run's clocks. Every entry into a guest passes here.

use tokio::time::{Duration, Instant};
use wasmtime::Store;

use super::engine::Shared;
use super::outcome;
use super::store::{Sandbox, State};
use crate::error::Error;
use crate::limits::{Budget, Limit};

/// Runs `work` in a store of its own, under the run's clocks. The store is gone when this returns, whatever happened inside.
pub(super) async fn confined<T>(
    sandbox: Sandbox,
    shared: &Shared,
    during: &'static str,
    work: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<T>,
) -> Result<T, Error> {
    let (budget, log, deadline, cpu) = (sandbox.budget.clone(), sandbox.log.clone(), sandbox.deadline, sandbox.cpu.clone());
    let started = Instant::now();
    let place = async {
        match &shared.pool {
            Some(pool) => pool.place().await,
            None => None,
        }
    };
    let result = match tokio::time::timeout_at(deadline, place).await {
        Err(elapsed) => Err(elapsed),
        // Given back after the store is gone, and with it what it had of the pool.
        Ok(_place) => match sandbox.store(&shared.engine) {
            Ok(mut store) => {
                let _ticking = shared.epoch.tick();
                let work = async {
                    tokio::select! {
                        biased;
                        result = cpu.measure(work(&mut store)) => result,
                        never = log.release_in_time() => match never {},
                    }
                };
                let result = tokio::time::timeout_at(deadline, work).await;
                store.data().imports.note_calls();
                result
            }
            Err(error) => Ok(Err(error)),
        },
    };
    budget.observe(Limit::WallTime, u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    let result = match result {
        Err(_) => Err(budget.reach(Limit::WallTime).into_error()),
        Ok(Err(trap)) => Err(outcome::of_trap(trap, &budget, &log, during)),
        Ok(Ok(value)) => Ok(value),
    };
    log.finish();
    result
}

/// A limit of time too long for the clock is no limit.
pub(super) fn deadline(budget: &Budget, started: Instant) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let limit = budget.limits().duration(Limit::WallTime).min(FAR);
    started.checked_add(limit).unwrap_or(started)
}
