//! One page on its way from the API server: read by a task of its own, which tells where the list goes on before the page is complete.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Call, Client, Failure, Receiver};
use crate::error::{Error, Kind};
use crate::kube::{ContinueToken, DecodeError, Detail, ListDecoder, ListPods, Namespace, PodList, Request};
use crate::policy::PodRequest;

/// A page that is being read. Dropped, it ends its request.
pub(super) struct PageRead {
    /// Where the page begins.
    from: Option<ContinueToken>,
    next: oneshot::Receiver<ContinueToken>,
    task: JoinHandle<Result<(PodList, u64), Failure>>,
}

/// What page is to be read.
#[derive(Clone)]
pub(super) struct PageAsk {
    pub(super) request: Arc<PodRequest>,
    /// One namespace, or all.
    pub(super) namespace: Option<Namespace>,
    pub(super) limit: u32,
    pub(super) from: Option<ContinueToken>,
}

impl PageRead {
    /// Sends the request. It is to be charged before.
    pub(super) fn start(client: &Client, ask: PageAsk, call: Call) -> Self {
        let (sender, next) = oneshot::channel();
        let (from, client) = (ask.from.clone(), client.clone());
        let task = tokio::spawn(async move { read(&client, &ask, call, sender).await });
        Self { from, next, task }
    }

    /// Whether it is the page that begins there.
    pub(super) fn is_from(&self, from: Option<&ContinueToken>) -> bool {
        self.from.as_ref() == from
    }

    /// Where the list goes on, if that is told before the page is complete. It may still turn out that there is no such page: what is begun
    /// on its word is only used if the complete one says the same.
    pub(super) async fn next(&mut self) -> Option<ContinueToken> {
        (&mut self.next).await.ok()
    }

    /// The complete page, and the bytes that were read for it.
    pub(super) async fn page(&mut self) -> Result<(PodList, u64), Failure> {
        (&mut self.task).await.unwrap_or_else(|error| {
            Err(Failure::Other(Error::new(Kind::Server, "reading a page was stopped by a fault of podlens").because(error)))
        })
    }
}

impl Drop for PageRead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(client: &Client, ask: &PageAsk, call: Call, next: oneshot::Sender<ContinueToken>) -> Result<(PodList, u64), Failure> {
    let PageAsk { request, namespace, limit, from } = ask;
    let list = Request::list_pods(&ListPods {
        namespace: namespace.as_ref(),
        labels: request.labels(),
        fields: request.fields(),
        detail: request.detail(),
        limit: *limit,
        continue_token: from.as_ref(),
    });
    let mut page =
        Page { detail: request.detail(), decoder: ListDecoder::new(request.detail()), next: Some(next), tells_next: false };
    let response = client.receive(&list, call, &mut page).await?;
    let list = page.decoder.finish().map_err(|error| Failure::Other(response.unreadable(error)))?;
    Ok((list, response.wire_bytes))
}

struct Page {
    detail: Detail,
    decoder: ListDecoder,
    next: Option<oneshot::Sender<ContinueToken>>,
    tells_next: bool,
}

impl Receiver for Page {
    fn begin(&mut self, _: Option<u64>, multiplexed: bool) {
        self.decoder = ListDecoder::new(self.detail);
        // Otherwise the next page would take a connection of its own, which costs more than it gains.
        self.tells_next = multiplexed;
    }

    fn receive(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        self.decoder.push(piece)?;
        if self.tells_next
            && let Some(token) = self.decoder.continue_token()
            && let Some(next) = self.next.take()
        {
            // Nobody may wait for it.
            let _ = next.send(token);
        }
        Ok(())
    }
}
