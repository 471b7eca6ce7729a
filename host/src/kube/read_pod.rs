//! A pod as it was read: what podlens reads of it, still encoded.
//!
//! Most of what is read is never looked at. So a pod stays bytes, in a third of what it takes as texts and maps, until a query asks for
//! a part of it. What is kept was checked before: decoding it later cannot fail.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;

use prost::Message;
use prost::encoding::WireType;

use super::DecodeError;
use super::health::{self, PodHealth};
use super::kept::{DecodeMessage, fields_of};
use super::pod::{ObjectMeta, Pod, PodSpec, PodStatus};
use super::shape::{Malformed, delimited, keep, key, skip};

/// Most messages in one pod, entries of maps among them. One decoded takes up to 500 bytes, so this bounds what a pod of empty ones
/// becomes: 8 MiB. Pods met in practice have some hundred.
const MAX_PARTS: usize = 16_384;

/// A pod as it was read, with its JSON where whole objects were asked for. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ReadPod {
    fields: Arc<Fields>,
    object: Option<Arc<str>>,
}

/// The fields that podlens reads.
struct Fields {
    /// `namespace/name`.
    key: Box<str>,
    namespace_bytes: usize,
    /// Metadata, spec and status, encoded and one behind the other.
    encoded: Box<[u8]>,
    spec_at: usize,
    status_at: usize,
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields").field("key", &self.key).field("bytes", &self.encoded.len()).finish_non_exhaustive()
    }
}

impl ReadPod {
    /// A pod without its whole object.
    pub fn new(pod: &Pod) -> Self {
        let mut encoded = pod.metadata.encode_to_vec();
        let spec_at = encoded.len();
        encoded.extend(pod.spec.encode_to_vec());
        let status_at = encoded.len();
        encoded.extend(pod.status.encode_to_vec());
        Self::from_parts(&pod.metadata.namespace, &pod.metadata.name, &encoded, spec_at, status_at)
    }

    /// As [`new`](Self::new), for a pod that others wrote in another encoding: one that has more parts than may be kept is refused, as where
    /// it came encoded.
    pub(crate) fn checked(pod: &Pod) -> Result<Self, DecodeError> {
        Self::decode(&pod.encode_to_vec(), &mut Vec::new()).map_err(|_| DecodeError::malformed("Pod: it has too many parts"))
    }

    /// The pod that is encoded as the API server does. `buffer` is used anew for each.
    pub(super) fn decode(pod: &[u8], buffer: &mut Vec<u8>) -> Result<Self, Malformed> {
        let [metadata, spec, status] = sections(pod)?;
        buffer.clear();
        let mut parts = MAX_PARTS;
        keep::<ObjectMeta>(metadata, buffer, &mut parts)?;
        let spec_at = buffer.len();
        keep::<PodSpec>(spec, buffer, &mut parts)?;
        let status_at = buffer.len();
        keep::<PodStatus>(status, buffer, &mut parts)?;
        let [name, namespace] = identity(&buffer[..spec_at])?;
        Ok(Self::from_parts(namespace, name, buffer, spec_at, status_at))
    }

    fn from_parts(namespace: &str, name: &str, encoded: &[u8], spec_at: usize, status_at: usize) -> Self {
        let key = [namespace, "/", name].concat().into_boxed_str();
        let fields = Fields { key, namespace_bytes: namespace.len(), encoded: encoded.into(), spec_at, status_at };
        Self { fields: Arc::new(fields), object: None }
    }

    /// The pod with its whole object: JSON text, with `kind` and `apiVersion`.
    #[must_use]
    pub fn with_object(self, json: impl Into<Arc<str>>) -> Self {
        Self { object: Some(json.into()), ..self }
    }

    /// The pod without its whole object.
    #[must_use]
    pub fn without_object(self) -> Self {
        Self { object: None, ..self }
    }

    /// Its whole object.
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.fields.key[..self.fields.namespace_bytes]
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.fields.key[self.fields.namespace_bytes + 1..]
    }

    /// The text `namespace/name`. Its bytes are what the API server orders pods by.
    pub fn key(&self) -> &str {
        &self.fields.key
    }

    /// Its metadata.
    pub fn metadata(&self) -> ObjectMeta {
        decoded(&self.fields.encoded[..self.fields.spec_at])
    }

    /// Its labels alone.
    pub fn labels(&self) -> BTreeMap<String, String> {
        decoded::<Labels>(&self.fields.encoded[..self.fields.spec_at]).labels
    }

    /// Its spec.
    pub fn spec(&self) -> PodSpec {
        decoded(&self.fields.encoded[self.fields.spec_at..self.fields.status_at])
    }

    /// Its status.
    pub fn status(&self) -> PodStatus {
        decoded(&self.fields.encoded[self.fields.status_at..])
    }

    /// How it does, in short.
    pub fn health(&self) -> PodHealth {
        let metadata = decoded::<health::Metadata>(&self.fields.encoded[..self.fields.spec_at]);
        PodHealth::of(metadata, decoded(&self.fields.encoded[self.fields.status_at..]))
    }

    /// The names of its init containers that keep running beside the others: its sidecars.
    pub fn sidecars(&self) -> Vec<String> {
        let spec = decoded::<InitContainers>(&self.fields.encoded[self.fields.spec_at..self.fields.status_at]);
        let sidecars = spec.init_containers.into_iter().filter(|container| container.restart_policy == "Always");
        sidecars.map(|container| container.name).collect()
    }

    /// All that podlens reads of it, decoded.
    pub fn pod(&self) -> Pod {
        Pod { metadata: self.metadata(), spec: self.spec(), status: self.status() }
    }

    /// About how much memory it takes, in bytes.
    pub fn size_bytes(&self) -> usize {
        /// What the allocator adds to each of four allocations, at most.
        const ALLOCATIONS_BYTES: usize = 4 * 16;
        let Fields { key, encoded, .. } = &*self.fields;
        let object = self.object.as_ref().map_or(0, |object| object.len());
        size_of::<Self>() + size_of::<Fields>() + ALLOCATIONS_BYTES + key.len() + encoded.len() + object
    }
}

