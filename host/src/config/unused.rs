//! What is there and not used, and why: told by the command that shows the configuration.

use std::fmt;

/// Something that a person could expect to have an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unused {
    /// An environment variable with a proxy, by name.
    ProxyVariable(&'static str),
    /// `KUBERNETES_SERVICE_HOST` or what else says that this is a pod.
    Pod(&'static str),
    /// `KUBECONFIG`, by an option that names a file.
    KubeconfigVariable,
    /// A field of the kubeconfig's user or cluster, and what goes before it.
    Field { field: &'static str, by: &'static str },
    /// `disable-compression`.
    DisableCompression,
}

impl Unused {
    /// What it is.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::ProxyVariable(name) | Self::Pod(name) => format!("the environment's `{name}`"),
            Self::KubeconfigVariable => "the environment's `KUBECONFIG`".to_owned(),
            Self::Field { field, .. } => format!("the kubeconfig's `{field}`"),
            Self::DisableCompression => "the kubeconfig's `disable-compression`".to_owned(),
        }
    }
}

/// Why it is not used.
impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProxyVariable(_) => f.write_str("a proxy is used where a kubeconfig has a `proxy-url`, and nowhere else"),
            Self::Pod(_) => f.write_str("a kubeconfig or `server` comes before the pod's service account"),
            Self::KubeconfigVariable => f.write_str("the option `kubeconfig` comes first"),
            Self::Field { by, .. } => write!(f, "{by} comes first"),
            Self::DisableCompression => f.write_str("compression is never asked for"),
        }
    }
}
