//! Where the pods of `podlens run` come from: a cluster, files, a recording. The answer is the same.

use std::fs;
use std::path::Path;

use podlens_tests::cluster::realistic_pod;
use podlens_tests::fake::{Answer, Authority, Fake, get};
use podlens_tests::program::{self, Done};
use serde_json::{Value, json};

use crate::arrange::{Place, pod, pod_list};

/// Enough for two pages.
const PODS: usize = 620;

/// Pods of two namespaces, as the API server gives them: each with a namespace, in order, created long ago.
fn cluster_pods() -> Vec<Value> {
    let pod = |index: usize| {
        let mut pod = realistic_pod(index);
        pod["metadata"]["namespace"] = json!(if index < PODS / 2 { "payments" } else { "shop" });
        pod["metadata"]["creationTimestamp"] = json!("2024-01-02T03:04:05Z");
        pod
    };
    (0..PODS).map(pod).collect()
}

/// A cluster with these pods, all of them running, and a place in a pod of it. A page may have more pods than were asked for.
fn cluster() -> (Fake, Place) {
    let pods = cluster_pods();
    let of = |namespace: &str| pods.iter().filter(|pod| pod["metadata"]["namespace"] == namespace).cloned().collect::<Vec<_>>();
    let answer = |pods: &[Value]| Answer::json(200, pod_list(pods, "").to_string());
    let fake = Fake::builder()
        .always(get("/api/v1/pods"), answer(&pods))
        .always(get("/api/v1/namespaces/shop/pods"), answer(&of("shop")))
        .start();
    let place = Place::mount(fake.authority());
    (fake, place)
}

/// The queries that come with podlens.
fn queries() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/queries");
    let entries = fs::read_dir(folder).expect("they are in the repository").map(|entry| entry.expect("it can be read").path());
    let name = |path: std::path::PathBuf| path.file_name().and_then(|name| name.to_str()).expect("a name is text").to_owned();
    let mut names: Vec<_> = entries.filter(|path| path.join("Cargo.toml").exists()).map(name).collect();
    names.sort();
    assert!(names.len() >= 12, "{names:?}");
    names
}

#[track_caller]
fn good(done: Done) -> String {
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{}", done.stdout);
    done.stdout
}

#[test]
fn every_query_answers_the_same_whatever_its_pods_come_from() {
    let (fake, place) = cluster();
    let list = json!({ "kind": "List", "apiVersion": "v1", "items": cluster_pods() });
    let json = place.write("pods.json", list.to_string());
    let recording = place.path().join("recording.json");
    let mut answered = 0;
    for query in queries() {
        let run = |flags: &[&str]| {
            let mut command = place.in_pod("127.0.0.1", fake.port());
            good(program::run(command.args(["run", &query, "-o", "json"]).args(flags)))
        };
        let live = run(&["-A", "--record", recording.to_str().expect("it is text")]);
        answered += usize::from(live != "[]\n");
        let elsewhere = |flags: &[&str]| good(program::run(program::command().args(["run", &query, "-o", "json"]).args(flags)));
        assert_eq!(elsewhere(&["--from", json.to_str().expect("it is text")]), live, "{query} from a file");
        assert_eq!(elsewhere(&["--replay", recording.to_str().expect("it is text")]), live, "{query} from its recording");
    }
    // The pods are good enough for a few questions.
    assert!(answered >= 8, "{answered} queries answer with rows");
}

/// The same grant, the same selectors, the same limits.
#[test]
fn grants_selectors_and_limits_are_the_same() {
    let (fake, place) = cluster();
    let items: Vec<_> = cluster_pods()
        .into_iter()
        .map(|pod| {
            json!({ "kind": "Pod", "apiVersion": "v1", "metadata": pod["metadata"],
        "spec": pod["spec"], "status": pod["status"] })
        })
        .collect();
    let json = place.write("pods.json", json!({ "kind": "List", "apiVersion": "v1", "items": items }).to_string());
    let recording = place.path().join("recording.json");
    let (json, recording) = (json.to_str().expect("it is text"), recording.to_str().expect("it is text"));
    let run = |flags: &[&str]| {
        place.run_without_details(place.in_pod("127.0.0.1", fake.port()).args(["run", "pod-names", "-o", "json"]).args(flags))
    };
    good(run(&["-A", "--record", recording]));
    for flags in [
        &["-n", "shop"][..],
        &["-n", "shop", "--max-pods", "10"],
        &["-n", "shop", "--max-rows", "3"],
        &["-n", "shop", "-p", "nosuch=1"],
    ] {
        let live = run(flags);
        for from in [["--from", json], ["--replay", recording]] {
            let elsewhere =
                place.run_without_details(program::command().args(["run", "pod-names", "-o", "json"]).args(from).args(flags));
            assert_eq!(elsewhere, live, "{flags:?} {from:?}");
        }
    }
    let selected = |from: [&str; 2]| {
        let flags = ["-l", "team=search,app=web", "--field-selector", "spec.nodeName!=node-001", "-n", "shop"];
        good(place.run_without_details(program::command().args(["run", "pod-names", "-o", "name"]).args(from).args(flags)))
    };
    let names = selected(["--from", json]);
    assert_eq!(names.lines().count(), PODS / 2 / 5 - 6, "{names}");
    assert_eq!(selected(["--replay", recording]), names);
}

