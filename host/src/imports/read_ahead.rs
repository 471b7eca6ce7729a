//! Reads one page ahead of the guest, so that the network, decoding and the guest work at the same time.
//!
//! Here a source's pages are charged to the run and each pod is held against its request a second time. A pod counts as memory of the
//! run from here on, until the guest drops it.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Notes;
use super::requests::ListRequests;
use crate::error::{Error, Kind};
use crate::kube::{PAGE_LIMIT, ReadPod};
use crate::limits::{Budget, Charge, Limit};
use crate::policy::{PodRequest, VisiblePod};
use crate::source::{Bounds, MAX_ANSWER_BYTES, Page, PodPages, Requests};

/// Most pages of one run that are being read at the same time, whatever the number of its lists, each with the one after it begun: what is
/// not complete is not charged as memory yet. Arbitrary; the network is busy with two.
pub(crate) const READS_AT_ONCE: usize = 2;

/// A pod that was read for a guest. Its memory is charged to the run until this is dropped.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct HeldPod {
    pub(super) read: VisiblePod,
    _memory: Charge,
}

/// A list that a guest has open.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenList {
    pages: mpsc::Receiver<Result<Option<Vec<HeldPod>>, Stop>>,
    /// Pods of a page that was longer than a guest's page may be.
    rest: VecDeque<HeldPod>,
    ended: bool,
    broke_off: bool,
    /// What is listed.
    pub(super) request: PodRequest,
    reader: AbortHandle,
}

/// Why a read gave no page.
#[derive(Debug)]
pub(super) enum Stop {
    /// This limit is in the way. The run has reached it when the guest asks for what is behind it.
    Limit(Limit),
    Source(Error),
}

impl From<Limit> for Stop {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

/// What reading for a run needs besides the pages themselves.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) budget: Arc<Budget>,
    pub(super) notes: Arc<Notes>,
    pub(super) deadline: Instant,
    pub(super) reads: Arc<Semaphore>,
}

impl OpenList {
    pub(super) fn start(mut pages: Box<dyn PodPages>, request: PodRequest, reader: Reader) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        let (asked, requests) = (request.clone(), ListRequests::new(reader.budget.clone()));
        let task = tokio::spawn(async move {
            loop {
                let page = reader.next(pages.as_mut(), &request, &requests).await;
                let last = !matches!(page, Ok(Some(_)));
                if sender.send(page).await.is_err() || last {
                    return;
                }
            }
        });
        Self { pages: receiver, rest: VecDeque::new(), ended: false, broke_off: false, request: asked, reader: task.abort_handle() }
    }

    /// At most [`PAGE_LIMIT`] pods, or `None` after the last and after an error.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<HeldPod>>, Stop> {
        while self.rest.is_empty() {
            if self.ended {
                return Ok(None);
            }
            (self.ended, self.broke_off) = (true, true);
            match self.pages.recv().await {
                Some(Ok(Some(pods))) => {
                    self.rest = pods.into();
                    (self.ended, self.broke_off) = (false, false);
                }
                Some(Ok(None)) => self.broke_off = false,
                Some(Err(stop)) => return Err(stop),
                // The end of a list is told. Without it the reader has died, and the list is not complete.
                None => return Err(Stop::Source(Error::new(Kind::Server, "the source of pods broke off"))),
            }
        }
        let count = self.rest.len().min(PAGE_LIMIT as usize);
        Ok(Some(self.rest.drain(..count).collect()))
    }
}

impl OpenList {
    /// Whether the list ended before it was complete.
    pub(super) fn broke_off(&self) -> bool {
        self.broke_off
    }
}

impl Drop for OpenList {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Reader {
    pub(super) fn bounds(&self, requests: Requests) -> Bounds {
        Bounds { deadline: self.deadline, max_bytes: MAX_ANSWER_BYTES, requests }
    }

    async fn next(
        &self,
        pages: &mut dyn PodPages,
        request: &PodRequest,
        requests: &Arc<ListRequests>,
    ) -> Result<Option<Vec<HeldPod>>, Stop> {
        // Never closed, so this always waits for a place.
        let _place = self.reads.acquire().await;
        requests.page_asked()?;
        let stopped = |error: Error| match error.kind() {
            // It needed a request that it could not begin.
            Kind::Limit(name) if name == Limit::Requests.name() => Stop::Limit(Limit::Requests),
            _ => Stop::Source(error),
        };
        match pages.next(self.bounds(requests.charge())).await.map_err(stopped)? {
            None => Ok(None),
            Some(page) => {
                requests.page_given()?;
                self.charge(&page)?;
                let pods = check(page.pods, request, &self.notes)?;
                self.budget.take(Limit::Pods, pods.len() as u64)?;
                pods.into_iter().map(|read| self.hold(read).map_err(Stop::from)).collect::<Result<_, _>>().map(Some)
            }
        }
    }

    /// The pod of a get. The API server knows no selector for that: one that the grant leaves out is, to a guest and in what it is charged
    /// for, not there.
    pub(super) fn one(&self, mut page: Page, request: &PodRequest) -> Result<HeldPod, Stop> {
        let read = std::mem::take(&mut page.pods).into_iter().next().and_then(|read| request.admit(read));
        // Not even its bytes are charged: a run's report tells what was.
        let read = read.ok_or_else(|| Stop::Source(Error::not_found()))?;
        self.charge(&page)?;
        self.budget.take(Limit::Pods, 1)?;
        Ok(self.hold(read)?)
    }

    fn hold(&self, read: VisiblePod) -> Result<HeldPod, Limit> {
        let memory = self.budget.hold(Limit::Memory, read.size_bytes() as u64)?;
        Ok(HeldPod { read, _memory: memory })
    }

    /// Charges the bytes of an answer, and passes on its warning.
    pub(super) fn charge(&self, page: &Page) -> Result<(), Limit> {
        self.budget.take(Limit::ResponseBytes, page.response_bytes)?;
        if let Some(warning) = &page.warning {
            self.notes.warn(warning.clone());
        }
        for skipped in &page.skipped {
            self.notes.skip(skipped);
        }
        Ok(())
    }
}

/// One pod that was not asked for spoils the page: a source that returns it cannot be trusted with the others.
fn check(pods: Vec<ReadPod>, request: &PodRequest, notes: &Notes) -> Result<Vec<VisiblePod>, Stop> {
    pods.into_iter().map(|read| request.admit(read)).collect::<Option<_>>().ok_or_else(|| {
        notes.foreign_pod();
        tracing::debug!("a pod outside the request was returned and withheld");
        Stop::Source(Error::new(Kind::Server, "the API server returned a pod that was not asked for"))
    })
}