/// The labels of an encoded [`ObjectMeta`].
#[derive(Default)]
struct Labels {
    labels: BTreeMap<String, String>,
}

fields_of!(Labels { 11 => labels, });

/// The init containers of an encoded [`PodSpec`].
#[derive(Default)]
struct InitContainers {
    init_containers: Vec<InitContainer>,
}

fields_of!(InitContainers { 20 => init_containers, });

/// Of an init container what tells whether it is a sidecar.
#[derive(Default)]
struct InitContainer {
    name: String,
    restart_policy: String,
}

fields_of!(InitContainer { 1 => name, 24 => restart_policy, });

/// What was checked when it was kept.
fn decoded<T: DecodeMessage>(kept: &[u8]) -> T {
    let mut message = T::default();
    let read = message.merge(kept);
    debug_assert!(read.is_ok(), "what is kept was checked");
    read.map_or_else(|_| T::default(), |()| message)
}

/// The name and the namespace of an encoded [`ObjectMeta`], read no further than they are.
fn identity(mut metadata: &[u8]) -> Result<[&str; 2], Malformed> {
    const NAME: u32 = 1;
    const NAMESPACE: u32 = 3;
    let (mut name, mut namespace) = (None, None);
    while !metadata.is_empty() && (name.is_none() || namespace.is_none()) {
        let (tag, wire_type) = key(&mut metadata)?;
        let found = match tag {
            NAME => &mut name,
            NAMESPACE => &mut namespace,
            _ => {
                skip(wire_type, &mut metadata)?;
                continue;
            }
        };
        *found = Some(std::str::from_utf8(delimited(&mut metadata)?).map_err(|_| Malformed)?);
    }
    Ok([name, namespace].map(Option::unwrap_or_default))
}

/// The bytes of metadata, spec and status of an encoded pod, each once at most.
fn sections(mut pod: &[u8]) -> Result<[&[u8]; 3], Malformed> {
    let mut sections = [None; 3];
    while !pod.is_empty() {
        let (tag, wire_type) = key(&mut pod)?;
        match (sections.get_mut(tag as usize - 1), wire_type) {
            (Some(section @ None), WireType::LengthDelimited) => *section = Some(delimited(&mut pod)?),
            (Some(_), _) => return Err(Malformed),
            (None, _) => skip(wire_type, &mut pod)?,
        }
    }
    Ok(sections.map(Option::unwrap_or_default))
}

#[cfg(test)]
mod tests {
    use super::super::pod::{Container, ContainerStatus, Quantity, Time};
    use super::*;

    fn pod() -> Pod {
        let mut pod = Pod::default();
        pod.metadata.name = "web-0".into();
        pod.metadata.namespace = "shop".into();
        pod.metadata.creation_timestamp = Some(Time { seconds: 0 });
        pod.metadata.labels = [("app".to_owned(), "web".to_owned()), ("empty".to_owned(), String::new())].into();
        let mut container = Container { name: "app".into(), liveness_probe: Some(Default::default()), ..Default::default() };
        container.resources.requests = [("cpu".to_owned(), Quantity { text: "250m".into() })].into();
        pod.spec.containers = vec![container, Container::default()];
        pod.spec.priority = Some(-5);
        pod.status.container_statuses = vec![ContainerStatus { restart_count: i32::MAX, ..Default::default() }];
        pod
    }

    /// A field that no message of ours has, of each kind: with tag 63 a varint, 64 bits, 32 bits, and bytes of this length.
    fn foreign(bytes: usize) -> Vec<u8> {
        let mut field = vec![0xf8, 0x03, 0xff, 0x01, 0xf9, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0x03, 0, 0, 0, 0, 0xfa, 0x03];
        prost::encoding::encode_varint(bytes as u64, &mut field);
        field.resize(field.len() + bytes, 0xff);
        field
    }

    fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![tag << 3 | 2];
        prost::encoding::encode_varint(bytes.len() as u64, &mut field);
        field.extend(bytes);
        field
    }

    fn decode(pod: &[u8]) -> Result<ReadPod, Malformed> {
        ReadPod::decode(pod, &mut b"of another pod".to_vec())
    }

    #[test]
    fn a_pod_is_what_was_encoded_without_what_is_not_read() {
        let Pod { metadata, spec, status } = pod();
        for padding in [0, 1, 100, 127, 128, 20_000] {
            let with = |encoded: Vec<u8>| [foreign(padding), encoded, foreign(padding)].concat();
            let parts = [
                field(3, &with(status.encode_to_vec())),
                field(1, &with(metadata.encode_to_vec())),
                with(field(2, &spec.encode_to_vec())),
            ];
            let read = decode(&with(parts.concat())).unwrap();
            assert_eq!((read.pod(), read.key(), read.labels()), (pod(), "shop/web-0", metadata.labels.clone()));
            assert!(read.size_bytes() < 1000, "{}", read.size_bytes());
        }
        let read = ReadPod::new(&pod());
        assert_eq!((read.pod(), read.namespace(), read.name()), (pod(), "shop", "web-0"));
        assert_eq!(decode(&[]).unwrap().pod(), Pod::default());
    }

    /// Of every kind of field, with values that take one byte and ten.
    fn varied() -> Pod {
        let json = serde_json::json!({
            "metadata": {
                "name": "web-0", "namespace": "shop", "uid": "5b2e", "resourceVersion": "1", "creationTimestamp": "2026-01-02T03:04:05Z",
                "deletionTimestamp": "1969-12-31T23:59:59Z", "labels": {"app": "web", "": ""}, "annotations": {"note": "é".repeat(200)},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": true}, {}],
            },
            "spec": {
                "volumes": [{"name": "a", "hostPath": {"path": "/var"}}, {"name": "b"}], "priority": i32::MIN, "hostPID": true,
                "runtimeClassName": "", "nodeName": "node-1",
                "containers": [{"name": "app", "resources": {"limits": {"cpu": "1", "memory": "64Mi"}}, "livenessProbe": {}}],
                "initContainers": [{"restartPolicy": "Always", "securityContext": {"privileged": true}}], "ephemeralContainers": [{}],
            },
            "status": {
                "phase": "Running", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}], "startTime": "0001-01-01T00:00:00Z",
                "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "1970-01-01T00:00:00Z", "message": "…"}],
                "containerStatuses": [{
                    "name": "app", "ready": true, "restartCount": i32::MAX, "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}},
                    "lastState": {"terminated": {"exitCode": -1, "signal": 9, "reason": "OOMKilled", "finishedAt": "2026-01-02T03:04:05Z"}},
                }],
                "initContainerStatuses": [{"state": {"waiting": {"reason": "PodInitializing"}}}], "ephemeralContainerStatuses": [{}],
            },
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_pod_is_what_the_librarys_decoder_reads() {
        let encoded = varied().encode_to_vec();
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let mut accepted = 0;
        for changes in (0..20_000).map(|round| round % 4) {
            let mut pod = encoded.clone();
            for _ in 0..changes {
                let at = random() % pod.len();
                pod[at] = random().to_le_bytes()[0];
            }
            let Ok(read) = decode(&pod) else { continue };
            accepted += 1;
            let expected = Pod::decode(pod.as_slice()).unwrap();
            assert_eq!((read.labels(), read.pod()), (expected.metadata.labels.clone(), expected));
        }
        assert_eq!(decode(&encoded).unwrap().pod(), varied());
        assert!(accepted > 6_000, "{accepted}");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let name = |name: &str| field(1, &field(1, name.as_bytes()));
        assert_eq!(decode(&name("a")).unwrap().name(), "a");
        for twice in [[name("a"), name("b")].concat(), field(1, &[field(1, b"a"), field(1, b"b")].concat())] {
            decode(&twice).unwrap_err();
        }
    }

    #[test]
    fn what_is_no_pod_is_refused() {
        for malformed in [
            &[0x0a][..],
            // One byte too few, not UTF-8, a group, a number for a text, tag 0, a varint without end.
            &[0x0a, 0x02, 0x0a],
            &field(1, &field(1, b"\xff")),
            &[0x1b, 0x1c],
            &field(1, &[0x08, 0x01]),
            &field(2, &[0x00, 0x01]),
            &[0xff; 20],
        ] {
            decode(malformed).unwrap_err();
        }
    }

    #[test]
    fn a_pod_of_empty_messages_does_not_become_large() {
        let statuses = |count: usize| field(3, &[0x42, 0x00].repeat(count));
        assert_eq!(decode(&statuses(MAX_PARTS)).unwrap().status().container_statuses.len(), MAX_PARTS);
        decode(&statuses(MAX_PARTS + 1)).unwrap_err();

        let json = |count: usize| {
            let statuses = vec!["{}"; count].join(",");
            let pod = format!(r#"{{"kind":"Pod","apiVersion":"v1","status":{{"containerStatuses":[{statuses}]}}}}"#);
            super::super::decode_pod(&pod.into(), super::super::Detail::Fields)
        };
        // Each has two states, which are messages, too.
        json(MAX_PARTS / 4).unwrap();
        json(MAX_PARTS).unwrap_err();
    }
}
