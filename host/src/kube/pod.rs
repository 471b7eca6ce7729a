//! The parts of a Pod that podlens reads, with their protobuf tags and JSON names side by side.
//!
//! Tags: `k8s.io/api/core/v1/generated.proto` and `k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto` of Kubernetes 1.37; they
//! never change their meaning. Fields that are not named here are skipped while decoding, not built: environment values,
//! commands, volumes' contents and managed fields never exist in this process' pods.
//! A test on a real API server holds the two encodings equal.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::kept::fields_of;
use super::shape::{Field, Fields, Shape, Shaped};

/// First bytes of every object in Kubernetes' protobuf encoding (apimachinery `serializer/protobuf`).
pub(crate) const PROTOBUF_MAGIC: &[u8; 4] = b"k8s\0";

/// `runtime.Unknown`: what follows the magic, and holds the object's type and bytes.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Envelope {
    #[prost(message, required, tag = "1")]
    pub(crate) type_meta: TypeMeta,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) raw: bytes::Bytes,
    #[prost(string, tag = "3")]
    pub(crate) content_encoding: String,
    #[prost(string, tag = "4")]
    pub(crate) content_type: String,
}

#[derive(Clone, PartialEq, prost::Message, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TypeMeta {
    #[prost(string, tag = "1")]
    pub(crate) api_version: String,
    #[prost(string, tag = "2")]
    pub(crate) kind: String,
}

/// A PodList whose items are still bytes.
#[cfg(test)]
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PodListWire {
    #[prost(message, required, tag = "1")]
    pub(crate) metadata: ListMeta,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(crate) items: Vec<bytes::Bytes>,
}

#[derive(Clone, PartialEq, prost::Message, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListMeta {
    #[prost(string, tag = "2")]
    pub(crate) resource_version: String,
    #[prost(string, tag = "3")]
    #[serde(rename = "continue", skip_serializing_if = "String::is_empty")]
    pub(crate) continue_token: String,
    #[prost(int64, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remaining_item_count: Option<i64>,
}

