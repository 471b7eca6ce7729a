//! Answers of each tenant that are made, or wait to be taken by their clients. They are memory that outlives their runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::serve::policy::{Rates, TenantName};

/// How many there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(Arc<Mutex<HashMap<TenantName, usize>>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Answer {
    answers: Answers,
    tenant: TenantName,
}

impl Answers {
    /// A place for one more: there are as many as a tenant may have runs, those that wait included. `None` where all are taken.
    pub(crate) fn place(&self, tenant: &TenantName, rates: &Rates) -> Option<Answer> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = answers.entry(tenant.clone()).or_default();
        if *taken >= rates.concurrent_runs.saturating_add(rates.queue) {
            return None;
        }
        *taken += 1;
        Some(Answer { answers: self.clone(), tenant: tenant.clone() })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let mut answers = self.answers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = answers.get_mut(&self.tenant) {
            *taken -= 1;
            if *taken == 0 {
                answers.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_as_many_as_runs() {
        let (answers, rates) = (Answers::default(), Rates { concurrent_runs: 1, runs_per_second: 1.0, queue: 1 });
        let [a, b] = ["a", "b"].map(|name| TenantName::parse(name).unwrap());
        let first = answers.place(&a, &rates).unwrap();
        let _second = answers.place(&a, &rates).unwrap();
        assert!(answers.place(&a, &rates).is_none() && answers.place(&b, &rates).is_some());
        drop(first);
        assert!(answers.place(&a, &rates).is_some());
        assert_eq!(answers.0.lock().unwrap().len(), 1);
    }
}
