//! Kubeconfigs, written by kubectl itself.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use podlens_tests::cluster::Cluster;
use podlens_tests::program::{self, Done};
use serde_json::json;
use tempfile::TempDir;

use crate::arrange::{answer, cluster, kubectl, reader, tiny_pod, with_kubeconfig};

/// A kubeconfig of two contexts, and what it refers to.
///
/// Context `jane` (the current one) has a client certificate and the namespace `namespace`; context `account` has the token of the service
/// account `default` there, and says no namespace.
struct Kubeconfig {
    folder: TempDir,
}

impl Kubeconfig {
    fn write(cluster: &Cluster, namespace: &str, embedded: bool) -> Self {
        let kubeconfig = Self { folder: tempfile::tempdir().expect("the temporary folder is writable") };
        let jane = cluster.client_certificate("jane", Some("devs"));
        for (name, content) in [("ca.crt", cluster.ca_pem()), ("jane.crt", &jane.certificate_pem), ("jane.key", &jane.key_pem)] {
            fs::write(kubeconfig.file(name), content).expect("the folder is writable");
        }
        let server = format!("--server=https://{}", cluster.address());
        let token = format!("--token={}", cluster.service_account_token(namespace, "default", 3600));
        let (namespace, embedded) = (format!("--namespace={namespace}"), format!("--embed-certs={embedded}"));
        let files = [("--certificate-authority", "ca.crt"), ("--client-certificate", "jane.crt"), ("--client-key", "jane.key")];
        let [authority, certificate, key] = files.map(|(flag, file)| format!("{flag}={}", kubeconfig.file(file).display()));
        for arguments in [
            &["set-cluster", "c", &server, &authority, &embedded][..],
            &["set-credentials", "jane", &certificate, &key, &embedded],
            &["set-credentials", "account", &token],
            &["set-context", "jane", "--cluster=c", "--user=jane", &namespace],
            &["set-context", "account", "--cluster=c", "--user=account"],
            &["use-context", "jane"],
        ] {
            let mut command = cluster.kubectl();
            answer(program::run(command.env("KUBECONFIG", kubeconfig.path()).arg("config").args(arguments)));
        }
        kubeconfig
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn path(&self) -> PathBuf {
        self.file("config")
    }
}

fn run(command: &mut Command, arguments: &[&str]) -> Done {
    program::run(command.args(["run", "pod-names", "-o", "name"]).args(arguments))
}

#[test]
fn a_kubeconfig_is_found_by_flag_variable_and_home() {
    let cluster = cluster();
    let namespace = cluster.namespace("admin");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    let path = cluster.kubeconfig_path();
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".kube")).unwrap();
    fs::copy(&path, home.path().join(".kube/config")).unwrap();

    for command in [
        program::command().env("KUBECONFIG", &path),
        program::command().env("HOME", home.path()),
        // In a pod, too, a kubeconfig comes first.
        program::command().env("KUBECONFIG", &path).env("KUBERNETES_SERVICE_HOST", "127.0.0.1").env("KUBERNETES_SERVICE_PORT", "1"),
    ] {
        assert_eq!(answer(run(command, &["-n", &namespace])), "pod/web-0\n");
    }
    // The one that is named, whatever the variable says.
    let path = path.to_str().expect("the harness chose it");
    assert_eq!(answer(run(&mut with_kubeconfig("/dev/null"), &["-n", &namespace, "--kubeconfig", path])), "pod/web-0\n");
}

#[test]
fn a_client_certificate_and_the_namespace_of_its_context_are_used() {
    let cluster = cluster();
    for embedded in [false, true] {
        let namespace = cluster.namespace("jane");
        cluster.create_pod(&namespace, tiny_pod("web-0"));
        let kubeconfig = Kubeconfig::write(cluster, &namespace, embedded);

        let refused = run(&mut with_kubeconfig(kubeconfig.path()), &[]);
        assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
        let words = format!("User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"{namespace}\"");
        assert!(refused.stderr.contains(&words), "{}", refused.stderr);

        for line in ["create role reader --verb=list --resource=pods", "create rolebinding jane --role=reader --user=jane"] {
            let done = kubectl(cluster, line.split(' ').chain(["-n", &namespace]));
            assert_eq!(done.code, 0, "{}", done.stderr);
        }
        cluster.wait_until_allowed("jane", &json!({ "namespace": &*namespace, "verb": "list", "resource": "pods" }));
        assert_eq!(answer(run(&mut with_kubeconfig(kubeconfig.path()), &[])), "pod/web-0\n");
    }
}

#[test]
fn another_context_is_another_user_and_namespace() {
    let cluster = cluster();
    let (namespace, _) = reader(cluster, "contexts");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    let kubeconfig = Kubeconfig::write(cluster, &namespace, false);
    let account = ["--context", "account", "-n", &namespace];
    let run = |arguments: &[&str]| run(&mut with_kubeconfig(kubeconfig.path()), arguments);

    let refused = run(&account[..2]);
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    let user = format!("User \"system:serviceaccount:{namespace}:default\" cannot list");
    assert!(refused.stderr.contains(&user) && refused.stderr.contains("in the namespace \"default\""), "{}", refused.stderr);
    assert_eq!(answer(run(&account)), "pod/web-0\n");

    let unknown = run(&["--context", "joan"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (4, ""));
    assert!(unknown.stderr.contains("`joan`"), "{}", unknown.stderr);
}