/// What a kubectl that was refused leaves, what it wrote of a list that was cut, and what it gave of one that goes on.
#[test]
fn a_part_is_not_taken_for_the_whole() {
    let place = Place::empty();
    for (name, text, error) in [
        ("empty.yaml", "", "it has no Kubernetes object"),
        (
            "cut.yaml",
            "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n",
            "it has an object without `apiVersion` and `kind`: expected a Pod, a PodList or a List",
        ),
        (
            "page.json",
            r#"{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"x"},"items":[{"metadata":{"name":"a"}}]}"#,
            "it has the first page of a list that goes on: get all of it, or it would pass for the whole",
        ),
    ] {
        place.write(name, text);
        let done = place.run(program::command().args(["run", "pod-names", "--from"]).arg(place.path().join(name)));
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{name}: {}", done.stderr);
        assert!(done.stderr.contains(&format!("  caused by: {error}\n")), "{name}: {}", done.stderr);
    }
}

/// A recording has no address, is made of one run, and is not begun where it cannot be written.
#[test]
fn a_recording_that_cannot_be_made_is_told_before_anything_is_read() {
    let place = Place::empty();
    place.write("pods.json", json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "a" } }).to_string());
    let run = |record: &str, flags: &[&str]| {
        let mut command = program::command();
        command.args(["run", "images", "--from"]).arg(place.path().join("pods.json"));
        place.run(command.arg("--record").arg(place.path().join(record)).args(flags))
    };
    for (record, flags) in
        [("missing/r.json", &[][..]), (".", &[]), ("r.json", &["-n", "a", "-n", "b"]), ("r.json", &["--redact", "none,ips"])]
    {
        let done = run(record, flags);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{record} {flags:?}: {}", done.stderr);
        assert!(!place.path().join("r.json").exists(), "{record} {flags:?}");
    }
    assert_eq!(run("r.json", &["--redact", "ips"]).code, 0);
    let text = fs::read_to_string(place.path().join("r.json")).expect("it was written");
    assert!(text.contains("\"env\",\n    \"ips\""), "{text}");
}

#[test]
fn standard_input_and_folders_are_read() {
    let place = Place::empty();
    let yaml = "kind: Pod\napiVersion: v1\nmetadata: {name: web, namespace: shop}\n";
    place.write("web.yaml", yaml);
    place.write("db.json", json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "db" } }).to_string());
    place.write("notes.txt", "no pods");
    place.write("broken.yml", "kind: [");
    place.check(
        program::command().args(["run", "pod-names", "--from"]).arg(place.path()),
        7,
        &["NAMESPACE   NAME", "default     db", "shop        web", "# the answer is not complete"],
        &["warning: `FOLDER/broken.yml` is passed over: it is not well-formed YAML: unclosed bracket '[' at line 1, column 7"],
    );
    let input = fs::File::open(place.path().join("web.yaml")).expect("it was written");
    let mut command = program::command();
    command.args(["run", "pod-names", "--from", "-", "-o", "name"]).stdin(input);
    assert_eq!(good(program::run(&mut command)), "pod/web\n");
}

#[test]
fn what_cannot_be_read_is_told() {
    let place = Place::empty();
    place.write("service.json", r#"{"kind":"Service","apiVersion":"v1"}"#);
    place.write("words.txt", "just words");
    let hint = "hint: give what `kubectl get pods -o json` or `-o yaml` writes, or a folder of such files";
    let run = |flag: &str, name: &str| {
        let mut command = program::command();
        command.args(["run", "pod-names", flag]).arg(place.path().join(name));
        command
    };
    place.check(
        &mut run("--from", "words.txt"),
        2,
        &[],
        &[
            "error: the pods of `FOLDER/words.txt` cannot be read",
            "  caused by: it has something that is no Kubernetes object: expected a Pod, a PodList or a List",
            hint,
        ],
    );
    place.check(
        &mut run("--from", "missing"),
        2,
        &[],
        &["error: the pods of `FOLDER/missing` cannot be read", "  caused by: No such file or directory (os error 2)", hint],
    );
    place.check(&mut run("--from", "service.json"), 0, &[], &["No rows found."]);
    place.check(
        &mut run("--replay", "service.json"),
        2,
        &[],
        &["error: the recording `FOLDER/service.json` cannot be read", "  caused by: it is no recording of podlens"],
    );
}

/// A recording is its owner's alone, and has no credential and no address in it.
#[test]
fn a_recording_tells_pods_and_nothing_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let authority = Authority::new();
    let mut web = pod("web");
    web["spec"] = json!({ "containers": [{ "name": "c", "env": [{ "name": "PASSWORD", "value": "s3cret" }] }] });
    let answer = Answer::json(200, pod_list(&[web], "").to_string());
    let fake = Fake::builder().authority(&authority).always(get(crate::arrange::PODS), answer).start();
    let place = Place::mount(&authority);
    let recording = place.path().join("recording.json");
    good(program::run(place.in_pod("127.0.0.1", fake.port()).args(["run", "pod-names", "--record"]).arg(&recording)));
    let mode = fs::metadata(&recording).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&recording).expect("it is text");
    assert!(text.contains("\"name\": \"web\""), "{text}");
    for secret in ["s3cret", "PASSWORD", "127.0.0.1", crate::arrange::TOKEN] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
