//! What is no query is refused when it is loaded, and the error says what it is and what would do.

use podlens::Error;

use crate::by_hand::{IMPORTS, Parts, list_namespace};
use crate::support::{Scenario, Source, runtime, told};

/// Loads what cannot be loaded.
async fn refused(bytes: impl Into<Vec<u8>>) -> Error {
    let error = runtime().load(bytes).await.expect_err("this is no query");
    assert!(error.is_component() && !error.is_retryable(), "{error:?}");
    error
}

/// Each of these texts is a component, or claims to be one.
async fn check(component: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(told(&refused(component.as_ref()).await), expected);
}

fn text(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn what_is_no_component_is_told_apart() {
    let query = Parts::default().build();
    let precompiled = wasmtime::Engine::default().precompile_component(&query).expect("it compiles");
    let mut too_large = query.clone();
    too_large.resize((64 << 20) + 1, 0);
    let not_a_component = "this is not a WebAssembly component\na query is a `.wasm` file built for the target `wasm32-wasip2`";
    for (bytes, expected) in [
        (&b""[..], "the file is empty, not a WebAssembly component\nbuild the query again"),
        (b"#!/bin/sh\n", not_a_component),
        (b"\0asm", not_a_component),
        (b"\x7fELF\x02\x01\x01", not_a_component),
        (b"\n (component)", "this is WebAssembly text, not a component\ntranslate it with `wasm-tools parse`"),
        (
            &text("(module)"),
            "this is a core WebAssembly module, not a component\n\
             build it for the target `wasm32-wasip2`, or make a component of it with `wasm-tools component new`",
        ),
        (&precompiled, "this is precompiled code, which podlens never loads\ngive the `.wasm` component that it was compiled from"),
        (&too_large, "the component has 67108865 bytes: at most 67108864 are accepted"),
    ] {
        check(bytes, expected).await;
    }
}

#[tokio::test]
async fn a_broken_component_is_refused() {
    let query = Parts::default().build();
    for length in [9, query.len() / 4, query.len() / 2, query.len() - 1] {
        let error = refused(&query[..length]).await;
        assert_eq!(error.to_string(), "the component cannot be compiled", "{length} of {} bytes", query.len());
    }
}

#[tokio::test]
async fn what_exports_no_query_is_refused() {
    let targets = "a query targets the world `query` of podlens:query@0.1.0";
    let lift = r#"(core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))"#;
    check(
        text("(component)"),
        &format!("the component does not export `describe` and `run`: it is not a query\nit exports nothing; {targets}"),
    )
    .await;
    check(
        text(&format!(r#"(component {lift} (export "describe" (func $f)) (export "main" (func $f)))"#)),
        &format!("the component does not export `run`: it is not a query\nit exports `describe`, `main`; {targets}"),
    )
    .await;
}

#[tokio::test]
async fn exports_of_other_types_are_refused() {
    let lift = r#"(core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f"))) (component $c) (instance $n (instantiate $c))"#;
    let fit = "build it against podlens:query@0.1.0, with the SDK `podlens-guest` of this version or an older one";
    for (describe, cause) in [
        ("func $f", ": type-checking export func `describe`: expected 1-tuple, found 0-tuple"),
        ("instance $n", ": export `describe` is not a function"),
    ] {
        let component = text(&format!(r#"(component {lift} (export "describe" ({describe})) (export "run" (func $f)))"#));
        check(component, &format!("the component does not fit the world `query` of podlens:query{cause}\n{fit}")).await;
    }
}

#[tokio::test]
async fn imports_that_are_not_offered_are_named() {
    for name in [
        "wasi:http/types@0.2.0",
        "wasi:http/outgoing-handler@0.2.3",
        "wasi:sockets/tcp@0.2.0",
        "wasi:config/store@0.2.0-rc.1",
        "wasi:keyvalue/store@0.2.0-draft",
        "podlens:query/secrets@0.1.0",
        "podlens:admin/pods@0.1.0",
    ] {
        let error = refused(text(&format!(r#"(component (import "{name}" (instance)))"#))).await;
        assert_eq!(error.to_string(), format!("the component imports `{name}`, which no query is offered"));
    }
    let error = refused(text(
        r#"(component (import "log" (func)) (import "wasi:http/types@0.2.0" (instance)) (import "wasi:io/poll@0.2.0" (instance)))"#,
    ))
    .await;
    assert_eq!(
        told(&error),
        "the component imports `log`, `wasi:http/types@0.2.0`, which no query is offered\n\
         a query may import podlens:query/pods, podlens:query/rows, podlens:query/types at 0.1.0 or an older 0.1, and of WASI 0.2 \
         wasi:cli/environment, wasi:cli/exit, wasi:cli/stderr, wasi:cli/stdin, wasi:cli/stdout, wasi:cli/terminal-input, \
         wasi:cli/terminal-output, wasi:cli/terminal-stderr, wasi:cli/terminal-stdin, wasi:cli/terminal-stdout, \
         wasi:clocks/monotonic-clock, wasi:clocks/wall-clock, wasi:filesystem/preopens, wasi:filesystem/types, wasi:io/error, \
         wasi:io/poll, wasi:io/streams, wasi:random/insecure, wasi:random/insecure-seed, wasi:random/random"
    );
}

#[tokio::test]
async fn another_version_of_what_is_offered_is_told_apart() {
    for name in [
        "podlens:query/pods@0.2.0",
        "podlens:query/pods@1.0.0",
        "podlens:query/pods@0.1.1-rc.1",
        "podlens:query/pods",
        "wasi:cli/stdout@0.3.0",
        "wasi:io/streams@0.1.9",
    ] {
        let component = text(&format!(r#"(component (import "{name}" (instance)))"#));
        check(
            component,
            &format!(
                "the component imports `{name}`, a version that is not offered\n\
                 this podlens offers podlens:query@0.1.0 and WASI 0.2.0 (any patch of 0.2)"
            ),
        )
        .await;
    }
}

#[tokio::test]
async fn a_query_of_a_later_patch_runs_if_it_imports_nothing_new() {
    let later = |wit, import: &str| Parts {
        version: "0.1.9",
        wit,
        imports: IMPORTS.replace("@0.1.0", "@0.1.9") + import,
        ..Parts::run(list_namespace(1088, 4))
    };
    let ran = Scenario::component(later("", "").build()).await.source(&Source::default()).run().await;
    // Its namespace is the beginning of `By hand`.
    assert!(
        ran.told().starts_with("the query answered with an error: invalid argument: `By h` is not a namespace"),
        "{}",
        ran.told()
    );

    const MISSING: &str = "the component does not fit the world `query` of podlens:query: component imports instance \
        `podlens:query/rows@0.1.9`, but a matching implementation was not found in the linker: instance export `emit-many` has the \
        wrong type: function implementation is missing\n\
        build it against podlens:query@0.1.0, with the SDK `podlens-guest` of this version or an older one";
    let import = r#"(import "podlens:query/rows@0.1.9" "emit-many" (func (param i32 i32)))"#;
    check(later("emit-many: func(count: u64);", &import.replace("i32 i32", "i64")).build(), MISSING).await;
}

#[tokio::test]
async fn proposals_that_no_query_needs_are_refused() {
    let in_module = |module: &str| format!("(component (core module {module}))");
    for (component, reason) in [
        (in_module("(memory 1 1 shared)"), "threads must be enabled for shared memories"),
        (in_module("(global (shared i32) (i32.const 0))"), "shared globals require the shared-everything-threads proposal"),
        (in_module("(memory i64 1)"), "memory64 must be enabled for 64-bit memories"),
        (in_module("(type (struct))"), "struct indexed types not supported without the gc feature"),
        (in_module("(table 1 externref)"), "gc types are disallowed but found type which requires gc"),
        (in_module("(type $f (func)) (func (param (ref $f)))"), "function references required for index reference types"),
        (in_module("(tag)"), "exceptions proposal not enabled"),
        (in_module("(func try catch_all end)"), "legacy_exceptions feature required for try instruction"),
        (in_module("(type $f (func)) (type (cont $f))"), "cannot define continuation types when stack switching is disabled"),
        (in_module("(memory 1 (pagesize 1))"), "the custom page sizes proposal must be enabled"),
        ("(component (type (stream u8)))".into(), "`stream` requires the component model async feature"),
        ("(component (type (future u8)))".into(), "`future` requires the component model async feature"),
        ("(component (type (func async)))".into(), "async component functions require the component model async feature"),
        ("(component (type error-context))".into(), "`error-context` requires the component model error-context feature"),
        ("(component (type (map string u8)))".into(), "Maps require the component model map feature"),
    ] {
        let told = told(&refused(text(&component)).await);
        assert!(told.starts_with("the component cannot be compiled: ") && told.contains(reason), "{component}: {told}");
    }
}
