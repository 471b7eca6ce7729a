//! What a request wants to do, told from its method and path alone (apiserver `pkg/endpoints/request/requestinfo.go`).
//!
//! Authorization decides on this before anything knows whether the path is served: a refusal does not tell what exists.

use std::borrow::Cow;

use hyper::Method;

use super::query::Query;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attributes<'a> {
    pub(super) verb: Cow<'a, str>,
    pub(super) target: Target<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    Resource(Resource<'a>),
    /// Anything else, such as `/version`.
    Path(&'a str),
}

/// What is missing is empty, as in the API server's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Resource<'a> {
    pub(super) group: &'a str,
    pub(super) namespace: &'a str,
    pub(super) resource: &'a str,
    pub(super) name: Cow<'a, str>,
    pub(super) subresource: Cow<'a, str>,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(method: &'a Method, path: &'a str, query: &'a Query) -> Self {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, rest) = match segments.as_slice() {
            ["api", _version, rest @ ..] if !rest.is_empty() => ("", rest),
            ["apis", group, _version, rest @ ..] if !rest.is_empty() => (*group, rest),
            _ => return Self { verb: method.as_str().to_ascii_lowercase().into(), target: Target::Path(path) },
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            // A namespace itself is read in itself.
            ["namespaces", namespace] => (*namespace, rest),
            _ => ("", rest),
        };
        let (resource, rest) = rest.split_first().map_or(("", rest), |(first, rest)| (*first, rest));
        let (name, subresource) = match rest.split_first() {
            Some((name, rest)) => (Cow::Borrowed(*name), Cow::Owned(rest.join("/"))),
            // A list that is narrowed to one name counts as a request for that name.
            None => (query.selected_name().unwrap_or_default().into(), Cow::Borrowed("")),
        };
        let verb = verb(method, rest.is_empty(), query.has("watch"));
        Self { verb: verb.into(), target: Target::Resource(Resource { group, namespace, resource, name, subresource }) }
    }
}

fn verb(method: &Method, collection: bool, watch: bool) -> &'static str {
    match *method {
        Method::GET | Method::HEAD if collection && watch => "watch",
        Method::GET | Method::HEAD if collection => "list",
        Method::GET | Method::HEAD => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if collection => "deletecollection",
        Method::DELETE => "delete",
        _ => "",
    }
}
