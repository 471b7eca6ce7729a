//! What tenants see: their own, and of others not even that it is there.

use podlens_tests::fake::{Answer, get};
use podlens_tests::guests;
use serde_json::{Value, json};

use super::server::{Server, Setup, asked, bearer, built_in, cluster, guest, policy, problem, tenant, token};
use crate::arrange::{PODS, pod_list};
use crate::demo::Serving;
use crate::proxy::Response;

/// A run's name that nobody was given.
const NO_RUN: &str = "6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11";

/// All of an answer but what differs from one to the next: the moment, and the name of the run.
fn bytes(response: &Response) -> String {
    let run = response.header("podlens-run").unwrap_or(NO_RUN);
    let headers: Vec<_> = response
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "podlens-observed-at"))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    format!("{} {}\n\n{}", response.code, headers.join("\n"), response.body).replace(run, "RUN")
}

#[test]
fn what_is_anothers_is_as_if_it_were_not_there() {
    let fake = cluster().always(get("/api/v1/namespaces/payments/pods"), Answer::json(200, pod_list(&[], "").to_string())).start();
    let tenants = [
        tenant("shop", &[built_in("pod-names")], &["upload: {}"]),
        tenant("payments", &[built_in("images"), guest("asks", guests::ASKS)], &["upload: {}"]),
    ];
    let server = Setup::of_fake(&fake, &policy(&tenants)).queries(&[guests::ASKS]).with_cache().start();
    let own = std::fs::read(guests::PANICS).expect("the build has made it");
    assert_eq!(server.put("payments", "/v1/queries/own", &own).code, 201);
    let listed = |tenant: &str| {
        let told = server.get(tenant, "/v1/queries").json();
        let names = told["queries"].as_array().expect("a list").iter().map(|query| query["name"].as_str().unwrap().to_owned());
        (told["tenant"].as_str().expect("a name").to_owned(), names.collect::<Vec<_>>())
    };
    assert_eq!(listed("shop"), ("shop".to_owned(), vec!["pod-names".to_owned()]));
    assert_eq!(listed("payments").1, ["asks", "images", "own"]);
    assert!(!server.get("shop", "/").body.contains("images"));

    let run = server.get("payments", "/v1/queries/asks/run");
    let id = run.header("podlens-run").expect("a run has a name").to_owned();
    assert_eq!(server.get("payments", &format!("/v1/runs/{id}")).code, 200);

    let header = bearer(&token("shop"));
    for (method, theirs, nobodys) in [
        ("GET", "/v1/queries/images", "/v1/queries/nobody"),
        ("HEAD", "/v1/queries/images", "/v1/queries/nobody"),
        ("GET", "/v1/queries/own", "/v1/queries/nobody"),
        ("GET", "/v1/queries/asks/run", "/v1/queries/nobody/run"),
        ("GET", "/v1/queries/own/run?namespace=payments", "/v1/queries/nobody/run?namespace=payments"),
        ("DELETE", "/v1/queries/images", "/v1/queries/nobody"),
        ("DELETE", "/v1/queries/own", "/v1/queries/nobody"),
        ("GET", &format!("/v1/runs/{id}"), &format!("/v1/runs/{NO_RUN}")),
        ("HEAD", &format!("/v1/runs/{id}"), &format!("/v1/runs/{NO_RUN}")),
    ] {
        let [theirs, nobodys] = [theirs, nobodys].map(|target| server.ask(method, target, &header, b""));
        assert_eq!(nobodys.code, 404, "{nobodys:?}");
        assert_eq!(bytes(&theirs), bytes(&nobodys), "{method}");
    }
    let posted = |name: &str| bytes(&server.post("shop", &format!("/v1/queries/{name}/run"), "{}"));
    assert_eq!(posted("images"), posted("nobody"));
    // A name that another has is free, and what is done with it leaves the other's alone.
    assert_eq!(server.put("shop", "/v1/queries/own", &own).code, 201);
    assert_eq!(server.ask("DELETE", "/v1/queries/own", &header, b"").code, 204);
    assert_eq!(server.get("payments", "/v1/queries/own").code, 200);
    // All that the API server saw is the one run.
    assert_eq!(asked(&fake).len(), 1);
}

