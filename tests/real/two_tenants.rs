//! Two tenants, one server, one cache: a query of `shop` asks for the pods of `payments`, and is denied.
//!
//! The same policy, component and binary tell it twice: on a cluster, as `deploy/serve` has it there, where the API server's own audit log
//! is the witness, and on a laptop, with `podlens demo --serve` for a cluster. `deployed/serves.rs` goes on from here: to a policy with a
//! mistake in it, and to callers who are none.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use podlens_tests::cluster::{Cluster, Options, realistic_pod};
use podlens_tests::serving::{self, Answer, Demo, Serving, metric, sha256};
use podlens_tests::{guests, program};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::arrange::{answer, eventually};
use crate::deploy::deploy;
use crate::deployed::{HOST, TENANTS, deploy_on, user};

/// Pods of each tenant on the cluster. Arbitrary.
const PODS: usize = 20;

/// What the policy gives the cache, in bytes, and the words in which it does.
const CACHE_BYTES: (f64, &str) = (64.0 * 1_048_576.0, "\n  bytes: 64Mi\n");

#[test]
fn anothers_namespace_is_denied_on_a_cluster_and_on_a_laptop_alike() {
    let components = [fs::read(guests::ASKS).expect("the build has made it")];
    let digest = sha256(&components[0]);
    let policy = policy(&digest);

    // On a cluster: each caller is a service account, which asks the API server for a token, for podlens.
    let cluster = Cluster::start(&Options { audit_log: true, ..Options::default() });
    deploy_on(&cluster);
    for tenant in TENANTS {
        cluster.create_pods(tenant, PODS, realistic_pod);
    }
    let account = Account::of_server(&cluster);
    let server = Serving::start(program::podlens(), &account.kubeconfig(), &policy, &components, &[]);
    let for_podlens = json!({ "audiences": ["podlens"], "expirationSeconds": 600 });
    let records = told(server, |tenant| cluster.token(tenant, "dashboards", &for_podlens));
    the_api_server_names_each_tenant(&cluster, &records, &digest);

    // On a laptop: the demo is the cluster, and all else is as it was.
    let demo = Demo::start();
    let server = Serving::start(program::podlens(), &demo.kubeconfig(), &policy, &components, &[]);
    told(server, |tenant| demo.token(tenant));
}

/// The demo's policy as it is in the repository; and both tenants have one more query, which asks for the namespace that it is told.
fn policy(digest: &str) -> String {
    let demo = fs::read_to_string(deploy("serve/demo-policy.yaml")).expect("it is in the repository");
    assert!(demo.contains(CACHE_BYTES.1), "{demo}");
    let query = format!("  queries:\n  - name: asks\n    digest: sha256:{digest}\n");
    let policy = demo.replace("  queries:\n", &query);
    assert_eq!(policy.matches(&query).count(), TENANTS.len(), "{policy}");
    policy
}

/// The story, to the server's end. Returns what the server has on record.
fn told(mut server: Serving, token: impl Fn(&str) -> String) -> Vec<Value> {
    tell(&server, token);
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.said());

    let log = server.audit_log();
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let file = folder.path().join("audit.jsonl");
    fs::write(&file, &log).expect("the folder is writable");
    answer(program::run(program::command().args(["audit", "verify"]).arg(&file)));

    let records: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let denied = records.iter().filter(|record| record["stage"] == "RunComplete" && record["outcome"] == "denied");
    let told = |record: &Value| format!("{} {}", record["tenant"], record["denied"]);
    let not_granted = |tenant: &str, namespace: &str| format!("\"{tenant}\" \"namespace `{namespace}` is not granted\"");
    let expected = [("shop", "payments"), ("shop", "payments"), ("payments", "shop")];
    assert_eq!(denied.map(told).collect::<Vec<_>>(), expected.map(|(tenant, namespace)| not_granted(tenant, namespace)));
    // Of what is denied, nobody is asked.
    for call in records.iter().filter(|record| record["stage"] == "ResponseComplete" && record["tenant"].is_string()) {
        assert_eq!(call["objectRef"]["namespace"], call["tenant"], "{call}");
    }
    records
}

fn tell(server: &Serving, token: impl Fn(&str) -> String) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("the system has threads");
    let [shop, payments] = TENANTS.map(|tenant| Caller { tenant, token: token(tenant), server, runtime: &runtime });

    // The query of shop gets the pods of shop. It asks for those of payments, and gets none.
    let pods_of_shop = shop.gets_its_pods("api-server");
    shop.is_denied("payments");

    // The same query gets them for payments.
    let pods_of_payments = payments.gets_its_pods("api-server");
    assert_ne!(pods_of_shop, pods_of_payments);

    // From now on, what is asked for again comes from the cache.
    assert_eq!(shop.gets_its_pods("cache"), pods_of_shop);
    assert_eq!(payments.gets_its_pods("cache"), pods_of_payments);

    // It has the pods of both, and each is given its own.
    shop.is_denied("payments");
    payments.is_denied("shop");

    // For all of these runs there is one watch of each namespace, and the cache is within what the policy gives it.
    let metrics = get(&runtime, server.health(), "/metrics", "");
    let metrics = String::from_utf8(metrics.body).expect("metrics are text");
    assert_eq!(metric(&metrics, "podlens_cache_watches"), 2.0, "{metrics}");
    let bytes = metric(&metrics, "podlens_cache_bytes");
    assert!(0.0 < bytes && bytes <= CACHE_BYTES.0, "{bytes}");
}

