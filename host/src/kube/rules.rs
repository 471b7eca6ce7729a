//! What the API server says we may do in one namespace: its list of rules.
//!
//! The list is for display: it is of one namespace, what holds in all of them is in it without being marked, and an authorizer that
//! cannot enumerate its rules (a webhook) leaves it incomplete.

use serde_json::{Value, json};

use super::{DecodeError, Namespace};

/// The answer to a SelfSubjectRulesReview.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Rules {
    resource_rules: Vec<Rule>,
    /// Whether there may be more.
    pub(crate) incomplete: bool,
    /// What went wrong while the rules were collected.
    pub(crate) evaluation_error: String,
}

/// One rule: each of the verbs, on each of the resources, of each of the groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    verbs: Vec<String>,
    api_groups: Vec<String>,
    resources: Vec<String>,
    resource_names: Vec<String>,
}

/// One right, and the objects it is confined to: all, where there are none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Right {
    /// Such as `pods`, `pods/log` or `deployments.apps`; `*` for all.
    pub(crate) resource: String,
    /// Such as `get`; `*` for all.
    pub(crate) verb: String,
    pub(crate) names: Vec<String>,
}

impl Rules {
    /// The SelfSubjectRulesReview to post.
    pub(super) fn review(namespace: &Namespace) -> Value {
        json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": { "namespace": namespace.as_str() },
        })
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        #[derive(serde::Deserialize)]
        struct Review {
            kind: String,
            status: Rules,
        }
        let review: Review = serde_json::from_slice(body).map_err(|_| DecodeError::malformed("SelfSubjectRulesReview"))?;
        if review.kind != "SelfSubjectRulesReview" {
            return Err(DecodeError::wrong_kind("SelfSubjectRulesReview", &review.kind));
        }
        Ok(review.status)
    }

    /// Each right by itself, sorted, without those that everybody has: to ask who one is, what one may, and whom to trust.
    pub(crate) fn rights(&self) -> Vec<Right> {
        let mut rights: Vec<_> = self.resource_rules.iter().flat_map(Rule::rights).filter(|right| !right.is_everybodys()).collect();
        rights.sort();
        rights.dedup();
        rights
    }
}

impl Rule {
    fn rights(&self) -> impl Iterator<Item = Right> + '_ {
        self.api_groups.iter().flat_map(move |group| {
            self.resources.iter().flat_map(move |resource| {
                self.verbs.iter().map(move |verb| Right {
                    resource: if group.is_empty() { resource.clone() } else { format!("{resource}.{group}") },
                    verb: verb.clone(),
                    names: self.resource_names.clone(),
                })
            })
        })
    }
}

impl Right {
    /// What Kubernetes lets every user, and every service account, do (k8s.io/kubernetes
    /// `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`: `system:basic-user`, `system:cluster-trust-bundle-discovery`).
    fn is_everybodys(&self) -> bool {
        match self.resource.as_str() {
            "selfsubjectaccessreviews.authorization.k8s.io"
            | "selfsubjectrulesreviews.authorization.k8s.io"
            | "selfsubjectreviews.authentication.k8s.io" => self.verb == "create",
            "clustertrustbundles.certificates.k8s.io" => matches!(self.verb.as_str(), "get" | "list" | "watch"),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_taken_apart() {
        let rules = Rules::decode(
            br#"{"kind":"SelfSubjectRulesReview","status":{"incomplete":true,"evaluationError":"webhook","nonResourceRules":[],
                "resourceRules":[
                {"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]},
                {"verbs":["get"],"apiGroups":["","apps"],"resources":["pods"],"resourceNames":["web-0"]},
                {"verbs":["create"],"apiGroups":["authorization.k8s.io"],"resources":["selfsubjectaccessreviews"]}]}}"#,
        )
        .unwrap();
        let shown: Vec<_> =
            rules.rights().iter().map(|right| format!("{} {} {:?}", right.verb, right.resource, right.names)).collect();
        assert_eq!(shown, ["get pods []", "get pods [\"web-0\"]", "list pods []", "get pods.apps [\"web-0\"]"]);
        assert!(rules.incomplete && rules.evaluation_error == "webhook");
        Rules::decode(br#"{"kind":"Status"}"#).unwrap_err();
    }
}
