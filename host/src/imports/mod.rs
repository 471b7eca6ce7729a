//! Our side of the WIT: what a query can call, and nothing more.
//!
//! `pods.rs` parses what a guest asks, has `policy` authorize it, and hands out what `read_ahead.rs` reads from a source, each request
//! charged by `requests.rs`;
//! `rows.rs` takes rows; `convert.rs` turns domain types into WIT records; `failure.rs` decides what is an error that a guest
//! may handle and what ends it; `calls.rs` remembers what was called.

mod calls;
mod convert;
mod failure;
mod pods;
mod read_ahead;
mod requests;
mod rows;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use wasmtime::component::ResourceTable;

use crate::bindings::podlens::query::types;
use crate::error::Error;
use crate::limits::{Budget, Limit, LimitReached};
use crate::policy::{Grant, PodRequest};
use crate::query::{Column, Row};
use crate::source::{PodSource, SkippedNamespace};

use calls::Calls;
pub use calls::{HostCall, HostFunction};
pub(crate) use failure::Failure;
pub(crate) use read_ahead::READS_AT_ONCE;
#[expect(unreachable_pub, reason = "the generated bindings re-export them")]
pub use read_ahead::{HeldPod, OpenList};

/// Most lists that a guest may have open at once. Arbitrary; bounds the tasks that read for one run.
const MAX_OPEN_LISTS: usize = 16;

/// What the imports of one run work with.
pub(crate) struct Imports {
    /// All handles of the guest, WASI's included.
    pub(crate) table: ResourceTable,
    pub(crate) grant: Arc<Grant>,
    pub(crate) source: Arc<dyn PodSource>,
    /// Whether the guest imports what reads more of a pod than its metadata.
    pub(crate) reads_fields: bool,
    pub(crate) budget: Arc<Budget>,
    pub(crate) deadline: Instant,
    pub(crate) columns: Arc<[Column]>,
    /// Where rows go; `None` while the query describes itself.
    pub(crate) rows: Option<mpsc::Sender<Row>>,
    pub(crate) notes: Arc<Notes>,
    pub(crate) open_lists: usize,
    /// Places for reads under way.
    pub(crate) reads: Arc<Semaphore>,
    pub(crate) calls: Calls,
}

impl Imports {
    /// Every import begins with this.
    fn charge_call(&self) -> Result<(), LimitReached> {
        self.budget.charge(Limit::HostCalls, 1)
    }

    /// Passes on what was called, for the report.
    pub(crate) fn note_calls(&self) {
        self.notes.called(self.calls.counts(), self.calls.last(&self.table));
    }
}

impl types::Host for Imports {
    fn convert_error(&mut self, failure: Failure) -> wasmtime::Result<types::Error> {
        let error = failure.into_guest()?;
        self.calls.refused(&error);
        Ok(error)
    }
}

/// What the operator is told after a run, whatever the guest made of it.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    inner: Mutex<NotesInner>,
}

#[derive(Debug, Default)]
struct NotesInner {
    warnings: Vec<String>,
    last_failure: Option<Error>,
    /// What the source failed with, as the guest met it.
    source_failures: Vec<Error>,
    foreign_pods: u64,
    denied: Option<String>,
    /// At most one for each request of the run.
    incomplete: Vec<(PodRequest, Error)>,
    /// Each namespace once.
    skipped: Vec<SkippedNamespace>,
    calls: Vec<(HostFunction, u64)>,
    last_calls: Vec<HostCall>,
}

/// Most warnings that are kept of one run: a guest chooses how often it provokes one.
const MAX_WARNINGS: usize = 20;
/// Most failures of the source that are kept of one run, for the same reason. Arbitrary.
const MAX_SOURCE_FAILURES: usize = 100;

impl Notes {
    pub(crate) fn warn(&self, warning: String) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.warnings.len() < MAX_WARNINGS && !inner.warnings.contains(&warning) {
            inner.warnings.push(warning);
        }
    }

    /// Remembers that a list leaves out a namespace.
    pub(crate) fn skip(&self, skipped: &SkippedNamespace) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !inner.skipped.iter().any(|known| known.namespace == skipped.namespace) {
            inner.skipped.push(skipped.clone());
        }
    }

    pub(crate) fn skipped(&self) -> Vec<SkippedNamespace> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).skipped.clone()
    }

    /// Remembers why the last call failed; the guest sees less of it.
    pub(crate) fn failed(&self, error: Error) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).last_failure = Some(error);
    }

    /// As [`failed`](Self::failed), where it was the source that did.
    pub(crate) fn source_failed(&self, error: Error) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.source_failures.len() < MAX_SOURCE_FAILURES {
            inner.source_failures.push(error.clone());
        }
        inner.last_failure = Some(error);
    }

    /// Remembers what the grant has refused last, in words that name only what was asked for.
    pub(crate) fn denied(&self, words: String) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).denied = Some(words);
    }

    pub(crate) fn last_denied(&self) -> Option<String> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).denied.clone()
    }

    /// Counts a pod that was not asked for.
    pub(crate) fn foreign_pod(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).foreign_pods += 1;
    }

    pub(crate) fn foreign_pods(&self) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).foreign_pods
    }

    pub(crate) fn source_failures(&self) -> Vec<Error> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).source_failures.clone()
    }

    /// Remembers that a list is not complete: a query that answers all the same must not look as if it had seen all pods.
    pub(crate) fn list_ended_early(&self, request: PodRequest, error: Error) {
        self.list_complete(&request);
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).incomplete.push((request, error));
    }

    /// The same list, read again and to its end, makes up for one that broke off.
    pub(crate) fn list_complete(&self, request: &PodRequest) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).incomplete.retain(|(broken_off, _)| broken_off != request);
    }

    /// Why the last of the lists that are not complete is not.
    pub(crate) fn incomplete_list(&self) -> Option<Error> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.incomplete.last().map(|(_, error)| error.clone())
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).warnings.clone()
    }

    /// Keeps what was called, once the run has ended.
    fn called(&self, calls: Vec<(HostFunction, u64)>, last_calls: Vec<HostCall>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.calls, inner.last_calls) = (calls, last_calls);
    }

    /// How often each function was called, and the last calls.
    pub(crate) fn calls(&self) -> (Vec<(HostFunction, u64)>, Vec<HostCall>) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.calls.clone(), inner.last_calls.clone())
    }

    pub(crate) fn last_failure(&self) -> Option<Error> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).last_failure.clone()
    }
}
