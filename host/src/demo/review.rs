//! Questions that are posted and change nothing: who somebody is, and what somebody may do (kubernetes `pkg/registry/authentication`
//! and `pkg/registry/authorization`). Who may ask is authorized as everything is.

use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::attributes::{Attributes, Resource, Target};
use super::authenticate::{Refusal, Tokens};
use super::authorize::allowed_by;
use super::roles::{BINDINGS, Rule};
use super::status::{Invalid, Status};
use super::token::ISSUER;
use super::user::User;

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

/// A question that was posted: its `spec` as it came, which the answer repeats, and as it is read.
struct Posted<S> {
    group: &'static str,
    kind: &'static str,
    given: Value,
    spec: S,
}

impl<S: DeserializeOwned> Posted<S> {
    /// Reads the question. What it does not say of itself is what belongs to where it was posted.
    fn read(group: &'static str, kind: &'static str, parts: &Parts, body: &[u8]) -> Result<Self, Status> {
        #[derive(Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Object {
            api_version: String,
            kind: String,
            spec: Value,
        }
        impl Default for Object {
            fn default() -> Self {
                Self { api_version: String::new(), kind: String::new(), spec: json!({}) }
            }
        }

        let media_type = parts.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        if media_type.is_some_and(|it| it.split(';').next().unwrap_or_default().trim() != "application/json") {
            return Err(Status::unsupported_media_type("application/json"));
        }
        let object: Object = serde_json::from_slice(body)
            .map_err(|error| Status::bad_request(format!("couldn't get version/kind; json parse error: {error}")))?;
        let expected = format!("{group}/v1");
        let unreadable = |what: &str, error: &str| {
            Status::bad_request(format!(r#"{what} in version "v1" cannot be handled as a {kind}: {error}"#))
        };
        if !object.api_version.is_empty() && object.api_version != expected {
            let version = object.api_version;
            let message = format!("the API version in the data ({version}) does not match the expected API version ({expected})");
            return Err(Status::bad_request(message));
        }
        if !object.kind.is_empty() && object.kind != kind {
            return Err(unreadable(&object.kind, "it is of another kind"));
        }
        let spec = S::deserialize(&object.spec).map_err(|error| unreadable(kind, &error.to_string()))?;
        Ok(Self { group, kind, given: object.spec, spec })
    }
}

impl<S> Posted<S> {
    fn answered(&self, status: &Value) -> Value {
        json!({
            "kind": self.kind,
            "apiVersion": format!("{}/v1", self.group),
            "metadata": {},
            "spec": self.given,
            "status": status,
        })
    }
}

/// Who asks.
pub(super) fn self_subject(user: &User) -> Value {
    json!({
        "kind": "SelfSubjectReview",
        "apiVersion": format!("{AUTHENTICATION}/v1"),
        "metadata": {},
        "status": { "userInfo": user.info() },
    })
}

/// Whose a token is.
pub(super) fn token(tokens: &Tokens, parts: &Parts, body: &[u8]) -> Result<Value, Status> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Spec {
        token: String,
        audiences: Vec<String>,
    }

    let posted = Posted::<Spec>::read(AUTHENTICATION, "TokenReview", parts, body)?;
    let Spec { token, audiences } = &posted.spec;
    if token.is_empty() {
        return Err(Status::bad_request("token is required for TokenReview in authentication".into()));
    }
    // Who names no audience asks as the API server itself.
    let audiences: Vec<&str> = if audiences.is_empty() { vec![ISSUER] } else { audiences.iter().map(String::as_str).collect() };
    Ok(posted.answered(&match tokens.authenticate(token, &audiences) {
        Ok((user, audience)) => json!({ "authenticated": true, "user": user.info(), "audiences": [audience] }),
        Err(Refusal::Unknown) => json!({ "user": {}, "error": "invalid bearer token" }),
        Err(Refusal::Audience(audience)) => {
            let wanted = audiences.iter().map(|audience| format!("{audience:?}")).collect::<Vec<_>>().join(" ");
            json!({ "user": {}, "error": format!("token audiences [{audience:?}] is invalid for the target audiences [{wanted}]") })
        }
    }))
}

/// What access is asked about: exactly one of them.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Access {
    resource_attributes: Option<ResourceAttributes>,
    non_resource_attributes: Option<PathAttributes>,
}

/// Its version is not read, as no role has one. Nor are its selectors: roles do not look at them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ResourceAttributes {
    namespace: String,
    verb: String,
    group: String,
    resource: String,
    subresource: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PathAttributes {
    path: String,
    verb: String,
}

