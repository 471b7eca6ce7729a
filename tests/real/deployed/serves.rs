//! Tenants' queries in the deployed server: each as itself, with the API server's audit log as the witness.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use podlens_tests::cluster::{Cluster, realistic_pod};
use podlens_tests::program;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::pod::{Files, Pod};
use super::{HOST, TENANTS, deployed, user};
use crate::arrange::{answer, eventually, names};
use crate::deploy::deploy;

/// The name by which callers call, of the Service.
const NAME: &str = "podlens.podlens.svc";

/// Pods of each tenant. More than one page has.
const PODS: usize = 501;

/// The longest wait for an answer. A run takes less.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Callers of one server.
struct Callers {
    runtime: Runtime,
    http: reqwest::Client,
}

/// What a caller got.
#[derive(Debug)]
struct Got {
    status: u16,
    source: Option<String>,
    body: String,
}

impl Callers {
    fn new(certificate: &str, api: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the system has threads");
        let certificate = reqwest::Certificate::from_pem(certificate.as_bytes()).expect("it was just made");
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).resolve(NAME, api).tls_certs_only([certificate]);
        Self { runtime, http: http.build().expect("nothing of this depends on the machine") }
    }

    /// Has the query `pod-names` run; `fresh`, past the cache.
    fn pod_names(&self, api: SocketAddr, token: &str, fresh: bool) -> Got {
        let request = self.http.get(format!("https://{NAME}:{}/v1/queries/pod-names/run", api.port())).bearer_auth(token);
        let request = if fresh { request.header("Cache-Control", "no-cache") } else { request };
        self.runtime.block_on(async {
            let response = request.send().await.expect("the server answers");
            let source = response.headers().get("podlens-source").map(|value| value.to_str().expect("it is a word").to_owned());
            Got { status: response.status().as_u16(), source, body: response.text().await.expect("the answer is whole") }
        })
    }

    fn get(&self, url: String) -> String {
        self.runtime.block_on(async {
            let response = self.http.get(url).send().await.expect("the server answers");
            response.text().await.expect("the answer is whole")
        })
    }
}

/// The example's policy, for both tenants; and with a mistake in it: interns of the first are given the pods of the second.
fn policy() -> String {
    let example = fs::read_to_string(deploy("serve/examples/overlay/policy.yaml")).expect("it is in the repository");
    let (_, shop) = example.split_once("tenants:\n").expect("it has tenants");
    let payments = shop.replace(TENANTS[0], TENANTS[1]);
    let mistake = shop
        .replace("- name: shop", "- name: mistake")
        .replace("name: dashboards", "name: intern")
        .replace("namespaces: [shop]", "namespaces: [payments]");
    assert!(mistake.contains("namespaces: [payments]") && mistake.contains("{namespace: shop, name: podlens-reader}"));
    format!("{example}{payments}{mistake}")
}

/// The requests for pods by the server's account: their IDs, with the event of the last stage of each.
fn asked_for_pods(cluster: &Cluster) -> BTreeMap<String, Value> {
    let is_ours =
        |event: &Value| event["user"]["username"] == user(HOST, "podlens").as_str() && event["objectRef"]["resource"] == "pods";
    let of_podlens = |event: &Value| event["userAgent"].as_str().is_some_and(|agent| agent.starts_with("podlens/"));
    let events = cluster.audit_events().into_iter().filter(|event| is_ours(event) && of_podlens(event));
    events.map(|event| (event["auditID"].as_str().expect("each has one").to_owned(), event)).collect()
}

