//! More runs than a tenant may have.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use podlens_tests::fake::get;

use super::server::{Server, asked, bearer, built_in, cluster, problem, request, tenant, token, wait_for};
use crate::arrange::{PODS, pod_list, pods};

/// Where the other tenant's pods are.
const OTHERS: &str = "/api/v1/namespaces/payments/pods";

fn nothing() -> podlens_tests::fake::Answer {
    podlens_tests::fake::Answer::json(200, pod_list(&[], "").to_string())
}

#[test]
fn a_tenant_that_begins_too_many_is_told_when_to_come_back() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "")).always(get(OTHERS), nothing()).start();
    let queries = [built_in("pod-names")];
    let tenants = [tenant("shop", &queries, &["rates: {runsPerSecond: 0.05}"]), tenant("payments", &queries, &[])];
    let server = Server::of_fake(&fake, &tenants);
    let started = Instant::now();
    assert_eq!(server.get("shop", "/v1/queries/pod-names/run").code, 200);
    let refused = server.get("shop", "/v1/queries/pod-names/run");
    problem(&refused, 429, "too_many_runs");
    // One in 20 s; some of them may be over.
    let wait: u64 = refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!(wait <= 20 && Duration::from_secs(wait) + started.elapsed() >= Duration::from_secs(20), "{wait}");
    // What is no run is not counted, and another tenant is not kept waiting.
    assert_eq!(server.get("shop", "/v1/queries").code, 200);
    for _ in 0..3 {
        assert_eq!(server.get("payments", "/v1/queries/pod-names/run").code, 200);
    }
    assert_eq!(asked(&fake).iter().filter(|seen| seen.path == PODS).count(), 1);
    let refusals = server.audited("Refused");
    assert_eq!((&refusals[0]["reason"], &refusals[0]["tenant"]), (&"rate".into(), &"shop".into()), "{refusals:?}");
    assert_eq!(server.metric(r#"podlens_runs_total{tenant="shop",outcome="throttled"}"#), 1.0);
}

/// A body that does not come costs its tenant a place, and nobody else anything.
#[test]
fn bodies_that_do_not_come_are_as_many_as_runs() {
    let fake = cluster().always(get(OTHERS), nothing()).start();
    let queries = [built_in("pod-names")];
    let tenants = [
        tenant("shop", &queries, &["rates: {concurrentRuns: 1, queue: 2, runsPerSecond: 100}"]),
        tenant("payments", &queries, &[]),
    ];
    let server = Server::of_fake(&fake, &tenants);
    let headers = bearer(&token("shop")) + "Content-Type: application/json\r\n";
    let whole = request(server.api, "POST", "/v1/queries/pod-names/run", &headers, b"{}");
    let unfinished: Vec<_> = (0..3)
        .map(|_| {
            let mut client = server.connect();
            client.write_all(&whole[..whole.len() - 1]).expect("the server reads");
            client
        })
        .collect();
    let refused = wait_for("refusal", || {
        let answer = server.post("shop", "/v1/queries/pod-names/run", "{");
        // The others are still on their way where it is told what is wrong with this one.
        (answer.code != 400).then_some(answer)
    });
    problem(&refused, 429, "too_many_runs");
    assert_eq!(server.post("payments", "/v1/queries/pod-names/run", "{}").code, 200);
    assert_eq!(server.get("shop", "/v1/queries").code, 200);
    drop(unfinished);
    wait_for("place", || (server.post("shop", "/v1/queries/pod-names/run", "{").code == 400).then_some(()));
}

#[test]
fn a_queue_that_is_full_is_its_tenants_alone() {
    let fake = cluster().always(get(PODS), pods(&["web-0"], "").held()).always(get(OTHERS), nothing()).start();
    let queries = [built_in("pod-names")];
    let tenants = [
        tenant("shop", &queries, &["rates: {concurrentRuns: 1, queue: 1, runsPerSecond: 100}"]),
        tenant("payments", &queries, &[]),
    ];
    let server = Server::of_fake(&fake, &tenants);
    thread::scope(|scope| {
        let run = || scope.spawn(|| server.get("shop", "/v1/queries/pod-names/run"));
        let first = run();
        server.wait_until_metric("podlens_runs_in_flight", 1.0);
        let second = run();
        server.wait_until_metric("podlens_runs_queued", 1.0);
        let refused = server.get("shop", "/v1/queries/pod-names/run");
        problem(&refused, 429, "too_many_runs");
        assert!(refused.header("retry-after").is_some(), "{refused:?}");
        assert_eq!(server.get("payments", "/v1/queries/pod-names/run").code, 200);
        // Who waits has asked the API server nothing yet.
        assert_eq!(asked(&fake).iter().filter(|seen| seen.path == PODS).count(), 1);
        fake.release();
        for run in [first, second] {
            assert_eq!(run.join().expect("it does not panic").code, 200);
        }
    });
    assert_eq!(server.get("shop", "/v1/queries/pod-names/run").code, 200);
    assert!(server.audited("Refused").iter().any(|line| line["reason"] == "queueFull"), "{:?}", server.audited("Refused"));
}
