//! What is wrong before anything is sent.

use podlens_tests::program;

use crate::arrange::{answer, cluster, in_pod, reader, requests_when, tiny_pod};

/// Names that would lead a careless client elsewhere, and selectors that say nothing.
const WRONG: [&[&str]; 13] = [
    &["-n", ".."],
    &["-n", "a/b"],
    &["-n", ""],
    &["-n", "A"],
    &["-n", "a%2fb"],
    &["-n", "a?limit=1"],
    &["-n", "a", "-A"],
    &["-l", "app in"],
    &["-l", "=web"],
    &["--field-selector", "spec.nodeName"],
    &["--field-selector", "status.qosClass=Burstable"],
    &["-p", "min=3"],
    &["--max-pods", "0"],
];

#[test]
fn wrong_usage_sends_no_request() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "usage");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    for arguments in WRONG {
        let done = program::run(in_pod(cluster, &mount).args(["run", "pod-names"]).args(arguments));
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{arguments:?}: {}", done.stderr);
    }
    // What comes after them is the first that the API server hears of this account.
    assert_eq!(answer(program::run(in_pod(cluster, &mount).args(["run", "pod-names", "-o", "name"]))), "pod/web-0\n");
    requests_when(cluster, &namespace, 1);
    let account = format!("system:serviceaccount:{namespace}:default");
    let events = cluster.audit_events().into_iter().filter(|event| event["user"]["username"] == account.as_str());
    let uris: Vec<_> = events.map(|event| event["requestURI"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(uris, [format!("/api/v1/namespaces/{namespace}/pods?limit=500")]);
}