#[test]
fn tenants_read_as_themselves_and_the_api_server_saw_what_is_on_record() {
    let cluster = deployed();
    for tenant in TENANTS {
        cluster.create_pods(tenant, PODS, realistic_pod);
    }
    let expected: BTreeSet<String> = (0..PODS).map(|index| name_of(&realistic_pod(index))).collect();
    let token = |namespace: &str, account: &str| {
        cluster.token(namespace, account, &json!({ "audiences": ["podlens"], "expirationSeconds": 600 }))
    };
    let certified = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("it is a name");
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let pod = Pod::start(cluster, &Files { policy: &policy(), certificate: &certificate, key: &key });
    let callers = Callers::new(&certificate, pod.api);
    eventually("a server that is ready", || (callers.get(format!("http://{}/readyz", pod.health)) == "ok").then_some(()));

    // Each gets its own pods, from the API server and then from the cache.
    for tenant in TENANTS {
        let token = token(tenant, "dashboards");
        let all_of = |got: &Got| {
            assert_eq!(got.status, 200, "{got:?}");
            assert_eq!(names(&got.body).into_iter().collect::<BTreeSet<_>>(), expected);
            let rows: Vec<Value> = serde_json::from_str(&got.body).expect("the answer is JSON");
            assert!(rows.iter().all(|row| row["namespace"] == tenant), "{tenant}");
        };
        let got = callers.pod_names(pod.api, &token, true);
        all_of(&got);
        assert_eq!(got.source.as_deref(), Some("api-server"));
        eventually("an answer of the cache", || {
            let got = callers.pod_names(pod.api, &token, false);
            // Asking again and again is more than a tenant may.
            if got.status == 429 {
                return None;
            }
            all_of(&got);
            (got.source.as_deref() == Some("cache")).then_some(())
        });
    }
    // What a policy gives by mistake, the API server refuses: when it is asked for pods, and when it is asked about the cache's.
    let intern = token(TENANTS[0], "intern");
    for fresh in [true, false] {
        let got = callers.pod_names(pod.api, &intern, fresh);
        assert_eq!(got.status, 403, "{got:?}");
        assert!(!got.body.contains(expected.first().expect("there are some").as_str()), "{got:?}");
    }
    // A token for the API server is none for podlens, and the server's own account is no caller.
    for nobody in
        [cluster.service_account_token(TENANTS[0], "dashboards", 600), token(HOST, "podlens"), token("default", "default")]
    {
        assert_eq!(callers.pod_names(pod.api, &nobody, false).status, 401);
    }

    let left = pod.end();
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert!(left.compiled > 0, "what was compiled was kept: {}", left.stderr);
    // Who made the mistake is told why, of both runs; and there is nothing else to be told.
    let warnings: Vec<_> = left.stderr.lines().filter(|line| line.contains("warning") || line.contains("WARN")).collect();
    let tells = |line: &&str| ["tenant=mistake", "podlens-reader", "list", "payments"].iter().all(|word| line.contains(word));
    assert!(warnings.len() == 2 && warnings.iter().all(tells), "{}", left.stderr);
    agree(cluster, &left.stdout);
}

fn name_of(pod: &Value) -> String {
    pod["metadata"]["name"].as_str().expect("it has a name").to_owned()
}

/// Holds the two logs against each other.
fn agree(cluster: &Cluster, log: &str) {
    let place = tempfile::tempdir().expect("the temporary folder is writable");
    let file = place.path().join("audit.log");
    fs::write(&file, log).expect("the folder is writable");
    answer(program::run(program::command().args(["audit", "verify"]).arg(&file)));

    let records = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"));
    let is_of_pods = |record: &Value| record["stage"] == "ResponseComplete" && record["objectRef"]["resource"] == "pods";
    let ours: BTreeMap<String, Value> =
        records.filter(is_of_pods).map(|record| (record["auditID"].as_str().expect("each has one").to_owned(), record)).collect();
    // An event is written a moment after its answer.
    eventually("every request in the API server's log", || {
        let theirs = asked_for_pods(cluster);
        ours.keys().all(|id| theirs.contains_key(id)).then_some(())
    });
    let theirs = asked_for_pods(cluster);
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());

    let mut tenants = BTreeSet::new();
    for (id, ours) in &ours {
        let theirs = &theirs[id];
        let agent = theirs["userAgent"].as_str().expect("each has one");
        let seen = (&theirs["impersonatedUser"]["username"], &theirs["verb"], &theirs["objectRef"]["namespace"]);
        assert_eq!(seen, (&ours["impersonatedUser"]["username"], &ours["verb"], &ours["objectRef"]["namespace"]), "{theirs}");
        let (reader, words) = match ours["tenant"].as_str() {
            Some("mistake") => (user(TENANTS[0], "podlens-reader"), "tenant/mistake ".to_owned()),
            Some(tenant) => (user(tenant, "podlens-reader"), format!("tenant/{tenant} ")),
            None => (user(HOST, "podlens-cache"), "cache".to_owned()),
        };
        assert_eq!(*seen.0, reader.as_str(), "{theirs}");
        assert!(agent.contains(&words), "{agent}");
        // A watch that we ended has no end in our log.
        let (code, told) = (&ours["responseStatus"]["code"], &theirs["responseStatus"]["code"]);
        assert!(code == told || code.is_null(), "{ours} {theirs}");
        tenants.insert((ours["tenant"].as_str().map(str::to_owned), told.as_u64()));
    }
    let tenant = |name: &str, code| (Some(name.to_owned()), Some(code));
    let expected = [(None, Some(200)), tenant("mistake", 403), tenant("payments", 200), tenant("shop", 200)];
    assert_eq!(tenants, expected.into_iter().collect());
}
