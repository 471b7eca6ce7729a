//! Writes a pod's JSON as the API server writes the pod in protobuf, byte for byte.
//!
//! Only the fields of [`realistic_pod`](podlens_tests::cluster::realistic_pod)s and those that an API server adds to them are here. Tags
//! and types: k8s.io/api v0.37.2 `core/v1/generated.proto`, k8s.io/apimachinery v0.37.2 `pkg/apis/meta/v1/generated.proto`. The server's
//! encoder writes what is no pointer in Go even where it is empty, and maps by their sorted keys.

use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Map, Value};

/// One field: its JSON name, its tag, how it is written, and whether it is so where it is missing.
struct Field(&'static str, u32, Kind, Presence);

enum Kind {
    Text,
    /// A number that is not negative, or a boolean.
    Number,
    /// Of text to text.
    Map,
    /// Of text to `Quantity`.
    Quantities,
    Quantity,
    Time,
    /// A number or a name.
    IntOrString,
    /// JSON as it is.
    Raw,
    Message(&'static [Field]),
    /// A message in protobuf, whose fields JSON has in the message around it.
    Inline(&'static [Field]),
}

#[derive(Clone, Copy, PartialEq)]
enum Presence {
    Always,
    /// A pointer, a list or a map in Go.
    Where,
}

use Kind::{Inline, IntOrString, Map as Texts, Message, Number, Quantities, Quantity, Raw, Text, Time};
use Presence::{Always, Where};

const POD: &[Field] = &[
    Field("metadata", 1, Message(OBJECT_META), Always),
    Field("spec", 2, Message(POD_SPEC), Always),
    Field("status", 3, Message(POD_STATUS), Always),
];

const OBJECT_META: &[Field] = &[
    Field("name", 1, Text, Always),
    Field("generateName", 2, Text, Always),
    Field("namespace", 3, Text, Always),
    Field("selfLink", 4, Text, Always),
    Field("uid", 5, Text, Always),
    Field("resourceVersion", 6, Text, Always),
    Field("generation", 7, Number, Always),
    Field("creationTimestamp", 8, Time, Always),
    Field("labels", 11, Texts, Where),
    Field("annotations", 12, Texts, Where),
    Field("ownerReferences", 13, Message(OWNER_REFERENCE), Where),
    Field("managedFields", 17, Message(MANAGED_FIELDS), Where),
];

const OWNER_REFERENCE: &[Field] = &[
    Field("kind", 1, Text, Always),
    Field("name", 3, Text, Always),
    Field("uid", 4, Text, Always),
    Field("apiVersion", 5, Text, Always),
    Field("controller", 6, Number, Where),
    Field("blockOwnerDeletion", 7, Number, Where),
];

const MANAGED_FIELDS: &[Field] = &[
    Field("manager", 1, Text, Always),
    Field("operation", 2, Text, Always),
    Field("apiVersion", 3, Text, Always),
    Field("time", 4, Time, Where),
    Field("fieldsType", 6, Text, Always),
    Field("fieldsV1", 7, Raw, Where),
    Field("subresource", 8, Text, Always),
];

const POD_SPEC: &[Field] = &[
    Field("volumes", 1, Message(VOLUME), Where),
    Field("containers", 2, Message(CONTAINER), Where),
    Field("restartPolicy", 3, Text, Always),
    Field("terminationGracePeriodSeconds", 4, Number, Where),
    Field("dnsPolicy", 6, Text, Always),
    Field("serviceAccountName", 8, Text, Always),
    Field("serviceAccount", 9, Text, Always),
    Field("nodeName", 10, Text, Always),
    Field("hostNetwork", 11, Number, Always),
    Field("hostPID", 12, Number, Always),
    Field("hostIPC", 13, Number, Always),
    Field("securityContext", 14, Message(POD_SECURITY_CONTEXT), Where),
    Field("hostname", 16, Text, Always),
    Field("subdomain", 17, Text, Always),
    Field("schedulerName", 19, Text, Always),
    Field("tolerations", 22, Message(TOLERATION), Where),
    Field("priorityClassName", 24, Text, Always),
    Field("priority", 25, Number, Where),
    Field("enableServiceLinks", 30, Number, Where),
    Field("preemptionPolicy", 31, Text, Where),
    Field("topologySpreadConstraints", 33, Message(TOPOLOGY_SPREAD_CONSTRAINT), Where),
];

const VOLUME: &[Field] = &[Field("name", 1, Text, Always), Field("", 2, Inline(VOLUME_SOURCE), Always)];

const VOLUME_SOURCE: &[Field] = &[
    Field("emptyDir", 2, Message(EMPTY_DIR), Where),
    Field("secret", 6, Message(SECRET), Where),
    Field("configMap", 19, Message(CONFIG_MAP), Where),
    Field("projected", 26, Message(PROJECTED), Where),
];

const EMPTY_DIR: &[Field] = &[Field("medium", 1, Text, Always), Field("sizeLimit", 2, Quantity, Where)];
const SECRET: &[Field] = &[Field("secretName", 1, Text, Always), Field("defaultMode", 3, Number, Where)];
const CONFIG_MAP: &[Field] = &[
    Field("", 1, Inline(LOCAL_OBJECT_REFERENCE), Always),
    Field("items", 2, Message(KEY_TO_PATH), Where),
    Field("defaultMode", 3, Number, Where),
];
const LOCAL_OBJECT_REFERENCE: &[Field] = &[Field("name", 1, Text, Always)];
const KEY_TO_PATH: &[Field] = &[Field("key", 1, Text, Always), Field("path", 2, Text, Always)];
const PROJECTED: &[Field] = &[Field("sources", 1, Message(VOLUME_PROJECTION), Where), Field("defaultMode", 2, Number, Where)];

const VOLUME_PROJECTION: &[Field] = &[
    Field("downwardAPI", 2, Message(DOWNWARD_API), Where),
    Field("configMap", 3, Message(CONFIG_MAP), Where),
    Field("serviceAccountToken", 4, Message(SERVICE_ACCOUNT_TOKEN), Where),
];

const DOWNWARD_API: &[Field] = &[Field("items", 1, Message(DOWNWARD_API_FILE), Where)];
const DOWNWARD_API_FILE: &[Field] = &[Field("path", 1, Text, Always), Field("fieldRef", 2, Message(FIELD_REF), Where)];
const FIELD_REF: &[Field] = &[Field("apiVersion", 1, Text, Always), Field("fieldPath", 2, Text, Always)];
const SERVICE_ACCOUNT_TOKEN: &[Field] =
    &[Field("audience", 1, Text, Always), Field("expirationSeconds", 2, Number, Where), Field("path", 3, Text, Always)];

const CONTAINER: &[Field] = &[
    Field("name", 1, Text, Always),
    Field("image", 2, Text, Always),
    Field("args", 4, Text, Where),
    Field("workingDir", 5, Text, Always),
    Field("ports", 6, Message(CONTAINER_PORT), Where),
    Field("env", 7, Message(ENV_VAR), Where),
    Field("resources", 8, Message(RESOURCES), Always),
    Field("volumeMounts", 9, Message(VOLUME_MOUNT), Where),
    Field("livenessProbe", 10, Message(PROBE), Where),
    Field("readinessProbe", 11, Message(PROBE), Where),
    Field("terminationMessagePath", 13, Text, Always),
    Field("imagePullPolicy", 14, Text, Always),
    Field("securityContext", 15, Message(SECURITY_CONTEXT), Where),
    Field("stdin", 16, Number, Always),
    Field("stdinOnce", 17, Number, Always),
    Field("tty", 18, Number, Always),
    Field("terminationMessagePolicy", 20, Text, Always),
    Field("startupProbe", 22, Message(PROBE), Where),
];

const CONTAINER_PORT: &[Field] = &[
    Field("name", 1, Text, Always),
    Field("hostPort", 2, Number, Always),
    Field("containerPort", 3, Number, Always),
    Field("protocol", 4, Text, Always),
    Field("hostIP", 5, Text, Always),
];

const ENV_VAR: &[Field] =
    &[Field("name", 1, Text, Always), Field("value", 2, Text, Always), Field("valueFrom", 3, Message(ENV_VAR_SOURCE), Where)];
const ENV_VAR_SOURCE: &[Field] =
    &[Field("fieldRef", 1, Message(FIELD_REF), Where), Field("secretKeyRef", 4, Message(SECRET_KEY), Where)];
const SECRET_KEY: &[Field] = &[Field("", 1, Inline(LOCAL_OBJECT_REFERENCE), Always), Field("key", 2, Text, Always)];

const RESOURCES: &[Field] = &[Field("limits", 1, Quantities, Where), Field("requests", 2, Quantities, Where)];

const VOLUME_MOUNT: &[Field] = &[
    Field("name", 1, Text, Always),
    Field("readOnly", 2, Number, Always),
    Field("mountPath", 3, Text, Always),
    Field("subPath", 4, Text, Always),
    Field("subPathExpr", 6, Text, Always),
];

const PROBE: &[Field] = &[
    Field("", 1, Inline(PROBE_HANDLER), Always),
    Field("initialDelaySeconds", 2, Number, Always),
    Field("timeoutSeconds", 3, Number, Always),
    Field("periodSeconds", 4, Number, Always),
    Field("successThreshold", 5, Number, Always),
    Field("failureThreshold", 6, Number, Always),
];
const PROBE_HANDLER: &[Field] = &[Field("httpGet", 2, Message(HTTP_GET), Where)];
const HTTP_GET: &[Field] = &[
    Field("path", 1, Text, Always),
    Field("port", 2, IntOrString, Always),
    Field("host", 3, Text, Always),
    Field("scheme", 4, Text, Always),
];

const SECURITY_CONTEXT: &[Field] = &[
    Field("capabilities", 1, Message(CAPABILITIES), Where),
    Field("readOnlyRootFilesystem", 6, Number, Where),
    Field("allowPrivilegeEscalation", 7, Number, Where),
];
const CAPABILITIES: &[Field] = &[Field("drop", 2, Text, Where)];

const POD_SECURITY_CONTEXT: &[Field] = &[
    Field("runAsUser", 2, Number, Where),
    Field("runAsNonRoot", 3, Number, Where),
    Field("seccompProfile", 10, Message(SECCOMP_PROFILE), Where),
];
const SECCOMP_PROFILE: &[Field] = &[Field("type", 1, Text, Always)];

const TOLERATION: &[Field] = &[
    Field("key", 1, Text, Always),
    Field("operator", 2, Text, Always),
    Field("value", 3, Text, Always),
    Field("effect", 4, Text, Always),
    Field("tolerationSeconds", 5, Number, Where),
];

const TOPOLOGY_SPREAD_CONSTRAINT: &[Field] = &[
    Field("maxSkew", 1, Number, Always),
    Field("topologyKey", 2, Text, Always),
    Field("whenUnsatisfiable", 3, Text, Always),
    Field("labelSelector", 4, Message(LABEL_SELECTOR), Where),
];
const LABEL_SELECTOR: &[Field] = &[Field("matchLabels", 1, Texts, Where)];

const POD_STATUS: &[Field] = &[
    Field("phase", 1, Text, Always),
    Field("conditions", 2, Message(CONDITION), Where),
    Field("message", 3, Text, Always),
    Field("reason", 4, Text, Always),
    Field("hostIP", 5, Text, Always),
    Field("podIP", 6, Text, Always),
    Field("startTime", 7, Time, Where),
    Field("containerStatuses", 8, Message(CONTAINER_STATUS), Where),
    Field("qosClass", 9, Text, Always),
    Field("nominatedNodeName", 11, Text, Always),
    Field("podIPs", 12, Message(IP), Where),
    Field("resize", 14, Text, Always),
    Field("hostIPs", 16, Message(IP), Where),
    Field("observedGeneration", 17, Number, Always),
];
const IP: &[Field] = &[Field("ip", 1, Text, Always)];

const CONDITION: &[Field] = &[
    Field("type", 1, Text, Always),
    Field("status", 2, Text, Always),
    Field("lastProbeTime", 3, Time, Always),
    Field("lastTransitionTime", 4, Time, Always),
    Field("reason", 5, Text, Always),
    Field("message", 6, Text, Always),
    Field("observedGeneration", 7, Number, Always),
];

const CONTAINER_STATUS: &[Field] = &[
    Field("name", 1, Text, Always),
    Field("state", 2, Message(CONTAINER_STATE), Always),
    Field("lastState", 3, Message(CONTAINER_STATE), Always),
    Field("ready", 4, Number, Always),
    Field("restartCount", 5, Number, Always),
    Field("image", 6, Text, Always),
    Field("imageID", 7, Text, Always),
    Field("containerID", 8, Text, Always),
    Field("started", 9, Number, Where),
];
const CONTAINER_STATE: &[Field] = &[
    Field("waiting", 1, Message(WAITING), Where),
    Field("running", 2, Message(RUNNING), Where),
    Field("terminated", 3, Message(TERMINATED), Where),
];
const WAITING: &[Field] = &[Field("reason", 1, Text, Always), Field("message", 2, Text, Always)];
const RUNNING: &[Field] = &[Field("startedAt", 1, Time, Always)];
const TERMINATED: &[Field] = &[
    Field("exitCode", 1, Number, Always),
    Field("signal", 2, Number, Always),
    Field("reason", 3, Text, Always),
    Field("message", 4, Text, Always),
    Field("startedAt", 5, Time, Always),
    Field("finishedAt", 6, Time, Always),
    Field("containerID", 7, Text, Always),
];

/// A pod in protobuf, as an item of a list: its JSON has no `kind` and no `apiVersion`.
///
/// # Panics
///
/// Where the pod has a field that is not here, or one of another type.
pub(crate) fn pod(pod: &Value) -> Vec<u8> {
    message(POD, object(pod))
}

fn message(fields: &[Field], values: &Map<String, Value>) -> Vec<u8> {
    let unknown = values.keys().find(|name| !knows(fields, name));
    assert!(unknown.is_none(), "how is `{}` encoded?", unknown.map_or("", |name| name));
    written(fields, values)
}

/// Whether there is such a field, or one inside what is inline.
fn knows(fields: &[Field], name: &str) -> bool {
    fields.iter().any(|Field(field, _, kind, _)| match kind {
        Inline(fields) => knows(fields, name),
        _ => *field == name,
    })
}

fn written(fields: &[Field], values: &Map<String, Value>) -> Vec<u8> {
    let mut out = Vec::new();
    for Field(name, tag, kind, presence) in fields {
        match (kind, values.get(*name).unwrap_or(&Value::Null)) {
            (Inline(fields), _) => bytes(*tag, &written(fields, values), &mut out),
            (_, Value::Null) if *presence == Where => {}
            (_, Value::Array(items)) => items.iter().for_each(|item| field(*tag, kind, item, &mut out)),
            (_, value) => field(*tag, kind, value, &mut out),
        }
    }
    out
}

fn field(tag: u32, kind: &Kind, value: &Value, out: &mut Vec<u8>) {
    match kind {
        Text => bytes(tag, text(value).as_bytes(), out),
        Number => number(tag, value.as_bool().map_or_else(|| value.as_u64().unwrap_or_default(), u64::from), out),
        Texts => {
            for (key, value) in object(value) {
                entry(tag, key, text(value).as_bytes(), out);
            }
        }
        Quantities => {
            for (key, value) in object(value) {
                entry(tag, key, &quantity(value), out);
            }
        }
        Quantity => bytes(tag, &quantity(value), out),
        Time => bytes(tag, &time(value), out),
        IntOrString => bytes(tag, &int_or_string(value), out),
        Raw => {
            let mut raw = Vec::new();
            bytes(1, value.to_string().as_bytes(), &mut raw);
            bytes(tag, &raw, out);
        }
        Message(fields) if value.is_null() => bytes(tag, &message(fields, &Map::new()), out),
        Message(fields) => bytes(tag, &message(fields, object(value)), out),
        Inline(_) => unreachable!("it has no value of its own"),
    }
}

fn number(tag: u32, number: u64, out: &mut Vec<u8>) {
    encode_key(tag, WireType::Varint, out);
    encode_varint(number, out);
}

fn bytes(tag: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend(bytes);
}

fn entry(tag: u32, key: &str, value: &[u8], out: &mut Vec<u8>) {
    let mut entry = Vec::new();
    bytes(1, key.as_bytes(), &mut entry);
    bytes(2, value, &mut entry);
    bytes(tag, &entry, out);
}

fn quantity(value: &Value) -> Vec<u8> {
    let mut quantity = Vec::new();
    bytes(1, text(value).as_bytes(), &mut quantity);
    quantity
}

/// Seconds and nanoseconds; nothing where there is no time.
fn time(value: &Value) -> Vec<u8> {
    let mut time = Vec::new();
    if !value.is_null() {
        let moment: jiff::Timestamp = text(value).parse().expect("a pod has such times");
        number(1, moment.as_second().unsigned_abs(), &mut time);
        number(2, 0, &mut time);
    }
    time
}

fn int_or_string(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    number(1, value.is_string().into(), &mut out);
    number(2, value.as_u64().unwrap_or_default(), &mut out);
    bytes(3, text(value).as_bytes(), &mut out);
    out
}

/// Empty where it is no text.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("`{value}` is no object"))
}
