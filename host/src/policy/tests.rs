//! What is withheld is nowhere to be seen, and nothing can be told from what is seen.

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::*;
use crate::kube::{Detail, FieldSelector, LabelSelector, Namespace, Pod, PodName, ReadPod};

/// An accessor by name, with what it gives as text.
type Seen = (&'static str, String);

/// A pod with texts of its own, which begin with `mark`, in all places that a redaction is about.
fn pod(mark: &str) -> ReadPod {
    let text = |what: &str| format!("{mark}-{what}");
    let container = |name: &str| {
        let env = json!([{"name": "A", "value": text("env")}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}]);
        json!({"name": name, "image": text("image"), "env": env})
    };
    let status = |name: &str| {
        let state = json!({"waiting": {"reason": "W", "message": text("message")}});
        let last = json!({"terminated": {"exitCode": 1, "reason": "T", "message": text("message")}});
        json!({"name": name, "image": text("image"), "imageID": text("image"), "state": state, "lastState": last})
    };
    let object = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web", "namespace": "shop",
            "labels": {text("label"): text("label"), "team": "checkout"},
            "annotations": {text("annotation"): text("annotation"), redaction::LAST_APPLIED: text("env")},
            "managedFields": [{"fieldsV1": {
                "f:metadata": {
                    "f:labels": {format!("f:{}", text("label")): {}},
                    "f:annotations": {format!("f:{}", text("annotation")): {}},
                },
                "f:status": {"f:podIPs": {format!("k:{{\"ip\":\"{}\"}}", text("ip")): {}}},
            }}],
        },
        "spec": {
            "nodeName": text("node"),
            "nodeSelector": {"kubernetes.io/hostname": text("node")},
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [text("node")]}]},
                ]}},
                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "zone", "labelSelector": {"matchLabels": {text("label"): text("label")}}},
                ]},
            },
            "volumes": [{"name": "v", "image": {"reference": text("image")}}],
            "hostAliases": [{"ip": text("ip"), "hostnames": ["h"]}],
            "initContainers": [container("init")],
            "containers": [container("app")],
            "ephemeralContainers": [container("debug")],
        },
        "status": {
            "phase": "Running", "message": text("message"), "nominatedNodeName": text("node"),
            "hostIP": text("ip"), "hostIPs": [{"ip": text("ip")}], "podIP": text("ip"), "podIPs": [{"ip": text("ip")}],
            "conditions": [{"type": "Ready", "status": "False", "message": text("message")}],
            "initContainerStatuses": [status("init")],
            "containerStatuses": [status("app")],
            "ephemeralContainerStatuses": [status("debug")],
        },
    });
    ReadPod::new(&Pod::deserialize(&object).unwrap()).with_object(object.to_string())
}

fn everything() -> Grant {
    Grant::all_namespaces().whole_objects()
}

fn get() -> Ask {
    let (namespace, name) = (Namespace::parse("shop").unwrap(), PodName::parse("web").unwrap());
    Ask::Get { namespace, name, detail: Detail::Object }
}

fn list(labels: &str, fields: &str) -> Ask {
    let (labels, fields) = (LabelSelector::parse(labels).unwrap(), FieldSelector::parse(fields).unwrap());
    Ask::List { namespace: None, labels, fields, detail: Detail::Object }
}

/// What a query with this grant can get of a pod.
fn seen(grant: &Grant, pod: ReadPod) -> Vec<Seen> {
    let pod = authorize(grant, get()).unwrap().admit(pod).unwrap();
    vec![
        ("name", pod.name().to_owned()),
        ("namespace", pod.namespace().to_owned()),
        ("key", pod.key().to_owned()),
        ("metadata", serde_json::to_string(&pod.metadata()).unwrap()),
        ("spec", serde_json::to_string(&pod.spec()).unwrap()),
        ("status", serde_json::to_string(&pod.status()).unwrap()),
        ("health", format!("{:?}", pod.health())),
        ("object", pod.object().unwrap().into_owned()),
        ("size", pod.size_bytes().to_string()),
        ("debug", format!("{pod:?}")),
    ]
}

/// Of each redaction the text that is its own, and the accessors that show it where it is not withheld.
const SHOWN_BY: &[(Redaction, &str, &[&str])] = &[
    (Redaction::Env, "c-env", &["metadata", "object"]),
    (Redaction::Annotations, "c-annotation", &["metadata", "object"]),
    (Redaction::Labels, "c-label", &["metadata", "object"]),
    (Redaction::Images, "c-image", &["spec", "status", "object"]),
    (Redaction::Ips, "c-ip", &["status", "object"]),
    (Redaction::Messages, "c-message", &["status", "object"]),
    (Redaction::Nodes, "c-node", &["spec", "status", "object"]),
];

#[test]
fn what_is_withheld_is_shown_by_nothing_and_all_else_is() {
    assert!(SHOWN_BY.iter().map(|(redaction, ..)| redaction).eq(Redaction::ALL));
    let withheld = Redaction::ALL.iter().map(|it| vec![*it]).chain([Vec::new(), Redaction::ALL.to_vec()]);
    for withheld in withheld {
        let grant = withheld.iter().fold(everything(), |grant, redaction| grant.withhold(*redaction));
        let seen = seen(&grant, pod("c"));
        for (redaction, text, shown_by) in SHOWN_BY {
            let showing: Vec<_> = seen.iter().filter(|(_, seen)| seen.contains(text)).map(|(by, _)| *by).collect();
            let expected = if withheld.contains(redaction) { &[][..] } else { shown_by };
            // Among all annotations is the one of the environment's values.
            let gone = *redaction == Redaction::Env && withheld == [Redaction::Annotations];
            assert_eq!(showing, if gone { &["object"][..] } else { expected }, "{text} with {withheld:?} withheld");
        }
    }
}

