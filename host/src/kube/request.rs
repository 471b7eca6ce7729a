//! Requests as data: method, path, query, accepted encodings. Building one cannot fail, since its parts are already checked.

use std::borrow::Cow;
use std::fmt;

use super::{Access, FieldSelector, LabelSelector, Namespace, PodName};
#[cfg(feature = "cli")]
use super::{Rules, ServiceAccount};

/// Most pods of one page, as kubectl and client-go ask for (kubectl `DefaultChunkSize`, client-go `defaultPageSize`).
pub(crate) const PAGE_LIMIT: u32 = 500;

/// How much of each pod is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Its metadata. A source may give more.
    Metadata,
    /// Its spec and its status, too: what podlens reads of them.
    Fields,
    /// The whole object as JSON, too.
    Object,
}

/// Which answers are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    /// Kubernetes' protobuf, or JSON from a server that has none.
    Protobuf,
    /// Metadata alone (`PartialObjectMetadata`) in Kubernetes' protobuf, or whatever [`Protobuf`](Self::Protobuf) accepts from a server that
    /// has no such form.
    Metadata,
    /// The same for a list.
    MetadataList,
    /// JSON only.
    Json,
    /// What a client of the proxy asked for.
    #[cfg(feature = "cli")]
    Forwarded(super::Representation),
}

impl Accept {
    /// What has so much of each pod, and no more; `metadata` where that is metadata alone.
    fn of(detail: Detail, metadata: Self) -> Self {
        match detail {
            Detail::Metadata => metadata,
            Detail::Fields => Self::Protobuf,
            Detail::Object => Self::Json,
        }
    }

    /// The value of the `Accept` header.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Protobuf => "application/vnd.kubernetes.protobuf,application/json",
            Self::Metadata => concat!(
                "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,",
                "application/vnd.kubernetes.protobuf,application/json"
            ),
            Self::MetadataList => concat!(
                "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,",
                "application/vnd.kubernetes.protobuf,application/json"
            ),
            Self::Json => "application/json",
            #[cfg(feature = "cli")]
            Self::Forwarded(representation) => representation.header(),
        }
    }
}

/// Where a list goes on: opaque, given by the server with the page before, valid for the same selectors only.
///
/// It names the last pod of that page, so it is not shown by `Debug` and never given to a guest.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ContinueToken(String);

impl ContinueToken {
    /// A token, unless `text` is empty: a list without one is complete.
    pub(crate) fn new(text: &str) -> Option<Self> {
        if text.is_empty() { None } else { Some(Self(text.to_owned())) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ContinueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContinueToken(…)")
    }
}

/// A request to the API server, complete but for address and credentials.
///
/// `Debug` shows the path alone: a continue token names a pod, and a TokenReview has a token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) accept: Accept,
    pub(super) body: Option<Cow<'static, str>>,
}

/// What a request is about.
#[cfg(feature = "cli")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// Such as `pods`.
    pub(crate) resource: &'a str,
    /// One namespace; `None` for all, and for what is in none.
    pub(crate) namespace: Option<&'a str>,
    /// One object.
    pub(crate) name: Option<&'a str>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What one page of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListPods<'a> {
    /// One namespace, or all.
    pub(crate) namespace: Option<&'a Namespace>,
    /// Condition on labels.
    pub(crate) labels: &'a LabelSelector,
    /// Condition on fields.
    pub(crate) fields: &'a FieldSelector,
    /// What is wanted of each.
    pub(crate) detail: Detail,
    /// Most pods of the page, 1 to [`PAGE_LIMIT`].
    pub(crate) limit: u32,
    /// Where to go on, after the first page.
    pub(crate) continue_token: Option<&'a ContinueToken>,
}

/// What a watch is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WatchPods<'a> {
    /// One namespace, or all.
    pub(crate) namespace: Option<&'a Namespace>,
    /// Condition on labels.
    pub(crate) labels: &'a LabelSelector,
    /// Condition on fields.
    pub(crate) fields: &'a FieldSelector,
    /// Changes after this one.
    pub(crate) resource_version: &'a str,
    /// After how long the server ends it.
    pub(crate) timeout_seconds: u64,
}

