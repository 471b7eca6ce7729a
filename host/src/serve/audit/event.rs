//! What is recorded. No type here can hold the value of a parameter, a row, a pod or a token; but a query that asks for what is not granted,
//! by a parameter, has on record what it asked for.
//!
//! Texts that others chose are cut, so that nobody can write long lines; of one that is cut the line has the digest as well.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::kube::{Namespace, PodName, ServiceAccount};
use crate::runtime::Digest;
use crate::serve::outcome::Outcome;
use crate::serve::policy::{TenantName, hash_beginning};

/// Most bytes of a text that others chose. Arbitrary; a selector is rarely longer.
const MAX_TEXT_BYTES: usize = 1024;

/// Most bytes of a parameter's name, and most of them. Arbitrary; no real query comes near.
const MAX_PARAMETER_BYTES: usize = 64;
const MAX_PARAMETERS: usize = 64;

/// What happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "stage")]
pub(crate) enum Event {
    /// A run is about to begin. Recorded before anything is read for it.
    RunStarted(RunStarted),
    /// A run has ended, or was denied.
    RunComplete(RunComplete),
    /// The API server has answered, or has not. Recorded before a query sees the answer.
    #[serde(rename = "ResponseComplete")]
    Call(CallRecord),
    /// A tenant has brought a query of its own, or taken it away. Recorded before it can be run, or cannot any more.
    QueryChanged(QueryChange),
    /// Somebody was turned away before there was a run.
    Refused(Refused),
}

/// Which run, of what, for whom. In both lines of a run, so that each can be understood alone.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    #[serde(rename = "runID")]
    pub(crate) run_id: Uuid,
    #[serde(serialize_with = "tenant")]
    pub(crate) tenant: TenantName,
    #[serde(flatten)]
    pub(crate) caller: Caller,
    #[serde(serialize_with = "text")]
    pub(crate) query: String,
    /// Of the component; none where there is no such query.
    #[serde(serialize_with = "digest", skip_serializing_if = "Option::is_none")]
    pub(crate) component_digest: Option<Digest>,
    #[serde(serialize_with = "policy_digest")]
    pub(crate) policy_digest: Digest,
    #[serde(flatten)]
    pub(crate) decision: Decision,
    /// Names alone: a value may be a secret.
    #[serde(serialize_with = "parameters")]
    pub(crate) parameters: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunStarted {
    #[serde(flatten)]
    pub(crate) run: Run,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunComplete {
    #[serde(flatten)]
    pub(crate) run: Run,
    #[serde(flatten, serialize_with = "outcome")]
    pub(crate) outcome: Outcome,
    /// What the grant has refused last, in the words that the caller is told.
    #[serde(serialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub(crate) denied: Option<String>,
    pub(crate) counts: Counts,
    /// None where nothing was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<PodsFrom>,
    /// Of what was read, where it is known.
    #[serde(serialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub(crate) resource_version: Option<String>,
}

/// Who called.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) subject: Subject,
    /// None for a Unix socket.
    pub(crate) source: Option<IpAddr>,
    /// What the caller's program calls itself.
    pub(crate) user_agent: Option<String>,
}

/// How a caller proved who it is, and who that is.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    ServiceAccount(ServiceAccount),
    Certificate {
        common_name: String,
    },
    /// A token of the policy, by its digest.
    Token {
        sha256: [u8; 32],
    },
    /// Nobody, as the policy allows; or somebody whose proof is not good.
    Anonymous,
}

/// That it may run, and why. Who may not is [`Refused`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", content = "reason", rename_all = "camelCase")]
pub(crate) enum Decision {
    Allow(Allowed),
}

/// Why a run may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Allowed {
    /// The query comes with podlens, and the policy names it.
    Builtin,
    /// The policy has its digest.
    Digest,
    /// The tenant has uploaded it.
    Uploaded,
}

/// What a run has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    pub(crate) pods: u64,
    pub(crate) rows: u64,
    pub(crate) requests: u64,
    pub(crate) response_bytes: u64,
    pub(crate) host_calls: u64,
    pub(crate) cpu_milliseconds: u64,
    pub(crate) wall_milliseconds: u64,
    pub(crate) peak_memory_bytes: u64,
}

/// Where a run's pods came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PodsFrom {
    Cache,
    ApiServer,
}

/// One request to the API server.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallRecord {
    /// As in the API server's own audit log.
    #[serde(rename = "auditID")]
    pub(crate) audit_id: Uuid,
    /// None for what is asked for all, such as the cache's watch.
    #[serde(rename = "runID", skip_serializing_if = "Option::is_none")]
    pub(crate) run_id: Option<Uuid>,
    #[serde(serialize_with = "optional_tenant", skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<TenantName>,
    /// None where the API server was asked as the host itself.
    #[serde(serialize_with = "impersonated", skip_serializing_if = "Option::is_none")]
    pub(crate) impersonated_user: Option<ServiceAccount>,
    pub(crate) verb: Verb,
    #[serde(rename = "objectRef")]
    pub(crate) object: ObjectRef,
    #[serde(serialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub(crate) label_selector: Option<String>,
    #[serde(serialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub(crate) field_selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
    #[serde(rename = "responseStatus")]
    pub(crate) response: CallResponse,
    #[serde(rename = "latencyMilliseconds", serialize_with = "milliseconds")]
    pub(crate) latency: Duration,
    pub(crate) bytes: u64,
}

