//! What `podlens rbac` prints is enough, and not a word more: applied by kubectl it lets the query run, and without any part of it
//! the query is refused.

use std::process::Command;

use podlens_tests::cluster::{Cluster, Mount, Namespace};
use podlens_tests::guests;
use podlens_tests::program::{self, Done};
use serde_json::{Value, json};

use crate::arrange::{answer, cluster, eventually, in_pod, kubectl, tiny_pod, with_kubeconfig};

/// What `podlens rbac` prints, which needs no cluster.
fn printed(arguments: &[&str]) -> String {
    answer(program::run(program::command().args(["rbac"]).args(arguments)))
}

/// `kubectl apply -f -` of `manifest`, with these flags.
fn apply(cluster: &Cluster, manifest: &str, flags: &[&str]) -> Done {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let path = folder.path().join("manifest.yaml");
    std::fs::write(&path, manifest).expect("the folder is writable");
    kubectl(cluster, ["apply", "-f", path.to_str().expect("its path is UTF-8")].iter().chain(flags))
}

/// A run of a query as the account `podlens`.
fn run(cluster: &Cluster, mount: &Mount, query: &str, flags: &[&str]) -> Done {
    program::run(in_pod(cluster, mount).args(["run", query, "-o", "name"]).args(flags))
}

/// Waits until a run ends so: the authorizer learns of a change a moment later.
#[track_caller]
fn ends(cluster: &Cluster, mount: &Mount, query: &str, flags: &[&str], code: i32) {
    eventually(&format!("`podlens run {query}` ends with {code}"), || {
        (run(cluster, mount, query, flags).code == code).then_some(())
    });
}

/// A namespace with a pod `web-0`.
fn shop(cluster: &Cluster) -> Namespace {
    let namespace = cluster.namespace("rbac");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    namespace
}

#[test]
fn what_is_printed_is_taken_without_a_warning_twice() {
    let cluster = cluster();
    let (shop, other) = (shop(cluster), cluster.namespace("rbac"));
    let account = format!("{shop}:printed");
    for arguments in [
        &["pod-names", "-n", &shop][..],
        &["restarts", "-n", &shop, "-n", &other, "--service-account", "reader"],
        &["restarts", "-A", "--service-account", &account],
    ] {
        let manifest = printed(arguments);
        // The pod is only admitted when its account is there: the first apply creates it.
        let done = apply(cluster, &manifest, &[]);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{manifest}");
        let done = apply(cluster, &manifest, &["--dry-run=server"]);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
        assert!(
            done.stdout
                .lines()
                .all(|line| line.ends_with("unchanged (server dry run)") || line.ends_with("configured (server dry run)"))
        );
    }
}

#[test]
fn it_is_enough_and_nothing_of_it_can_be_left_out() {
    let cluster = cluster();
    let namespace = shop(cluster);
    let manifest = printed(&["pod-names", "-n", &namespace]);
    // Before anything is there, the account is not either.
    answer(kubectl(cluster, ["create", "serviceaccount", "podlens", "-n", &namespace]));
    let mount = cluster.mount(&namespace, "podlens");
    assert_eq!(run(cluster, &mount, "pod-names", &[]).code, 3);

    assert_eq!(apply(cluster, &manifest, &[]).code, 0);
    ends(cluster, &mount, "pod-names", &[], 0);
    assert_eq!(answer(run(cluster, &mount, "pod-names", &[])), "pod/podlens-pod-names\npod/web-0\n");

    // The query lists and never gets: that is all there is in the role, and with less it is refused.
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
    let rules = cluster.get(&format!("{rbac}/roles/podlens"))["rules"].clone();
    assert_eq!(rules, json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["list"] }]));
    for (path, change) in [
        (format!("{rbac}/roles/podlens"), json!({ "rules": [] })),
        (format!("{rbac}/rolebindings/podlens"), json!({ "subjects": [] })),
    ] {
        cluster.patch(&path, &change);
        ends(cluster, &mount, "pod-names", &[], 3);
        assert_eq!(apply(cluster, &manifest, &[]).code, 0);
        ends(cluster, &mount, "pod-names", &[], 0);
    }
}

