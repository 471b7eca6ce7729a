//! From the head of a request to what is done about it, without any input or output: an answer from here, a read that the API server is
//! asked for, or a refusal.
//!
//! Of the client's own words nothing goes further. What is asked of the API server is built from nothing by `kube`, of the parts that
//! were understood here; `Authorization`, cookies and all other headers end here.

use hyper::header::{CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode, Version};
use serde_json::Value;

use super::browser::{self, Hosts};
use super::parameters::{self, GetQuery, ListQuery, ParameterError};
use super::route::{About, Route};
use super::status::Status;
use super::{accept, discovery};
use crate::kube::{Detail, ForwardGet, ForwardList, Namespace, PodName, Representation, Request};
use crate::policy::{Ask, Grant, PodRequest, Scope, authorize};

/// Longest target, in bytes: a page of a list with a long selector and a continue token has half of it. Arbitrary.
const TARGET_MAX_BYTES: usize = 8 * 1024;

/// Headers of a request that wants more than an answer. A body is announced by one of the first two (RFC 9112 section 6).
const MORE_THAN_A_READ: [HeaderName; 5] = [CONTENT_LENGTH, TRANSFER_ENCODING, TRAILER, UPGRADE, EXPECT];

/// Begins the names of the headers by which a client would be someone else to the API server.
const IMPERSONATION: &str = "impersonate-";

/// What is served to whom.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) grant: Grant,
    pub(super) watch: bool,
    pub(super) hosts: Hosts,
}

/// What is done about a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plan {
    /// This answer.
    Answer { content_type: HeaderValue, json: Value },
    /// The API server's answer to this.
    Forward(Forward),
}

/// What the API server is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forward {
    pub(super) request: Request,
    pub(super) kind: ForwardKind,
}

/// What is to be expected of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForwardKind {
    /// An object, or a Status.
    Object,
    /// Objects, one by one, until the client or the API server has had enough.
    Watch,
    /// A few words of text, whatever the code.
    Health,
}

/// Decides. A refusal is the client's to mend, and its message says how.
pub(super) fn decide(rules: &Rules, head: &Parts) -> Result<Plan, Status> {
    if head.version != Version::HTTP_11 {
        return Err(Status::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "only HTTP/1.1 is spoken here"));
    }
    browser::check(&rules.hosts, &head.uri, &head.headers)?;
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return Err(Status::new(StatusCode::METHOD_NOT_ALLOWED, "`podlens proxy` only reads: GET and HEAD"));
    }
    only_reads(&head.headers)?;
    if head.uri.path_and_query().map_or(0, |target| target.as_str().len()) > TARGET_MAX_BYTES {
        return Err(Status::new(StatusCode::URI_TOO_LONG, format!("the target is longer than {TARGET_MAX_BYTES} bytes")));
    }
    let route = Route::of(head.uri.path()).ok_or_else(|| {
        Status::forbidden("`podlens proxy` serves lists of pods, pods by name, `/version` and health checks, and nothing else")
    })?;
    let query = head.uri.query();
    match route {
        Route::List(namespace) => list(rules, namespace, parameters::list(query)?, &head.headers),
        Route::Get(namespace, name) => get(rules, namespace, name, parameters::get(query)?, &head.headers),
        Route::About(about) => {
            parameters::nothing(query)?;
            Ok(answer(rules, about, &head.headers))
        }
    }
}

fn only_reads(headers: &HeaderMap) -> Result<(), Status> {
    if let Some(name) = MORE_THAN_A_READ.iter().find(|name| headers.contains_key(*name)) {
        return Err(Status::bad_request(format!("a read has no body and no upgrade: `{name}` is not accepted")));
    }
    // Passed over in silence, it would look as if it worked.
    if headers.keys().any(|name| name.as_str().starts_with(IMPERSONATION)) {
        return Err(Status::forbidden("impersonation is not passed on: the API server is asked as `podlens proxy` was set up"));
    }
    Ok(())
}

