//! Reads that `podlens proxy` passes on for others: one constructor for each route, of parts that are parsed.
//!
//! What has no field here cannot be asked for: no other resource, subresource or verb, no header, no text of the client's own in a path.
//! Who may ask for it is `policy`'s to say, and how a client writes it is `proxy`'s to read.

use std::time::Duration;

use super::{Accept, ContinueToken, FieldSelector, LabelSelector, Namespace, PodName, Request};

/// The form of an answer: what the API server offers for pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Representation {
    /// `application/json`.
    Json,
    /// `application/yaml`.
    Yaml,
    /// `application/vnd.kubernetes.protobuf`.
    Protobuf,
    /// What `kubectl get` prints.
    Table,
    /// Metadata of one pod, or of each in a watch.
    Metadata,
    /// Metadata of the pods of a list.
    MetadataList,
    /// [`Self::Metadata`] in protobuf.
    MetadataProtobuf,
    /// [`Self::MetadataList`] in protobuf.
    MetadataListProtobuf,
}

impl Representation {
    /// The value of the `Accept` header. A failure is a Status whatever was asked for; JSON stands behind the forms that have none.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
            Self::Table => "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            Self::Metadata => "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json",
            Self::MetadataList => "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
            Self::MetadataProtobuf => {
                "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
            }
            Self::MetadataListProtobuf => {
                "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
            }
        }
    }
}

/// An endpoint that says whether the API server is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Healthz,
    Livez,
    Readyz,
}

/// What a resource version is compared by (Kubernetes documentation, "Resource versions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceVersionMatch {
    Exact,
    NotOlderThan,
}

/// How much of each pod comes with its row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IncludeObject {
    None,
    Metadata,
    Object,
}

/// How an answer is shown and how long it may take: parameters of lists and single reads alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) resource_version: Option<u64>,
    pub(crate) include_object: Option<IncludeObject>,
    /// Indented JSON.
    pub(crate) pretty: bool,
    /// The API server's own bound is a minute; this can only shorten it.
    pub(crate) timeout: Option<Duration>,
}

/// Changes from now on in place of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    pub(crate) bookmarks: bool,
    /// Whether the state comes first, as events; the API server decides where this is not said.
    pub(crate) initial_events: Option<bool>,
}

/// The parameters of a list, its selectors aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListParameters {
    /// Zero is no limit.
    pub(crate) limit: Option<u32>,
    pub(crate) continue_token: Option<ContinueToken>,
    pub(crate) resource_version_match: Option<ResourceVersionMatch>,
    pub(crate) timeout_seconds: Option<u32>,
    pub(crate) watch: Option<Watch>,
    pub(crate) view: View,
}

/// A list or watch of the pods of one namespace, or of all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForwardList<'a> {
    pub(crate) namespace: Option<&'a Namespace>,
    pub(crate) labels: &'a LabelSelector,
    pub(crate) fields: &'a FieldSelector,
    pub(crate) parameters: &'a ListParameters,
    pub(crate) representation: Representation,
}

/// A pod by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForwardGet<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) name: &'a PodName,
    pub(crate) view: &'a View,
    pub(crate) representation: Representation,
}

impl Request {
    /// `GET /api/v1/[namespaces/NAMESPACE/]pods`, as a client of the proxy wants it.
    pub(crate) fn forward_list(list: &ForwardList<'_>) -> Self {
        let parameters = list.parameters;
        let mut query = Query::default();
        Self::select(&mut query.0, list.labels, list.fields);
        query.text("limit", parameters.limit.map(|limit| limit.to_string()));
        query.text("continue", parameters.continue_token.as_ref().map(|token| token.as_str().to_owned()));
        query.text("resourceVersionMatch", parameters.resource_version_match.map(|how| how.as_str().to_owned()));
        query.text("timeoutSeconds", parameters.timeout_seconds.map(|seconds| seconds.to_string()));
        if let Some(watch) = parameters.watch {
            query.flag("watch", true);
            query.flag("allowWatchBookmarks", watch.bookmarks);
            query.text("sendInitialEvents", watch.initial_events.map(|first| first.to_string()));
        }
        query.view(&parameters.view);
        Self::forward(Self::pods_path(list.namespace), query, list.representation)
    }

