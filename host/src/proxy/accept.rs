//! In which form a client wants its answer: the first that it names of those that there are.
//!
//! A quality other than zero is not read: kubectl and the client libraries send none, and browsers end at `*/*`, which is JSON.

use hyper::HeaderMap;
use hyper::header::ACCEPT;

use crate::kube::Representation;

/// What kubectl asks `/api` and `/apis` for since Kubernetes 1.30 (client-go `discovery/discovery_client.go`, `AcceptV2`).
const DISCOVERY: [(&str, &str); 3] = [("g", "apidiscovery.k8s.io"), ("v", "v2"), ("as", "APIGroupDiscoveryList")];

/// The form of pods; JSON where none is asked for, and none where none of those asked for is offered.
pub(super) fn representation(headers: &HeaderMap) -> Option<Representation> {
    let mut clauses = clauses(headers).peekable();
    if clauses.peek().is_none() {
        return Some(Representation::Json);
    }
    clauses.find_map(|clause| Clause::read(clause)?.representation())
}

/// Whether `/api` and `/apis` are to be answered in one form with all resources.
pub(super) fn is_aggregated(headers: &HeaderMap) -> bool {
    let asks = |clause: Clause<'_>| {
        clause.media_type.eq_ignore_ascii_case("application/json")
            && clause.parameters.len() == DISCOVERY.len()
            && DISCOVERY.iter().all(|(name, value)| clause.parameter(name) == Some(value))
    };
    clauses(headers).filter_map(Clause::read).any(asks)
}

fn clauses(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(ACCEPT).iter().flat_map(|value| value.to_str().unwrap_or_default().split(',')).map(str::trim)
}

/// A media type with its parameters.
struct Clause<'a> {
    media_type: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Clause<'a> {
    /// `None`: not a clause, or one that is not wanted.
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next()?;
        let mut parameters = Vec::new();
        for part in parts {
            match part.split_once('=')? {
                ("q", quality) if quality.parse::<f32>().ok()? == 0.0 => return None,
                ("q", _) => {}
                pair => parameters.push(pair),
            }
        }
        Some(Self { media_type, parameters })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn representation(&self) -> Option<Representation> {
        let form = match self.parameters.as_slice() {
            [] | [("stream", "watch")] => None,
            parameters
                if parameters.len() == 3 && (self.parameter("v"), self.parameter("g")) == (Some("v1"), Some("meta.k8s.io")) =>
            {
                Some(self.parameter("as")?)
            }
            _ => return None,
        };
        match (self.media_type.to_ascii_lowercase().as_str(), form) {
            ("application/json" | "application/*" | "*/*", None) => Some(Representation::Json),
            ("application/yaml", None) => Some(Representation::Yaml),
            ("application/vnd.kubernetes.protobuf", None) => Some(Representation::Protobuf),
            ("application/json", Some("Table")) => Some(Representation::Table),
            ("application/json", Some("PartialObjectMetadata")) => Some(Representation::Metadata),
            ("application/json", Some("PartialObjectMetadataList")) => Some(Representation::MetadataList),
            ("application/vnd.kubernetes.protobuf", Some("PartialObjectMetadata")) => Some(Representation::MetadataProtobuf),
            ("application/vnd.kubernetes.protobuf", Some("PartialObjectMetadataList")) => {
                Some(Representation::MetadataListProtobuf)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(accept: &[&str]) -> HeaderMap {
        accept.iter().map(|value| (ACCEPT, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn the_first_form_that_is_offered_is_taken() {
        let table =
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        for (accept, expected) in [
            (&[][..], Some(Representation::Json)),
            (&["*/*"], Some(Representation::Json)),
            (&["application/*"], Some(Representation::Json)),
            (&["Application/JSON"], Some(Representation::Json)),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Some(Representation::Json)),
            (&[table], Some(Representation::Table)),
            (&["application/json;as=Table;g=meta.k8s.io;v=v1"], Some(Representation::Table)),
            (&["application/json;as=Table;v=v1beta1;g=meta.k8s.io", "application/json"], Some(Representation::Json)),
            (&["application/vnd.kubernetes.protobuf,application/json"], Some(Representation::Protobuf)),
            (&["application/vnd.kubernetes.protobuf;stream=watch"], Some(Representation::Protobuf)),
            (&["application/yaml"], Some(Representation::Yaml)),
            (&["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"], Some(Representation::MetadataList)),
            (
                &["application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"],
                Some(Representation::MetadataProtobuf),
            ),
            (&["application/json;q=0, application/yaml"], Some(Representation::Yaml)),
            (&["text/html"], None),
            (&[""], None),
            (&["application/cbor"], None),
            (&["application/json;q=none"], None),
            (&["application/json;as=Table"], None),
            (&["application/json;as=Secret;v=v1;g=meta.k8s.io"], None),
            (&["application/json;as=Table;v=v1;g=meta.k8s.io;a=b"], None),
            (&["application/json;charset"], None),
        ] {
            assert_eq!(representation(&headers(accept)), expected, "{accept:?}");
        }
    }

    #[test]
    fn discovery_is_aggregated_where_it_is_asked_for() {
        for (accept, expected) in [
            (&[][..], false),
            (&["application/json"], false),
            (&["application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"], true),
            (&["application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io"], true),
            (&["application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"], false),
            (&["application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer"], false),
        ] {
            assert_eq!(is_aggregated(&headers(accept)), expected, "{accept:?}");
        }
    }
}
