//! The manifests of `deploy/`: accepted where the rules are strictest, and giving exactly two rights.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use podlens_tests::cluster::{Cluster, Namespace};
use podlens_tests::program::{self, Done};
use serde_json::{Value, json};

use crate::arrange::{cluster, eventually, in_pod, kubectl};

/// Every verb of the API that a rule of RBAC can name for an object.
const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// Questions that are asked at the same time.
const ASKERS: usize = 8;

/// A file of `deploy/`.
pub(crate) fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file)
}

/// A file of `deploy/` for another namespace than `default`, by the command that it names for that.
fn manifest(file: &str, namespace: &str) -> String {
    let script = format!("s/namespace: default/namespace: {namespace}/");
    let done = program::run(std::process::Command::new("sed").arg(script).arg(deploy(file)));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    done.stdout
}

/// `kubectl apply` of what a file of `deploy/` is in this namespace, with these flags.
fn apply(cluster: &Cluster, namespace: &str, manifest: &str, flags: &[&str]) -> Done {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let path = folder.path().join("manifest.yaml");
    fs::write(&path, manifest).expect("the folder is writable");
    let file = path.to_str().expect("the temporary folder's path is UTF-8");
    kubectl(cluster, ["apply", "-n", namespace, "-f", file].iter().chain(flags))
}

/// A namespace where only pods of the Pod Security Standard `restricted` are admitted, and every doubt is a warning.
fn restricted(cluster: &Cluster) -> Namespace {
    let namespace = cluster.namespace("restricted");
    let labels = json!({
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
    });
    cluster.patch(&format!("/api/v1/namespaces/{namespace}"), &json!({ "metadata": { "labels": labels } }));
    namespace
}

#[test]
fn the_manifests_are_admitted_as_restricted_without_a_warning() {
    let cluster = cluster();
    let namespace = restricted(cluster);
    let (access, pod) = (manifest("access.yaml", &namespace), manifest("pod.yaml", &namespace));
    let accepted = |manifest: &str, flags: &[&str], expected: &str| {
        let done = apply(cluster, &namespace, manifest, flags);
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, expected, ""));
    };
    let names = "serviceaccount/podlens NEW\nrole.rbac.authorization.k8s.io/podlens NEW\nrolebinding.rbac.authorization.k8s.io/podlens NEW\n";
    accepted(&access, &["--dry-run=server"], &names.replace("NEW", "created (server dry run)"));
    accepted(&access, &[], &names.replace("NEW", "created"));
    // The account has to be there first.
    accepted(&pod, &["--dry-run=server"], "pod/podlens created (server dry run)\n");
    accepted(&pod, &[], "pod/podlens created\n");

    // The pod gets the token that its account gives to no other.
    let mounts = |name: &str| {
        let pod = cluster.get(&format!("/api/v1/namespaces/{namespace}/pods/{name}"));
        let mounts = pod["spec"]["containers"][0]["volumeMounts"].as_array().cloned().unwrap_or_default();
        mounts.iter().map(|mount| mount["mountPath"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(mounts("podlens"), ["/var/run/secrets/kubernetes.io/serviceaccount"]);
    let other = pod.replace("name: podlens\n  namespace", "name: other\n  namespace");
    accepted(&other.replace("  automountServiceAccountToken: true\n", ""), &[], "pod/other created\n");
    assert_eq!(mounts("other"), [""; 0]);

    // And the namespace is as strict as it says.
    for (line, complaint) in [
        ("    runAsNonRoot: true\n", "runAsNonRoot != true"),
        ("      allowPrivilegeEscalation: false\n", "allowPrivilegeEscalation != false"),
        ("    seccompProfile:\n      type: RuntimeDefault\n", "seccompProfile"),
        ("      capabilities:\n        drop: [\"ALL\"]\n", "unrestricted capabilities"),
    ] {
        assert!(pod.contains(line), "{line}");
        let done = apply(cluster, &namespace, &other.replace(line, "").replace("name: other", "name: lax"), &[]);
        assert!(done.code == 1 && done.stderr.contains(complaint), "{done:?}");
    }
}

#[test]
fn the_folder_is_applied_as_it_is() {
    let cluster = cluster();
    let done = kubectl(cluster, ["apply", "-f", deploy("").to_str().expect("the repository's path is UTF-8")]);
    let names = ["serviceaccount", "role.rbac.authorization.k8s.io", "rolebinding.rbac.authorization.k8s.io", "pod"];
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert_eq!(done.stdout, names.map(|name| format!("{name}/podlens created\n")).concat());

    // What the pod runs is a command line that works, as its account.
    let pod = cluster.get("/api/v1/namespaces/default/pods/podlens");
    let command: Vec<_> = pod["spec"]["containers"][0]["command"].as_array().expect("it has a command").iter().collect();
    assert_eq!(command[0], "podlens");
    let arguments = command[1..].iter().map(|argument| argument.as_str().expect("arguments are text"));
    cluster.wait_until_allowed(
        "system:serviceaccount:default:podlens",
        &json!({ "namespace": "default", "verb": "list", "resource": "pods" }),
    );
    let done = program::run(in_pod(cluster, &cluster.mount("default", "podlens")).args(arguments));
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, "", "No rows found.\n"));
}

