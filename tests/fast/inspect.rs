//! What is told of a file: a query, or anything else. Also where compiled components are kept, which a second look shows.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use podlens::{ComponentKind, ExternKind, Offered};
use podlens_tests::program;
use serde_json::Value;

use crate::arrange::{Place, check_golden};
use crate::by_hand::{IMPORTS, Parts};
use crate::guests;
use crate::support::{runtime, told};

/// A query that reads and answers, made by hand so that it is the same everywhere.
fn by_hand() -> Vec<u8> {
    Parts { imports: IMPORTS.to_owned(), ..Parts::default() }.build()
}

fn text(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_query_is_told_as_reviewed() {
    let place = Place::empty();
    let file = place.write("by-hand.wasm", by_hand());
    let file = file.to_str().expect("a test's folder is UTF-8");
    for (arguments, golden) in [(&["inspect", file][..], "inspect"), (&["inspect", file, "-o", "json"], "inspect-json")] {
        let done = place.run(program::command().args(arguments));
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
        check_golden(golden, &done.stdout);
    }
}

#[test]
fn the_queries_that_come_with_podlens_are_listed() {
    let text = program::run(program::command().arg("inspect"));
    assert_eq!((text.code, text.stderr.as_str()), (0, ""));
    let json = program::run(program::command().args(["inspect", "-o", "json"]));
    let queries: Vec<Value> = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!(text.stdout.lines().count(), queries.len() + 1);
    for (line, query) in text.stdout.lines().skip(1).zip(&queries) {
        let (name, summary) = (query["name"].as_str().expect("a name"), query["summary"].as_str().expect("a summary"));
        assert!(line.starts_with(&format!("{name} ")) && line.ends_with(summary) && !summary.is_empty(), "{line}");
    }
    assert!(queries.iter().any(|query| query["name"] == "restarts"));
}

#[tokio::test]
async fn what_a_query_can_reach_follows_from_its_imports() {
    let inspection = runtime().inspect(by_hand()).await;
    assert_eq!(inspection.kind, ComponentKind::Component);
    let abilities = inspection.abilities();
    assert!(abilities.list && abilities.get && abilities.rows && !abilities.objects && !abilities.clock && !abilities.log);
    let query = inspection.query.as_ref().expect("it is a query");
    assert_eq!((query.digest(), query.description().title.as_str()), (inspection.digest, "By hand"));

    let inspection = runtime().inspect(fs::read(guests::OBJECTS).expect("the build made it")).await;
    assert!(inspection.abilities().objects);
    assert!(
        inspection.producers.items.iter().any(|producer| (producer.field.as_str(), producer.name.as_str()) == ("language", "Rust"))
    );
    assert!(inspection.sizes.names > 0 && inspection.sizes.code > 0 && inspection.sizes.total > inspection.sizes.code);
}

#[tokio::test]
async fn what_is_no_query_is_told_about_all_the_same() {
    let precompiled = wasmtime::Engine::default().precompile_component(&by_hand()).expect("it compiles");
    for (bytes, kind) in [
        (&b""[..], ComponentKind::Empty),
        (b"#!/bin/sh\n", ComponentKind::Unknown),
        (b" (component)", ComponentKind::Text),
        (&precompiled, ComponentKind::Precompiled),
        (&text("(module)"), ComponentKind::Module),
        (&text("(component)"), ComponentKind::Component),
    ] {
        let inspection = runtime().inspect(bytes).await;
        let refused = runtime().load(bytes).await.expect_err("it is no query");
        assert_eq!((inspection.kind, inspection.sizes.total), (kind, bytes.len() as u64));
        assert_eq!(told(&inspection.query.expect_err("it is no query")), told(&refused));
    }

    let module = text(
        r#"(module (import "env" "log" (func)) (import "env" "memory" (memory 1)) (import "js" "f" (func)) (func (export "main")))"#,
    );
    let inspection = runtime().inspect(module).await;
    let imports: Vec<_> =
        inspection.imports.items.iter().map(|import| (import.name.as_str(), import.functions.items.len())).collect();
    assert_eq!((imports, inspection.exports.items[0].name.as_str()), (vec![("env", 2), ("js", 1)], "main"));

    let inspection = runtime().inspect(fs::read(guests::OPENS_SOCKET).expect("the build made it")).await;
    let offered = |name: &str| {
        let import = inspection.imports.items.iter().find(|import| import.name.starts_with(name)).expect("it is imported");
        (import.kind, import.offered)
    };
    assert_eq!(offered("wasi:sockets/tcp@"), (ExternKind::Interface, Offered::No));
    assert_eq!(offered("wasi:io/streams@"), (ExternKind::Interface, Offered::Yes));
    inspection.query.clone().unwrap_err();
}

#[tokio::test]
async fn a_file_that_breaks_off_or_lies_is_told_as_far_as_it_goes() {
    let query = by_hand();
    for length in (8..query.len()).step_by(97) {
        let inspection = runtime().inspect(&query[..length]).await;
        assert!(inspection.kind == ComponentKind::Component && inspection.query.is_err(), "{length} bytes");
    }
    let inspection = runtime().inspect(&query[..query.len() / 2]).await;
    assert!(inspection.unreadable.is_some_and(|reason| reason.contains("end-of-file")));
    assert!(!inspection.imports.items.is_empty(), "what comes before is told");
    for at in (8..query.len()).step_by(61) {
        let mut broken = query.clone();
        broken[at] ^= 0xff;
        let inspection = runtime().inspect(broken).await;
        assert!(inspection.sizes.code <= query.len() as u64, "byte {at}");
    }
}

#[test]
fn what_a_file_says_is_bounded_and_harmless() {
    let imports: String =
        (0..1000).map(|number| format!(r#"(import "\1b[2J{number}" "\u{{202e}}{}" (func))"#, "x".repeat(2000))).collect();
    let producers = r#"(@producers (processed-by "\1b]0;title\07" "1\n2"))"#;
    let place = Place::empty();
    let file = place.write("hostile.wasm", text(&format!("(module {imports} {producers})")));
    for format in ["text", "json"] {
        let done = place.run(program::command().arg("inspect").arg(&file).args(["-o", format]));
        assert_eq!(done.code, 6, "{}", done.stderr);
        assert!(done.stderr.starts_with("error: this is a core WebAssembly module, not a component\n"), "{}", done.stderr);
        assert!(done.stdout.len() < 200_000, "{} bytes", done.stdout.len());
        let is_harmful = |character: char| (character.is_control() && character != '\n') || character == '\u{202e}';
        assert!(!done.stdout.contains(is_harmful), "{}", done.stdout);
        assert!(done.stdout.contains("800"), "it says how many more there are: {}", done.stdout);
    }
}

/// What a cache of compiled components is told in: the folder, and whether the second look found one.
fn look(place: &Place, name: &str) -> program::Done {
    let file = place.write("by-hand.wasm", by_hand());
    place.run(program::command().env("PODLENS_CACHE_DIR", place.path().join(name)).arg("inspect").arg(&file))
}

#[test]
fn compiled_components_are_kept_where_only_their_user_can_write() {
    let place = Place::empty();
    let first = look(&place, "cache");
    assert_eq!((first.code, first.stderr.as_str()), (0, ""));
    let kept = place.path().join("cache/components");
    assert_eq!(fs::metadata(&kept).expect("it was made").permissions().mode() & 0o777, 0o700);
    let compiler =
        fs::read_dir(kept.join("modules")).expect("it was made").next().expect("a compiler").expect("it can be read").path();
    let entries = || {
        fs::read_dir(&compiler)
            .expect("it was made")
            .filter(|entry| !entry.as_ref().is_ok_and(|it| it.path().extension().is_some()))
            .count()
    };
    assert_eq!(entries(), 1);
    assert_eq!((look(&place, "cache"), entries()), (first, 1));

    fs::set_permissions(&kept, Permissions::from_mode(0o777)).expect("it is ours");
    let refused = look(&place, "cache");
    assert_eq!(refused.code, 0);
    let expected = "warning: compiled components are not kept: others than its owner can write to `FOLDER/cache/components` \
        (`chmod go-w FOLDER/cache/components` ends that)\n";
    assert_eq!(refused.stderr, expected);
}

#[test]
fn without_a_place_for_a_cache_all_is_compiled() {
    let place = Place::empty();
    let file = place.write("by-hand.wasm", by_hand());
    // A home that is a file: there, nothing can be made.
    let mut command = program::command();
    command.env_remove("PODLENS_CACHE_DIR").env("HOME", &file).arg("inspect").arg(&file);
    let done = place.run(&mut command);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}
