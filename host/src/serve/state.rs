//! What changes while the server runs: the policy, the queries it allows, and certificates. Files are looked at every few seconds; what is of
//! no use leaves everything as it is.
//!
//! The first half of a policy's file may be a policy, too, and a wider one: a change is taken once two looks have found the same. Two reads in
//! the same moment would not do, since whoever writes slowly may be between two writes. A file that never stands still is never taken, and
//! after a while that is told as of a file of no use.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::authenticate::Callers;
use super::cache::Cache;
use super::http::{Rules, Service};
use super::listen::Tls;
use super::metrics::Metrics;
use super::policy::{self, CachePolicy, Policy};
use crate::client::Client;
use crate::error::{Error, Kind};
use crate::policy::{Redaction, Withheld, stripped};
use crate::runtime::Digest;
use crate::text;

/// Between two looks at the files. The kubelet brings a ConfigMap's change within a minute; whoever waits for it should not wait longer.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// How long the policy's file has to have been as it is before it is taken as the first one, and between two looks whether it has. Arbitrary:
/// whoever writes one file takes moments between two writes, and there is none yet that could be kept until the next look.
const SETTLED_AFTER: Duration = Duration::from_millis(500);

/// How long the policy's file may be found changed at each look before that is told. Arbitrary: five looks, and none writes one for so long.
const RESTLESS_AFTER: Duration = Duration::from_secs(10);

/// The files, and what was made of them.
pub(crate) struct State {
    pub(crate) policy_file: PathBuf,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) service: Arc<Service>,
    pub(crate) client: Client,
    /// Connections of the cache's own.
    pub(crate) cache_client: Client,
    pub(crate) metrics: Metrics,
    /// `None`: pods are read each time, whatever the policy says.
    pub(crate) caches: bool,
    pub(crate) is_loopback: bool,
    /// Runs at once where the policy does not say.
    pub(crate) slots: usize,
    /// Told when there is another policy.
    pub(crate) taken: Notify,
    /// Whether each query that the policy allows was looked for once.
    pub(crate) loaded: Arc<AtomicBool>,
    pub(crate) kept: Mutex<Kept>,
}

#[derive(Default)]
pub(crate) struct Kept {
    /// The bytes that were last looked at, good or not.
    seen: Option<Digest>,
    found: Found,
    /// Whether nothing could be read the last time.
    is_unreadable: bool,
    policy: Option<Arc<Policy>>,
    /// What the cache was made of.
    cache: Option<(CachePolicy, Withheld)>,
    /// What was told last of each file.
    told: BTreeMap<&'static str, String>,
}

impl State {
    /// Looks at all files, and takes what has changed.
    pub(crate) fn look(&self) {
        let looked = self.look_at_policy();
        self.tell_once("policy", looked.err());
        if let Some(tls) = &self.tls {
            let reloaded = tls.reload();
            if matches!(reloaded, Ok(true)) {
                tracing::info!("the certificates were read again");
            }
            self.tell_once("certificates", reloaded.err());
        }
        let cache = self.service.runner.cache.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(cache) = cache {
            cache.sweep();
        }
    }

    /// Loads the queries that the policy allows, as far as they are not. Apart from all else: it takes as long as those who wrote them like.
    pub(crate) async fn load_queries(&self) {
        while let Some(policy) = self.policy() {
            let is_same = || self.policy().is_some_and(|now| now.digest == policy.digest);
            if self.service.catalogue.load(&policy, is_same).await && is_same() {
                break;
            }
            // What was loaded by the one before may not be wanted any more.
            if let Some(policy) = self.policy() {
                self.service.catalogue.drop_others(&policy);
            }
        }
        self.loaded.store(true, Ordering::Relaxed);
    }

    fn policy(&self) -> Option<Arc<Policy>> {
        self.kept().policy.clone()
    }

