//! A page of pods as an API server sends it: [`realistic_pod`]s, with what kube-apiserver adds to a pod that is created and whose status is
//! written. That is defaults, the volume of the service account, and managed fields, which are more than half of it and of which podlens
//! reads nothing.
//!
//! It was held against the page that kube-apiserver 1.37.2 sends of the same 500 pods: they differ in uids, times, versions and the names
//! of namespace and volume alone.

use bytes::Bytes;
use podlens_tests::cluster::realistic_pod;
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Map, Value, json};

use crate::protobuf;

/// Pods of a page: as many as podlens asks for.
pub const PODS: usize = 500;

/// The namespace of the pods.
const NAMESPACE: &str = "shop";

/// When the pods were created and their status was written.
const CREATED: &str = "2026-11-02T09:59:58Z";

/// The body of an answer with [`PODS`] pods, in protobuf.
pub fn encoded() -> Bytes {
    of(PODS)
}

/// The body of an answer with so many pods, in protobuf.
pub fn of(pods: usize) -> Bytes {
    let mut list = Vec::new();
    // The list's metadata: no link, its resource version, and no token, for it is the last page.
    let mut metadata = Vec::new();
    delimited(1, b"", &mut metadata);
    delimited(2, b"48231", &mut metadata);
    delimited(3, b"", &mut metadata);
    delimited(1, &metadata, &mut list);
    for index in 0..pods {
        delimited(2, &protobuf::pod(&stored(index)), &mut list);
    }
    let mut type_meta = Vec::new();
    delimited(1, b"v1", &mut type_meta);
    delimited(2, b"PodList", &mut type_meta);
    // `runtime.Unknown`, behind the four bytes of Kubernetes' protobuf.
    let mut body = b"k8s\0".to_vec();
    delimited(1, &type_meta, &mut body);
    delimited(2, &list, &mut body);
    delimited(3, b"", &mut body);
    delimited(4, b"", &mut body);
    body.into()
}

fn delimited(tag: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend(bytes);
}

/// [`realistic_pod`] as the API server has it.
pub fn stored(index: usize) -> Value {
    let mut pod = realistic_pod(index);
    pod.as_object_mut().expect("it is one").retain(|name, _| !matches!(name.as_str(), "apiVersion" | "kind"));
    set_defaults(&mut pod["spec"]);
    for condition in items(&mut pod["status"]["conditions"]) {
        condition["lastProbeTime"] = Value::Null;
    }
    // Before admission, for what that adds is nobody's.
    let managed = [managed_fields(&pod, &["metadata", "spec"], ""), managed_fields(&pod, &["status"], "status")];
    admit(&mut pod["spec"]);
    let added = json!({
        "namespace": NAMESPACE,
        "uid": format!("6a1b8f7e-3f0c-4f6e-9c55-{index:012x}"),
        "resourceVersion": (10_000 + index).to_string(),
        "generation": 1,
        "creationTimestamp": CREATED,
        "managedFields": managed,
    });
    merge(&mut pod["metadata"], added);
    pod
}

/// `SetDefaults_PodSpec` and its neighbours (k8s.io/kubernetes `pkg/apis/core/v1/defaults.go`).
fn set_defaults(spec: &mut Value) {
    let added = json!({
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "serviceAccount": "default",
        "schedulerName": "default-scheduler",
        "enableServiceLinks": true,
    });
    merge(spec, added);
    for source in items(&mut spec["volumes"]).iter_mut().flat_map(|volume| volume.as_object_mut().expect("it is one").values_mut())
    {
        if source.get("name").is_some() || source.get("secretName").is_some() {
            source["defaultMode"] = MODE.into();
        }
    }
    for container in items(&mut spec["containers"]) {
        let added = json!({
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "IfNotPresent",
        });
        merge(container, added);
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            merge(&mut container[probe], json!({ "successThreshold": 1, "failureThreshold": 3 }));
        }
        for variable in items(&mut container["env"]) {
            if let Some(reference) = variable.pointer_mut("/valueFrom/fieldRef") {
                reference["apiVersion"] = "v1".into();
            }
        }
    }
}

/// All may read what is in a mount.
const MODE: u32 = 0o644;