impl Access {
    fn attributes(&self) -> Result<Attributes<'_>, Invalid> {
        match (&self.resource_attributes, &self.non_resource_attributes) {
            (Some(asked), None) => Ok(Attributes {
                verb: asked.verb.as_str().into(),
                target: Target::Resource(Resource {
                    group: &asked.group,
                    namespace: &asked.namespace,
                    resource: &asked.resource,
                    name: asked.name.as_str().into(),
                    subresource: asked.subresource.as_str().into(),
                }),
            }),
            (None, Some(asked)) => Ok(Attributes { verb: asked.verb.as_str().into(), target: Target::Path(&asked.path) }),
            (_, path) => Err(Invalid {
                field: "spec",
                value: Some(match path {
                    Some(asked) => json!({ "Path": asked.path, "Verb": asked.verb }).to_string(),
                    None => "null".to_owned(),
                }),
                why: "exactly one of nonResourceAttributes or resourceAttributes must be specified".into(),
            }),
        }
    }
}

fn answer(user: &User, attributes: &Attributes<'_>) -> Value {
    match allowed_by(user, attributes) {
        Some(reason) => json!({ "allowed": true, "reason": reason }),
        None => json!({ "allowed": false }),
    }
}

/// What somebody may do who is not there: only the user and the groups that are named count.
pub(super) fn subject_access(parts: &Parts, body: &[u8]) -> Result<Value, Status> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Spec {
        user: String,
        groups: Vec<String>,
        #[serde(flatten)]
        access: Access,
    }

    let posted = Posted::<Spec>::read(AUTHORIZATION, "SubjectAccessReview", parts, body)?;
    let attributes = posted.spec.access.attributes();
    let user = User { name: posted.spec.user.clone(), groups: posted.spec.groups.clone(), ..User::default() };
    let mut invalid = Vec::new();
    if user.name.is_empty() && user.groups.is_empty() {
        let why = "at least one of user or group must be specified".into();
        invalid.push(Invalid { field: "spec.user", value: Some(r#""""#.into()), why });
    }
    match attributes {
        Ok(attributes) if invalid.is_empty() => Ok(posted.answered(&answer(&user, &attributes))),
        attributes => {
            invalid.splice(0..0, attributes.err());
            Err(Status::invalid(AUTHORIZATION, "", &invalid))
        }
    }
}

/// What may who asks.
pub(super) fn self_subject_access(user: &User, parts: &Parts, body: &[u8]) -> Result<Value, Status> {
    let posted = Posted::<Access>::read(AUTHORIZATION, "SelfSubjectAccessReview", parts, body)?;
    let attributes = posted.spec.attributes().map_err(|invalid| Status::invalid(AUTHORIZATION, "", &[invalid]))?;
    Ok(posted.answered(&answer(user, &attributes)))
}

/// All that who asks may do in a namespace.
pub(super) fn self_subject_rules(user: &User, parts: &Parts, body: &[u8]) -> Result<Value, Status> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Spec {
        namespace: String,
    }

    let posted = Posted::<Spec>::read(AUTHORIZATION, "SelfSubjectRulesReview", parts, body)?;
    let namespace = posted.spec.namespace.as_str();
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request".into()));
    }
    let bindings = BINDINGS.iter().filter(|binding| binding.namespace.is_empty() || binding.namespace == namespace);
    let (mut of_resources, mut of_paths) = (Vec::new(), Vec::new());
    for rule in bindings.filter(|binding| binding.subject(user).is_some()).flat_map(|binding| binding.rules) {
        match rule {
            Rule::Resources { verbs, group, resources, names } => {
                let mut rule = json!({ "verbs": verbs, "apiGroups": [group], "resources": resources });
                if !names.is_empty() {
                    rule["resourceNames"] = json!(names);
                }
                of_resources.push(rule);
            }
            Rule::Paths { verbs, paths } => of_paths.push(json!({ "verbs": verbs, "nonResourceURLs": paths })),
        }
    }
    // The API server's answer does not repeat the namespace.
    let status = json!({ "resourceRules": of_resources, "nonResourceRules": of_paths, "incomplete": false });
    Ok(Posted { given: json!({}), ..posted }.answered(&status))
}

#[cfg(test)]
mod tests {
    use super::super::answer::Answer;
    use super::super::ask::{answer, post};
    use super::*;
    use crate::kube::{self, Namespace, ServiceAccount};