impl Request {
    /// `GET /api/v1/[namespaces/NAMESPACE/]pods?watch=true`, as JSON, an event a line.
    pub(crate) fn watch_pods(watch: &WatchPods<'_>) -> Self {
        let mut query = vec![("watch", "true".to_owned()), ("allowWatchBookmarks", "true".to_owned())];
        query.push(("resourceVersion", watch.resource_version.to_owned()));
        query.push(("timeoutSeconds", watch.timeout_seconds.to_string()));
        Self::select(&mut query, watch.labels, watch.fields);
        Self { path: Self::pods_path(watch.namespace), query, accept: Accept::Json, body: None }
    }

    /// `GET /api/v1/[namespaces/NAMESPACE/]pods`, one page.
    pub(crate) fn list_pods(list: &ListPods<'_>) -> Self {
        let mut query = vec![("limit", list.limit.to_string())];
        Self::select(&mut query, list.labels, list.fields);
        if let Some(token) = list.continue_token {
            query.push(("continue", token.as_str().to_owned()));
        }
        let accept = Accept::of(list.detail, Accept::MetadataList);
        Self { path: Self::pods_path(list.namespace), query, accept, body: None }
    }

    pub(super) fn pods_path(namespace: Option<&Namespace>) -> String {
        match namespace {
            Some(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
            None => "/api/v1/pods".to_owned(),
        }
    }

    pub(super) fn pod_path(namespace: &Namespace, name: &PodName) -> String {
        format!("/api/v1/namespaces/{namespace}/pods/{name}")
    }

    pub(super) fn select(query: &mut Vec<(&'static str, String)>, labels: &LabelSelector, fields: &FieldSelector) {
        if !labels.is_empty() {
            query.push(("labelSelector", labels.to_string()));
        }
        if !fields.is_empty() {
            query.push(("fieldSelector", fields.to_string()));
        }
    }

    /// `GET /api/v1/namespaces/NAMESPACE/pods/NAME`.
    pub(crate) fn get_pod(namespace: &Namespace, name: &PodName, detail: Detail) -> Self {
        let accept = Accept::of(detail, Accept::Metadata);
        Self { path: Self::pod_path(namespace, name), query: Vec::new(), accept, body: None }
    }

    /// `GET /version`.
    pub(crate) fn version() -> Self {
        Self { path: "/version".into(), query: Vec::new(), accept: Accept::Json, body: None }
    }

    /// `POST /apis/authentication.k8s.io/v1/selfsubjectreviews`: who the API server says we are.
    pub(crate) fn self_subject_review() -> Self {
        let review = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;
        Self::review("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
    }

    /// `POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews`: may we do this?
    pub(crate) fn self_subject_access_review(access: &Access<'_>) -> Self {
        Self::review("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", access.self_review().to_string())
    }

    /// `POST /apis/authorization.k8s.io/v1/subjectaccessreviews`: may this service account do this? Few may ask.
    #[cfg(feature = "cli")]
    pub(crate) fn subject_access_review(access: &Access<'_>, account: &ServiceAccount) -> Self {
        Self::review("/apis/authorization.k8s.io/v1/subjectaccessreviews", access.review(account).to_string())
    }

    /// `POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews`: what may we do in this namespace?
    #[cfg(feature = "cli")]
    pub(crate) fn self_subject_rules_review(namespace: &Namespace) -> Self {
        Self::review("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", Rules::review(namespace).to_string())
    }

    /// `POST /apis/authentication.k8s.io/v1/tokenreviews`: whose token is this, if it is meant for `audience`? Few may ask.
    #[cfg(feature = "cli")]
    pub(crate) fn token_review(token: &str, audience: &str) -> Self {
        Self::review("/apis/authentication.k8s.io/v1/tokenreviews", super::token_review::review(token, audience).to_string())
    }

    /// A question that changes nothing, and is posted all the same.
    fn review(path: &str, review: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), query: Vec::new(), accept: Accept::Json, body: Some(review.into()) }
    }

    /// The absolute path. It needs no escaping: it is made of constants and checked names.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What it is about, as RBAC and audit logs name it.
    #[cfg(feature = "cli")]
    pub(crate) fn target(&self) -> Target<'_> {
        // `/api/v1/` or `/apis/GROUP/VERSION/`, then as the constructors above write it.
        let parts: Vec<_> = self.path.split('/').skip(1).collect();
        let skipped = if parts.first() == Some(&"api") { 2 } else { 3 };
        match parts.get(skipped..).unwrap_or_default() {
            ["namespaces", namespace, resource, name @ ..] => {
                Target { namespace: Some(namespace), resource, name: name.first().copied() }
            }
            [resource, ..] => Target { namespace: None, resource, name: None },
            [] => Target { namespace: None, resource: "", name: None },
        }
    }