#[test]
fn what_is_not_granted_is_denied_and_asks_nobody() {
    let fake = cluster().start();
    let own = tenant("shop", &[guest("asks", guests::ASKS), guest("objects", guests::OBJECTS)], &["withhold: [labels, nodes]"]);
    let server = Setup::of_fake(&fake, &policy(&[own])).queries(&[guests::ASKS, guests::OBJECTS]).start();
    for arguments in [
        "asks/run?namespace=payments",
        "asks/run?namespace=payments&name=api-0",
        "asks/run?namespace=kube-system&name=etcd",
        "asks/run?objects=true",
        "asks/run?namespace=shop&name=web-0&objects=true",
        "asks/run?labels=app%3Dweb",
        "asks/run?fields=spec.nodeName%3Dnode-1",
        "objects/run",
    ] {
        let refused = server.get("shop", &format!("/v1/queries/{arguments}"));
        let told = problem(&refused, 403, "denied");
        let report = server.get("shop", &format!("/v1/runs/{}", told["runID"].as_str().expect("a run has a name")));
        assert_eq!((&report.json()["outcome"], &report.json()["source"]), (&json!("denied"), &Value::Null), "{arguments}");
    }
    assert_eq!(asked(&fake), []);
    assert!(server.audited("RunComplete").iter().all(|line| line["outcome"] == "denied"));
    assert_eq!(server.metric(r#"podlens_runs_total{tenant="shop",outcome="denied"}"#), 8.0);
}

/// A pod with a canary in each place that something can be taken out of.
fn pod_of_canaries(name: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": "shop", "resourceVersion": "5",
            "labels": { "app": "web", "note": "canary-label" },
            "annotations": {
                "note": "canary-annotation",
                "kubectl.kubernetes.io/last-applied-configuration": "{\"env\":\"canary-applied\"}",
            },
        },
        "spec": {
            "nodeName": "canary-node",
            "containers": [{
                "name": "main", "image": "registry.example/canary-image:1",
                "env": [{ "name": "PASSWORD", "value": "canary-env" }],
            }],
        },
        "status": {
            "phase": "Running", "podIP": "10.99.88.77", "podIPs": [{ "ip": "10.99.88.77" }], "hostIP": "10.99.88.66",
            "message": "canary-message",
            "containerStatuses": [{
                "name": "main", "ready": true, "restartCount": 3, "image": "registry.example/canary-image:1", "imageID": "canary-image@sha256:1",
                "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "canary-message" } },
            }],
        },
    })
}

#[test]
fn what_is_withheld_never_comes() {
    let canaries = [
        ("env", "canary-env"),
        ("env", "canary-applied"),
        ("annotations", "canary-annotation"),
        ("labels", "canary-label"),
        ("images", "canary-image"),
        ("ips", "10.99.88."),
        ("messages", "canary-message"),
        ("nodes", "canary-node"),
    ];
    let list = pod_list(&[pod_of_canaries("web-0")], "").to_string();
    let all = ["env", "annotations", "labels", "images", "ips", "messages", "nodes"];
    let queries = [guest("objects", guests::OBJECTS), built_in("images"), built_in("restarts"), built_in("by-node")];
    let each = all.iter().map(|one| vec![*one]);
    for withheld in each.chain([vec![], all.to_vec()]) {
        let fake = cluster().always(get(PODS), Answer::json(200, list.clone())).start();
        let more = ["wholeObjects: true".to_owned(), format!("withhold: [{}]", withheld.join(", "))];
        let own = tenant("shop", &queries, &more.each_ref().map(String::as_str));
        let server = Setup::of_fake(&fake, &policy(&[own])).queries(&[guests::OBJECTS]).start();
        let object = server.get("shop", "/v1/queries/objects/run");
        assert_eq!(object.code, 200, "{object:?}");
        let rest = ["images", "restarts", "by-node"].map(|name| {
            let answer = server.get("shop", &format!("/v1/queries/{name}/run"));
            assert_eq!(answer.code, 200, "{answer:?}");
            answer.body
        });
        for (place, canary) in canaries {
            let is_in_annotation = canary == "canary-applied" && withheld.contains(&"annotations");
            let comes = !(withheld.contains(&place) || is_in_annotation);
            assert_eq!(object.body.contains(canary), comes, "{canary} without {withheld:?}: {}", object.body);
            assert!(comes || rest.iter().all(|body| !body.contains(canary)), "{canary} without {withheld:?}: {rest:?}");
        }
    }
}

/// A pod of shop with this label.
fn pod_of(name: &str, app: &str) -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": { "name": name, "namespace": "shop", "resourceVersion": "5", "labels": { "app": app } },
    })
}