/// A resource of the API: what can be asked about.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// Such as `apps`; empty for the core group.
    pub(crate) group: String,
    /// A path that has it, such as `/apis/apps/v1`. Rights know no versions.
    pub(crate) version: String,
    /// Such as `deployments/scale`.
    pub(crate) name: String,
    pub(crate) namespaced: bool,
}

/// Every resource that the API server tells of, once.
pub(crate) fn resources(cluster: &Cluster) -> Vec<Resource> {
    let mut paths = vec![(String::new(), "/api/v1".to_owned())];
    for group in cluster.get("/apis")["groups"].as_array().expect("there are API groups") {
        for version in group["versions"].as_array().expect("a group has versions") {
            let version = version["groupVersion"].as_str().expect("a version has a name");
            paths.push((group["name"].as_str().expect("a group has a name").to_owned(), format!("/apis/{version}")));
        }
    }
    let mut resources = BTreeMap::new();
    for (group, version) in paths {
        for resource in cluster.get(&version)["resources"].as_array().expect("a version has resources") {
            let name = resource["name"].as_str().expect("a resource has a name").to_owned();
            let (key, namespaced) = ((group.clone(), name.clone()), resource["namespaced"] == true);
            resources.entry(key).or_insert(Resource { group: group.clone(), version: version.clone(), name, namespaced });
        }
    }
    resources.into_values().collect()
}

/// Who asks.
struct User<'a> {
    name: &'a str,
    groups: &'a [&'a str],
}

/// What a user may, of all resources with all verbs, in a namespace or (where that is empty) in all of them.
fn rights(cluster: &Cluster, resources: &[Resource], user: &User<'_>, namespace: &str) -> BTreeSet<String> {
    let asked: Vec<_> = resources.iter().flat_map(|resource| VERBS.map(|verb| (resource, verb))).collect();
    let allowed = |(Resource { group, name, namespaced, .. }, verb): &(&Resource, &str)| {
        let namespace = if *namespaced { namespace } else { "" };
        may(cluster, user, namespace, group, name, verb).then(|| format!("{verb} {group}/{name}"))
    };
    thread::scope(|scope| {
        let parts = asked.chunks(asked.len().div_ceil(ASKERS));
        let askers: Vec<_> = parts.map(|part| scope.spawn(move || part.iter().filter_map(allowed).collect::<Vec<_>>())).collect();
        askers.into_iter().flat_map(|asker| asker.join().expect("an asker panics only with its cluster")).collect()
    })
}

fn may(cluster: &Cluster, user: &User<'_>, namespace: &str, group: &str, resource: &str, verb: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": { "user": user.name, "groups": user.groups, "resourceAttributes": {
            "namespace": namespace, "group": group, "resource": resource, "subresource": subresource, "verb": verb,
        }},
    });
    cluster.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &review)["status"]["allowed"] == true
}

