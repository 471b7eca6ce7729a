//! Pods that were read by another, and what the API server says of whom they are for. `tests/fast/serve/tenants.rs` has the whole way.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::config::Config;
use crate::error::Error;
use crate::fake::{Answer, Fake, get, post};
use crate::kube::{Detail, FieldSelector, LabelSelector, PodName, ReadPod, ServiceAccount};
use crate::policy::{Ask, Grant, PodRequest, Redaction, authorize, stripped};
use crate::serve::audit::PodsFrom;
use crate::serve::policy::Identity;
use crate::serve::traces::Span;
use crate::source::{ApiServer, Bounds, PodSource as _, Requests};

const PODS: &str = "/api/v1/namespaces/shop/pods";
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const SELF_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

fn client(fake: &Fake) -> (Client, tempfile::TempDir) {
    let mount = tempfile::tempdir().unwrap();
    std::fs::write(mount.path().join("token"), "host-token").unwrap();
    std::fs::write(mount.path().join("ca.crt"), fake.authority().pem()).unwrap();
    (Client::new(Config::service_account(&fake.address(), mount.path()).unwrap()).unwrap(), mount)
}

fn namespace(name: &str) -> Namespace {
    Namespace::parse(name).unwrap()
}

fn reader(name: &str) -> Identity {
    Identity::ServiceAccount(ServiceAccount::new(namespace("shop"), name).unwrap())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn word(status: &Value) -> Answer {
    Answer::json(201, json!({ "kind": "SubjectAccessReview", "status": status }).to_string())
}

fn allowed(is: bool) -> Answer {
    word(&json!({ "allowed": is }))
}

async fn checked(access: &AccessReviews, identity: &Identity, verb: &'static str, place: Option<&str>) -> Result<(), Error> {
    access.check(identity, verb, place.map(namespace).as_ref(), soon()).await
}

#[tokio::test]
async fn only_a_clear_yes_is_one() {
    for (answer, is_allowed, is_denied) in [
        (allowed(true), true, false),
        (allowed(false), false, true),
        (word(&json!({ "allowed": true, "denied": true })), false, true),
        (word(&json!({ "allowed": false, "evaluationError": "canary" })), false, true),
        (word(&json!({})), false, true),
        (word(&json!({ "allowed": "yes" })), false, false),
        (Answer::json(201, r#"{"kind":"Status","status":"Success"}"#), false, false),
        (Answer::json(201, "{}"), false, false),
        (Answer::json(201, "true"), false, false),
        (Answer::json(201, ""), false, false),
        // Who may not ask knows nothing.
        (Answer::status(403, "Forbidden", "canary"), false, false),
        (Answer::status(401, "Unauthorized", "canary"), false, false),
        (Answer::status(500, "InternalError", "canary"), false, false),
        (Answer::cut(), false, false),
    ] {
        let fake = Fake::builder().always(post(REVIEWS), answer.clone()).start();
        let (client, _mount) = client(&fake);
        let access = AccessReviews::new(client);
        let checked = checked(&access, &reader("podlens-reader"), "list", Some("shop")).await;
        assert_eq!((checked.is_ok(), checked.as_ref().is_err_and(Error::is_denied)), (is_allowed, is_denied), "{answer:?}");
        assert!(!checked.is_err_and(|error| error.to_string().contains("canary")), "{answer:?}");
    }
}

#[tokio::test]
async fn a_decision_holds_for_ten_seconds_and_a_refusal_for_one() {
    let fake = Fake::builder().script([(post(REVIEWS), allowed(true))]).always(post(REVIEWS), allowed(false)).start();
    let (client, _mount) = client(&fake);
    let access = AccessReviews::new(client);
    let identity = reader("podlens-reader");
    let ask = async || checked(&access, &identity, "list", Some("shop")).await;
    ask().await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(9)).await;
    ask().await.unwrap();
    assert_eq!(fake.seen().len(), 1);
    tokio::time::advance(Duration::from_millis(1001)).await;
    tokio::time::resume();
    // The right was taken away meanwhile, which is asked for a while: the API server may have just begun.
    assert!(ask().await.unwrap_err().is_denied());
    let asked = fake.seen().len();
    assert!((3..=8).contains(&asked), "{asked}");
    assert!(ask().await.unwrap_err().is_denied());
    assert_eq!(fake.seen().len(), asked);
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(1001)).await;
    tokio::time::resume();
    fake.expect(post(REVIEWS), allowed(true));
    ask().await.unwrap();
    assert_eq!(fake.seen().len(), asked + 1);
    let asked: Value = serde_json::from_slice(&fake.seen()[asked].body).unwrap();
    let attributes = json!({ "namespace": "shop", "verb": "list", "version": "v1", "resource": "pods" });
    assert_eq!(asked["spec"]["user"], "system:serviceaccount:shop:podlens-reader");
    for (name, value) in attributes.as_object().unwrap() {
        assert!(name == "version" || asked["spec"]["resourceAttributes"][name] == *value, "{asked}");
    }
}

/// It knows no role for a moment, and says no to everybody, to the host, too.
#[tokio::test]
async fn an_api_server_that_has_just_started_is_asked_again() {
    let forbidden = || Answer::status(403, "Forbidden", "no");
    let fake = Fake::start([allowed(true), forbidden(), allowed(false), allowed(true)].map(|answer| (post(REVIEWS), answer)));
    let (client, _mount) = client(&fake);
    let (access, identity) = (AccessReviews::new(client), reader("podlens-reader"));
    checked(&access, &identity, "list", Some("shop")).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(10_001)).await;
    tokio::time::resume();
    checked(&access, &identity, "list", Some("shop")).await.unwrap();
    assert_eq!(fake.seen().len(), 4);
}

