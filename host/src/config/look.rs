//! A look at the configuration by one who wants to know what is wrong with it: what can be told of it even where it cannot be used
//! as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::environment::{PROXIES, SERVICE_ACCOUNT_DIR, SERVICE_HOST, SERVICE_PORT};
use super::options::set;
use super::way::Way;
use super::{
    Authority, Config, ConfigOptions, Credentials, Environment as _, Origin, Pem, ProcessEnvironment, Server, Sourced, TlsSources,
    Token, in_cluster, infer, kubeconfig,
};
use crate::error::Error;
use crate::kube::{ClaimsError, TokenClaims};

/// What was found.
pub(crate) struct Look {
    pub(crate) config: Result<Config, Error>,
    /// The way to the API server, whether the rest can be used or not. `None` where not even the address is known.
    pub(crate) way: Option<Way>,
    /// Where this is a pod, and no kubeconfig comes before its service account.
    pub(crate) pod: Option<PodLook>,
    /// Whether there is nothing that could have been used.
    pub(crate) is_nothing: bool,
    /// Set, and never used: only a kubeconfig's `proxy-url` names a proxy.
    pub(crate) proxy_variable: Option<&'static str>,
    /// The address that a pod's environment gives, whether it is the one that is used or not.
    pub(crate) service_address: Option<String>,
    /// The pod's name, as its containers know it.
    pub(crate) host_name: Option<String>,
}

/// What a pod was given.
pub(crate) struct PodLook {
    pub(crate) folder: PathBuf,
    /// The variable that names the folder, if one does.
    pub(crate) folder_variable: Option<&'static str>,
    /// `None`: the environment has no address at all.
    pub(crate) server: Option<Result<Sourced<Server>, Error>>,
    /// Each of the three files.
    pub(crate) files: [(&'static str, FileLook); 3],
}

/// What a file of a mount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileLook {
    Missing,
    /// A link through `..data`, which the kubelet renews.
    Renewed,
    /// A file of its own: a copy, or mounted with `subPath`. It stays as it is.
    Plain,
}

impl Look {
    /// Looks where [`Config::infer`] looks.
    pub(crate) fn around(options: &ConfigOptions) -> Self {
        let environment = ProcessEnvironment;
        let config = Config::infer(options);
        let is_of_pod = match &config {
            Ok(config) => matches!(config.server.origin, Origin::Variable(_) | Origin::Option("dns-name")),
            Err(_) => options.server.is_none() && super::infer::is_pods_turn(&environment, options),
        };
        let pod = is_of_pod.then(|| PodLook::around(&environment));
        let way = match (&config, &pod) {
            (Ok(config), _) => Some(Way::of(config)),
            (Err(_), Some(pod)) => pod.way(options),
            (Err(_), None) => kubeconfig::way(&infer::files(&environment, options), options),
        };
        Self {
            is_nothing: config.is_err() && Self::is_nothing(options),
            config,
            way,
            pod,
            proxy_variable: PROXIES.into_iter().find(|name| environment.non_empty(name).is_some()),
            service_address: in_cluster::server(&environment).ok().map(|server| server.as_str().to_owned()),
            host_name: environment.non_empty("HOSTNAME").and_then(|name| name.into_string().ok()),
        }
    }

    /// Whether there is nothing at all: no kubeconfig, no pod, and no option that asks for something. That is not an error of
    /// somebody's, as anything that is there and cannot be used is.
    pub(crate) fn is_nothing(options: &ConfigOptions) -> bool {
        let environment = ProcessEnvironment;
        let names = [&options.context, &options.cluster, &options.user];
        let is_named = options.kubeconfig.is_some() || names.into_iter().any(|name| set(name).is_some());
        let has_kubeconfig = || !matches!(kubeconfig::load(&infer::files(&environment, options), options, &environment), Ok(None));
        !is_named && !has_kubeconfig() && !infer::is_pods_turn(&environment, options)
    }

    /// The address, as far as there is one.
    pub(crate) fn server(&self) -> Option<&Sourced<Server>> {
        self.way.as_ref().map(|way| &way.server)
    }