    const TOKENS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
    const ACCESS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    const SELF_ACCESS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const SELF_RULES: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";

    #[test]
    fn a_token_is_told_whose_it_is_to_whom_it_is_for() {
        let ask = |spec: Value| {
            let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec });
            let (code, review) = post(TOKENS, "server", &review);
            assert_eq!((code, &review["kind"], &review["spec"]), (201, &json!("TokenReview"), &spec));
            review["status"].clone()
        };
        let status = ask(json!({ "token": "shop-caller", "audiences": ["other", "podlens"] }));
        assert_eq!((&status["authenticated"], &status["audiences"]), (&json!(true), &json!(["podlens"])));
        assert_eq!(status["user"]["username"], "system:serviceaccount:shop:dashboards");
        assert_eq!(
            status["user"]["groups"],
            json!(["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"])
        );
        assert_eq!(status["user"]["uid"].as_str().map(str::len), Some(36));
        // For the API server, which who names no audience asks as.
        for spec in [json!({ "token": "podlens" }), json!({ "token": "podlens", "audiences": [ISSUER] })] {
            assert_eq!(ask(spec)["user"]["username"], "system:serviceaccount:shop:podlens");
        }
        for (spec, error) in [
            (json!({ "token": "forged", "audiences": ["podlens"] }), "invalid bearer token"),
            (
                json!({ "token": "shop-caller" }),
                r#"token audiences ["podlens"] is invalid for the target audiences ["https://kubernetes.default.svc.cluster.local"]"#,
            ),
            (
                json!({ "token": "podlens", "audiences": ["podlens", "other"] }),
                r#"token audiences ["https://kubernetes.default.svc.cluster.local"] is invalid for the target audiences ["podlens" "other"]"#,
            ),
        ] {
            assert_eq!(ask(spec.clone()), json!({ "user": {}, "error": error }), "{spec}");
        }
    }

    #[test]
    fn who_may_not_ask_is_not_answered() {
        for path in [TOKENS, ACCESS] {
            for (token, expected) in [("", 403), ("podlens", 403), ("default", 403), ("forged", 401), ("shop-caller", 401)] {
                assert_eq!(post(path, token, &json!({ "spec": { "token": "podlens" } })).0, expected, "{path} as {token:?}");
            }
        }
        for path in [SELF_ACCESS, SELF_RULES] {
            assert_eq!(post(path, "", &json!({})).0, 403, "{path}");
        }
    }

    #[test]
    fn access_is_what_a_request_would_find() {
        let reader = "system:serviceaccount:shop:podlens-reader";
        let everybody = ["system:authenticated"];
        let pods = |verb: &str, namespace: &str| json!({ "resourceAttributes": { "verb": verb, "resource": "pods", "namespace": namespace } });
        for (user, groups, access, reason) in [
            (
                reader,
                &[][..],
                pods("list", "shop"),
                r#"RBAC: allowed by RoleBinding "podlens-reader/shop" of Role "podlens-reader" to ServiceAccount "podlens-reader/shop""#,
            ),
            (reader, &[], pods("watch", "shop"), ""),
            (reader, &[], pods("list", "payments"), ""),
            (reader, &[], pods("list", ""), ""),
            (
                "system:serviceaccount:podlens:podlens-cache",
                &[],
                pods("watch", ""),
                r#"RBAC: allowed by ClusterRoleBinding "podlens-cache" of ClusterRole "podlens-cache" to ServiceAccount "podlens-cache/podlens""#,
            ),
            ("system:serviceaccount:podlens:podlens", &[], pods("list", "shop"), ""),
            ("jane", &[], json!({ "nonResourceAttributes": { "path": "/version", "verb": "get" } }), ""),
            (
                "jane",
                &everybody,
                json!({ "nonResourceAttributes": { "path": "/version", "verb": "get" } }),
                r#"RBAC: allowed by ClusterRoleBinding "system:public-info-viewer" of ClusterRole "system:public-info-viewer" to Group "system:authenticated""#,
            ),
            ("", &everybody, pods("list", "shop"), ""),
        ] {
            let mut spec = access;
            spec["user"] = json!(user);
            spec["groups"] = json!(groups);
            let (code, review) = post(ACCESS, "server", &json!({ "spec": spec }));
            let expected =
                if reason.is_empty() { json!({ "allowed": false }) } else { json!({ "allowed": true, "reason": reason }) };
            assert_eq!((code, &review["status"]), (201, &expected), "{user} {spec}");
        }
        for (token, verb, expected) in [("podlens", "list", true), ("podlens", "watch", false), ("default", "list", false)] {
            let (code, review) = post(SELF_ACCESS, token, &json!({ "spec": pods(verb, "shop") }));
            assert_eq!((code, &review["status"]["allowed"]), (201, &json!(expected)), "{verb} as {token}");
        }
    }

    /// What the client asks is understood, and it understands the answers.
    #[test]
    fn the_clients_questions_are_answered() {
        let namespace = Namespace::parse("shop").unwrap();
        let access = kube::Access { verb: "list", resource: "pods", namespace: Some(&namespace) };
        let reader = ServiceAccount::of_user("system:serviceaccount:shop:podlens-reader").unwrap();
        let body = |request: &kube::Request, token: &str| match answer(
            "POST",
            request.path(),
            token,
            &[("content-type", "application/json")],
            request.body().unwrap(),
        ) {
            Answer::Whole(response) => response.into_body(),
            Answer::Watch(_) => panic!("{} is a watch", request.path()),
        };
        let of_reader = body(&kube::Request::subject_access_review(&access, &reader), "server");
        assert!(kube::AccessAnswer::decode(&of_reader).unwrap().allowed);
        let of_podlens = body(&kube::Request::self_subject_access_review(&access), "podlens");
        assert!(kube::AccessAnswer::decode(&of_podlens).unwrap().allowed);
        let rights = |token: &str| {
            let rules = kube::Rules::decode(&body(&kube::Request::self_subject_rules_review(&namespace), token)).unwrap();
            rules.rights().iter().map(|right| format!("{} {}", right.verb, right.resource)).collect::<Vec<_>>()
        };
        assert_eq!(rights("podlens"), ["get pods", "list pods"]);
        assert_eq!(rights("default"), [""; 0]);
        assert!(rights("server").contains(&"impersonate:serviceaccount serviceaccounts.authentication.k8s.io".to_owned()));
    }

    #[test]
    fn what_is_no_question_is_refused() {
        let invalid = |what: &str| format!(r#".authorization.k8s.io "" is invalid: {what}"#);
        let one_of = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        let nobody = r#"spec.user: Invalid value: "": at least one of user or group must be specified"#;
        let both = json!({ "user": "a", "resourceAttributes": {}, "nonResourceAttributes": { "path": "/a", "verb": "get" } });
        for (path, body, code, message) in [
            (TOKENS, json!({}), 400, "token is required for TokenReview in authentication".to_owned()),
            (
                TOKENS,
                json!({ "apiVersion": "v1" }),
                400,
                "the API version in the data (v1) does not match the expected API version (authentication.k8s.io/v1)".to_owned(),
            ),
            (
                TOKENS,
                json!({ "kind": "Pod" }),
                400,
                r#"Pod in version "v1" cannot be handled as a TokenReview: it is of another kind"#.to_owned(),
            ),
            (ACCESS, json!({ "spec": { "user": "a" } }), 422, invalid(&format!("spec: Invalid value: null: {one_of}"))),
            (
                ACCESS,
                json!({ "spec": both }),
                422,
                invalid(&format!(r#"spec: Invalid value: {{"Path":"/a","Verb":"get"}}: {one_of}"#)),
            ),
            (ACCESS, json!({ "spec": { "resourceAttributes": {} } }), 422, invalid(nobody)),
            (ACCESS, json!({}), 422, invalid(&format!("[spec: Invalid value: null: {one_of}, {nobody}]"))),
            (SELF_ACCESS, json!({}), 422, invalid(&format!("spec: Invalid value: null: {one_of}"))),
            (SELF_RULES, json!({}), 400, "no namespace on request".to_owned()),
        ] {
            let (found, status) = post(path, "server", &body);
            assert_eq!((found, status["message"].as_str()), (code, Some(&*message)), "{path} {body}");
        }
        for (body, content_type, expected) in [
            ("", "application/json", 400),
            ("{", "application/json", 400),
            (r#"{"spec":{"token":1}}"#, "application/json", 400),
            (r#"{"spec":{"token":"podlens"}}"#, "application/yaml", 415),
            (r#"{"spec":{"token":"podlens"}}"#, "application/json; charset=utf-8", 201),
        ] {
            let Answer::Whole(response) = answer("POST", TOKENS, "server", &[("content-type", content_type)], body) else {
                panic!("{TOKENS} is a watch")
            };
            assert_eq!(response.status().as_u16(), expected, "{content_type} {body}");
        }
    }
}
