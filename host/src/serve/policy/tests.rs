//! What a policy file gives, and how it is told what is wrong in one.

use super::*;
use crate::kube::{FieldSelector, LabelSelector};
use crate::limits::Limit;
use crate::policy::Redaction;

const HEAD: &str = "apiVersion: podlens.dev/v1alpha1\nkind: Policy\n";
const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn parse(text: &str) -> Result<Policy, String> {
    Policy::parse(text.as_bytes()).map_err(|error| error.to_string())
}

/// A policy of one tenant, with these lines about it beside what is needed.
fn with(lines: &str) -> Result<Policy, String> {
    parse(&format!("{HEAD}tenants:\n- name: t\n  callers: [{{anonymous: true}}]\n  identity: host\n  namespaces: [shop]\n{lines}"))
}

fn account(namespace: &str, name: &str) -> ServiceAccount {
    ServiceAccount::new(Namespace::parse(namespace).unwrap(), name).unwrap()
}

fn tenant(policy: &Policy, name: &str) -> Arc<Tenant> {
    policy.tenants[&TenantName::parse(name).unwrap()].clone()
}

#[test]
fn every_key_is_read() {
    let text = format!(
        "{HEAD}audience: lens
concurrentRuns: 8
cache:
  identity: {{serviceAccount: {{namespace: podlens, name: podlens-cache}}}}
  bytes: 128Mi
  idle: 5m
tenants:
- name: checkout
  callers:
  - serviceAccount: {{namespace: shop, name: dashboards}}
  - tokenSHA256: {HASH}
  - certificate: {{commonName: jane}}
  identity: {{serviceAccount: {{namespace: shop, name: podlens-reader}}}}
  namespaces: [shop, payments]
  labelSelector: team=checkout
  fieldSelector: status.phase!=Failed
  wholeObjects: true
  withhold: [env, annotations]
  queries:
  - name: restarts
  - name: mine
    digest: sha256:{HASH}
  upload: {{components: 3, componentBytes: 1Mi}}
  limits: {{timeout: 10s, memory-limit: 64Mi, max-pods: 10000}}
  rates: {{concurrentRuns: 4, runsPerSecond: 0.5, queue: 100}}
- name: everybody
  callers: [{{anonymous: true}}]
  identity: host
  allNamespaces: true
"
    );
    let policy = parse(&text).unwrap();
    assert_eq!((policy.audience.as_str(), policy.concurrent_runs), ("lens", Some(8)));
    assert_eq!(policy.digest, Digest::of(text.as_bytes()));
    let identity = Identity::ServiceAccount(account("podlens", "podlens-cache"));
    assert_eq!(policy.cache, Some(CachePolicy { identity, bytes: 128 << 20, idle: Duration::from_secs(300) }));
    assert_eq!(policy.tenants.keys().map(TenantName::as_str).collect::<Vec<_>>(), ["checkout", "everybody"]);

    let checkout = tenant(&policy, "checkout");
    let hash = *Digest::from_hex(HASH).unwrap().as_bytes();
    let jane = Caller::Certificate { common_name: "jane".into() };
    assert_eq!(checkout.callers, [Caller::ServiceAccount(account("shop", "dashboards")), Caller::TokenSha256(hash), jane]);
    assert_eq!(checkout.identity, Identity::ServiceAccount(account("shop", "podlens-reader")));
    let grant = Grant::nothing()
        .namespace(Namespace::parse("shop").unwrap())
        .namespace(Namespace::parse("payments").unwrap())
        .labels(&LabelSelector::parse("team=checkout").unwrap())
        .fields(&FieldSelector::parse("status.phase!=Failed").unwrap())
        .whole_objects()
        .withhold(Redaction::Env)
        .withhold(Redaction::Annotations);
    assert_eq!(checkout.grant, grant);
    let query = |name, digest| AllowedQuery { name: QueryName::parse(name).unwrap(), digest };
    assert_eq!(checkout.queries, [query("restarts", None), query("mine", Digest::from_hex(HASH))]);
    assert_eq!(checkout.upload, Some(Upload { components: 3, component_bytes: 1 << 20 }));
    let set = [Limit::WallTime, Limit::Memory, Limit::Pods, Limit::Rows].map(|limit| checkout.limits.get(limit));
    assert_eq!(set, [10_000, 64 << 20, 10_000, limits::defaults().get(Limit::Rows)]);
    assert_eq!(checkout.rates, Rates { concurrent_runs: 4, runs_per_second: 0.5, queue: 100 });
}

