//! Pods that are in memory: read from files, or kept by an embedder.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Bounds, BoxFuture, Page, PodPages, PodSource};
use crate::error::{Error, Kind};
use crate::kube::{PAGE_LIMIT, ReadPod};
use crate::policy::{PodRequest, Scope};

/// Pods of one moment, in memory. Cheap to clone.
///
/// It answers as the API server does: same order, same selectors, pages of 500. Each pod counts for the bytes of a run's answers with
/// the memory that it takes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Ordered by the text `namespace/name`, each once.
    pods: Arc<[ReadPod]>,
    page: usize,
}

impl Snapshot {
    /// Keeps these pods. Of several with one name, as a folder of dumps has them, the one of the latest resource version.
    pub fn new(mut pods: Vec<ReadPod>) -> Self {
        pods.sort_by(|a, b| a.key().cmp(b.key()).then_with(|| version(b).cmp(&version(a))));
        pods.dedup_by(|later, earlier| later.key() == earlier.key());
        Self { pods: pods.into(), page: PAGE_LIMIT as usize }
    }

    /// Gives at most this many pods with each page, 1 to 500.
    #[must_use]
    pub fn page_size(self, pods: usize) -> Self {
        Self { page: pods.clamp(1, PAGE_LIMIT as usize), ..self }
    }

    /// How many pods there are.
    pub fn len(&self) -> usize {
        self.pods.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    fn find(&self, namespace: &str, name: &str) -> Option<&ReadPod> {
        let key = format!("{namespace}/{name}");
        let index = self.pods.binary_search_by(|read| read.key().cmp(&key)).ok()?;
        self.pods.get(index)
    }
}

/// Within one cluster a later version is a greater number (Kubernetes KEP-5504); what is none is the oldest.
fn version(read: &ReadPod) -> u64 {
    read.metadata().resource_version.parse().unwrap_or(0)
}

impl PodSource for Snapshot {
    fn list(&self, request: PodRequest) -> Box<dyn PodPages> {
        let parts = match request.scope() {
            Scope::All => [None].into(),
            Scope::Namespaces(namespaces) => namespaces.iter().map(|namespace| Some(namespace.as_str().to_owned())).collect(),
        };
        Box::new(SnapshotPages { snapshot: self.clone(), request, parts, at: 0 })
    }

    fn get<'a>(&'a self, request: &'a PodRequest, _: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        Box::pin(async move {
            let (Some(name), Scope::Namespaces(namespaces)) = (request.name(), request.scope()) else {
                return Err(Error::not_found());
            };
            let found = namespaces.iter().find_map(|namespace| self.find(namespace.as_str(), name.as_str()));
            let mut page = Page::default();
            add(&mut page, found.ok_or_else(Error::not_found)?, request)?;
            Ok(page)
        })
    }
}

struct SnapshotPages {
    snapshot: Snapshot,
    request: PodRequest,
    /// What is left to read, the current part first: one namespace each, or `None` for all.
    parts: VecDeque<Option<String>>,
    /// The next pod to look at for the current part.
    at: usize,
}

impl PodPages for SnapshotPages {
    fn next(&mut self, _: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async { self.next_page() })
    }
}

impl SnapshotPages {
    /// A page is of one namespace, or of all, as an API server's is. A part without pods is an empty page.
    fn next_page(&mut self) -> Result<Option<Page>, Error> {
        let Some(namespace) = self.parts.front() else { return Ok(None) };
        let mut page = Page::default();
        while let Some(read) = self.snapshot.pods.get(self.at) {
            if page.pods.len() == self.snapshot.page {
                return Ok(Some(page));
            }
            self.at += 1;
            if namespace.as_ref().is_none_or(|namespace| read.namespace() == namespace) && self.request.selects(read) {
                add(&mut page, read, &self.request)?;
            }
        }
        self.at = 0;
        self.parts.pop_front();
        Ok(Some(page))
    }
}

fn add(page: &mut Page, read: &ReadPod, request: &PodRequest) -> Result<(), Error> {
    if request.objects() && read.object().is_none() {
        let message = "whole objects are asked for, and these pods were kept without";
        return Err(Error::new(Kind::Denied, message));
    }
    page.response_bytes = page.response_bytes.saturating_add(read.size_bytes() as u64);
    page.pods.push(read.clone());
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::kube::{Detail, FieldSelector, LabelSelector, Namespace, Pod, PodName};
    use crate::policy::{Ask, Grant, authorize};
    use crate::source::Requests;

    fn pod(namespace: &str, name: &str, version: &str) -> ReadPod {
        let mut pod = Pod::default();
        pod.metadata.namespace = namespace.into();
        pod.metadata.name = name.into();
        pod.metadata.resource_version = version.into();
        pod.metadata.labels = [("app".to_owned(), name.to_owned())].into();
        ReadPod::new(&pod)
    }

    fn snapshot() -> Snapshot {
        Snapshot::new(vec![pod("b", "x", "3"), pod("a", "y", "9"), pod("a-b", "x", "4"), pod("a", "x", "5"), pod("a", "y", "10")])
    }

    const BOUNDS: fn() -> Bounds = || Bounds { deadline: Instant::now(), max_bytes: 0, requests: Requests::default() };

    async fn list(snapshot: &Snapshot, grant: Grant, labels: &str) -> Vec<Vec<String>> {
        let ask = Ask::List {
            namespace: None,
            labels: LabelSelector::parse(labels).unwrap(),
            fields: FieldSelector::default(),
            detail: Detail::Fields,
        };
        let mut pages = snapshot.list(authorize(&grant, ask).unwrap());
        let mut listed = Vec::new();
        while let Some(page) = pages.next(BOUNDS()).await.unwrap() {
            assert_eq!(page.response_bytes, page.pods.iter().map(|read| read.size_bytes() as u64).sum::<u64>());
            let name = |read: &ReadPod| read.key().to_owned();
            listed.push(page.pods.iter().map(name).collect());
        }
        listed
    }

    #[tokio::test]
    async fn a_list_has_the_order_of_the_api_server() {
        let snapshot = snapshot();
        assert_eq!(list(&snapshot, Grant::all_namespaces(), "").await, [["a-b/x", "a/x", "a/y", "b/x"]]);
        let grant = Grant::nothing().namespace(Namespace::parse("a").unwrap()).namespace(Namespace::parse("a-b").unwrap());
        assert_eq!(list(&snapshot, grant, "").await, [vec!["a/x", "a/y"], vec!["a-b/x"]]);
        assert_eq!(list(&snapshot.page_size(2), Grant::all_namespaces(), "app=x").await, [vec!["a-b/x", "a/x"], vec!["b/x"]]);
    }

    #[tokio::test]
    async fn a_get_finds_the_latest_of_a_name() {
        let snapshot = snapshot();
        let get = async |name: &str, detail| {
            let ask = Ask::Get { namespace: Namespace::parse("a").unwrap(), name: PodName::parse(name).unwrap(), detail };
            let request = authorize(&Grant::all_namespaces().whole_objects(), ask).unwrap();
            snapshot.get(&request, BOUNDS()).await
        };
        assert_eq!(get("y", Detail::Metadata).await.unwrap().pods[0].metadata().resource_version, "10");
        assert!(get("z", Detail::Fields).await.unwrap_err().is_not_found());
        assert!(get("y", Detail::Object).await.unwrap_err().is_denied());
    }
}
