//! What the caller decides about the configuration: kubectl's flags, as values.

use std::path::PathBuf;
use std::time::Duration;

/// What the caller decides about the configuration. Each value goes before what a kubeconfig or a pod's mount says, by the rules of
/// client-go (v0.37.2 `tools/clientcmd/client_config.go`); an empty name or address is an unset one, and an empty path or user is an error.
/// Relative paths start at the working directory.
///
/// The default takes what kubectl would take in the same place: `KUBECONFIG`, else `~/.kube/config`, else the pod's service
/// account.
#[derive(Clone, Debug, Default)]
pub struct ConfigOptions {
    /// This kubeconfig and nothing else: it must exist. Default: none.
    pub kubeconfig: Option<PathBuf>,
    /// This context of the kubeconfig instead of its `current-context`. Default: none.
    pub context: Option<String>,
    /// This cluster of the kubeconfig instead of the context's. Default: none.
    pub cluster: Option<String>,
    /// This user of the kubeconfig instead of the context's. Default: none.
    pub user: Option<String>,
    /// This `https` address of the API server. A `tls-server-name` that the kubeconfig has for another address is then not used.
    /// Without any kubeconfig the configuration is made of these options alone, in a pod, too. Default: none.
    pub server: Option<String>,
    /// The name that the server's certificate has to be for, instead of the address's. Default: none.
    pub tls_server_name: Option<String>,
    /// Accept any certificate, and with it any server: the credentials are sent to whoever answers. Goes before the kubeconfig's
    /// certificate authority. Default: no.
    pub insecure_skip_tls_verify: bool,
    /// The PEM file of the authorities that the server is trusted by. Default: none.
    pub certificate_authority: Option<PathBuf>,
    /// The PEM file of the client's certificate. Default: none.
    pub client_certificate: Option<PathBuf>,
    /// The PEM file of the client's key. Default: none.
    pub client_key: Option<PathBuf>,
    /// The file that the bearer token is in; it is read again as it rotates. There is no option for the token itself, since the
    /// arguments of a process are for all to see. Default: none.
    pub token_file: Option<PathBuf>,
    /// The user to impersonate, kubectl's `--as`. Default: none.
    pub impersonate_user: Option<String>,
    /// The groups to impersonate, kubectl's `--as-group`; they need a user. Default: none.
    pub impersonate_groups: Vec<String>,
    /// How long a single call may take, its retries included, where its caller gives it no less. Default: no such bound.
    pub request_timeout: Option<Duration>,
    /// The credential plugins that a kubeconfig's `exec` may run: each a command as the kubeconfig writes it, or one that is the
    /// same file by `PATH`. A kubeconfig is a program otherwise; and what it allows is still trusted with the arguments and variables that it
    /// has for the plugin. Default: none.
    pub allow_exec: Vec<String>,
    /// In a pod, `https://kubernetes.default.svc` instead of the address that the environment gives. Default: no, since DNS is one
    /// more thing that can fail, and some clusters' certificates lack the name.
    pub dns_name: bool,
}

impl ConfigOptions {
    /// The name of an option that means another API server than the pod's own, if one is set.
    pub(super) fn elsewhere(&self) -> Option<&'static str> {
        let named = [("context", &self.context), ("cluster", &self.cluster), ("user", &self.user), ("server", &self.server)];
        let file = self.kubeconfig.is_some().then_some("kubeconfig");
        file.or_else(|| named.into_iter().find_map(|(name, value)| set(value).map(|_| name)))
    }
}

/// An empty value is an unset one, as with client-go.
pub(super) fn set(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| !value.is_empty())
}
