//! Who may do what: namespaces, service accounts and their rights.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::{Cluster, Mount};

/// How long a right may take to reach the authorizer, and a namespace of Kubernetes' own to appear. Milliseconds are usual.
const PROPAGATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Between two looks.
const PROPAGATION_INTERVAL: Duration = Duration::from_millis(10);

/// A namespace that one test owns. Stands wherever a namespace's name is wanted.
///
/// It is not deleted: no controller would empty it, and the cluster ends with the test process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Deref for Namespace {
    type Target = str;

    fn deref(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

/// Namespaces, service accounts and rights.
impl Cluster {
    /// Creates a namespace whose name starts with `prefix`, with the service account `default` in it.
    pub fn namespace(&self, prefix: &str) -> Namespace {
        let name = format!("{prefix}-{}", self.namespaces.fetch_add(1, Ordering::Relaxed));
        self.post("/api/v1/namespaces", &json!({ "metadata": { "name": name } }));
        self.create_service_account(&name, "default");
        Namespace { name }
    }

    /// Creates a service account, which has no rights yet.
    pub fn create_service_account(&self, namespace: &str, name: &str) {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        self.post(&path, &json!({ "metadata": { "name": name } }));
    }

    /// What a kubelet mounts into a pod that runs as this service account, with a token for an hour.
    pub fn mount(&self, namespace: &str, service_account: &str) -> Mount {
        Mount::new(&self.service_account_token(namespace, service_account, 3600), self.ca_pem(), namespace)
    }

    /// Allows a service account these verbs on the pods of its namespace, by a Role. The right is in force on return.
    pub fn grant_pods(&self, namespace: &str, service_account: &str, verbs: &[&str]) {
        let rule = json!({ "apiGroups": [""], "resources": ["pods"], "verbs": verbs });
        self.grant(namespace, service_account, &rule);
        for verb in verbs {
            self.wait_until_allowed(
                &format!("system:serviceaccount:{namespace}:{service_account}"),
                &json!({ "namespace": namespace, "verb": verb, "resource": "pods" }),
            );
        }
    }

    /// Allows a service account what one RBAC `PolicyRule` says, in its namespace. The authorizer learns of it a moment
    /// after the return; see [`Cluster::wait_until_allowed`].
    pub fn grant(&self, namespace: &str, service_account: &str, rule: &Value) {
        let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
        let metadata = json!({ "generateName": format!("{service_account}-") });
        let role = self.post(&format!("{path}/roles"), &json!({ "metadata": metadata, "rules": [rule] }));
        let binding = json!({
            "metadata": metadata,
            "subjects": [{ "kind": "ServiceAccount", "name": service_account, "namespace": namespace }],
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role["metadata"]["name"] },
        });
        self.post(&format!("{path}/rolebindings"), &binding);
    }

    /// Waits until the authorizer lets `user` do what these `ResourceAttributes` of a SubjectAccessReview say.
    pub fn wait_until_allowed(&self, user: &str, attributes: &Value) {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": { "user": user, "resourceAttributes": attributes },
        });
        poll(&format!("`{user}` is never allowed {attributes}"), || {
            self.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &review)["status"]["allowed"] == true
        });
    }

    /// In namespace `default`, which the API server creates a moment after it is ready.
    pub(super) fn create_default_service_account(&self) {
        let account = json!({ "metadata": { "name": "default" } });
        poll("namespace `default` never appears", || {
            let path = "/api/v1/namespaces/default/serviceaccounts";
            self.try_admin(&Method::POST, path, Some(&account)).status == 201
        });
    }
}

fn poll(complaint: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + PROPAGATION_TIMEOUT;
    while !done() {
        assert!(Instant::now() < deadline, "{complaint}");
        thread::sleep(PROPAGATION_INTERVAL);
    }
}