    /// `GET /api/v1/namespaces/NAMESPACE/pods/NAME`, as a client of the proxy wants it.
    pub(crate) fn forward_get(get: &ForwardGet<'_>) -> Self {
        let mut query = Query::default();
        query.view(get.view);
        Self::forward(Self::pod_path(get.namespace, get.name), query, get.representation)
    }

    /// `GET /healthz`, `/livez` or `/readyz`. They answer with text, whatever is accepted.
    pub(crate) fn health(health: Health) -> Self {
        let path = match health {
            Health::Healthz => "/healthz",
            Health::Livez => "/livez",
            Health::Readyz => "/readyz",
        };
        Self::forward(path.to_owned(), Query::default(), Representation::Json)
    }

    fn forward(path: String, query: Query, representation: Representation) -> Self {
        Self { path, query: query.0, accept: Accept::Forwarded(representation), body: None }
    }
}

/// What is left at its default is not said.
#[derive(Default)]
struct Query(Vec<(&'static str, String)>);

impl Query {
    fn text(&mut self, name: &'static str, value: Option<String>) {
        self.0.extend(value.map(|value| (name, value)));
    }

    fn flag(&mut self, name: &'static str, set: bool) {
        self.text(name, set.then(|| "true".to_owned()));
    }

    fn view(&mut self, view: &View) {
        self.text("resourceVersion", view.resource_version.map(|version| version.to_string()));
        self.text("includeObject", view.include_object.map(|object| object.as_str().to_owned()));
        self.flag("pretty", view.pretty);
        self.text("timeout", view.timeout.map(|timeout| format!("{}ms", timeout.as_millis())));
    }
}

impl ResourceVersionMatch {
    fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "Exact",
            Self::NotOlderThan => "NotOlderThan",
        }
    }
}

impl IncludeObject {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Metadata => "Metadata",
            Self::Object => "Object",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &Request, path: &str, query: &[(&str, &str)], accept: &str) {
        let seen: Vec<_> = request.query().iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!((request.path(), seen.as_slice(), request.accept().header()), (path, query, accept));
        assert_eq!(request.body(), None);
    }

    #[test]
    fn what_is_not_asked_for_is_not_said() {
        let list = ForwardList {
            namespace: None,
            labels: &LabelSelector::default(),
            fields: &FieldSelector::default(),
            parameters: &ListParameters::default(),
            representation: Representation::Json,
        };
        check(&Request::forward_list(&list), "/api/v1/pods", &[], "application/json");
        let (namespace, name) = (Namespace::parse("shop").unwrap(), PodName::parse("web.0").unwrap());
        let get =
            ForwardGet { namespace: &namespace, name: &name, view: &View::default(), representation: Representation::Protobuf };
        check(&Request::forward_get(&get), "/api/v1/namespaces/shop/pods/web.0", &[], "application/vnd.kubernetes.protobuf");
        check(&Request::health(Health::Readyz), "/readyz", &[], "application/json");
    }

    #[test]
    fn everything_that_can_be_asked_for() {
        let view = View {
            resource_version: Some(7),
            include_object: Some(IncludeObject::None),
            pretty: true,
            timeout: Some(Duration::from_secs(32)),
        };
        let list = ForwardList {
            namespace: Some(&Namespace::parse("shop").unwrap()),
            labels: &LabelSelector::parse("app==web").unwrap(),
            fields: &FieldSelector::parse("status.phase=Running").unwrap(),
            parameters: &ListParameters {
                limit: Some(0),
                continue_token: ContinueToken::new("opaque"),
                resource_version_match: Some(ResourceVersionMatch::NotOlderThan),
                timeout_seconds: Some(60),
                watch: Some(Watch { bookmarks: true, initial_events: Some(false) }),
                view,
            },
            representation: Representation::Table,
        };
        check(
            &Request::forward_list(&list),
            "/api/v1/namespaces/shop/pods",
            &[
                ("labelSelector", "app=web"),
                ("fieldSelector", "status.phase=Running"),
                ("limit", "0"),
                ("continue", "opaque"),
                ("resourceVersionMatch", "NotOlderThan"),
                ("timeoutSeconds", "60"),
                ("watch", "true"),
                ("allowWatchBookmarks", "true"),
                ("sendInitialEvents", "false"),
                ("resourceVersion", "7"),
                ("includeObject", "None"),
                ("pretty", "true"),
                ("timeout", "32000ms"),
            ],
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        );
    }
}