/// What a request was for.
#[derive(Clone, Debug)]
pub(crate) struct ObjectRef {
    pub(crate) resource: Resource,
    /// None for all.
    pub(crate) namespace: Option<Namespace>,
    pub(crate) name: Option<PodName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Pods,
    TokenReviews,
    SubjectAccessReviews,
    SelfSubjectAccessReviews,
    /// What the API server says of itself: no object, but something that is asked for.
    Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CallResponse {
    Code(u16),
    #[serde(rename = "reason")]
    Failed(CallFailure),
}

/// Why nothing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CallFailure {
    Unreachable,
    /// Who asked does not wait for it any more.
    Cancelled,
    /// The answer is longer than it may be, or is none.
    BadAnswer,
}

/// A change of a tenant's own queries.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryChange {
    pub(crate) change: ChangeKind,
    #[serde(flatten)]
    pub(crate) caller: Caller,
    #[serde(serialize_with = "tenant")]
    pub(crate) tenant: TenantName,
    #[serde(serialize_with = "text")]
    pub(crate) query: String,
    /// Of what was brought.
    #[serde(serialize_with = "digest", skip_serializing_if = "Option::is_none")]
    pub(crate) component_digest: Option<Digest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ChangeKind {
    Uploaded,
    Deleted,
}

/// Somebody who was turned away.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refused {
    pub(crate) reason: RefusalReason,
    #[serde(flatten)]
    pub(crate) caller: Caller,
    /// None where it is not known.
    #[serde(serialize_with = "optional_tenant", skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<TenantName>,
    /// As it was asked for.
    #[serde(serialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub(crate) query: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RefusalReason {
    /// No proof, or not a good one.
    Unauthenticated,
    UnknownQuery,
    UploadNotAllowed,
    /// More runs in a second than the tenant may have.
    Rate,
    QueueFull,
    /// The server ends.
    Closed,
    /// The policy became another one for the tenant, while the run waited.
    PolicyChanged,
}

impl Subject {
    fn method(&self) -> &'static str {
        match self {
            Self::ServiceAccount(_) => "serviceAccount",
            Self::Certificate { .. } => "certificate",
            Self::Token { .. } => "token",
            Self::Anonymous => "anonymous",
        }
    }

    fn name(&self) -> String {
        match self {
            Self::ServiceAccount(account) => account.user(),
            Self::Certificate { common_name } => cut(common_name, MAX_TEXT_BYTES),
            Self::Token { sha256 } => hash_beginning(sha256),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }
}

impl Serialize for Caller {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct User {
            username: String,
            method: &'static str,
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("user", &User { username: self.subject.name(), method: self.subject.method() })?;
        if let Some(source) = self.source {
            map.serialize_entry("sourceIPs", &[source])?;
        }
        if let Some(user_agent) = &self.user_agent {
            map.serialize_entry("userAgent", &cut(user_agent, MAX_TEXT_BYTES))?;
        }
        map.end()
    }
}

impl Serialize for ObjectRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (resource, group, version) = match self.resource {
            Resource::Pods => ("pods", None, "v1"),
            Resource::TokenReviews => ("tokenreviews", Some("authentication.k8s.io"), "v1"),
            Resource::Version => ("version", None, "v1"),
            Resource::SelfSubjectAccessReviews => ("selfsubjectaccessreviews", Some("authorization.k8s.io"), "v1"),
            Resource::SubjectAccessReviews => ("subjectaccessreviews", Some("authorization.k8s.io"), "v1"),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("resource", resource)?;
        if let Some(group) = group {
            map.serialize_entry("apiGroup", group)?;
        }
        map.serialize_entry("apiVersion", version)?;
        if let Some(namespace) = &self.namespace {
            map.serialize_entry("namespace", namespace.as_str())?;
        }
        if let Some(name) = &self.name {
            map.serialize_entry("name", name.as_str())?;
        }
        map.end()
    }
}

/// A text of at most so many bytes. One that was longer ends with how long, and with its digest.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut short = text[..text.floor_char_boundary(limit)].to_owned();
    let digest = Sha256::digest(text);
    // Writing to a `String` cannot fail.
    let _ = write!(short, "… ({} bytes, sha256:{digest:x})", text.len());
    short
}

fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&cut(text, MAX_TEXT_BYTES))
}

fn optional_text<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_ref().map(|text| cut(text, MAX_TEXT_BYTES)).serialize(serializer)
}

fn parameters<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    let more = names.len().checked_sub(MAX_PARAMETERS).filter(|more| *more > 0).map(|more| format!("… and {more} more"));
    serializer.collect_seq(names.iter().take(MAX_PARAMETERS).map(|name| cut(name, MAX_PARAMETER_BYTES)).chain(more))
}

fn tenant<S: Serializer>(tenant: &TenantName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(tenant.as_str())
}

fn optional_tenant<S: Serializer>(tenant: &Option<TenantName>, serializer: S) -> Result<S::Ok, S::Error> {
    tenant.as_ref().map(TenantName::as_str).serialize(serializer)
}

fn digest<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
    digest.as_ref().map(ToString::to_string).serialize(serializer)
}

fn policy_digest<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

fn impersonated<S: Serializer>(account: &Option<ServiceAccount>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct User {
        username: String,
    }
    account.as_ref().map(|account| User { username: account.user() }).serialize(serializer)
}

fn outcome<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("outcome", outcome.name())?;
    if let Some(limit) = outcome.limit() {
        map.serialize_entry("limit", limit)?;
    }
    map.end()
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
