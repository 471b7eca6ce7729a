//! The policy file: who may run which queries over which pods, as whom, and with how much of the machine.
//!
//! Nothing is given that it does not spell out, and what it says that is not understood is an error. `file.rs` reads it, by `written.rs`,
//! which knows the place of each value; `read.rs` gets its bytes, and `limits.rs` has what a tenant gets where the file says nothing, and the most that it may say.

mod file;
mod limits;
mod read;
mod written;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Acting;
use crate::config::{Impersonation, Origin, Sourced};
use crate::kube::{Namespace, ServiceAccount};
use crate::limits::Limits;
use crate::policy::Grant;
use crate::runtime::Digest;

pub(crate) use file::MAX_CONCURRENT_RUNS;
pub(crate) use read::read;
pub(crate) use written::PolicyError;

/// A policy, checked.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// Of the file's bytes.
    pub(crate) digest: Digest,
    pub(crate) tenants: BTreeMap<TenantName, Arc<Tenant>>,
    /// `None`: each run reads from the API server.
    pub(crate) cache: Option<CachePolicy>,
    /// Most runs at once, of all tenants; `None` leaves it to the server.
    pub(crate) concurrent_runs: Option<usize>,
    /// What the tokens of callers' service accounts have to be made for.
    pub(crate) audience: String,
}

/// Who may run what, over which pods.
#[derive(Debug, PartialEq)]
pub(crate) struct Tenant {
    pub(crate) name: TenantName,
    /// At least one, and none of another tenant.
    pub(crate) callers: Vec<Caller>,
    pub(crate) identity: Identity,
    pub(crate) grant: Grant,
    pub(crate) queries: Vec<AllowedQuery>,
    /// `None`: the tenant brings no components.
    pub(crate) upload: Option<Upload>,
    pub(crate) limits: Limits,
    pub(crate) rates: Rates,
}

/// The name of a tenant: an RFC 1123 label. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TenantName(Arc<str>);

/// The name of a query within a tenant: an RFC 1123 label. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct QueryName(Arc<str>);

macro_rules! labels {
    ($($name:ident)*) => {$(
        impl $name {
            /// The name, where it is a label: names of namespaces are, too.
            pub(crate) fn parse(text: &str) -> Option<Self> {
                Namespace::parse(text).is_ok().then(|| Self(text.into()))
            }

            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

labels! { TenantName QueryName }

/// Who calls. The groups that Kubernetes keeps for itself cannot be told of here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// By a token that the API server says is of this account, and for the policy's audience.
    ServiceAccount(ServiceAccount),
    /// By a token that has this hash.
    TokenSha256([u8; 32]),
    /// By a certificate that the server's CA for callers signed.
    Certificate { common_name: String },
    /// By nothing at all.
    Anonymous,
}

/// What is told of a token's SHA-256, 12 hexadecimal digits: enough to find the line of the policy, and far too little to find the token.
pub(crate) fn hash_beginning(hash: &[u8; 32]) -> String {
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// As people are shown it; of a token's hash the first twelve digits.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceAccount(account) => write!(f, "the service account `{account}`"),
            Self::TokenSha256(hash) => {
                write!(f, "who has the token whose SHA-256 begins with `{}`", hash_beginning(hash))
            }
            Self::Certificate { common_name } => write!(f, "who has a certificate of `{}`", crate::text::excerpt(common_name)),
            Self::Anonymous => f.write_str("anybody"),
        }
    }
}

/// Whom the API server is asked as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The server's own account.
    Host,
    /// This account, impersonated.
    ServiceAccount(ServiceAccount),
}

impl Identity {
    /// As whom a client is to act. There is always somebody: nothing is sent as the host by omission.
    pub(crate) fn acting(&self) -> Acting {
        match self {
            Self::Host => Acting::Ourselves,
            Self::ServiceAccount(account) => Acting::As(Sourced::new(Impersonation::of_account(account), Origin::Policy)),
        }
    }
}

/// As people are shown it.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("the server's own account"),
            Self::ServiceAccount(account) => write!(f, "the service account `{account}`"),
        }
    }
}

/// A query that a tenant may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AllowedQuery {
    pub(crate) name: QueryName,
    /// Of the component; `None` for the query of this name that comes with podlens.
    pub(crate) digest: Option<Digest>,
}

/// What a tenant may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    /// Most components that are kept.
    pub(crate) components: usize,
    /// Most bytes of each.
    pub(crate) component_bytes: usize,
}

/// How often a tenant may run queries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    /// Most runs at once.
    pub(crate) concurrent_runs: usize,
    pub(crate) runs_per_second: f64,
    /// Most runs that wait.
    pub(crate) queue: usize,
}

/// What keeps pods for several runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CachePolicy {
    pub(crate) identity: Identity,
    /// Most memory.
    pub(crate) bytes: u64,
    /// How long what nobody reads is kept.
    pub(crate) idle: Duration,
}

impl Policy {
    /// Reads a policy file.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        file::parse(text)
    }
}

#[cfg(test)]
mod tests;