#[test]
fn what_is_not_spelled_out_is_not_given() {
    let policy = with("").unwrap();
    assert_eq!((policy.audience.as_str(), policy.concurrent_runs, policy.cache.as_ref()), ("podlens", None, None));
    let tenant = tenant(&policy, "t");
    assert_eq!(tenant.grant, Grant::nothing().namespace(Namespace::parse("shop").unwrap()).withhold(Redaction::Env));
    assert_eq!((tenant.queries.len(), tenant.upload, &tenant.limits), (0, None, &limits::defaults()));
    assert_eq!(tenant.rates, Rates { concurrent_runs: 2, runs_per_second: 5.0, queue: 20 });

    assert_eq!(with("  withhold: []\n").unwrap().tenants.values().next().unwrap().grant, {
        Grant::nothing().namespace(Namespace::parse("shop").unwrap())
    });
    assert!(parse(&format!("{HEAD}tenants: []\n")).unwrap().tenants.is_empty());
    let upload = with("  upload: {}\n").unwrap().tenants.values().next().unwrap().upload;
    assert_eq!(upload, Some(Upload { components: 4, component_bytes: 8 << 20 }));
}

#[test]
fn an_error_of_a_tenant_names_its_place() {
    let withheld = "`env`, `annotations`, `labels`, `images`, `ips`, `messages`, `nodes`";
    let label = "a name: 1 to 63 of a-z, 0-9 and `-`, beginning and ending with a letter or digit";
    for (lines, expected) in [
        ("  limits: {timeout: 10}", "limits.timeout: is the number `10`, expected a duration above 0, such as 30s, 500ms or 5m"),
        ("  limits: {timeout: 301s}", "limits.timeout: is `301s`, expected at most 300s"),
        ("  limits: {memory-limit: 2Gi}", "limits.memory-limit: is `2Gi`, expected at most 1Gi"),
        ("  limits: {max-pods: 0}", "limits.max-pods: is the number `0`, expected a whole number above 0, such as 500"),
        ("  limits: {max-pods: [1]}", "limits.max-pods: is a list, expected a whole number above 0, such as 500"),
        ("  rates: {queue: 0}", "rates.queue: is the number `0`, expected a whole number from 1 to 10000"),
        ("  rates: {queue: '5'}", "rates.queue: is `5`, expected a whole number from 1 to 10000"),
        ("  rates: {runsPerSecond: 0}", "rates.runsPerSecond: is the number `0`, expected a number from 0.01 to 100000"),
        ("  rates: {runsPerSecond: '5'}", "rates.runsPerSecond: is `5`, expected a number from 0.01 to 100000"),
        ("  upload: {componentBytes: 1Gi}", "upload.componentBytes: is `1Gi`, expected at most 64Mi"),
        ("  upload: true", "upload: is `true`, expected a mapping of `components`, `componentBytes`"),
        ("  wholeObjects: 'yes'", "wholeObjects: is `yes`, expected `true` or `false`"),
        ("  withhold: [env, secrets]", &format!("withhold[1]: is `secrets`, expected one of {withheld}")),
        ("  withhold: env", "withhold: is `env`, expected a list of what queries do not see"),
        ("  labelSelector: ''", "labelSelector: is an empty text, expected a label selector, such as `team=checkout`"),
        ("  labelSelector:", "labelSelector: is empty, expected a label selector, such as `team=checkout`"),
        ("  labelSelector: 'a in b'", "labelSelector: "),
        ("  labelSelector: ' '", "labelSelector: has a condition that is empty: leave the field out where there is none"),
        ("  labelSelector: \"\\t\\n\"", "labelSelector: has a condition that is empty: leave the field out where there is none"),
        ("  fieldSelector: ','", "fieldSelector: has a condition that is empty: leave the field out where there is none"),
        (
            "  fieldSelector: 'status.phase=Running,,'",
            "fieldSelector: has a condition that is empty: leave the field out where there is none",
        ),
        ("  fieldSelector: spec.x=1", "fieldSelector: `spec.x` in the field selector is not a field"),
        ("  allNamespaces: true", "has `namespaces` beside `allNamespaces`, expected one of the two"),
        ("  queries: [{name: a}, {name: a}]", "queries[1].name: `a` is the name of a query before this one, too"),
        ("  queries: [{name: A}]", &format!("queries[0].name: is `A`, expected {label}")),
        ("  queries: [{digest: x}]", &format!("queries[0]: has no `name`, expected {label}")),
        (
            "  queries: [{name: a, digest: abc}]",
            "queries[0].digest: is `abc`, expected a component's digest: `sha256:` and 64 digits of 0-9 and a-f, as `podlens inspect` \
             shows it",
        ),
        ("  queries: [a]", "queries[0]: is `a`, expected a mapping of `name`, `digest`"),
        (
            "  groups: [system:masters]",
            "has `groups`, expected one of `name`, `callers`, `identity`, `namespaces`, `allNamespaces`, `labelSelector`, \
             `fieldSelector`, `wholeObjects`, `withhold`, `queries`, `upload`, `limits`, `rates`",
        ),
    ] {
        let error = with(lines).map(|_| ()).expect_err(lines);
        let separator = if expected.starts_with("has ") { ": " } else { "." };
        let expected = format!("tenants[0]{separator}{expected}");
        let is_whole = error == expected || [": ", "a field"].iter().any(|end| expected.ends_with(end));
        assert!(is_whole && error.starts_with(&expected), "{lines}: {error}\nexpected: {expected}");
    }
}

