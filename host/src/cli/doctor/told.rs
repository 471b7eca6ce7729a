//! How the doctor was told which cluster and which pods are meant: what it says to do is to act on the same.

use std::path::Path;

use crate::ConfigOptions;
use crate::cli::shell::{self, Unprintable};
use crate::kube::Namespace;

/// The flags of this run, as far as they say what is examined.
pub(super) struct Told {
    pub(super) options: ConfigOptions,
    pub(super) namespaces: Vec<Namespace>,
    pub(super) all_namespaces: bool,
}

impl Told {
    /// For kubectl, whoever runs it: the cluster and how it is told from another. Not who asks, since these credentials cannot do
    /// what is to be done; nor that anybody is to be trusted with other ones.
    pub(super) fn cluster(&self) -> Vec<String> {
        let options = &self.options;
        let mut flags = Vec::new();
        file(&mut flags, "kubeconfig", options.kubeconfig.as_deref());
        text(&mut flags, "context", options.context.as_deref());
        text(&mut flags, "cluster", options.cluster.as_deref());
        text(&mut flags, "server", options.server.as_deref());
        text(&mut flags, "tls-server-name", options.tls_server_name.as_deref());
        file(&mut flags, "certificate-authority", options.certificate_authority.as_deref());
        flags
    }

    /// For kubectl as the same user.
    pub(super) fn user(&self) -> Vec<String> {
        let mut flags = self.cluster();
        text(&mut flags, "user", self.options.user.as_deref());
        flags
    }

    /// The doctor again, as long as the API server cannot be reached (steps 3 to 5) and no longer.
    pub(super) fn wait(&self) -> Result<String, Unprintable> {
        let doctor = shell::command(["podlens".to_owned(), "doctor".to_owned()].into_iter().chain(self.all()))?;
        Ok(format!("while {doctor}; s=$?; [ $s -ge 13 ] && [ $s -le 15 ]; do sleep 5; done"))
    }

    fn all(&self) -> Vec<String> {
        let options = &self.options;
        let mut flags = self.user();
        file(&mut flags, "token-file", options.token_file.as_deref());
        file(&mut flags, "client-certificate", options.client_certificate.as_deref());
        file(&mut flags, "client-key", options.client_key.as_deref());
        if options.insecure_skip_tls_verify {
            flags.push("--insecure-skip-tls-verify".to_owned());
        }
        text(&mut flags, "as", options.impersonate_user.as_deref());
        flags.extend(options.impersonate_groups.iter().map(|group| format!("--as-group={group}")));
        flags.extend(options.allow_exec.iter().map(|command| format!("--allow-exec={command}")));
        if self.all_namespaces {
            flags.push("--all-namespaces".to_owned());
        }
        flags.extend(self.namespaces.iter().map(|namespace| format!("--namespace={namespace}")));
        flags
    }
}

fn text(flags: &mut Vec<String>, name: &str, value: Option<&str>) {
    flags.extend(value.map(|value| format!("--{name}={value}")));
}

fn file(flags: &mut Vec<String>, name: &str, value: Option<&Path>) {
    flags.extend(value.map(|path| format!("--{name}={}", path.to_string_lossy())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_told_on() {
        let nothing = Told { options: ConfigOptions::default(), namespaces: Vec::new(), all_namespaces: false };
        assert_eq!(nothing.cluster(), [""; 0]);
        assert_eq!(nothing.wait().as_deref(), Ok("while podlens doctor; s=$?; [ $s -ge 13 ] && [ $s -le 15 ]; do sleep 5; done"));
        let options = ConfigOptions {
            kubeconfig: Some("a b".into()),
            context: Some("dev".into()),
            user: Some("me".into()),
            impersonate_user: Some("jane".into()),
            ..ConfigOptions::default()
        };
        let told = Told { options, namespaces: vec![Namespace::parse("shop").unwrap()], all_namespaces: false };
        assert_eq!(told.cluster(), ["--kubeconfig=a b", "--context=dev"]);
        assert_eq!(told.user(), ["--kubeconfig=a b", "--context=dev", "--user=me"]);
        let wait = told.wait().unwrap();
        assert!(
            wait.starts_with("while podlens doctor '--kubeconfig=a b' --context=dev --user=me --as=jane --namespace=shop;"),
            "{wait}"
        );
    }
}