    /// Waits until nobody has written the policy's file for a moment; fails where that does not come.
    pub(crate) async fn settled(&self) -> Result<(), Error> {
        let (began, mut last) = (Instant::now(), None);
        loop {
            // What cannot be read is told when it is to be taken.
            let Ok(bytes) = policy::read(&self.policy_file) else { return Ok(()) };
            let written = std::fs::metadata(&self.policy_file).and_then(|metadata| metadata.modified());
            let is_old = written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age >= SETTLED_AFTER));
            let digest = Digest::of(&bytes);
            if is_old || last.replace(digest) == Some(digest) {
                return Ok(());
            }
            if began.elapsed() >= RESTLESS_AFTER {
                return Err(self.restless());
            }
            sleep(SETTLED_AFTER).await;
        }
    }

    fn restless(&self) -> Error {
        let message = format!(
            "the policy `{}` was another one at each look for {} s, and is taken once it stands still",
            text::path(&self.policy_file),
            RESTLESS_AFTER.as_secs()
        );
        Error::new(Kind::InvalidArgument, message)
    }

    /// Takes the policy as the file has it now, if it is another one.
    pub(crate) fn look_at_policy(&self) -> Result<(), Error> {
        let bytes = policy::read(&self.policy_file).inspect_err(|_| {
            let mut kept = self.kept();
            kept.found = Found::default();
            if !std::mem::replace(&mut kept.is_unreadable, true) {
                self.metrics.policy_reloaded(false);
            }
        })?;
        let digest = Digest::of(&bytes);
        {
            let mut kept = self.kept();
            kept.is_unreadable = false;
            match kept.found.again(digest, Instant::now()) {
                // There is nothing else yet.
                _ if kept.policy.is_none() => {}
                Stands::Still => {}
                Stands::Changed => return Ok(()),
                Stands::Restless { is_news } => {
                    if is_news {
                        self.metrics.policy_reloaded(false);
                    }
                    // What it comes to rest at is told of, though it may have been before.
                    kept.seen = kept.policy.as_ref().map(|policy| policy.digest);
                    return Err(self.restless());
                }
            }
            if kept.seen == Some(digest) {
                return Ok(());
            }
            kept.seen = Some(digest);
        }
        let taken = self.take(&bytes);
        self.metrics.policy_reloaded(taken.is_ok());
        taken?;
        tracing::info!(policy = %digest, "the policy was taken");
        Ok(())
    }

    fn take(&self, bytes: &[u8]) -> Result<(), Error> {
        let policy = Policy::parse(bytes).map_err(|error| {
            Error::new(Kind::InvalidArgument, format!("the policy `{}` cannot be used", text::path(&self.policy_file)))
                .because(error)
        })?;
        policy.check_built_in(|name| self.service.catalogue.has_built_in(name))?;
        let policy = Arc::new(policy);
        let callers = Callers::of(&policy);
        if callers.admits_anonymous() && !self.is_loopback {
            let message = "the policy lets anybody call, and this server can be reached from other machines";
            return Err(Error::new(Kind::InvalidArgument, message).hint("take `anonymous` out, or listen on 127.0.0.1"));
        }
        // Tenants before the cache, which a run of an older policy must not read. A new query is not ready for a moment.
        self.service.runner.tenants.send_replace(policy.tenants.clone());
        self.renew_cache(&policy);
        self.service.reviews.set_audience(&policy.audience);
        self.service.runner.admission.set_slots(policy.concurrent_runs.unwrap_or(self.slots));
        let rules = Arc::new(Rules { policy: policy.digest, callers });
        *self.service.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
        self.service.catalogue.drop_others(&policy);
        self.metrics.set_tenants(policy.tenants.keys());
        self.kept().policy = Some(policy);
        self.taken.notify_one();
        Ok(())
    }

    /// A cache is made anew only where the policy says otherwise of it: what it knows takes a list to know again.
    fn renew_cache(&self, policy: &Policy) {
        let wanted = policy.cache.clone().filter(|_| self.caches).map(|cache| (cache, never_seen(policy)));
        let mut kept = self.kept();
        if kept.cache == wanted {
            return;
        }
        let cache = wanted.clone().map(|(cache, unseen)| {
            let keep = Arc::new(move |read| stripped(read, unseen));
            Arc::new(Cache::new(&self.cache_client, cache, keep, self.service.runner.io.clone(), self.metrics.clone()))
        });
        *self.service.runner.cache.write().unwrap_or_else(PoisonError::into_inner) = cache;
        kept.cache = wanted;
    }

    /// Tells what is wrong with a file, once for as long as it stays the same.
    fn tell_once(&self, file: &'static str, error: Option<Error>) {
        let mut kept = self.kept();
        let Some(error) = error else {
            // A policy that was refused is not looked at again, and is as wrong as before.
            if file != "policy" || kept.seen == kept.policy.as_ref().map(|policy| policy.digest) {
                kept.told.remove(file);
            }
            return;
        };
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let told = format!("{error}: {cause}");
        if kept.told.get(file) != Some(&told) {
            tracing::error!(cause, "{error}; what was good before stays");
            kept.told.insert(file, told);
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was in a file, look by look.
#[derive(Debug, Default)]
struct Found {
    last: Option<Digest>,
    /// Since when it has been another one at each look.
    changes_since: Option<Instant>,
    is_told: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Stands {
    Still,
    Changed,
    /// It has been changing for too long; `is_news` the first time.
    Restless {
        is_news: bool,
    },
}

impl Found {
    fn again(&mut self, digest: Digest, now: Instant) -> Stands {
        if self.last.replace(digest) == Some(digest) {
            (self.changes_since, self.is_told) = (None, false);
            return Stands::Still;
        }
        let since = *self.changes_since.get_or_insert(now);
        if now.saturating_duration_since(since) < RESTLESS_AFTER {
            return Stands::Changed;
        }
        Stands::Restless { is_news: !std::mem::replace(&mut self.is_told, true) }
    }
}

/// What no tenant may see and nothing that the policy demands is held against: what need not be kept at all.
fn never_seen(policy: &Policy) -> Withheld {
    let grants = || policy.tenants.values().map(|tenant| &tenant.grant);
    let is_needed = |redaction: &Redaction| match redaction {
        Redaction::Labels => grants().any(|grant| !grant.given_labels().is_empty()),
        Redaction::Ips | Redaction::Nodes => grants().any(|grant| !grant.given_fields().is_empty()),
        Redaction::Env | Redaction::Annotations | Redaction::Images | Redaction::Messages => false,
    };
    let is_withheld = |redaction: &Redaction| grants().all(|grant| grant.withheld().has(*redaction));
    Redaction::ALL.iter().copied().filter(|redaction| is_withheld(redaction) && !is_needed(redaction)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_never_stands_still_is_told_of_once() {
        let (mut found, began) = (Found::default(), Instant::now());
        let mut look = |seconds, content: &[u8]| found.again(Digest::of(content), began + Duration::from_secs(seconds));
        assert_eq!(
            [look(0, b"a"), look(2, b"a"), look(4, b"b"), look(6, b"b")],
            [Stands::Changed, Stands::Still, Stands::Changed, Stands::Still]
        );
        // One that comes back has been another one meanwhile.
        for (seconds, content) in [(10, b"c"), (12, b"b"), (14, b"c"), (16, b"b"), (18, b"c")] {
            assert_eq!(look(seconds, content), Stands::Changed);
        }
        assert_eq!([look(20, b"d"), look(22, b"c")], [Stands::Restless { is_news: true }, Stands::Restless { is_news: false }]);
        assert_eq!([look(24, b"c"), look(26, b"d")], [Stands::Still, Stands::Changed]);
        assert_eq!([look(36, b"c"), look(38, b"d")], [Stands::Restless { is_news: true }, Stands::Restless { is_news: false }]);
    }
}
