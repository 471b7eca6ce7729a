//! The pods of a grant, kept up to date: listed once, then changed as the API server tells.
//!
//! `follow.rs` lists and watches one part of the grant; here the parts become one state, and bursts of changes become one update. Queries
//! know nothing of it: they list and get what an update holds.

mod follow;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::{ApiServer, Snapshot};
use crate::client::Client;
use crate::error::{Error, Kind};
use crate::kube::{Detail, FieldSelector, LabelSelector, Namespace, ReadPod};
use crate::policy::{Ask, Grant, Scope, authorize};
use follow::Follower;

/// How long nothing has to change for a burst of changes to be over.
const QUIET: Duration = Duration::from_millis(200);
/// How long an update may wait for a burst to be over. Arbitrary; what a person does not take for standing still.
const LONGEST_BURST: Duration = Duration::from_secs(1);
/// Changes that wait to be noted before the reading of more does. Arbitrary.
const CHANGES_AHEAD: usize = 16;
/// Most memory of the pods that are kept, by [`ReadPod::size_bytes`]. Arbitrary: 100,000 pods met in practice.
const MAX_BYTES: usize = 512 << 20;

/// Pods that are kept up to date by watches on the API server.
///
/// There is one watch for each namespace of the grant, or one for all; who watches needs the verbs `list` and `watch`. A watch that ends is
/// begun again where it was, and what was missed is listed. Dropping this ends them.
pub struct Watch {
    changes: mpsc::Receiver<(usize, Change)>,
    parts: Vec<Part>,
    bytes: usize,
    /// Since when something has changed that no update told, and when it last did.
    burst: Option<(Instant, Instant)>,
    _followers: JoinSet<()>,
}

/// One part of the grant.
#[derive(Default)]
struct Part {
    listed: bool,
    /// Why it may not be up to date.
    trouble: Option<Error>,
    pods: BTreeMap<String, ReadPod>,
}

/// All pods after some changes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WatchUpdate {
    /// The pods.
    pub pods: Snapshot,
    /// Why there may be changes that are not known, if there may: the API server is away. It is tried for until it is back.
    pub trouble: Option<Error>,
}

/// What a follower tells.
enum Change {
    /// These are all.
    Listed(Vec<ReadPod>),
    Present(Box<ReadPod>),
    Gone(Box<ReadPod>),
    /// The API server is away.
    Away(Error),
    /// It is back.
    Back,
    /// Nothing more will come.
    Failed(Error),
}

impl Watch {
    /// Begins to watch what `grant` gives. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// The grant gives nothing.
    pub fn new(client: &Client, grant: &Grant) -> Result<Self, Error> {
        let ask = |namespace: Option<Namespace>| {
            let (labels, fields) = (LabelSelector::default(), FieldSelector::default());
            let detail = if grant.gives_objects() { Detail::Object } else { Detail::Fields };
            authorize(grant, Ask::List { namespace, labels, fields, detail })
                .map_err(|denied| Error::new(Kind::Denied, denied.to_string()))
        };
        let requests = match ask(None)?.scope() {
            Scope::All => vec![ask(None)?],
            Scope::Namespaces(namespaces) => {
                namespaces.iter().map(|namespace| ask(Some(namespace.clone()))).collect::<Result<_, _>>()?
            }
        };
        let (sender, changes) = mpsc::channel(CHANGES_AHEAD);
        let mut followers = JoinSet::new();
        let parts = requests.iter().map(|_| Part::default()).collect();
        for (part, request) in requests.into_iter().enumerate() {
            let follower =
                Follower { client: client.clone(), source: ApiServer::new(client.clone()), request, part, changes: sender.clone() };
            followers.spawn(follower.follow());
        }
        Ok(Self { changes, parts, bytes: 0, burst: None, _followers: followers })
    }

    /// Waits until all pods are known, and later for changes; a burst of them is one update. Safe to cancel.
    ///
    /// # Errors
    ///
    /// The API server refuses, or cannot be reached from the beginning. Nothing more comes then.
    pub async fn next(&mut self) -> Result<WatchUpdate, Error> {
        loop {
            let all_listed = self.parts.iter().all(|part| part.listed);
            let due = self.burst.filter(|_| all_listed).map(|(first, last)| (last + QUIET).min(first + LONGEST_BURST));
            let change = match due {
                None => self.changes.recv().await,
                Some(due) => match timeout_at(due, self.changes.recv()).await {
                    Ok(change) => change,
                    Err(_) => return Ok(self.update()),
                },
            };
            let Some((part, change)) = change else {
                return Err(Error::new(Kind::Server, "the watch ended"));
            };
            self.note(part, change)?;
        }
    }

    fn update(&mut self) -> WatchUpdate {
        self.burst = None;
        let pods = self.parts.iter().flat_map(|part| part.pods.values().cloned()).collect();
        WatchUpdate { pods: Snapshot::new(pods), trouble: self.parts.iter().find_map(|part| part.trouble.clone()) }
    }

    fn note(&mut self, part: usize, change: Change) -> Result<(), Error> {
        let Some(state) = self.parts.get_mut(part) else { return Ok(()) };
        match change {
            Change::Listed(pods) => {
                self.bytes -= std::mem::take(&mut state.pods).values().map(ReadPod::size_bytes).sum::<usize>();
                state.pods = pods.into_iter().map(|read| (read.key().to_owned(), read)).collect();
                self.bytes += state.pods.values().map(ReadPod::size_bytes).sum::<usize>();
                state.listed = true;
            }
            Change::Present(read) => {
                self.bytes += read.size_bytes();
                if let Some(before) = state.pods.insert(read.key().to_owned(), *read) {
                    self.bytes -= before.size_bytes();
                }
            }
            Change::Gone(read) => self.bytes -= state.pods.remove(read.key()).map_or(0, |before| before.size_bytes()),
            Change::Away(error) => state.trouble = Some(error),
            Change::Back if state.trouble.is_none() => return Ok(()),
            Change::Back => state.trouble = None,
            Change::Failed(error) => return Err(error),
        }
        if self.bytes > MAX_BYTES {
            return Err(too_many());
        }
        let now = Instant::now();
        self.burst = Some((self.burst.map_or(now, |(first, _)| first), now));
        Ok(())
    }
}

fn too_many() -> Error {
    let message = format!("the watched pods take more than {} MiB of memory", MAX_BYTES >> 20);
    Error::new(Kind::Limit("watched pods"), message).hint("watch fewer: name namespaces, or a selector")
}
