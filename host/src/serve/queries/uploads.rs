//! Components that tenants uploaded: each tenant's own, in memory, until it forgets them or the server ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::Loaded;
use crate::error::Error;
use crate::serve::policy::{QueryName, Tenant, TenantName};

#[derive(Debug, Default)]
pub(super) struct Uploads {
    kept: RwLock<BTreeMap<TenantName, BTreeMap<QueryName, Arc<Loaded>>>>,
    /// Whose component is being compiled.
    compiling: Arc<Mutex<BTreeSet<TenantName>>>,
}

/// While a tenant's component is compiled.
pub(crate) struct Compiling {
    compiling: Arc<Mutex<BTreeSet<TenantName>>>,
    tenant: TenantName,
}

impl Drop for Compiling {
    fn drop(&mut self) {
        self.compiling.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tenant);
    }
}

/// Why a component is not kept.
#[derive(Clone, Debug)]
pub(crate) enum UploadError {
    NotAllowed,
    /// A query of this name is given by the policy.
    NameTaken,
    /// The tenant has so many already.
    TooMany(usize),
    /// Another one of the tenant is being compiled: who brings many waits for them, and not others.
    Busy,
    /// It is no query, or could not be compiled.
    Component(Error),
}

impl Uploads {
    pub(super) fn find(&self, tenant: &TenantName, name: &str) -> Option<Arc<Loaded>> {
        let uploads = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        uploads.get(tenant)?.iter().find(|(known, _)| known.as_str() == name).map(|(_, loaded)| Arc::clone(loaded))
    }

    pub(super) fn all(&self, tenant: &TenantName) -> BTreeMap<String, Arc<Loaded>> {
        let uploads = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let of_tenant = uploads.get(tenant).into_iter().flatten();
        of_tenant.map(|(name, loaded)| (name.as_str().to_owned(), Arc::clone(loaded))).collect()
    }

    /// Takes the tenant's one place to have a component compiled.
    pub(super) fn compiling(&self, tenant: &TenantName) -> Result<Compiling, UploadError> {
        let mut compiling = self.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        match compiling.insert(tenant.clone()) {
            true => Ok(Compiling { compiling: Arc::clone(&self.compiling), tenant: tenant.clone() }),
            false => Err(UploadError::Busy),
        }
    }

    /// Whether there is room for one of this name among at most so many. One that has the name already makes room.
    pub(super) fn has_room(&self, tenant: &TenantName, name: &QueryName, most: usize) -> Result<(), UploadError> {
        let uploads = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let fits = uploads.get(tenant).map_or(most > 0, |of_tenant| of_tenant.contains_key(name) || of_tenant.len() < most);
        if fits { Ok(()) } else { Err(UploadError::TooMany(most)) }
    }

    /// Whether the name is a new one.
    pub(super) fn keep(&self, tenant: &TenantName, name: &QueryName, loaded: Arc<Loaded>) -> bool {
        let mut uploads = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        uploads.entry(tenant.clone()).or_default().insert(name.clone(), loaded).is_none()
    }

    pub(super) fn forget(&self, tenant: &TenantName, name: &str) -> bool {
        let mut uploads = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let Some(of_tenant) = uploads.get_mut(tenant) else { return false };
        let before = of_tenant.len();
        of_tenant.retain(|known, _| known.as_str() != name);
        of_tenant.len() < before
    }

    /// Forgets those of tenants who may not upload any more, and what has the name of a query that the policy gives.
    pub(super) fn retain(&self, tenants: &BTreeMap<TenantName, Arc<Tenant>>) {
        let mut uploads = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        uploads.retain(|name, of_tenant| {
            let Some(tenant) = tenants.get(name).filter(|tenant| tenant.upload.is_some()) else { return false };
            of_tenant.retain(|known, _| tenant.queries.iter().all(|allowed| allowed.name != *known));
            true
        });
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed => f.write_str("uploads are not granted"),
            Self::NameTaken => f.write_str("a query of this name is there already, and is not yours to replace"),
            Self::TooMany(most) => write!(f, "there are {most} components of yours, and no more are kept: delete one first"),
            Self::Busy => f.write_str("another component of yours is being compiled: wait for it"),
            Self::Component(_) => f.write_str("the component cannot be used as a query"),
        }
    }
}
