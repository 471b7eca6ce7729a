//! From the bytes of an answer to pods. Whole or not at all: a list that does not decode to its end gives no pod.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use prost::Message;
use serde_json::value::RawValue;

use super::list_decoder::Pods;
use super::pod::{Envelope, ListMeta, PROTOBUF_MAGIC, Pod, TypeMeta};
use super::{ContinueToken, Detail, ReadPod};
use crate::text::excerpt;

/// One page of a list.
#[derive(Clone, Debug)]
pub(crate) struct PodList {
    /// The pods, in the server's order.
    pub(crate) pods: Vec<ReadPod>,
    /// Where the list goes on; `None` for the last page.
    pub(crate) continue_token: Option<ContinueToken>,
    /// The moment of the list, for a watch from there on.
    pub(crate) resource_version: String,
}

/// Reads a list that is there as a whole.
#[cfg(test)]
pub(crate) fn decode_list(body: &Bytes, detail: Detail) -> Result<PodList, DecodeError> {
    let mut list = super::ListDecoder::new(detail);
    list.push(body)?;
    list.finish()
}

/// Reads a Pod of which so much was asked for.
pub(crate) fn decode_pod(body: &Bytes, detail: Detail) -> Result<ReadPod, DecodeError> {
    let kind = Expected::pod(detail);
    match protobuf(body, kind)? {
        Some(_) if detail == Detail::Object => Err(DecodeError::malformed("Pod as JSON")),
        Some(raw) => decode_item(&raw, &mut Vec::new()),
        None => {
            json_kind(body, kind)?;
            let raw: &RawValue = serde_json::from_slice(body).map_err(|_| DecodeError::malformed("Pod"))?;
            json_pod(raw, detail == Detail::Object)
        }
    }
}

/// Longest pod in protobuf, in bytes: etcd stores no request above 1.5 MiB (etcd `DefaultMaxRequestBytes`).
const MAX_POD_BYTES: usize = 2 << 20;

pub(super) fn decode_item(raw: &[u8], buffer: &mut Vec<u8>) -> Result<ReadPod, DecodeError> {
    if raw.len() > MAX_POD_BYTES {
        return Err(DecodeError::malformed("Pod: it is too long"));
    }
    ReadPod::decode(raw, buffer).map_err(|_| DecodeError::malformed("Pod"))
}

/// The object's bytes, if `body` is in Kubernetes' protobuf encoding.
fn protobuf(body: &Bytes, kind: Expected) -> Result<Option<Bytes>, DecodeError> {
    if !body.starts_with(PROTOBUF_MAGIC) {
        return Ok(None);
    }
    let malformed = || DecodeError::malformed(kind.whole);
    let envelope = Envelope::decode(body.slice(PROTOBUF_MAGIC.len()..)).map_err(|_| malformed())?;
    if !envelope.content_encoding.is_empty() {
        return Err(malformed());
    }
    check_type(&envelope.type_meta.api_version, &envelope.type_meta.kind, kind)?;
    Ok(Some(envelope.raw))
}

pub(super) fn decode_json_list(body: &[u8], detail: Detail) -> Result<PodList, DecodeError> {
    #[derive(serde::Deserialize)]
    struct List<'a> {
        #[serde(default)]
        metadata: Option<ListMeta>,
        #[serde(borrow, default)]
        items: Option<Vec<&'a RawValue>>,
    }
    json_kind(body, Expected::list(detail))?;
    let list: List<'_> = serde_json::from_slice(body).map_err(|_| DecodeError::malformed("PodList"))?;
    let mut pods = Pods::default();
    for item in list.items.unwrap_or_default() {
        pods.push(json_pod(item, detail == Detail::Object)?)?;
    }
    let pods = pods.into_vec();
    let metadata = list.metadata.unwrap_or_default();
    let continue_token = ContinueToken::new(&metadata.continue_token);
    Ok(PodList { pods, continue_token, resource_version: metadata.resource_version })
}

pub(super) fn json_pod(raw: &RawValue, objects: bool) -> Result<ReadPod, DecodeError> {
    // An array would do for serde, which takes its elements for the fields in their order.
    if !raw.get().starts_with('{') {
        return Err(DecodeError::malformed("Pod"));
    }
    let pod: Pod = serde_json::from_str(raw.get()).map_err(|_| DecodeError::malformed("Pod"))?;
    let read = ReadPod::checked(&pod)?;
    Ok(if objects { read.with_object(with_type(raw.get())) } else { read })
}

