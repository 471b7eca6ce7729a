//! What a query may see: asks of a real guest, held against grants.

use std::time::Duration;

use podlens::{Error, FieldSelector, Grant, Limit, ReadPod};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{FunctionKind, WorldItem};

use crate::by_hand::{self, IMPORTS, Parts, list_namespace};
use crate::guests;
use crate::support::{Answer, Ran, Scenario, Source, labelled, labels, namespace, pod, runtime};

/// Two teams in two namespaces, each pod with its whole object.
fn cluster() -> Source {
    let with_object = |read: ReadPod| {
        let object = format!(r#"{{"name":"{}"}}"#, read.name());
        read.with_object(object)
    };
    let mut pods = [
        labelled("pay", "card-0", "team", "a"),
        labelled("pay", "debt-0", "team", "b"),
        labelled("shop", "cart-0", "team", "a"),
        labelled("shop", "cart-1", "team", "a"),
        labelled("shop", "site-0", "team", "b"),
    ];
    let mut running = pods[3].pod();
    running.status.phase = "Running".into();
    pods[3] = ReadPod::new(&running);
    Source::of(pods.map(with_object))
}

async fn ask(grant: &Grant, arguments: &[(&str, &str)], source: &Source) -> Ran {
    // The guest emits its error as a row, so that these tests see what it sees.
    let arguments = [arguments, &[("tell", "true")]].concat();
    Scenario::guest(guests::ASKS).await.grant(grant.clone()).arguments(&arguments).source(source).run().await
}

/// A grant, what is asked under it, and the rows that this gives.
type Case<'a> = (&'a Grant, &'a [(&'a str, &'a str)], &'a [&'a str]);

/// One ask under one grant gives these rows, an error among them, in one run that succeeds.
async fn check(grant: &Grant, arguments: &[(&str, &str)], expected: &[&str]) {
    let source = cluster();
    let ran = ask(grant, arguments, &source).await;
    assert_eq!(ran.rows, expected, "{grant:?} {arguments:?}");
    assert_eq!(ran.told(), "success");
    if expected.first().is_some_and(|row| row.starts_with("error | Denied") || row.starts_with("error | InvalidArgument")) {
        assert_eq!(source.requests(), 0, "{grant:?} {arguments:?}");
    }
}

#[tokio::test]
async fn a_query_sees_what_it_is_granted_and_nothing_else() {
    let nothing = Grant::nothing();
    let shop = Grant::nothing().namespace(namespace("shop"));
    let both = shop.clone().namespace(namespace("pay"));
    let team = Grant::all_namespaces().labels(&labels("team=a"));
    let running = shop.clone().fields(&FieldSelector::parse("status.phase=Running").expect("it is a selector"));
    let all = Grant::all_namespaces();

    let no_namespace = r#"error | Denied("no namespace is granted")"#;
    let not_pay = r#"error | Denied("namespace `pay` is not granted")"#;
    let not_shop = r#"error | Denied("namespace `shop` is not granted")"#;
    let not_whole = r#"error | Denied("whole objects are not granted")"#;
    let not_found = "error | NotFound";
    let everything = &["pay | card-0", "pay | debt-0", "shop | cart-0", "shop | cart-1", "shop | site-0"][..];
    let in_shop = &["shop | cart-0", "shop | cart-1", "shop | site-0"][..];

    let cases: &[Case<'_>] = &[
        // Lists without a namespace.
        (&nothing, &[], &[no_namespace]),
        (&shop, &[], in_shop),
        (&both, &[], everything),
        (&all, &[], everything),
        (&team, &[], &["pay | card-0", "shop | cart-0", "shop | cart-1"]),
        (&running, &[], &["shop | cart-1"]),
        // Lists of one.
        (&nothing, &[("namespace", "shop")], &[not_shop]),
        (&shop, &[("namespace", "shop")], in_shop),
        (&shop, &[("namespace", "pay")], &[not_pay]),
        (&both, &[("namespace", "pay")], &["pay | card-0", "pay | debt-0"]),
        (&all, &[("namespace", "none-such")], &[]),
        (&team, &[("namespace", "shop")], &["shop | cart-0", "shop | cart-1"]),
        // A query's own selectors narrow, and never widen.
        (&shop, &[("labels", "team=b")], &["shop | site-0"]),
        (&team, &[("labels", "team=b")], &[]),
        (&team, &[("labels", "team in (a,b)")], &["pay | card-0", "shop | cart-0", "shop | cart-1"]),
        (&team, &[("labels", "!team")], &[]),
        (&team, &[("fields", "metadata.name=cart-0")], &["shop | cart-0"]),
        (&running, &[("fields", "status.phase!=Running")], &[]),
        (&shop, &[("fields", "metadata.namespace=pay")], &[]),
        // Gets.
        (&nothing, &[("namespace", "shop"), ("name", "cart-0")], &[not_shop]),
        (&shop, &[("namespace", "shop"), ("name", "cart-0")], &["shop | cart-0"]),
        (&shop, &[("namespace", "shop"), ("name", "none-such")], &[not_found]),
        (&shop, &[("namespace", "pay"), ("name", "card-0")], &[not_pay]),
        (&shop, &[("namespace", "pay"), ("name", "none-such")], &[not_pay]),
        (&all, &[("namespace", "pay"), ("name", "card-0")], &["pay | card-0"]),
        (&team, &[("namespace", "pay"), ("name", "card-0")], &["pay | card-0"]),
        (&team, &[("namespace", "pay"), ("name", "debt-0")], &[not_found]),
        (&running, &[("namespace", "shop"), ("name", "cart-0")], &[not_found]),
        (&running, &[("namespace", "shop"), ("name", "cart-1")], &["shop | cart-1"]),
        // Whole objects.
        (&all, &[("objects", "true")], &[not_whole]),
        (&all, &[("namespace", "shop"), ("name", "cart-0"), ("objects", "true")], &[not_whole]),
    ];
    for (grant, arguments, expected) in cases {
        check(grant, arguments, expected).await;
    }
    let whole = all.clone().whole_objects();
    check(&whole, &[("objects", "true")], everything).await;
    check(&whole, &[("namespace", "shop"), ("name", "cart-0"), ("objects", "true")], &["shop | cart-0"]).await;
}

#[tokio::test]
async fn a_refusal_is_told_to_the_operator() {
    let grant = Grant::nothing().namespace(namespace("shop"));
    for (arguments, expected) in [
        (&[("namespace", "pay")][..], "the query could not be answered: namespace `pay` is not granted"),
        (&[("objects", "true")], "the query could not be answered: whole objects are not granted"),
    ] {
        let ran = Scenario::guest(guests::ASKS).await.grant(grant.clone()).arguments(arguments).run().await;
        assert_eq!(ran.told(), expected);
        assert!(ran.error().is_denied());
    }
}

// Names and selectors.

#[tokio::test]
async fn a_name_that_is_none_reaches_no_source() {
    let long = "a".repeat(4096);
    let cluster = cluster();
    for name in [
        "",
        ".",
        "..",
        "a/b",
        "../kube-system",
        "a/../b",
        "%2e%2e",
        "%2e",
        "*",
        "A",
        "Shop",
        "a b",
        "a\0",
        "\0",
        "a\nb",
        "a?watch=1",
        "a#b",
        "a@b",
        "-a",
        "a-",
        "é",
        "\u{202e}a",
        "shop/pods/cart-0",
        &long,
    ] {
        for arguments in
            [&[("namespace", name)][..], &[("namespace", name), ("name", "cart-0")], &[("namespace", "shop"), ("name", name)]]
        {
            let ran = ask(&Grant::all_namespaces(), arguments, &cluster).await;
            let [row] = &ran.rows[..] else { panic!("{arguments:?}: {:?}", ran.rows) };
            assert!(row.starts_with("error | InvalidArgument(\"`"), "{arguments:?}: {row}");
            assert!(row.len() < 400, "{row}");
            assert_eq!(ran.told(), "success");
        }
    }
    // No parameter is as long as this.
    let parts = Parts {
        imports: IMPORTS.into(),
        ..Parts::run(format!("(memory.fill (i32.const 2048) (i32.const 97) (i32.const 10240)) {}", list_namespace(2048, 10240)))
    };
    let ran = Scenario::component(parts.build()).await.source(&cluster).run().await;
    assert!(ran.told().starts_with("the query answered with an error: invalid argument: `aaaa"), "{}", ran.told());
    assert_eq!(cluster.requests(), 0);
}

#[tokio::test]
async fn a_selector_that_is_none_reaches_no_source() {
    let cluster = cluster();
    let many = vec!["a=b"; 33].join(",");
    for (parameter, selector, reason) in [
        ("labels", "team=a&limit=1", "`a&limit` in the label selector is not a label value"),
        ("labels", "=team", "label selector `=team` has `=` where a label key is expected"),
        ("labels", "a=b=c", "label selector `a=b=c` has `=` where `,` or the end is expected"),
        ("labels", "team in a", "label selector `team in a` has `a` where `(` is expected"),
        ("labels", "a\0=b", "`a\\\\u{0}` in the label selector is not a label key"),
        ("labels", "a=%2e", "`%2e` in the label selector is not a label value"),
        ("labels", &many, "label selector has 33 conditions: at most 32 are read"),
        ("fields", "spec.containers=x", "`spec.containers` in the field selector is not a field that pods can be selected by"),
        ("fields", "metadata.name", "`metadata.name` in the field selector is not `field=value`"),
        ("fields", "metadata.name=a&watch=1", "`a&watch=1` in the field selector has an `=`"),
    ] {
        let ran = ask(&Grant::all_namespaces(), &[(parameter, selector)], &cluster).await;
        let [row] = &ran.rows[..] else { panic!("{selector}: {:?}", ran.rows) };
        assert!(row.starts_with(&format!("error | InvalidArgument(\"{reason}")), "{selector}: {row}");
    }
    assert_eq!(cluster.requests(), 0);
}

// A source that cannot be trusted.

#[tokio::test]
async fn a_pod_that_was_not_asked_for_reaches_no_guest() {
    let grant = Grant::nothing().namespace(namespace("shop")).labels(&labels("team=a"));
    let mine = || labelled("shop", "cart-0", "team", "a");
    for foreign in [
        labelled("pay", "card-0", "team", "a"),
        labelled("shop", "site-0", "team", "b"),
        labelled("", "cart-1", "team", "a"),
        labelled("shop", "../cart", "team", "a"),
        labelled("shop", "", "team", "a"),
        labelled("Shop", "cart-1", "team", "a"),
        pod("shop", "cart-1"),
    ] {
        for pods in [vec![foreign.clone()], vec![mine(), foreign.clone()], vec![foreign.clone(), mine()]] {
            let source = Source::of(pods).answers(Answer::Everything);
            let ran = ask(&grant, &[], &source).await;
            assert_eq!(ran.rows, [r#"error | ServerError("the API server's answer could not be used")"#], "{foreign:?}");
        }
        let source = Source::of([foreign.clone(), mine()]).answers(Answer::Everything);
        let ran = ask(&grant, &[("namespace", "shop"), ("name", "cart-0")], &source).await;
        assert_eq!(ran.rows, ["error | NotFound"], "{foreign:?}");
    }
    // Another pod than the one that was asked for.
    let source = Source::of([mine()]).answers(Answer::Everything);
    let ran = ask(&grant, &[("namespace", "shop"), ("name", "cart-1")], &source).await;
    assert_eq!(ran.rows, ["error | NotFound"]);
    let ran = ask(&grant, &[("fields", "spec.nodeName=node-1")], &source).await;
    assert_eq!(ran.rows, [r#"error | ServerError("the API server's answer could not be used")"#]);
    // The operator is told.
    let ran = Scenario::guest(guests::ASKS).await.source(&source).arguments(&[("namespace", "pay")]).run().await;
    assert_eq!(ran.told(), "the query could not be answered: the API server returned a pod that was not asked for");
    assert!(ran.error().is_server_error());
}

#[tokio::test]
async fn a_whole_object_takes_a_grant_an_ask_and_a_source_that_has_it() {
    const NOT_ASKED: &str = "the query answered with an error: denied: whole objects were not asked for with this pod";
    let all = Grant::all_namespaces();
    let whole = all.clone().whole_objects();
    let objects = &[r#"{"name":"card-0"}"#, r#"{"name":"debt-0"}"#][..];
    let pay = [("namespace", "pay"), ("ask", "true")];
    let not_asked = [("ask", "false")];
    for (grant, arguments, answer, rows, told) in [
        (&whole, &pay[..], Answer::Honest, objects, "success"),
        (&all, &pay, Answer::Honest, &[], "the query could not be answered: whole objects are not granted"),
        (&whole, &not_asked, Answer::Honest, &[], NOT_ASKED),
        // A source that gives more than it is asked for.
        (&whole, &not_asked, Answer::Everything, &[], NOT_ASKED),
        (&all, &not_asked, Answer::Everything, &[], NOT_ASKED),
    ] {
        let source = cluster().answers(answer);
        let scenario = Scenario::guest(guests::OBJECTS).await.grant(grant.clone()).arguments(arguments).source(&source);
        let ran = scenario.run().await;
        assert_eq!((ran.rows.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), ran.told().as_str()), (rows, told));
    }
    // A source that has none, where one was asked for.
    let source = Source::of([pod("pay", "card-0")]);
    let scenario = Scenario::guest(guests::OBJECTS).await.grant(whole.clone()).source(&source);
    assert_eq!(
        scenario.run().await.told(),
        "the query could not be answered: the API server returned a pod that was not asked for"
    );
}

// What a query can learn of what it may not see.

/// A run without what depends on time.
fn trace(ran: &Ran) -> String {
    let used: Vec<_> = Limit::ALL
        .iter()
        .filter(|limit| !matches!(limit, Limit::WallTime | Limit::CpuTime))
        // The operator's business; a query has no way to ask for it.
        .filter(|limit| !matches!(limit, Limit::ResponseBytes | Limit::Pods))
        .map(|limit| (limit.name(), ran.report.used(*limit)))
        .collect();
    format!("{:?} {} {:?} {used:?} {:?}", ran.rows, ran.told(), ran.log, ran.report.warnings)
}

#[tokio::test]
async fn a_hidden_pod_and_an_absent_one_look_the_same() {
    let cluster = cluster();
    let team = Grant::all_namespaces().labels(&labels("team=a"));
    let shop = Grant::nothing().namespace(namespace("shop"));
    for (grant, namespace, hidden, absent) in
        [(&team, "shop", "site-0", "site-9"), (&team, "pay", "debt-0", "debt-9"), (&shop, "pay", "card-0", "card-9")]
    {
        for tell in ["true", "false"] {
            let get = async |name: &str| {
                let scenario = Scenario::guest(guests::ASKS).await.grant(grant.clone()).source(&cluster);
                trace(&scenario.arguments(&[("namespace", namespace), ("name", name), ("tell", tell)]).run().await)
            };
            for _ in 0..20 {
                assert_eq!(get(hidden).await, get(absent).await);
            }
        }
    }
    // A namespace that is not granted: its pods, or that it has none, or is not there.
    let list =
        async |namespace: &str| trace(&ask(&shop, &[("namespace", namespace)], &cluster).await).replace(namespace, "NAMESPACE");
    assert_eq!(list("pay").await, list("xyz").await);
}

#[tokio::test]
async fn a_query_learns_which_kind_of_failure_it_was_and_no_more() {
    let secret = "https://10.0.0.1:6443 said: Bearer secret";
    for (error, seen) in [
        (Error::denied(secret), r#"error | Denied("the API server refuses this to the identity that podlens reads with")"#),
        (Error::not_found().because(secret), "error | NotFound"),
        (Error::expired(secret), "error | Expired"),
        (Error::unavailable(secret, None), "error | Unavailable(None)"),
        (Error::unavailable(secret, Some(Duration::from_secs(7))), "error | Unavailable(Some(7))"),
        (Error::unavailable(secret, Some(Duration::from_secs(u64::MAX))), "error | Unavailable(None)"),
        (Error::server_error(secret).because(secret), r#"error | ServerError("the API server's answer could not be used")"#),
    ] {
        let source = Source::default().answers(Answer::Fails(error));
        for arguments in [&[("namespace", "shop")][..], &[("namespace", "shop"), ("name", "cart-0")]] {
            let ran = ask(&Grant::all_namespaces(), arguments, &source).await;
            assert_eq!(ran.rows, [seen]);
        }
    }
}

// The contract.

/// Every import is found in the WIT, and every one that can reach a pod is proved here to refuse what it must. A new one has no
/// proof, and fails.
#[tokio::test]
async fn every_import_of_the_contract_denies() {
    let (resolve, world) = by_hand::contract();
    let mut functions = Vec::new();
    for (key, item) in &resolve.worlds[world].imports {
        match item {
            WorldItem::Interface { id, .. } => {
                let interface = resolve.name_world_key(key);
                functions.extend(resolve.interfaces[*id].functions.values().map(|function| (interface.clone(), function)));
            }
            WorldItem::Type { .. } => {}
            WorldItem::Function(function) => panic!("`{}` is imported by the world itself", function.name),
        }
    }
    assert_eq!(functions.len(), 11, "the world's imports are found");
    for (interface, function) in functions {
        let cluster = cluster();
        match (interface.as_str(), function.name.as_str(), &function.kind) {
            ("podlens:query/pods@0.1.0", "list", FunctionKind::Freestanding) => {
                let ran = ask(&Grant::nothing(), &[], &cluster).await;
                assert_eq!(ran.rows, [r#"error | Denied("no namespace is granted")"#]);
            }
            ("podlens:query/pods@0.1.0", "get", FunctionKind::Freestanding) => {
                let ran = ask(&Grant::nothing(), &[("namespace", "shop"), ("name", "cart-0")], &cluster).await;
                assert_eq!(ran.rows, [r#"error | Denied("namespace `shop` is not granted")"#]);
            }
            // It reads no pod.
            ("podlens:query/rows@0.1.0", "emit", FunctionKind::Freestanding) => {}
            // It needs a handle, which only `list` and `get` give; one that is made up is refused.
            (_, name, FunctionKind::Method(_)) => {
                let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
                assert!(
                    signature.results.is_empty()
                        && signature.params.iter().all(|it| matches!(it, WasmType::I32 | WasmType::Pointer))
                );
                let parameters = "i32 ".repeat(signature.params.len());
                for handle in [0, 1, 7, u32::MAX] {
                    let rest = "(i32.const 64)".repeat(signature.params.len() - 1);
                    let parts = Parts {
                        imports: format!(r#"(import "{interface}" "{name}" (func $method (param {parameters})))"#),
                        ..Parts::run(format!("(call $method (i32.const {handle}) {rest}) (i32.const 0)"))
                    };
                    let ran = Scenario::component(parts.build()).await.source(&cluster).run().await;
                    assert_eq!(ran.error().to_string(), "the query trapped while it should run", "{name}");
                }
            }
            (interface, name, _) => panic!("`{name}` of `{interface}` has no deny test: write one here"),
        }
        assert_eq!(cluster.requests(), 0, "{interface} {}", function.name);
    }
}

#[tokio::test]
async fn nothing_is_granted_while_a_query_describes_itself() {
    // Each answer must be an error, of this case; else the query does not describe itself.
    let must_be = |case: u32| {
        format!(
            "(if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1)) (then unreachable))
            (if (i32.ne (i32.load8_u (i32.const 68)) (i32.const {case})) (then unreachable))"
        )
    };
    let zeroes = "(i32.const 0)".repeat(10);
    let (invalid_argument, denied) = (must_be(0), must_be(1));
    let parts = Parts {
        imports: IMPORTS.into(),
        describe: format!(
            "(call $list {zeroes} (i32.const 64)) {denied}
            (call $get (i32.const 512) (i32.const 4) (i32.const 516) (i32.const 6) (i32.const 0) (i32.const 64)) {denied}
            (call $emit (i32.const 0) (i32.const 0) (i32.const 64)) {invalid_argument}
            (i32.const 1024)"
        ),
        more: r#"(data (i32.const 512) "shopcart-0")"#.into(),
        ..Parts::default()
    };
    runtime().load(parts.build()).await.expect("each call gives the error that it must");
}