/// A host that has lost its right is not asked for by each run anew.
#[tokio::test]
async fn a_host_that_is_refused_for_long_is_told_at_once() {
    let refused = Answer::status(403, "Forbidden", "no");
    let fake = Fake::builder().script([(post(REVIEWS), allowed(true))]).always(post(REVIEWS), refused).start();
    let (client, _mount) = client(&fake);
    let (access, identity) = (AccessReviews::new(client), reader("podlens-reader"));
    checked(&access, &identity, "list", Some("shop")).await.unwrap();
    assert!(checked(&access, &identity, "get", Some("shop")).await.unwrap_err().is_unavailable());
    let asked = fake.seen().len();
    assert!((3..=8).contains(&asked), "{asked}");
    assert!(checked(&access, &identity, "get", Some("shop")).await.unwrap_err().is_unavailable());
    assert_eq!(fake.seen().len(), asked + 1);
}

/// That may take it a while; another client, which watches, has seen that it was away.
#[tokio::test]
async fn an_api_server_that_may_just_have_started_is_asked_until_it_knows() {
    let noes = std::iter::repeat_n(false, 9);
    let fake = Fake::start(std::iter::once(true).chain(noes).chain([true]).map(|answer| (post(REVIEWS), allowed(answer))));
    let (client, _mount) = client(&fake);
    let watching = client.apart().unwrap();
    let (access, identity) = (AccessReviews::new(client), reader("podlens-reader"));
    checked(&access, &identity, "list", Some("shop")).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(10_001)).await;
    tokio::time::resume();
    watching.broke_off();
    checked(&access, &identity, "list", Some("shop")).await.unwrap();
    assert_eq!(fake.seen().len(), 11);
}

/// What is decided of one is nothing for another who asks, another verb or another place.
#[tokio::test]
async fn no_decision_is_anothers() {
    let yes_and_noes = std::iter::once(allowed(true)).chain((0..4).map(|_| allowed(false)));
    let own = (post(SELF_REVIEWS), Answer::json(201, r#"{"kind":"SelfSubjectAccessReview","status":{"allowed":false}}"#));
    let fake = Fake::start(yes_and_noes.map(|answer| (post(REVIEWS), answer)).chain([own]));
    let (client, _mount) = client(&fake);
    let access = AccessReviews::new(client);
    checked(&access, &reader("podlens-reader"), "list", Some("shop")).await.unwrap();
    for (identity, verb, place) in [
        (reader("other"), "list", Some("shop")),
        (reader("podlens-reader"), "get", Some("shop")),
        (reader("podlens-reader"), "list", Some("payments")),
        (reader("podlens-reader"), "list", None),
        (Identity::Host, "list", Some("shop")),
    ] {
        assert!(checked(&access, &identity, verb, place).await.unwrap_err().is_denied(), "{identity} {verb} {place:?}");
    }
    checked(&access, &reader("podlens-reader"), "list", Some("shop")).await.unwrap();
}

/// A pod with a canary in its environment.
fn pod(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "shop", "resourceVersion": "5" },
        "spec": { "containers": [{ "name": "main", "image": "a", "env": [{ "name": "P", "value": "canary" }] }], "nodeName": "canary-node" },
    })
}