/// A pod's JSON with its type in front, if it lacks it: the items of a PodList carry none of their own.
pub(super) fn with_type(json: &str) -> String {
    let has_type = serde_json::from_str::<TypeMeta>(json).is_ok_and(|own| !own.kind.is_empty());
    match json.strip_prefix('{') {
        Some(fields) if !has_type => {
            let comma = if fields.trim_start().starts_with('}') { "" } else { "," };
            format!(r#"{{"kind":"Pod","apiVersion":"v1"{comma}{fields}"#)
        }
        _ => json.to_owned(),
    }
}

fn json_kind(body: &[u8], kind: Expected) -> Result<(), DecodeError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Type<'a> {
        #[serde(borrow, default)]
        api_version: Cow<'a, str>,
        #[serde(borrow, default)]
        kind: Cow<'a, str>,
    }
    let found: Type<'_> = serde_json::from_slice(body).map_err(|_| DecodeError::malformed(kind.whole))?;
    check_type(&found.api_version, &found.kind, kind)
}

/// What an answer may say that it is. The metadata of pods has the same form as pods have: where more was asked for, it would pass for pods of
/// which nothing else is known.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    /// Of `v1`.
    whole: &'static str,
    /// Of `meta.k8s.io/v1`.
    metadata: Option<&'static str>,
}

impl Expected {
    pub(super) fn list(detail: Detail) -> Self {
        Self { whole: "PodList", metadata: (detail == Detail::Metadata).then_some("PartialObjectMetadataList") }
    }

    fn pod(detail: Detail) -> Self {
        Self { whole: "Pod", metadata: (detail == Detail::Metadata).then_some("PartialObjectMetadata") }
    }
}

pub(super) fn check_type(api_version: &str, found: &str, kind: Expected) -> Result<(), DecodeError> {
    match api_version {
        "v1" if found == kind.whole => Ok(()),
        "meta.k8s.io/v1" if Some(found) == kind.metadata => Ok(()),
        _ => Err(DecodeError::wrong_kind(kind.whole, &format!("{api_version} {found}"))),
    }
}

/// An answer that is not what was asked for. It never carries the answer's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DecodeError {
    expected: &'static str,
    found: Option<String>,
}

impl DecodeError {
    pub(super) fn malformed(expected: &'static str) -> Self {
        Self { expected, found: None }
    }

    pub(super) fn wrong_kind(expected: &'static str, found: &str) -> Self {
        Self { expected, found: Some(excerpt(found)) }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            None => write!(f, "the answer is not a well-formed {}", self.expected),
            Some(found) => write!(f, "the answer is `{}`, not a v1 {}", found.trim(), self.expected),
        }
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::super::list_decoder::MAX_ITEMS;
    use super::super::pod::PodListWire;
    use super::*;

    fn envelope(kind: &str, raw: Vec<u8>) -> Bytes {
        let envelope = Envelope {
            type_meta: TypeMeta { api_version: "v1".into(), kind: kind.into() },
            raw: raw.into(),
            ..Envelope::default()
        };
        [PROTOBUF_MAGIC.as_slice(), &envelope.encode_to_vec()].concat().into()
    }

    fn pod(name: &str) -> Pod {
        let mut pod = Pod::default();
        pod.metadata.name = name.into();
        pod.metadata.namespace = "shop".into();
        pod.metadata.creation_timestamp = Some(super::super::Time { seconds: 1_767_323_045 });
        pod.spec.containers.push(super::super::Container {
            name: "web".into(),
            resources: super::super::ResourceRequirements {
                requests: [("cpu".to_owned(), super::super::Quantity { text: "250m".into() })].into(),
                ..Default::default()
            },
            ..Default::default()
        });
        pod
    }

    #[test]
    fn both_encodings_give_the_same_pods() {
        let list = PodListWire {
            metadata: ListMeta { continue_token: "more".into(), ..ListMeta::default() },
            items: vec![pod("a").encode_to_vec().into(), pod("b").encode_to_vec().into()],
        };
        let from_protobuf = decode_list(&envelope("PodList", list.encode_to_vec()), Detail::Fields).unwrap();
        let json = serde_json::json!({
            "kind": "PodList", "apiVersion": "v1", "metadata": {"continue": "more"}, "items": [pod("a"), pod("b")],
        });
        let from_json = decode_list(&json.to_string().into(), Detail::Fields).unwrap();
        for list in [from_protobuf, from_json] {
            assert_eq!(list.pods.iter().map(ReadPod::pod).collect::<Vec<_>>(), [pod("a"), pod("b")]);
            assert!(list.pods.iter().all(|read| read.object().is_none()));
            assert_eq!(list.continue_token.unwrap().as_str(), "more");
        }
    }

