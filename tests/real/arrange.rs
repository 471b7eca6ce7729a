//! What the tests of this lane arrange: the cluster that they share, `podlens` as if in a pod of it, and a run that stands still.

use std::ffi::OsStr;
use std::io::Read as _;
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use podlens_tests::cluster::{Cluster, Mount, Namespace, Options};
use podlens_tests::program::{self, Done};
use serde_json::{Value, json};

/// For what the API server does a moment later: an audit event, a token that is no longer valid. Seconds are the most that is met.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The cluster that the tests share. It writes an audit log, which tells one test's requests from another's by their namespace.
pub(crate) fn cluster() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(&Options { audit_log: true, ..Options::default() }))
}

/// A namespace, and the mount of a pod in it whose service account may get and list its pods.
pub(crate) fn reader(cluster: &Cluster, prefix: &str) -> (Namespace, Mount) {
    let namespace = cluster.namespace(prefix);
    cluster.grant_pods(&namespace, "default", &["get", "list"]);
    let mount = cluster.mount(&namespace, "default");
    (namespace, mount)
}

/// `podlens` as in a pod of this cluster that has this mount.
pub(crate) fn in_pod(cluster: &Cluster, mount: &Mount) -> Command {
    in_pod_at(cluster.address(), mount)
}

/// As [`in_pod`], with the API server at this address.
pub(crate) fn in_pod_at(address: SocketAddr, mount: &Mount) -> Command {
    let mut command = program::command();
    command
        .env("KUBERNETES_SERVICE_HOST", address.ip().to_string())
        .env("KUBERNETES_SERVICE_PORT", address.port().to_string())
        .env("PODLENS_SERVICE_ACCOUNT_DIR", mount.path());
    command
}

/// `podlens` with this kubeconfig.
pub(crate) fn with_kubeconfig(path: impl AsRef<OsStr>) -> Command {
    let mut command = program::command();
    command.env("KUBECONFIG", path);
    command
}

/// What kubectl answers as the cluster's admin.
pub(crate) fn kubectl<I: IntoIterator<Item: AsRef<OsStr>>>(cluster: &Cluster, arguments: I) -> Done {
    program::run(cluster.kubectl().args(arguments))
}

/// The smallest pod that the API server takes.
pub(crate) fn tiny_pod(name: &str) -> Value {
    json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "app", "image": "registry.example.com/app:1" }] } })
}

/// What ran without an error and said nothing besides its answer.
#[track_caller]
pub(crate) fn answer(done: Done) -> String {
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "stdout: {}", done.stdout);
    done.stdout
}

/// Waits until `look` gives something.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "never seen: {what}");
        thread::sleep(LOOK_INTERVAL);
    }
}

/// The requests that `podlens` has made for the pods of this namespace, oldest first, as status code and URI.
pub(crate) fn requests(cluster: &Cluster, namespace: &str) -> Vec<(u64, String)> {
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let request = |event: Value| {
        let uri = event["requestURI"].as_str()?;
        let by_podlens = event["userAgent"].as_str()?.starts_with("podlens/");
        let code = event["responseStatus"]["code"].as_u64()?;
        (by_podlens && uri.starts_with(&path)).then(|| (code, uri.to_owned()))
    };
    cluster.audit_events().into_iter().filter_map(request).collect()
}

/// [`requests`], once there are `count` of them: an event is written a moment after its answer.
#[track_caller]
pub(crate) fn requests_when(cluster: &Cluster, namespace: &str, count: usize) -> Vec<(u64, String)> {
    eventually(&format!("{count} requests for the pods of `{namespace}`"), || {
        Some(requests(cluster, namespace)).filter(|requests| requests.len() >= count)
    })
}

/// How many pods a [`Held`] run has to list for its last page not to be asked for before it goes on.
pub(crate) const HELD_PODS: usize = 2_001;

/// How many pages of those it has asked for while it is held: one that the guest works on, one that waits for it, one that waits for
/// room, and the one after that.
pub(crate) const HELD_PAGES: usize = 4;

/// A run over [`HELD_PODS`] pods that nobody reads on from, so that it stands still in its first page.
///
/// The guest tells all that a pod has, more than 2 KB a row: a pipe, a buffer before it, and a channel of 256 rows are full before it has
/// gone through the 500 pods of a page.
pub(crate) struct Held {
    child: Child,
    stdout: ChildStdout,
    read: Vec<u8>,
}

impl Held {
    /// Starts a run by this command, and returns when its first rows have come.
    pub(crate) fn start(mut command: Command, namespace: &str) -> Self {
        command.args(["run", podlens_tests::guests::DESCRIBES_EVERYTHING, "-o", "json", "-n", namespace]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("podlens can be started");
        let mut stdout = child.stdout.take().expect("it is piped");
        let mut read = vec![0; 4096];
        if let Err(error) = stdout.read_exact(&mut read) {
            let output = child.wait_with_output().expect("it can be waited for");
            panic!("the run ends before it answers ({error}): {}", String::from_utf8_lossy(&output.stderr));
        }
        Self { child, stdout, read }
    }

    /// Reads on to the end of the run.
    pub(crate) fn finish(mut self) -> Done {
        self.stdout.read_to_end(&mut self.read).expect("a pipe can be read");
        let output = self.child.wait_with_output().expect("it can be waited for");
        Done {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(self.read).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

/// Creates the pods of a [`Held`] run, and returns their names in the order of a list.
pub(crate) fn held_pods(cluster: &Cluster, namespace: &str) -> Vec<String> {
    let name = |index| format!("pod-{index:04}");
    cluster.create_pods(namespace, HELD_PODS, |index| tiny_pod(&name(index)));
    (0..HELD_PODS).map(name).collect()
}

/// The names in an answer of `-o json`, in its order.
#[track_caller]
pub(crate) fn names(json: &str) -> Vec<String> {
    let rows: Vec<Value> = serde_json::from_str(json).expect("the answer is a JSON array");
    rows.iter().map(|row| row["name"].as_str().expect("each row has a name").to_owned()).collect()
}
