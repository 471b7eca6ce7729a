//! The service accounts of the demo. What each may do is in `roles.rs`.

use super::identity;

/// A service account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    /// `shop/podlens`: a ClusterRole lets it get and list the pods of all namespaces.
    Podlens,
    /// `shop/default`: no role. It shows what a refusal looks like.
    Default,
    /// `podlens/podlens`: a server that asks on behalf of others. It may read no pod, only impersonate those who may.
    Server,
    /// `podlens/podlens-cache`: may get, list and watch the pods of all namespaces. It has no token and is only impersonated.
    Cache,
    /// `podlens-reader` in the tenant's namespace: may get and list the pods there. It has no token and is only impersonated.
    Reader(Tenant),
    /// `dashboards` in the tenant's namespace: no role, and a token for the server alone.
    Caller(Tenant),
}

/// Who shares the server with others: a team with a namespace of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tenant {
    Shop,
    Payments,
}

impl Tenant {
    pub(crate) const ALL: [Self; 2] = [Self::Shop, Self::Payments];

    pub(crate) const fn namespace(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Payments => "payments",
        }
    }
}

impl Account {
    /// Those that pods run as: each has a mount.
    pub(crate) const MOUNTED: [Self; 2] = [Self::Podlens, Self::Default];

    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::Podlens | Self::Default => "shop",
            Self::Server | Self::Cache => "podlens",
            Self::Reader(tenant) | Self::Caller(tenant) => tenant.namespace(),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Podlens | Self::Server => "podlens",
            Self::Default => "default",
            Self::Cache => "podlens-cache",
            Self::Reader(_) => "podlens-reader",
            Self::Caller(_) => "dashboards",
        }
    }

    /// The user that the API server takes it for (kubernetes `pkg/serviceaccount/util.go`).
    pub(crate) fn user(self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace(), self.name())
    }

    pub(super) fn uid(self) -> String {
        identity::uid(&["ServiceAccount", self.namespace(), self.name()])
    }
}
