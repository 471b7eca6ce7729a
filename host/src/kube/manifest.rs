//! Pods as people keep them: what `kubectl get pods -o json`, `-o yaml` and must-gather write, and what is written by hand.
//!
//! Unlike an answer of the API server, such a text may hold other objects too, several documents, and faults that its owner wants to
//! find: an error names the pod and tells the parser's words.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;
use serde_saphyr::Options;

use super::decode::with_type;
use super::pod::ListMeta;
use super::{Namespace, Pod, PodName, ReadPod};
use crate::text::excerpt;

/// Deepest nesting of YAML. A pod has twelve levels; arbitrary, bounds the parser's stack.
const MAX_DEPTH: usize = 64;
/// Most nodes of a YAML text: 100,000 pods of 300 fields. Arbitrary; bounds time and memory together with the text's size.
const MAX_NODES: usize = 30_000_000;
/// Most of what the parser meets: a node has a beginning and an end at the most.
const MAX_EVENTS: usize = 2 * MAX_NODES;

/// Most documents of a YAML text. Arbitrary: a file for each of 100,000 pods, one after the other.
const MAX_DOCUMENTS: usize = 100_000;

/// The namespace of a pod whose text names none, as for kubectl.
const DEFAULT_NAMESPACE: &str = "default";

/// What a text holds.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// Its pods, in its order.
    pub pods: Vec<ReadPod>,
    /// How many objects it has that are no pods.
    pub others: usize,
    /// How many lists it has, empty ones too.
    pub lists: usize,
}

impl Manifest {
    /// Reads JSON or YAML: a Pod, a PodList, a List, or several of these, one after the other. `objects`: keep each pod's JSON.
    ///
    /// A pod without a namespace is in `default`.
    ///
    /// ```
    /// let manifest = podlens::kube::Manifest::parse(b"{kind: Pod, apiVersion: v1, metadata: {name: web}}", false)?;
    /// assert_eq!(manifest.pods[0].namespace(), "default");
    /// # Ok::<(), podlens::kube::ManifestError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is neither, or an object or pod in it is malformed. Objects of other kinds are only counted.
    pub fn parse(text: &[u8], objects: bool) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text))
            .map_err(|_| ManifestError::new("it is not UTF-8 text, as JSON and YAML are"))?;
        let mut manifest = Self::default();
        if looks_like_json(text) {
            manifest.add_json(text, objects)?;
            return Ok(manifest);
        }
        let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options())
            .map_err(|error| ManifestError::new(format!("it is not well-formed YAML: {}", excerpt(&error.to_string()))))?;
        for document in documents.iter().filter(|document| !document.is_null()) {
            manifest.add(&document.to_string(), objects)?;
        }
        Ok(manifest)
    }

    fn add_json(&mut self, text: &str, objects: bool) -> Result<(), ManifestError> {
        serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().try_for_each(|document| {
            let document = document
                .map_err(|error| ManifestError::new(format!("it is not well-formed JSON: {}", excerpt(&error.to_string()))))?;
            self.add(document.get(), objects)
        })
    }

    /// Adds one document.
    fn add(&mut self, json: &str, objects: bool) -> Result<(), ManifestError> {
        let Head { api_version, kind, items, metadata } = Head::of(json).ok_or_else(|| {
            ManifestError::new("it has something that is no Kubernetes object: expected a Pod, a PodList or a List")
        })?;
        match (&*api_version, &*kind, items) {
            ("v1", "Pod", _) => self.add_pod(json, objects),
            _ if metadata.as_ref().is_some_and(|metadata| !metadata.continue_token.is_empty()) => Err(ManifestError::new(
                "it has the first page of a list that goes on: get all of it, or it would pass for the whole",
            )),
            ("v1", "PodList", items) => {
                self.lists += 1;
                items.unwrap_or_default().into_iter().try_for_each(|item| self.add_pod(item.get(), objects))
            }
            (version, kind, Some(items)) if kind.ends_with("List") && !version.is_empty() => {
                self.lists += 1;
                items.into_iter().try_for_each(|item| self.add_item(item.get(), objects))
            }
            // kubectl writes the kind of a list last: without it, the text was cut.
            ("", _, _) | (_, "", _) => {
                Err(ManifestError::new("it has an object without `apiVersion` and `kind`: expected a Pod, a PodList or a List"))
            }
            _ => {
                self.others += 1;
                Ok(())
            }
        }
    }

    /// Adds an item of a list of anything.
    fn add_item(&mut self, json: &str, objects: bool) -> Result<(), ManifestError> {
        let head = Head::of(json).ok_or_else(|| ManifestError::new("a list in it has an item that is no object"))?;
        if (&*head.api_version, &*head.kind) == ("v1", "Pod") {
            return self.add_pod(json, objects);
        }
        self.others += 1;
        Ok(())
    }

    fn add_pod(&mut self, json: &str, objects: bool) -> Result<(), ManifestError> {
        let number = self.pods.len() + 1;
        let malformed = |error: &str| ManifestError::new(format!("pod {number}{} is malformed: {error}", named(json)));
        if Head::of(json).is_none() {
            return Err(malformed("it is no object"));
        }
        let mut pod: Pod = serde_json::from_str(json).map_err(|error| malformed(&excerpt(&error.to_string())))?;
        if pod.metadata.namespace.is_empty() {
            DEFAULT_NAMESPACE.clone_into(&mut pod.metadata.namespace);
        }
        let wrong = |what: &str, error: &dyn fmt::Display| ManifestError::new(format!("the {what} of pod {number}: {error}"));
        Namespace::parse(&pod.metadata.namespace).map_err(|error| wrong("namespace", &error))?;
        PodName::parse(&pod.metadata.name).map_err(|error| wrong("name", &error))?;
        let read = ReadPod::checked(&pod).map_err(|_| malformed("it has too many parts"))?;
        self.pods.push(if objects { read.with_object(with_type(json)) } else { read });
        Ok(())
    }
}

