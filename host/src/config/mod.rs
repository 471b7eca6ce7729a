//! How to reach the API server, and as whom: one resolved [`Config`] that remembers where each value came from.
//!
//! Only here is the environment read, and only through [`environment`], so that a test brings its own. Nothing here opens a
//! connection; `client` does. Start with `infer.rs` for the order of precedence, then `in_cluster.rs` and `kubeconfig/`.

mod credentials;
mod environment;
mod file;
mod in_cluster;
mod infer;
mod kubeconfig;
mod origin;
mod pem;
mod server;
mod token;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::kube::Namespace;

pub(crate) use credentials::Credentials;
pub(crate) use environment::{Environment, ProcessEnvironment};
pub(crate) use origin::{Origin, Sourced};
pub(crate) use pem::{Pem, Tls, TlsSources};
pub(crate) use server::Server;
pub(crate) use token::Token;

/// What the caller decides about the configuration.
///
/// The default takes what kubectl would take in the same place: `KUBECONFIG`, else `~/.kube/config`, else the pod's service
/// account.
#[derive(Clone, Debug, Default)]
pub struct ConfigOptions {
    /// This kubeconfig and nothing else: it must exist. Default: none.
    pub kubeconfig: Option<PathBuf>,
    /// This context of the kubeconfig instead of its `current-context`. Default: none.
    pub context: Option<String>,
    /// In a pod, `https://kubernetes.default.svc` instead of the address that the environment gives. Default: no, since DNS is one
    /// more thing that can fail, and some clusters' certificates lack the name.
    pub dns_name: bool,
}

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
    /// A proxy that the environment asks for and podlens does not use: told when no connection comes about.
    pub(crate) unused_proxy: Option<&'static str>,
}

/// One resolved value, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Such as `server`.
    pub name: &'static str,
    /// Such as `https://10.96.0.1`. Never a secret.
    pub value: String,
    /// Such as "the environment's `KUBERNETES_SERVICE_HOST`".
    pub origin: String,
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
        in_cluster::in_cluster(&ProcessEnvironment, options.dns_name)
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
        in_cluster::service_account(Sourced::new(server, Origin::Caller), folder, None)
    }

    /// The API server's address, for messages: no secret in it, no slash at its end.
    pub fn address(&self) -> &str {
        self.server.value.as_str()
    }

    /// The namespace to use where the caller names none.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace.value
    }

    /// Each value and where it came from, in a fixed order and without any secret.
    pub fn settings(&self) -> Vec<Setting> {
        let authority = self.tls.authority();
        let mut settings = vec![
            Setting::new("server", self.address().to_owned(), &self.server.origin),
            Setting::new("namespace", self.namespace().to_string(), &self.namespace.origin),
            Setting { name: "certificate authority", value: authority.to_owned(), origin: self.tls.authority_origin() },
            Setting::new("credentials", self.credentials.value.kind().to_owned(), &self.credentials.origin),
        ];
        if let Some(origin) = self.tls.identity_origin() {
            settings.push(Setting { name: "client certificate", value: "certificate and key".to_owned(), origin });
        }
        settings
    }
}

impl Setting {
    fn new(name: &'static str, value: String, origin: &Origin) -> Self {
        Self { name, value, origin: origin.to_string() }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Config");
        for Setting { name, value, origin } in self.settings() {
            debug.field(name, &format_args!("{value} (from {origin})"));
        }
        debug.finish()
    }
}
