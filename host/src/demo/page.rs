//! One page of a list: which pods match, where it begins, where the next one does.

use super::pods::RESOURCE_VERSION;
use super::position::Position;
use super::query::Query;
use super::selectors::Selectors;
use super::status::Status;
use crate::kube::{ListMeta, Pod};

/// A PodList in both encodings. As in the API, its items carry no type of their own.
#[derive(Clone, PartialEq, prost::Message, serde::Serialize)]
pub(super) struct PodList {
    #[prost(message, required, tag = "1")]
    pub(super) metadata: ListMeta,
    #[prost(message, repeated, tag = "2")]
    pub(super) items: Vec<Pod>,
}

/// What one page is asked for.
struct Ask {
    selectors: Selectors,
    /// `None` for all.
    limit: Option<usize>,
    after: Option<Position>,
}

impl Ask {
    fn parse(query: &Query) -> Result<Self, Status> {
        // Zero and less are no limit, as on the API server.
        let limit = query.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
        Ok(Self { selectors: Selectors::parse(query)?, limit, after: Position::decode(query.get("continue"))? })
    }
}

/// The page of `pods` that `query` asks for; of all namespaces, if `namespace` is empty.
/// `pods` are ordered by namespace, then name.
pub(super) fn page(pods: &[Pod], namespace: &str, query: &Query) -> Result<PodList, Status> {
    let ask = Ask::parse(query)?;
    let mut matching = pods
        .iter()
        .filter(|pod| namespace.is_empty() || pod.metadata.namespace == namespace)
        .filter(|pod| ask.after.as_ref().is_none_or(|after| Position::of(pod) > *after))
        .filter(|pod| ask.selectors.match_pod(pod));
    let items: Vec<Pod> = matching.by_ref().take(ask.limit.unwrap_or(usize::MAX)).cloned().collect();
    let remaining = matching.count();
    let mut metadata = ListMeta { resource_version: RESOURCE_VERSION.to_string(), ..ListMeta::default() };
    if let Some(last) = items.last().filter(|_| remaining > 0) {
        metadata.continue_token = Position::of(last).encode();
        metadata.remaining_item_count = i64::try_from(remaining).ok().filter(|_| !ask.selectors.are_given());
    }
    Ok(PodList { metadata, items })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    /// Of three pods: the names of the page, whether it goes on, and how many remain.
    fn check(namespace: &str, query: &str) -> Result<(String, bool, Option<i64>), String> {
        let list = list(namespace, query).map_err(|status| status.message)?;
        let names: Vec<_> = list.items.into_iter().map(|pod| pod.metadata.name).collect();
        Ok((names.join(" "), !list.metadata.continue_token.is_empty(), list.metadata.remaining_item_count))
    }

    fn list(namespace: &str, query: &str) -> Result<PodList, Status> {
        let pods = [("a", "x", "web"), ("a", "y", "db"), ("b", "w", "web")].map(|(namespace, name, app)| {
            let mut pod = Pod::default();
            pod.metadata.namespace = namespace.into();
            pod.metadata.name = name.into();
            pod.metadata.labels.insert("app".into(), app.into());
            pod
        });
        page(&pods, namespace, &Query::parse(Some(query)))
    }

    #[test]
    fn limits_and_selectors_decide_what_is_on_a_page() {
        for (namespace, query, names, goes_on, remaining) in [
            ("", "", "x y w", false, None),
            ("", "limit=500", "x y w", false, None),
            ("", "limit=3", "x y w", false, None),
            ("", "limit=0", "x y w", false, None),
            ("", "limit=-1", "x y w", false, None),
            ("", "limit=2", "x y", true, Some(1)),
            ("", "limit=1", "x", true, Some(2)),
            ("a", "limit=1", "x", true, Some(1)),
            ("b", "limit=1", "w", false, None),
            ("nowhere", "", "", false, None),
            ("", "labelSelector=app%3Dweb", "x w", false, None),
            ("", "labelSelector=app+in+(web)&limit=1", "x", true, None),
            ("", "fieldSelector=metadata.name%21%3Dx", "y w", false, None),
            ("", "labelSelector=app%3Dweb&fieldSelector=metadata.name%3Dy", "", false, None),
        ] {
            assert_eq!(check(namespace, query), Ok((names.into(), goes_on, remaining)), "{namespace} {query}");
        }
    }

    #[test]
    fn a_list_goes_on_where_it_stopped() {
        let first = list("", "limit=2").unwrap();
        let rest = format!("limit=2&continue={}", first.metadata.continue_token);
        assert_eq!(check("", &rest), Ok(("w".into(), false, None)));
    }

    #[test]
    fn what_cannot_be_read_is_a_bad_request() {
        let foreign = BASE64_URL_SAFE_NO_PAD.encode(r#"{"v":"meta.k8s.io/v1","rv":1,"start":"a/x\u0000"}"#);
        let pathless = BASE64_URL_SAFE_NO_PAD.encode(r#"{"v":"meta.k8s.io/v1","rv":184467,"start":"a"}"#);
        for (query, message) in [
            ("limit=many", r#"strconv.ParseInt: parsing "many": invalid syntax"#),
            ("labelSelector=a%3D%3D%3D", "label selector"),
            ("fieldSelector=metadata.labels%3Da", "`metadata.labels`"),
            ("continue=%21", "continue key is not valid"),
            ("continue=bm90aGluZw", "continue key is not valid"),
            (&format!("continue={foreign}"), "continue key is not valid"),
            (&format!("continue={pathless}"), "continue key is not valid"),
        ] {
            let found = check("", query).unwrap_err();
            assert!(found.contains(message), "{query}: {found}");
        }
    }
}