/// An API server with two pods in the namespace, a watch of it that tells nothing, and this word on who may read them.
fn cluster(access: Answer) -> Fake {
    let list = json!({
        "kind": "PodList", "apiVersion": "v1", "metadata": { "resourceVersion": "7" }, "items": [pod("web-0"), pod("web-1")],
    });
    let watch = [("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", "7"), ("timeoutSeconds", "300")];
    Fake::builder()
        .always(get(PODS).query(&[("limit", "500")]), Answer::json(200, list.to_string()))
        .always(get(PODS).query(&watch), Answer::json(200, " ".repeat(64)).chunked(64).hang_after(8))
        .always(get(&format!("{PODS}/web-0")), Answer::json(200, pod("web-0").to_string()))
        .always(post(REVIEWS), access)
        .start()
}

fn shared(client: &Client, bytes: u64, keep: Keep) -> Arc<Cache> {
    let policy = CachePolicy { identity: reader("podlens-cache"), bytes, idle: Duration::from_secs(600) };
    Arc::new(Cache::new(client, policy, keep, Handle::current(), Metrics::new()))
}

/// The way of one run.
fn pods(client: &Client, cache: &Arc<Cache>, access: &Arc<AccessReviews>) -> TenantPods {
    let identity = reader("podlens-reader");
    let direct = ApiServer::new(client.acting(identity.acting()));
    TenantPods::new(Some(Arc::clone(cache)), direct, identity, Arc::clone(access), Handle::current(), Span::default())
}

fn list(detail: Detail) -> PodRequest {
    let grant = Grant::nothing().namespace(namespace("shop")).whole_objects();
    let ask = Ask::List { namespace: None, labels: LabelSelector::default(), fields: FieldSelector::default(), detail };
    authorize(&grant, ask).unwrap()
}

fn get_web_0() -> PodRequest {
    let grant = Grant::nothing().namespace(namespace("shop"));
    let name = PodName::parse("web-0").unwrap();
    authorize(&grant, Ask::Get { namespace: namespace("shop"), name, detail: Detail::Fields }).unwrap()
}

fn bounds() -> Bounds {
    Bounds { deadline: soon(), max_bytes: 1 << 20, requests: Requests::default() }
}

/// All pods of a list, and where they came from.
async fn read(pods: &TenantPods, request: PodRequest) -> Result<(Vec<ReadPod>, Option<PodsFrom>), Error> {
    let (mut pages, mut all) = (pods.list(request), Vec::new());
    while let Some(page) = pages.next(bounds()).await? {
        all.extend(page.pods);
    }
    Ok((all, pods.reading().from))
}

