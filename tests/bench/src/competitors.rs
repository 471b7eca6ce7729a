//! Who takes part, with which command line. All answer `names`, `restarts`, or both in one; `answers` says what those are.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::answers::{Form, Layout};
use crate::measure::Line;
use crate::peers::Peer;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Task {
    /// Namespace and name of each pod.
    Names,
    /// Namespace, pod, container and restarts of each container that was restarted.
    Restarts,
    /// Both in one answer.
    Both,
    /// Nothing but the bytes.
    Bytes,
}

impl Task {
    /// As it is written in tables, and on the command lines of our own programs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Restarts => "restarts",
            Self::Both => "both",
            Self::Bytes => "bytes",
        }
    }

    /// The query of podlens that answers it.
    fn query(self) -> &'static str {
        if self == Self::Names { "pod-names" } else { "restarts" }
    }
}

/// Makes a command line.
type Words = fn(&Ground, &Competitor) -> Vec<OsString>;

/// A program with a task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Competitor {
    /// Its row's name.
    pub(crate) name: &'static str,
    /// What it is, in a few words.
    pub(crate) what: &'static str,
    pub(crate) task: Task,
    pub(crate) form: Form,
    pub(crate) layout: Layout,
    /// Whether ten thousand pods take it many seconds.
    pub(crate) slow: bool,
    /// What has to be built, or be there, for it.
    pub(crate) peer: Option<Peer>,
    command: Words,
}

/// Where a command line runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    /// The namespace that is asked for; `None` for all.
    pub(crate) namespace: Option<&'a str>,
    pub(crate) kubeconfig: &'a Path,
    pub(crate) kubectl: &'a Path,
    /// The folder of the binaries that this workspace's build makes.
    pub(crate) binaries: &'a Path,
    /// The folder of the peers, one in it for each.
    pub(crate) peers: &'a Path,
    /// A folder that lasts as long as the benchmark: homes, and compiled components.
    pub(crate) home: &'a Path,
    /// A folder that is new and empty for each process.
    pub(crate) fresh: &'a Path,
}

/// kubectl's columns for both tasks at once; it has no way to leave out a container.
const COLUMNS: &str = "custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,\
                       CONTAINERS:.status.containerStatuses[*].name,RESTARTS:.status.containerStatuses[*].restartCount";

/// What jq makes of kubectl's JSON.
const JQ: &str = r#".items[] | "\(.metadata.namespace) \(.metadata.name)" as $pod | .status.containerStatuses[]? | select(.restartCount > 0) | "\($pod) \(.name) \(.restartCount)""#;

/// All of them, in the order of the tables.
pub(crate) fn all() -> Vec<Competitor> {
    use Task::{Both, Bytes, Names, Restarts};

    let floor = |name, what| Competitor {
        name,
        what,
        task: Bytes,
        form: Form::Pages,
        layout: Layout::Words,
        slow: false,
        peer: None,
        command: run_floor,
    };
    let mut all = vec![
        floor("floor", "pages of pods in protobuf, read and dropped"),
        floor("floor-metadata", "pages of pods' metadata in protobuf, read and dropped"),
    ];
    for (name, what, peer, command) in [
        ("podlens", "query in Rust", None, run_podlens as Words),
        ("podlens-cold", "query in Rust, compiled in this run", None, run_podlens),
        ("podlens-javascript", "query in JavaScript", Some(Peer::JavaScript), run_component),
        ("podlens-python", "query in Python", Some(Peer::Python), run_component),
    ] {
        let podlens = |task, form| Competitor { name, what, task, form, layout: Layout::Table, slow: false, peer, command };
        if name != "podlens-cold" {
            all.push(podlens(Names, Form::Pods));
        }
        all.push(podlens(Restarts, Form::Containers));
    }
    for (name, what, peer, slow, command) in [
        ("client-go-protobuf", "Go, pager, protobuf", Peer::ClientGo, false, run_client_go as Words),
        ("client-go-identity", "Go, pager, protobuf, no gzip", Peer::ClientGo, false, run_client_go),
        ("client-go-json", "Go, pager, JSON", Peer::ClientGo, false, run_client_go),
        ("kube-rs", "Rust, pages, JSON", Peer::KubeRs, false, run_kube_rs),
        ("java", "official client in Java, pages, JSON", Peer::OfficialJava, true, run_java),
        ("python", "official client in Python, pages, JSON", Peer::OfficialPython, true, run_python),
    ] {
        let peer = |task, form| Competitor { name, what, task, form, layout: Layout::Words, slow, peer: Some(peer), command };
        // Both tasks take the same but for what is printed: those that are slow do one.
        if !slow {
            all.push(peer(Names, Form::Pods));
        }
        all.push(peer(Restarts, Form::Containers));
    }
    for (name, what, task, form, layout, peer, command) in [
        ("kubectl-get", "`get pods`", Both, Form::Sums, Layout::Kubectl, None, run_kubectl_get as Words),
        ("kubectl-name", "`get pods -o name`", Names, Form::Names, Layout::Resources, None, run_kubectl_name),
        ("kubectl-columns", "`get pods -o custom-columns=…`", Both, Form::Containers, Layout::Lists, None, run_kubectl_columns),
        (
            "kubectl-jq",
            "`get pods -o json`, piped to jq",
            Restarts,
            Form::Containers,
            Layout::Words,
            Some(Peer::Jq),
            run_kubectl_jq,
        ),
    ] {
        all.push(Competitor { name, what, task, form, layout, slow: true, peer, command });
    }
    all
}

