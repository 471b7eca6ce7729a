//! Pods of every kind that the example queries tell apart, and a source of them that breaks off.

use podlens::kube::Pod;
use podlens::{Bounds, BoxFuture, Error, Page, PodPages, PodRequest, PodSource, ReadPod, Snapshot};
use serde_json::{Value, json};

/// A pod of `shop` with this status of its containers, as the API server writes them.
fn pod(name: &str, containers: &[Value]) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "namespace": "shop", "creationTimestamp": "2020-01-01T00:00:00Z" },
        "status": { "phase": "Running", "containerStatuses": containers },
    })
}

fn container(name: &str, restarts: u32, state: &Value, last: &Value) -> Value {
    json!({
        "name": name, "image": format!("registry.example.com/{name}:1"), "imageID": "", "ready": true, "restartCount": restarts,
        "state": state, "lastState": last,
    })
}

/// As `kubectl get pods -o json` writes them. Their times are long ago, so that an age in a table is the same for a whole day.
pub(crate) fn varied() -> Value {
    let running = json!({ "running": { "startedAt": "2020-01-02T03:04:05Z" } });
    let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    let ended = |code: i32, reason: &str, message: &str| {
        json!({ "terminated": {
            "exitCode": code, "reason": reason, "message": message,
            "startedAt": "2020-01-02T03:04:05Z", "finishedAt": "2020-01-03T04:05:06Z",
        } })
    };
    let bare = json!({ "terminated": { "exitCode": -1 } });
    let nothing = json!({});
    let mut pods = vec![
        pod("no-containers", &[]),
        pod("never-restarted", &[container("app", 0, &running, &nothing)]),
        pod("restarted", &[container("app", 3, &running, &ended(137, "OOMKilled", "")), container("proxy", 1, &running, &nothing)]),
        pod("down", &[container("app", 4, &ended(1, "Error", "now"), &ended(2, "Error", "before"))]),
        pod("waiting", &[container("app", 47, &waiting, &ended(139, "Error", "segfault"))]),
        pod("bare", &[container("app", u32::MAX >> 1, &waiting, &bare)]),
        pod("strange", &[container("app", 5, &running, &ended(1, "日本 😀 é", "line\nline\t\"quoted\", \u{1b}[31mred\u{202e}"))]),
        pod("long", &[container("app", 6, &running, &ended(1, "Error", &"long ".repeat(800)))]),
        pod("empty", &[container("app", 7, &running, &ended(1, "", ""))]),
    ];
    let mut elsewhere = pod("elsewhere", &[container("app", 9, &running, &ended(1, "Error", ""))]);
    elsewhere["metadata"]["namespace"] = "payments".into();
    pods.push(elsewhere);
    json!({ "apiVersion": "v1", "kind": "List", "items": pods })
}

/// The same pods in memory, on pages of two.
pub(crate) fn varied_in_memory() -> Snapshot {
    let pods = varied()["items"].as_array().expect("a list has items").iter().map(read).collect();
    Snapshot::new(pods).page_size(2)
}

fn read(pod: &Value) -> ReadPod {
    let pod: Pod = serde_json::from_value(pod.clone()).expect("it is written as a pod");
    ReadPod::new(&pod)
}

/// So many pods with two containers, of which three in four were restarted.
pub(crate) fn many(count: usize) -> Snapshot {
    let last = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled", "finishedAt": "2020-01-03T04:05:06Z" } });
    let running = json!({ "running": { "startedAt": "2020-01-02T03:04:05Z" } });
    let of_number = |number: usize| {
        let restarts = u32::try_from(number % 4).expect("it is below four");
        let containers = [container("app", restarts, &running, &last), container("proxy", 0, &running, &json!({}))];
        read(&pod(&format!("web-{number:05}"), &containers))
    };
    Snapshot::new((0..count).map(of_number).collect())
}

/// A list that fails with this error after its first page, and a get that does at once.
pub(crate) struct BreaksOff(pub(crate) Error);

impl PodSource for BreaksOff {
    fn list(&self, request: PodRequest) -> Box<dyn PodPages> {
        Box::new(OnePage { pages: varied_in_memory().list(request), error: Some(self.0.clone()), given: false })
    }

    fn get<'a>(&'a self, _: &'a PodRequest, _: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        Box::pin(async { Err(self.0.clone()) })
    }
}

struct OnePage {
    pages: Box<dyn PodPages>,
    error: Option<Error>,
    given: bool,
}

impl PodPages for OnePage {
    fn next(&mut self, bounds: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        if !std::mem::replace(&mut self.given, true) {
            return self.pages.next(bounds);
        }
        Box::pin(async { self.error.take().map_or(Ok(None), Err) })
    }
}