#[test]
fn each_verb_is_there_for_who_uses_it() {
    let cluster = cluster();
    let namespace = shop(cluster);
    let get = ["-p", "name=web-0", "-p", &format!("namespace={namespace}")].map(str::to_owned);
    let get: Vec<_> = get.iter().map(String::as_str).collect();
    let account = |name: &str| format!("{namespace}:{name}");
    // `asks` lists, and gets what it is given by name.
    let manifest = printed(&[guests::ASKS, "-n", &namespace, "--service-account", &account("asks")]);
    assert_eq!(apply(cluster, &manifest, &[]).code, 0);
    let mount = cluster.mount(&namespace, "asks");
    ends(cluster, &mount, guests::ASKS, &[], 0);
    ends(cluster, &mount, guests::ASKS, &get, 0);
    let role = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/podlens-asks");
    for (verbs, listed, got) in [(["list"], 0, 3), (["get"], 3, 0)] {
        cluster.patch(&role, &json!({ "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": verbs }] }));
        ends(cluster, &mount, guests::ASKS, &[], listed);
        ends(cluster, &mount, guests::ASKS, &get, got);
    }

    // A query that reads no pods needs no role, and gets none.
    let manifest = printed(&[guests::SLEEPS, "-n", &namespace]);
    assert!(!manifest.contains("kind: Role") && manifest.contains("it reads no pods"), "{manifest}");
}