#[test]
fn an_error_of_a_caller_or_of_an_identity_names_its_place() {
    let with = |callers: &str, identity: &str| {
        parse(&format!("{HEAD}tenants:\n- {{name: t, namespaces: [a], callers: {callers}, identity: {identity}}}\n"))
    };
    let kinds = "`serviceAccount`, `tokenSHA256`, `certificate`, `anonymous`";
    let common_name = "the common name of a certificate, such as `jane`, which does not begin with `system:`";
    let account = "a service account, such as `{namespace: shop, name: podlens-reader}`";
    let hash = "the SHA-256 of a token: 64 digits of 0-9 and a-f";
    let digits = "1".repeat(64);
    let at = |callers: &str| with(callers, "host").map(|_| ()).expect_err(callers);
    for (caller, expected) in [
        ("{}", format!("is no caller, expected one of {kinds}")),
        ("{anonymous: true, certificate: {commonName: a}}", format!("is no caller, expected one of {kinds}")),
        ("{user: jane}", format!("has `user`, expected one of {kinds}")),
        ("{anonymous: false}", ".anonymous: is `false`, expected `true`, or another caller".to_owned()),
        ("{certificate: {commonName: system:masters}}", format!(".certificate.commonName: is `system:masters`, expected {common_name}")),
        ("{certificate: {commonName: ' a'}}", format!(".certificate.commonName: is ` a`, expected {common_name}")),
        ("{certificate: {commonName: true}}", format!(".certificate.commonName: is `true`, expected {common_name}, in quotes")),
        ("{certificate: {organization: a}}", ".certificate: has `organization`, expected one of `commonName`".to_owned()),
        ("{tokenSHA256: s3cret}", format!(".tokenSHA256: is not {hash}")),
        ("{serviceAccount: {name: a}}", format!(".serviceAccount: has no `namespace`, expected {account}")),
        (
            "{serviceAccount: {namespace: a, name: 'b:c'}}",
            ".serviceAccount.name: is `b:c`, expected a service account's name: 1 to 253 of a-z, 0-9, `-` and `.`".to_owned(),
        ),
        (
            "{serviceAccount: {namespace: 'a\\u000ab', name: c}}",
            ".serviceAccount.namespace: `a\\u000ab` is not a namespace: 1 to 63 of a-z, 0-9 and `-`, beginning and ending with a letter or \
             digit"
                .to_owned(),
        ),
    ] {
        let separator = if expected.starts_with('.') { "" } else { ": " };
        assert_eq!(at(&format!("[{caller}]")), format!("tenants[0].callers[0]{separator}{expected}"));
    }
    assert!(at(&format!("[{{tokenSHA256: {digits}}}]")).starts_with("tenants[0].callers[0].tokenSHA256: is the number "));
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(
        at(&format!("[{{tokenSHA256: {empty}}}]")),
        "tenants[0].callers[0].tokenSHA256: is the SHA-256 of nothing: the token was left out when it was made"
    );
    assert_eq!(at("[]"), "tenants[0].callers: is an empty list, expected who may call");
    let identity = |identity: &str| with("[{anonymous: true}]", identity).map(|_| ()).expect_err(identity);
    let expected = "whom the API server is asked as: `{serviceAccount: {namespace: …, name: …}}`, or `host` for the server itself";
    assert_eq!(identity("''"), format!("tenants[0].identity: is an empty text, expected {expected}"));
    assert_eq!(identity("system:masters"), format!("tenants[0].identity: is `system:masters`, expected {expected}"));
    assert_eq!(identity("{user: system:admin}"), "tenants[0].identity: has `user`, expected one of `serviceAccount`");
}

