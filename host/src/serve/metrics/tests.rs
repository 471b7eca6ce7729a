use std::collections::{BTreeMap, BTreeSet};

use hyper::{Method, StatusCode};
use serde_json::Value;

use super::*;
use crate::serve::audit::CallFailure;

/// What all series together must stay below.
const MAX_SERIES: usize = 2000;

fn tenant(index: usize) -> TenantName {
    TenantName::parse(&format!("t{index:04}")).unwrap()
}

fn ended(outcome: Outcome) -> RunEnded {
    RunEnded {
        outcome,
        queued: Duration::from_millis(3),
        elapsed: Duration::from_millis(250),
        cpu: Duration::from_millis(20),
        peak_memory_bytes: 2 << 20,
        host_calls: 70,
        pods: 7,
        response_bytes: 9000,
        rows: 5,
    }
}

/// Ends of runs that differ in their labels.
fn endings() -> impl Iterator<Item = Outcome> {
    Outcome::ALL.into_iter().chain(labels::limits().map(Outcome::Limit)).chain([Outcome::Limit("no limit of ours")])
}

/// All that can happen, once.
fn everything(metrics: &Metrics, tenant: &TenantName) {
    for outcome in endings() {
        metrics.run_ended(tenant, &ended(outcome));
        metrics.run_not_begun(tenant, outcome);
    }
    metrics.set_runs(2, 1);
    for route in Route::ALL {
        metrics.http_answered(*route, &Method::GET, StatusCode::OK, Duration::from_millis(4));
    }
    for reason in HttpRejection::ALL {
        metrics.http_rejected(*reason);
    }
    for verb in [Verb::Get, Verb::List, Verb::Watch, Verb::Create] {
        metrics.upstream_answered(verb, CallResponse::Code(200), Duration::from_millis(4));
        metrics.upstream_answered(verb, CallResponse::Failed(CallFailure::Unreachable), Duration::from_secs(4));
    }
    metrics.set_cache(CacheSize { pods: 7, bytes: 7000, watches: 1 });
    metrics.cache_listed();
    for result in CacheLookup::ALL {
        metrics.cache_looked_up(*result);
    }
    for is_good in [true, false] {
        metrics.audit_recorded(is_good);
        metrics.policy_reloaded(is_good);
    }
    for end in SpanEnd::ALL {
        metrics.spans_ended(*end, 1);
    }
    metrics.postcheck_violated(1);
    metrics.panicked();
}

