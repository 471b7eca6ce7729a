//! Pods from the API server: one namespace of the scope after the other, page by page.

use std::collections::VecDeque;
use std::sync::Arc;

use super::page_read::{PageAsk, PageRead};
use super::{Bounds, BoxFuture, Page, PodPages, PodSource, SkippedNamespace};
use crate::client::{Call, Client, Failure};
use crate::error::{Error, Kind};
use crate::kube::{self, ContinueToken, Namespace, PAGE_LIMIT, PodList, Request};
use crate::policy::{PodRequest, Scope};

/// By how much a page that was too large is made smaller.
const SHRINK: u32 = 4;

/// The pods of a cluster, read from its API server.
#[derive(Clone)]
pub struct ApiServer {
    client: Client,
    skips_refused: bool,
}

impl ApiServer {
    /// Reads through `client`, as whom the client's configuration says.
    pub fn new(client: Client) -> Self {
        Self { client, skips_refused: false }
    }

    /// Leaves out of a list over several namespaces those that the API server refuses, as long as it gives one. The run's
    /// [report](crate::Report::skipped) names them. Without this, the list fails.
    #[must_use]
    pub fn skip_refused_namespaces(self) -> Self {
        Self { skips_refused: true, ..self }
    }
}

impl ApiServer {
    pub(super) fn pages(&self, request: PodRequest) -> ApiServerPages {
        let remaining: VecDeque<_> = match request.scope() {
            Scope::All => [None].into(),
            Scope::Namespaces(namespaces) => namespaces.iter().cloned().map(Some).collect(),
        };
        ApiServerPages {
            client: self.client.clone(),
            skips_refused: self.skips_refused && remaining.len() > 1,
            answered: false,
            request: Arc::new(request),
            remaining,
            part: Part::default(),
            ahead: None,
            limit: PAGE_LIMIT,
            resumed: false,
            resource_version: None,
        }
    }
}

impl PodSource for ApiServer {
    fn list(&self, request: PodRequest) -> Box<dyn PodPages> {
        Box::new(self.pages(request))
    }

    fn get<'a>(&'a self, request: &'a PodRequest, bounds: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        Box::pin(async move {
            let (Some(name), Scope::Namespaces(namespaces)) = (request.name(), request.scope()) else {
                return Err(Error::not_found());
            };
            let [namespace] = namespaces.as_slice() else { return Err(Error::not_found()) };
            let response = self.client.send(&Request::get_pod(namespace, name, request.detail()), call(&bounds)).await?;
            let pod = kube::decode_pod(&response.body, request.detail()).map_err(|error| response.unreadable(error))?;
            let resource_version = Some(pod.metadata().resource_version);
            Ok(Page { pods: vec![pod], response_bytes: response.wire_bytes, resource_version, ..Page::default() })
        })
    }
}

pub(super) struct ApiServerPages {
    client: Client,
    skips_refused: bool,
    /// Whether a part was answered.
    answered: bool,
    request: Arc<PodRequest>,
    /// Parts of the scope not finished yet, the current one first: one namespace each, or `None` for all.
    remaining: VecDeque<Option<Namespace>>,
    part: Part,
    /// The page after the one that was read last, on its way.
    ahead: Option<PageRead>,
    limit: u32,
    /// Whether the list already went on with a fresh token after a 410. It does so once.
    resumed: bool,
    /// The moment of the first page.
    resource_version: Option<String>,
}

/// How far the current part has come.
#[derive(Default)]
struct Part {
    continue_token: Option<ContinueToken>,
    handed_out: bool,
    restarted: bool,
}

impl PodPages for ApiServerPages {
    fn next(&mut self, bounds: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async move { self.next_page(&bounds).await })
    }
}

impl ApiServerPages {
    /// The moment that the list is of, as soon as it has begun: all that happened up to it is in the list. What happened later may be, too,
    /// where the list went on after a 410.
    pub(super) fn resource_version(&self) -> Option<&str> {
        self.resource_version.as_deref()
    }

