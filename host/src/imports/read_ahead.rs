//! Reads one page ahead of the guest, so that the network, decoding and the guest work at the same time.
//!
//! Here a source's pages are charged to the run and each pod is held against its request a second time. At most two pages are in
//! memory beyond those that the guest holds: one waiting, one being read.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Notes;
use crate::error::{Error, Kind};
use crate::kube::{PAGE_LIMIT, ReadPod};
use crate::limits::{Budget, Limit, LimitReached};
use crate::policy::PodRequest;
use crate::source::{Bounds, Page, PodPages};

/// A list that a guest has open.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenList {
    pages: mpsc::Receiver<Result<Vec<ReadPod>, Stop>>,
    /// Pods of a page that was longer than a guest's page may be.
    rest: VecDeque<ReadPod>,
    ended: bool,
    reader: AbortHandle,
}

/// Why a read gave no page.
#[derive(Debug)]
pub(super) enum Stop {
    Limit(LimitReached),
    Source(Error),
}

impl From<LimitReached> for Stop {
    fn from(reached: LimitReached) -> Self {
        Self::Limit(reached)
    }
}

/// What reading for a run needs besides the pages themselves.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) budget: Arc<Budget>,
    pub(super) notes: Arc<Notes>,
    pub(super) deadline: Instant,
}

impl OpenList {
    pub(super) fn start(mut pages: Box<dyn PodPages>, request: PodRequest, reader: Reader) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            loop {
                let page = reader.next(pages.as_mut(), &request).await;
                let last = !matches!(page, Ok(Some(_)));
                if let Some(page) = page.transpose()
                    && sender.send(page).await.is_err()
                {
                    return;
                }
                if last {
                    return;
                }
            }
        });
        Self { pages: receiver, rest: VecDeque::new(), ended: false, reader: task.abort_handle() }
    }

    /// At most [`PAGE_LIMIT`] pods, or `None` after the last and after an error.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<ReadPod>>, Stop> {
        while self.rest.is_empty() {
            if self.ended {
                return Ok(None);
            }
            match self.pages.recv().await {
                Some(Ok(pods)) => self.rest = pods.into(),
                Some(Err(stop)) => {
                    self.ended = true;
                    return Err(stop);
                }
                None => self.ended = true,
            }
        }
        let count = self.rest.len().min(PAGE_LIMIT as usize);
        Ok(Some(self.rest.drain(..count).collect()))
    }
}

impl Drop for OpenList {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Reader {
    pub(super) fn bounds(&self) -> Bounds {
        Bounds { deadline: self.deadline, max_bytes: self.budget.remaining(Limit::ResponseBytes) }
    }

    async fn next(&self, pages: &mut dyn PodPages, request: &PodRequest) -> Result<Option<Vec<ReadPod>>, Stop> {
        self.budget.charge(Limit::Requests, 1)?;
        match pages.next(self.bounds()).await.map_err(Stop::Source)? {
            None => Ok(None),
            Some(page) => {
                self.charge(&page)?;
                check(page.pods, request).map(Some)
            }
        }
    }

    /// Charges what a read took, and passes on its warning.
    pub(super) fn charge(&self, page: &Page) -> Result<(), LimitReached> {
        self.budget.charge(Limit::ResponseBytes, page.response_bytes)?;
        self.budget.charge(Limit::Pods, page.pods.len() as u64)?;
        if let Some(warning) = &page.warning {
            self.notes.warn(warning.clone());
        }
        Ok(())
    }
}

/// One pod that was not asked for spoils the page: a source that returns it cannot be trusted with the others.
fn check(pods: Vec<ReadPod>, request: &PodRequest) -> Result<Vec<ReadPod>, Stop> {
    if pods.iter().all(|read| request.admits(read)) {
        Ok(pods)
    } else {
        tracing::error!("a pod outside the request was returned and withheld");
        Err(Stop::Source(Error::new(Kind::Server, "the API server returned a pod that was not asked for")))
    }
}
