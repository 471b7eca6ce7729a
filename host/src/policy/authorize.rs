//! The choke point: a grant and an ask become a request, or a refusal.

use std::fmt;

use super::grant::{Grant, Namespaces};
use super::redaction::{Redaction, Withheld};
use super::visible_pod::VisiblePod;
use crate::kube::{Detail, FieldSelector, LabelSelector, Namespace, PodName, ReadPod};

/// What a query asks for, already parsed.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    List { namespace: Option<Namespace>, labels: LabelSelector, fields: FieldSelector, detail: Detail },
    Get { namespace: Namespace, name: PodName, detail: Detail },
}

/// A request for pods that was authorized. `authorize` is its only constructor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodRequest {
    scope: Scope,
    name: Option<PodName>,
    labels: LabelSelector,
    fields: FieldSelector,
    detail: Detail,
    withheld: Withheld,
}

/// Where a request looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In all namespaces.
    All,
    /// In these, in this order; at least one, and exactly one where a pod is asked for by name.
    Namespaces(Vec<Namespace>),
}

/// Decides. Everything that is not granted is denied, and the reason names only what was asked, never what exists.
pub(crate) fn authorize(grant: &Grant, ask: Ask) -> Result<PodRequest, Denied> {
    let (namespace, name, labels, fields, detail) = match ask {
        Ask::List { namespace, labels, fields, detail } => (namespace, None, labels, fields, detail),
        Ask::Get { namespace, name, detail } => {
            (Some(namespace), Some(name), LabelSelector::default(), FieldSelector::default(), detail)
        }
    };
    if detail == Detail::Object && !grant.objects {
        return Err(Denied { what: What::WholeObjects });
    }
    if !labels.is_empty() && grant.withheld.has(Redaction::Labels) {
        return Err(Denied { what: What::SelectLabels });
    }
    if let Some(path) = fields.paths().find(|path| shows(path).is_some_and(|shown| grant.withheld.has(shown))) {
        return Err(Denied { what: What::SelectField(path) });
    }
    let fields = grant.fields.and(&fields);
    Ok(PodRequest {
        scope: scope(&grant.namespaces, namespace)?,
        name,
        labels: grant.labels.and(&labels),
        // Each pod is held against the selectors once more: what they look at has to be there.
        detail: if fields.is_of_metadata() { detail } else { detail.max(Detail::Fields) },
        fields,
        withheld: grant.withheld,
    })
}

/// What a selector on this field would tell of.
fn shows(path: &str) -> Option<Redaction> {
    match path {
        "spec.nodeName" | "status.nominatedNodeName" => Some(Redaction::Nodes),
        "status.podIP" => Some(Redaction::Ips),
        _ => None,
    }
}

fn scope(granted: &Namespaces, asked: Option<Namespace>) -> Result<Scope, Denied> {
    match (granted, asked) {
        (Namespaces::All, None) => Ok(Scope::All),
        (Namespaces::All, Some(namespace)) => Ok(Scope::Namespaces(vec![namespace])),
        (Namespaces::Only(only), None) if only.is_empty() => Err(Denied { what: What::AnyNamespace }),
        (Namespaces::Only(only), None) => Ok(Scope::Namespaces(only.iter().cloned().collect())),
        (Namespaces::Only(only), Some(namespace)) if only.contains(&namespace) => Ok(Scope::Namespaces(vec![namespace])),
        (Namespaces::Only(_), Some(namespace)) => Err(Denied { what: What::Namespace(namespace) }),
    }
}

impl PodRequest {
    /// Where to look.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The one pod that is asked for; `None` for a list.
    pub fn name(&self) -> Option<&PodName> {
        self.name.as_ref()
    }

    /// The condition on labels: the grant's and the query's.
    pub fn labels(&self) -> &LabelSelector {
        &self.labels
    }

    /// The condition on fields: the grant's and the query's.
    pub fn fields(&self) -> &FieldSelector {
        &self.fields
    }

    /// How much of each pod is asked for.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// Whether each pod is to come with its whole object.
    pub fn objects(&self) -> bool {
        self.detail == Detail::Object
    }