#[test]
fn the_policys_selectors_are_in_every_request_and_hold_for_every_pod() {
    let path = |name: &str| format!("{PODS}/{name}");
    let fake = cluster()
        .always(
            get(PODS).query(&[("limit", "500"), ("labelSelector", "app=web"), ("fieldSelector", "status.phase!=Failed")]),
            Answer::json(200, pod_list(&[pod_of("web-0", "web")], "").to_string()),
        )
        .always(
            get(PODS).query(&[("limit", "500"), ("labelSelector", "app=web,app=db"), ("fieldSelector", "status.phase!=Failed")]),
            Answer::json(200, pod_list(&[], "").to_string()),
        )
        .always(get(&path("web-0")), Answer::json(200, pod_of("web-0", "web").to_string()))
        .always(get(&path("db-0")), Answer::json(200, pod_of("db-0", "db").to_string()))
        .always(get(&path("xx-0")), Answer::status(404, "NotFound", "pods \"xx-0\" not found"))
        .start();
    let more = ["labelSelector: app=web", "fieldSelector: status.phase!=Failed"];
    let own = tenant("shop", &[guest("asks", guests::ASKS)], &more);
    let server = Setup::of_fake(&fake, &policy(&[own])).queries(&[guests::ASKS]).start();
    let ask = |arguments: &str| server.get("shop", &format!("/v1/queries/asks/run?{arguments}"));
    let names = |answer: &Response| {
        assert_eq!(answer.code, 200, "{answer:?}");
        let rows = answer.json();
        rows.as_array().expect("rows").iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&ask("")), ["web-0"]);
    assert_eq!(names(&ask("namespace=shop")), ["web-0"]);
    assert!(names(&ask("labels=app%3Ddb")).is_empty());
    assert_eq!(names(&ask("namespace=shop&name=web-0")), ["web-0"]);
    // One that is hidden is as one that is not there, to the query and to the caller.
    let [hidden, absent] = ["db-0", "xx-0"].map(|name| ask(&format!("namespace=shop&name={name}")));
    problem(&hidden, 422, "query_failed");
    assert_eq!(bytes(&hidden), bytes(&absent));
    let [hidden, absent] = ["db-0", "xx-0"].map(|name| ask(&format!("namespace=shop&tell=true&name={name}")));
    assert_eq!((hidden.code, bytes(&hidden)), (200, bytes(&absent)));
}

#[test]
fn a_pod_that_was_not_asked_for_is_not_handed_on() {
    let other =
        json!({ "metadata": { "name": "canary", "namespace": "payments", "resourceVersion": "5", "labels": { "app": "web" } } });
    for foreign in [other, pod_of("canary", "db")] {
        let list = pod_list(&[pod_of("web-0", "web"), foreign], "");
        let fake = cluster().always(get(PODS), Answer::json(200, list.to_string())).start();
        let own = tenant("shop", &[built_in("pod-names")], &["labelSelector: app=web"]);
        let server = Server::of_fake(&fake, &[own]);
        let answer = server.get("shop", "/v1/queries/pod-names/run");
        assert!(!answer.body.contains("canary"), "{answer:?}");
        assert_eq!(server.metric("podlens_postcheck_violations_total"), 1.0, "{answer:?}");
    }
}

/// The API server's own word, too: each is impersonated, from the cache and without it.
#[test]
fn each_reads_as_its_own_account() {
    let demo = Serving::start();
    let account = |name: &str, namespaces: &str, identity: &str| {
        format!(
            "- name: {name}\n  callers: [{{serviceAccount: {{namespace: {name}, name: dashboards}}}}]\n  \
             identity: {{serviceAccount: {{namespace: {identity}, name: podlens-reader}}}}\n  {namespaces}\n  \
             queries: [{{name: pod-names}}]\n  rates: {{runsPerSecond: 100}}\n"
        )
    };
    // What the policy gives shop is more than its account may read.
    let tenants = [account("shop", "allNamespaces: true", "shop"), account("payments", "namespaces: [payments]", "payments")];
    let cache = "cache: {identity: {serviceAccount: {namespace: podlens, name: podlens-cache}}}\n";
    for (head, source) in [("", "api-server"), (cache, "cache")] {
        let server = Setup::of_demo(&demo, &policy(&tenants).replace("tenants:", &format!("{head}tenants:"))).start();
        let run = |name: &str| server.ask("GET", "/v1/queries/pod-names/run", &bearer(&demo.caller_token(name)), b"");
        super::server::wait_for("answer from there", || {
            let payments = run("payments");
            assert_eq!(payments.code, 200, "{payments:?}");
            let rows = payments.json();
            let rows = rows.as_array().expect("rows");
            assert!(!rows.is_empty() && rows.iter().all(|row| row["namespace"] == "payments"), "{rows:?}");
            let refused = run("shop");
            let told = problem(&refused, 403, "denied");
            assert!(!told.to_string().contains("system:serviceaccount"), "{told}");
            (payments.header("podlens-source") == Some(source)).then_some(())
        });
    }
}
