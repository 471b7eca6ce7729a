//! The promise to queries of earlier versions: within 0.1.x they go on running.

use podlens_tests::cluster::realistic_pod;
use podlens_tests::program;
use serde_json::json;

use crate::arrange::Place;
use crate::guests;

#[test]
fn a_query_of_the_first_version_runs() {
    let place = Place::empty();
    let mut pod = realistic_pod(1);
    pod["metadata"]["namespace"] = json!("shop");
    place.write("pod.json", pod.to_string());
    place.check(
        program::command().args(["run", guests::FROZEN, "--whole-objects", "--from"]).arg(place.path()),
        0,
        &["NAME        LABELS   CONTAINERS   STATUSES   OBJECT", "web-00001   7        2            2          true"],
        &[],
    );
}
