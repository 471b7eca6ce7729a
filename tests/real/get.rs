//! One pod by name.

use podlens_tests::guests::ASKS;
use podlens_tests::program::{self, Done};

use crate::arrange::{answer, cluster, in_pod, reader, requests, tiny_pod};

#[test]
fn a_pod_is_gotten_by_its_name_and_no_other() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "get");
    for name in ["web", "web.0", "web-0"] {
        cluster.create_pod(&namespace, tiny_pod(name));
    }
    let get = |name: &str| {
        let [namespace, name] = [format!("namespace={namespace}"), format!("name={name}")];
        program::run(in_pod(cluster, &mount).args(["run", ASKS, "-o", "name", "-p", &namespace, "-p", &name]))
    };
    assert_eq!(answer(get("web.0")), "pod/web.0\n");

    let Done { code, stdout, stderr } = get("web-1");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("404 Not Found") && stderr.contains("pods \"web-1\" not found"), "{stderr}");

    // Not a name, so no request: neither a list, nor the pod that the path would lead to.
    for name in ["..", "", ".", "web/../web", "web?x", "web%2e0", "WEB"] {
        let Done { code, stdout, stderr } = get(name);
        assert_eq!((code, stdout.as_str()), (1, ""), "{name}: {stderr}");
    }
    let paths = ["web.0", "web-1"].map(|name| format!("/api/v1/namespaces/{namespace}/pods/{name}"));
    assert_eq!(requests(cluster, &namespace), [(200, paths[0].clone()), (404, paths[1].clone())]);
}

#[test]
fn a_namespace_outside_the_grant_is_denied_without_a_request() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "granted");
    let (other, _) = reader(cluster, "other");
    cluster.create_pod(&other, tiny_pod("web-0"));
    let parameter = format!("namespace={other}");
    for arguments in [&["-p", &parameter][..], &["-p", &parameter, "-p", "name=web-0"], &["-p", &parameter, "-p", "name=web-1"]] {
        let done = program::run(in_pod(cluster, &mount).args(["run", ASKS, "-n", &namespace]).args(arguments));
        assert_eq!((done.code, done.stdout.as_str()), (3, ""));
        assert!(done.stderr.contains(&format!("namespace `{other}` is not granted")), "{}", done.stderr);
    }
    // The account may not read there either; the grant spoke first.
    assert_eq!(requests(cluster, &other), []);
}

#[test]
fn list_and_get_are_two_rights() {
    let cluster = cluster();
    let namespace = cluster.namespace("verbs");
    cluster.grant_pods(&namespace, "default", &["list"]);
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    let mount = cluster.mount(&namespace, "default");
    let asks = |arguments: &[&str]| {
        let namespace = format!("namespace={namespace}");
        program::run(in_pod(cluster, &mount).args(["run", ASKS, "-o", "name", "-p", &namespace]).args(arguments))
    };
    assert_eq!(answer(asks(&[])), "pod/web-0\n");
    let done = asks(&["-p", "name=web-0"]);
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("cannot get resource \"pods\""), "{}", done.stderr);
}