/// Two pods that differ in nothing but what is withheld look alike.
#[test]
fn nothing_can_be_told_of_what_is_withheld() {
    let all = Redaction::ALL.iter().fold(everything(), |grant, redaction| grant.withhold(*redaction));
    assert_eq!(seen(&all, pod("c")), seen(&all, pod("d")));
    assert_ne!(seen(&everything(), pod("c")), seen(&everything(), pod("d")));
}

#[test]
fn what_is_not_withheld_stays() {
    let all = Redaction::ALL.iter().fold(everything(), |grant, redaction| grant.withhold(*redaction));
    let pod = authorize(&all, get()).unwrap().admit(pod("c")).unwrap();
    let object: Value = serde_json::from_str(&pod.object().unwrap()).unwrap();
    assert_eq!(object["metadata"], json!({"name": "web", "namespace": "shop"}));
    let variables = json!([{"name": "A"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}]);
    assert_eq!(object["spec"]["containers"], json!([{"name": "app", "env": variables}]));
    assert_eq!(object["status"]["conditions"], json!([{"type": "Ready", "status": "False"}]));
    assert_eq!(object["status"]["phase"], "Running");
    assert_eq!(pod.status().container_statuses[0].last_state.terminated.as_ref().unwrap().exit_code, 1);
    assert_eq!(pod.spec().containers[0].name, "app");
}

#[test]
fn where_nothing_is_withheld_the_object_is_not_copied() {
    let pod = authorize(&everything(), get()).unwrap().admit(pod("c")).unwrap();
    assert!(matches!(pod.object(), Some(std::borrow::Cow::Borrowed(_))));
}

/// It cannot be told what is in it.
#[test]
fn an_object_that_cannot_be_read_is_withheld_whole() {
    let deep = "[".repeat(1000) + &"]".repeat(1000);
    for object in ["", "{", "[]", "\"text\"", "{} {}", &format!("{{\"metadata\":{deep}}}")] {
        let read = pod("c").with_object(object);
        let admitted = |grant: &Grant| authorize(grant, get()).unwrap().admit(read.clone()).unwrap();
        assert_eq!(admitted(&everything().withhold(Redaction::Nodes)).object(), None, "{object}");
        assert_eq!(admitted(&everything()).object().as_deref(), Some(object));
    }
}

/// A selector of the query on what is withheld would tell it by what it matches.
#[test]
fn a_selector_on_what_is_withheld_is_denied() {
    let mut open = Vec::new();
    for path in FieldSelector::known_paths() {
        let by = |term: &str| list("", &format!("metadata.name!=x,{path}{term}"));
        let telling: Vec<_> = Redaction::ALL
            .iter()
            .filter(|redaction| {
                let grant = everything().withhold(**redaction);
                let denied = ["=a", "!=a"].map(|term| authorize(&grant, by(term)).err());
                assert_eq!(denied[0], denied[1]);
                if let Some(denied) = &denied[0] {
                    assert_eq!(denied.to_string(), format!("`{path}` is withheld: no selector may look at it"));
                }
                denied[0].is_some()
            })
            .collect();
        match path {
            "spec.nodeName" | "status.nominatedNodeName" => assert_eq!(telling, [&Redaction::Nodes]),
            "status.podIP" => assert_eq!(telling, [&Redaction::Ips]),
            path => {
                assert!(telling.is_empty(), "{path}: {telling:?}");
                open.push(path);
            }
        }
        authorize(&everything(), by("=a")).unwrap();
    }
    // Whoever adds a field decides what it tells.
    assert_eq!(
        open,
        [
            "metadata.name",
            "metadata.namespace",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase"
        ]
    );
    for labels in ["team", "!team", "team=a", "team notin (a)"] {
        let denied = authorize(&everything().withhold(Redaction::Labels), list(labels, "")).unwrap_err();
        assert_eq!(denied.to_string(), "labels are withheld: no selector may look at them");
        authorize(&everything().withhold(Redaction::Annotations), list(labels, "")).unwrap();
    }
}

/// The grant's own conditions look at pods as they are, and the query learns no more than that they hold.
#[test]
fn the_grants_selectors_look_at_what_is_withheld() {
    let labels = LabelSelector::parse("team=checkout").unwrap();
    let fields = FieldSelector::parse("spec.nodeName=c-node").unwrap();
    let grant = everything().labels(&labels).fields(&fields).withhold(Redaction::Labels).withhold(Redaction::Nodes);
    for ask in [list("", ""), get()] {
        let request = authorize(&grant, ask).unwrap();
        assert_eq!((request.labels(), request.fields()), (&labels, &fields));
        let admitted = request.admit(pod("c")).unwrap();
        assert!(admitted.metadata().labels.is_empty() && admitted.spec().node_name.is_empty());
        assert!(request.admit(pod("d")).is_none());
        let mut other = pod("c").pod();
        other.metadata.labels.remove("team");
        assert!(request.admit(ReadPod::new(&other).with_object("{}")).is_none());
    }
}
