//! May somebody do something? What is asked of the API server's authorizers, and what they answer.

use std::fmt;

use serde_json::{Value, json};

#[cfg(feature = "cli")]
use super::ServiceAccount;
use super::{DecodeError, Namespace};

/// What is asked about: one verb on one resource of the core API group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access<'a> {
    /// Such as `list`.
    pub verb: &'a str,
    /// Such as `pods`, or `pods/log` for a subresource.
    pub resource: &'a str,
    /// One namespace, or all together.
    pub namespace: Option<&'a Namespace>,
}

impl Access<'_> {
    /// The SelfSubjectAccessReview to post.
    pub(super) fn self_review(&self) -> Value {
        json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": self.attributes() },
        })
    }

    /// The SubjectAccessReview to post, about a service account.
    #[cfg(feature = "cli")]
    pub(super) fn review(&self, account: &ServiceAccount) -> Value {
        json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": { "user": account.user(), "groups": account.groups(), "resourceAttributes": self.attributes() },
        })
    }

    fn attributes(&self) -> Value {
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((self.resource, ""));
        json!({
            "verb": self.verb,
            "version": "v1",
            "resource": resource,
            "subresource": subresource,
            "namespace": self.namespace.map_or("", Namespace::as_str),
        })
    }
}

/// ``list pods in `shop` ``
impl fmt::Display for Access<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.verb, self.resource)?;
        match self.namespace {
            Some(namespace) => write!(f, "in `{namespace}`"),
            None => f.write_str("in all namespaces"),
        }
    }
}

/// What the authorizers answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessAnswer {
    /// Whether it is allowed. If not, nobody may have an opinion, or somebody forbids it.
    pub allowed: bool,
    /// Why, such as ``RBAC: allowed by RoleBinding "x/ns" of Role "y" …``; for people.
    pub reason: String,
    /// What went wrong while deciding, such as a role that a binding names and that is not there.
    pub evaluation_error: String,
}

impl AccessAnswer {
    /// Reads the answer to either review. One that says both is no: the API has it that they exclude each other, and a webhook may not.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        #[derive(serde::Deserialize)]
        struct Review {
            kind: String,
            status: Status,
        }
        #[derive(serde::Deserialize)]
        struct Status {
            #[serde(flatten)]
            answer: AccessAnswer,
            #[serde(default)]
            denied: bool,
        }
        let review: Review = serde_json::from_slice(body).map_err(|_| DecodeError::malformed("SubjectAccessReview"))?;
        match review.kind.as_str() {
            "SelfSubjectAccessReview" | "SubjectAccessReview" => {
                let Status { answer, denied } = review.status;
                Ok(Self { allowed: answer.allowed && !denied, ..answer })
            }
            kind => Err(DecodeError::wrong_kind("SubjectAccessReview", kind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_namespaces_are_the_empty_one() {
        let namespace = Namespace::parse("shop").unwrap();
        for (namespace, expected) in [(Some(&namespace), "shop"), (None, "")] {
            let review = Access { verb: "list", resource: "pods", namespace }.self_review();
            assert_eq!(review["spec"]["resourceAttributes"]["namespace"], expected);
        }
    }

    #[test]
    fn a_subresource_is_asked_about_apart() {
        let account = ServiceAccount::of_user("system:serviceaccount:shop:podlens").unwrap();
        let access = Access { verb: "create", resource: "pods/exec", namespace: Some(&account.namespace) };
        let review = access.review(&account);
        assert_eq!(review["spec"]["user"], "system:serviceaccount:shop:podlens");
        let attributes = &review["spec"]["resourceAttributes"];
        assert_eq!((&attributes["resource"], &attributes["subresource"]), (&json!("pods"), &json!("exec")));
        assert_eq!(access.to_string(), "create pods/exec in `shop`");
    }

    #[test]
    fn an_answer_is_read() {
        for kind in ["SelfSubjectAccessReview", "SubjectAccessReview"] {
            let body = json!({ "kind": kind, "status": { "allowed": true, "reason": "RBAC: allowed" } }).to_string();
            let answer = AccessAnswer::decode(body.as_bytes()).unwrap();
            assert_eq!((answer.allowed, answer.reason.as_str()), (true, "RBAC: allowed"));
        }
        AccessAnswer::decode(br#"{"kind":"Status"}"#).unwrap_err();
        let both = br#"{"kind":"SubjectAccessReview","status":{"allowed":true,"denied":true}}"#;
        assert!(!AccessAnswer::decode(both).unwrap().allowed);
    }
}
