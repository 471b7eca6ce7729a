//! What the requests of one list cost the run: each as it is begun, and one for each page whatever its source says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Kind};
use crate::limits::{Budget, Limit};
use crate::source::Requests;

/// The requests of one list.
pub(super) struct ListRequests {
    budget: Arc<Budget>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The source begins its requests. Otherwise each page is charged before it is asked for.
    begins: bool,
    /// One was charged for the page that is asked for, and is not begun yet.
    paid: bool,
    charged: u64,
    pages: u64,
}

impl ListRequests {
    pub(super) fn new(budget: Arc<Budget>) -> Arc<Self> {
        Arc::new(Self { budget, seen: Mutex::default() })
    }

    /// What the source is given to begin its requests with.
    pub(super) fn charge(self: &Arc<Self>) -> Requests {
        let requests = Arc::clone(self);
        Requests::charged_by(move || {
            let begun = requests.begin();
            begun.map_err(|limit| Error::new(Kind::Limit(limit.name()), "the run has no request for pods left"))
        })
    }

    /// The source is about to be asked for a page.
    pub(super) fn page_asked(&self) -> Result<(), Limit> {
        let mut seen = self.seen();
        seen.paid = false;
        if !seen.begins {
            self.take(&mut seen)?;
            seen.paid = true;
        }
        Ok(())
    }

    /// The source gave one.
    pub(super) fn page_given(&self) -> Result<(), Limit> {
        let mut seen = self.seen();
        seen.pages += 1;
        if seen.charged < seen.pages { self.take(&mut seen) } else { Ok(()) }
    }

    fn begin(&self) -> Result<(), Limit> {
        let mut seen = self.seen();
        seen.begins = true;
        if std::mem::take(&mut seen.paid) { Ok(()) } else { self.take(&mut seen) }
    }

    fn take(&self, seen: &mut Seen) -> Result<(), Limit> {
        self.budget.take(Limit::Requests, 1)?;
        seen.charged += 1;
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Nothing that holds it panics.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn budget(requests: u64) -> Arc<Budget> {
        Arc::new(Budget::new(Limits::default().with(Limit::Requests, requests)))
    }

    #[test]
    fn a_request_is_charged_when_it_is_begun() {
        let budget = budget(10);
        let list = ListRequests::new(budget.clone());
        let used = || budget.used(Limit::Requests);
        list.page_asked().unwrap();
        list.charge().begin().unwrap();
        assert_eq!(used(), 1);
        // The next page, ahead.
        list.charge().begin().unwrap();
        list.page_given().unwrap();
        assert_eq!(used(), 2);
        // It is there, and is the last. Then the list ends.
        list.page_asked().unwrap();
        list.page_given().unwrap();
        list.page_asked().unwrap();
        assert_eq!(used(), 2);
        // One that has to be asked for again costs another.
        list.charge().begin().unwrap();
        list.charge().begin().unwrap();
        list.page_given().unwrap();
        assert_eq!(used(), 4);
    }

    #[test]
    fn a_source_that_begins_none_pays_for_each_page_before_it_is_read() {
        let budget = budget(2);
        let list = ListRequests::new(budget.clone());
        for used in [1, 2] {
            list.page_asked().unwrap();
            assert_eq!(budget.used(Limit::Requests), used);
            list.page_given().unwrap();
        }
        assert_eq!(list.page_asked(), Err(Limit::Requests));
        // Nor does one that begins a single one get more pages for it.
        let list = ListRequests::new(self::budget(2));
        list.page_asked().unwrap();
        list.charge().begin().unwrap();
        list.page_given().unwrap();
        list.page_asked().unwrap();
        list.page_given().unwrap();
        list.page_asked().unwrap();
        assert_eq!(list.page_given(), Err(Limit::Requests));
    }

    #[test]
    fn a_run_without_requests_left_begins_none() {
        let budget = budget(1);
        let list = ListRequests::new(budget.clone());
        list.page_asked().unwrap();
        list.charge().begin().unwrap();
        assert_eq!(list.charge().begin().unwrap_err().limit(), Some("max-requests"));
        list.page_given().unwrap();
        // The list was complete with that.
        list.page_asked().unwrap();
        assert_eq!((budget.used(Limit::Requests), budget.reached()), (1, None));
    }
}
