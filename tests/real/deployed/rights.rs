//! All that the server's account can do: what the API server says of it, and what it does when it is asked with the account's own token.
//!
//! This is what a stolen token is worth, and `deploy/serve/README.md` says so.

use std::collections::BTreeSet;
use std::thread;

use podlens_tests::cluster::Cluster;
use serde_json::{Value, json};

use super::{HOST, TENANTS, apply, deployed, tenant_pieces, user};
use crate::arrange::answer;
use crate::deploy::{Resource, resources};

/// Requests that are made at the same time.
const ASKERS: usize = 8;

/// One thing to try: its name, and the request that does it.
struct Attempt {
    name: String,
    method: &'static str,
    path: String,
}

/// Everything that can be tried with a resource, in these namespaces and in all of them at once. No attempt changes anything: names are of
/// nothing that there is, and changes are dry runs.
fn attempts(resource: &Resource, namespaces: &[&str]) -> Vec<Attempt> {
    let Resource { group, version, name, namespaced } = resource;
    let (plural, subresource) = name.split_once('/').map_or((name.as_str(), None), |(plural, sub)| (plural, Some(sub)));
    let full_name = if group.is_empty() { name.clone() } else { format!("{name}.{group}") };
    let mut attempts = Vec::new();
    let mut add = |verb: &str, place: &str, method, path: String| {
        let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
        attempts.push(Attempt { name: format!("{verb} {full_name}{place}"), method, path });
    };
    let places: Vec<_> = match namespaced {
        true => namespaces.iter().map(|namespace| (*namespace, format!("{version}/namespaces/{namespace}/{plural}"))).collect(),
        false => vec![("", format!("{version}/{plural}"))],
    };
    for (place, all) in &places {
        let one = format!("{all}/nothing{}", subresource.map(|name| format!("/{name}")).unwrap_or_default());
        add("get", place, "GET", one.clone());
        add("update", place, "PUT", format!("{one}?dryRun=All"));
        add("patch", place, "PATCH", format!("{one}?dryRun=All"));
        add("delete", place, "DELETE", format!("{one}?dryRun=All"));
        if subresource.is_some() {
            add("create", place, "POST", format!("{one}?dryRun=All"));
        } else {
            add("create", place, "POST", format!("{all}?dryRun=All"));
            add("list", place, "GET", format!("{all}?limit=1"));
            add("watch", place, "GET", format!("{all}?watch=true&timeoutSeconds=1"));
            add("deletecollection", place, "DELETE", format!("{all}?dryRun=All"));
        }
    }
    if *namespaced && subresource.is_none() {
        add("list", "all namespaces", "GET", format!("{version}/{plural}?limit=1"));
        add("watch", "all namespaces", "GET", format!("{version}/{plural}?watch=true&timeoutSeconds=1"));
    }
    attempts
}

/// What of all that the API server lets the holder of this token do, in its own name or in that of `user`.
fn done(cluster: &Cluster, attempts: &[Attempt], token: &str, user: Option<&str>) -> BTreeSet<String> {
    let is_done = |attempt: &&Attempt| {
        let Attempt { name, method, path } = attempt;
        // What is let through fails for this body, or for the name.
        let body = (*method != "GET").then(|| json!({}));
        let answer = cluster.request_impersonating(token, user, method, path, body.as_ref());
        assert!(answer.status != 401 && answer.status != 429, "{name}: {answer:?}");
        answer.status != 403
    };
    let name = |attempt: &Attempt| attempt.name.clone();
    thread::scope(|scope| {
        let parts = attempts.chunks(attempts.len().div_ceil(ASKERS));
        let askers: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter().filter(is_done).map(name).collect::<Vec<_>>())).collect();
        askers.into_iter().flat_map(|asker| asker.join().expect("an asker panics only with its cluster")).collect()
    })
}

fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    items.into_iter().collect()
}

#[test]
fn a_stolen_token_can_do_what_is_declared_and_nothing_else() {
    let cluster = deployed();
    let other = cluster.namespace("stranger");
    let namespaces = [HOST, TENANTS[0], TENANTS[1], &*other];
    let attempts: Vec<_> = resources(cluster).iter().flat_map(|resource| attempts(resource, &namespaces)).collect();
    for known in
        ["get pods in shop", "watch secrets in podlens", "create pods/exec in payments", "create serviceaccounts/token in shop"]
    {
        assert!(attempts.iter().any(|attempt| attempt.name == known), "{known}");
    }
    let stranger = cluster.service_account_token(&other, "default", 3600);
    let host = cluster.service_account_token(HOST, "podlens", 3600);

    // In its own name: what anybody may, and two questions.
    let of_anyone = done(cluster, &attempts, &stranger, None);
    assert!(!of_anyone.is_empty() && !of_anyone.iter().any(|done| done.contains(" pods")), "{of_anyone:?}");
    let questions = ["create tokenreviews.authentication.k8s.io", "create subjectaccessreviews.authorization.k8s.io"];
    let own = &done(cluster, &attempts, &host, None) - &of_anyone;
    assert_eq!(own, set(questions.map(str::to_owned)));

    // In another's name: pods of the tenants, as those who may read them, and not even what anybody may.
    let mut expected: Vec<_> = TENANTS
        .map(|tenant| (user(tenant, "podlens-reader"), set(["get", "list"].map(|verb| format!("{verb} pods in {tenant}")))))
        .into();
    let cache = TENANTS.iter().flat_map(|tenant| ["list", "watch"].map(|verb| format!("{verb} pods in {tenant}")));
    expected.push((user(HOST, "podlens-cache"), set(cache)));
    for nobody in [user(TENANTS[0], "dashboards"), user(&other, "default"), user("kube-system", "default"), "admin".to_owned()] {
        expected.push((nobody, BTreeSet::new()));
    }
    for (user, expected) in expected {
        assert_eq!(done(cluster, &attempts, &host, Some(&user)), expected, "as {user}");
    }
}

