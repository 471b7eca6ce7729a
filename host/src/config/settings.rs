//! The configuration for people: each value with where it came from, and what had no effect. Never a secret.

use std::fmt;

use super::{Config, Credentials, Origin, Sourced, Unused};

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

impl Setting {
    fn new(name: &'static str, value: impl ToString, origin: impl ToString) -> Self {
        Self { name, value: value.to_string(), origin: origin.to_string() }
    }
}

impl Config {
    /// Each value and where it came from, in a fixed order and without any secret.
    pub fn settings(&self) -> Vec<Setting> {
        let Self { server, namespace, tls, credentials, impersonation, proxy, request_timeout, unused: _ } = self;
        let mut settings = vec![
            Setting::new("server", self.address(), &server.origin),
            Setting::new("namespace", &namespace.value, &namespace.origin),
            Setting::new("certificate authority", tls.authority(), tls.authority_origin()),
        ];
        if let Some(name) = &tls.server_name {
            settings.push(Setting::new("TLS server name", name.value.to_str(), &name.origin));
        }
        if let Some(proxy) = proxy {
            settings.push(Setting::new("proxy", &proxy.value, &proxy.origin));
        }
        settings.push(Setting::new("credentials", credential(credentials), &credentials.origin));
        if let Some(origin) = tls.identity_origin() {
            settings.push(Setting::new("client certificate", "certificate and key", origin));
        }
        if let Some(impersonation) = impersonation {
            settings.push(Setting::new("impersonation", &impersonation.value, &impersonation.origin));
        }
        if let Some(timeout) = request_timeout {
            settings.push(Setting::new("request timeout", format_args!("{timeout:?}"), Origin::Option("request-timeout")));
        }
        settings
    }

    /// What was found and has no effect, and why: such as a proxy of the environment.
    pub fn unused(&self) -> Vec<(String, String)> {
        self.unused.iter().map(|unused| (unused.what(), unused.to_string())).collect()
    }

    /// A proxy that the environment asks for and that is not used: told when no connection comes about.
    pub(crate) fn unused_proxy(&self) -> Option<&'static str> {
        self.unused.iter().find_map(|unused| match unused {
            Unused::ProxyVariable(name) => Some(*name),
            _ => None,
        })
    }
}

/// What the credential is, and which file it is in unless its origin says that.
fn credential(credentials: &Sourced<Credentials>) -> String {
    match (&credentials.value, &credentials.origin) {
        (Credentials::TokenFile { path, .. }, origin) if !matches!(origin, Origin::File(_)) => {
            format!("bearer token from the file `{}`", crate::text::path(path))
        }
        (credentials, _) => credentials.kind(),
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