/// Whether a text is to be read as JSON: YAML has it, too, but its parser takes ten times as long. An object of YAML alone has no quote
/// behind its brace, and only YAML parts its documents by a line.
fn looks_like_json(text: &str) -> bool {
    let begins_so = text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']));
    begins_so && !text.contains("\n---")
}

/// What tells an object's kind, and a list from others.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow, default)]
    api_version: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    metadata: Option<ListMeta>,
}

impl<'a> Head<'a> {
    /// Of an object. An array would do for serde, which takes its elements for the fields in their order.
    fn of(json: &'a str) -> Option<Self> {
        json.starts_with('{').then(|| serde_json::from_str(json).ok()).flatten()
    }
}

/// The name of a pod that cannot be read as a whole, for its error.
fn named(json: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Named {
        metadata: Metadata,
    }
    #[derive(serde::Deserialize)]
    struct Metadata {
        name: String,
    }
    serde_json::from_str::<Named>(json).map_or_else(|_| String::new(), |pod| format!(" (`{}`)", excerpt(&pod.metadata.name)))
}

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: MAX_DEPTH,
        max_nodes: MAX_NODES,
        max_events: MAX_EVENTS,
        max_documents: MAX_DOCUMENTS,
        max_total_scalar_bytes: usize::MAX,
        // kubectl writes no aliases, and they are how a small text becomes a large one.
        max_aliases: 0,
        max_anchors: 0,
        max_merge_keys: 0,
    };
    serde_saphyr::options! { budget: budget, with_snippet: false }
}

/// Why a text cannot be read as pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    message: String,
}

