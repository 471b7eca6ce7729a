//! What can be taken out of a recording: of each pod the texts that may be secret, or that tell of the company that they come from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What stands where something was.
const REDACTED: &str = "redacted";
/// Where kubectl keeps the manifest that was applied, environment values included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Something that is taken out of the pods of a recording. The places where it was stay.
///
/// It is taken out where the API has a field for it. What is free text may repeat it: an annotation of a network plugin its pod's address, a
/// DaemonSet's affinity its node, and selectors that were asked for what they compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redaction {
    /// The values of environment variables, and the manifest that kubectl keeps in an annotation.
    Env,
    /// The values of annotations.
    Annotations,
    /// The values of labels. A selector no longer finds the pod by them.
    Labels,
    /// Images, and what nodes call them.
    Images,
    /// The addresses of pods and nodes.
    Ips,
    /// The messages of statuses, conditions and containers.
    Messages,
    /// The names of nodes.
    Nodes,
}

impl Redaction {
    /// All there are.
    pub const ALL: &'static [Self] =
        &[Self::Env, Self::Annotations, Self::Labels, Self::Images, Self::Ips, Self::Messages, Self::Nodes];

    /// The name, as in a recording.
    pub fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Annotations => "annotations",
            Self::Labels => "labels",
            Self::Images => "images",
            Self::Ips => "ips",
            Self::Messages => "messages",
            Self::Nodes => "nodes",
        }
    }
}

impl fmt::Display for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Redaction {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names: Vec<_> = Self::ALL.iter().map(|redaction| format!("`{redaction}`")).collect();
        let found = Self::ALL.iter().find(|redaction| redaction.name() == name).copied();
        found.ok_or_else(|| format!("expected one of {}", names.join(", ")))
    }
}

/// Takes it all out of a pod, whole or in part.
pub(super) fn redact(pod: &mut Value, redactions: &[Redaction]) {
    for redaction in redactions {
        match redaction {
            Redaction::Env => {
                hide(pod, &["metadata", "annotations", LAST_APPLIED]);
                for containers in ["initContainers", "containers", "ephemeralContainers"] {
                    hide(pod, &["spec", containers, "*", "env", "*", "value"]);
                }
            }
            Redaction::Annotations => hide(pod, &["metadata", "annotations", "*"]),
            Redaction::Labels => hide(pod, &["metadata", "labels", "*"]),
            Redaction::Images => hide_named(pod, &["image", "imageID"]),
            Redaction::Ips => hide_named(pod, &["podIP", "hostIP", "ip"]),
            Redaction::Messages => {
                if let Some(status) = pod.get_mut("status") {
                    hide_named(status, &["message"]);
                }
            }
            Redaction::Nodes => hide_named(pod, &["nodeName", "nominatedNodeName"]),
        }
    }
}

/// Hides the text at a path; `*` is every field, or every item.
fn hide(value: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else {
        if value.is_string() {
            *value = REDACTED.into();
        }
        return;
    };
    match value {
        Value::Object(fields) if *first == "*" => fields.values_mut().for_each(|value| hide(value, rest)),
        Value::Array(items) if *first == "*" => items.iter_mut().for_each(|value| hide(value, rest)),
        Value::Object(fields) => fields.get_mut(*first).into_iter().for_each(|value| hide(value, rest)),
        _ => {}
    }
}

/// Hides the texts of all fields of these names, wherever they are, but for what users name as they like.
fn hide_named(value: &mut Value, names: &[&str]) {
    let of_fields = |fields: &mut Map<String, Value>| {
        for (name, value) in fields.iter_mut().filter(|(name, _)| !matches!(name.as_str(), "labels" | "annotations")) {
            if names.contains(&name.as_str()) { hide(value, &[]) } else { hide_named(value, names) }
        }
    };
    match value {
        Value::Object(fields) => of_fields(fields),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_named(item, names)),
        _ => {}
    }
}