/// Waits until the cache knows them.
async fn known(cache: &Cache) {
    while cache.size().pods < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn as_they_are() -> Keep {
    Arc::new(|read: ReadPod| read.without_object())
}

fn count(fake: &Fake, path: &str) -> usize {
    fake.seen().iter().filter(|seen| seen.path == path).count()
}

#[tokio::test]
async fn what_the_cache_does_not_know_is_read_as_the_tenant() {
    let fake = cluster(allowed(true));
    let (client, _mount) = client(&fake);
    let (cache, access) = (shared(&client, 1 << 20, as_they_are()), Arc::new(AccessReviews::new(client.clone())));
    let (found, from) = read(&pods(&client, &cache, &access), list(Detail::Fields)).await.unwrap();
    assert_eq!((found.len(), from), (2, Some(PodsFrom::ApiServer)));
    // Asked before a watch is begun: who may not read begins none.
    assert_eq!(count(&fake, REVIEWS), 1);
    known(&cache).await;
    let as_whom = |user: &str| fake.seen().iter().any(|seen| seen.header("impersonate-user") == Some(user));
    assert!(as_whom("system:serviceaccount:shop:podlens-reader") && as_whom("system:serviceaccount:shop:podlens-cache"));

    let asked = count(&fake, PODS);
    let (found, from) = read(&pods(&client, &cache, &access), list(Detail::Fields)).await.unwrap();
    assert_eq!((found.len(), from), (2, Some(PodsFrom::Cache)));
    pods(&client, &cache, &access).get(&get_web_0(), bounds()).await.unwrap();
    assert_eq!((count(&fake, PODS), count(&fake, REVIEWS)), (asked, 2));
    // Whole objects are not kept: they are read.
    let (found, from) = read(&pods(&client, &cache, &access), list(Detail::Object)).await.unwrap();
    assert!(found.len() == 2 && found[0].object().is_some() && from == Some(PodsFrom::ApiServer));
}

#[tokio::test]
async fn what_the_cache_knows_is_for_whom_the_api_server_lets_read_it() {
    for (answer, is_denied) in
        [(allowed(false), true), (Answer::status(403, "Forbidden", "no"), false), (Answer::json(201, "{}"), false)]
    {
        let fake = cluster(answer.clone());
        let (client, _mount) = client(&fake);
        let (cache, access) = (shared(&client, 1 << 20, as_they_are()), Arc::new(AccessReviews::new(client.clone())));
        assert!(cache.pods(Some(&namespace("shop"))).is_none());
        known(&cache).await;
        let refused = read(&pods(&client, &cache, &access), list(Detail::Fields)).await.unwrap_err();
        assert_eq!(refused.is_denied(), is_denied, "{answer:?}: {refused}");
        let refused = pods(&client, &cache, &access).get(&get_web_0(), bounds()).await.unwrap_err();
        assert_eq!(refused.is_denied(), is_denied, "{answer:?}: {refused}");
    }
}

#[tokio::test]
async fn what_is_more_than_there_is_room_for_is_read_each_time() {
    let fake = cluster(allowed(true));
    let (client, _mount) = client(&fake);
    let (cache, access) = (shared(&client, 1, as_they_are()), Arc::new(AccessReviews::new(client.clone())));
    for _ in 0..3 {
        let (found, from) = read(&pods(&client, &cache, &access), list(Detail::Fields)).await.unwrap();
        assert_eq!((found.len(), from), (2, Some(PodsFrom::ApiServer)));
    }
    assert_eq!(cache.size().pods, 0);
}

#[tokio::test]
async fn what_no_tenant_may_see_is_not_even_kept() {
    let fake = cluster(allowed(true));
    let (client, _mount) = client(&fake);
    let shop = namespace("shop");
    for (withheld, canaries) in [(&[][..], true), (&[Redaction::Env, Redaction::Nodes], false)] {
        let withheld = withheld.iter().copied().collect();
        let cache = shared(&client, 1 << 20, Arc::new(move |read| stripped(read, withheld)));
        assert!(cache.pods(Some(&shop)).is_none());
        known(&cache).await;
        let latest = cache.pods(Some(&shop)).unwrap();
        assert_eq!(latest.resource_version, "7");
        let page = latest.pods.list(list(Detail::Fields)).next(bounds()).await.unwrap().unwrap();
        assert_eq!(page.pods.len(), 2);
        assert!(page.pods.iter().all(|read| read.object().is_none()));
        let told = format!("{:?}", page.pods.iter().map(ReadPod::pod).collect::<Vec<_>>());
        assert_eq!(told.contains("canary"), canaries, "{told}");
    }
}

/// An API server that has just started refuses everybody.
#[tokio::test]
async fn a_watch_that_was_refused_is_begun_again_after_a_second() {
    let fake = cluster(allowed(true));
    fake.expect(get(PODS).query(&[("limit", "500")]), Answer::status(403, "Forbidden", "no"));
    let (client, _mount) = client(&fake);
    let (cache, shop) = (shared(&client, 1 << 20, as_they_are()), namespace("shop"));
    assert!(cache.pods(Some(&shop)).is_none());
    while count(&fake, PODS) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(cache.pods(Some(&shop)).is_none());
    assert_eq!((count(&fake, PODS), cache.size().watches), (1, 1));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(cache.pods(Some(&shop)).is_none());
    known(&cache).await;
}

#[tokio::test]
async fn a_watch_that_nobody_asks_for_ends() {
    let fake = cluster(allowed(true));
    let (client, _mount) = client(&fake);
    let cache = shared(&client, 1 << 20, as_they_are());
    assert!(cache.pods(Some(&namespace("shop"))).is_none());
    known(&cache).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(599)).await;
    cache.sweep();
    assert_eq!(cache.size().watches, 1);
    // It is asked for once more.
    assert!(cache.pods(Some(&namespace("shop"))).is_some());
    tokio::time::advance(Duration::from_secs(599)).await;
    cache.sweep();
    assert_eq!(cache.size().watches, 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    cache.sweep();
    let size = cache.size();
    assert_eq!((size.watches, size.pods), (0, 0));
    tokio::time::resume();
    // What it had of the room comes back with the end of its task.
    while cache.size().bytes > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
