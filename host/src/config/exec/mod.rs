//! Credential plugins: programs that a kubeconfig names, and whose output is the credential.
//!
//! `client.authentication.k8s.io/v1` and `v1beta1`, as k8s.io/client-go v0.37.2 `plugin/pkg/client/auth/exec` runs them, but only those
//! that the caller allows (`allow.rs`). Here is what to run and how to read its answer (`credential.rs`); `client` runs it.

mod allow;
mod credential;

use std::path::PathBuf;

use serde_json::{Value, json};

pub(crate) use allow::{AllowError, allowed};
pub(crate) use credential::{ExecCredential, ExecIdentity};

/// A plugin that may be run. There is no `Debug`: arguments and environment may hold secrets.
pub(crate) struct ExecPlugin {
    /// As the kubeconfig has it, for messages.
    pub(crate) command: String,
    /// The file that was allowed.
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) version: ExecVersion,
    pub(crate) input: Input,
    /// `spec.cluster`, where the plugin asks for it.
    pub(crate) cluster: Option<Value>,
}

/// The version of the API between client and plugin. Both sides speak the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExecVersion {
    V1,
    V1Beta1,
}

/// The kubeconfig's `interactiveMode`: what the plugin does with standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Never,
    IfAvailable,
    Always,
}

/// The variable that tells a plugin what is wanted of it.
pub(crate) const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

impl ExecPlugin {
    /// The value of [`EXEC_INFO`].
    pub(crate) fn info(&self, interactive: bool) -> String {
        let mut spec = json!({ "interactive": interactive });
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = cluster.clone();
        }
        json!({ "kind": "ExecCredential", "apiVersion": self.version.as_str(), "spec": spec }).to_string()
    }

    /// Whether the plugin gets standard input. `None`: it needs a terminal there, and there is none.
    pub(crate) fn interactive(&self, is_terminal: bool) -> Option<bool> {
        match self.input {
            Input::Never => Some(false),
            Input::IfAvailable => Some(is_terminal),
            Input::Always => is_terminal.then_some(true),
        }
    }
}

impl ExecVersion {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::V1, Self::V1Beta1].into_iter().find(|version| version.as_str() == text)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

impl Input {
    /// The mode that is written, or the version's default: version 1 has none.
    pub(crate) fn parse(text: Option<&str>, version: ExecVersion) -> Option<Self> {
        match (text, version) {
            (Some("Never"), _) => Some(Self::Never),
            (Some("IfAvailable"), _) | (None, ExecVersion::V1Beta1) => Some(Self::IfAvailable),
            (Some("Always"), _) => Some(Self::Always),
            (Some(_), _) | (None, ExecVersion::V1) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(input: Input, cluster: Option<Value>) -> ExecPlugin {
        ExecPlugin {
            command: "p".into(),
            path: "/p".into(),
            arguments: vec!["canary".into()],
            environment: vec![("A".into(), "canary".into())],
            version: ExecVersion::V1,
            input,
            cluster,
        }
    }

    #[test]
    fn a_plugin_is_told_what_client_go_tells_it() {
        let info = plugin(Input::Never, Some(json!({ "server": "https://a" }))).info(true);
        assert_eq!(
            info,
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"cluster":{"server":"https://a"},"interactive":true}}"#
        );
        assert!(!plugin(Input::Never, None).info(false).contains("cluster"));
    }

    #[test]
    fn standard_input_is_given_as_the_mode_says() {
        for (input, terminal, none) in [
            (Input::Never, Some(false), Some(false)),
            (Input::IfAvailable, Some(true), Some(false)),
            (Input::Always, Some(true), None),
        ] {
            let plugin = plugin(input, None);
            assert_eq!((plugin.interactive(true), plugin.interactive(false)), (terminal, none));
        }
    }

    #[test]
    fn the_mode_has_a_default_in_the_old_version_only() {
        assert_eq!(Input::parse(None, ExecVersion::V1), None);
        assert_eq!(Input::parse(None, ExecVersion::V1Beta1), Some(Input::IfAvailable));
        assert_eq!(Input::parse(Some("always"), ExecVersion::V1), None);
        assert_eq!(ExecVersion::parse("client.authentication.k8s.io/v1alpha1"), None);
        assert_eq!(ExecVersion::parse("client.authentication.k8s.io/v1beta1"), Some(ExecVersion::V1Beta1));
    }
}
