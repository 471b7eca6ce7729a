//! What the server counts, for Prometheus.
//!
//! Labels are closed: no name of a pod, namespace or query, no selector and no error's text is ever one, and neither is the name of a tenant
//! that the policy does not have. So the number of series is bounded, below 2,000, whatever is asked and by whom: `bounded.rs` sees to it
//! where words alone would allow more. What does not fit is counted under `other`.
//!
//! `labels.rs` has the words, `process.rs` what the system tells of this process. The dashboard for all this is `deploy/grafana/podlens.json`.

mod bounded;
mod labels;
mod process;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub(crate) use labels::{CacheLookup, HttpRejection, Route, SpanEnd, known_method};

use super::audit::{CallResponse, Verb};
use super::outcome::Outcome;
use super::policy::TenantName;
use bounded::{Bounded, Room};
use labels::{Label, OTHER};
use process::Process;

/// What [`Metrics::encode`] gives.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Tenants that have a label of their own. With what each of them has for certain these are 1,400 series.
const MAX_TENANTS: usize = 200;

/// Series that tenants share for how their runs ended other than well, and for limits: each begins to exist with the first such run, and
/// where there is no room for one more, that run is counted for the tenant `other`.
const ENDINGS: usize = 250;

/// Series of `podlens_http_requests_total`. A real server has some 30.
const HTTP_REQUESTS: usize = 100;

/// Series of `rest_client_requests_total`: an API server chooses its codes.
const REST_REQUESTS: usize = 40;

/// From an answer out of the cache to the longest run there is.
const RUN_SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 300.0];

/// Fewer, for there is one of these for each route and method.
const REQUEST_SECONDS: [f64; 7] = [0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0];

/// From the least memory that a component has to what a policy can allow.
const MEMORY_BYTES: [f64; 6] = [1048576.0, 4194304.0, 16777216.0, 67108864.0, 268435456.0, 1073741824.0];

type Labels<const N: usize> = [(&'static str, Label); N];
type Number = Gauge<u64, AtomicU64>;
type Seconds = Counter<f64, AtomicU64>;
type Histograms = Family<Labels<1>, Histogram, fn() -> Histogram>;

/// Counts. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    /// The tenants with labels of their own. Held to read while one is used, so that none is removed meanwhile.
    tenants: RwLock<HashMap<TenantName, Label>>,

    runs: Bounded<2>,
    limit_kills: Bounded<2>,
    run_duration: Histogram,
    run_queue: Histogram,
    runs_in_flight: Number,
    runs_queued: Number,
    guest_cpu: Family<Labels<1>, Seconds>,
    guest_memory: Histogram,
    guest_memory_time: Family<Labels<1>, Seconds>,
    host_calls: Family<Labels<1>, Counter>,
    pods: Family<Labels<1>, Counter>,
    response_bytes: Family<Labels<1>, Counter>,
    rows: Family<Labels<1>, Counter>,

    http_requests: Bounded<3>,
    http_request_duration: Histograms,
    http_rejected: Family<Labels<1>, Counter>,

    rest_requests: Bounded<2>,
    rest_request_duration: Histograms,

    cache_pods: Number,
    cache_bytes: Number,
    cache_watches: Number,
    cache_lists: Counter,
    cache_lookups: Family<Labels<1>, Counter>,

    audit_records: Family<Labels<1>, Counter>,
    policy_reloads: Family<Labels<1>, Counter>,
    trace_spans: Family<Labels<1>, Counter>,
    postcheck_violations: Counter,
    panics: Counter,
}

/// What a run was and has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunEnded {
    pub(crate) outcome: Outcome,
    /// How long it waited for a slot.
    pub(crate) queued: Duration,
    /// From its slot to its end.
    pub(crate) elapsed: Duration,
    pub(crate) cpu: Duration,
    pub(crate) peak_memory_bytes: u64,
    pub(crate) host_calls: u64,
    pub(crate) pods: u64,
    pub(crate) response_bytes: u64,
    pub(crate) rows: u64,
}

