//! Every way to be somebody that this API server offers: what it says who we are, and that it lets exactly this somebody read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use podlens_tests::cluster::Cluster;
use podlens_tests::program::{self, Done};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::arrange::{answer, cluster, in_pod, kubectl, tiny_pod, with_kubeconfig};

/// A folder with the cluster's CA in it, and what a test adds.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new(cluster: &Cluster) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("the temporary folder is writable") };
        place.write("ca.crt", cluster.ca_pem());
        place
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("the folder is writable");
        path.display().to_string()
    }

    /// `podlens` with the address and the CA by flags, and no kubeconfig.
    fn by_flags(&self, cluster: &Cluster, flags: &[&str]) -> Command {
        let mut command = program::command();
        command.current_dir(self.folder.path()).arg(format!("--server=https://{}", cluster.address()));
        command.arg("--certificate-authority=ca.crt").args(flags);
        command
    }

    /// A kubeconfig with this user.
    fn kubeconfig(&self, cluster: &Cluster, user: &Value) -> String {
        let server = format!("https://{}", cluster.address());
        let config = json!({
            "clusters": [{ "name": "c", "cluster": { "server": server, "certificate-authority": "ca.crt" } }],
            "users": [{ "name": "u", "user": user }],
            "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
            "current-context": "c",
        });
        self.write("config", config.to_string())
    }

    /// A credential plugin that gives this.
    fn plugin(&self, status: &Value) {
        let credential = json!({ "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status });
        let path = self.write("plugin", format!("#!/bin/sh\ntouch \"${{0%/*}}/ran\"\ncat <<'END'\n{credential}\nEND\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it was just written");
    }
}

/// Flags come after the subcommand.
fn told(command: &Command, arguments: &[&str]) -> Done {
    let mut whole = program::command();
    whole.args(arguments).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        whole.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => whole.env(name, value),
            None => whole.env_remove(name),
        };
    }
    program::run(&mut whole)
}

/// The API server says that we are `user`, and lets us read `namespace` once it is granted, and not before.
#[track_caller]
fn check(cluster: &Cluster, command: &Command, user: &str, groups: &[&str]) {
    let namespace = cluster.namespace("methods");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    let who = answer(told(command, &["cluster-info"]));
    let line = |name: &str| {
        let line = who.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {who}"));
        line.split("  ").map(str::trim).find(|cell| !cell.is_empty()).unwrap_or_default().to_owned()
    };
    assert_eq!(line("user"), user);
    for group in groups {
        assert!(line("groups").split(", ").any(|is| is == *group), "{who}");
    }
    let read = ["run", "pod-names", "-o", "name", "-n", &namespace];
    if !groups.contains(&"system:masters") {
        let refused = told(command, &read);
        assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
        assert!(refused.stderr.contains(&format!("User \"{user}\" cannot list resource \"pods\"")), "{}", refused.stderr);
        let bound = format!("--user={user}");
        for line in [
            &["create", "role", "reader", "--verb=list", "--resource=pods", "-n", &namespace][..],
            &["create", "rolebinding", "reader", "--role=reader", &bound, "-n", &namespace],
        ] {
            answer(kubectl(cluster, line));
        }
        cluster.wait_until_allowed(user, &json!({ "namespace": &*namespace, "verb": "list", "resource": "pods" }));
    }
    assert_eq!(answer(told(command, &read)), "pod/web-0\n");
}

#[test]
fn a_service_accounts_token() {
    let cluster = cluster();
    let namespace = cluster.namespace("methods");
    let user = format!("system:serviceaccount:{namespace}:default");
    let token = cluster.service_account_token(&namespace, "default", 600);
    let place = Place::new(cluster);
    place.write("token", format!("{token}\n"));
    check(cluster, &place.by_flags(cluster, &["--token-file=token"]), &user, &["system:serviceaccounts"]);
    check(cluster, &with_kubeconfig(place.kubeconfig(cluster, &json!({ "token": token }))), &user, &[]);
    check(cluster, &with_kubeconfig(place.kubeconfig(cluster, &json!({ "tokenFile": "token" }))), &user, &[]);
    let mount = cluster.mount(&namespace, "default");
    check(cluster, &in_pod(cluster, &mount), &user, &[]);
}

#[test]
fn a_static_token() {
    let cluster = cluster();
    let place = Place::new(cluster);
    place.write("token", cluster.admin_token());
    check(cluster, &place.by_flags(cluster, &["--token-file=token"]), "admin", &["system:masters"]);
    let config = place.kubeconfig(cluster, &json!({ "token": cluster.admin_token() }));
    check(cluster, &with_kubeconfig(config), "admin", &["system:masters"]);
}

