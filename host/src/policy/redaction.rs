//! What can be taken out of a pod: the texts that may be secret, or that tell of the company that they come from.
//!
//! Here are the names, and what becomes of a pod as JSON; `visible_pod.rs` has the decoded parts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What stands where something was.
const REDACTED: &str = "redacted";
/// Where kubectl keeps the manifest that was applied, environment values included.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Something that can be taken out of pods: of those that a query sees, by [`Grant::withhold`](super::Grant::withhold), and of those that a
/// recording keeps, where the places that it was in stay.
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

/// A set of [`Redaction`]s.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Withheld {
    /// One bit for each, by its place in the enum.
    bits: u8,
}

const _: () = assert!(Redaction::ALL.len() <= u8::BITS as usize);

impl Withheld {
    fn bit(redaction: Redaction) -> u8 {
        1 << redaction as u8
    }

    pub(super) fn add(&mut self, redaction: Redaction) {
        self.bits |= Self::bit(redaction);
    }

    pub(crate) fn is_empty(self) -> bool {
        self.bits == 0
    }

    pub(crate) fn has(self, redaction: Redaction) -> bool {
        self.bits & Self::bit(redaction) != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Redaction> {
        Redaction::ALL.iter().copied().filter(move |redaction| self.has(*redaction))
    }
}

impl fmt::Debug for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
const IMAGES: &[&str] = &["image", "imageID"];
const IPS: &[&str] = &["podIP", "hostIP", "ip"];
const NODES: &[&str] = &["nodeName", "nominatedNodeName"];
/// Who set which field. It names keys of labels, annotations and variables, and addresses.
const MANAGED_FIELDS: &[&str] = &["metadata", "managedFields"];

/// Writes something else over the texts of a pod, whole or in part; they may be looked for, and their places stay.
pub(crate) fn overwrite(pod: &mut Value, redactions: &[Redaction]) {
    for redaction in redactions {
        match redaction {
            Redaction::Env => env(pod, Means::Overwrite),
            Redaction::Annotations => at(pod, &["metadata", "annotations", "*"], Means::Overwrite),
            Redaction::Labels => at(pod, &["metadata", "labels", "*"], Means::Overwrite),
            Redaction::Images => named(pod, IMAGES, Means::Overwrite),
            Redaction::Ips => {
                named(pod, IPS, Means::Overwrite);
                at(pod, MANAGED_FIELDS, Means::Remove);
            }
            Redaction::Messages => messages(pod, Means::Overwrite),
            Redaction::Nodes => named(pod, NODES, Means::Overwrite),
        }
    }
}

/// A whole object without what is withheld, and without what stands for it: neither keys nor places stay. `None` where the text is no object
/// as the API server writes it, for nothing can be found in it.
pub(super) fn without(object: &str, withheld: Withheld) -> Option<String> {
    let mut pod: Value = serde_json::from_str(object).ok().filter(Value::is_object)?;
    at(&mut pod, MANAGED_FIELDS, Means::Remove);
    for redaction in withheld.iter() {
        match redaction {
            Redaction::Env => env(&mut pod, Means::Remove),
            Redaction::Annotations => at(&mut pod, &["metadata", "annotations"], Means::Remove),
            Redaction::Labels => {
                at(&mut pod, &["metadata", "labels"], Means::Remove);
                // By which a pod keeps away from its like: its own labels again.
                named(&mut pod, &["labelSelector"], Means::Remove);
            }
            Redaction::Images => named(&mut pod, IMAGES, Means::Remove),
            Redaction::Ips => named(&mut pod, IPS, Means::Remove),
            Redaction::Messages => messages(&mut pod, Means::Remove),
            Redaction::Nodes => {
                named(&mut pod, NODES, Means::Remove);
                // A DaemonSet's pod has its node in its affinity.
                at(&mut pod, &["spec", "affinity", "nodeAffinity"], Means::Remove);
                at(&mut pod, &["spec", "nodeSelector"], Means::Remove);
            }
        }
    }
    Some(pod.to_string())
}

fn env(pod: &mut Value, means: Means) {
    at(pod, &["metadata", "annotations", LAST_APPLIED], means);
    for containers in CONTAINERS {
        at(pod, &["spec", containers, "*", "env", "*", "value"], means);
    }
}

fn messages(pod: &mut Value, means: Means) {
    if let Some(status) = pod.get_mut("status") {
        named(status, &["message"], means);
    }
}

#[derive(Clone, Copy)]
enum Means {
    Overwrite,
    Remove,
}

impl Means {
    fn take(self, fields: &mut Map<String, Value>, name: &str) {
        match self {
            Self::Overwrite => fields.get_mut(name).into_iter().for_each(overwrite_texts),
            Self::Remove => {
                fields.remove(name);
            }
        }
    }
}

/// Takes what is at a path; `*` is every field, or every item.
fn at(value: &mut Value, path: &[&str], means: Means) {
    match (path, value) {
        (["*"], Value::Object(fields)) => match means {
            Means::Overwrite => fields.values_mut().for_each(overwrite_texts),
            Means::Remove => fields.clear(),
        },
        ([name], Value::Object(fields)) => means.take(fields, name),
        (["*", rest @ ..], Value::Array(items)) => items.iter_mut().for_each(|item| at(item, rest, means)),
        ([name, rest @ ..], Value::Object(fields)) => fields.get_mut(*name).into_iter().for_each(|field| at(field, rest, means)),
        _ => {}
    }
}

/// Takes all fields of these names, wherever they are, but for what users name as they like.
fn named(value: &mut Value, names: &[&str], means: Means) {
    match value {
        Value::Object(fields) => {
            names.iter().for_each(|name| means.take(fields, name));
            let others = fields.iter_mut().filter(|(name, _)| {
                let name = name.as_str();
                !names.contains(&name) && !matches!(name, "labels" | "annotations")
            });
            others.for_each(|(_, value)| named(value, names, means));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| named(item, names, means)),
        _ => {}
    }
}

fn overwrite_texts(value: &mut Value) {
    match value {
        Value::String(text) => REDACTED.clone_into(text),
        Value::Object(fields) => fields.values_mut().for_each(overwrite_texts),
        Value::Array(items) => items.iter_mut().for_each(overwrite_texts),
        _ => {}
    }
}
