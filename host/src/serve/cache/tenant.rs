//! One run's way to pods: the cache where that may and can answer, and else the API server, as whom the policy says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio::time::Instant;

use super::{AccessReviews, Cache};
use crate::error::{Error, Kind};
use crate::kube::{Detail, Namespace};
use crate::policy::{PodRequest, Scope};
use crate::serve::audit::PodsFrom;
use crate::serve::policy::Identity;
use crate::serve::traces::Span;
use crate::source::{ApiServer, Bounds, BoxFuture, Latest, Page, PodPages, PodSource};

/// What a run has read, and of when it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// All of it; `None` before the first read.
    pub(crate) from: Option<PodsFrom>,
    /// The resource version of what was read; of several lists, of one of them.
    pub(crate) resource_version: Option<String>,
    /// The oldest moment that something of it is of.
    pub(crate) observed: Option<Timestamp>,
}

impl Reading {
    fn note(&mut self, from: PodsFrom, resource_version: Option<String>, observed: Timestamp) {
        // What is partly the API server's is not the cache's.
        self.from = Some(match self.from {
            Some(PodsFrom::ApiServer) => PodsFrom::ApiServer,
            _ => from,
        });
        self.resource_version = resource_version;
        self.observed = Some(self.observed.map_or(observed, |before| before.min(observed)));
    }
}

/// The pods of a tenant, for one run.
pub(crate) struct TenantPods {
    shared: Arc<Shared>,
}

struct Shared {
    /// `None`: all is read from the API server.
    cache: Option<Arc<Cache>>,
    /// As the tenant.
    direct: ApiServer,
    identity: Identity,
    access: Arc<AccessReviews>,
    /// Where the network is, so that a guest that computes does not keep it waiting.
    io: Handle,
    /// The run's.
    trace: Span,
    reading: Mutex<Reading>,
}

impl TenantPods {
    /// `direct` has to ask as `identity`.
    pub(crate) fn new(
        cache: Option<Arc<Cache>>,
        direct: ApiServer,
        identity: Identity,
        access: Arc<AccessReviews>,
        io: Handle,
        trace: Span,
    ) -> Self {
        let reading = Mutex::default();
        Self { shared: Arc::new(Shared { cache, direct, identity, access, io, trace, reading }) }
    }

    /// What was read so far.
    pub(crate) fn reading(&self) -> Reading {
        self.shared.reading.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    /// What the cache knows of the request's pods, each namespace apart; `None` where it does not know one of them.
    fn known(&self, request: &PodRequest) -> Option<VecDeque<Latest>> {
        // What is kept has no objects.
        let cache = self.cache.as_ref().filter(|_| request.detail() != Detail::Object)?;
        match request.scope() {
            Scope::All => Some([cache.pods(None)?].into()),
            Scope::Namespaces(namespaces) => namespaces.iter().map(|namespace| cache.pods(Some(namespace))).collect(),
        }
    }

    /// Asks the API server whether the tenant may, where the cache would not.
    async fn check(&self, request: &PodRequest, verb: &'static str, deadline: Instant) -> Result<(), Error> {
        if self.cache.is_none() || request.detail() == Detail::Object {
            return Ok(());
        }
        let check = |namespace| self.access.check(&self.identity, verb, namespace, deadline);
        match request.scope() {
            Scope::All => check(None).await,
            Scope::Namespaces(namespaces) => {
                for namespace in namespaces {
                    check(Some(namespace)).await?;
                }
                Ok(())
            }
        }
    }

    fn note(&self, from: PodsFrom, resource_version: Option<String>, observed: Timestamp) {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).note(from, resource_version, observed);
    }

    /// Notes what is known of it only with the answer.
    fn note_version(&self, page: &Page) {
        if let Some(version) = &page.resource_version {
            self.reading.lock().unwrap_or_else(PoisonError::into_inner).resource_version = Some(version.clone());
        }
    }

    async fn get(&self, request: &PodRequest, bounds: Bounds) -> Result<Page, Error> {
        // Before a watch is begun for it: who may not read a namespace, or makes one up, begins none.
        self.check(request, "get", bounds.deadline).await?;
        if let Some(known) = self.known(request).and_then(|mut known| known.pop_front()) {
            self.note(PodsFrom::Cache, Some(known.resource_version), known.observed);
            return known.pods.get(request, bounds).await;
        }
        self.note(PodsFrom::ApiServer, None, Timestamp::now());
        let page = self.direct.get(request, bounds).await?;
        // Of a pod that is hidden there is nothing to tell: it is as one that is not there.
        if page.pods.iter().all(|read| request.admits(read)) {
            self.note_version(&page);
        }
        Ok(page)
    }
}