#[test]
fn the_account_may_get_and_list_pods_of_its_namespace_and_nothing_else() {
    let cluster = cluster();
    let (namespace, other) = (cluster.namespace("deployed"), cluster.namespace("untouched"));
    let done = apply(cluster, &namespace, &manifest("access.yaml", &namespace), &[]);
    assert_eq!(done.code, 0, "{}", done.stderr);

    let resources = resources(cluster);
    for known in ["pods", "pods/exec", "pods/log", "secrets", "serviceaccounts/token", "nodes/proxy"] {
        assert!(resources.iter().any(|resource| resource.group.is_empty() && resource.name == known), "{known}");
    }
    let name = format!("system:serviceaccount:{namespace}:podlens");
    let group = format!("system:serviceaccounts:{namespace}");
    let account = User { name: &name, groups: &["system:serviceaccounts", &group, "system:authenticated"] };
    let name = format!("system:serviceaccount:{other}:default");
    let group = format!("system:serviceaccounts:{other}");
    let stranger = User { name: &name, groups: &["system:serviceaccounts", &group, "system:authenticated"] };

    // Who one is, what one may, whom one can trust: nothing of the core group, where all that runs is.
    let of_anyone = rights(cluster, &resources, &stranger, &namespace);
    assert!(!of_anyone.is_empty() && !of_anyone.iter().any(|right| right.contains(" /")), "{of_anyone:?}");
    let own = ["get /pods", "list /pods"].map(str::to_owned);
    let expected: BTreeSet<_> = of_anyone.iter().cloned().chain(own).collect();
    // The authorizer learns of a new binding a moment later.
    eventually("the account's rights", || may(cluster, &account, &namespace, "", "pods", "list").then_some(()));
    assert_eq!(rights(cluster, &resources, &account, &namespace), expected);
    for elsewhere in [&*other, "default", "kube-system", ""] {
        assert_eq!(rights(cluster, &resources, &account, elsewhere), of_anyone, "in `{elsewhere}`");
    }
}

/// The commands that a text shows for doing without `access.yaml`, each after what comes before it on its line.
fn commands(text: &Path, before: &str) -> Vec<String> {
    let text = fs::read_to_string(text).expect("it is in the repository");
    text.lines().filter_map(|line| line.strip_prefix(before)?.strip_prefix("kubectl ")).map(str::to_owned).collect()
}

/// What matters of the three objects.
fn access(cluster: &Cluster, namespace: &str) -> [Value; 3] {
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
    let binding = cluster.get(&format!("{rbac}/rolebindings/podlens"));
    [
        cluster.get(&format!("{rbac}/roles/podlens"))["rules"].clone(),
        json!([binding["roleRef"], binding["subjects"]]),
        cluster.get(&format!("/api/v1/namespaces/{namespace}/serviceaccounts/podlens"))["metadata"]["name"].clone(),
    ]
}

#[test]
fn the_commands_create_what_the_manifests_do() {
    let cluster = cluster();
    let (by_command, by_file) = (cluster.namespace("by-command"), cluster.namespace("by-file"));
    let done = apply(cluster, &by_file, &manifest("access.yaml", &by_file), &[]);
    assert_eq!(done.code, 0, "{}", done.stderr);

    let commands = commands(&deploy("access.yaml"), "#   ");
    let mut readme = self::commands(&deploy("../README.md"), "$ ");
    readme.retain(|command| command.starts_with("create "));
    assert_eq!(commands, readme);
    assert_eq!(commands.len(), 3);
    for command in commands {
        let command = command.replace("default", &by_command);
        let done = kubectl(cluster, command.split(' '));
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{command}");
    }
    let [rules, binding, account] = access(cluster, &by_command);
    let [rules_by_file, binding_by_file, account_by_file] = access(cluster, &by_file);
    assert_eq!((&rules, account), (&rules_by_file, account_by_file));
    assert_eq!(rules, json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"] }]));
    assert_eq!(binding.to_string().replace(&*by_command, &by_file), binding_by_file.to_string());
}
