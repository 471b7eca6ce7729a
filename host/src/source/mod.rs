//! Where pods come from. [`PodSource`] is the seam: everything above it, policy and limits included, is the same for the API
//! server, for an embedder's own source, and for tests.
//!
//! A source answers a [`PodRequest`], which only `policy` can make. It need not be trusted: each pod it returns is checked again.

mod api_server;
mod page_read;
mod recording;
mod snapshot;
mod watch;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;

use crate::error::Error;
use crate::kube::{Namespace, ReadPod};
use crate::policy::PodRequest;

pub use api_server::ApiServer;
pub use recording::{Recorder, Recording, RecordingError, Replay};
pub use snapshot::Snapshot;
#[cfg(feature = "cli")]
pub(crate) use watch::{Keep, Latest, Room};
pub use watch::{Watch, WatchUpdate};

/// Most bytes of one answer, such as a page of a list. 500 pods met in practice have 5 MB in protobuf and 12 MB as JSON; a page that
/// is larger is asked for again with fewer pods. Bounds the memory of a run, which reads ahead.
pub(crate) const MAX_ANSWER_BYTES: u64 = 32 << 20;

/// A boxed future, so that sources can be chosen at run time.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where pods come from.
///
/// A source returns every pod that the request's scope and selectors allow and no other, in the order of the scope's namespaces
/// and then of names. An incomplete list is an error, never a short answer.
pub trait PodSource: Send + Sync {
    /// Starts a list. Nothing is read before the first call of [`PodPages::next`].
    fn list(&self, request: PodRequest) -> Box<dyn PodPages>;

    /// Gets the pod that the request names, or fails with an error for which [`Error::is_not_found`] holds.
    fn get<'a>(&'a self, request: &'a PodRequest, bounds: Bounds) -> BoxFuture<'a, Result<Page, Error>>;
}

/// The pages of one list.
pub trait PodPages: Send {
    /// The next page, or `None` after the last. Not called again after `None` or an error.
    fn next(&mut self, bounds: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>>;
}

/// What one read may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// When the answer must be there.
    pub deadline: Instant,
    /// Most bytes to read for it.
    pub max_bytes: u64,
    /// What the requests that a list takes are charged to.
    pub requests: Requests,
}

/// What the requests that a list takes are charged to: the run that it is read for, or nothing, which is the default.
///
/// Each page costs a run one at least. A source that asks somebody else for its pages begins each such request here, so that one more, and one
/// for a page that may never be read, costs the run one more.
#[derive(Clone, Default)]
pub struct Requests(Option<Arc<dyn Fn() -> Result<(), Error> + Send + Sync>>);

impl Requests {
    pub(crate) fn charged_by(charge: impl Fn() -> Result<(), Error> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(charge)))
    }

    /// Charges a request that is about to be sent.
    ///
    /// # Errors
    ///
    /// [`Error::limit`]: the run has none left, and this one must not be sent. A page that was to be read ahead is then not; one that was
    /// asked for fails with this error.
    pub fn begin(&self) -> Result<(), Error> {
        self.0.as_ref().map_or(Ok(()), |charge| charge())
    }
}

impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Requests").field("are_charged", &self.0.is_some()).finish()
    }
}

/// Some pods, as they were read.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The pods; a page may be empty.
    pub pods: Vec<ReadPod>,
    /// Bytes that were read for them, failed attempts included; charged to the run.
    pub response_bytes: u64,
    /// The resource version that the list or the pod is of, where the source knows one.
    pub resource_version: Option<String>,
    /// What the operator should know about this page, in a sentence.
    pub warning: Option<String>,
    /// Namespaces of the list that are left out, since what is behind the source refuses them. The query is told nothing; its operator
    /// is.
    pub skipped: Vec<SkippedNamespace>,
}

/// A namespace that is not in an answer.
#[derive(Clone, Debug)]
pub struct SkippedNamespace {
    /// Its name.
    pub namespace: Namespace,
    /// Why.
    pub error: Error,
}
