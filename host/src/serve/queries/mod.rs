//! What can be run: queries that come with podlens, those of a folder, and those that tenants uploaded.
//!
//! A component is loaded only if a tenant may run it, and is known by its digest: what a file is called decides nothing. One that cannot be
//! loaded is told of where it is listed, and stops nothing else. `folder.rs` finds files, `uploads.rs` keeps what tenants give, and
//! `apart.rs` has it compiled where that can take neither this process' memory nor its time.

mod apart;
mod folder;
mod uploads;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::error::{Error, Kind};
use crate::output::inspection;
use crate::runtime::{Digest, Query, Runtime};
use crate::serve::policy::{AllowedQuery, Policy, QueryName, Tenant, TenantName};
use crate::text;

pub(crate) use apart::{Apart, rlimits};
use folder::Folder;
use uploads::Uploads;
pub(crate) use uploads::{Compiling, UploadError};

/// The component of a query that comes with the program, by its name.
pub(crate) type BuiltIn = fn(&str) -> Option<&'static [u8]>;

/// A query that is ready to run.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) query: Query,
    /// What `podlens inspect` tells of it.
    pub(crate) inspection: Value,
}

/// A query that a tenant may run: ready, or why it is not.
pub(crate) type Ready = Result<Arc<Loaded>, Error>;

/// How long a component that took too long is not tried again, at first and at most, twice as long each time: a busy machine may have been why,
/// or the component itself, which must not keep the machine busy for ever. Arbitrary.
const AGAIN: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(600));

/// A component that was looked for.
struct Tried {
    ready: Ready,
    again: Again,
}

/// Whether it is looked for another time.
#[derive(Clone, Copy)]
enum Again {
    /// The same bytes give the same.
    Never,
    /// Its bytes were not there.
    Always,
    /// Not before this moment, so long after the last.
    From(Instant, Duration),
}

/// All that is loaded.
pub(crate) struct Catalogue {
    runtime: Runtime,
    built_in: BuiltIn,
    folder: Option<Arc<Folder>>,
    apart: Option<Apart>,
    loaded: RwLock<HashMap<Digest, Tried>>,
    uploads: Uploads,
    /// Of the queries that come with the program, as far as they were asked for.
    digests: RwLock<HashMap<String, Digest>>,
    /// Where guests run.
    guests: Handle,
}

impl Catalogue {
    /// Nothing is loaded yet. `apart`: where there is none, nothing can be uploaded.
    pub(crate) fn new(runtime: Runtime, built_in: BuiltIn, folder: Option<PathBuf>, apart: Option<Apart>, guests: Handle) -> Self {
        let (folder, loaded, uploads) = (folder.map(|path| Arc::new(Folder::new(path))), RwLock::default(), Uploads::default());
        Self { runtime, built_in, folder, apart, loaded, uploads, digests: RwLock::default(), guests }
    }

    /// Loads what `policy` allows and is not loaded, as long as that is `wished`; `false` where it was not to the end.
    pub(crate) async fn load(&self, policy: &Policy, wished: impl Fn() -> bool + Send) -> bool {
        let wanted = self.wanted(policy);
        let found = match self.folder.clone() {
            // Reading many files takes its time.
            Some(folder) => tokio::task::spawn_blocking(move || folder.scan()).await.unwrap_or_default(),
            None => HashMap::new(),
        };
        for (digest, allowed) in &wanted {
            if !wished() {
                return false;
            }
            let before = self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(digest).map(|tried| tried.again);
            let wait = match before {
                Some(Again::Never) => continue,
                Some(Again::From(at, _)) if Instant::now() < at => continue,
                Some(Again::From(_, waited)) => (2 * waited).min(AGAIN.1),
                Some(Again::Always) | None => AGAIN.0,
            };
            let tried = match self.bytes(allowed, *digest, &found) {
                Ok(bytes) => {
                    let ready = self.ready(bytes).await;
                    // The same bytes give the same, but for what a busy machine does to them.
                    let passes = ready.as_ref().is_err_and(|error| error.limit().is_some() || error.is_fault());
                    Tried { ready, again: if passes { Again::From(Instant::now() + wait, wait) } else { Again::Never } }
                }
                Err(error) => Tried { ready: Err(error), again: Again::Always },
            };
            let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
            // The same problem is told once.
            let was = loaded.get(digest).and_then(|before| before.ready.as_ref().err().map(ToString::to_string));
            if let Err(error) = &tried.ready
                && was.is_none_or(|was| was != error.to_string())
            {
                let why: Vec<_> = [error.to_string()].into_iter().chain(error.causes().map(ToString::to_string)).collect();
                tracing::warn!(query = %allowed.name, %digest, "a query cannot be loaded: {}", text::visible(&why.join(": ")));
            }
            loaded.insert(*digest, tried);
        }
        true
    }

    fn bytes(&self, allowed: &AllowedQuery, digest: Digest, found: &HashMap<Digest, PathBuf>) -> Result<Vec<u8>, Error> {
        if let (None, Some(bytes)) = (allowed.digest, (self.built_in)(allowed.name.as_str())) {
            return Ok(bytes.to_vec());
        }
        let path = found.get(&digest).ok_or_else(|| {
            Error::new(Kind::Component, format!("there is no component `{digest}`"))
                .hint("put it into the folder of `--queries`, with a name that ends with `.wasm`")
        })?;
        folder::read(path, digest)
    }