/// The rules that hold for the holder of this token in a namespace, each with one verb, by the API server's own word.
fn rules(cluster: &Cluster, token: &str, namespace: &str) -> BTreeSet<String> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": { "namespace": namespace },
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let status = cluster.request_impersonating(token, None, "POST", path, Some(&review)).body["status"].clone();
    assert_eq!(status["incomplete"], false);
    let words = |rule: &Value, field: &str| -> Vec<String> {
        let words = rule[field].as_array().cloned().unwrap_or_default();
        words.iter().map(|word| word.as_str().expect("rules are of words").to_owned()).collect()
    };
    let all = ["resourceRules", "nonResourceRules"].map(|kind| status[kind].as_array().cloned().unwrap_or_default()).concat();
    let mut rules = BTreeSet::new();
    for rule in &all {
        let objects = ["apiGroups", "resources", "resourceNames", "nonResourceURLs"].map(|field| words(rule, field).join(","));
        for verb in words(rule, "verbs") {
            rules.insert(format!("{verb} {}", objects.join(" ").trim_end()));
        }
    }
    rules
}

/// Rights also over what is no resource of the API: to be somebody, to give rights that one has not.
#[test]
fn the_api_server_knows_of_no_other_right() {
    let cluster = deployed();
    let other = cluster.namespace("stranger");
    let stranger = cluster.service_account_token(&other, "default", 3600);
    let host = cluster.service_account_token(HOST, "podlens", 3600);
    let everywhere = ["create authentication.k8s.io tokenreviews", "create authorization.k8s.io subjectaccessreviews"];
    let reader = [
        "impersonate:serviceaccount authentication.k8s.io serviceaccounts podlens-reader",
        "impersonate-on:serviceaccount:get  pods",
        "impersonate-on:serviceaccount:list  pods",
        "impersonate-on:serviceaccount:watch  pods",
    ];
    let cache = ["impersonate:serviceaccount authentication.k8s.io serviceaccounts podlens-cache"];
    let expected: [(&str, &[&str]); 6] =
        [(HOST, &cache), (TENANTS[0], &reader), (TENANTS[1], &reader), (&other, &[]), ("default", &[]), ("kube-system", &[])];
    for (namespace, rights) in expected {
        let own = &rules(cluster, &host, namespace) - &rules(cluster, &stranger, namespace);
        assert_eq!(own, set(everywhere.iter().chain(rights).map(|right| (*right).to_owned())), "in {namespace}");
    }
}

#[test]
fn without_constrained_impersonation_it_can_do_all_that_a_reader_may() {
    let cluster = deployed();
    let older = cluster.namespace("older");
    answer(apply(cluster, &tenant_pieces(cluster, &older, &["legacy-impersonation"]), &[]));
    let reader = user(&older, "podlens-reader");
    cluster.wait_until_allowed(
        &user(HOST, "podlens"),
        &json!({ "namespace": &*older, "resource": "serviceaccounts", "name": "podlens-reader", "verb": "impersonate" }),
    );
    cluster.wait_until_allowed(&reader, &json!({ "namespace": &*older, "resource": "pods", "verb": "list" }));

    let host = cluster.service_account_token(HOST, "podlens", 3600);
    let as_reader = cluster.service_account_token(&older, "podlens-reader", 3600);
    let attempts: Vec<_> = resources(cluster).iter().flat_map(|resource| attempts(resource, &[&older])).collect();
    let all = done(cluster, &attempts, &as_reader, None);
    assert!(all.contains(&format!("list pods in {older}")) && all.len() > 2, "{all:?}");
    assert_eq!(done(cluster, &attempts, &host, Some(&reader)), all);
    for nobody in [user(HOST, "podlens-cache"), user(&older, "podlens-cache"), user(&older, "default")] {
        assert_eq!(done(cluster, &attempts, &host, Some(&nobody)), BTreeSet::new(), "as {nobody}");
    }
    // In the host's own rights nothing is left of the constrained kind.
    let here = rules(cluster, &host, &older);
    assert!(!here.iter().any(|rule| rule.contains("impersonate:") || rule.contains("impersonate-on:")), "{here:?}");
}
