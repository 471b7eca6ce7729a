//! Pods that all tenants share: read once, by a watch, and handed out to whom the API server lets read them.
//!
//! Each namespace that is read has a watch of its own (or all together have one, where a tenant may read them all): guests choose none of
//! it. A watch begins with the first list that it could answer, and ends when nobody has asked for a while. Until it knows all pods, where
//! it knows too many, and where it failed, lists are read from the API server page by page, as without a cache. `access.rs` asks what a
//! tenant may read; `tenant.rs` is a run's way through all of it.

mod access;
mod kept;
mod tenant;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::client::Client;
use crate::kube::Namespace;
use crate::serve::metrics::{CacheLookup, CacheSize, Metrics};
use crate::serve::policy::CachePolicy;
use crate::source::{Keep, Latest, Room};

pub(crate) use access::AccessReviews;
use kept::Kept;
pub(crate) use tenant::{Reading, TenantPods};

/// Most watches at once. They have a connection of their own, and an API server takes 100 requests on one (k8s.io/apiserver
/// `pkg/server/secure_serving.go`, `MaxConcurrentStreams`): what is left is for lists. A policy that grants more namespaces can grant all.
const MAX_WATCHES: usize = 80;

/// The shared pods.
pub(crate) struct Cache {
    client: Client,
    policy: CachePolicy,
    keep: Keep,
    room: Arc<Room>,
    /// Where watches are read, which must not be where guests run.
    io: Handle,
    metrics: Metrics,
    watches: Mutex<HashMap<Option<Namespace>, Kept>>,
}

impl Cache {
    /// Nothing is read yet. `keep` is done to each pod before it is kept, and takes out what no tenant may see.
    pub(crate) fn new(client: &Client, policy: CachePolicy, keep: Keep, io: Handle, metrics: Metrics) -> Self {
        let client = client.acting(policy.identity.acting()).announcing("cache");
        let room = Arc::new(Room::new(usize::try_from(policy.bytes).unwrap_or(usize::MAX)));
        Self { client, policy, keep, room, io, metrics, watches: Mutex::default() }
    }

    /// What is known of a namespace's pods, or of those of all namespaces; `None` where they have to be read.
    fn pods(&self, namespace: Option<&Namespace>) -> Option<Latest> {
        let (mut watches, own) = (self.watches(), namespace.cloned());
        // A watch of all namespaces knows those of each.
        let known = watches.get(&None).and_then(Kept::latest).or_else(|| watches.get(&own).and_then(Kept::latest));
        let before = watches.get(&own);
        let begins = before.map_or(watches.len() < MAX_WATCHES, |kept| kept.is_over(Instant::now()));
        if known.is_none() && begins {
            let (room, keep) = (Arc::clone(&self.room), Arc::clone(&self.keep));
            match Kept::start(&self.client, namespace, room, keep, &self.io, before) {
                Ok(kept) => {
                    self.metrics.cache_listed();
                    watches.insert(own, kept);
                }
                Err(error) => tracing::warn!("no watch was begun: {error}"),
            }
        }
        self.metrics.cache_looked_up(if known.is_some() { CacheLookup::Hit } else { CacheLookup::Miss });
        known
    }

    /// Ends what nobody has asked for.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        self.watches().retain(|_, kept| !kept.is_idle(now, self.policy.idle));
    }

    /// How much is kept.
    pub(crate) fn size(&self) -> CacheSize {
        let watches = self.watches();
        let pods: usize = watches.values().map(Kept::count).sum();
        CacheSize { pods: pods as u64, bytes: self.room.used() as u64, watches: watches.len() as u64 }
    }

    fn watches(&self) -> MutexGuard<'_, HashMap<Option<Namespace>, Kept>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
