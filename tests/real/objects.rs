//! Whole objects: what the API server has, and only where they are granted.

use podlens_tests::cluster::realistic_pod;
use podlens_tests::guests::OBJECTS;
use podlens_tests::program;
use serde_json::Value;

use crate::arrange::{answer, cluster, in_pod, kubectl, reader, requests};

#[test]
fn a_whole_object_is_what_kubectl_shows() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "objects");
    cluster.create_pods(&namespace, 3, realistic_pod);

    // kubectl leaves out who manages which field unless it is asked.
    let list = ["get", "pods", "-n", &namespace, "-o", "json", "--show-managed-fields"];
    let list: Value = serde_json::from_str(&answer(kubectl(cluster, list))).unwrap();
    let rows = answer(program::run(in_pod(cluster, &mount).args(["run", OBJECTS, "-o", "json", "--whole-objects"])));
    let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
    let objects: Vec<Value> = rows.iter().map(|row| serde_json::from_str(row["text"].as_str().unwrap()).unwrap()).collect();
    assert_eq!(objects.len(), 3);
    for (object, expected) in objects.iter().zip(list["items"].as_array().unwrap()) {
        assert_eq!(object, expected);
        assert_eq!((&object["kind"], &object["apiVersion"]), (&"Pod".into(), &"v1".into()));
        assert!(object["metadata"]["managedFields"].is_array());
    }
}

#[test]
fn whole_objects_are_denied_without_their_flag() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "no-objects");
    cluster.create_pods(&namespace, 1, realistic_pod);
    let run = |arguments: &[&str]| program::run(in_pod(cluster, &mount).args(["run", OBJECTS]).args(arguments));

    let done = run(&[]);
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("whole objects are not granted"), "{}", done.stderr);
    assert_eq!(requests(cluster, &namespace), []);

    // Neither are they there for a query that did not ask for them and takes them all the same.
    for flags in [&["-p", "ask=false"][..], &["-p", "ask=false", "--whole-objects"]] {
        let done = run(flags);
        assert_eq!((done.code, done.stdout.as_str()), (1, ""));
        assert!(done.stderr.contains("whole objects were not asked for"), "{}", done.stderr);
    }
}
