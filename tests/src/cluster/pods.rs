//! Pods as a busy cluster has them, and many of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::Cluster;

/// Requests in flight while pods are created. 8 are slower, 32 are not faster: kube-apiserver's CPU is the bound, about
/// 5 ms for a [`realistic_pod`].
const CREATORS: usize = 16;

impl Cluster {
    /// Creates `count` pods, `pod(0)` to `pod(count - 1)`, in no particular order. A `status` in them is written too,
    /// as a kubelet would.
    pub fn create_pods(&self, namespace: &str, count: usize, pod: impl Fn(usize) -> Value + Sync) {
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..CREATORS.min(count) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= count {
                            return;
                        }
                        self.create_pod(namespace, pod(index));
                    }
                });
            }
        });
    }

    /// Creates a pod, with its `status` if it has one. Returns what the API server made of it.
    pub fn create_pod(&self, namespace: &str, mut pod: Value) -> Value {
        // Ignored in a POST.
        let status = pod.as_object_mut().and_then(|pod| pod.remove("status"));
        let created = self.post(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
        match status {
            Some(status) => {
                let name = created["metadata"]["name"].as_str().expect("a created object has a name");
                let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/status");
                // The spec is ignored in a PUT of the status.
                self.put(&path, &json!({ "metadata": created["metadata"], "status": status }))
            }
            None => created,
        }
    }

    /// Changes a pod's status by a merge patch, as a kubelet does when containers change.
    pub fn set_pod_status(&self, namespace: &str, name: &str, status: &Value) -> Value {
        self.patch(&format!("/api/v1/namespaces/{namespace}/pods/{name}/status"), &json!({ "status": status }))
    }
}

/// The team label of [`realistic_pod`]s, by index.
const TEAMS: [&str; 5] = ["payments", "search", "identity", "billing", "platform"];

/// A pod as one sees them in production, about 9.8 KB as protobuf in a list. The same index is always the same pod.
///
/// Two containers with probes, 10 variables, volumes and resources; an owner; a node; a full status. What a query may
/// count on, with `index` as `i`:
///
/// - name `web-00042`, label `team` by `i % 5`, label `app=web`, node `node-017` by `i % 50`, owned by ReplicaSet `web`;
/// - container `app` restarted `i % 4` times, its last termination `OOMKilled` (137) when `i` is odd, else `Error` (1);
/// - container `proxy` never restarted;
/// - each tenth pod (`i % 10 == 9`) is not ready: `app` waits in `CrashLoopBackOff`.
pub fn realistic_pod(index: usize) -> Value {
    let name = format!("web-{index:05}");
    let team = TEAMS[index % TEAMS.len()];
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {
                "app": "web",
                "team": team,
                "app.kubernetes.io/name": "web",
                "app.kubernetes.io/instance": format!("web-{team}"),
                "app.kubernetes.io/version": format!("2.{}.0", index % 7),
                "app.kubernetes.io/managed-by": "Helm",
                "pod-template-hash": "6b7f9c54d8",
            },
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "9090",
                "kubectl.kubernetes.io/restartedAt": "2026-10-01T08:00:00Z",
                "checksum/config": "4f0a1d1c6d0f5a3c2b1e9f8d7c6b5a4938271605f4e3d2c1b0a9f8e7d6c5b4a3",
                "example.com/owner": format!("team-{team}@example.com"),
            },
            "ownerReferences": [{
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": "web",
                "uid": "6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11",
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "nodeName": format!("node-{:03}", index % 50),
            "serviceAccountName": "default",
            "terminationGracePeriodSeconds": 30,
            "securityContext": { "runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [
                container("app", "registry.example.com/shop/web", 8080, 4),
                container("proxy", "registry.example.com/mesh/proxy", 15021, 2),
            ],
            "volumes": [
                { "name": "config", "configMap": { "name": "web-config" } },
                { "name": "certificates", "secret": { "secretName": "web-certificates" } },
                { "name": "cache", "emptyDir": { "sizeLimit": "1Gi" } },
            ],
            "topologySpreadConstraints": [{
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": { "matchLabels": { "app": "web" } },
            }],
        },
        "status": status(index),
    })
}