    /// The same request for at least the fields that podlens reads.
    pub(crate) fn with_fields(self) -> Self {
        Self { detail: self.detail.max(Detail::Fields), ..self }
    }

    /// A pod that a source returned, as a query may see it, if it is [admitted](Self::admits).
    pub(crate) fn admit(&self, read: ReadPod) -> Option<VisiblePod> {
        self.admitted(read).map(|read| VisiblePod::new(read, self.withheld))
    }

    /// The same for a source that keeps what another read: with what is withheld, since conditions look at it. Without its whole object
    /// where none was asked for.
    pub(crate) fn admitted(&self, read: ReadPod) -> Option<ReadPod> {
        let read = if self.objects() { read } else { read.without_object() };
        if self.admits(&read) { Some(read) } else { None }
    }

    /// Whether a pod is one of those that were authorized, and as whole as was asked for. Asked of every pod that a source returns, so that neither an API server
    /// that lies nor a source with a bug widens what a query sees. A get by name knows no selectors on the server: here it does.
    pub fn admits(&self, read: &ReadPod) -> bool {
        let in_scope = match &self.scope {
            Scope::All => Namespace::parse(read.namespace()).is_ok(),
            Scope::Namespaces(namespaces) => namespaces.iter().any(|namespace| namespace.as_str() == read.namespace()),
        };
        in_scope
            && match &self.name {
                Some(name) => name.as_str() == read.name(),
                None => PodName::parse(read.name()).is_ok(),
            }
            && self.selects(read)
            && (read.object().is_some() || !self.objects())
    }

    /// Whether both selectors match a pod.
    pub(crate) fn selects(&self, read: &ReadPod) -> bool {
        (self.labels.is_empty() || self.labels.matches(&read.labels()))
            && (self.fields.is_empty() || self.fields.matches(&read.pod()))
    }
}

/// What is missing in the grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denied {
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    AnyNamespace,
    Namespace(Namespace),
    WholeObjects,
    SelectLabels,
    SelectField(&'static str),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::AnyNamespace => f.write_str("no namespace is granted"),
            What::Namespace(namespace) => write!(f, "namespace `{namespace}` is not granted"),
            What::WholeObjects => f.write_str("whole objects are not granted"),
            What::SelectLabels => f.write_str("labels are withheld: no selector may look at them"),
            What::SelectField(path) => write!(f, "`{path}` is withheld: no selector may look at it"),
        }
    }
}

