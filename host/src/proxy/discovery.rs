//! What the proxy says there is: pods, to be read. Said here and not by the API server, so that no client is told of more than it gets.
//!
//! kubectl learns from this that `pods`, `pod` and `po` are the same, and where they are. Forms: k8s.io/api `apidiscovery/v2`, and
//! apimachinery `pkg/apis/meta/v1` (`APIVersions`, `APIGroupList`, `APIResourceList`) for a client that does not ask for the former.

use hyper::header::HeaderValue;
use serde_json::{Value, json};

/// The content type by which a client knows the form with all resources in it.
pub(super) const AGGREGATED: HeaderValue =
    HeaderValue::from_static("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");

/// `/`, as the API server has it: the paths.
pub(super) fn paths() -> Value {
    json!({ "paths": [
        "/api",
        "/api/v1",
        "/api/v1/namespaces/{namespace}/pods",
        "/api/v1/namespaces/{namespace}/pods/{name}",
        "/api/v1/pods",
        "/apis",
        "/healthz",
        "/livez",
        "/readyz",
        "/version",
    ] })
}

/// `/api`.
pub(super) fn versions(aggregated: bool, watch: bool) -> Value {
    if !aggregated {
        return json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] });
    }
    let pods = json!({
        "resource": "pods",
        "responseKind": { "group": "", "version": "v1", "kind": "Pod" },
        "scope": "Namespaced",
        "singularResource": "pod",
        "verbs": verbs(watch),
        "shortNames": ["po"],
        "categories": ["all"],
    });
    let core = json!({
        "metadata": { "creationTimestamp": null },
        "versions": [{ "version": "v1", "resources": [pods], "freshness": "Current" }],
    });
    aggregated_list(&json!([core]))
}

/// `/apis`: there is no group but the core one.
pub(super) fn groups(aggregated: bool) -> Value {
    if aggregated {
        return aggregated_list(&json!([]));
    }
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [] })
}

/// `/api/v1`.
pub(super) fn resources(watch: bool) -> Value {
    let pods = json!({
        "name": "pods",
        "singularName": "pod",
        "namespaced": true,
        "kind": "Pod",
        "verbs": verbs(watch),
        "shortNames": ["po"],
        "categories": ["all"],
    });
    json!({ "kind": "APIResourceList", "groupVersion": "v1", "resources": [pods] })
}

fn aggregated_list(items: &Value) -> Value {
    json!({ "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items })
}

fn verbs(watch: bool) -> &'static [&'static str] {
    if watch { &["get", "list", "watch"] } else { &["get", "list"] }
}