/// Who calls for a tenant.
struct Caller<'a> {
    tenant: &'static str,
    token: String,
    server: &'a Serving,
    runtime: &'a Runtime,
}

impl Caller<'_> {
    /// Gets pods of its own namespace, and no others, once they come from this source.
    #[track_caller]
    fn gets_its_pods(&self, source: &str) -> Value {
        eventually(&format!("pods of {} from {source}", self.tenant), || {
            let got = self.asks_for(self.tenant);
            assert_eq!(got.status, 200, "{got:?}");
            let pods = got.json();
            let rows = pods.as_array().expect("an answer is rows");
            assert!(!rows.is_empty() && rows.iter().all(|row| row["namespace"] == self.tenant), "{got:?}");
            for header in ["podlens-observed-at", "podlens-resource-version"] {
                assert!(got.header(header).is_some_and(|value| !value.is_empty()), "{header}: {got:?}");
            }
            (got.header("podlens-source") == Some(source)).then_some(pods)
        })
    }

    /// Asks for the pods of a namespace that it is not given.
    #[track_caller]
    fn is_denied(&self, namespace: &str) {
        let got = self.asks_for(namespace);
        assert_eq!(got.status, 403, "{got:?}");
        let told = got.json();
        let detail = format!("namespace `{namespace}` is not granted");
        assert_eq!((&told["code"], &told["detail"]), (&json!("denied"), &json!(detail)));
        assert_eq!(got.header("podlens-source"), None, "{got:?}");
    }

    /// Has the query run. However it ends, the guest was within its memory.
    #[track_caller]
    fn asks_for(&self, namespace: &str) -> Answer {
        let target = format!("/v1/queries/asks/run?namespace={namespace}");
        // Asking again and again is more than a tenant may.
        let got = eventually("a run", || Some(self.get(&target)).filter(|got| got.status != 429));
        let run = got.header("podlens-run").unwrap_or_else(|| panic!("a run has a name: {got:?}"));
        let report = self.get(&format!("/v1/runs/{run}")).json();
        let memory = &report["limits"]["memory-limit"];
        let [used, limit] = ["used", "limit"].map(|key| memory[key].as_u64().unwrap_or_else(|| panic!("no `{key}`: {report}")));
        assert!(0 < used && used < limit, "{report}");
        got
    }

    fn get(&self, target: &str) -> Answer {
        get(self.runtime, self.server.api(), target, &self.token)
    }
}

fn get(runtime: &Runtime, from: SocketAddr, target: &str, token: &str) -> Answer {
    runtime.block_on(serving::ask(from, "GET", target, token, b"")).expect("the server answers")
}

/// What the API server wrote down by itself: each read was the tenant's, for this component, and is on our record by the same ID.
fn the_api_server_names_each_tenant(cluster: &Cluster, records: &[Value], digest: &str) {
    for tenant in TENANTS {
        let is_of_tenant = |record: &&Value| record["stage"] == "ResponseComplete" && record["tenant"] == tenant;
        let ours: BTreeSet<String> = records.iter().filter(is_of_tenant).map(audit_id).collect();
        assert!(!ours.is_empty(), "{tenant} has read nothing");

        let reader = user(tenant, "podlens-reader");
        let is_of_reader = |event: &Value| event["impersonatedUser"]["username"] == reader.as_str();
        // An event is written a moment after its answer.
        let events = eventually(&format!("the reads of {tenant} in the API server's log"), || {
            let events: Vec<Value> = cluster.audit_events().into_iter().filter(is_of_reader).collect();
            (events.len() >= ours.len()).then_some(events)
        });
        assert_eq!(events.iter().map(audit_id).collect::<BTreeSet<_>>(), ours);
        for event in &events {
            assert_eq!(event["user"]["username"], user(HOST, "podlens").as_str(), "{event}");
            assert_eq!(event["objectRef"]["namespace"], tenant, "{event}");
            let agent = event["userAgent"].as_str().expect("each says who asks");
            assert!(agent.contains(&format!(" tenant/{tenant} component/sha256:{} run/", &digest[..12])), "{agent}");
        }
    }

    // No account of shop was ever in the namespace of payments, not even to be turned away.
    for event in cluster.audit_events().iter().filter(|event| event["objectRef"]["namespace"] == "payments") {
        for who in ["user", "impersonatedUser"] {
            let name = event[who]["username"].as_str().unwrap_or_default();
            assert!(!name.starts_with(&user("shop", "")), "{event}");
        }
    }
}

fn audit_id(of: &Value) -> String {
    of["auditID"].as_str().expect("each has one").to_owned()
}

/// The server's account on the cluster, as a kubeconfig has it.
struct Account(TempDir);

impl Account {
    fn of_server(cluster: &Cluster) -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let authority = folder.path().join("ca.crt");
        // JSON is YAML.
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "c", "cluster": {
                "server": format!("https://{}", cluster.address()),
                "certificate-authority": authority,
            }}],
            "users": [{ "name": "server", "user": { "token": cluster.service_account_token(HOST, "podlens", 3600) } }],
            "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "server" } }],
            "current-context": "c",
        });
        fs::write(&authority, cluster.ca_pem()).expect("the folder is writable");
        let account = Self(folder);
        fs::write(account.kubeconfig(), kubeconfig.to_string()).expect("the folder is writable");
        account
    }

    fn kubeconfig(&self) -> PathBuf {
        self.0.path().join("kubeconfig")
    }
}
