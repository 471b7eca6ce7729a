//! The two encodings of an answer: protobuf, which lists are read from, and JSON, where whole objects are asked for.

use std::sync::Arc;

use podlens::{ApiServer, Client, Config, Grant, Limit, Row, RunOptions, Runtime};
use podlens_tests::cluster::{Mount, realistic_pod};
use podlens_tests::guests::DESCRIBES_EVERYTHING;
use podlens_tests::program;
use serde_json::{Value, json};

use crate::arrange::{cluster, in_pod, reader};

/// Pods that say what [`realistic_pod`]s leave out, and that say it in unusual ways.
fn unusual_pods() -> Vec<Value> {
    let pod = |name: &str, spec: Value, status: Value| {
        let mut pod = json!({ "metadata": { "name": name }, "spec": spec, "status": status });
        pod["spec"]["containers"] = match pod["spec"]["containers"].take() {
            Value::Null => json!([{ "name": "app", "image": "registry.example.com/app" }]),
            containers => containers,
        };
        pod
    };
    let mut meta = pod("meta", json!({}), json!({}));
    meta["metadata"] = json!({
        "name": "meta",
        "labels": { "empty": "", "a.b/c": "d_e.F" },
        "annotations": { "text": "ünïcödé \u{202e} \u{0} \"quoted\" \\ \n", "empty": "" },
        "finalizers": ["example.com/hold"],
        "ownerReferences": [
            { "apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": "1" },
            { "apiVersion": "batch/v1", "kind": "Job", "name": "job", "uid": "2", "controller": true },
        ],
    });
    vec![
        meta,
        pod("bare", json!({}), json!({})),
        pod(
            "containers",
            json!({
                "initContainers": [
                    { "name": "init", "image": "registry.example.com/init@sha256:".to_owned() + &"a".repeat(64) },
                    { "name": "sidecar", "image": "registry.example.com/sidecar:1", "restartPolicy": "Always" },
                ],
                "containers": [
                    { "name": "a", "image": "a", "resources": {
                        "requests": { "cpu": "1e-1", "memory": "1.5Gi", "ephemeral-storage": "1G", "example.com/gpu": "2" },
                        "limits": { "cpu": "0.5", "memory": "2147483648", "example.com/gpu": "2" },
                    }},
                    { "name": "b", "image": "b", "securityContext": { "privileged": true, "runAsUser": 0 } },
                    { "name": "c", "image": "c", "livenessProbe": { "exec": { "command": ["true"] } } },
                ],
            }),
            json!({
                "phase": "Pending",
                "initContainerStatuses": [
                    { "name": "init", "image": "i", "imageID": "", "ready": true, "restartCount": 2, "state": { "terminated": {
                        "exitCode": 0, "signal": 0, "reason": "Completed", "message": "bye\n", "startedAt": "2026-01-01T00:00:00Z",
                        "finishedAt": "2026-01-01T00:00:01Z", "containerID": "containerd://1" } } },
                    { "name": "sidecar", "image": "s", "imageID": "s", "ready": false, "started": false, "restartCount": 0,
                        "state": { "waiting": { "reason": "PodInitializing" } } },
                ],
                "containerStatuses": [
                    { "name": "a", "image": "a", "imageID": "a", "ready": false, "restartCount": i32::MAX,
                        "state": { "waiting": {} }, "lastState": { "terminated": { "exitCode": -1, "signal": 9 } } },
                    { "name": "b", "image": "b", "imageID": "b", "ready": true, "started": true, "restartCount": 0,
                        "state": { "running": { "startedAt": "1969-12-31T23:59:59Z" } } },
                    { "name": "c", "image": "c", "imageID": "c", "ready": false, "restartCount": 1, "state": {} },
                ],
            }),
        ),
        pod(
            "host",
            json!({ "hostNetwork": true, "hostPID": true, "hostIPC": true, "priorityClassName": "system-node-critical",
                "restartPolicy": "OnFailure", "nodeSelector": { "disk": "ssd" },
                "tolerations": [{ "operator": "Exists" }], "volumes": [{ "name": "root", "hostPath": { "path": "/" } }] }),
            json!({
                "phase": "Failed", "reason": "Evicted", "message": "the node was low on memory", "nominatedNodeName": "node-2",
                "podIP": "10.0.0.1", "podIPs": [{ "ip": "10.0.0.1" }, { "ip": "fd00::1" }], "hostIP": "192.168.0.1",
                "conditions": [
                    { "type": "Ready", "status": "Unknown", "reason": "NodeLost", "message": "m", "lastProbeTime": null },
                    { "type": "example.com/custom", "status": "False", "lastTransitionTime": "2026-02-28T23:59:59Z" },
                ],
            }),
        ),
    ]
}

