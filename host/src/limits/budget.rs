//! What a run has used so far, against its limits.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::{Limit, Limits};
use crate::error::{Error, Kind};

/// Shared by the guest's store, its imports and the reading of pods ahead of it. Counters never wrap and never go down, but
/// for memory, which is given back.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    used: [AtomicU64; Limit::ALL.len()],
    /// The most memory that was in use at one time.
    peak_memory: AtomicU64,
    reached: OnceLock<Limit>,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, used: Default::default(), peak_memory: AtomicU64::new(0), reached: OnceLock::new() }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn used(&self, limit: Limit) -> u64 {
        self.used[limit as usize].load(Ordering::Relaxed)
    }

    /// Takes `amount`, or takes nothing and says which limit is in the way. The run must then end.
    pub(crate) fn charge(&self, limit: Limit, amount: u64) -> Result<(), LimitReached> {
        self.take(limit, amount).map_err(|limit| self.reach(limit))
    }

    /// The same for work that the guest has not asked for yet: the run ends only if it does.
    pub(crate) fn take(&self, limit: Limit, amount: u64) -> Result<(), Limit> {
        let bound = self.limits.get(limit);
        let take = |used: u64| used.checked_add(amount).filter(|used| *used <= bound);
        let taken = self.used[limit as usize].fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        let before = taken.map_err(|_| limit)?;
        if limit == Limit::Memory {
            self.peak_memory.fetch_max(before.saturating_add(amount), Ordering::Relaxed);
        }
        Ok(())
    }

    /// The most memory that was in use at one time, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.peak_memory.load(Ordering::Relaxed)
    }

    /// Takes as much of `amount` as is left.
    pub(crate) fn charge_up_to(&self, limit: Limit, amount: u64) -> u64 {
        let bound = self.limits.get(limit);
        let mut taken = 0;
        let take = |used: u64| {
            taken = amount.min(bound.saturating_sub(used));
            Some(used.saturating_add(taken))
        };
        // Never fails: `take` always answers.
        let _ = self.used[limit as usize].fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken
    }

    /// [`Budget::take`] until the charge is dropped.
    pub(crate) fn hold(self: &Arc<Self>, limit: Limit, amount: u64) -> Result<Charge, Limit> {
        self.take(limit, amount)?;
        Ok(Charge { budget: self.clone(), limit, amount })
    }

    /// Gives back what was charged before.
    fn give_back(&self, limit: Limit, amount: u64) {
        let give = |used: u64| Some(used.saturating_sub(amount));
        let _ = self.used[limit as usize].fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
    }

    /// Notes what a clock says; clocks are read, not added up.
    pub(crate) fn observe(&self, limit: Limit, value: u64) {
        self.used[limit as usize].fetch_max(value, Ordering::Relaxed);
    }

    /// Marks the run as ended by `limit`. The first limit that was reached is the one that is told.
    pub(crate) fn reach(&self, limit: Limit) -> LimitReached {
        let limit = *self.reached.get_or_init(|| limit);
        LimitReached { limit, value: self.limits.get(limit) }
    }

    /// The limit that ended the run, whatever the guest made of it.
    pub(crate) fn reached(&self) -> Option<LimitReached> {
        self.reached.get().map(|limit| LimitReached { limit: *limit, value: self.limits.get(*limit) })
    }
}

/// What is taken of a limit for as long as this exists.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Arc<Budget>,
    limit: Limit,
    amount: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.give_back(self.limit, self.amount);
    }
}

/// A limit that ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitReached {
    limit: Limit,
    value: u64,
}

impl LimitReached {
    pub(crate) fn into_error(self) -> Error {
        let Self { limit, value } = self;
        let hint = format!("raise it with `--{}`, if the query should have more", limit.name());
        Error::new(
            Kind::Limit(limit.name()),
            format!("the run reached its limit of {}: {}", limit.what(), limit.unit().show(value)),
        )
        .hint(hint)
    }
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit `{}` of {} reached", self.limit.name(), self.limit.unit().show(self.value))
    }
}

impl std::error::Error for LimitReached {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_taken_whole_or_not_at_all() {
        let budget = Budget::new(Limits::default().with(Limit::Rows, 10));
        assert_eq!(budget.charge(Limit::Rows, 10), Ok(()));
        let reached = budget.charge(Limit::Rows, 1).unwrap_err();
        assert_eq!(budget.used(Limit::Rows), 10);
        assert_eq!(reached.into_error().to_string(), "the run reached its limit of rows: 10");
        assert_eq!(reached.into_error().limit(), Some("max-rows"));
        assert!(budget.charge(Limit::Rows, u64::MAX).is_err());
    }

    #[test]
    fn the_first_limit_is_the_one_that_is_told() {
        let budget = Budget::new(Limits::default().with(Limit::Rows, 0).with(Limit::Pods, 0));
        assert_eq!(budget.reached(), None);
        let first = budget.charge(Limit::Pods, 1).unwrap_err();
        assert_eq!(budget.charge(Limit::Rows, 1), Err(first));
        assert_eq!(budget.reached(), Some(first));
    }

    #[test]
    fn what_is_given_back_can_be_charged_again() {
        let budget = Arc::new(Budget::new(Limits::default().with(Limit::Memory, 100)));
        let held = budget.hold(Limit::Memory, 60).unwrap();
        assert_eq!(budget.charge(Limit::Memory, 40), Ok(()));
        budget.hold(Limit::Memory, 1).unwrap_err();
        assert_eq!(budget.reached(), None);
        drop(held);
        assert_eq!((budget.used(Limit::Memory), budget.peak_memory()), (40, 100));
        assert_eq!(budget.charge_up_to(Limit::Memory, 100), 60);
        assert_eq!(budget.used(Limit::Memory), 100);
    }
}
