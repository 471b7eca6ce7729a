//! The second listener: for whoever runs the server.

use std::collections::{BTreeMap, BTreeSet};

use podlens_tests::fake::get;
use podlens_tests::guests;

use super::server::{Server, Setup, asked, built_in, cluster, guest, policy, tenant};
use crate::arrange::{PODS, pods};

/// The series of an exposition, each with its value; panics where it is not as OpenMetrics 1.0 has it.
fn parsed(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("it ends so");
    let mut series = BTreeMap::new();
    let (mut types, mut current) = (BTreeMap::new(), String::new());
    for line in body.lines() {
        if let Some(described) = line.strip_prefix("# ") {
            let mut words = described.splitn(3, ' ');
            let (what, name, rest) = (words.next(), words.next().expect("a name"), words.next().expect("a text"));
            match what {
                Some("TYPE") => assert!(types.insert(name.to_owned(), rest.to_owned()).is_none(), "{name} comes twice"),
                Some("HELP" | "UNIT") => {}
                _ => panic!("{line}"),
            }
            name.clone_into(&mut current);
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        assert!(name.starts_with(&current), "{line} is not of {current}");
        let suffix = name[current.len()..].split('{').next().unwrap_or_default();
        let suffixes: &[&str] = match types[&current].as_str() {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            "gauge" => &[""],
            other => panic!("{other}"),
        };
        assert!(suffixes.contains(&suffix), "{line}");
        assert!(name.contains('{') == name.ends_with('}'), "{line}");
        assert!(series.insert(name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}"))).is_none(), "{line} comes twice");
    }
    series
}

#[test]
fn what_was_done_is_counted() {
    let fake = cluster().always(get(PODS), pods(&["a", "b"], "")).start();
    let own = tenant("shop", &[built_in("pod-names"), guest("panics", guests::PANICS)], &[]);
    let server = Setup::of_fake(&fake, &policy(&[own])).queries(&[guests::PANICS]).start();
    server.wait_until_ready();
    for _ in 0..3 {
        assert_eq!(server.get("shop", "/v1/queries/pod-names/run").code, 200);
    }
    assert_eq!(server.get("shop", "/v1/queries/panics/run").code, 422);
    assert_eq!(server.ask("GET", "/v1/queries", "", b"").code, 401);
    assert_eq!(server.ask("GET", "/v1/queries", "Origin: null\r\n", b"").code, 403);
    assert_eq!(server.get("shop", "/made/up").code, 404);

    let answer = server.health("/metrics");
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let series = parsed(&answer.body);
    let value = |name: &str| *series.get(name).unwrap_or_else(|| panic!("no {name} in {}", answer.body));
    for (name, expected) in [
        (r#"podlens_runs_total{tenant="shop",outcome="ok"}"#, 3.0),
        (r#"podlens_runs_total{tenant="shop",outcome="trap"}"#, 1.0),
        (r#"podlens_pods_total{tenant="shop"}"#, 6.0),
        (r#"podlens_rows_total{tenant="shop"}"#, 6.0),
        ("podlens_runs_in_flight", 0.0),
        ("podlens_runs_queued", 0.0),
        ("podlens_run_duration_seconds_count", 4.0),
        (r#"podlens_http_rejected_total{reason="auth"}"#, 1.0),
        (r#"podlens_http_rejected_total{reason="origin"}"#, 1.0),
        (r#"podlens_audit_records_total{result="success"}"#, server.audit().len() as f64),
        (r#"podlens_policy_reloads_total{result="success"}"#, 1.0),
        (r#"rest_client_requests_total{code="200",method="GET"}"#, fake.seen().len() as f64),
        ("podlens_panics_total", 0.0),
        ("podlens_postcheck_violations_total", 0.0),
    ] {
        assert_eq!(value(name), expected, "{name}");
    }
    let of_requests = series.iter().filter(|(name, _)| name.starts_with("podlens_http_requests_total{"));
    assert_eq!(of_requests.map(|(_, value)| value).sum::<f64>(), 7.0, "{}", answer.body);
    // A path that somebody made up is no label.
    assert!(!answer.body.contains("made"), "{}", answer.body);
    assert_eq!(asked(&fake).len(), 3);
}

#[test]
fn the_second_listener_tells_how_the_server_is_and_nothing_else() {
    let fake = cluster().start();
    let server = Server::of_fake(&fake, &[tenant("shop", &[built_in("pod-names")], &[])]);
    server.wait_until_ready();
    for (target, code, body) in [
        ("/livez", 200, "ok"),
        ("/readyz", 200, "ok"),
        ("/healthz", 200, "ok"),
        ("/livez?verbose", 200, "[+]ping ok\n[+]audit-writer ok\nlivez check passed\n"),
        ("/readyz?verbose", 200, "[+]api-server ok\n[+]audit ok\n[+]queries ok\n[+]shutdown ok\nreadyz check passed\n"),
        ("/", 404, "/livez, /readyz and /metrics\n"),
        ("/v1/queries", 404, "/livez, /readyz and /metrics\n"),
        ("/livez/", 404, "/livez, /readyz and /metrics\n"),
        ("//metrics", 404, "/livez, /readyz and /metrics\n"),
    ] {
        let answer = server.health(target);
        assert_eq!((answer.code, answer.body.as_str()), (code, body), "{target}");
    }
    // The two have no path in common: what is for the owner is not for tenants.
    for target in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(server.get("shop", target).code, 404);
    }
    let names: BTreeSet<_> = parsed(&server.health("/metrics").body).into_keys().collect();
    assert!(names.iter().any(|name| name.starts_with("podlens_build_info{")), "{names:?}");
}
