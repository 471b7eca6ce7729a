//! Several clusters and namespaces at once: what one refuses is a warning, and never silence.

use podlens_tests::fake::{Answer, Authority, Fake, get};
use podlens_tests::program;
use serde_json::json;

use crate::arrange::{DOCTOR, NAMESPACE, Place, TOKEN, pod_list, pods};

fn forbidden(namespace: &str) -> Answer {
    let message =
        format!("pods is forbidden: User \"u\" cannot list resource \"pods\" in API group \"\" in the namespace \"{namespace}\"");
    Answer::status(403, "Forbidden", &message)
}

fn pods_of(namespace: &str, names: &[&str]) -> Answer {
    let pods: Vec<_> = names.iter().map(|name| json!({ "metadata": { "name": name, "namespace": namespace } })).collect();
    Answer::json(200, pod_list(&pods, "").to_string())
}

fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

const RBAC: &str = "hint: the API server's RBAC decides this: it takes a Role and a RoleBinding in the namespace, and `podlens rbac` prints \
                    what a query needs";

fn refused(namespace: &str) -> [String; 2] {
    [
        format!("  caused by: `https://127.0.0.1:PORT` answered `GET {}` with 403 Forbidden", path(namespace)),
        format!(
            "  caused by: pods is forbidden: User \"u\" cannot list resource \"pods\" in API group \"\" in the namespace \"{namespace}\""
        ),
    ]
}

#[track_caller]
fn check_namespaces(script: &[(&str, Answer)], arguments: &[&str], code: i32, stdout: &[&str], stderr: &[&str]) {
    let fake = script.iter().fold(Fake::builder(), |fake, (namespace, answer)| fake.always(get(&path(namespace)), answer.clone()));
    let fake = fake.start();
    let place = Place::mount(fake.authority());
    place.check(place.in_pod("127.0.0.1", fake.port()).arg("run").args(arguments), code, stdout, stderr);
}

#[test]
fn a_namespace_that_is_refused_is_left_out_and_told() {
    let [answered, said] = refused("b");
    check_namespaces(
        &[("a", pods_of("a", &["x"])), ("b", forbidden("b")), ("c", pods_of("c", &["z"]))],
        &["pod-names", "-n", "a", "-n", "b", "-n", "c"],
        7,
        &["NAMESPACE   NAME", "a           x", "c           z", "# the answer is not complete"],
        &["warning: namespace `b` is not in the answer", &answered, &said, RBAC, DOCTOR],
    );
}

#[test]
fn nothing_is_left_of_namespaces_that_are_all_refused() {
    let fake = Fake::builder().always(get(&path("a")), forbidden("a")).always(get(&path("b")), forbidden("b")).start();
    let place = Place::mount(fake.authority());
    let done = place.run(place.in_pod("127.0.0.1", fake.port()).args(["run", "pod-names", "-n", "a", "-n", "b"]));
    assert_eq!((done.code, done.stdout.as_str()), (3, ""));
    assert!(done.stderr.contains("warning: namespace `a` is not in the answer\n"), "{}", done.stderr);
    assert!(done.stderr.contains("error: the query could not be answered\n"), "{}", done.stderr);
    assert!(!done.stderr.contains("No rows found"), "{}", done.stderr);
}

/// A query whose rows do not tell their namespace runs once for each.
#[test]
fn rows_say_which_namespace_they_are_of() {
    let pods_with = |namespace: &str, images: &[&str]| {
        let pod = |(index, image): (usize, &&str)| {
            json!({ "metadata": { "name": format!("p{index}"), "namespace": namespace },
                    "spec": { "containers": [{ "name": "c", "image": image }] } })
        };
        let pods: Vec<_> = images.iter().enumerate().map(pod).collect();
        Answer::json(200, pod_list(&pods, "").to_string())
    };
    let script = [("a", pods_with("a", &["web:1", "web:1"])), ("b", pods_with("b", &["web:1"])), ("c", forbidden("c"))];
    check_namespaces(
        &script[..2],
        &["images", "-n", "b", "-n", "a", "-o", "csv"],
        0,
        &["namespace,image,pods,pinned", "b,web:1,1,false", "a,web:1,2,false"],
        &[],
    );
    let [answered, said] = refused("c");
    check_namespaces(
        &[script[0].clone(), script[2].clone()],
        &["images", "-n", "a", "-n", "c", "--no-headers"],
        7,
        &["a     web:1   2     false", "# the answer is not complete"],
        &[
            "warning: namespace `c` is not in the answer",
            "  caused by: the query could not be answered",
            &answered,
            &said,
            RBAC,
            DOCTOR,
        ],
    );
}

