//! The demo's pods: three nodes, five namespaces, and the troubles that a query is for.
//!
//! The table is all there is to edit; `workload.rs` is its vocabulary, `build.rs` makes pods of it, `status.rs` their states.
//! Ages are counted back from the moment the server starts; names and ids are the same at each start.

mod build;
mod status;
#[cfg(test)]
mod tests;
mod workload;

use jiff::Timestamp;

use self::workload::Health::{
    Completed, CrashLooping, Evicted, Failed, Healthy, ImageMissing, NotReady, Restarted, Terminating, Unschedulable,
};
use self::workload::{
    Container, Resources, Workload, bare, container, daemon_set, days, deployment, hours, job, minutes, stateful_set,
};
use crate::kube::Pod;

/// The cluster's resource version: nothing in it ever changes.
pub(super) const RESOURCE_VERSION: u64 = 184_467;

/// All pods as they are at `now`, in the table's order.
pub(super) fn pods(now: Timestamp) -> Vec<Pod> {
    let mut slots = build::Slots::default();
    WORKLOADS.iter().flat_map(|workload| build::pods_of(workload, now, &mut slots)).collect()
}

const TINY: Resources = Resources::new(("10m", ""), ("32Mi", "64Mi"));
const SMALL: Resources = Resources::new(("100m", ""), ("128Mi", "256Mi"));
const MEDIUM: Resources = Resources::new(("250m", "1"), ("512Mi", "1Gi"));
const LARGE: Resources = Resources::new(("1", "2"), ("2Gi", "4Gi"));
/// Requests and limits alike: the quality of service class `Guaranteed`.
const FIXED: Resources = Resources::new(("500m", "500m"), ("1Gi", "1Gi"));
const HUGE: Resources = Resources::new(("4", ""), ("96Gi", "96Gi"));
const NO_LIMITS: Resources = Resources::new(("100m", ""), ("128Mi", ""));
const NONE: Resources = Resources::new(("", ""), ("", ""));

const REPORT: Container = container("report", "registry.example.com/data/report:3.1.0", MEDIUM);
const EXPORT: Container = container("export", "registry.example.com/payments/api:5.2.0", SMALL);
const IMPORT: Container = container("import", "registry.example.com/shop/catalog-import:0.9.3", LARGE);

const COREDNS: Container = container("coredns", "registry.k8s.io/coredns/coredns:v1.13.1", SMALL).probed();
const KUBE_PROXY: Container = container("kube-proxy", "registry.k8s.io/kube-proxy:v1.37.2", NONE).privileged();
const METRICS: Container = container("metrics-server", "registry.k8s.io/metrics-server/metrics-server:v0.8.0", NO_LIMITS).probed();

const ALERTMANAGER: Container = container("alertmanager", "quay.io/prometheus/alertmanager:v0.29.0", SMALL).probed();
const GRAFANA: Container = container("grafana", "docker.io/grafana/grafana:12.2.1", SMALL).probed();
const NODE_EXPORTER: Container = container("node-exporter", "quay.io/prometheus/node-exporter:v1.10.2", TINY);
const PROMETHEUS: Container = container("prometheus", "quay.io/prometheus/prometheus:v3.7.3", LARGE).probed();
const RELOADER: Container = container("config-reloader", "quay.io/prometheus-operator/prometheus-config-reloader:v0.86.1", TINY);

/// The image of [`EXPORT`], by digest.
const API: Container = container("api", "registry.example.com/payments/api:5.2.0", FIXED).pinned().probed();
const SCORER: Container = container("scorer", "registry.example.com/risk/fraud-scorer:1.0.0-rc.2", HUGE).probed();
const BACKUP: Container = container("backup", "registry.example.com/platform/wal-backup:2.0.4", TINY);
const POSTGRES: Container = container("postgres", "docker.io/library/postgres:17.6", FIXED).pinned().probed();
const SETTLEMENT: Container = container("settlement", "registry.example.com/payments/settlement:5.2.0", SMALL).pinned().probed();

const CART: Container = container("cart", "registry.example.com/shop/cart:1.18.0", SMALL).probed();
const CHECKOUT: Container = container("checkout", "registry.example.com/shop/checkout:4.0.2", MEDIUM).probed();
const SHELL: Container = container("shell", "docker.io/library/busybox:latest", NONE);
const PODLENS: Container = container("podlens", "registry.example.com/platform/podlens:0.1.0", SMALL).pinned().probed();
const PROXY: Container = container("proxy", "registry.example.com/mesh/proxy:1.9.0", TINY);
const RECOMMENDATIONS: Container = container("recommendations", "registry.example.com/shop/recommendations:2.3.0", MEDIUM).probed();
const NEXT_RECOMMENDATIONS: Container =
    container("recommendations", "registry.example.com/shop/recommendations:2.4.0", MEDIUM).probed();