    /// The same cluster, asked by nobody in particular. `None` where it is not known whom to trust.
    pub(crate) fn anonymous(&self) -> Option<Config> {
        match &self.config {
            Ok(config) => Some(config.anonymous()),
            Err(_) => self.way.as_ref()?.anonymous(),
        }
    }
}

impl PodLook {
    fn around(environment: &ProcessEnvironment) -> Self {
        let folder = in_cluster::folder(environment);
        let is_set = |name: &str| environment.non_empty(name).is_some();
        let server = (is_set(SERVICE_HOST) && is_set(SERVICE_PORT))
            .then(|| in_cluster::server(environment).map(|server| Sourced::new(server, Origin::Variable(SERVICE_HOST))));
        Self {
            folder_variable: is_set(SERVICE_ACCOUNT_DIR).then_some(SERVICE_ACCOUNT_DIR),
            server,
            files: ["token", "ca.crt", "namespace"].map(|name| (name, FileLook::at(&folder.join(name)))),
            folder,
        }
    }

    fn way(&self, options: &ConfigOptions) -> Option<Way> {
        let server = self.server.as_ref()?.as_ref().ok()?.clone();
        let tls = kubeconfig::of_options(options).map(|(tls, _)| {
            let authority = match tls.authority {
                Authority::Platform => Authority::Given(Pem::File(self.folder.join("ca.crt"))),
                authority => authority,
            };
            TlsSources { authority, identity: None, ..tls }
        });
        Some(Way { server, proxy: Ok(None), tls })
    }
}

impl FileLook {
    pub(crate) fn at(path: &Path) -> Self {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() && path.exists() => Self::Renewed,
            Ok(metadata) if !metadata.is_symlink() => Self::Plain,
            _ => Self::Missing,
        }
    }
}

impl Config {
    /// The same server, trusted by the same authority, and neither token, client certificate nor impersonation.
    pub(crate) fn anonymous(&self) -> Self {
        Self {
            credentials: Sourced::new(Credentials::None, Origin::Default),
            tls: TlsSources { identity: None, ..self.tls.clone() },
            impersonation: None,
            ..self.clone()
        }
    }
}

impl Server {
    /// The port that is connected to.
    pub(crate) fn port(&self) -> u16 {
        // An https URL has one, said or not.
        self.url("/", &[]).port_or_known_default().unwrap_or(443)
    }

    /// The same address at another host, with the port and the path that this one has.
    pub(crate) fn at(&self, host: &str) -> String {
        let url = self.url("", &[]);
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        format!("https://{host}:{}{}", self.port(), url.path().trim_end_matches('/'))
    }
}

impl Credentials {
    /// The file that the token is in.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::TokenFile { path, .. } => Some(path),
            _ => None,
        }
    }

    /// What the token says of itself, where there is one that does not have to be asked for.
    pub(crate) fn claims(&self) -> Option<Result<TokenClaims, ClaimsError>> {
        match self {
            Self::Fixed(token) | Self::TokenFile { token, .. } => Some(token.claims()),
            Self::None | Self::Exec(_) => None,
        }
    }
}

impl Token {
    fn claims(&self) -> Result<TokenClaims, ClaimsError> {
        let mut headers = HeaderMap::new();
        self.authorize(&mut headers);
        let token = headers[AUTHORIZATION].as_bytes().strip_prefix(b"Bearer ").ok_or(ClaimsError::Opaque)?;
        TokenClaims::decode(token)
    }
}

impl TlsSources {
    /// The certificates that the configured authority consists of; none where it is the platform's.
    pub(crate) fn authority_certificates(&self) -> Vec<CertificateDer<'static>> {
        let Authority::Given(pem) = &self.authority else { return Vec::new() };
        let text = pem.read("certificate authority").unwrap_or_default();
        CertificateDer::pem_slice_iter(&text).filter_map(Result::ok).collect()
    }

    /// The client's certificate, the first of its chain.
    pub(crate) fn client_certificate(&self) -> Option<CertificateDer<'static>> {
        self.load().ok()?.identity?.chain.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_at_another_host_keeps_port_and_path() {
        for (address, host, expected) in [
            ("https://10.96.0.1", "kubernetes", "https://kubernetes:443"),
            ("https://r:8443/k8s/clusters/c-1/", "::1", "https://[::1]:8443/k8s/clusters/c-1"),
        ] {
            assert_eq!(Server::parse(address).unwrap().at(host), expected);
        }
    }
}