#[test]
fn nobody_is_a_caller_of_two() {
    for (caller, told) in [
        ("anonymous: true", "anybody"),
        ("certificate: {commonName: jane}", "who has a certificate of `jane`"),
        ("serviceAccount: {namespace: a, name: b}", "the service account `a:b`"),
        (&format!("tokenSHA256: {HASH}"), "who has the token whose SHA-256 begins with `ba7816bf8f01`"),
    ] {
        let tenant = |name: &str, callers: &str| {
            format!("- {{name: {name}, namespaces: [a], identity: host, callers: [{{{}}}]}}\n", callers.replace(" | ", "}, {"))
        };
        let two = format!("{HEAD}tenants:\n{}{}", tenant("a", caller), tenant("b", caller));
        assert_eq!(parse(&two).unwrap_err(), format!("tenants[1].callers[0]: {told} is a caller of tenant `a` already"));
        let twice = format!("{HEAD}tenants:\n{}", tenant("a", &format!("{caller} | {caller}")));
        assert_eq!(parse(&twice).unwrap_err(), format!("tenants[0].callers[1]: {told} is a caller of tenant `a` already"));
    }
}

#[test]
fn an_error_of_the_file_says_what_it_is() {
    let keys = "`apiVersion`, `kind`, `audience`, `concurrentRuns`, `cache`, `tenants`";
    let tenant = "{name: t, callers: [{anonymous: true}], identity: host, namespaces: [a]}";
    for (text, expected) in [
        (String::new(), format!("is empty, expected a mapping of {keys}")),
        ("[]".to_owned(), format!("is a list, expected a mapping of {keys}")),
        ("{}".to_owned(), "has no `apiVersion`, expected `podlens.dev/v1alpha1`".to_owned()),
        ("apiVersion: v1".to_owned(), "apiVersion: is `v1`, expected `podlens.dev/v1alpha1`".to_owned()),
        ("apiVersion: podlens.dev/v1alpha1\nkind: Pod".to_owned(), "kind: is `Pod`, expected `Policy`".to_owned()),
        (HEAD.to_owned(), "has no `tenants`, expected a list of tenants".to_owned()),
        (format!("{HEAD}tenants:\n"), "tenants: is empty, expected a list of tenants".to_owned()),
        (format!("{HEAD}tenant: []\n"), format!("has `tenant`, expected one of {keys}")),
        (format!("{HEAD}tenants: [{tenant}, {tenant}]"), "tenants[1].name: `t` is the name of a tenant before this one, too".to_owned()),
        (
            format!("{HEAD}tenants: [{}]", tenant.replace("[a]", "[]")),
            "tenants[0].namespaces: is an empty list, expected namespaces".to_owned(),
        ),
        (
            format!("{HEAD}tenants: [{}]", tenant.replace(", namespaces: [a]", "")),
            "tenants[0]: has no `namespaces`, expected a list of namespaces, or `allNamespaces: true`".to_owned(),
        ),
        (format!("{HEAD}tenants: []\nconcurrentRuns: 0\n"), "concurrentRuns: is the number `0`, expected a whole number from 1 to 1000".to_owned()),
        (
            format!("{HEAD}tenants: []\naudience: a b\n"),
            "audience: is `a b`, expected what tokens are made for, such as `podlens`".to_owned(),
        ),
        (
            format!("{HEAD}tenants: []\ncache: {{bytes: 1Mi}}\n"),
            "cache: has no `identity`, expected whom the API server is asked as: `{serviceAccount: {namespace: …, name: …}}`, or `host` for the \
             server itself"
                .to_owned(),
        ),
        (format!("{HEAD}tenants: []\ncache: {{identity: host, idle: 48h}}\n"), "cache.idle: is `48h`, expected at most 86400s".to_owned()),
        (" ".repeat((1 << 20) + 1), "it has 1048577 bytes: at most 1048576 are read".to_owned()),
    ] {
        assert_eq!(parse(&text).unwrap_err(), expected, "{}", text.trim());
    }
    assert_eq!(Policy::parse(b"\xff").unwrap_err().to_string(), "it is not UTF-8 text, as YAML is");
    // What makes a small file large, what can be read in two ways, and what a terminal acts on.
    for text in [
        format!("{HEAD}tenants: &a []\ncache: *a\n"),
        format!("{HEAD}{HEAD}tenants: []\n"),
        format!("{HEAD}tenants: {}{}\n", "[".repeat(50), "]".repeat(50)),
        format!("{HEAD}tenants: [\u{1b}[2J"),
        format!("{HEAD}tenants: []\n---\n{HEAD}tenants: []\n"),
        "a: [1, 2".to_owned(),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.starts_with("it is not well-formed YAML: ") && !error.contains(['\u{1b}', '\n']), "{text}: {error}");
    }
}
