//! `deploy/serve`: `podlens serve` in a cluster, with two tenants, as its manifests say.
//!
//! `manifests.rs` has the API server judge them, `rights.rs` finds out all that the server's account can do, `pod.rs` is a pod of the
//! Deployment as far as there can be one without a kubelet, and `serves.rs` lets the tenants run queries there, and holds its audit log
//! against the API server's.

mod manifests;
mod pod;
mod rights;
mod serves;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use podlens_tests::cluster::Cluster;
use podlens_tests::program::Done;
use serde_json::json;

use crate::arrange::{answer, cluster, kubectl};
use crate::deploy::deploy;

/// The tenants' namespaces; the example's is the first.
pub(crate) const TENANTS: [&str; 2] = ["shop", "payments"];

/// The server's namespace.
pub(crate) const HOST: &str = "podlens";

/// The name of a service account as a user.
pub(crate) fn user(namespace: &str, account: &str) -> String {
    format!("system:serviceaccount:{namespace}:{account}")
}

/// The cluster that the tests share, with the base and both tenants applied.
fn deployed() -> &'static Cluster {
    static DEPLOYED: OnceLock<()> = OnceLock::new();
    let cluster = cluster();
    DEPLOYED.get_or_init(|| deploy_on(cluster));
    cluster
}

/// Applies the base and both tenants. All that they may is in force on return.
pub(crate) fn deploy_on(cluster: &Cluster) {
    answer(apply(cluster, &rendered(cluster, "base", &[]), &[]));
    for tenant in TENANTS {
        cluster.post("/api/v1/namespaces", &json!({ "metadata": { "name": tenant } }));
        for account in ["default", "dashboards", "intern"] {
            cluster.create_service_account(tenant, account);
        }
        answer(apply(cluster, &tenant_pieces(cluster, tenant, &[]), &[]));
    }
    wait_for_rights(cluster);
}

/// The authorizer learns of each role and binding apart, a moment later.
fn wait_for_rights(cluster: &Cluster) {
    let host = user(HOST, "podlens");
    for (group, resource) in [("authentication.k8s.io", "tokenreviews"), ("authorization.k8s.io", "subjectaccessreviews")] {
        cluster.wait_until_allowed(&host, &json!({ "group": group, "resource": resource, "verb": "create" }));
    }
    let account = |namespace: &str, name: &str| {
        json!({ "namespace": namespace, "group": "authentication.k8s.io", "resource": "serviceaccounts", "name": name,
                "verb": "impersonate:serviceaccount" })
    };
    cluster.wait_until_allowed(&host, &account(HOST, "podlens-cache"));
    for tenant in TENANTS {
        let pods = |verb: &str| json!({ "namespace": tenant, "resource": "pods", "verb": verb });
        cluster.wait_until_allowed(&host, &account(tenant, "podlens-reader"));
        for verb in ["get", "list"] {
            cluster.wait_until_allowed(&host, &pods(&format!("impersonate-on:serviceaccount:{verb}")));
            cluster.wait_until_allowed(&user(tenant, "podlens-reader"), &pods(verb));
        }
        for verb in ["list", "watch"] {
            cluster.wait_until_allowed(&host, &pods(&format!("impersonate-on:serviceaccount:{verb}")));
            cluster.wait_until_allowed(&user(HOST, "podlens-cache"), &pods(verb));
        }
    }
}

/// What kustomize makes of a folder of `deploy/serve` with these components of it.
fn rendered(cluster: &Cluster, folder: &str, components: &[&str]) -> String {
    let serve = deploy("serve").canonicalize().expect("it is in the repository");
    let overlay = tempfile::tempdir().expect("the temporary folder is writable");
    // It takes folders only as seen from its own.
    let up = "../".repeat(overlay.path().canonicalize().expect("it was just made").components().count() - 1);
    let serve = serve.to_str().expect("the repository's path is UTF-8").trim_start_matches('/');
    let path = |name: &&str| format!("{up}{serve}/{name}");
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [path(&folder)],
        "components": components.iter().map(path).collect::<Vec<_>>(),
    });
    fs::write(overlay.path().join("kustomization.yaml"), kustomization.to_string()).expect("the folder is writable");
    answer(kubectl(cluster, [Path::new("kustomize"), overlay.path()]))
}

/// What the example's tenant gives, for this tenant.
fn tenant_pieces(cluster: &Cluster, tenant: &str, components: &[&str]) -> String {
    rendered(cluster, "examples/tenant", components).replace("namespace: shop", &format!("namespace: {tenant}"))
}

/// `kubectl apply` with these flags.
fn apply(cluster: &Cluster, manifests: &str, flags: &[&str]) -> Done {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let path = folder.path().join("manifests.yaml");
    fs::write(&path, manifests).expect("the folder is writable");
    let file = path.to_str().expect("the temporary folder's path is UTF-8");
    kubectl(cluster, ["apply", "-f", file].iter().chain(flags))
}
