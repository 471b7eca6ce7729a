//! `podlens policy`: a policy file is checked, and a query held against it, without a cluster.

use podlens_tests::guests;
use podlens_tests::program::{Done, command};
use serde_json::{Value, json};

use crate::arrange::Place;

const POLICY: &str = "\
apiVersion: podlens.dev/v1alpha1
kind: Policy
tenants:
- name: checkout
  callers: [{serviceAccount: {namespace: shop, name: dashboards}}]
  identity: {serviceAccount: {namespace: shop, name: podlens-reader}}
  namespaces: [shop, payments]
  labelSelector: team=checkout
  withhold: [env, ips]
  queries: [{name: restarts}]
- name: guests
  callers: [{anonymous: true}]
  identity: host
  allNamespaces: true
  upload: {}
";

fn policy(text: &str, arguments: &[&str]) -> Done {
    let place = Place::empty();
    let file = place.write("policy.yaml", text);
    let (command_name, rest) = arguments.split_first().expect("a subcommand");
    place.run(command().args(["policy", command_name]).arg(file).args(rest))
}

#[test]
fn a_summary_says_who_may_what() {
    let done = policy(POLICY, &["check"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    for line in [
        "Tenant checkout",
        "  callers        the service account `shop:dashboards`",
        "  reads as       the service account `shop:podlens-reader`",
        "  pods           of payments, shop; labels team=checkout",
        "  whole objects  no",
        "  withheld       env, ips",
        "  queries        restarts (comes with podlens)",
        "  uploads        none",
        "Tenant guests",
        "  callers        anybody",
        "  reads as       the server's own account",
        "  pods           of all namespaces",
        "  withheld       env",
        "  queries        none",
        "  uploads        4 components of at most 8Mi each",
    ] {
        assert!(done.stdout.lines().any(|it| it == line), "`{line}` is not in {}", done.stdout);
    }
}

#[test]
fn programs_are_told_the_same_in_json() {
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let more = format!("- name: tokens\n  callers: [{{tokenSHA256: {hash}}}]\n  identity: host\n  namespaces: [shop]\n");
    let done = policy(&(POLICY.to_owned() + &more), &["check", "-o", "json"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let mut told: Value = serde_json::from_str(&done.stdout).expect("it is JSON");
    assert!(told["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{told}");
    assert_eq!((&told["audience"], &told["concurrentRuns"], &told["cache"]), (&json!("podlens"), &Value::Null, &Value::Null));
    let tenants = told["tenants"].as_array_mut().expect("it is a list");
    for tenant in tenants.iter_mut() {
        // Defaults, which the limits' and the policy's own tests have.
        let [limits, rates] = ["limits", "rates"].map(|name| tenant[name].take());
        assert!(limits["max-pods"].is_u64() && limits["timeout"].is_u64(), "{limits}");
        assert!(rates["concurrentRuns"].is_u64() && rates["queue"].is_u64() && rates["runsPerSecond"].is_f64(), "{rates}");
    }
    let account = |name: &str| json!({ "serviceAccount": { "namespace": "shop", "name": name } });
    assert_eq!(
        tenants[0],
        json!({
            "name": "checkout", "callers": [account("dashboards")], "identity": account("podlens-reader"), "allNamespaces": false,
            "namespaces": ["payments", "shop"], "labelSelector": "team=checkout", "fieldSelector": "", "wholeObjects": false,
            "withhold": ["env", "ips"], "queries": [{ "name": "restarts", "digest": null }], "upload": null, "limits": null, "rates": null,
        })
    );
    let guests = &tenants[1];
    assert_eq!((&guests["callers"], &guests["identity"]), (&json!([{ "anonymous": true }]), &json!("host")));
    assert_eq!((&guests["allNamespaces"], &guests["namespaces"]), (&json!(true), &json!([])));
    assert_eq!(guests["upload"], json!({ "components": 4, "componentBytes": 8 << 20 }));
    assert_eq!(tenants[2]["callers"], json!([{ "tokenSHA256Prefix": &hash[..12] }]));
    let none = policy("kind: Nothing", &["check", "-o", "json"]);
    assert_eq!((none.code, none.stdout.as_str()), (2, ""));
}

#[test]
fn what_is_no_policy_is_wrong_usage_and_says_where() {
    for (text, expected) in [
        (POLICY.replace("host", "root"), "tenants[1].identity: is `root`, expected whom the API server is asked as"),
        (POLICY.replace("  withhold", "  withold"), "tenants[0]: has `withold`, expected one of `name`"),
        (POLICY.replace("restarts", "restart"), "tenant `checkout` has a query `restart` without `digest`"),
        (String::new(), "is empty, expected a mapping of `apiVersion`"),
        ("# \n".repeat(1 << 20), "it has more than 1048576 bytes"),
    ] {
        let done = policy(&text, &["check"]);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""));
        assert!(done.stderr.contains(expected), "{}", done.stderr);
    }
    let missing = Place::empty().run(command().args(["policy", "check", "missing.yaml"]));
    assert_eq!(missing.code, 2);
}

#[test]
fn a_query_is_held_against_a_tenant() {
    for (tenant, query, code, expected) in [
        ("checkout", "restarts", 0, "as `restarts`"),
        ("checkout", "images", 3, "NO: it is none of `restarts`; this one is sha256:"),
        ("guests", "images", 0, "as a component that the tenant brings"),
        ("guests", guests::OBJECTS, 3, "NO: whole objects are not granted"),
    ] {
        let done = policy(POLICY, &["explain", "--tenant", tenant, "--query", query]);
        assert_eq!(done.code, code, "{tenant} {query}: {}", done.stderr);
        assert!(done.stdout.contains(expected), "{tenant} {query}: {}", done.stdout);
    }
    let stranger = policy(POLICY, &["explain", "--tenant", "nobody", "--query", "restarts"]);
    assert_eq!((stranger.code, stranger.stdout.as_str()), (2, ""));
    assert!(stranger.stderr.contains("hint: its tenants are: `checkout`, `guests`"), "{}", stranger.stderr);
}

#[test]
fn whether_a_tenant_may_is_told_to_programs_too() {
    for (query, code, refused) in [("restarts", 0, false), ("images", 3, true)] {
        let done = policy(POLICY, &["explain", "--tenant", "checkout", "--query", query, "-o", "json"]);
        assert_eq!(done.code, code, "{}", done.stderr);
        let told: Value = serde_json::from_str(&done.stdout).expect("it is JSON");
        assert_eq!((&told["tenant"], &told["allowed"]), (&json!("checkout"), &json!(!refused)));
        assert!(told["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{told}");
        let first = &told["lines"][0];
        assert_eq!((&first["asks"], &first["refused"]), (&json!("runs"), &json!(refused)));
        assert!(first["given"].as_str().is_some_and(|given| given.contains("`restarts`")), "{first}");
    }
}
