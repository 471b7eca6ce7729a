//! A real cluster, a namespace of pods in it, and a server for tenants who read them.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use podlens_tests::cluster::{Cluster, Namespace, Options, realistic_pod};
use podlens_tests::serving::{Serving, sha256};
use serde_json::{Value, json};

use super::load::Asker;
use crate::Result;

/// Where the server's account lives, and the cache's.
const HOST: &str = "podlens-host";
const CACHE: &str = "podlens-cache";
const READER: &str = "podlens-reader";

/// The cluster with its accounts.
pub(crate) struct Arranged {
    pub(crate) cluster: Cluster,
    pub(crate) namespace: Namespace,
    /// With the server's account in it.
    folder: tempfile::TempDir,
    podlens: PathBuf,
}

/// What a tenant is, in the words of the policy.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) name: String,
    pub(crate) limits: String,
    pub(crate) concurrent_runs: usize,
    pub(crate) queue: usize,
    /// By name.
    pub(crate) queries: Vec<(String, Vec<u8>)>,
}

impl Tenant {
    /// With one query, `work`, and as many runs as a tenant may have.
    pub(crate) fn new(name: impl Into<String>, component: &[u8]) -> Self {
        Self {
            name: name.into(),
            limits: "timeout: 30s".to_owned(),
            concurrent_runs: 100,
            queue: 10_000,
            queries: vec![("work".to_owned(), component.to_vec())],
        }
    }

    fn token(&self) -> String {
        format!("token-of-{}", self.name)
    }

    /// Asks for its query with these arguments.
    pub(crate) fn asker(&self, serving: &Serving, arguments: &str) -> Asker {
        let target = format!("/v1/queries/{}/run{arguments}", self.queries[0].0);
        Asker { to: serving.api(), target, token: self.token(), pace: None }
    }
}

impl Arranged {
    pub(crate) fn start(pods: usize) -> Result<Self> {
        // By itself `podlens` would be built anew, and otherwise than for measuring.
        let here = std::env::current_exe().map_err(|error| format!("looking for this program: {error}"))?;
        let podlens = here.with_file_name("podlens");
        let cluster = Cluster::start(&Options::default());
        let namespace = cluster.namespace("bench");
        cluster.post("/api/v1/namespaces", &json!({ "metadata": { "name": HOST } }));
        for (of, account) in [(HOST, HOST), (HOST, CACHE), (&*namespace, READER)] {
            cluster.create_service_account(of, account);
        }
        cluster.grant_pods(&namespace, READER, &["get", "list"]);
        grant(&cluster, CACHE, CACHE, &[pods_rule(&["get", "list", "watch"])]);
        let impersonates = ["get", "list", "watch"].map(|verb| format!("impersonate-on:serviceaccount:{verb}"));
        let rule =
            |group: &str, resource: &str, verb: &str| json!({ "apiGroups": [group], "resources": [resource], "verbs": [verb] });
        let of_host = [
            pods_rule(&impersonates.each_ref().map(String::as_str)),
            rule("authentication.k8s.io", "serviceaccounts", "impersonate:serviceaccount"),
            rule("authorization.k8s.io", "subjectaccessreviews", "create"),
            rule("authentication.k8s.io", "tokenreviews", "create"),
        ];
        grant(&cluster, HOST, HOST, &of_host);
        cluster.wait_until_allowed(
            &format!("system:serviceaccount:{HOST}:{HOST}"),
            &json!({ "verb": "create", "group": "authorization.k8s.io", "resource": "subjectaccessreviews" }),
        );
        cluster.create_pods(&namespace, pods, realistic_pod);
        let folder = tempfile::tempdir().map_err(|error| format!("making a temporary folder: {error}"))?;
        let token = cluster.service_account_token(HOST, HOST, 36_000);
        // JSON is YAML.
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "bench", "cluster": {
                "server": format!("https://{}", cluster.address()),
                "certificate-authority": folder.path().join("ca.crt"),
            }}],
            "users": [{ "name": "host", "user": { "token": token } }],
            "contexts": [{ "name": "bench", "context": { "cluster": "bench", "user": "host" } }],
            "current-context": "bench",
        });
        for (name, text) in [("ca.crt", cluster.ca_pem()), ("kubeconfig", &kubeconfig.to_string())] {
            fs::write(folder.path().join(name), text).map_err(|error| format!("writing `{name}`: {error}"))?;
        }
        Ok(Self { cluster, namespace, folder, podlens })
    }

    /// A server for these tenants. `slots` is how many runs there are at once; `None` leaves it to the server.
    pub(crate) fn serve(&self, tenants: &[Tenant], slots: Option<usize>, arguments: &[&str]) -> Serving {
        let policy = self.policy(tenants, slots);
        let mut components: Vec<_> = tenants.iter().flat_map(|tenant| tenant.queries.iter().map(|(_, it)| it.clone())).collect();
        components.sort_unstable();
        components.dedup();
        Serving::start(&self.podlens, &self.folder.path().join("kubeconfig"), &policy, &components, arguments)
    }

    fn policy(&self, tenants: &[Tenant], slots: Option<usize>) -> String {
        let mut policy = format!(
            "apiVersion: podlens.dev/v1alpha1\nkind: Policy\n\
             cache:\n  identity: {{serviceAccount: {{namespace: {HOST}, name: {CACHE}}}}}\n  bytes: 512Mi\n"
        );
        let mut line = |text: String| writeln!(policy, "{text}").expect("a String takes everything");
        if let Some(slots) = slots {
            line(format!("concurrentRuns: {slots}"));
        }
        line("tenants:".to_owned());
        for tenant in tenants {
            let Tenant { name, limits, concurrent_runs, queue, queries } = tenant;
            line(format!("- name: {name}"));
            line(format!("  callers: [{{tokenSHA256: {}}}]", sha256(tenant.token().as_bytes())));
            line(format!("  identity: {{serviceAccount: {{namespace: {}, name: {READER}}}}}", self.namespace));
            line(format!("  namespaces: [{}]", self.namespace));
            line(format!("  limits: {{{limits}}}"));
            line(format!("  rates: {{concurrentRuns: {concurrent_runs}, runsPerSecond: 1000, queue: {queue}}}"));
            line("  queries:".to_owned());
            for (name, component) in queries {
                line(format!("  - {{name: {name}, digest: 'sha256:{}'}}", sha256(component)));
            }
        }
        policy
    }
}

fn pods_rule(verbs: &[&str]) -> Value {
    json!({ "apiGroups": [""], "resources": ["pods"], "verbs": verbs })
}

/// A ClusterRole, and its binding to an account of [`HOST`].
fn grant(cluster: &Cluster, name: &str, account: &str, rules: &[Value]) {
    let group = "/apis/rbac.authorization.k8s.io/v1";
    cluster.post(&format!("{group}/clusterroles"), &json!({ "metadata": { "name": name }, "rules": rules }));
    let binding = json!({
        "metadata": { "name": name },
        "subjects": [{ "kind": "ServiceAccount", "name": account, "namespace": HOST }],
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
    });
    cluster.post(&format!("{group}/clusterrolebindings"), &binding);
}
