//! Which paths there are: an exact grammar over the bytes of the request, nothing decoded and nothing folded.
//!
//! Every name that Kubernetes allows can be written without an escape, so that a path with one is not looked into: `%2e` is no dot here.

use crate::kube::{Health, Namespace, PodName};

/// All that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    About(About),
    /// `/api/v1/pods`, `/api/v1/namespaces/NAMESPACE/pods`.
    List(Option<Namespace>),
    /// `/api/v1/namespaces/NAMESPACE/pods/NAME`.
    Get(Namespace, PodName),
}

/// What is not about pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// `/`: which paths there are.
    Root,
    /// `/version`.
    Version,
    /// `/healthz`, `/livez`, `/readyz`.
    Health(Health),
    /// `/api`: the versions of the core API.
    ApiVersions,
    /// `/apis`: the other API groups.
    ApiGroups,
    /// `/api/v1`: what the core API has.
    ApiResources,
}

impl Route {
    /// The route that has exactly this path.
    pub(super) fn of(path: &str) -> Option<Self> {
        if let Some(about) = About::of(path) {
            return Some(Self::About(about));
        }
        if path == "/api/v1/pods" {
            return Some(Self::List(None));
        }
        let (namespace, rest) = path.strip_prefix("/api/v1/namespaces/")?.split_once('/')?;
        let namespace = Namespace::parse(namespace).ok()?;
        match rest {
            "pods" => Some(Self::List(Some(namespace))),
            _ => Some(Self::Get(namespace, PodName::parse(rest.strip_prefix("pods/")?).ok()?)),
        }
    }
}

impl About {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/" => Self::Root,
            "/version" => Self::Version,
            "/healthz" => Self::Health(Health::Healthz),
            "/livez" => Self::Health(Health::Livez),
            "/readyz" => Self::Health(Health::Readyz),
            "/api" => Self::ApiVersions,
            "/apis" => Self::ApiGroups,
            "/api/v1" => Self::ApiResources,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(name: &str) -> Namespace {
        Namespace::parse(name).unwrap()
    }

    #[test]
    fn these_are_the_routes() {
        let get = |name: &str| Route::Get(namespace("shop"), PodName::parse(name).unwrap());
        for (path, route) in [
            ("/", Route::About(About::Root)),
            ("/version", Route::About(About::Version)),
            ("/healthz", Route::About(About::Health(Health::Healthz))),
            ("/livez", Route::About(About::Health(Health::Livez))),
            ("/readyz", Route::About(About::Health(Health::Readyz))),
            ("/api", Route::About(About::ApiVersions)),
            ("/apis", Route::About(About::ApiGroups)),
            ("/api/v1", Route::About(About::ApiResources)),
            ("/api/v1/pods", Route::List(None)),
            ("/api/v1/namespaces/shop/pods", Route::List(Some(namespace("shop")))),
            ("/api/v1/namespaces/shop/pods/web-0", get("web-0")),
            ("/api/v1/namespaces/shop/pods/pods", get("pods")),
            ("/api/v1/namespaces/shop/pods/web.0.a", get("web.0.a")),
            ("/api/v1/namespaces/pods/pods", Route::List(Some(namespace("pods")))),
            ("/api/v1/namespaces/namespaces/pods", Route::List(Some(namespace("namespaces")))),
        ] {
            assert_eq!(Route::of(path), Some(route), "{path}");
        }
    }

    #[test]
    fn there_is_no_other_way_to_write_them() {
        let long = |length: usize| "a".repeat(length);
        let namespaced = |namespace: &str, rest: &str| format!("/api/v1/namespaces/{namespace}/{rest}");
        let mut paths: Vec<String> = [
            "",
            "*",
            "api/v1/pods",
            "//",
            "/.",
            "/..",
            "/./version",
            "//version",
            "/version/",
            "/Version",
            "/version;a=b",
            "/healthz/ping",
            "/healthz/",
            "/livez/etcd",
            "/metrics",
            "/logs/kubelet.log",
            "/openapi/v2",
            "/openapi/v3",
            "/api/",
            "/apis/",
            "/api/v1/",
            "/api//v1/pods",
            "/api/v1//pods",
            "//api/v1/pods",
            "/api/v1/pods/",
            "/api/v1/pods//",
            "/api/v1/pods/web-0",
            "/API/v1/pods",
            "/api/V1/pods",
            "/api/v1/Pods",
            "/api/v1/PODS",
            "/api/v1/%70ods",
            "/api%2fv1/pods",
            "/api/v1%2fpods",
            "/api/v1/./pods",
            "/api/v1/../v1/pods",
            "/api/v1/namespaces/../pods",
            "/%61pi/v1/pods",
            "/api\\v1\\pods",
            "/api/v1/pods%00",
            "/api/v1/pods\0",
            "/api/v1/pods%20",
            "/api/v1/pods%3fwatch=1",
            "/api/v1/pods#",
            "/api/v1/nodes",
            "/api/v1/secrets",
            "/api/v1/services",
            "/api/v1/namespaces",
            "/api/v1/namespaces/",
            "/api/v1/namespaces/shop",
            "/api/v1/namespaces/shop/",
            "/api/v1/watch/pods",
            "/api/v1/watch/namespaces/shop/pods",
            "/api/v1/watch/namespaces/shop/pods/web-0",
            "/api/v1/proxy/namespaces/shop/pods/web-0",
            "/api/v1/nodes/node-1/proxy/pods",
            "/apis/apps/v1/deployments",
            "/apis/metrics.k8s.io/v1beta1/pods",
            "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods",
            "/api/v2/pods",
        ]
        .map(str::to_owned)
        .into();
        for name in [
            "", ".", "..", "%2e", "%2e%2e", ".%2e", "%2E%2E", "a/b", "a%2fb", "a%2Fb", "a%5cb", "a\\b", "Shop", "-a", "a-", "a_b",
            "é", "a b", "a+b", "a\0", "a%00", "a\n", "a;b", "a?b", "*", "~", "a,b", "%61",
        ] {
            paths.push(namespaced(name, "pods"));
            paths.push(namespaced(name, "pods/web-0"));
            paths.push(namespaced("shop", &format!("pods/{name}")));
        }
        for subresource in [
            "log",
            "exec",
            "attach",
            "portforward",
            "proxy",
            "proxy/",
            "proxy/a",
            "binding",
            "eviction",
            "ephemeralcontainers",
            "resize",
            "status",
            "",
            ".",
            "..",
            "../..",
            "../../pods",
            "../web-1",
            "%2e%2e",
        ] {
            paths.push(namespaced("shop", &format!("pods/web-0/{subresource}")));
        }
        for resource in [
            "Pods",
            "pods%2f",
            "pods;",
            "pod",
            "podss",
            "pods.",
            "secrets",
            "configmaps",
            "services/web/proxy",
            "serviceaccounts/default/token",
            "%70ods",
            "./pods",
            "../pods",
            "../shop/pods",
            "pods/../pods",
            "pods//web-0",
            "//pods",
            "pods/web-0//",
        ] {
            paths.push(namespaced("shop", resource));
        }
        paths.push(namespaced("a.b", "pods"));
        paths.push(namespaced(&long(64), "pods"));
        paths.push(namespaced("shop", &format!("pods/{}", vec![long(63); 4].join(".") + "a")));
        paths.push(format!("/{}", long(100_000)));
        for path in paths {
            assert_eq!(Route::of(&path), None, "{path:?}");
        }
    }
}
