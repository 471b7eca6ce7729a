//! `podlens run --watch` and what an API server can do wrong while it is watched. `real/watch.rs` has what it does right.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use podlens_tests::fake::{Answer, Expected, Fake, get};
use podlens_tests::program;
use serde_json::{Value, json};

use crate::arrange::{NAMESPACE, PODS, Place, check, pod, pod_list};

/// How long a change may take to be shown. A watch that ended at once is begun again after 0.8 s, 1.6 s and so on.
const PATIENCE: Duration = Duration::from_secs(60);

const WATCH: &[&str] = &["run", "pod-names", "--watch", "-o", "jsonl"];

fn list(version: &str, names: &[&str]) -> (Expected, Answer) {
    let pods: Vec<_> = names.iter().map(|name| pod(name)).collect();
    let mut list = pod_list(&pods, "");
    list["metadata"]["resourceVersion"] = json!(version);
    (get(PODS).query(&[("limit", "500")]), Answer::json(200, list.to_string()))
}

fn watch_from(version: &str) -> Expected {
    get(PODS).query(&[("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", version), ("timeoutSeconds", "300")])
}

fn event(kind: &str, name: &str, version: &str) -> String {
    let mut pod = pod(name);
    pod["metadata"]["resourceVersion"] = json!(version);
    format!("{}\n", json!({ "type": kind, "object": pod }))
}

fn events(events: &[String]) -> Answer {
    Answer::json(200, events.concat()).chunked(7)
}

/// A watch that begins, and tells nothing more.
fn silence() -> Answer {
    Answer::json(200, " ".repeat(4096)).chunked(4096).hang_after(1024)
}

/// A watch, which has no end of its own.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended needs no end.
        let _ = self.0.kill();
    }
}

/// Watches such a server until it was asked for all of its script, and until the rows that came, without those that went, are these.
#[track_caller]
fn check_rows(script: Vec<(Expected, Answer)>, expected: &[&str]) {
    let requests = script.len();
    let fake = Fake::start(script);
    let place = Place::mount(fake.authority());
    let mut command = place.in_pod("127.0.0.1", fake.port());
    let mut child = Running(command.args(WATCH).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("podlens starts"));
    let stdout = BufReader::new(child.0.stdout.take().expect("it is piped"));
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let mut rows = BTreeSet::new();
    let deadline = Instant::now() + PATIENCE;
    while fake.seen().len() < requests || rows.iter().ne(expected) {
        assert!(Instant::now() < deadline, "{} of {requests} requests, {rows:?}", fake.seen().len());
        let Ok(line) = lines.recv_timeout(Duration::from_millis(20)) else { continue };
        let line: Value = serde_json::from_str(&line).expect("each line is JSON");
        let name = line["object"]["name"].as_str().expect("a row has a name").to_owned();
        match line["type"].as_str() {
            Some("ADDED") => assert!(rows.insert(name), "{line} comes twice"),
            Some("DELETED") => assert!(rows.remove(&name), "{line} was not there"),
            _ => panic!("{line} is neither"),
        }
    }
    assert!(Command::new("kill").args(["-INT", &child.0.id().to_string()]).status().expect("there is a kill").success());
    assert_eq!(child.0.wait().expect("it ends").code(), Some(0));
    fake.release();
}

#[test]
fn what_expired_is_listed_again() {
    let gone = format!("{}\n", json!({ "type": "ERROR", "object": { "kind": "Status", "code": 410, "reason": "Expired" } }));
    let script = vec![
        list("7", &["a"]),
        (watch_from("7"), events(&[event("ADDED", "b", "8"), gone])),
        list("20", &["b", "c"]),
        (watch_from("20"), Answer::status(410, "Expired", "too old resource version")),
        list("30", &["c"]),
        (watch_from("30"), silence()),
    ];
    check_rows(script, &["c"]);
}

#[test]
fn a_watch_goes_on_where_it_was() {
    let bookmark =
        format!("{}\n", json!({ "type": "BOOKMARK", "object": { "kind": "Pod", "metadata": { "resourceVersion": "50" } } }));
    let whole = events(&[event("ADDED", "b", "8"), bookmark]);
    // It ends in the middle of an event: what was whole of it counts.
    let half = event("ADDED", "c", "52")[..20].to_owned();
    let script = vec![
        list("7", &["a"]),
        (watch_from("7"), whole),
        (watch_from("50"), events(&[event("DELETED", "a", "51"), half])),
        (watch_from("51"), silence()),
    ];
    check_rows(script, &["b"]);
}