/// What a run gave before a limit ended it is not all of its namespace's.
#[test]
fn rows_of_a_run_that_broke_off_are_not_shown() {
    let pods_with = |namespace: &str, images: usize| {
        let containers: Vec<_> = (0..images).map(|it| json!({ "name": format!("c{it}"), "image": format!("web:{it}") })).collect();
        let pod = json!({ "metadata": { "name": "p", "namespace": namespace }, "spec": { "containers": containers } });
        Answer::json(200, pod_list(&[pod], "").to_string())
    };
    check_namespaces(
        &[("a", pods_with("a", 1)), ("b", pods_with("b", 3))],
        &["images", "-n", "a", "-n", "b", "-o", "csv", "--max-rows", "2"],
        7,
        &["namespace,image,pods,pinned", "a,web:0,1,false"],
        &[
            "warning: namespace `b` is not in the answer",
            "  caused by: the run reached its limit of rows: 2",
            "hint: raise it with `--max-rows`, if the query should have more",
        ],
    );
}

/// A kubeconfig of two clusters.
fn two_clusters(place: &Place, authority: &Authority, ports: [u16; 2]) {
    place.write("ca.crt", authority.pem());
    let named = |name: &str, value: serde_json::Value, key: &str| json!({ "name": name, key: value });
    let cluster = |port: u16| json!({ "server": format!("https://127.0.0.1:{port}"), "certificate-authority": "ca.crt" });
    let context = |cluster: &str| json!({ "cluster": cluster, "user": "dev", "namespace": NAMESPACE });
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "east",
        "clusters": [named("east", cluster(ports[0]), "cluster"), named("west", cluster(ports[1]), "cluster")],
        "contexts": [named("east", context("east"), "context"), named("west", context("west"), "context")],
        "users": [{ "name": "dev", "user": { "token": TOKEN } }],
    });
    place.write("config", config.to_string());
}

#[test]
fn rows_say_which_cluster_they_are_of() {
    let authority = Authority::new();
    let east = Fake::builder().authority(&authority).always(get(crate::arrange::PODS), pods(&["a"], "")).start();
    let west = Fake::builder().authority(&authority).always(get(crate::arrange::PODS), pods(&["b", "c"], "")).start();
    let place = Place::empty();
    two_clusters(&place, &authority, [east.port(), west.port()]);
    place.check(
        place.with_kubeconfig().args(["run", "pod-names", "--context", "west", "--context", "east"]),
        0,
        &["CLUSTER   NAMESPACE   NAME", "west      shop        b", "west      shop        c", "east      shop        a"],
        &[],
    );
    place.check(place.with_kubeconfig().args(["run", "pod-names", "--context", "west", "-o", "name"]), 0, &["pod/b", "pod/c"], &[]);
}

#[test]
fn a_cluster_that_is_away_is_a_warning() {
    let authority = Authority::new();
    let east = Fake::builder().authority(&authority).always(get(crate::arrange::PODS), pods(&["a"], "")).start();
    let place = Place::empty();
    two_clusters(&place, &authority, [east.port(), 1]);
    let contexts = ["run", "pod-names", "-o", "json", "--context", "west", "--context", "east"];
    let done = program::run(place.with_kubeconfig().args(contexts));
    assert_eq!(done.code, 7, "{}", done.stderr);
    assert!(done.stdout.contains(r#""cluster": "east""#), "{}", done.stdout);
    serde_json::from_str::<serde_json::Value>(&done.stdout).expect("what the others gave can be read");
    assert!(done.stderr.starts_with("warning: cluster `west` is not in the answer\n"), "{}", done.stderr);
    let done = program::run(place.with_kubeconfig().args(contexts).args(["--context", "nosuch"]));
    assert_eq!(done.code, 7, "{}", done.stderr);
    assert!(done.stderr.contains("cluster `nosuch` is not in the answer\n"), "{}", done.stderr);
    let done = program::run(place.with_kubeconfig().args(["run", "pod-names", "--context", "west", "--context", "nosuch"]));
    assert_eq!((done.code, done.stdout.as_str()), (4, ""), "{}", done.stderr);
}
