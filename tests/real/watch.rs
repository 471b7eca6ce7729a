//! `podlens run --watch`: an answer that follows the cluster, also past restarts of its API server.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use podlens_tests::cluster::{Cluster, Mount, Namespace, Options};
use podlens_tests::program;
use serde_json::{Value, json};

use crate::arrange::{cluster, in_pod, reader, tiny_pod};

/// How long a change may take to be shown. Most are within a second; the API server's restart takes some.
const PATIENCE: Duration = Duration::from_secs(60);

/// A watch under way, and the lines that it prints.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("podlens starts");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a change is shown")
    }

    /// The next change, as its kind and the name in its row.
    #[track_caller]
    fn change(&self) -> (String, String) {
        let line: Value = serde_json::from_str(&self.line()).expect("each line is JSON");
        let text = |value: &Value| value.as_str().expect("it is text").to_owned();
        (text(&line["type"]), text(&line["object"]["name"]))
    }

    #[track_caller]
    fn expect(&self, kind: &str, name: &str) {
        assert_eq!(self.change(), (kind.to_owned(), name.to_owned()));
    }

    /// Ctrl-C. Gives the exit code and standard error.
    fn interrupt(mut self) -> (Option<i32>, String) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().expect("there is a kill");
        assert!(sent.success());
        let code = self.child.wait().expect("it ends").code();
        let mut stderr = String::new();
        self.child.stderr.take().expect("it is piped").read_to_string(&mut stderr).expect("it is text");
        (code, stderr)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // One that has ended needs no end.
        let _ = self.child.kill();
    }
}

fn watcher(cluster: &Cluster, prefix: &str) -> (Namespace, Mount) {
    let namespace = cluster.namespace(prefix);
    cluster.grant_pods(&namespace, "default", &["get", "list", "watch"]);
    let mount = cluster.mount(&namespace, "default");
    (namespace, mount)
}

fn watch(cluster: &Cluster, mount: &Mount, arguments: &[&str]) -> Watching {
    let mut command = in_pod(cluster, mount);
    command.args(["run", "--watch"]).args(arguments);
    Watching::start(command)
}

fn delete(cluster: &Cluster, namespace: &str, name: &str) {
    cluster.delete(&format!("/api/v1/namespaces/{namespace}/pods/{name}?gracePeriodSeconds=0"));
}

#[test]
fn rows_come_and_go_with_their_pods() {
    let cluster = cluster();
    let (namespace, mount) = watcher(cluster, "watch");
    cluster.create_pod(&namespace, tiny_pod("a"));
    let watching = watch(cluster, &mount, &["pod-names", "-o", "jsonl"]);
    watching.expect("ADDED", "a");
    cluster.create_pod(&namespace, tiny_pod("b"));
    watching.expect("ADDED", "b");
    delete(cluster, &namespace, "a");
    watching.expect("DELETED", "a");
    assert_eq!(watching.interrupt(), (Some(0), String::new()));
}

#[test]
fn a_selector_follows_what_pods_become() {
    let cluster = cluster();
    let (namespace, mount) = watcher(cluster, "select");
    cluster.create_pod(&namespace, tiny_pod("a"));
    let watching = watch(cluster, &mount, &["pod-names", "-o", "jsonl", "-l", "team=x"]);
    let path = format!("/api/v1/namespaces/{namespace}/pods/a");
    cluster.patch(&path, &json!({ "metadata": { "labels": { "team": "x" } } }));
    watching.expect("ADDED", "a");
    cluster.patch(&path, &json!({ "metadata": { "labels": { "team": "y" } } }));
    watching.expect("DELETED", "a");
    assert_eq!(watching.interrupt().0, Some(0));
}

#[test]
fn a_table_is_printed_again_when_it_differs() {
    let cluster = cluster();
    let (namespace, mount) = watcher(cluster, "table");
    cluster.create_pod(&namespace, tiny_pod("a"));
    let watching = watch(cluster, &mount, &["pod-names", "--no-headers"]);
    assert_eq!(watching.line(), format!("{}   a", &*namespace));
    // A change that no row shows.
    cluster.patch(&format!("/api/v1/namespaces/{namespace}/pods/a"), &json!({ "metadata": { "labels": { "seen": "no" } } }));
    thread::sleep(Duration::from_secs(2));
    cluster.create_pod(&namespace, tiny_pod("b"));
    let lines = [watching.line(), watching.line(), watching.line()];
    assert_eq!(lines, [String::new(), format!("{}   a", &*namespace), format!("{}   b", &*namespace)]);
    assert_eq!(watching.interrupt().0, Some(0));
}

#[test]
fn a_watch_outlives_restarts_of_the_api_server() {
    let cluster = Cluster::start(&Options::default());
    let (namespace, mount) = watcher(&cluster, "restart");
    cluster.create_pod(&namespace, tiny_pod("a"));
    let watching = watch(&cluster, &mount, &["pod-names", "-o", "jsonl"]);
    watching.expect("ADDED", "a");
    for (stop, name) in [(Cluster::kill_api_server as fn(&Cluster), "b"), (Cluster::terminate_api_server, "c")] {
        stop(&cluster);
        thread::sleep(Duration::from_secs(3));
        cluster.start_api_server();
        cluster.create_pod(&namespace, tiny_pod(name));
        watching.expect("ADDED", name);
    }
    delete(&cluster, &namespace, "a");
    watching.expect("DELETED", "a");
    let (code, stderr) = watching.interrupt();
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn watching_takes_its_own_verb() {
    let cluster = cluster();
    let (_namespace, mount) = reader(cluster, "nowatch");
    let done = program::run(in_pod(cluster, &mount).args(["run", "pod-names", "--watch"]));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.starts_with("error: the pods can be listed, but not watched\n"), "{}", done.stderr);
    assert!(done.stderr.contains("hint: a watch takes the verb `watch` on pods"), "{}", done.stderr);
}