/// What is in the cache.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CacheSize {
    pub(crate) pods: u64,
    pub(crate) bytes: u64,
    pub(crate) watches: u64,
}

impl Metrics {
    /// With no tenant but `other`.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let endings = Room::new(ENDINGS);
        let ours = registry.sub_registry_with_prefix("podlens");
        ours.register("build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let runs = Bounded::new(endings.clone(), |labels: &Labels<2>| [(labels[0].0, OTHER), labels[1].clone()]);
        let limit_kills = Bounded::new(endings, |labels: &Labels<2>| [(labels[0].0, OTHER), labels[1].clone()]);
        let http_requests =
            Bounded::new(Room::new(HTTP_REQUESTS), |labels: &Labels<3>| labels.clone().map(|(name, _)| (name, OTHER)));
        let rest_requests =
            Bounded::new(Room::new(REST_REQUESTS), |labels: &Labels<2>| labels.clone().map(|(name, _)| (name, OTHER)));

        macro_rules! register {
            ($registry:ident, $name:literal, $help:literal, $metric:expr) => {{
                let metric = $metric;
                $registry.register($name, $help, metric.clone());
                metric
            }};
        }
        ours.register("runs", "Runs that ended, by how", runs.family());
        ours.register("limit_kills", "Runs that a limit ended, by which", limit_kills.family());
        ours.register("http_requests", "Requests that were answered", http_requests.family());
        let run_duration =
            register!(ours, "run_duration_seconds", "Time from a run's slot to its end", Histogram::new(RUN_SECONDS));
        let run_queue = register!(ours, "run_queue_seconds", "Time that a run waited for its slot", Histogram::new(RUN_SECONDS));
        let runs_in_flight = register!(ours, "runs_in_flight", "Runs that have a slot now", Number::default());
        let runs_queued = register!(ours, "runs_queued", "Runs that wait for a slot now", Number::default());
        let guest_cpu =
            register!(ours, "guest_cpu_seconds", "Processor time of runs, and of the host's work for them", Family::default());
        let guest_memory =
            register!(ours, "guest_memory_bytes", "The most memory that a run had at one time", Histogram::new(MEMORY_BYTES));
        let guest_memory_time = register!(
            ours,
            "guest_memory_byte_seconds",
            "The most memory that each run had at one time, times how long the run was",
            Family::default()
        );
        let host_calls = register!(ours, "host_calls", "Calls of queries to the host", Family::default());
        let pods = register!(ours, "pods", "Pods that were read for queries", Family::default());
        let response_bytes = register!(ours, "response_bytes", "Bytes of the answers that those pods came in", Family::default());
        let rows = register!(ours, "rows", "Rows that queries emitted", Family::default());
        let http_request_duration = register!(
            ours,
            "http_request_duration_seconds",
            "Time from a request to the end of its answer",
            Histograms::new_with_constructor(requests)
        );
        let http_rejected =
            register!(ours, "http_rejected", "Requests that were turned away before their route", Family::default());
        let cache_pods = register!(ours, "cache_pods", "Pods in the cache now", Number::default());
        let cache_bytes = register!(ours, "cache_bytes", "Bytes of memory that they have", Number::default());
        let cache_watches = register!(ours, "cache_watches", "Watches that keep them as they are now", Number::default());
        let cache_lists = register!(ours, "cache_lists", "Lists that were read to fill the cache", Counter::default());
        let cache_lookups = register!(ours, "cache_lookups", "Runs that asked the cache, by what it had", Family::default());
        let audit_records = register!(ours, "audit_records", "Lines of the audit log", Family::default());
        let trace_spans = register!(ours, "trace_spans", "Spans of traces, by what became of them", Family::default());
        let policy_reloads = register!(ours, "policy_reloads", "Times that the policy was read again", Family::default());
        let postcheck_violations =
            register!(ours, "postcheck_violations", "Pods in answers that were not asked for; must stay 0", Counter::default());
        let panics = register!(ours, "panics", "Panics of the server; must stay 0", Counter::default());
        // As client-go calls them, so that dashboards for it show these.
        registry.register("rest_client_requests", "Requests to the API server", rest_requests.family());
        let rest_request_duration = register!(
            registry,
            "rest_client_request_duration_seconds",
            "Time from a request to the API server to its answer",
            Histograms::new_with_constructor(requests)
        );
        registry.register_collector(Box::new(Process));

        Self(Arc::new(Inner {
            registry,
            tenants: RwLock::default(),
            runs,
            limit_kills,
            run_duration,
            run_queue,
            runs_in_flight,
            runs_queued,
            guest_cpu,
            guest_memory,
            guest_memory_time,
            host_calls,
            pods,
            response_bytes,
            rows,
            http_requests,
            http_request_duration,
            http_rejected,
            rest_requests,
            rest_request_duration,
            cache_pods,
            cache_bytes,
            cache_watches,
            cache_lists,
            cache_lookups,
            audit_records,
            policy_reloads,
            trace_spans,
            postcheck_violations,
            panics,
        }))
    }

