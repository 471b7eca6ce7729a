//! What the tests of the binary arrange: a folder with a service account or a kubeconfig in it, a run beside the scripted API
//! server, lists of pods in both encodings, and the comparison of all that a run gave.
//!
//! `support.rs` is the same for tests of the library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use podlens::kube::Pod;
use podlens_tests::fake::{Answer, Authority, Expected, Fake, get};
use podlens_tests::program::{self, Done};
use prost::Message as _;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What every service account of these tests has as its token.
pub(crate) const TOKEN: &str = "token-of-a-test";

/// The namespace of every service account of these tests.
pub(crate) const NAMESPACE: &str = "shop";

/// Where its pods are.
pub(crate) const PODS: &str = "/api/v1/namespaces/shop/pods";

/// How each failure on the way to the API server ends.
pub(crate) const DOCTOR: &str =
    "hint: `podlens doctor`, with the same connection flags, looks at every step on the way to the API server";

/// A folder of a test's own, and `podlens` run with what is in it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// With nothing in it.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// With the mount of a pod of namespace `shop`, in a cluster of this authority.
    pub(crate) fn mount(authority: &Authority) -> Self {
        let place = Self::empty();
        place.write("token", TOKEN);
        place.write("ca.crt", authority.pem());
        place.write("namespace", NAMESPACE);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).expect("a temporary folder can be written");
        path
    }

    /// A kubeconfig for the server at this address, as this user; a `certificate-authority` is beside it.
    pub(crate) fn write_kubeconfig(&self, authority: &Authority, server: &str, user: &Value) -> PathBuf {
        self.write("ca.crt", authority.pem());
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "dev",
            "clusters": [{ "name": "dev", "cluster": { "server": server, "certificate-authority": "ca.crt" } }],
            "contexts": [{ "name": "dev", "context": { "cluster": "dev", "user": "dev", "namespace": NAMESPACE } }],
            "users": [{ "name": "dev", "user": user }],
        });
        self.write("config", config.to_string())
    }

    /// `podlens` as in a pod whose mount this is, with the API server at this address.
    pub(crate) fn in_pod(&self, host: &str, port: u16) -> Command {
        let mut command = program::command();
        command
            .env("KUBERNETES_SERVICE_HOST", host)
            .env("KUBERNETES_SERVICE_PORT", port.to_string())
            .env("PODLENS_SERVICE_ACCOUNT_DIR", self.path());
        command
    }

    /// `podlens` with the kubeconfig here.
    pub(crate) fn with_kubeconfig(&self) -> Command {
        let mut command = program::command();
        command.env("KUBECONFIG", self.path().join("config"));
        command
    }

    /// Runs `command`, and compares all that it gave, line by line.
    #[track_caller]
    pub(crate) fn check(&self, command: &mut Command, code: i32, stdout: &[&str], stderr: &[&str]) {
        let done = self.run_without_details(command);
        let expected = Done { code, stdout: lines(stdout), stderr: lines(stderr) };
        assert!(done == expected, "{command:?} gave\n{}\nand not\n{}", shown(&done), shown(&expected));
    }

    /// What `command` gives, without what differs from one run to the next.
    pub(crate) fn run(&self, command: &mut Command) -> Done {
        let Done { code, stdout, stderr } = program::run(command);
        Done { code, stdout: self.steady(&stdout), stderr: self.steady(&stderr) }
    }

    /// The same, without what `failures.rs` looks at.
    pub(crate) fn run_without_details(&self, command: &mut Command) -> Done {
        let Done { code, stdout, stderr } = self.run(command);
        Done { code, stdout, stderr: without_details(&stderr) }
    }

    /// `text` without what differs from one run to the next: this folder is `FOLDER`, the server's port `PORT`, each moment `NOW`.
    fn steady(&self, text: &str) -> String {
        let text = text.replace(&self.path().display().to_string(), "FOLDER");
        let text = replace_after(&text, "127.0.0.1:", "PORT", |character| character.is_ascii_digit());
        let of_a_time = |character: char| character.is_ascii_digit() || matches!(character, '-' | ':' | '.' | 'T');
        let text = replace_after(&text, "the clock here says ", "NOW", of_a_time);
        // The log of podlens itself begins each line with the time.
        let without_time = |line: &str| match line.split_once("Z ") {
            Some((time, rest)) if time.starts_with("20") && time.chars().all(of_a_time) => format!("NOWZ {rest}"),
            _ => line.to_owned(),
        };
        text.split_inclusive('\n').map(without_time).collect()
    }
}

/// What was said, without the lines on the last calls of a run and what it used.
fn without_details(text: &str) -> String {
    let mut is_call = false;
    let kept = text.split_inclusive('\n').filter(|line| {
        is_call = line.starts_with("last calls to the host:") || (is_call && line.starts_with("  "));
        !is_call && !line.starts_with("used: ")
    });
    kept.collect()
}