fn container(name: &str, repository: &str, port: u16, variables: usize) -> Value {
    let probe = |path: &str| json!({ "httpGet": { "path": path, "port": "http", "scheme": "HTTP" }, "periodSeconds": 10, "timeoutSeconds": 2 });
    let mut environment: Vec<_> = (0..variables)
        .map(|number| {
            json!({
                "name": format!("WEB_SETTING_{number:02}"),
                "value": format!("https://service-{number:02}.shop.svc.cluster.local:8443/api/v1/endpoint"),
            })
        })
        .collect();
    environment.extend([
        json!({ "name": "POD_NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }),
        json!({ "name": "DATABASE_PASSWORD", "valueFrom": { "secretKeyRef": { "name": "web-database", "key": "password" } } }),
    ]);
    json!({
        "name": name,
        "image": format!("{repository}:2.4.1"),
        "args": ["--listen=:8080", "--log-format=json", "--log-level=info", "--shutdown-timeout=25s"],
        "ports": [{ "name": "http", "containerPort": port, "protocol": "TCP" }],
        "env": environment,
        "resources": {
            "requests": { "cpu": "250m", "memory": "256Mi" },
            "limits": { "cpu": "1", "memory": "512Mi" },
        },
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/readyz"),
        "startupProbe": probe("/startedz"),
        "volumeMounts": [
            { "name": "config", "mountPath": "/etc/web", "readOnly": true },
            { "name": "certificates", "mountPath": "/etc/certificates", "readOnly": true },
            { "name": "cache", "mountPath": "/var/cache/web" },
        ],
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        },
    })
}

fn status(index: usize) -> Value {
    let ready = index % 10 != 9;
    let condition = |kind: &str, ready: bool| {
        json!({
            "type": kind,
            "status": if ready { "True" } else { "False" },
            "lastTransitionTime": "2026-11-02T10:00:05Z",
            "observedGeneration": 1,
        })
    };
    let address = format!("10.{}.{}.{}", index / 62_500 % 250, index / 250 % 250, index % 250 + 1);
    let node_address = format!("192.168.10.{}", index % 50 + 1);
    json!({
        "phase": "Running",
        "qosClass": "Burstable",
        "startTime": "2026-11-02T10:00:00Z",
        "hostIP": node_address,
        "hostIPs": [{ "ip": node_address }],
        "podIP": address,
        "podIPs": [{ "ip": address }],
        "conditions": [
            condition("PodReadyToStartContainers", true),
            condition("Initialized", true),
            condition("Ready", ready),
            condition("ContainersReady", ready),
            condition("PodScheduled", true),
        ],
        "containerStatuses": [app_status(index, ready), proxy_status()],
    })
}

fn app_status(index: usize, ready: bool) -> Value {
    let restarts = index % 4;
    let (reason, exit_code) = if index % 2 == 1 { ("OOMKilled", 137) } else { ("Error", 1) };
    let last_state = json!({ "terminated": {
        "exitCode": exit_code,
        "reason": reason,
        "startedAt": "2026-11-02T10:00:02Z",
        "finishedAt": "2026-11-02T11:30:00Z",
        "containerID": container_id("0"),
    }});
    let waiting = json!({ "waiting": {
        "reason": "CrashLoopBackOff",
        "message": "back-off 5m0s restarting failed container=app",
    }});
    json!({
        "name": "app",
        "image": "registry.example.com/shop/web:2.4.1",
        "imageID": image_id("shop/web"),
        "containerID": container_id("a"),
        "ready": ready,
        "started": ready,
        "restartCount": restarts,
        "state": if ready { running("2026-11-02T11:30:05Z") } else { waiting },
        "lastState": if restarts > 0 { last_state } else { json!({}) },
    })
}

fn proxy_status() -> Value {
    json!({
        "name": "proxy",
        "image": "registry.example.com/mesh/proxy:2.4.1",
        "imageID": image_id("mesh/proxy"),
        "containerID": container_id("b"),
        "ready": true,
        "started": true,
        "restartCount": 0,
        "state": running("2026-11-02T10:00:03Z"),
        "lastState": {},
    })
}

fn running(since: &str) -> Value {
    json!({ "running": { "startedAt": since } })
}

fn container_id(digit: &str) -> String {
    format!("containerd://{}", digit.repeat(64))
}

fn image_id(repository: &str) -> String {
    format!("registry.example.com/{repository}@sha256:{}", "c".repeat(64))
}
