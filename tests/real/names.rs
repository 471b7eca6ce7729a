//! Which pods there are: those of `kubectl get pods`, in its order.

use podlens_tests::cluster::{Cluster, Options, realistic_pod};
use podlens_tests::program;
use serde_json::json;

use crate::arrange::{answer, cluster, in_pod, kubectl, reader, requests_when, tiny_pod, with_kubeconfig};

/// Flags that choose pods, the same for both programs, and how many pods of [`arrange_shop`] they choose.
const SELECTIONS: [(&[&str], usize); 20] = [
    (&[], 43),
    (&["-l", "app=web"], 40),
    (&["-l", "app==web,team!=search"], 32),
    (&["-l", "team in (payments,search)"], 16),
    (&["-l", "team notin (payments,search)"], 27),
    (&["-l", "!app"], 3),
    (&["-l", "app,team=billing"], 8),
    (&["-l", "app.kubernetes.io/version=2.3.0"], 6),
    (&["-l", "app=no-such-app"], 0),
    (&["--field-selector", "status.phase=Running"], 40),
    (&["--field-selector", "status.phase!=Running"], 3),
    (&["--field-selector", "metadata.name=web-00007"], 1),
    (&["--field-selector", "spec.nodeName=node-003"], 1),
    (&["--field-selector", "spec.nodeName="], 3),
    (&["--field-selector", "spec.restartPolicy=Never"], 1),
    (&["--field-selector", "spec.serviceAccountName=default,status.phase!=Running"], 3),
    (&["--field-selector", "spec.hostNetwork=true"], 1),
    (&["--field-selector", "status.podIP=10.0.0.5"], 1),
    (&["--field-selector", "metadata.namespace=default"], 0),
    (&["-l", "team=search", "--field-selector", "spec.nodeName!=node-001"], 7),
];

/// 40 pods as one sees them in production, and three that are unlike them.
fn arrange_shop(cluster: &Cluster, namespace: &str) {
    cluster.create_pods(namespace, 40, realistic_pod);
    cluster.create_pod(namespace, tiny_pod("web"));
    for (name, field, value) in [("web.0", "restartPolicy", json!("Never")), ("web-00001.a", "hostNetwork", json!(true))] {
        let mut pod = tiny_pod(name);
        pod["spec"][field] = value;
        cluster.create_pod(namespace, pod);
    }
}

#[test]
fn names_are_those_of_kubectl_under_every_selector() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "names");
    arrange_shop(cluster, &namespace);
    for (flags, count) in SELECTIONS {
        let kubectl = kubectl(cluster, ["get", "pods", "-n", &namespace, "-o", "name"].iter().chain(flags));
        assert_eq!((kubectl.code, kubectl.stdout.lines().count()), (0, count), "{flags:?}: {kubectl:?}");
        let podlens = program::run(in_pod(cluster, &mount).args(["run", "pod-names", "-o", "name"]).args(flags));
        assert_eq!((podlens.code, &podlens.stdout), (0, &kubectl.stdout), "{flags:?}: {}", podlens.stderr);
        assert_eq!(podlens.stderr, if count == 0 { "No rows found.\n" } else { "" }, "{flags:?}");
    }
}

/// Some text of one kind is between the two names in one order, and a byte in the other: `-` and `.` are less than `/`.
#[test]
fn names_of_all_namespaces_are_those_of_kubectl() {
    let cluster = Cluster::start(&Options::default());
    for namespace in ["a", "a-b", "a0", "b"] {
        cluster.post("/api/v1/namespaces", &json!({ "metadata": { "name": namespace } }));
        cluster.create_service_account(namespace, "default");
        for name in ["web", "web-1", "web.1", "web1"] {
            cluster.create_pod(namespace, tiny_pod(name));
        }
    }
    let podlens =
        |flags: &[&str]| answer(program::run(with_kubeconfig(cluster.kubeconfig_path()).args(["run", "pod-names"]).args(flags)));
    let custom = ["-o=custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name"];
    let all = answer(kubectl(&cluster, ["get", "pods", "-A"].iter().chain(&custom)));
    assert_eq!(all.lines().count(), 17);
    assert_eq!(podlens(&["-A"]), all);
    assert_eq!(podlens(&["-A", "-o", "name"]), answer(kubectl(&cluster, ["get", "pods", "-A", "-o", "name"])));

    // Several namespaces: one after the other, each with its header where kubectl is asked for each.
    let each = ["a", "a-b", "b"].map(|namespace| answer(kubectl(&cluster, ["get", "pods", "-o=name", "-n", namespace])));
    assert_eq!(podlens(&["-n", "b", "-n", "a-b", "-n", "a", "-o", "name"]), each.concat());
}

#[test]
fn pods_of_three_pages_come_in_order_and_each_once() {
    const COUNT: usize = 1_201;
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "pages");
    cluster.create_pods(&namespace, COUNT, |index| tiny_pod(&format!("pod-{index:04}")));

    let podlens = answer(program::run(in_pod(cluster, &mount).args(["run", "pod-names", "-o", "name"])));
    let expected: String = (0..COUNT).map(|index| format!("pod/pod-{index:04}\n")).collect();
    assert_eq!(podlens, expected);
    assert_eq!(podlens, answer(kubectl(cluster, ["get", "pods", "-n", &namespace, "-o", "name"])));

    let requests = requests_when(cluster, &namespace, 3);
    let first = format!("/api/v1/namespaces/{namespace}/pods?limit=500");
    assert_eq!(requests[0], (200, first.clone()));
    assert_eq!(requests.len(), 3);
    for (code, uri) in &requests[1..] {
        assert!(*code == 200 && uri.starts_with(&format!("{first}&continue=")), "{code} {uri}");
    }
}