    /// Gives the tenants of a policy labels of their own, as many as there may be, in the order given. What was counted for tenants that are
    /// gone is forgotten.
    pub(crate) fn set_tenants<'a>(&self, names: impl IntoIterator<Item = &'a TenantName>) {
        let metrics = &*self.0;
        let wanted: HashMap<_, _> =
            names.into_iter().take(MAX_TENANTS).map(|name| (name.clone(), Label::from(name.as_str().to_owned()))).collect();
        let mut tenants = metrics.tenants.write().unwrap_or_else(PoisonError::into_inner);
        for (_, label) in tenants.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
            for outcome in labels::OUTCOMES {
                metrics.runs.remove(&[("tenant", label.clone()), ("outcome", outcome.into())]);
            }
            for limit in labels::limits().map(Label::from).chain([OTHER]) {
                metrics.limit_kills.remove(&[("tenant", label.clone()), ("limit", limit)]);
            }
            let labels = [("tenant", label.clone())];
            metrics.guest_cpu.remove(&labels);
            metrics.guest_memory_time.remove(&labels);
            for family in [&metrics.host_calls, &metrics.pods, &metrics.response_bytes, &metrics.rows] {
                family.remove(&labels);
            }
        }
        *tenants = wanted;
    }

    /// A run had a slot, and has ended.
    pub(crate) fn run_ended(&self, tenant: &TenantName, run: &RunEnded) {
        let metrics = &*self.0;
        // Exact up to 8 PiB, and no other way to a float.
        let memory = run.peak_memory_bytes as f64;
        self.run_counted(tenant, run.outcome, |labels| {
            metrics.guest_cpu.get_or_create(labels).inc_by(run.cpu.as_secs_f64());
            metrics.guest_memory_time.get_or_create(labels).inc_by(memory * run.elapsed.as_secs_f64());
            metrics.host_calls.get_or_create(labels).inc_by(run.host_calls);
            metrics.pods.get_or_create(labels).inc_by(run.pods);
            metrics.response_bytes.get_or_create(labels).inc_by(run.response_bytes);
            metrics.rows.get_or_create(labels).inc_by(run.rows);
        });
        metrics.run_duration.observe(run.elapsed.as_secs_f64());
        metrics.run_queue.observe(run.queued.as_secs_f64());
        metrics.guest_memory.observe(memory);
    }

    /// A run was asked for and did not begin.
    pub(crate) fn run_not_begun(&self, tenant: &TenantName, outcome: Outcome) {
        self.run_counted(tenant, outcome, |_| {});
    }

    fn run_counted(&self, tenant: &TenantName, outcome: Outcome, more: impl FnOnce(&Labels<1>)) {
        let metrics = &*self.0;
        let tenants = metrics.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let tenant = tenants.get(tenant).cloned().unwrap_or(OTHER);
        let runs = [("tenant", tenant.clone()), ("outcome", Label::from(outcome.name()))];
        // Every tenant has those that ended well, and `other` has all: they are not among those that share the room.
        let has_room = tenant == OTHER || outcome == Outcome::Ok;
        metrics.runs.count(&runs, has_room);
        if let Some(limit) = outcome.limit() {
            let limit = labels::limits().find(|known| *known == limit).map_or(OTHER, Label::from);
            metrics.limit_kills.count(&[("tenant", tenant.clone()), ("limit", limit)], tenant == OTHER);
        }
        more(&[("tenant", tenant)]);
    }

    /// How many runs there are now.
    pub(crate) fn set_runs(&self, in_flight: usize, queued: usize) {
        self.0.runs_in_flight.set(in_flight as u64);
        self.0.runs_queued.set(queued as u64);
    }

    /// A request was answered, with so long from its head to the end of its answer.
    pub(crate) fn http_answered(&self, route: Route, method: &hyper::Method, code: hyper::StatusCode, elapsed: Duration) {
        let route = Label::from(route.name());
        let labels = [
            ("route", route.clone()),
            ("method", known_method(method).map_or(OTHER, Label::from)),
            ("code", Label::from(code.as_u16().to_string())),
        ];
        self.0.http_requests.count(&labels, false);
        self.0.http_request_duration.get_or_create(&[("route", route)]).observe(elapsed.as_secs_f64());
    }

    /// A request was turned away before it was known what it is for.
    pub(crate) fn http_rejected(&self, reason: HttpRejection) {
        self.0.http_rejected.get_or_create(&[("reason", reason.name().into())]).inc();
    }

    /// The API server has answered, or has not.
    pub(crate) fn upstream_answered(&self, verb: Verb, response: CallResponse, elapsed: Duration) {
        let method = Label::from(if verb == Verb::Create { "POST" } else { "GET" });
        let code = match response {
            CallResponse::Code(code) => Label::from(code.to_string()),
            // client-go's word.
            CallResponse::Failed(_) => Label::from("<error>"),
        };
        self.0.rest_requests.count(&[("code", code), ("method", method.clone())], false);
        self.0.rest_request_duration.get_or_create(&[("verb", method)]).observe(elapsed.as_secs_f64());
    }

    /// What is in the cache now.
    pub(crate) fn set_cache(&self, size: CacheSize) {
        self.0.cache_pods.set(size.pods);
        self.0.cache_bytes.set(size.bytes);
        self.0.cache_watches.set(size.watches);
    }

    /// The cache was filled by a list.
    pub(crate) fn cache_listed(&self) {
        self.0.cache_lists.inc();
    }

    /// A run asked the cache.
    pub(crate) fn cache_looked_up(&self, result: CacheLookup) {
        self.0.cache_lookups.get_or_create(&[("result", result.name().into())]).inc();
    }

    /// A line was written to the audit log, or was not.
    pub(crate) fn audit_recorded(&self, is_written: bool) {
        self.0.audit_records.get_or_create(&[("result", labels::result(is_written))]).inc();
    }

    /// The policy was read again, and is used, or is not.
    pub(crate) fn policy_reloaded(&self, is_used: bool) {
        self.0.policy_reloads.get_or_create(&[("result", labels::result(is_used))]).inc();
    }

    /// Spans have ended, and the collector has them, or they were dropped.
    pub(crate) fn spans_ended(&self, end: SpanEnd, spans: usize) {
        self.0.trace_spans.get_or_create(&[("result", end.name().into())]).inc_by(spans as u64);
    }

    /// An answer held a pod that was not asked for. It was not handed on.
    pub(crate) fn postcheck_violated(&self, times: u64) {
        self.0.postcheck_violations.inc_by(times);
    }

    /// The server panicked, and went on.
    pub(crate) fn panicked(&self) {
        self.0.panics.inc();
    }

    /// All of it, as OpenMetrics text.
    pub(crate) fn encode(&self) -> String {
        let mut encoded = String::new();
        // Writing to a `String` cannot fail.
        let _ = text::encode(&mut encoded, &self.0.registry);
        encoded
    }
}

fn requests() -> Histogram {
    Histogram::new(REQUEST_SECONDS)
}

#[cfg(test)]
mod tests;
