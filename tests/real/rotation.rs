//! A token that rotates, or ends, while a run goes on.

use std::time::{Duration, Instant};

use podlens_tests::cluster::{Cluster, Mount};
use serde_json::json;

use crate::arrange::{HELD_PAGES, Held, cluster, eventually, held_pods, in_pod, names, reader, requests_when};

/// From this age on the client reads the token again without having been refused (host/src/client/credential.rs).
const TOKEN_RELOAD_INTERVAL: Duration = Duration::from_secs(50);

/// A token of the service account `default` that is valid as long as a Secret is there, and the path of that Secret.
fn mortal_token(cluster: &Cluster, namespace: &str) -> (String, String) {
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    let secret = cluster.post(&secrets, &json!({ "metadata": { "name": "life" } }));
    let bound = json!({ "apiVersion": "v1", "kind": "Secret", "name": "life", "uid": secret["metadata"]["uid"] });
    let token = cluster.token(namespace, "default", &json!({ "expirationSeconds": 3600, "boundObjectRef": bound }));
    (token, format!("{secrets}/life"))
}

/// Two runs with one token stand still while it dies. One finds a new token in its mount, the other finds the dead one.
#[test]
fn a_refused_token_is_read_again_at_once() {
    let cluster = cluster();
    let (namespace, mut rotated) = reader(cluster, "rotation");
    let expected = held_pods(cluster, &namespace);
    let (old, secret) = mortal_token(cluster, &namespace);
    rotated.rotate(&old);
    let stale = Mount::new(&old, cluster.ca_pem(), &namespace);

    let started = Instant::now();
    let run_rotated = Held::start(in_pod(cluster, &rotated), &namespace);
    let run_stale = Held::start(in_pod(cluster, &stale), &namespace);
    // Both stand still, and have pages to come.
    assert!(requests_when(cluster, &namespace, 2 * HELD_PAGES).iter().all(|(code, _)| *code == 200));

    cluster.delete(&secret);
    let path = format!("/api/v1/namespaces/{namespace}/pods?limit=1");
    // The API server remembers for 10 s that a token was good.
    eventually("the token of a deleted Secret is refused", || (cluster.request_as(&old, "GET", &path).status == 401).then_some(()));
    rotated.rotate(&cluster.service_account_token(&namespace, "default", 3600));

    let done = run_rotated.finish();
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert_eq!(names(&done.stdout), expected);
    let requests = requests_when(cluster, &namespace, 2 * HELD_PAGES + 2);
    let [refused, again] = &requests[2 * HELD_PAGES..] else { panic!("{requests:#?}") };
    assert_eq!((refused.0, again.0), (401, 200));
    assert_eq!(refused.1, again.1, "the refused page is asked for again");

    let done = run_stale.finish();
    assert_eq!(done.code, 3);
    assert!(done.stderr.contains("401 Unauthorized") && done.stderr.contains("the answer is not complete"), "{}", done.stderr);
    assert_eq!(requests_when(cluster, &namespace, 2 * HELD_PAGES + 3).len(), 2 * HELD_PAGES + 3, "a dead token is not tried twice");
    // Otherwise the tokens would have been read again because of their age, and this proved nothing.
    assert!(started.elapsed() < TOKEN_RELOAD_INTERVAL, "this machine is too slow: {:?}", started.elapsed());
}

/// How long after a token's end the API server still takes it: go-jose's leeway, and its own cache of what was good.
const GRACE_SECONDS: i64 = 60 + 10;

/// The shortest token there is, almost as old as it can become when the run begins. It ends, and a run that finds the next one in its
/// mount goes on.
#[test]
fn a_token_of_ten_minutes_ends_and_the_next_one_is_taken() {
    let cluster = cluster();
    let (namespace, mut mount) = reader(cluster, "lifetime");
    let expected = held_pods(cluster, &namespace);
    let token = cluster.aged(&cluster.service_account_token(&namespace, "default", 600), 600 + GRACE_SECONDS - 25);
    mount.rotate(&token);
    let run = Held::start(in_pod(cluster, &mount), &namespace);
    requests_when(cluster, &namespace, HELD_PAGES);

    let path = format!("/api/v1/namespaces/{namespace}/pods?limit=1");
    eventually("a token that has ended is refused", || (cluster.request_as(&token, "GET", &path).status == 401).then_some(()));
    mount.rotate(&cluster.service_account_token(&namespace, "default", 600));
    let done = run.finish();
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert_eq!(names(&done.stdout), expected);
    let requests = requests_when(cluster, &namespace, HELD_PAGES + 2);
    assert_eq!(requests[HELD_PAGES..].iter().map(|(code, _)| *code).collect::<Vec<_>>(), [401, 200]);
}
