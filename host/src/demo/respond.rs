//! From a request to its answer, without any input or output.

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{self, Answer, Encoding};
use super::attributes::Attributes;
use super::authenticate::{Tokens, authenticate};
use super::authorize::authorize;
use super::impersonate::impersonate;
use super::page::page;
use super::query::Query;
use super::review;
use super::status::Status;
use super::watch::Watch;
use crate::kube::Pod;

/// What the server knows. It never changes once the server listens.
pub(super) struct State {
    /// Ordered by namespace, then name.
    pods: Vec<Pod>,
    tokens: Tokens,
}

impl State {
    /// With no token that is accepted yet.
    pub(super) fn new(mut pods: Vec<Pod>) -> Self {
        pods.sort_by(|a, b| {
            let (a, b) = (&a.metadata, &b.metadata);
            (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name))
        });
        Self { pods, tokens: Tokens::default() }
    }

    pub(super) fn pods(&self) -> &[Pod] {
        &self.pods
    }

    /// From now on `token` is the account's, for this audience.
    pub(super) fn accept(&mut self, token: String, account: Account, audience: &'static str) {
        self.tokens.accept(token, account, audience);
    }
}

/// Answers as kube-apiserver does: who is it, as whom, may they, is there such a thing; in this order.
///
/// `body` is what was posted; empty for another method.
pub(super) fn respond(state: &State, request: &Parts, body: &[u8]) -> Answer {
    try_respond(state, request, body).unwrap_or_else(|status| Answer::Whole(answer::failure(&request.headers, &status)))
}

fn try_respond(state: &State, parts: &Parts, body: &[u8]) -> Result<Answer, Status> {
    let Parts { method, uri, headers, .. } = parts;
    let requestor = authenticate(headers, &state.tokens)?;
    let query = Query::parse(uri.query());
    let attributes = Attributes::of(method, uri.path(), &query);
    let user = impersonate(requestor, headers, &attributes)?;
    authorize(&user, &attributes)?;

    let segments: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    let pods_in = |namespace| {
        if attributes.verb == "watch" {
            Encoding::negotiate_watch(headers)?;
            return Ok(Answer::Watch(Watch::open(&state.pods, namespace, &query)?));
        }
        let encoding = Encoding::negotiate(headers)?;
        Ok(Answer::Whole(answer::object(encoding, "PodList", &page(&state.pods, namespace, &query)?)))
    };
    let created = |review: Value| Answer::Whole(answer::json(StatusCode::CREATED, &review));
    match (method, segments.as_slice()) {
        (&Method::GET, ["api", "v1", "pods"]) => pods_in(""),
        (&Method::GET, ["api", "v1", "namespaces", namespace, "pods"]) => pods_in(namespace),
        (&Method::GET, ["api", "v1", "namespaces", namespace, "pods", name]) => {
            let encoding = Encoding::negotiate(headers)?;
            let found = |pod: &&Pod| pod.metadata.namespace == *namespace && pod.metadata.name == *name;
            let pod = state.pods.iter().find(found).ok_or_else(|| Status::pod_not_found(name))?;
            Ok(Answer::Whole(answer::object(encoding, "Pod", pod)))
        }
        (&Method::GET, ["version"]) => Ok(Answer::Whole(answer::json(StatusCode::OK, &version()))),
        (&Method::GET, ["healthz" | "livez" | "readyz"]) => Ok(Answer::Whole(answer::text("ok"))),
        (&Method::POST, ["apis", "authentication.k8s.io", "v1", kind]) => match *kind {
            "selfsubjectreviews" => Ok(created(review::self_subject(&user))),
            "tokenreviews" => review::token(&state.tokens, parts, body).map(created),
            _ => Err(Status::no_such_resource()),
        },
        (&Method::POST, ["apis", "authorization.k8s.io", "v1", kind]) => match *kind {
            "selfsubjectaccessreviews" => review::self_subject_access(&user, parts, body).map(created),
            "selfsubjectrulesreviews" => review::self_subject_rules(&user, parts, body).map(created),
            "subjectaccessreviews" => review::subject_access(parts, body).map(created),
            _ => Err(Status::no_such_resource()),
        },
        (_, ["api", "v1", "pods"] | ["api", "v1", "namespaces", _, "pods", ..]) => Err(Status::method_not_allowed()),
        _ => Err(Status::no_such_resource()),
    }
}

