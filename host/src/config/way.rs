//! The part of a configuration that is about the API server alone: there may be one where the rest cannot be used.

use super::{Config, Credentials, Origin, Proxy, Server, Sourced, TlsSources};
use crate::error::Error;
use crate::kube::Namespace;

/// How the API server is reached and told from another, without who we are to it.
pub(crate) struct Way {
    pub(crate) server: Sourced<Server>,
    /// `Err`: there is one, and it cannot be used.
    pub(crate) proxy: Result<Option<Sourced<Proxy>>, Error>,
    /// Never with a client certificate; what it names may not be there.
    pub(crate) tls: Result<TlsSources, Error>,
}

impl Way {
    pub(super) fn of(config: &Config) -> Self {
        let config = config.anonymous();
        Self { server: config.server, proxy: Ok(config.proxy), tls: Ok(config.tls) }
    }

    pub(super) fn anonymous(&self) -> Option<Config> {
        let (Ok(proxy), Ok(tls)) = (&self.proxy, &self.tls) else { return None };
        tls.load().ok()?;
        Some(Config {
            server: self.server.clone(),
            // Nobody's requests are in no namespace.
            namespace: Sourced::new(Namespace::default(), Origin::Default),
            tls: tls.clone(),
            credentials: Sourced::new(Credentials::None, Origin::Default),
            impersonation: None,
            proxy: proxy.clone(),
            request_timeout: None,
            unused: Vec::new(),
        })
    }
}
