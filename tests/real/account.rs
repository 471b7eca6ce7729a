//! The story of a service account: unknown, refused, allowed. The README tells it.

use podlens_tests::cluster::{Cluster, Options};
use podlens_tests::program::{self, Done};
use serde_json::json;

use crate::arrange::{answer, cluster, in_pod, in_pod_at, kubectl, reader, tiny_pod, with_kubeconfig};

/// Compares all of a run's output, with the address of the API server as `API`.
#[track_caller]
fn check(cluster: &Cluster, done: Done, code: i32, stdout: &str, stderr: &str) {
    let stderr_seen = done.stderr.replace(&format!("https://{}", cluster.address()), "API");
    assert_eq!((done.code, done.stdout.as_str(), stderr_seen.as_str()), (code, stdout, stderr));
}

#[test]
fn without_a_token_one_is_anonymous_and_refused() {
    let cluster = cluster();
    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, ca) = (folder.path().join("config"), folder.path().join("ca.crt"));
    std::fs::write(&ca, cluster.ca_pem()).unwrap();
    let content = json!({
        "clusters": [{ "name": "c", "cluster": {
            "server": format!("https://{}", cluster.address()),
            "certificate-authority": "ca.crt",
        }}],
        "contexts": [{ "name": "nobody", "context": { "cluster": "c" } }],
        "current-context": "nobody",
    });
    std::fs::write(&kubeconfig, content.to_string()).unwrap();
    let done = program::run(with_kubeconfig(&kubeconfig).args(["run", "pod-names"]));
    check(
        cluster,
        done,
        3,
        "",
        "error: the query could not be answered
  caused by: `API` answered `GET /api/v1/namespaces/default/pods` with 403 Forbidden
  caused by: pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"
hint: no credentials were sent, since none are configured: a kubeconfig's user or a service account's token would be
hint: `podlens doctor`, with the same connection flags, looks at every step on the way to the API server
",
    );
}

#[test]
fn a_token_alone_gives_no_right_and_a_role_with_its_binding_does() {
    // A cluster of its own, for the pods of `default`: there the story takes place.
    let cluster = Cluster::start(&Options::default());
    cluster.create_pod("default", tiny_pod("web-0"));
    let mount = cluster.mount("default", "default");
    let run = || program::run(in_pod(&cluster, &mount).args(["run", "pod-names"]));

    check(
        &cluster,
        run(),
        3,
        "",
        "error: the query could not be answered
  caused by: `API` answered `GET /api/v1/namespaces/default/pods` with 403 Forbidden
  caused by: pods is forbidden: User \"system:serviceaccount:default:default\" cannot list resource \"pods\" in API group \"\" \
in the namespace \"default\"
hint: the API server's RBAC decides this: it takes a Role and a RoleBinding in the namespace, and `podlens rbac` prints what a query needs
hint: `podlens doctor`, with the same connection flags, looks at every step on the way to the API server
",
    );

    for line in [
        "create role pod-reader --verb=get,list --resource=pods",
        "create rolebinding pod-reader --role=pod-reader --serviceaccount=default:default",
    ] {
        let done = kubectl(&cluster, line.split(' '));
        assert_eq!(done.code, 0, "{}", done.stderr);
    }
    cluster.wait_until_allowed(
        "system:serviceaccount:default:default",
        &json!({ "namespace": "default", "verb": "list", "resource": "pods" }),
    );
    check(&cluster, run(), 0, "NAMESPACE   NAME\ndefault     web-0\n", "");

    // The right ends where the namespace does.
    let done = program::run(in_pod(&cluster, &mount).args(["run", "pod-names", "-n", "kube-system"]));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("in the namespace \"kube-system\""), "{}", done.stderr);
    let done = program::run(in_pod(&cluster, &mount).args(["run", "pod-names", "-A"]));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("at the cluster scope"), "{}", done.stderr);
}

#[test]
fn an_answer_without_a_refused_namespace_is_not_complete() {
    let cluster = cluster();
    let (allowed, mount) = reader(cluster, "a-allowed");
    let refused = cluster.namespace("b-refused");
    cluster.create_pod(&allowed, tiny_pod("web-0"));
    let done = program::run(in_pod(cluster, &mount).args(["run", "pod-names", "-o", "name", "-n", &refused, "-n", &allowed]));
    assert_eq!((done.code, done.stdout.as_str()), (7, "pod/web-0\n"));
    assert!(done.stderr.starts_with(&format!("warning: namespace `{}` is not in the answer\n", &*refused)), "{}", done.stderr);
    assert!(done.stderr.contains(&format!("in the namespace \"{refused}\"")), "{}", done.stderr);
}

#[test]
fn a_token_that_nobody_signed_is_unauthorized() {
    let cluster = cluster();
    let namespace = cluster.namespace("forged");
    let mut mount = cluster.mount(&namespace, "default");
    mount.rotate("forged");
    let done = program::run(in_pod(cluster, &mount).args(["run", "pod-names"]));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("401 Unauthorized"), "{}", done.stderr);
}

#[test]
fn the_api_server_is_reached_by_ipv6() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "ipv6");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    let address = cluster.ipv6_address();
    assert!(address.is_ipv6());
    let done = program::run(in_pod_at(address, &mount).args(["run", "pod-names", "-o", "name"]));
    assert_eq!(answer(done), "pod/web-0\n");
}
