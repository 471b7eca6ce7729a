//! The environment, as far as it is read, behind a trait: a test brings its own.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::{Error, Kind};

/// Address of the API server's Service, as the kubelet sets it in every pod.
pub(super) const SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";
/// Its port.
pub(super) const SERVICE_PORT: &str = "KUBERNETES_SERVICE_PORT";
/// The pod's own namespace, by convention set from the downward API (client-go `clientcmd/client_config.go`).
pub(super) const POD_NAMESPACE: &str = "POD_NAMESPACE";
/// A list of kubeconfigs, separated as in `PATH`.
pub(super) const KUBECONFIG: &str = "KUBECONFIG";
/// Ours: a folder laid out as a service account's mount, for the demo and for tests.
pub(super) const SERVICE_ACCOUNT_DIR: &str = "PODLENS_SERVICE_ACCOUNT_DIR";
/// Where programs are looked up.
pub(super) const PATH: &str = "PATH";
/// What kubectl would take a proxy from; upper case first, as curl and Go do.
pub(super) const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Where variables come from.
pub(crate) trait Environment {
    /// The variable's value, where it is set.
    fn var(&self, name: &str) -> Option<OsString>;

    /// The user's home.
    fn home(&self) -> Option<PathBuf>;

    /// The value, where it is set and not empty: client-go treats an empty variable as an unset one.
    fn non_empty(&self, name: &str) -> Option<OsString> {
        self.var(name).filter(|value| !value.is_empty())
    }

    /// As [`Environment::non_empty`], for a value that has to be text.
    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        self.non_empty(name)
            .map(OsString::into_string)
            .transpose()
            .map_err(|_| Error::new(Kind::Configuration, format!("the environment's `{name}` is not UTF-8")))
    }
}

/// The process' own.
pub(crate) struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<OsString> {
        env::var_os(name)
    }

    fn home(&self) -> Option<PathBuf> {
        env::home_dir().filter(|home| !home.as_os_str().is_empty())
    }
}

#[cfg(test)]
pub(super) mod fixed {
    use super::*;

    /// Variables by name; `HOME` among them is the home.
    pub(crate) struct FixedEnvironment<'a>(pub(crate) &'a [(&'a str, &'a str)]);

    impl Environment for FixedEnvironment<'_> {
        fn var(&self, name: &str) -> Option<OsString> {
            self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        }

        fn home(&self) -> Option<PathBuf> {
            self.non_empty("HOME").map(PathBuf::from)
        }
    }

    #[test]
    fn an_empty_variable_is_an_unset_one() {
        let environment = FixedEnvironment(&[("A", ""), ("B", "b")]);
        assert_eq!(environment.text("A").unwrap(), None);
        assert_eq!(environment.text("B").unwrap().as_deref(), Some("b"));
        assert_eq!(environment.text("C").unwrap(), None);
    }
}