impl std::error::Error for Denied {}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(name: &str) -> Namespace {
        Namespace::parse(name).unwrap()
    }

    fn list(namespace: Option<&str>) -> Ask {
        Ask::List {
            namespace: namespace.map(self::namespace),
            labels: LabelSelector::parse("app=web").unwrap(),
            fields: FieldSelector::default(),
            detail: Detail::Fields,
        }
    }

    fn get(namespace: &str, name: &str) -> Ask {
        Ask::Get { namespace: self::namespace(namespace), name: PodName::parse(name).unwrap(), detail: Detail::Fields }
    }

    fn pod(namespace: &str, name: &str, labels: &[(&str, &str)]) -> ReadPod {
        let mut pod = crate::kube::Pod::default();
        pod.metadata.namespace = namespace.into();
        pod.metadata.name = name.into();
        pod.metadata.labels = labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        ReadPod::new(&pod)
    }

    #[test]
    fn nothing_is_granted_by_default() {
        for ask in [list(None), list(Some("a")), get("a", "b")] {
            authorize(&Grant::nothing(), ask).unwrap_err();
        }
        assert_eq!(authorize(&Grant::nothing(), list(None)).unwrap_err().to_string(), "no namespace is granted");
    }

    #[test]
    fn a_list_without_namespace_covers_what_is_granted() {
        let grant = Grant::nothing().namespace(namespace("b")).namespace(namespace("a"));
        let request = authorize(&grant, list(None)).unwrap();
        assert_eq!(request.scope(), &Scope::Namespaces(vec![namespace("a"), namespace("b")]));
        assert_eq!(authorize(&Grant::all_namespaces(), list(None)).unwrap().scope(), &Scope::All);
    }

    #[test]
    fn a_namespace_outside_the_grant_is_denied_by_name_only() {
        let grant = Grant::nothing().namespace(namespace("a"));
        for ask in [list(Some("kube-system")), get("kube-system", "etcd-0")] {
            assert_eq!(authorize(&grant, ask).unwrap_err().to_string(), "namespace `kube-system` is not granted");
        }
    }

    /// A condition that cannot be held against the answer would be the server's to keep.
    #[test]
    fn what_a_selector_looks_at_is_asked_for() {
        let on = |fields: &str| Grant::all_namespaces().fields(&FieldSelector::parse(fields).unwrap());
        let metadata = |fields: &str| Ask::List {
            namespace: None,
            labels: LabelSelector::parse("app=web").unwrap(),
            fields: FieldSelector::parse(fields).unwrap(),
            detail: Detail::Metadata,
        };
        for (granted, asked, detail) in [
            ("", "", Detail::Metadata),
            ("metadata.namespace!=a", "metadata.name=b", Detail::Metadata),
            ("spec.nodeName=n", "", Detail::Fields),
            ("", "metadata.name=b,status.phase!=Running", Detail::Fields),
        ] {
            assert_eq!(authorize(&on(granted), metadata(asked)).unwrap().detail(), detail, "{granted} {asked}");
        }
        let get = Ask::Get { namespace: namespace("a"), name: PodName::parse("b").unwrap(), detail: Detail::Metadata };
        assert_eq!(authorize(&on("status.phase=Running"), get).unwrap().detail(), Detail::Fields);
    }

    #[test]
    fn whole_objects_need_their_own_grant() {
        let ask = Ask::Get { namespace: namespace("a"), name: PodName::parse("b").unwrap(), detail: Detail::Object };
        let grant = Grant::all_namespaces();
        assert_eq!(authorize(&grant, ask.clone()).unwrap_err().to_string(), "whole objects are not granted");
        assert!(authorize(&grant.whole_objects(), ask).unwrap().objects());
    }

    #[test]
    fn the_grants_selectors_are_added_to_the_querys() {
        let grant = Grant::all_namespaces()
            .labels(&LabelSelector::parse("team=a").unwrap())
            .fields(&FieldSelector::parse("status.phase=Running").unwrap());
        let request = authorize(&grant, list(None)).unwrap();
        assert_eq!(request.labels().to_string(), "team=a,app=web");
        assert_eq!(request.fields().to_string(), "status.phase=Running");
    }

    #[test]
    fn only_what_was_authorized_is_admitted() {
        let grant = Grant::nothing().namespace(namespace("a")).labels(&LabelSelector::parse("team=a").unwrap());
        let labels = [("team", "a"), ("app", "web")];
        let listed = authorize(&grant, list(None)).unwrap();
        assert!(listed.admits(&pod("a", "x", &labels)));
        let got = authorize(&grant, get("a", "x")).unwrap();
        assert!(got.admits(&pod("a", "x", &[("team", "a")])));
        for (request, pod) in [
            (&listed, pod("b", "x", &labels)),
            (&listed, pod("", "x", &labels)),
            (&listed, pod("a", "", &labels)),
            (&listed, pod("a", "../x", &labels)),
            (&listed, pod("a", "x", &[("app", "web")])),
            (&listed, pod("a", "x", &[("team", "a")])),
            (&got, pod("a", "y", &[("team", "a")])),
            (&got, pod("a", "x", &[])),
            (&got, pod("b", "x", &[("team", "a")])),
        ] {
            assert!(!request.admits(&pod), "{request:?} admits {pod:?}");
        }
        let with_object = pod("a", "x", &labels).with_object("{}");
        assert_eq!(listed.admit(with_object).unwrap().object(), None);
        let everywhere = authorize(&Grant::all_namespaces(), list(None)).unwrap();
        assert!(!everywhere.admits(&pod("No Namespace", "x", &labels)));
    }
}