const REDIS: Container = container("redis", "docker.io/library/redis:8.2", NO_LIMITS).probed();
const SEARCH: Container = container("search", "registry.example.com/shop/search:7.5.1", MEDIUM).probed();
const WEB: Container = container("web", "registry.example.com/shop/web:2.14.0", SMALL).pinned().probed();
const LAST_WEB: Container = container("web", "registry.example.com/shop/web:2.13.4", SMALL).probed();

const WORKLOADS: &[Workload] = &[
    // Namespace, name, team, age, and how each of its pods is.
    job("batch", "catalog-import", "shop", minutes(23), &[Healthy]).runs(&[IMPORT]),
    job("batch", "ledger-export-29389200", "payments", hours(9), &[Failed]).runs(&[EXPORT]),
    job("batch", "nightly-report-29388060", "data", hours(28), &[Completed]).runs(&[REPORT]),
    job("batch", "nightly-report-29389500", "data", hours(4), &[Completed]).runs(&[REPORT]),
    deployment("kube-system", "coredns", "platform", days(41), &[Healthy, Restarted { restarts: 1, ago: days(12) }])
        .runs(&[COREDNS])
        .priority("system-cluster-critical", 2_000_000_000),
    daemon_set("kube-system", "kube-proxy", "platform", days(41), &[Healthy; 3])
        .runs(&[KUBE_PROXY])
        .host_network()
        .host_paths(&["/run/xtables.lock", "/lib/modules"])
        .priority("system-node-critical", 2_000_001_000),
    deployment("kube-system", "metrics-server", "platform", days(41), &[Restarted { restarts: 3, ago: days(2) }])
        .runs(&[METRICS])
        .priority("system-cluster-critical", 2_000_000_000),
    stateful_set("monitoring", "alertmanager", "platform", days(19), &[Healthy; 2]).runs(&[ALERTMANAGER]),
    deployment("monitoring", "grafana", "platform", days(8), &[Healthy]).runs(&[GRAFANA]),
    daemon_set("monitoring", "node-exporter", "platform", days(19), &[Healthy; 3])
        .runs(&[NODE_EXPORTER])
        .host_network()
        .host_pid()
        .host_paths(&["/proc", "/sys", "/"]),
    stateful_set("monitoring", "prometheus", "platform", days(19), &[Restarted { restarts: 2, ago: days(5) }])
        .runs(&[PROMETHEUS, RELOADER]),
    deployment("payments", "api", "payments", days(3), &[Healthy, Healthy, Restarted { restarts: 1, ago: hours(20) }])
        .runs(&[API])
        .priority("business-critical", 100_000),
    deployment("payments", "fraud-scorer", "risk", minutes(47), &[Unschedulable]).runs(&[SCORER]),
    stateful_set("payments", "ledger", "payments", days(27), &[Healthy; 3])
        .sidecar(BACKUP)
        .runs(&[POSTGRES])
        .priority("business-critical", 100_000),
    deployment("payments", "settlement", "payments", days(3), &[Evicted, Healthy]).runs(&[SETTLEMENT]),
    deployment("shop", "cart", "cart", days(6), &[Healthy, Healthy, NotReady { since: minutes(38) }]).runs(&[CART]),
    deployment("shop", "checkout", "checkout", days(2), &[Restarted { restarts: 4, ago: hours(7) }, Healthy])
        .runs(&[CHECKOUT, PROXY]),
    bare("shop", "debug-anna", "platform", hours(53), &[Healthy]).runs(&[SHELL]),
    deployment("shop", "podlens", "platform", days(1), &[Healthy]).runs(&[PODLENS]).service_account("podlens"),
    deployment("shop", "recommendations", "search", days(15), &[Healthy]).runs(&[RECOMMENDATIONS]),
    // The next ReplicaSet of the same Deployment, which cannot start.
    deployment("shop", "recommendations", "search", minutes(64), &[ImageMissing]).runs(&[NEXT_RECOMMENDATIONS]),
    stateful_set("shop", "redis", "cart", days(33), &[Healthy; 2]).runs(&[REDIS]),
    deployment("shop", "search", "search", days(6), &[CrashLooping { restarts: 47 }, CrashLooping { restarts: 12 }, Healthy])
        .runs(&[SEARCH]),
    deployment("shop", "web", "web", days(1), &[Healthy; 4]).runs(&[WEB, PROXY]),
    // What is left of the release before: its node went silent while it was being deleted.
    deployment("shop", "web", "web", days(9), &[Terminating { since: hours(25) }]).runs(&[LAST_WEB, PROXY]),
];