    /// Drops what `policy` does not allow. Runs go on with what they have.
    pub(crate) fn drop_others(&self, policy: &Policy) {
        self.uploads.retain(&policy.tenants);
        let wanted = self.wanted(policy);
        self.loaded.write().unwrap_or_else(PoisonError::into_inner).retain(|digest, _| wanted.contains_key(digest));
    }

    fn wanted<'a>(&self, policy: &'a Policy) -> HashMap<Digest, &'a AllowedQuery> {
        let all = policy.tenants.values().flat_map(|tenant| &tenant.queries);
        // Of one that is allowed in both ways, the bytes that are here anyway.
        let (built_in, files): (Vec<_>, Vec<_>) = all.partition(|allowed| allowed.digest.is_none());
        files.into_iter().chain(built_in).filter_map(|allowed| Some((self.digest(allowed)?, allowed))).collect()
    }

    /// The query that a tenant calls so; `None` where it may run none, whether or not there is one.
    pub(crate) fn find(&self, tenant: &Tenant, name: &str) -> Option<Ready> {
        if let Some(allowed) = tenant.queries.iter().find(|allowed| allowed.name.as_str() == name) {
            return Some(self.ready_as(allowed));
        }
        self.uploads.find(&tenant.name, name).map(Ok)
    }

    /// All that a tenant may run, by name.
    pub(crate) fn all(&self, tenant: &Tenant) -> BTreeMap<String, Ready> {
        let mut all: BTreeMap<_, _> = self.uploads.all(&tenant.name).into_iter().map(|(name, loaded)| (name, Ok(loaded))).collect();
        all.extend(tenant.queries.iter().map(|allowed| (allowed.name.as_str().to_owned(), self.ready_as(allowed))));
        all
    }

    /// Whether a tenant has uploaded it.
    pub(crate) fn is_upload(&self, tenant: &TenantName, name: &str) -> bool {
        self.uploads.find(tenant, name).is_some()
    }

    /// Takes the tenant's place for an upload, before anything of it is read.
    pub(crate) fn begin_upload(&self, tenant: &Tenant, name: &QueryName) -> Result<Compiling, UploadError> {
        if self.apart.is_none() {
            return Err(UploadError::NotAllowed);
        }
        self.may_keep(tenant, name)?;
        self.uploads.compiling(&tenant.name)
    }

    /// Whether a component of the tenant's own can have this name, and there is room for it. Decided here alone; it stays so while the policy
    /// is the same for the tenant, and nothing else of the tenant's is kept.
    pub(crate) fn may_keep(&self, tenant: &Tenant, name: &QueryName) -> Result<(), UploadError> {
        let Some(upload) = &tenant.upload else { return Err(UploadError::NotAllowed) };
        if tenant.queries.iter().any(|allowed| allowed.name == *name) {
            return Err(UploadError::NameTaken);
        }
        self.uploads.has_room(&tenant.name, name, upload.components)
    }

    /// Compiles a component, and has it describe itself.
    pub(crate) async fn prepare(&self, _place: &Compiling, bytes: Vec<u8>) -> Result<Arc<Loaded>, UploadError> {
        let Some(apart) = &self.apart else { return Err(UploadError::NotAllowed) };
        apart.compile(&bytes).await.map_err(UploadError::Component)?;
        self.ready(bytes).await.map_err(UploadError::Component)
    }

    /// Keeps a component of a tenant who [may](Self::may_keep). Whether its name is a new one.
    pub(crate) fn keep(&self, tenant: &TenantName, name: &QueryName, loaded: Arc<Loaded>) -> bool {
        self.uploads.keep(tenant, name, loaded)
    }

    /// Forgets what a tenant has uploaded. Whether there was something.
    pub(crate) fn forget(&self, tenant: &TenantName, name: &str) -> bool {
        self.uploads.forget(tenant, name)
    }

    fn ready_as(&self, allowed: &AllowedQuery) -> Ready {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let ready = self.digest(allowed).and_then(|digest| Some(loaded.get(&digest)?.ready.clone()));
        ready.unwrap_or_else(|| Err(Error::new(Kind::Component, format!("no query `{}` comes with podlens", allowed.name))))
    }

    fn digest(&self, allowed: &AllowedQuery) -> Option<Digest> {
        allowed.digest.or_else(|| self.built_in_digest(allowed.name.as_str()))
    }

    /// Counted once for each.
    fn built_in_digest(&self, name: &str) -> Option<Digest> {
        if let Some(digest) = self.digests.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(*digest);
        }
        let digest = Digest::of((self.built_in)(name)?);
        self.digests.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), digest);
        Some(digest)
    }

    /// Whether a query of this name comes with the program.
    pub(crate) fn has_built_in(&self, name: &str) -> bool {
        (self.built_in)(name).is_some()
    }

    /// Loads a component where guests run: describing itself is the component's own work.
    async fn ready(&self, bytes: Vec<u8>) -> Ready {
        let runtime = self.runtime.clone();
        let told = self.guests.spawn(async move { runtime.inspect(bytes).await }).await;
        let told =
            told.map_err(|error| Error::new(Kind::Fault, "loading a query was stopped by a fault of podlens").because(error))?;
        let inspection = inspection::value(&told);
        Ok(Arc::new(Loaded { query: told.query?, inspection }))
    }
}
