//! Ten thousand pods: the whole answer, and little memory.

use podlens_tests::cluster::{Cluster, Options, realistic_pod};
use podlens_tests::program::{self, run_with_peak};
use serde_json::{Value, json};

use crate::arrange::{answer, with_kubeconfig};

/// Pods of [`realistic_pod`], about 10 KB each: 100 MB in protobuf.
const COUNT: usize = 10_000;

/// Most memory that a run may ever have resident, in KiB: 64 MiB, of the same magnitude as client-go's pager with its 61 MB.
const MAX_RESIDENT_KIB: u64 = 64 << 10;

/// What the query `restarts` should answer, computed from the API server's own JSON.
fn expected_rows(cluster: &Cluster) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut token = String::new();
    loop {
        // Page by page: 10,000 pods of this size at once take this test, and kubectl, gigabytes.
        let page = cluster.get(&format!("/api/v1/pods?limit=500&continue={token}"));
        for pod in page["items"].as_array().expect("a list has items") {
            for container in pod["status"]["containerStatuses"].as_array().into_iter().flatten() {
                if container["restartCount"].as_i64() < Some(1) {
                    continue;
                }
                let last = [&container["state"]["terminated"], &container["lastState"]["terminated"]];
                let last = last.into_iter().find(|last| last.is_object()).unwrap_or(&Value::Null);
                rows.push(json!({
                    "namespace": pod["metadata"]["namespace"],
                    "name": pod["metadata"]["name"],
                    "container": container["name"],
                    "restarts": container["restartCount"],
                    "lastReason": last["reason"],
                    "exitCode": last["exitCode"],
                    "lastEnd": last["finishedAt"],
                    "image": container["image"],
                    "lastMessage": last["message"],
                }));
            }
        }
        match page["metadata"]["continue"].as_str() {
            Some(next) if !next.is_empty() => next.clone_into(&mut token),
            _ => return rows,
        }
    }
}

#[test]
fn ten_thousand_pods_take_64_mib_and_none_is_missed() {
    let cluster = Cluster::start(&Options::default());
    let namespaces = ["shop-a", "shop-b"].map(|prefix| cluster.namespace(prefix));
    for namespace in &namespaces {
        cluster.create_pods(namespace, COUNT / namespaces.len(), realistic_pod);
    }
    let expected = expected_rows(&cluster);
    assert_eq!(expected.len(), COUNT * 3 / 4);

    // Compiled before, as for everybody after the first time: compiling takes memory of its own.
    let cache = tempfile::tempdir().expect("a temporary folder can be made");
    let compiled = program::run(program::command().args(["inspect", "restarts"]).env("PODLENS_CACHE_DIR", cache.path()));
    assert_eq!(compiled.code, 0, "{}", compiled.stderr);
    for format in ["json", "table"] {
        let mut command = with_kubeconfig(cluster.kubeconfig_path());
        command.env("PODLENS_CACHE_DIR", cache.path());
        let (done, peak) = run_with_peak(command.args(["run", "restarts", "-A", "-o", format]));
        let answer = answer(done);
        assert!(peak < MAX_RESIDENT_KIB, "-o {format} had {peak} KiB resident");
        match format {
            "json" => assert_eq!(serde_json::from_str::<Vec<Value>>(&answer).unwrap(), expected),
            _ => assert_eq!(answer.lines().count(), expected.len() + 1),
        }
    }
}