impl PodSource for TenantPods {
    fn list(&self, request: PodRequest) -> Box<dyn PodPages> {
        Box::new(TenantPages { shared: Arc::clone(&self.shared), request, state: Some(State::NotBegun) })
    }

    fn get<'a>(&'a self, request: &'a PodRequest, bounds: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        let (shared, request) = (Arc::clone(&self.shared), request.clone());
        let got = self.shared.io.spawn(async move { shared.trace.scope(shared.get(&request, bounds)).await });
        Box::pin(async move { Aborting(got).await.unwrap_or_else(|error| Err(fault(error))) })
    }
}

struct TenantPages {
    shared: Arc<Shared>,
    request: PodRequest,
    /// `None` only while a page is read, and for good where that was given up.
    state: Option<State>,
}

enum State {
    NotBegun,
    /// Lists of what the cache knew, one for each of its parts, the current one first.
    Known(VecDeque<Box<dyn PodPages>>),
    Direct(Box<dyn PodPages>),
}

impl PodPages for TenantPages {
    fn next(&mut self, bounds: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async move {
            let Some(state) = self.state.take() else { return Err(Error::new(Kind::Fault, "the list was given up")) };
            // What the cache knew is there, and goes nowhere for it.
            if let State::Known(mut lists) = state {
                let page = next_known(&mut lists, bounds).await;
                self.state = Some(State::Known(lists));
                return page;
            }
            let (shared, request) = (Arc::clone(&self.shared), self.request.clone());
            let trace = self.shared.trace.clone();
            let read = async move {
                let mut state = match state {
                    State::NotBegun => match shared.begin(&request, bounds.deadline).await {
                        Ok(state) => state,
                        Err(error) => return (State::NotBegun, Err(error)),
                    },
                    begun => begun,
                };
                let page = match &mut state {
                    State::NotBegun => Ok(None),
                    State::Known(lists) => next_known(lists, bounds).await,
                    State::Direct(pages) => pages.next(bounds).await,
                };
                if let Ok(Some(page)) = &page {
                    shared.note_version(page);
                }
                (state, page)
            };
            let read = self.shared.io.spawn(async move { trace.scope(read).await });
            let (state, page) = Aborting(read).await.map_err(fault)?;
            self.state = Some(state);
            page
        })
    }
}

impl Shared {
    async fn begin(&self, request: &PodRequest, deadline: Instant) -> Result<State, Error> {
        // Before a watch is begun for it: who may not read a namespace, or makes one up, begins none.
        self.check(request, "list", deadline).await?;
        let Some(known) = self.known(request) else {
            self.note(PodsFrom::ApiServer, None, Timestamp::now());
            return Ok(State::Direct(self.direct.list(request.clone())));
        };
        let lists = known.into_iter().zip(parts(request)).map(|(known, part)| {
            self.note(PodsFrom::Cache, Some(known.resource_version), known.observed);
            known.pods.list(part)
        });
        Ok(State::Known(lists.collect()))
    }
}

/// The request for each of its namespaces alone, which a part of the cache knows.
fn parts(request: &PodRequest) -> Vec<PodRequest> {
    match request.scope() {
        Scope::All => vec![request.clone()],
        Scope::Namespaces(namespaces) => namespaces.iter().map(|namespace: &Namespace| request.within(namespace)).collect(),
    }
}

async fn next_known(lists: &mut VecDeque<Box<dyn PodPages>>, bounds: Bounds) -> Result<Option<Page>, Error> {
    while let Some(list) = lists.front_mut() {
        match list.next(bounds.clone()).await? {
            Some(page) => return Ok(Some(page)),
            None => drop(lists.pop_front()),
        }
    }
    Ok(None)
}

/// A task that ends when nobody waits for it any more.
struct Aborting<T>(tokio::task::JoinHandle<T>);

impl<T> Future for Aborting<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<T, JoinError>> {
        std::pin::Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Aborting<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn fault(error: JoinError) -> Error {
    Error::new(Kind::Fault, "reading pods was stopped by a fault of podlens").because(error)
}
