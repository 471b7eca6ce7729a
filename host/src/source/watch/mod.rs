//! The pods of a grant, kept up to date: listed once, then changed as the API server tells.
//!
//! `follow.rs` lists and watches one part of the grant; here the parts become one state, and bursts of changes become one update. Queries
//! know nothing of it: they list and get what an update holds.

mod follow;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
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
    room: Arc<Room>,
    latest: Arc<Mutex<Option<Latest>>>,
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
    /// What the API server last told of.
    moment: Option<Moment>,
}

/// Up to when pods are known to be what the API server has.
#[derive(Clone, Debug)]
struct Moment {
    resource_version: String,
    observed: Timestamp,
}

/// Pods, and up to when they are known to be what the API server has.
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only a server's cache reads it"))]
#[derive(Clone, Debug)]
pub(crate) struct Latest {
    pub(crate) pods: Snapshot,
    /// All that happened up to this is in them.
    pub(crate) resource_version: String,
    /// When the API server last told so.
    pub(crate) observed: Timestamp,
}

/// Memory that several watches share.
#[derive(Debug)]
pub(crate) struct Room {
    used: AtomicUsize,
    max_bytes: usize,
}

impl Room {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { used: AtomicUsize::new(0), max_bytes }
    }

    /// Bytes in use, by [`ReadPod::size_bytes`].
    #[cfg(feature = "cli")]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes and gives back; whether all there is now has its place.
    fn change(&self, before: usize, after: usize) -> bool {
        self.used.fetch_add(after, Ordering::Relaxed);
        self.used.fetch_sub(before, Ordering::Relaxed) - before <= self.max_bytes
    }
}

/// What is done with each pod before it is kept.
pub(crate) type Keep = Arc<dyn Fn(ReadPod) -> ReadPod + Send + Sync>;

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
    /// These are all, as of this resource version.
    Listed(Vec<ReadPod>, String),
    Present(Box<ReadPod>),
    Gone(Box<ReadPod>),
    /// Nothing more happened up to this resource version.
    Bookmark(String),
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
        Self::within(client, grant, Arc::new(Room::new(MAX_BYTES)), Arc::new(|read| read))
    }

    /// As [`new`](Self::new), in memory that is shared with others, and with `keep` done to each pod. What `keep` takes out is not there for
    /// selectors either.
    pub(crate) fn within(client: &Client, grant: &Grant, room: Arc<Room>, keep: Keep) -> Result<Self, Error> {
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
            let follower = Follower {
                client: client.clone(),
                source: ApiServer::new(client.clone()),
                request,
                max_bytes: room.max_bytes,
                keep: Arc::clone(&keep),
                part,
                changes: sender.clone(),
            };
            followers.spawn(follower.follow());
        }
        Ok(Self { changes, parts, bytes: 0, room, latest: Arc::default(), burst: None, _followers: followers })
    }

    /// Where the pods of the last update are to be had, and up to when they are known to be right, also while nothing changes. Only of a
    /// watch of one part; of several, each has its own moment.
    #[cfg(feature = "cli")]
    pub(crate) fn latest(&self) -> Arc<Mutex<Option<Latest>>> {
        Arc::clone(&self.latest)
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
        let pods = Snapshot::new(self.parts.iter().flat_map(|part| part.pods.values().cloned()).collect());
        if let [Part { moment: Some(Moment { resource_version, observed }), .. }] = self.parts.as_slice() {
            let latest = Latest { pods: pods.clone(), resource_version: resource_version.clone(), observed: *observed };
            *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(latest);
        }
        WatchUpdate { pods, trouble: self.parts.iter().find_map(|part| part.trouble.clone()) }
    }

    fn note(&mut self, part: usize, change: Change) -> Result<(), Error> {
        let Some(state) = self.parts.get_mut(part) else { return Ok(()) };
        let before = self.bytes;
        let seen = |resource_version| Some(Moment { resource_version, observed: Timestamp::now() });
        match change {
            Change::Listed(pods, version) => {
                self.bytes -= std::mem::take(&mut state.pods).values().map(ReadPod::size_bytes).sum::<usize>();
                state.pods = pods.into_iter().map(|read| (read.key().to_owned(), read)).collect();
                self.bytes += state.pods.values().map(ReadPod::size_bytes).sum::<usize>();
                state.listed = true;
                state.moment = seen(version);
            }
            Change::Present(read) => {
                state.moment = seen(read.metadata().resource_version);
                self.bytes += read.size_bytes();
                if let Some(before) = state.pods.insert(read.key().to_owned(), *read) {
                    self.bytes -= before.size_bytes();
                }
            }
            Change::Gone(read) => {
                state.moment = seen(read.metadata().resource_version);
                self.bytes -= state.pods.remove(read.key()).map_or(0, |before| before.size_bytes());
            }
            Change::Bookmark(version) => {
                // What has changed before it, and is not told yet, is told with it.
                if self.burst.is_none()
                    && let Some(latest) = &mut *self.latest.lock().unwrap_or_else(PoisonError::into_inner)
                {
                    (latest.resource_version, latest.observed) = (version.clone(), Timestamp::now());
                }
                state.moment = seen(version);
                return Ok(());
            }
            Change::Away(error) => state.trouble = Some(error),
            Change::Back if state.trouble.is_none() => return Ok(()),
            Change::Back => state.trouble = None,
            Change::Failed(error) => return Err(error),
        }
        if !self.room.change(before, self.bytes) {
            return Err(too_many(self.room.max_bytes));
        }
        let now = Instant::now();
        self.burst = Some((self.burst.map_or(now, |(first, _)| first), now));
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.room.change(self.bytes, 0);
    }
}

fn too_many(max_bytes: usize) -> Error {
    let message = format!("the watched pods take more than {max_bytes} bytes of memory");
    Error::new(Kind::Limit("watched pods"), message).hint("watch fewer: name namespaces, or a selector")
}