/// Says that it is a demo wherever the version is shown.
fn version() -> Value {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({
        "major": "1",
        "minor": "37",
        "gitVersion": "v1.37.2+podlens-demo",
        "platform": format!("{}/{arch}", std::env::consts::OS),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::Response;
    use hyper::header::{ACCEPT, CONTENT_TYPE};
    use prost::Message;

    use super::super::ask::send;
    use super::super::page::PodList;
    use super::*;
    use crate::kube::{Envelope, PROTOBUF_MAGIC};

    const SHOP: &str = "/api/v1/namespaces/shop/pods";
    const REVIEW: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const PROTOBUF: &str = "application/vnd.kubernetes.protobuf,application/json";

    fn get_json(path: &str) -> Value {
        let response = send("GET", path, "podlens", &[]);
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        serde_json::from_slice(response.body()).unwrap()
    }

    fn protobuf<T: Message + Default>(response: &Response<Bytes>, kind: &str) -> T {
        assert_eq!(response.headers()[CONTENT_TYPE], "application/vnd.kubernetes.protobuf");
        let envelope = Envelope::decode(response.body().strip_prefix(PROTOBUF_MAGIC).unwrap()).unwrap();
        assert_eq!((&*envelope.type_meta.api_version, &*envelope.type_meta.kind), ("v1", kind));
        T::decode(envelope.raw).unwrap()
    }

    #[test]
    fn who_may_do_what() {
        for (method, path, token, expected) in [
            ("GET", "/version", "", 200),
            ("GET", "/healthz", "", 200),
            ("GET", "/livez", "default", 200),
            ("GET", "/readyz", "podlens", 200),
            ("GET", "/version", "forged", 401),
            ("GET", SHOP, "forged", 401),
            ("GET", SHOP, "", 403),
            ("GET", SHOP, "default", 403),
            ("GET", SHOP, "podlens", 200),
            ("GET", "/api/v1/pods", "podlens", 200),
            ("GET", "/api/v1/namespaces/nowhere/pods", "podlens", 200),
            ("GET", "/api/v1/pods?watch=true", "podlens", 403),
            ("GET", "/api/v1/namespaces/shop/pods/a/log", "podlens", 403),
            ("GET", "/api/v1/namespaces/shop/secrets", "podlens", 403),
            ("GET", "/api/v1/namespaces/shop", "podlens", 403),
            ("GET", "/apis/apps/v1/deployments", "podlens", 403),
            ("POST", SHOP, "podlens", 403),
            ("DELETE", SHOP, "podlens", 403),
            ("HEAD", SHOP, "podlens", 405),
            ("GET", "/metrics", "podlens", 403),
            ("GET", "/apis", "", 403),
            ("GET", "/apis", "podlens", 404),
            ("GET", "/api/v2/pods", "podlens", 404),
            ("GET", "/api/v1/namespaces/shop/pods/..", "podlens", 404),
            ("GET", "/api/v1/namespaces/shop/pods/absent", "podlens", 404),
            ("POST", REVIEW, "", 403),
            ("POST", REVIEW, "default", 201),
            ("GET", REVIEW, "default", 403),
            // What a server for others may do itself: nothing with pods.
            ("GET", "/api/v1/pods", "server", 403),
            ("GET", "/api/v1/pods?watch=true", "server", 403),
            ("GET", "/api/v1/namespaces/shop/pods/redis-0", "server", 403),
            ("GET", "/api/v1/namespaces/podlens/secrets", "server", 403),
            // A token for another audience is none here.
            ("GET", "/version", "shop-caller", 401),
            ("POST", REVIEW, "shop-caller", 401),
        ] {
            assert_eq!(send(method, path, token, &[]).status().as_u16(), expected, "{method} {path} as {token:?}");
        }
    }

    #[test]
    fn refusals_have_the_api_servers_words() {
        for (method, path, token, message) in [
            (
                "GET",
                SHOP,
                "default",
                r#"pods is forbidden: User "system:serviceaccount:shop:default" cannot list resource "pods" in API group "" in the namespace "shop""#,
            ),
            (
                "GET",
                "/api/v1/pods",
                "default",
                r#"pods is forbidden: User "system:serviceaccount:shop:default" cannot list resource "pods" in API group "" at the cluster scope"#,
            ),
            (
                "GET",
                "/api/v1/namespaces/shop/pods/web",
                "default",
                r#"pods "web" is forbidden: User "system:serviceaccount:shop:default" cannot get resource "pods" in API group "" in the namespace "shop""#,
            ),
            (
                "GET",
                "/api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dweb",
                "",
                r#"pods "web" is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "shop""#,
            ),
            (
                "GET",
                "/api/v1/namespaces/shop/pods/web/log",
                "podlens",
                r#"pods "web" is forbidden: User "system:serviceaccount:shop:podlens" cannot get resource "pods/log" in API group "" in the namespace "shop""#,
            ),
            (
                "POST",
                REVIEW,
                "",
                r#"selfsubjectreviews.authentication.k8s.io is forbidden: User "system:anonymous" cannot create resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope"#,
            ),
            ("GET", "/metrics?a", "", r#"forbidden: User "system:anonymous" cannot get path "/metrics""#),
            ("GET", "/a&b", "", r#"forbidden: User "system:anonymous" cannot get path "/a&amp;b""#),
            ("GET", SHOP, "forged", "Unauthorized"),
            ("GET", "/api/v1/namespaces/shop/pods/absent", "podlens", r#"pods "absent" not found"#),
            ("GET", "/apis", "podlens", "the server could not find the requested resource"),
            ("HEAD", SHOP, "podlens", "the server does not allow this method on the requested resource"),
        ] {
            let json: Value = serde_json::from_slice(send(method, path, token, &[]).body()).unwrap();
            assert_eq!(json["message"], message, "{method} {path} as {token:?}");
            let in_protobuf: Status = protobuf(&send(method, path, token, &[("accept", PROTOBUF)]), "Status");
            assert_eq!(in_protobuf.message, message, "{method} {path} as {token:?}");
        }
    }

    #[test]
    fn a_status_is_whole() {
        let json: Value = serde_json::from_slice(send("GET", SHOP, "default", &[]).body()).unwrap();
        assert_eq!(
            (&json["kind"], &json["apiVersion"], &json["metadata"], &json["status"], &json["reason"], &json["code"]),
            (&json!("Status"), &json!("v1"), &json!({}), &json!("Failure"), &json!("Forbidden"), &json!(403))
        );
        assert_eq!(json["details"], json!({ "kind": "pods" }));
    }

    #[test]
    fn a_header_that_is_no_bearer_token_is_no_credential() {
        for (header, expected) in [("Basic cG9kbGVucw", 403), ("Bearer ", 403), ("bearer podlens", 200), ("Bearer podlensx", 401)] {
            let response = send("GET", SHOP, "", &[("authorization", header)]);
            assert_eq!(response.status().as_u16(), expected, "{header:?}");
        }
    }

    #[test]
    fn both_encodings_give_the_same_list() {
        let json = get_json("/api/v1/pods?limit=7");
        let list: PodList = protobuf(&send("GET", "/api/v1/pods?limit=7", "podlens", &[("accept", PROTOBUF)]), "PodList");
        assert_eq!((json["kind"].as_str(), json["apiVersion"].as_str()), (Some("PodList"), Some("v1")));
        assert_eq!(json["items"], serde_json::to_value(&list.items).unwrap());
        assert_eq!(json["metadata"], serde_json::to_value(&list.metadata).unwrap());
        assert_eq!(json["items"][0]["kind"], Value::Null);
    }

    #[test]
    fn a_pod_is_found_by_its_name_in_its_namespace() {
        let pod = get_json("/api/v1/namespaces/shop/pods/redis-0");
        assert_eq!((&pod["kind"], &pod["apiVersion"], &pod["metadata"]["name"]), (&json!("Pod"), &json!("v1"), &json!("redis-0")));
        let path = "/api/v1/namespaces/shop/pods/redis-0";
        let in_protobuf: Pod = protobuf(&send("GET", path, "podlens", &[("accept", PROTOBUF)]), "Pod");
        assert_eq!(in_protobuf.metadata.name, "redis-0");
        assert_eq!(send("GET", "/api/v1/namespaces/batch/pods/redis-0", "podlens", &[]).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn pages_are_the_list_in_order() {
        let whole = get_json("/api/v1/pods");
        let (mut paged, mut token) = (Vec::new(), String::new());
        loop {
            let page = get_json(&format!("/api/v1/pods?limit=10&continue={token}"));
            paged.extend(page["items"].as_array().unwrap().clone());
            match page["metadata"]["continue"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(whole["items"].as_array(), Some(&paged));
        let key = |pod: &Value| [&pod["metadata"]["namespace"], &pod["metadata"]["name"]].map(Value::to_string);
        assert!(paged.is_sorted_by_key(key));
    }

    #[test]
    fn what_the_client_reads_of_the_server_is_there() {
        let version = crate::kube::ServerVersion::decode(send("GET", "/version", "", &[]).body()).unwrap();
        assert_eq!(version.git_version, "v1.37.2+podlens-demo");
        let review = crate::kube::SelfSubjectReview::decode(send("POST", REVIEW, "podlens", &[]).body()).unwrap();
        assert_eq!(review.username, "system:serviceaccount:shop:podlens");
        assert_eq!(send("GET", "/readyz", "", &[]).body(), "ok");
    }

    #[test]
    fn an_encoding_that_is_not_offered_is_not_acceptable() {
        let response = send("GET", SHOP, "podlens", &[(ACCEPT.as_str(), "text/html")]);
        assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE);
    }
}