    pub(super) async fn next_page(&mut self, bounds: &Bounds) -> Result<Option<Page>, Error> {
        let mut page = Page::default();
        while let Some(namespace) = self.remaining.front().cloned() {
            match self.read(namespace.as_ref(), bounds).await {
                Ok((list, bytes)) => {
                    page.response_bytes = page.response_bytes.saturating_add(bytes);
                    self.answered = true;
                    self.resource_version.get_or_insert(list.resource_version);
                    self.part.handed_out |= !list.pods.is_empty();
                    self.advance(list.continue_token)?;
                    // A server may give an empty page and still go on. It is handed out all the same: without pods, too, each page is
                    // a request of the run.
                    page.pods = list.pods;
                    page.resource_version.clone_from(&self.resource_version);
                    return Ok(Some(page));
                }
                Err(Failure::Expired { fresh, error }) => page.warning = self.recover(fresh, error)?.or(page.warning),
                Err(Failure::TooLarge { error }) if self.limit == 1 => return Err(error),
                Err(Failure::TooLarge { .. }) => {
                    // What was read of it before it was too much.
                    page.response_bytes = page.response_bytes.saturating_add(bounds.max_bytes);
                    self.limit = (self.limit / SHRINK).max(1);
                }
                Err(Failure::Other(error)) => {
                    // A page of its own: what is told of one namespace must not be lost with the next.
                    page.skipped.push(self.skip(namespace, error)?);
                    return Ok(Some(page));
                }
            }
        }
        Ok(None)
    }

    /// Goes on without a namespace that is refused as a whole. A list of which nothing is left fails.
    fn skip(&mut self, namespace: Option<Namespace>, error: Error) -> Result<SkippedNamespace, Error> {
        let is_last_hope = self.remaining.len() == 1 && !self.answered;
        match namespace {
            Some(namespace) if self.skips_refused && error.is_denied() && self.part.continue_token.is_none() && !is_last_hope => {
                self.remaining.pop_front();
                self.part = Part::default();
                Ok(SkippedNamespace { namespace, error })
            }
            _ => Err(error),
        }
    }

    /// Reads the page that comes next in this part, and begins the one after it as soon as that is known: an API server makes a page in
    /// more time than it takes to send one.
    async fn read(&mut self, namespace: Option<&Namespace>, bounds: &Bounds) -> Result<(PodList, u64), Failure> {
        let begin = |from: Option<ContinueToken>| {
            bounds.requests.begin()?;
            let (request, namespace, limit) = (self.request.clone(), namespace.cloned(), self.limit);
            Ok::<_, Error>(PageRead::start(&self.client, PageAsk { request, namespace, limit, from }, call(bounds)))
        };
        let from = self.part.continue_token.clone();
        let mut page = match self.ahead.take() {
            Some(ahead) if ahead.is_from(from.as_ref()) => ahead,
            _ => begin(from)?,
        };
        // A run that has no request left for it may not come to need one.
        let ahead = page.next().await.and_then(|next| begin(Some(next)).ok());
        let read = page.page().await?;
        self.ahead = ahead;
        Ok(read)
    }

    fn advance(&mut self, next: Option<ContinueToken>) -> Result<(), Error> {
        match next {
            Some(next) if self.part.continue_token.as_ref() == Some(&next) => {
                Err(Error::new(Kind::Server, "the API server continues the list where it already was"))
            }
            Some(next) => {
                self.part.continue_token = Some(next);
                Ok(())
            }
            None => {
                self.remaining.pop_front();
                self.part = Part::default();
                Ok(())
            }
        }
    }

    /// A 410 in the middle of a list. While no pod of this part was handed out, it starts again. Later it goes on with the token that
    /// the server gave for that: complete by name, but no longer of one moment. Neither happens twice, and nothing else is tried.
    fn recover(&mut self, fresh: Option<ContinueToken>, error: Error) -> Result<Option<String>, Error> {
        if self.part.continue_token.is_some() && !self.part.handed_out && !self.part.restarted {
            self.part = Part { restarted: true, ..Part::default() };
            self.resource_version = None;
            return Ok(None);
        }
        match fresh {
            Some(fresh) if self.part.handed_out && !self.resumed => {
                self.resumed = true;
                self.part.continue_token = Some(fresh);
                Ok(Some(
                    "the API server dropped the snapshot in the middle of the list: pods after that point are of a later moment"
                        .into(),
                ))
            }
            _ => Err(error),
        }
    }
}

fn call(bounds: &Bounds) -> Call {
    Call { deadline: bounds.deadline, max_bytes: bounds.max_bytes }
}