#[test]
fn several_namespaces_and_all_of_them() {
    let cluster = cluster();
    let (one, two, three) = (shop(cluster), shop(cluster), shop(cluster));
    let both = ["-n", &one, "-n", &two];
    let account = format!("{one}:several");
    assert_eq!(apply(cluster, &printed(&[&["pod-names", "--service-account", &account], &both[..]].concat()), &[]).code, 0);
    let mount = cluster.mount(&one, "several");
    ends(cluster, &mount, "pod-names", &both, 0);
    assert_eq!(run(cluster, &mount, "pod-names", &["-n", &three]).code, 3);
    assert_eq!(run(cluster, &mount, "pod-names", &["-A"]).code, 3);
    // The binding in the other namespace names the account's own.
    let binding = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{two}/rolebindings/podlens-{one}.several");
    cluster.delete(&binding);
    ends(cluster, &mount, "pod-names", &["-n", &two], 3);

    // Of a pod that is there, what it runs cannot be changed.
    cluster.delete(&format!("/api/v1/namespaces/{one}/pods/several-pod-names"));
    let done = apply(cluster, &printed(&["pod-names", "-A", "--service-account", &account]), &[]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    ends(cluster, &mount, "pod-names", &["-A"], 0);
    cluster.delete(&format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/podlens-{one}.several"));
    ends(cluster, &mount, "pod-names", &["-A"], 3);
}

/// `podlens rbac`, as the cluster's admin.
fn as_admin(cluster: &Cluster) -> Command {
    with_kubeconfig(cluster.kubeconfig_path())
}

#[test]
fn a_check_asks_about_others_and_about_ourselves() {
    let cluster = cluster();
    let namespace = shop(cluster);
    cluster.create_service_account(&namespace, "podlens");
    let mount = cluster.mount(&namespace, "podlens");
    let check = ["rbac", guests::ASKS, "-n", &namespace, "--check"];
    let user = format!("system:serviceaccount:{namespace}:podlens");

    cluster.grant_pods(&namespace, "podlens", &["list"]);
    for (mut command, how) in
        [(as_admin(cluster), "SubjectAccessReview"), (in_pod(cluster, &mount), "SelfSubjectAccessReview, as we are it")]
    {
        let done = program::run(command.args(check));
        let lines: Vec<_> = done.stdout.lines().collect();
        assert_eq!(done.code, 3, "{done:?}");
        assert_eq!((lines[0], lines[1]), (&*format!("`{user}`, asked by {how}:"), &*format!("✘ get pods in `{namespace}`")));
        assert!(lines[2].starts_with(&format!("✔ list pods in `{namespace}`: RBAC: allowed by RoleBinding ")), "{}", lines[2]);
        assert!(done.stderr.starts_with(&format!("error: `{user}` may not do all that the query needs\n")), "{}", done.stderr);
    }

    cluster.grant_pods(&namespace, "podlens", &["get"]);
    let done = program::run(as_admin(cluster).args(check));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{}", done.stdout);

    // Somebody else may not ask.
    cluster.create_service_account(&namespace, "other");
    let done = program::run(in_pod(cluster, &cluster.mount(&namespace, "other")).args(check));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("may not ask what") && done.stderr.contains("subjectaccessreviews"), "{}", done.stderr);
}

#[test]
fn a_diff_tells_what_is_missing_and_what_is_too_much() {
    let cluster = cluster();
    let namespace = shop(cluster);
    cluster.create_service_account(&namespace, "podlens");
    let mount = cluster.mount(&namespace, "podlens");
    let diff = ["rbac", "pod-names", "-n", &namespace, "--diff"];
    let of = |mut command: Command| program::run(command.args(diff));
    let has = |done: &Done, line: &str| {
        assert!(done.stdout.lines().any(|seen| seen.starts_with(line)), "`{line}` is not in\n{}", done.stdout);
    };

    let done = of(as_admin(cluster));
    assert_eq!(done.code, 3);
    has(&done, &format!("  - missing: list pods in `{namespace}`"));
    assert!(!done.stdout.contains("  + "), "{}", done.stdout);

    cluster.grant_pods(&namespace, "podlens", &["list"]);
    for command in [as_admin(cluster), in_pod(cluster, &mount)] {
        let done = of(command);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{}", done.stdout);
        has(&done, &format!("  = needed: list pods in `{namespace}`: RBAC: allowed by RoleBinding "));
    }

    let rule = |resources: Value, verbs: Value| json!({ "apiGroups": [""], "resources": resources, "verbs": verbs });
    cluster.grant(&namespace, "podlens", &rule(json!(["pods/exec"]), json!(["create"])));
    cluster.grant(&namespace, "podlens", &rule(json!(["secrets"]), json!(["get"])));
    cluster.grant(&namespace, "podlens", &rule(json!(["services"]), json!(["list"])));
    let attributes = json!({ "namespace": &*namespace, "verb": "list", "resource": "services" });
    cluster.wait_until_allowed(&format!("system:serviceaccount:{namespace}:podlens"), &attributes);

    let done = of(as_admin(cluster));
    assert_eq!((done.code, done.stderr.as_str()), (7, ""));
    has(&done, &format!("  + not needed: create pods/exec in `{namespace}`: RBAC: "));
    has(&done, &format!("  + not needed: get secrets in `{namespace}`: RBAC: "));
    has(&done, "asked by SubjectAccessReview: ");
    assert!(!done.stdout.contains("services"), "it is not asked about: {}", done.stdout);
    assert!(done.stdout.contains("not seen: other resources"), "{}", done.stdout);

    // What one may oneself is listed, all of it.
    let done = of(in_pod(cluster, &mount));
    assert_eq!((done.code, done.stderr.as_str()), (7, ""));
    has(&done, &format!("  + not needed: create pods/exec in `{namespace}`"));
    has(&done, &format!("  + not needed: list services in `{namespace}`"));
    has(&done, "listed by SelfSubjectRulesReview for ");
}

#[test]
fn a_right_in_all_namespaces_is_too_much_for_one() {
    let cluster = cluster();
    let namespace = shop(cluster);
    let account = format!("{namespace}:podlens");
    assert_eq!(apply(cluster, &printed(&["pod-names", "-A", "--service-account", &account]), &[]).code, 0);
    let user = format!("system:serviceaccount:{account}");
    cluster.wait_until_allowed(&user, &json!({ "verb": "list", "resource": "pods" }));
    let mount = cluster.mount(&namespace, "podlens");
    // Asked by an admin and by the account alike.
    for mut command in [as_admin(cluster), in_pod(cluster, &mount)] {
        let done = program::run(command.args(["rbac", "pod-names", "-n", &namespace, "--diff"]));
        assert_eq!((done.code, done.stderr.as_str()), (7, ""), "{}", done.stdout);
        assert!(done.stdout.contains("  + not needed: list pods in all namespaces: RBAC: "), "{}", done.stdout);
    }
}

#[test]
fn another_component_takes_the_place_of_the_first() {
    let cluster = cluster();
    let namespace = shop(cluster);
    for component in ["pod-names", guests::ASKS, "restarts"] {
        let done = apply(cluster, &printed(&[component, "-n", &namespace]), &[]);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{component}");
    }
    let pods = cluster.get(&format!("/api/v1/namespaces/{namespace}/pods"));
    let names: Vec<_> = pods["items"].as_array().unwrap().iter().map(|pod| pod["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["podlens-asks", "podlens-pod-names", "podlens-restarts", "web-0"]);
}
