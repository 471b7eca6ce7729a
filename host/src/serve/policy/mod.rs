//! What tenants are called, and how many runs each may have.

use std::fmt;
use std::sync::Arc;

use crate::kube::{NameError, Namespace};

/// A tenant's name: an RFC 1123 label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TenantName(Arc<str>);

impl TenantName {
    pub(crate) fn parse(name: &str) -> Result<Self, NameError> {
        Namespace::parse(name).map(|name| Self(name.as_str().into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many runs a tenant may have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rates {
    /// At the same time.
    pub(crate) concurrent_runs: usize,
    /// Begun in a second, on average.
    pub(crate) runs_per_second: f64,
    /// Waiting.
    pub(crate) queue: usize,
}