fn list(rules: &Rules, namespace: Option<Namespace>, query: ListQuery, headers: &HeaderMap) -> Result<Plan, Status> {
    let ListQuery { labels, fields, mut parameters, says_pretty } = query;
    if parameters.watch.is_some() && !rules.watch {
        return Err(Status::forbidden("watches are not served: start `podlens proxy` with `--allow-watch`"));
    }
    let is_named = namespace.is_some();
    let authorized = whole(rules, Ask::List { namespace, labels, fields, detail: Detail::Object })?;
    let namespace = match authorized.scope() {
        Scope::All => None,
        Scope::Namespaces(namespaces) => match namespaces.as_slice() {
            [one] if is_named => Some(one),
            // One path cannot name several namespaces, and an answer for fewer than were asked for would look like all of them.
            _ => return Err(not_granted("not all namespaces are granted")),
        },
    };
    parameters.view.pretty |= !says_pretty && is_for_a_person(headers);
    let request = Request::forward_list(&ForwardList {
        namespace,
        labels: authorized.labels(),
        fields: authorized.fields(),
        parameters: &parameters,
        representation: representation(headers)?,
    });
    let kind = if parameters.watch.is_some() { ForwardKind::Watch } else { ForwardKind::Object };
    Ok(Plan::Forward(Forward { request, kind }))
}

fn get(rules: &Rules, namespace: Namespace, name: PodName, query: GetQuery, headers: &HeaderMap) -> Result<Plan, Status> {
    let GetQuery { mut view, says_pretty } = query;
    let ask = Ask::Get { namespace: namespace.clone(), name: name.clone(), detail: Detail::Object };
    let authorized = whole(rules, ask)?;
    // They could only be held against the answer, which is not read.
    if !authorized.labels().is_empty() || !authorized.fields().is_empty() {
        return Err(not_granted("not all pods are granted"));
    }
    view.pretty |= !says_pretty && is_for_a_person(headers);
    let representation = representation(headers)?;
    let request = Request::forward_get(&ForwardGet { namespace: &namespace, name: &name, view: &view, representation });
    Ok(Plan::Forward(Forward { request, kind: ForwardKind::Object }))
}

fn answer(rules: &Rules, about: About, headers: &HeaderMap) -> Plan {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let aggregated = accept::is_aggregated(headers);
    let form = || if aggregated { discovery::AGGREGATED } else { JSON };
    match about {
        About::Root => Plan::Answer { content_type: JSON, json: discovery::paths() },
        About::Version => Plan::Forward(Forward { request: Request::version(), kind: ForwardKind::Object }),
        About::Health(health) => Plan::Forward(Forward { request: Request::health(health), kind: ForwardKind::Health }),
        About::ApiVersions => Plan::Answer { content_type: form(), json: discovery::versions(aggregated, rules.watch) },
        About::ApiGroups => Plan::Answer { content_type: form(), json: discovery::groups(aggregated) },
        About::ApiResources => Plan::Answer { content_type: JSON, json: discovery::resources(rules.watch) },
    }
}

/// Answers are passed on as they are.
fn whole(rules: &Rules, ask: Ask) -> Result<PodRequest, Status> {
    if !rules.grant.withheld().is_empty() {
        return Err(Status::forbidden("parts of pods are withheld, and what is passed on is not read"));
    }
    authorize(&rules.grant, ask).map_err(not_granted)
}

fn not_granted(denied: impl std::fmt::Display) -> Status {
    Status::forbidden(format!("{denied}: start `podlens proxy` with `-n` for each namespace that is wanted, or with `-A`"))
}

fn representation(headers: &HeaderMap) -> Result<Representation, Status> {
    accept::representation(headers).ok_or_else(|| {
        Status::new(
            StatusCode::NOT_ACCEPTABLE,
            "there is JSON, YAML and Kubernetes' protobuf, and in JSON a table or metadata alone",
        )
    })
}

/// Whom the API server answers with indented JSON (k8s.io/apiserver `pkg/endpoints/handlers/negotiation/negotiate.go`, `isPrettyPrint`).
/// It does not see who asks here, so it is told.
fn is_for_a_person(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
    [&b"curl"[..], b"Wget", b"Mozilla/5.0"].iter().any(|start| agent.starts_with(start))
}

impl From<ParameterError> for Status {
    fn from(error: ParameterError) -> Self {
        Self::bad_request(error.to_string())
    }
}