/// What a scrape holds: the type of each metric, and the value of each series.
#[derive(Debug, Default)]
struct Scrape {
    types: BTreeMap<String, String>,
    series: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads OpenMetrics text, and fails on what no scraper would read.
    fn of(metrics: &Metrics) -> Self {
        let text = metrics.encode();
        let text = text.strip_suffix("# EOF\n").expect("it has an end");
        let mut scrape = Self::default();
        let mut current = String::new();
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let [word, name, rest] = comment.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
                match word {
                    "HELP" => assert!(rest.ends_with('.') && !rest.ends_with(".."), "{line}"),
                    "TYPE" => assert!(scrape.types.insert(name.to_owned(), rest.to_owned()).is_none(), "twice: {line}"),
                    _ => panic!("{line}"),
                }
                name.clone_into(&mut current);
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(series.starts_with(&current), "`{line}` stands among `{current}`");
            if let Some((_, labels)) = series.split_once('{') {
                let labels = labels.strip_suffix("\"}").unwrap_or_else(|| panic!("{line}"));
                for label in labels.split("\",") {
                    let (name, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
                    assert!(is_name(name) && !value.contains(['"', '\\', '\n']), "{line}");
                }
            }
            let earlier = scrape.series.insert(series.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")));
            assert!(earlier.is_none(), "twice: {line}");
        }
        scrape
    }

    fn value(&self, series: &str) -> f64 {
        *self.series.get(series).unwrap_or_else(|| panic!("there is no {series}"))
    }

    /// The names that an expression may have.
    fn names(&self) -> BTreeSet<String> {
        let name = |series: &String| series.split('{').next().unwrap_or_default().to_owned();
        self.series.keys().map(name).collect()
    }

    /// The sum over all tenants.
    fn sum(&self, name: &str) -> f64 {
        self.series.iter().filter(|(series, _)| series.starts_with(&format!("{name}{{"))).map(|(_, value)| value).sum()
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[test]
fn names_are_as_prometheus_wants_them() {
    let metrics = Metrics::new();
    everything(&metrics, &tenant(1));
    let scrape = Scrape::of(&metrics);
    for (name, kind) in &scrape.types {
        assert!(is_name(name), "{name}");
        let of_others = ["rest_client_", "process_"].iter().any(|prefix| name.starts_with(prefix));
        assert!(of_others || name.starts_with("podlens_"), "{name}");
        match kind.as_str() {
            "counter" => assert!(scrape.names().contains(&format!("{name}_total")), "{name}"),
            "histogram" => assert!(name.ends_with("_seconds") || name.ends_with("_bytes"), "{name} has no unit"),
            "gauge" => assert!(!name.ends_with("_total") && scrape.names().contains(name), "{name}"),
            "info" => assert_eq!(name, "podlens_build"),
            _ => panic!("{name}: {kind}"),
        }
        for unit in ["milliseconds", "minutes", "kilobytes", "megabytes", "_ms", "_mb"] {
            assert!(!name.contains(unit), "{name} is not in a base unit");
        }
    }
    assert_eq!(scrape.value(&format!("podlens_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);
}

#[test]
fn what_happens_is_counted_once() {
    let metrics = Metrics::new();
    metrics.set_tenants([&tenant(1)]);
    metrics.run_ended(&tenant(1), &ended(Outcome::Ok));
    metrics.clone().run_ended(&tenant(1), &ended(Outcome::Limit("max-pods")));
    metrics.run_ended(&tenant(2), &ended(Outcome::Deadline));
    metrics.run_not_begun(&tenant(1), Outcome::Throttled);
    metrics.set_runs(4, 5);
    metrics.http_answered(Route::Run, &Method::POST, StatusCode::TOO_MANY_REQUESTS, Duration::from_millis(1));
    metrics.upstream_answered(Verb::List, CallResponse::Code(403), Duration::from_millis(1));
    metrics.audit_recorded(false);
    let scrape = Scrape::of(&metrics);
    for (series, value) in [
        ("podlens_runs_total{tenant=\"t0001\",outcome=\"ok\"}", 1.0),
        ("podlens_runs_total{tenant=\"t0001\",outcome=\"limit\"}", 1.0),
        ("podlens_runs_total{tenant=\"t0001\",outcome=\"throttled\"}", 1.0),
        ("podlens_runs_total{tenant=\"other\",outcome=\"deadline\"}", 1.0),
        ("podlens_limit_kills_total{tenant=\"t0001\",limit=\"max-pods\"}", 1.0),
        ("podlens_limit_kills_total{tenant=\"other\",limit=\"timeout\"}", 1.0),
        ("podlens_guest_cpu_seconds_total{tenant=\"t0001\"}", 0.04),
        ("podlens_guest_memory_byte_seconds_total{tenant=\"t0001\"}", 1_048_576.0),
        ("podlens_host_calls_total{tenant=\"t0001\"}", 140.0),
        ("podlens_pods_total{tenant=\"t0001\"}", 14.0),
        ("podlens_response_bytes_total{tenant=\"t0001\"}", 18000.0),
        ("podlens_rows_total{tenant=\"other\"}", 5.0),
        ("podlens_run_duration_seconds_count", 3.0),
        ("podlens_run_duration_seconds_bucket{le=\"0.1\"}", 0.0),
        ("podlens_run_duration_seconds_bucket{le=\"0.25\"}", 3.0),
        ("podlens_run_queue_seconds_sum", 0.009),
        ("podlens_guest_memory_bytes_bucket{le=\"+Inf\"}", 3.0),
        ("podlens_runs_in_flight", 4.0),
        ("podlens_runs_queued", 5.0),
        ("podlens_http_requests_total{route=\"/v1/queries/{name}/run\",method=\"POST\",code=\"429\"}", 1.0),
        ("rest_client_requests_total{code=\"403\",method=\"GET\"}", 1.0),
        ("podlens_audit_records_total{result=\"error\"}", 1.0),
        ("podlens_panics_total", 0.0),
        ("podlens_postcheck_violations_total", 0.0),
    ] {
        let found = scrape.value(series);
        assert!((found - value).abs() < 1e-9, "{series} is {found}");
    }
}

#[test]
fn a_thousand_tenants_and_hostile_clients_are_few_series() {
    let metrics = Metrics::new();
    let tenants: Vec<_> = (0..1000).map(tenant).collect();
    metrics.set_tenants(&tenants);
    let strangers: Vec<_> = (1000..1500).map(tenant).collect();
    for name in tenants.iter().chain(&strangers) {
        everything(&metrics, name);
    }
    for index in 0..1000_u16 {
        let method = Method::from_bytes(format!("M{index}\u{21}").as_bytes()).unwrap();
        for route in Route::ALL {
            metrics.http_answered(*route, &method, StatusCode::from_u16(100 + index % 900).unwrap(), Duration::ZERO);
        }
        metrics.upstream_answered(Verb::List, CallResponse::Code(index), Duration::ZERO);
    }
    let scrape = Scrape::of(&metrics);
    assert!(scrape.series.len() < MAX_SERIES, "{}", scrape.series.len());
    assert!(scrape.series.len() > MAX_SERIES / 2, "the test is one");
    assert!(!scrape.series.keys().any(|series| series.contains("M1")), "a method was made up");
    // Nothing is lost: what has no label of its own is the others'.
    let runs = 1500.0 * 2.0 * endings().count() as f64;
    assert_eq!(scrape.sum("podlens_runs_total"), runs);
    assert_eq!(scrape.sum("podlens_pods_total"), 1500.0 * 7.0 * endings().count() as f64);
    assert_eq!(scrape.sum("podlens_http_requests_total"), 2500.0 * Route::ALL.len() as f64);
    assert_eq!(scrape.value("podlens_runs_total{tenant=\"t0199\",outcome=\"ok\"}"), 2.0);
    assert!(!scrape.series.keys().any(|series| series.contains("t0200")));
    // Another thousand take their place.
    for round in 1..4 {
        let tenants: Vec<_> = (0..1000).map(|index| tenant(round * 1000 + index)).collect();
        metrics.set_tenants(&tenants);
        for name in &tenants {
            everything(&metrics, name);
        }
        let count = Scrape::of(&metrics).series.len();
        assert!(count < MAX_SERIES, "{count}");
    }
}

#[test]
fn a_tenant_that_stays_goes_on_and_one_that_is_gone_is_forgotten() {
    let metrics = Metrics::new();
    metrics.set_tenants([&tenant(1), &tenant(2)]);
    for name in [tenant(1), tenant(2)] {
        everything(&metrics, &name);
    }
    metrics.set_tenants([&tenant(2), &tenant(3)]);
    let scrape = Scrape::of(&metrics);
    assert!(!scrape.series.keys().any(|series| series.contains("t0001")));
    assert_eq!(scrape.value("podlens_runs_total{tenant=\"t0002\",outcome=\"ok\"}"), 2.0);
    // Its room is free again.
    for round in 0..ENDINGS {
        let name = tenant(round + 10);
        metrics.set_tenants([&name]);
        everything(&metrics, &name);
        assert_eq!(Scrape::of(&metrics).value(&format!("podlens_runs_total{{tenant=\"{name}\",outcome=\"trap\"}}")), 2.0);
    }
}

#[test]
fn outcomes_are_those_that_there_are() {
    assert_eq!(Outcome::ALL.map(Outcome::name), labels::OUTCOMES);
}

#[test]
fn threads_count_together() {
    let metrics = Metrics::new();
    std::thread::scope(|scope| {
        for index in 0..4 {
            let metrics = metrics.clone();
            scope.spawn(move || (0..200).for_each(|_| metrics.run_not_begun(&tenant(index), Outcome::Throttled)));
        }
        for _ in 0..20 {
            metrics.set_tenants(&[tenant(0), tenant(1)]);
            metrics.encode();
        }
    });
    assert_eq!(Scrape::of(&metrics).sum("podlens_runs_total"), 800.0);
}

/// The words of an expression that are metrics, by how they begin.
fn metrics_of(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words
        .filter(|word| ["podlens_", "rest_client_", "process_"].iter().any(|start| word.starts_with(start)))
        .map(str::to_owned)
        .collect()
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "expr" || name == "definition" => found.push(text.clone()),
                    value => expressions(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_shows_metrics_that_exist_and_all_of_them() {
    let dashboard: Value = serde_json::from_str(include_str!("../../../../deploy/grafana/podlens.json")).unwrap();
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    assert!(found.len() > 30, "{found:?}");
    let metrics = Metrics::new();
    everything(&metrics, &tenant(1));
    let names = Scrape::of(&metrics).names();
    let mut shown = BTreeSet::new();
    for expression in &found {
        let used = metrics_of(expression);
        assert!(!used.is_empty() && used.is_subset(&names), "{expression}");
        shown.extend(used);
    }
    let is_part = |name: &String| name.ends_with("_sum") || name.ends_with("_count");
    let missing: Vec<_> = names.iter().filter(|name| !is_part(name) && !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
}
