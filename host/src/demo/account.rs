//! The two service accounts of the demo.

use super::identity;

/// A service account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    /// `shop/podlens`: a ClusterRole lets it get and list the pods of all namespaces.
    Podlens,
    /// `shop/default`: no role. It shows what a refusal looks like.
    Default,
}

impl Account {
    pub(crate) const ALL: [Self; 2] = [Self::Podlens, Self::Default];

    pub(crate) fn namespace(self) -> &'static str {
        "shop"
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Podlens => "podlens",
            Self::Default => "default",
        }
    }

    /// The user that the API server takes it for (kubernetes `pkg/serviceaccount/util.go`).
    pub(crate) fn user(self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace(), self.name())
    }

    pub(super) fn groups(self) -> [String; 3] {
        [
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{}", self.namespace()),
            "system:authenticated".to_owned(),
        ]
    }

    pub(super) fn uid(self) -> String {
        identity::uid(&["ServiceAccount", self.namespace(), self.name()])
    }
}