impl ManifestError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ManifestError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<(Vec<String>, usize), String> {
        let manifest = Manifest::parse(text.as_bytes(), false).map_err(|error| error.to_string())?;
        let name = |read: &ReadPod| read.key().to_owned();
        Ok((manifest.pods.iter().map(name).collect(), manifest.others))
    }

    #[test]
    fn what_tools_write_is_read() {
        let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"shop"}}"#;
        let cases = [
            (pod.to_owned(), 1, 0),
            (format!("\u{feff}{pod}"), 1, 0),
            (format!("{pod}\n{pod}"), 2, 0),
            (
                format!(
                    r#"{{"apiVersion":"v1","kind":"List","metadata":{{"resourceVersion":""}},"items":[{pod},{{"apiVersion":"v1","kind":"Service"}}]}}"#
                ),
                1,
                1,
            ),
            (r#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a","namespace":"shop"}}]}"#.to_owned(), 1, 0),
            (r#"{"kind":"PodList","apiVersion":"v1","items":null}"#.to_owned(), 0, 0),
            (r#"{"kind":"ConfigMap","apiVersion":"v1"}"#.to_owned(), 0, 1),
            ("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: shop\n".to_owned(), 1, 0),
            (
                "---\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a, namespace: shop}\nkind: List\n"
                    .to_owned(),
                1,
                0,
            ),
            (format!("{pod}\n---\n{pod}\n"), 2, 0),
            (format!("---\n{pod}\n---\n---\n{{kind: Node, apiVersion: v1}}\n"), 1, 1),
            ("{kind: PodList, apiVersion: v1, items: [{metadata: {name: a, namespace: shop}}]}".to_owned(), 1, 0),
            (String::new(), 0, 0),
        ];
        for (text, pods, others) in cases {
            assert_eq!(names(&text), Ok((vec!["shop/a".to_owned(); pods], others)), "{text}");
        }
    }

    #[test]
    fn a_pod_of_empty_objects_is_refused() {
        let containers = vec!["{}"; 20_000].join(",");
        let text =
            format!(r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"a"}},"spec":{{"containers":[{containers}]}}}}"#);
        assert!(names(&text).unwrap_err().ends_with("is malformed: it has too many parts"), "{:?}", names(&text));
    }

    #[test]
    fn yaml_and_json_give_the_same_pods() {
        let yaml = "
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
  creationTimestamp: \"2026-01-02T03:04:05Z\"
  annotations: {a: \"true\", b: \"1\"}
spec:
  containers:
  - name: web
    image: web:1
    resources: {requests: {cpu: 1, memory: 64Mi}}
status:
  phase: Running
";
        let json = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","creationTimestamp":"2026-01-02T03:04:05Z",
            "annotations":{"a":"true","b":"1"}},"spec":{"containers":[{"name":"web","image":"web:1","resources":{"requests":{"cpu":1,
            "memory":"64Mi"}}}]},"status":{"phase":"Running"}}"#;
        let parse = |text: &str, objects| Manifest::parse(text.as_bytes(), objects).unwrap().pods.remove(0);
        assert_eq!(parse(yaml, false).pod(), parse(json, false).pod());
        assert_eq!(parse(json, false).object(), None);
        let object = |text| serde_json::from_str::<Value>(parse(text, true).object().unwrap()).unwrap();
        assert_eq!(object(yaml), object(json));
    }

    #[test]
    fn a_pod_without_a_namespace_is_in_the_default_one() {
        assert_eq!(names("{kind: Pod, apiVersion: v1, metadata: {name: a}}"), Ok((vec!["default/a".to_owned()], 0)));
    }

    /// More than the parser's own bound, which is of a million events.
    #[test]
    fn the_yaml_of_a_whole_cluster_is_read() {
        let labels: String = (0..50).map(|number| format!("      label-{number}: value\n")).collect();
        let pod =
            |number: usize| format!("- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: web-{number}\n    labels:\n{labels}");
        let pods: String = (0..12_000).map(pod).collect();
        let manifest = Manifest::parse(format!("apiVersion: v1\nitems:\n{pods}kind: List\n").as_bytes(), false).unwrap();
        assert_eq!(manifest.pods.len(), 12_000);
    }

    const NO_KIND: &str = "it has an object without `apiVersion` and `kind`: expected a Pod, a PodList or a List";

    #[test]
    fn an_error_says_where() {
        let aliases = "a: &a [1]\nb: *a\n";
        for (text, expected) in [
            ("[]", "it has something that is no Kubernetes object: expected a Pod, a PodList or a List"),
            ("just words", "it has something that is no Kubernetes object: expected a Pod, a PodList or a List"),
            ("apiVersion: v1\nitems:\n- {kind: Pod, apiVersion: v1, metadata: {name: a}}\n", NO_KIND),
            (r#"{"kind":"Pod","metadata":{"name":"a"}}"#, NO_KIND),
            (
                r#"{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"x"},"items":[]}"#,
                "it has the first page of a list that goes on: get all of it, or it would pass for the whole",
            ),
            ("{}", "it has an object without `apiVersion` and `kind`: expected a Pod, a PodList or a List"),
            (r#"{"kind":"Pod","apiVersion":"v1""#, "it is not well-formed JSON: EOF while parsing an object at line 1 column 31"),
            (
                r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{"hostNetwork":7}}"#,
                "pod 1 (`a`) is malformed: invalid type: integer `7`, expected a boolean at line 1 column 79",
            ),
            (r#"{"kind":"PodList","apiVersion":"v1","items":[7]}"#, "pod 1 is malformed: it is no object"),
        ] {
            assert_eq!(names(text), Err(expected.to_owned()), "{text}");
        }
        for (text, start) in [
            (aliases, "it is not well-formed YAML: "),
            ("{kind: Pod, apiVersion: v1, metadata: {name: ../a}}", "the name of pod 1: "),
            ("{kind: Pod, apiVersion: v1, metadata: {name: a, namespace: A_B}}", "the namespace of pod 1: "),
        ] {
            let error = names(text).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
        Manifest::parse(&[0xff], false).unwrap_err();
    }
}