    /// Whether its answer is what changes from now on.
    #[cfg(feature = "cli")]
    pub(crate) fn is_watch(&self) -> bool {
        self.query.iter().any(|(name, _)| *name == "watch")
    }

    /// The query's names and values, not yet escaped.
    pub(crate) fn query(&self) -> &[(&'static str, String)] {
        &self.query
    }

    /// The accepted encodings.
    pub(crate) fn accept(&self) -> Accept {
        self.accept
    }

    /// The JSON body. A request with a body is a POST, one without is a GET.
    pub(crate) fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_asks_for_one_page() {
        let namespace = Namespace::parse("shop").unwrap();
        let labels = LabelSelector::parse("app=web,tier in (a,b)").unwrap();
        let fields = FieldSelector::parse("status.phase!=Failed").unwrap();
        let token = ContinueToken::new("opaque/+=").unwrap();
        let request = Request::list_pods(&ListPods {
            namespace: Some(&namespace),
            labels: &labels,
            fields: &fields,
            detail: Detail::Fields,
            limit: PAGE_LIMIT,
            continue_token: Some(&token),
        });
        assert_eq!(request.path(), "/api/v1/namespaces/shop/pods");
        assert_eq!(
            request.query(),
            [
                ("limit", "500".to_owned()),
                ("labelSelector", "app=web,tier in (a,b)".to_owned()),
                ("fieldSelector", "status.phase!=Failed".to_owned()),
                ("continue", "opaque/+=".to_owned()),
            ]
        );
        assert_eq!(request.accept().header(), "application/vnd.kubernetes.protobuf,application/json");
    }

    #[test]
    fn whole_objects_are_asked_for_as_json() {
        let request = Request::get_pod(&Namespace::parse("a").unwrap(), &PodName::parse("b.c").unwrap(), Detail::Object);
        assert_eq!((request.path(), request.accept()), ("/api/v1/namespaces/a/pods/b.c", Accept::Json));
        assert_eq!(request.query(), []);
    }

    #[test]
    fn metadata_alone_is_asked_for_in_the_form_that_has_no_more() {
        let (namespace, name) = (Namespace::parse("a").unwrap(), PodName::parse("b").unwrap());
        let get = Request::get_pod(&namespace, &name, Detail::Metadata);
        let (labels, fields) = (LabelSelector::default(), FieldSelector::default());
        let list = ListPods {
            namespace: None,
            labels: &labels,
            fields: &fields,
            detail: Detail::Metadata,
            limit: 1,
            continue_token: None,
        };
        for (request, kind) in [(get, "PartialObjectMetadata"), (Request::list_pods(&list), "PartialObjectMetadataList")] {
            let (partial, whole) = request.accept().header().split_once(',').unwrap();
            assert_eq!(partial, format!("application/vnd.kubernetes.protobuf;as={kind};g=meta.k8s.io;v=v1"));
            assert_eq!(whole, Accept::Protobuf.header());
        }
    }

    #[test]
    fn a_continue_token_is_not_shown() {
        assert_eq!(ContinueToken::new(""), None);
        assert_eq!(format!("{:?}", ContinueToken::new("eyJ2").unwrap()), "ContinueToken(…)");
    }
}