    #[test]
    fn metadata_alone_is_a_pod_without_the_rest() {
        let metadata = Pod { metadata: pod("a").metadata, ..Pod::default() };
        let list = PodListWire { metadata: ListMeta::default(), items: vec![metadata.encode_to_vec().into()] };
        let envelope = |kind: &str| {
            let type_meta = TypeMeta { api_version: "meta.k8s.io/v1".into(), kind: kind.into() };
            let envelope = Envelope { type_meta, raw: list.encode_to_vec().into(), ..Envelope::default() };
            Bytes::from([PROTOBUF_MAGIC.as_slice(), &envelope.encode_to_vec()].concat())
        };
        let json = serde_json::json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "items": [{"metadata": pod("a").metadata}],
        });
        for body in [envelope("PartialObjectMetadataList"), json.to_string().into()] {
            assert_eq!(decode_list(&body, Detail::Metadata).unwrap().pods[0].pod(), metadata);
            for more in [Detail::Fields, Detail::Object] {
                decode_list(&body, more).map(drop).unwrap_err();
            }
        }
        for kind in ["PodList", "PartialObjectMetadata", "Table"] {
            decode_list(&envelope(kind), Detail::Metadata).map(drop).unwrap_err();
        }
    }

    #[test]
    fn whole_objects_keep_what_is_not_read_and_get_their_type_back() {
        let body = r#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"},"spec":{"dnsPolicy":"Default"}},{}]}"#;
        let list = decode_list(&body.into(), Detail::Object).unwrap();
        let objects: Vec<_> = list.pods.iter().map(|read| read.object().unwrap()).collect();
        assert_eq!(
            objects,
            [
                r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{"dnsPolicy":"Default"}}"#,
                r#"{"kind":"Pod","apiVersion":"v1"}"#
            ]
        );
        assert!(list.pods[0].size_bytes() > objects[0].len());
    }

    #[test]
    fn null_is_the_default_as_in_go() {
        let body = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","creationTimestamp":null,"labels":null},"spec":{"containers":null},"status":null}"#;
        let read = decode_pod(&body.into(), Detail::Fields).unwrap();
        assert_eq!(read.name(), "a");
        assert!(
            decode_list(&r#"{"kind":"PodList","apiVersion":"v1","metadata":null,"items":null}"#.into(), Detail::Fields)
                .unwrap()
                .pods
                .is_empty()
        );
    }

    #[test]
    fn anything_else_is_refused_without_its_content() {
        let cut = envelope(
            "PodList",
            PodListWire { metadata: ListMeta::default(), items: vec![pod("a").encode_to_vec().into()] }.encode_to_vec(),
        );
        let cut = cut.slice(..cut.len() - 3);
        for (body, expected) in [
            (Bytes::from("secret-canary"), "the answer is not a well-formed PodList"),
            (Bytes::from(""), "the answer is not a well-formed PodList"),
            (Bytes::from("{}"), "the answer is ``, not a v1 PodList"),
            (
                Bytes::from(r#"{"kind":"SecretList","apiVersion":"v1","items":[]}"#),
                "the answer is `v1 SecretList`, not a v1 PodList",
            ),
            (
                Bytes::from(r#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}"#),
                "the answer is not a well-formed PodList",
            ),
            (Bytes::from(r#"{"kind":"PodList","apiVersion":"v1","items":[7]}"#), "the answer is not a well-formed Pod"),
            (Bytes::from(r#"{"kind":"PodList","apiVersion":"v1","items":[[]]}"#), "the answer is not a well-formed Pod"),
            (cut, "the answer is not a well-formed PodList"),
            (envelope("Pod", Vec::new()), "the answer is `v1 Pod`, not a v1 PodList"),
            (envelope("PodList", vec![0x12, 0x02, 0xff, 0xff]), "the answer is not a well-formed Pod"),
        ] {
            assert_eq!(decode_list(&body, Detail::Fields).map(|_| ()).unwrap_err().to_string(), expected, "{body:?}");
        }
    }

    #[test]
    fn tiny_items_do_not_become_a_large_answer() {
        let tiny = |items: usize| envelope("PodList", [0x12, 0].repeat(items));
        assert_eq!(decode_list(&tiny(MAX_ITEMS), Detail::Fields).unwrap().pods.len(), MAX_ITEMS);
        let error = decode_list(&tiny(MAX_ITEMS + 1), Detail::Fields).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, "the answer is not a well-formed PodList: it has too many items");
        let json = format!(r#"{{"kind":"PodList","apiVersion":"v1","items":[{}{{}}]}}"#, "{},".repeat(MAX_ITEMS));
        assert_eq!(decode_list(&json.into(), Detail::Fields).map(|_| ()).unwrap_err().to_string(), error);
        let long = envelope("Pod", vec![0; MAX_POD_BYTES + 1]);
        assert_eq!(
            decode_pod(&long, Detail::Fields).map(|_| ()).unwrap_err().to_string(),
            "the answer is not a well-formed Pod: it is too long"
        );
    }
}