/// The rows of a query that tells all that a pod has, and the bytes of the answers that they came from.
async fn rows(address: &str, mount: &Mount, namespace: &str, objects: bool) -> (Vec<Row>, u64) {
    let config = Config::service_account(address, mount.path()).unwrap();
    let source = ApiServer::new(Client::new(config).unwrap());
    let query = Runtime::new().unwrap().load(std::fs::read(DESCRIBES_EVERYTHING).unwrap()).await.unwrap();
    let mut options = RunOptions::default();
    options.grant = Grant::nothing().namespace(namespace.parse().unwrap()).whole_objects();
    let objects = if objects { "true" } else { "false" };
    options.arguments = query.description().arguments([("objects", objects)]).unwrap();
    let mut run = query.run(Arc::new(source), options);
    let mut rows = Vec::new();
    while let Some(row) = run.next_row().await {
        rows.push(row);
    }
    let outcome = run.finish().await;
    outcome.result.unwrap();
    (rows, outcome.report.used(Limit::ResponseBytes))
}

#[tokio::test]
async fn protobuf_and_json_give_the_same_pods() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "encodings");
    cluster.create_pods(&namespace, 20, realistic_pod);
    let unusual = unusual_pods();
    let count = 20 + unusual.len();
    for pod in unusual {
        cluster.create_pod(&namespace, pod);
    }
    // One that is about to go: its finalizer keeps it.
    cluster.delete(&format!("/api/v1/namespaces/{namespace}/pods/meta"));

    let address = format!("https://{}", cluster.address());
    let (protobuf, protobuf_bytes) = rows(&address, &mount, &namespace, false).await;
    let (json, json_bytes) = rows(&address, &mount, &namespace, true).await;
    assert_eq!(protobuf.len(), count);
    for (protobuf, json) in protobuf.iter().zip(&json) {
        assert_eq!(protobuf, json);
    }
    assert_eq!(json.len(), count);
    // They were two encodings indeed.
    assert!(json_bytes > protobuf_bytes * 5 / 4, "{json_bytes} bytes of JSON, {protobuf_bytes} of protobuf");
}

/// A query that can read no more than metadata is sent no more, and answers the same.
#[test]
fn metadata_alone_is_the_same_names() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "metadata");
    cluster.create_pods(&namespace, 20, realistic_pod);
    let run = |arguments: &[&str]| {
        let mut command = in_pod(cluster, &mount);
        let done = program::run(command.args(["run", "pod-names", "-o", "csv", "--stats"]).args(arguments));
        assert_eq!(done.code, 0, "{}", done.stderr);
        let told = done.stderr.lines().find_map(|line| line.strip_prefix("bytes of answers")).expect("it is told");
        let bytes: u64 = told.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).expect("it is a number");
        (done.stdout, bytes)
    };
    let (metadata, fewer) = run(&[]);
    // This selector has to be held against each pod.
    let (whole, more) = run(&["--field-selector", "status.phase!=None"]);
    assert_eq!((metadata.lines().count(), &metadata), (21, &whole));
    assert!(fewer < more * 3 / 4, "{fewer} bytes of metadata, {more} of pods");
}
