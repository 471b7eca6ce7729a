//! How to reach the API server, and as whom: one resolved [`Config`] that remembers where each value came from.
//!
//! Only here is the environment read, and only through [`environment`], so that a test brings its own. Nothing here opens a
//! connection; `client` does. Start with `infer.rs` for the order of precedence, then `in_cluster.rs` and `kubeconfig/`.

#[cfg(feature = "cli")]
mod collector;
mod credentials;
mod environment;
mod exec;
mod file;
mod impersonation;
mod in_cluster;
mod infer;
mod kubeconfig;
#[cfg(feature = "cli")]
mod look;
mod options;
mod origin;
mod pem;
mod proxy;
mod server;
mod settings;
mod token;
mod unused;
#[cfg(feature = "cli")]
mod way;
mod yaml;

use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::kube::Namespace;

#[cfg(feature = "cli")]
pub(crate) use collector::Collector;
pub(crate) use credentials::Credentials;
pub(crate) use environment::{Environment, ProcessEnvironment};
pub(crate) use exec::{EXEC_INFO, ExecCredential, ExecIdentity, ExecPlugin};
#[cfg(test)]
pub(crate) use exec::{ExecVersion, Input as ExecInput};
#[cfg(feature = "cli")]
pub(crate) use file::read as read_file;
pub(crate) use impersonation::Impersonation;
#[cfg(feature = "cli")]
pub(crate) use in_cluster::MOUNT;
#[cfg(feature = "cli")]
pub(crate) use look::{FileLook, Look, PodLook};
pub use options::ConfigOptions;
#[cfg(feature = "cli")]
pub(crate) use origin::Entry;
pub(crate) use origin::{Origin, Sourced};
pub(crate) use pem::{Authority, Identity, Pem, Roots, Tls, TlsSources};
pub(crate) use proxy::Proxy;
pub(crate) use server::Server;
pub use settings::Setting;
pub(crate) use token::Token;
pub(crate) use unused::Unused;

/// Where the API server is, which certificates it is trusted by, and who we are to it.
///
/// Files are read and checked once when it is made, so that what is wrong is said at the start; the client reads them again as they
/// rotate. `Debug` shows no secret.
#[derive(Clone)]
pub struct Config {
    pub(crate) server: Sourced<Server>,
    pub(crate) namespace: Sourced<Namespace>,
    pub(crate) tls: TlsSources,
    pub(crate) credentials: Sourced<Credentials>,
    pub(crate) impersonation: Option<Sourced<Impersonation>>,
    pub(crate) proxy: Option<Sourced<Proxy>>,
    /// How long one call may take where its own deadline is later.
    pub(crate) request_timeout: Option<Duration>,
    /// What is there and has no effect.
    pub(crate) unused: Vec<Unused>,
}

impl Config {
    /// A kubeconfig where there is one, else the pod's service account.
    ///
    /// A kubeconfig that cannot be read or used is an error, whatever else could be found: a slip in a file must not change who
    /// asks. Every failure is [`Error::is_configuration`].
    pub fn infer(options: &ConfigOptions) -> Result<Self, Error> {
        infer::infer(&ProcessEnvironment, options)
    }

    /// The pod's service account: address from `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, token and CA from
    /// `/var/run/secrets/kubernetes.io/serviceaccount`, or from the folder that `PODLENS_SERVICE_ACCOUNT_DIR` names.
    pub fn in_cluster(options: &ConfigOptions) -> Result<Self, Error> {
        in_cluster::in_cluster(&ProcessEnvironment, options)
    }

    /// A service account's folder (`token`, `ca.crt`, `namespace`) for the API server at `address`, without any environment.
    ///
    /// ```
    /// # use podlens::Config;
    /// // The folder is looked at at once.
    /// let error = Config::service_account("https://10.96.0.1:443", "/nowhere".as_ref()).unwrap_err();
    /// assert!(error.is_configuration());
    /// ```
    pub fn service_account(address: &str, folder: &Path) -> Result<Self, Error> {
        let server = Server::parse(address).map_err(|refusal| refusal.into_error("the API server's address"))?;
        in_cluster::service_account(Sourced::new(server, Origin::Caller), folder, None, &ConfigOptions::default())
    }

    /// The API server's address, for messages: no secret in it, no slash at its end.
    pub fn address(&self) -> &str {
        self.server.value.as_str()
    }

    /// The namespace to use where the caller names none.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace.value
    }
}