/// Replaces the run of such characters after each `prefix`, where there is one.
fn replace_after(text: &str, prefix: &str, replacement: &str, is_replaced: impl Fn(char) -> bool) -> String {
    let mut pieces = text.split(prefix);
    let mut replaced = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(&is_replaced);
        replaced += prefix;
        if rest.len() < piece.len() {
            replaced += replacement;
        }
        replaced += rest;
    }
    replaced
}

/// Compares `text` with `golden/NAME.txt`; or writes it there, if the environment says `PODLENS_GOLDEN=write`: review the change.
#[track_caller]
pub(crate) fn check_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fast/golden").join(name).with_extension("txt");
    if std::env::var_os("PODLENS_GOLDEN").is_some_and(|mode| mode == "write") {
        fs::write(&path, text).expect("goldens are in the repository");
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text == golden, "{} is\n{golden}\nand not\n{text}\nIf it should be: PODLENS_GOLDEN=write", path.display());
}

/// Text of these lines, each with its end.
pub(crate) fn lines(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn shown(done: &Done) -> String {
    format!("exit code {}\n--- stdout\n{}--- stderr\n{}---", done.code, done.stdout, done.stderr)
}

/// `podlens`, with these arguments, in a pod of the cluster whose API server is `fake`; compares all that it gave. Then the server
/// stops, and has to have been asked just what its script says.
#[track_caller]
pub(crate) fn check(fake: Fake, arguments: &[&str], code: i32, stdout: &[&str], stderr: &[&str]) {
    let place = Place::mount(fake.authority());
    place.check(place.in_pod("127.0.0.1", fake.port()).args(arguments), code, stdout, stderr);
    drop(fake);
}

/// As [`check`], of `podlens run pod-names` and one list in namespace `shop` that is answered so.
#[track_caller]
pub(crate) fn check_answer(answer: Answer, code: i32, stdout: &[&str], stderr: &[&str]) {
    check(Fake::start([(get(PODS), answer)]), &["run", "pod-names"], code, stdout, stderr);
}

/// The request for a page of the list that `podlens run pod-names` makes.
pub(crate) fn page(limit: &str, token: Option<&str>) -> Expected {
    let query = [("limit", Some(limit)), ("continue", token)];
    get(PODS).query(&query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>()).token(TOKEN)
}

/// A pod with nothing but a name.
pub(crate) fn pod(name: &str) -> Value {
    json!({ "metadata": { "name": name, "namespace": NAMESPACE } })
}

/// One page of a list. It is the last one where `token` is empty.
pub(crate) fn pod_list(pods: &[Value], token: &str) -> Value {
    json!({ "kind": "PodList", "apiVersion": "v1", "metadata": { "resourceVersion": "7", "continue": token }, "items": pods })
}

/// The answer with a page of such pods, as JSON.
pub(crate) fn pods(names: &[&str], token: &str) -> Answer {
    let pods: Vec<Value> = names.iter().map(|name| pod(name)).collect();
    Answer::json(200, pod_list(&pods, token).to_string())
}

/// The same list in Kubernetes' protobuf.
pub(crate) fn protobuf_list(list: &Value) -> Vec<u8> {
    protobuf_list_of("v1", "PodList", list)
}

/// The same, said to be of another kind.
pub(crate) fn protobuf_list_of(api_version: &str, kind: &str, list: &Value) -> Vec<u8> {
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let message = PodList {
        metadata: Some(ListMeta { continue_token: list["metadata"]["continue"].as_str().unwrap_or_default().to_owned() }),
        items: items.iter().map(|item| serde_json::from_value(item.clone()).expect("a test writes a pod")).collect(),
    };
    protobuf(api_version, kind, message.encode_to_vec())
}

/// An object in Kubernetes' protobuf: `raw`, and what it is said to be.
pub(crate) fn protobuf(api_version: &str, kind: &str, raw: Vec<u8>) -> Vec<u8> {
    let type_meta = TypeMeta { api_version: api_version.to_owned(), kind: kind.to_owned() };
    let unknown = Unknown { type_meta: Some(type_meta), raw };
    [b"k8s\0".as_slice(), &unknown.encode_to_vec()].concat()
}

// The messages around a pod: k8s.io/apimachinery v0.37.2 `pkg/runtime/generated.proto` and `pkg/apis/meta/v1/generated.proto`,
// k8s.io/api v0.37.2 `core/v1/generated.proto`.

#[derive(Clone, PartialEq, prost::Message)]
struct Unknown {
    #[prost(message, optional, tag = "1")]
    type_meta: Option<TypeMeta>,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TypeMeta {
    #[prost(string, tag = "1")]
    api_version: String,
    #[prost(string, tag = "2")]
    kind: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PodList {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ListMeta>,
    #[prost(message, repeated, tag = "2")]
    items: Vec<Pod>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ListMeta {
    #[prost(string, tag = "3")]
    continue_token: String,
}