impl Competitor {
    /// Its process on this ground.
    pub(crate) fn line(&self, ground: &Ground) -> Line {
        let mut command = (self.command)(ground, self).into_iter();
        // Compiled components are kept, but for the one that is to be compiled.
        let cache = if self.name == "podlens-cold" { ground.fresh.to_owned() } else { ground.home.join("components") };
        let environment = [
            ("HOME", Some(ground.home.as_os_str().to_owned())),
            ("KUBECONFIG", Some(ground.kubeconfig.as_os_str().to_owned())),
            ("PATH", std::env::var_os("PATH")),
            ("PODLENS_CACHE_DIR", Some(cache.into_os_string())),
        ];
        Line {
            program: command.next().expect("a command begins with its program").into(),
            arguments: command.collect(),
            environment: BTreeMap::from_iter(environment.into_iter().filter_map(|(name, value)| Some((name.into(), value?)))),
        }
    }

    /// Whether one of these names means it: its own, or the beginning of it, such as `kubectl`.
    pub(crate) fn is_of(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.name == name || self.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')))
    }
}

/// A command line of words.
fn words(program: impl AsRef<OsStr>, arguments: &[&str]) -> Vec<OsString> {
    let mut words = vec![program.as_ref().to_owned()];
    words.extend(arguments.iter().map(OsString::from));
    words
}

/// `-n NAMESPACE`, or `-A`.
fn with_scope(mut words: Vec<OsString>, ground: &Ground) -> Vec<OsString> {
    match ground.namespace {
        Some(namespace) => words.extend(["-n".into(), namespace.into()]),
        None => words.push("-A".into()),
    }
    words
}

/// The namespace as last word, or none for all.
fn with_namespace(mut words: Vec<OsString>, ground: &Ground) -> Vec<OsString> {
    words.extend(ground.namespace.map(OsString::from));
    words
}

fn run_floor(ground: &Ground, it: &Competitor) -> Vec<OsString> {
    let what = if it.name == "floor" { "pods" } else { "metadata" };
    with_namespace(words(ground.binaries.join("podlens-bench-floor"), &[what]), ground)
}

fn run_podlens(ground: &Ground, it: &Competitor) -> Vec<OsString> {
    with_scope(words(ground.binaries.join("podlens"), &["run", it.task.query()]), ground)
}

fn run_component(ground: &Ground, it: &Competitor) -> Vec<OsString> {
    let peer = it.peer.expect("a component is built");
    let component = ground.peers.join(peer.name()).join(it.task.query()).with_extension("wasm");
    let mut words = words(ground.binaries.join("podlens"), &["run"]);
    words.push(component.into());
    with_scope(words, ground)
}

fn run_client_go(ground: &Ground, it: &Competitor) -> Vec<OsString> {
    let flags: &[&str] = match it.name {
        "client-go-json" => &["-json"],
        "client-go-identity" => &["-identity"],
        _ => &[],
    };
    let program = ground.peers.join("client-go/client-go");
    with_namespace(words(program, &[flags, &[it.task.word()]].concat()), ground)
}

fn run_kube_rs(ground: &Ground, it: &Competitor) -> Vec<OsString> {
    with_namespace(words(ground.peers.join("kube-rs/kube-rs"), &[it.task.word()]), ground)
}

fn run_java(ground: &Ground, it: &Competitor) -> Vec<OsString> {
    let mut class_path = ground.peers.join("java/pods.jar").into_os_string();
    class_path.push(":");
    class_path.push(ground.peers.join("java/lib/*"));
    let words = ["java".into(), "-cp".into(), class_path, "Pods".into(), it.task.word().into()];
    with_namespace(words.into(), ground)
}

fn run_python(ground: &Ground, it: &Competitor) -> Vec<OsString> {
    let mut words = words(ground.peers.join("python/venv/bin/python"), &[]);
    words.push(ground.peers.join("python/pods.py").into());
    words.push(it.task.word().into());
    with_namespace(words, ground)
}

fn run_kubectl_get(ground: &Ground, _: &Competitor) -> Vec<OsString> {
    with_scope(words(ground.kubectl, &["get", "pods"]), ground)
}

fn run_kubectl_name(ground: &Ground, _: &Competitor) -> Vec<OsString> {
    with_scope(words(ground.kubectl, &["get", "pods", "-o", "name"]), ground)
}

fn run_kubectl_columns(ground: &Ground, _: &Competitor) -> Vec<OsString> {
    with_scope(words(ground.kubectl, &["get", "pods", "-o", COLUMNS]), ground)
}

fn run_kubectl_jq(ground: &Ground, _: &Competitor) -> Vec<OsString> {
    // `"$@"` is kubectl with what follows it, so that nothing has to be quoted.
    let script = "set -o pipefail; filter=$1; shift; \"$@\" | jq -r \"$filter\"";
    let mut shell = words("bash", &["-c", script, "bash", JQ]);
    shell.extend(with_scope(words(ground.kubectl, &["get", "pods", "-o", "json"]), ground));
    shell
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn a_name_means_itself_and_all_that_begin_with_it() {
        let of = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut found: Vec<_> = all().iter().filter(|it| it.is_of(&names)).map(|it| it.name).collect();
            found.dedup();
            found
        };
        assert_eq!(of(&["floor"]), ["floor", "floor-metadata"]);
        assert_eq!(of(&["kubectl-get", "java"]), ["java", "kubectl-get"]);
        // By whole words: `kubectl` is not of `kube`, and `kube-rs` is.
        assert_eq!(of(&["kube"]), ["kube-rs"]);
    }
}