/// Asked for again from the same version, they would come again.
#[test]
fn changes_that_cannot_be_read_are_listed() {
    let failed =
        format!("{}\n", json!({ "type": "ERROR", "object": { "kind": "Status", "code": 500, "reason": "InternalError" } }));
    let script = vec![
        list("7", &["a"]),
        (watch_from("7"), events(&[event("ADDED", "b", "8"), "{\"type\":\"NEWS\",\"object\":{}}\n".to_owned()])),
        list("20", &["a", "b", "c"]),
        (watch_from("20"), events(&[failed])),
        list("30", &["c"]),
        (watch_from("30"), silence()),
    ];
    check_rows(script, &["c"]);
}

/// The first list of one of several namespaces, which expires in its middle.
#[test]
fn a_first_list_that_expires_is_told() {
    let mut first = pod_list(&[pod("a")], "next");
    first["metadata"]["resourceVersion"] = json!("7");
    let script = [
        (get(PODS).query(&[("limit", "500")]), Answer::json(200, first.to_string())),
        (get(PODS).query(&[("limit", "500"), ("continue", "next")]), Answer::status(410, "Expired", "too old")),
    ];
    let fake = Fake::start(script);
    let place = Place::mount(fake.authority());
    let done = place.run(place.in_pod("127.0.0.1", fake.port()).args(WATCH));
    assert_eq!((done.code, done.stdout.as_str()), (4, ""), "{}", done.stderr);
    assert!(done.stderr.contains("410 Gone"), "{}", done.stderr);
}

#[test]
fn a_pod_that_was_not_asked_for_ends_the_watch() {
    let other = json!({ "type": "ADDED", "object": { "metadata": { "name": "x", "namespace": "other", "resourceVersion": "9" } } });
    let script = [list("7", &["a"]), (watch_from("7"), events(&[format!("{other}\n")]))];
    let fake = Fake::start(script);
    let place = Place::mount(fake.authority());
    let done = place.run(place.in_pod("127.0.0.1", fake.port()).args(WATCH));
    assert_eq!(done.code, 4, "{}", done.stderr);
    assert!(done.stderr.contains("error: the API server returned a pod that was not asked for\n"), "{}", done.stderr);
    assert!(!done.stdout.contains('x'), "{}", done.stdout);
}

#[test]
fn a_server_that_is_not_there_from_the_beginning_is_not_waited_for() {
    let script = [(get(PODS), Answer::status(403, "Forbidden", "pods is forbidden"))];
    let fake = Fake::start(script);
    let place = Place::mount(fake.authority());
    let done = place.run(place.in_pod("127.0.0.1", fake.port()).args(WATCH));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""), "{}", done.stderr);
}

/// An API server that ends a watch and is back before it is asked again: it may not know its roles yet.
#[test]
fn a_server_that_ends_a_watch_and_then_refuses_it_is_asked_again() {
    let forbidden = || Answer::status(403, "Forbidden", "pods is forbidden");
    let script = vec![
        list("7", &["a"]),
        (watch_from("7"), events(&[event("ADDED", "b", "8")])),
        (watch_from("8"), forbidden()),
        (watch_from("8"), forbidden()),
        (watch_from("8"), silence()),
    ];
    check_rows(script, &["a", "b"]);
}

#[test]
fn what_cannot_be_watched_is_refused_before_anything_is_asked() {
    for (flags, error) in [
        (&["-o", "csv"][..], "error: this format is not for `--watch`"),
        (&["--from", "x.json"], "error: `--watch` follows a cluster, and records nothing"),
        (&["--record", "x.json"], "error: `--watch` follows a cluster, and records nothing"),
    ] {
        let done = program::run(program::command().args(["run", "pod-names", "--watch", "-n", NAMESPACE]).args(flags));
        assert_eq!(done.code, 2, "{}", done.stderr);
        assert!(done.stderr.starts_with(error), "{}", done.stderr);
    }
    check(
        Fake::start([]),
        &["run", "pod-names", "--watch", "-o", "html"],
        2,
        &[],
        &[
            "error: this format is not for `--watch`",
            "hint: with `--watch`, print `table`, `wide`, `name`, `jsonl`, `json` or `yaml`",
        ],
    );
}
