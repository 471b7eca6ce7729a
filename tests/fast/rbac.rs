//! `podlens rbac` without a cluster: what it prints for what a component imports. What that is worth is the real lane's to show.

use podlens_tests::fake::{Answer, Fake, post};
use podlens_tests::guests;
use podlens_tests::program::{Done, command};
use serde_json::{Value, json};

use crate::arrange::{Place, check_golden};
use crate::by_hand::{IMPORTS, Parts};

fn rbac(arguments: &[&str]) -> Done {
    Place::empty().run(command().arg("rbac").args(arguments))
}

#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let done = rbac(arguments);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    done.stdout
}

#[test]
fn one_namespace_is_a_role_with_what_is_imported() {
    check_golden("rbac-list", &printed(&["pod-names", "-n", "shop"]));
}

#[test]
fn all_namespaces_are_a_cluster_role() {
    check_golden("rbac-all", &printed(&["pod-names", "-A", "--service-account", "shop:reader"]));
}

#[test]
fn several_namespaces_are_a_role_each() {
    let text = printed(&["pod-names", "-n", "shop", "-n", "123", "-n", "shop"]);
    let roles: Vec<_> = text.lines().filter(|line| line.starts_with("kind: ") || line.starts_with("  namespace: ")).collect();
    let role = ["kind: Role", "  namespace: shop", "kind: RoleBinding", "  namespace: shop", "  namespace: shop"];
    // What could be a number is quoted, and the account keeps its namespace.
    let other = ["kind: Role", "  namespace: \"123\"", "kind: RoleBinding", "  namespace: \"123\"", "  namespace: shop"];
    let (head, tail) = (["kind: ServiceAccount", "  namespace: shop"], ["kind: Pod", "  namespace: shop"]);
    let expected = [&head[..], &role, &other, &tail].concat();
    assert_eq!(roles, expected, "{text}");
}

#[test]
fn what_a_component_does_not_import_is_not_given() {
    let place = Place::empty();
    let get = r#"(import "podlens:query/pods@0.1.0" "get" (func $get (param i32 i32 i32 i32 i32 i32)))"#;
    let only_get = Parts { imports: get.to_owned(), ..Parts::default() }.build();
    let path = place.write("get.wasm", only_get);
    let verbs = |component: &str| {
        let text = printed(&[component, "-n", "shop"]);
        text.lines().filter_map(|line| line.strip_prefix("  verbs: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(verbs(path.to_str().unwrap()), [r#"["get"]"#]);
    assert_eq!(verbs("pod-names"), [r#"["list"]"#]);
    assert_eq!(verbs(guests::ASKS), [r#"["get", "list"]"#]);
    let both = place.write("both.wasm", Parts { imports: IMPORTS.to_owned(), ..Parts::default() }.build());
    assert_eq!(verbs(both.to_str().unwrap()), [r#"["get", "list"]"#]);
    assert_eq!(verbs(guests::SLEEPS), [""; 0]);
}

#[test]
fn a_component_of_ones_own_has_a_place_in_the_image() {
    let text = printed(&[guests::ASKS, "-n", "shop"]);
    assert!(text.contains("command: [\"podlens\", \"run\", \"/queries/asks.wasm\"]"), "{text}");
    let text = printed(&[guests::ASKS, "-n", "shop", "--service-account", "infra:asks"]);
    assert!(text.contains("\"/queries/asks.wasm\", \"-n\", \"shop\"]"), "{text}");
}

#[test]
fn without_any_configuration_a_word_is_said() {
    let done = rbac(&["pod-names"]);
    assert_eq!(done.code, 0);
    assert!(done.stdout.contains("  namespace: default\n"));
    assert!(done.stderr.starts_with("warning: the namespace is `default`, since no other is configured: "), "{}", done.stderr);
}

#[test]
fn a_configuration_that_cannot_be_used_is_no_reason_to_guess() {
    let place = Place::empty();
    place.write("config", "users: [");
    let done = place.run(place.with_kubeconfig().args(["rbac", "pod-names"]));
    assert_eq!((done.code, done.stdout.as_str()), (4, ""));
    assert!(done.stderr.starts_with("error: the namespace is not known: ") && done.stderr.contains("give `-n`"), "{}", done.stderr);
    let done = place.run(place.with_kubeconfig().args(["rbac", "pod-names", "-n", "shop"]));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}

#[test]
fn a_list_that_is_not_whole_is_not_just_this() {
    let review = |kind: &str, status: Value| Answer::json(201, json!({ "kind": kind, "status": status }).to_string());
    let user = json!({ "userInfo": { "username": "system:serviceaccount:shop:podlens", "groups": [] } });
    let rules = json!({ "incomplete": true, "evaluationError": "webhook", "resourceRules": [], "nonResourceRules": [] });
    let fake = Fake::builder()
        .always(post("/apis/authorization.k8s.io/v1/subjectaccessreviews"), Answer::status(403, "Forbidden", "no"))
        .always(post("/apis/authentication.k8s.io/v1/selfsubjectreviews"), review("SelfSubjectReview", user))
        .always(post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"), review("SelfSubjectRulesReview", rules))
        .script([(
            post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
            review("SelfSubjectAccessReview", json!({ "allowed": true })),
        )])
        .always(
            post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
            review("SelfSubjectAccessReview", json!({ "allowed": false })),
        )
        .start();
    let place = Place::mount(fake.authority());
    let done = place.run(place.in_pod("127.0.0.1", fake.port()).args(["rbac", "pod-names", "--diff"]));
    assert_eq!((done.code, done.stderr.as_str()), (8, ""), "{}", done.stdout);
    assert!(done.stdout.contains("is incomplete, says the API server: webhook"), "{}", done.stdout);
}

#[test]
fn an_account_that_is_none_is_wrong_usage() {
    for account in ["Podlens", "a:b:c", "", ":a", "a/b"] {
        let done = rbac(&["pod-names", "-n", "shop", "--service-account", account]);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{account}: {}", done.stderr);
    }
}