/// The admission plugins ServiceAccount, DefaultTolerationSeconds and Priority.
fn admit(spec: &mut Value) {
    const VOLUME: &str = "kube-api-access-x7k2p";
    let sources = json!([
        { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
        { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
        { "downwardAPI": { "items": [
            { "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } },
        ] } },
    ]);
    items(&mut spec["volumes"]).push(json!({ "name": VOLUME, "projected": { "defaultMode": MODE, "sources": sources } }));
    for container in items(&mut spec["containers"]) {
        let path = "/var/run/secrets/kubernetes.io/serviceaccount";
        items(&mut container["volumeMounts"]).push(json!({ "name": VOLUME, "readOnly": true, "mountPath": path }));
    }
    let toleration = |key: &str| json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 });
    let added = json!({
        "tolerations": [toleration("node.kubernetes.io/not-ready"), toleration("node.kubernetes.io/unreachable")],
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
    });
    merge(spec, added);
}

fn merge(object: &mut Value, added: Value) {
    if let (Value::Object(object), Value::Object(added)) = (object, added) {
        object.extend(added);
    }
}

fn items(list: &mut Value) -> &mut Vec<Value> {
    list.as_array_mut().expect("a realistic pod has it")
}

/// Who wrote these parts of the pod, and which fields of theirs.
fn managed_fields(pod: &Value, parts: &[&str], subresource: &str) -> Value {
    let fields: Map<_, _> = parts.iter().map(|part| (format!("f:{part}"), field_set(&pod[part]))).collect();
    let mut entry = json!({
        "manager": "unknown",
        "operation": "Update",
        "apiVersion": "v1",
        "time": CREATED,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    });
    if !subresource.is_empty() {
        entry["subresource"] = subresource.into();
    }
    entry
}

/// What the API says is one value as a whole (`x-kubernetes-map-type` and `x-kubernetes-list-type` atomic).
const ATOMIC: &[&str] = &["args", "containerStatuses", "drop", "fieldRef", "hostIPs", "labelSelector", "secretKeyRef"];

/// What a list's items are told apart by, the longest keys first (`x-kubernetes-list-map-keys`).
const KEYS: &[&[&str]] = &[
    &["containerPort", "protocol"],
    &["topologyKey", "whenUnsatisfiable"],
    &["mountPath"],
    &["uid"],
    &["type"],
    &["name"],
    &["ip"],
];

/// The names of all fields in `part`, as `FieldsV1` has them (structured-merge-diff): `f:` and a field's name, `k:` and the keys of a
/// list's item, `.` for what has fields, beside them.
fn field_set(part: &Value) -> Value {
    let is_metadata = part.get("labels").is_some();
    // A pod's name says which it is, and its class is computed.
    let owned = |name: &str| !(is_metadata && name == "name" || name == "qosClass");
    let fields = part.as_object().into_iter().flatten().filter(|(name, _)| owned(name));
    Value::Object(fields.map(|(name, value)| (format!("f:{name}"), field(name, value))).collect())
}

fn field(name: &str, value: &Value) -> Value {
    match value {
        _ if ATOMIC.contains(&name) => json!({}),
        // One of each must be there, so that nobody owns the list.
        Value::Array(items) if name == "containers" => list_set(items),
        // An owner is one value as a whole.
        Value::Array(items) if name == "ownerReferences" => {
            with_itself(items.iter().map(|item| (format!("k:{}", keys(item)), json!({}))).collect())
        }
        Value::Array(items) => with_itself(list_set(items)),
        value => with_itself(field_set(value)),
    }
}

fn list_set(items: &[Value]) -> Value {
    items.iter().map(|item| (format!("k:{}", keys(item)), with_itself(field_set(item)))).collect()
}

fn keys(item: &Value) -> Value {
    let of = |keys: &&[&str]| keys.iter().map(|key| Some(((*key).to_owned(), item.get(key)?.clone()))).collect();
    Value::Object(KEYS.iter().find_map(of).expect("a list that is not atomic has keys"))
}

fn with_itself(mut set: Value) -> Value {
    if set.as_object().is_some_and(|fields| !fields.is_empty()) {
        set["."] = json!({});
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_the_pods_that_are_in_it() {
        let pods = podlens::bench::decode_page(&of(20)).expect("it is a page");
        let written: Vec<podlens::Pod> = (0..20).map(|index| serde_json::from_value(stored(index)).expect("it is a pod")).collect();
        assert_eq!(pods.iter().map(podlens::ReadPod::pod).collect::<Vec<_>>(), written);
    }

    #[test]
    fn a_pod_is_as_long_as_those_of_a_real_page() {
        let bytes = encoded().len() / PODS;
        assert!((9_700..9_900).contains(&bytes), "{bytes}");
    }
}