/// Declares messages that are read from protobuf and from JSON alike. `null` and a missing field are the default, as in Go.
macro_rules! messages {
    ($($(#[$meta:meta])* struct $name:ident {
        $($(#[doc = $doc:literal])* #[prost($($prost:tt)*)] $(#[serde($($serde:tt)*)])? $field:ident: $type:ty,)*
    })*) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, prost::Message, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $(
                $(#[doc = $doc])*
                #[prost($($prost)*)]
                $(#[serde($($serde)*)])?
                #[serde(deserialize_with = "null_is_default", skip_serializing_if = "is_default")]
                pub $field: $type,
            )*
        }

        impl Shaped for $name {
            const SHAPE: Shape = Shape::Message(const { &Fields::new(&[$(Field::new::<$type>(tag!($($prost)*)),)*]) });
        }

        fields_of!($name { $(Field::new::<$type>(tag!($($prost)*)).tag() => $field,)* });
    )*};
}

/// The text of `tag = "…"` among the attributes of a field.
macro_rules! tag {
    (tag = $tag:literal) => { $tag };
    ($first:tt $($rest:tt)*) => { tag!($($rest)*) };
}

fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

messages! {
    /// A Pod: what podlens reads of it.
    struct Pod {
        /// Identity, labels, owners, times.
        #[prost(message, required, tag = "1")]
        metadata: ObjectMeta,
        /// What was asked for.
        #[prost(message, required, tag = "2")]
        spec: PodSpec,
        /// What is.
        #[prost(message, required, tag = "3")]
        status: PodStatus,
    }

    /// An object's metadata.
    struct ObjectMeta {
        /// Unique within the namespace.
        #[prost(string, tag = "1")]
        name: String,
        /// The namespace.
        #[prost(string, tag = "3")]
        namespace: String,
        /// Unique in time.
        #[prost(string, tag = "5")]
        uid: String,
        /// The version that the server gave this state of the object.
        #[prost(string, tag = "6")]
        resource_version: String,
        /// When it was created.
        #[prost(message, optional, tag = "8")]
        creation_timestamp: Option<Time>,
        /// When its graceful deletion ends.
        #[prost(message, optional, tag = "9")]
        deletion_timestamp: Option<Time>,
        /// Labels by key.
        #[prost(btree_map = "string, string", tag = "11")]
        labels: BTreeMap<String, String>,
        /// Annotations by key.
        #[prost(btree_map = "string, string", tag = "12")]
        annotations: BTreeMap<String, String>,
        /// The objects that own this one.
        #[prost(message, repeated, tag = "13")]
        owner_references: Vec<OwnerReference>,
    }

    /// An owner.
    struct OwnerReference {
        /// Kind of the owner.
        #[prost(string, tag = "1")]
        kind: String,
        /// Name of the owner.
        #[prost(string, tag = "3")]
        name: String,
        /// Uid of the owner.
        #[prost(string, tag = "4")]
        uid: String,
        /// Group and version of the owner.
        #[prost(string, tag = "5")]
        api_version: String,
        /// Whether it manages this object.
        #[prost(bool, tag = "6")]
        controller: bool,
    }

    /// What was asked for.
    struct PodSpec {
        /// Volumes; only `hostPath` is read.
        #[prost(message, repeated, tag = "1")]
        volumes: Vec<Volume>,
        /// Containers.
        #[prost(message, repeated, tag = "2")]
        containers: Vec<Container>,
        /// `Always`, `OnFailure`, `Never`.
        #[prost(string, tag = "3")]
        restart_policy: String,
        /// Service account.
        #[prost(string, tag = "8")]
        service_account_name: String,
        /// Node; empty while unscheduled.
        #[prost(string, tag = "10")]
        node_name: String,
        /// Shares the node's network.
        #[prost(bool, tag = "11")]
        host_network: bool,
        /// Sees the node's processes.
        #[prost(bool, tag = "12")]
        #[serde(rename = "hostPID")]
        host_pid: bool,
        /// Shares the node's inter-process communication.
        #[prost(bool, tag = "13")]
        #[serde(rename = "hostIPC")]
        host_ipc: bool,
        /// Scheduler.
        #[prost(string, tag = "19")]
        scheduler_name: String,
        /// Init containers.
        #[prost(message, repeated, tag = "20")]
        init_containers: Vec<Container>,
        /// PriorityClass.
        #[prost(string, tag = "24")]
        priority_class_name: String,
        /// Priority.
        #[prost(int32, optional, tag = "25")]
        priority: Option<i32>,
        /// RuntimeClass.
        #[prost(string, optional, tag = "29")]
        runtime_class_name: Option<String>,
        /// Ephemeral containers.
        #[prost(message, repeated, tag = "34")]
        ephemeral_containers: Vec<EphemeralContainer>,
    }

    /// A volume.
    struct Volume {
        /// Name within the pod.
        #[prost(string, tag = "1")]
        name: String,
        /// What is mounted.
        #[prost(message, required, tag = "2")]
        #[serde(flatten)]
        source: VolumeSource,
    }

    /// What a volume mounts; only `hostPath` is read.
    struct VolumeSource {
        /// A path of the node.
        #[prost(message, optional, tag = "1")]
        host_path: Option<HostPath>,
    }

    /// A path of the node.
    struct HostPath {
        /// The path.
        #[prost(string, tag = "1")]
        path: String,
    }

    /// A container, as asked for.
    struct Container {
        /// Name within the pod.
        #[prost(string, tag = "1")]
        name: String,
        /// Image as written.
        #[prost(string, tag = "2")]
        image: String,
        /// Requests and limits.
        #[prost(message, required, tag = "8")]
        resources: ResourceRequirements,
        /// Liveness probe, if any.
        #[prost(message, optional, tag = "10")]
        liveness_probe: Option<Probe>,
        /// Readiness probe, if any.
        #[prost(message, optional, tag = "11")]
        readiness_probe: Option<Probe>,
        /// Startup probe, if any.
        #[prost(message, optional, tag = "22")]
        startup_probe: Option<Probe>,
        /// Rights.
        #[prost(message, required, tag = "15")]
        security_context: SecurityContext,
        /// `Always` makes an init container a sidecar.
        #[prost(string, optional, tag = "24")]
        restart_policy: Option<String>,
    }

    /// A container that was added for debugging.
    struct EphemeralContainer {
        /// Its container fields.
        #[prost(message, required, tag = "1")]
        #[serde(flatten)]
        common: Container,
    }

    /// Requests and limits by resource.
    struct ResourceRequirements {
        /// Limits.
        #[prost(btree_map = "string, message", tag = "1")]
        limits: BTreeMap<String, Quantity>,
        /// Requests.
        #[prost(btree_map = "string, message", tag = "2")]
        requests: BTreeMap<String, Quantity>,
    }

    /// That a probe is there; nothing of it is read.
    struct Probe {
    }

    /// A container's rights.
    struct SecurityContext {
        /// All the rights of the node's root.
        #[prost(bool, tag = "2")]
        privileged: bool,
    }

    /// What is.
    struct PodStatus {
        /// Phase.
        #[prost(string, tag = "1")]
        phase: String,
        /// Conditions.
        #[prost(message, repeated, tag = "2")]
        conditions: Vec<PodCondition>,
        /// Sentence for people.
        #[prost(string, tag = "3")]
        message: String,
        /// Word for why.
        #[prost(string, tag = "4")]
        reason: String,
        /// Address of the node.
        #[prost(string, tag = "5")]
        #[serde(rename = "hostIP")]
        host_ip: String,
        /// First address of the pod.
        #[prost(string, tag = "6")]
        #[serde(rename = "podIP")]
        pod_ip: String,
        /// When a node took notice.
        #[prost(message, optional, tag = "7")]
        start_time: Option<Time>,
        /// Containers.
        #[prost(message, repeated, tag = "8")]
        container_statuses: Vec<ContainerStatus>,
        /// Quality of service class.
        #[prost(string, tag = "9")]
        qos_class: String,
        /// Init containers.
        #[prost(message, repeated, tag = "10")]
        init_container_statuses: Vec<ContainerStatus>,
        /// Node being preempted for this pod.
        #[prost(string, tag = "11")]
        nominated_node_name: String,
        /// All addresses of the pod.
        #[prost(message, repeated, tag = "12")]
        #[serde(rename = "podIPs")]
        pod_ips: Vec<PodIp>,
        /// Ephemeral containers.
        #[prost(message, repeated, tag = "13")]
        ephemeral_container_statuses: Vec<ContainerStatus>,
    }

    /// An address.
    struct PodIp {
        /// The address.
        #[prost(string, tag = "1")]
        ip: String,
    }

    /// A condition.
    struct PodCondition {
        /// Such as `Ready`.
        #[prost(string, tag = "1")]
        #[serde(rename = "type")]
        kind: String,
        /// `True`, `False`, `Unknown`.
        #[prost(string, tag = "2")]
        status: String,
        /// When it changed.
        #[prost(message, optional, tag = "4")]
        last_transition_time: Option<Time>,
        /// Word for why.
        #[prost(string, tag = "5")]
        reason: String,
        /// Sentence for people.
        #[prost(string, tag = "6")]
        message: String,
    }

    /// A container's state.
    struct ContainerStatus {
        /// Name.
        #[prost(string, tag = "1")]
        name: String,
        /// Now.
        #[prost(message, required, tag = "2")]
        state: ContainerState,
        /// The time before.
        #[prost(message, required, tag = "3")]
        last_state: ContainerState,
        /// Passes its readiness probe.
        #[prost(bool, tag = "4")]
        ready: bool,
        /// Restarts.
        #[prost(int32, tag = "5")]
        restart_count: i32,
        /// Image as the node names it.
        #[prost(string, tag = "6")]
        image: String,
        /// Digest or id of the image.
        #[prost(string, tag = "7")]
        #[serde(rename = "imageID")]
        image_id: String,
    }

    /// At most one of three; none is waiting, by the API's rule.
    struct ContainerState {
        /// Waiting.
        #[prost(message, optional, tag = "1")]
        waiting: Option<ContainerStateWaiting>,
        /// Running.
        #[prost(message, optional, tag = "2")]
        running: Option<ContainerStateRunning>,
        /// Ended.
        #[prost(message, optional, tag = "3")]
        terminated: Option<ContainerStateTerminated>,
    }

    /// Why it waits.
    struct ContainerStateWaiting {
        /// Word.
        #[prost(string, tag = "1")]
        reason: String,
        /// Sentence.
        #[prost(string, tag = "2")]
        message: String,
    }

    /// Since when it runs.
    struct ContainerStateRunning {
        /// Start.
        #[prost(message, optional, tag = "1")]
        started_at: Option<Time>,
    }

    /// How it ended.
    struct ContainerStateTerminated {
        /// Exit status.
        #[prost(int32, tag = "1")]
        exit_code: i32,
        /// Signal; 0 for none.
        #[prost(int32, tag = "2")]
        signal: i32,
        /// Word.
        #[prost(string, tag = "3")]
        reason: String,
        /// Sentence.
        #[prost(string, tag = "4")]
        message: String,
        /// Start.
        #[prost(message, optional, tag = "5")]
        started_at: Option<Time>,
        /// End.
        #[prost(message, optional, tag = "6")]
        finished_at: Option<Time>,
    }
}

/// `metav1.Time`: RFC 3339 in JSON, seconds in protobuf.
///
/// The default is Go's zero time, the beginning of the year 1: it means that there is none. In JSON that is `null`, in protobuf a message
/// without any field, whereas 1970 is one with a field of 0 (apimachinery `pkg/apis/meta/v1/time_proto.go`).
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    #[prost(int64, required, default = "-62135596800", tag = "1")]
    pub seconds: i64,
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let timestamp: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self { seconds: timestamp.as_second() })
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let timestamp = jiff::Timestamp::from_second(self.seconds).map_err(serde::ser::Error::custom)?;
        serializer.collect_str(&timestamp)
    }
}