#[test]
fn a_client_certificate() {
    let cluster = cluster();
    let place = Place::new(cluster);
    let joan = cluster.client_certificate("joan", Some("devs"));
    place.write("joan.crt", &joan.certificate_pem);
    place.write("joan.key", &joan.key_pem);
    check(cluster, &place.by_flags(cluster, &["--client-certificate=joan.crt", "--client-key=joan.key"]), "joan", &["devs"]);
    let user = json!({ "client-certificate": "joan.crt", "client-key": "joan.key" });
    check(cluster, &with_kubeconfig(place.kubeconfig(cluster, &user)), "joan", &["devs"]);
}

#[test]
fn a_credential_plugin() {
    let cluster = cluster();
    let namespace = cluster.namespace("methods");
    let place = Place::new(cluster);
    let exec = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "interactiveMode": "Never",
    }});
    let config = place.kubeconfig(cluster, &exec);
    let mut allowed = with_kubeconfig(&config);
    allowed.current_dir(place.folder.path()).args(["--allow-exec", "./plugin"]);

    place.plugin(&json!({ "token": cluster.service_account_token(&namespace, "default", 600) }));
    let refused = told(&with_kubeconfig(&config), &["cluster-info"]);
    assert_eq!(refused.code, 4);
    assert!(refused.stderr.contains("--allow-exec"), "{}", refused.stderr);
    assert!(!place.folder.path().join("ran").exists(), "a plugin that is not allowed is run");
    check(cluster, &allowed, &format!("system:serviceaccount:{namespace}:default"), &[]);

    let june = cluster.client_certificate("june", Some("devs"));
    place.plugin(&json!({ "clientCertificateData": june.certificate_pem, "clientKeyData": june.key_pem }));
    check(cluster, &allowed, "june", &["devs"]);
}

#[test]
fn somebody_else_by_impersonation() {
    let cluster = cluster();
    let place = Place::new(cluster);
    place.write("token", cluster.admin_token());
    let flags = ["--token-file=token", "--as=jill", "--as-group=devs", "--as-group=ops"];
    check(cluster, &place.by_flags(cluster, &flags), "jill", &["devs", "ops"]);
    let user = json!({ "token": cluster.admin_token(), "as": "jack", "as-groups": ["devs"], "as-uid": "7", "as-user-extra": { "why": ["b"] } });
    check(cluster, &with_kubeconfig(place.kubeconfig(cluster, &user)), "jack", &["devs"]);
}

/// An account that may do nothing but list, and that as one other account in one namespace (constrained impersonation, Kubernetes 1.36).
#[test]
fn one_account_in_one_namespace_by_constrained_impersonation() {
    let cluster = cluster();
    let (tenant, elsewhere) = (cluster.namespace("tenant"), cluster.namespace("elsewhere"));
    for namespace in [&tenant, &elsewhere] {
        cluster.create_pod(namespace, tiny_pod("web-0"));
        for account in ["reader", "other"] {
            cluster.create_service_account(namespace, account);
        }
    }
    for account in ["reader", "other"] {
        cluster.grant_pods(&tenant, account, &["get", "list"]);
    }
    let host = cluster.namespace("host");
    let mount = cluster.mount(&host, "default");
    // The rights are in the tenant's namespace, the account is not.
    let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{tenant}");
    let rules = json!([
        { "apiGroups": ["authentication.k8s.io"], "resources": ["serviceaccounts"], "resourceNames": ["reader"],
          "verbs": ["impersonate:serviceaccount"] },
        { "apiGroups": [""], "resources": ["pods"], "verbs": ["impersonate-on:serviceaccount:list"] },
    ]);
    cluster.post(&format!("{path}/roles"), &json!({ "metadata": { "name": "host" }, "rules": rules }));
    let binding = json!({
        "metadata": { "name": "host" },
        "subjects": [{ "kind": "ServiceAccount", "name": "default", "namespace": &*host }],
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "host" },
    });
    cluster.post(&format!("{path}/rolebindings"), &binding);
    let attributes = json!({ "namespace": &*tenant, "verb": "impersonate-on:serviceaccount:list", "resource": "pods" });
    cluster.wait_until_allowed(&format!("system:serviceaccount:{host}:default"), &attributes);

    let run = |account: Option<String>, namespace: &str| {
        let mut command = in_pod(cluster, &mount);
        command.args(["run", "pod-names", "-o", "name", "-n", namespace]);
        command.args(account.map(|account| format!("--as=system:serviceaccount:{account}")));
        program::run(&mut command)
    };
    assert_eq!(answer(run(Some(format!("{tenant}:reader")), &tenant)), "pod/web-0\n");
    for (account, namespace) in [
        (None, &tenant),
        (Some(format!("{tenant}:reader")), &elsewhere),
        (Some(format!("{tenant}:other")), &tenant),
        (Some(format!("{elsewhere}:reader")), &tenant),
    ] {
        let refused = run(account.clone(), namespace);
        assert_eq!((refused.code, refused.stdout.as_str()), (3, ""), "{account:?} in {namespace}: {}", refused.stderr);
    }
}