impl Shaped for Time {
    const SHAPE: Shape = Shape::Message(const { &Fields::new(&[Field::new::<i64>("1")]) });
}

fields_of!(Time { 1 => seconds, });

/// `resource.Quantity`, kept as the server wrote it, such as `250m` or `64Mi`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Quantity {
    /// The text.
    #[prost(string, tag = "1")]
    pub text: String,
}

impl Shaped for Quantity {
    const SHAPE: Shape = Shape::Message(const { &Fields::new(&[Field::new::<String>("1")]) });
}

fields_of!(Quantity { 1 => text, });

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    /// The API server writes text; files by hand also have plain numbers.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Quantity, E> {
                Ok(Quantity { text: text.to_owned() })
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity { text: number.to_string() })
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity { text: number.to_string() })
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Quantity, E> {
                Ok(Quantity { text: number.to_string() })
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::Time;

    #[test]
    fn no_time_and_1970_are_two_times() {
        let decode = |bytes: &[u8]| Time::decode(bytes).unwrap();
        assert_eq!(decode(&[]), Time::default());
        assert_eq!(decode(&[0x08, 0, 0x10, 0]), Time { seconds: 0 });
        assert_eq!(decode(&Time { seconds: 0 }.encode_to_vec()), Time { seconds: 0 });
        assert_eq!(serde_json::to_string(&Time::default()).unwrap(), "\"0001-01-01T00:00:00Z\"");
    }
}
