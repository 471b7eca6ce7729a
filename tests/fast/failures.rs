//! What is told of a run that was stopped: why, where, what it did last, and what it took. By the library as data, by the binary in words.

use podlens::{HostFunction, Limit, Trap};
use podlens_tests::fake::{Answer, Fake, get};
use podlens_tests::program;
use serde_json::json;

use crate::arrange::{NAMESPACE, PODS, Place, pod_list};
use crate::guests;
use crate::support::{Scenario, Source, contained, labelled};

#[tokio::test]
async fn a_stopped_run_is_told_as_data() {
    let source = Source::of((0..3).map(|number| labelled("shop", &format!("web-{number}"), "app", "web")));
    let ran = contained(Scenario::guest(guests::BREAKS).await.source(&source)).await;

    let trap = Trap::of(ran.error()).expect("the cause is a trap");
    assert_eq!(trap.message.len(), 2, "{trap:?}");
    assert!(trap.message[0].starts_with("panicked at tests/guests/examples/breaks.rs:"), "{trap:?}");
    assert_eq!(trap.message[1], "index out of bounds: the len is 3 but the index is 3");
    let functions: Vec<_> = trap.frames.iter().map(|frame| frame.function.as_deref().unwrap_or_default()).collect();
    assert_eq!(functions.last(), Some(&"run"), "{trap:?}");
    assert!(functions.contains(&"breaks::judged"), "{trap:?}");
    assert!(trap.machinery_frames > 0 && functions.iter().all(|name| !name.contains("panic")), "{trap:?}");
    // What was said before is of the log.
    assert_eq!(ran.log, ["Stderr: an ordinary line"]);

    let report = &ran.report;
    let calls: Vec<_> = report.last_calls().iter().map(ToString::to_string).collect();
    assert_eq!(
        calls,
        [
            "pods.list(all granted namespaces, labels app=web)",
            "pod-pages.next -> 3 pods",
            "6 x accessors of pods, the last pod.name(shop/web-2)",
            "3 x rows.emit",
            "pod-pages.next -> no more pods",
            "2 x pods.get(shop/missing) -> not found",
        ]
    );
    let called = |function| report.calls(function);
    assert_eq!((called(HostFunction::List), called(HostFunction::Next), called(HostFunction::Get)), (1, 2, 2));
    assert_eq!((called(HostFunction::Name), called(HostFunction::Emit), called(HostFunction::Status)), (6, 3, 0));
    let all: u64 = HostFunction::ALL.iter().map(|function| report.calls(*function)).sum();
    assert_eq!(all, report.used(Limit::HostCalls));
    assert!(report.peak_memory() >= report.used(Limit::Memory) && report.peak_memory() > 0);
    assert_eq!(report.limits().get(Limit::Rows), Limit::Rows.default_value());
}

#[tokio::test]
async fn what_is_waited_for_is_told() {
    let ran = contained(Scenario::guest(guests::LISTS_FOREVER).await.limit(Limit::Requests, 1)).await;
    assert_eq!(ran.error().limit(), Some("max-requests"));
    assert_eq!(ran.report.last_calls().last().map(ToString::to_string).as_deref(), Some("pod-pages.next -> no answer"));
}

/// A server with three pods, and `podlens run` with these arguments in a pod beside it.
fn run(arguments: &[&str]) -> program::Done {
    let pods = ["web-0", "web-1", "web-2"]
        .map(|name| json!({ "metadata": { "name": name, "namespace": NAMESPACE, "labels": { "app": "web" } } }));
    let list = Answer::json(200, pod_list(&pods, "").to_string());
    let fake = Fake::builder()
        .always(get(PODS), list)
        .always(get(&format!("{PODS}/missing")), Answer::status(404, "NotFound", r#"pods "missing" not found"#))
        .start();
    let place = Place::mount(fake.authority());
    place.run(place.in_pod("127.0.0.1", fake.port()).args(arguments))
}

#[test]
fn a_panic_is_told_once_with_what_led_to_it() {
    let done = run(&["run", guests::BREAKS]);
    assert_eq!(done.code, 1);
    assert!(done.stdout.starts_with("TEXT\nweb-0\nweb-1\nweb-2\n"), "{}", done.stdout);
    let lines: Vec<_> = done.stderr.lines().collect();
    let expected = [
        "query: an ordinary line",
        "last calls to the host:",
        "  pods.list(all granted namespaces, labels app=web)",
        "  pod-pages.next -> 3 pods",
        "  6 x accessors of pods, the last pod.name(shop/web-2)",
        "  3 x rows.emit",
        "  pod-pages.next -> no more pods",
        "  2 x pods.get(shop/missing) -> not found",
    ];
    assert_eq!(lines[..expected.len()], expected, "{}", done.stderr);
    assert!(lines[expected.len()].starts_with("used: "), "{}", done.stderr);
    assert!(lines[expected.len()].ends_with(" of 256Mi memory, 3 of 1000000 pods, 3 of 1000000 rows"), "{}", done.stderr);
    assert_eq!(
        lines[expected.len() + 1..][..2],
        ["warning: the answer is not complete", "error: the query panicked while it should run"]
    );
    assert_eq!(done.stderr.matches("panicked at").count(), 1, "{}", done.stderr);
    assert_eq!(done.stderr.matches("index out of bounds").count(), 1, "{}", done.stderr);
    assert!(done.stderr.contains("\n    at breaks::judged\n") && done.stderr.ends_with("\n    at run\n"), "{}", done.stderr);
}

#[test]
fn an_error_of_the_query_itself_needs_no_details() {
    let done = run(&["run", guests::ASKS, "-p", "labels=?"]);
    assert_eq!(done.code, 1);
    assert!(!done.stderr.contains("used: ") && !done.stderr.contains("last calls"), "{}", done.stderr);
}

#[test]
fn statistics_are_told_after_the_answer() {
    let done = run(&["run", "pod-names", "--stats"]);
    assert_eq!((done.code, done.stdout.lines().count()), (0, 4));
    let rows: Vec<Vec<_>> =
        done.stderr.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect();
    let row = |name: &str| rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no `{name}` in {}", done.stderr));
    assert_eq!(rows[0], ["STATS", "USED", "LIMIT"]);
    assert_eq!(row("pods"), &["pods", "3", "--max-pods 1000000"]);
    assert_eq!(row("rows"), &["rows", "3", "--max-rows 1000000"]);
    assert_eq!(row("rows.emit"), &["rows.emit", "3"]);
    assert_eq!(row("pod-pages.next"), &["pod-pages.next", "2"]);
    assert!(row("wall time")[1].ends_with(" ms") && row("peak memory")[1].ends_with(" bytes"), "{}", done.stderr);
    assert_eq!(row("compile time").len(), 2, "no cache is in use: {}", done.stderr);
    for limit in Limit::ALL.iter().filter(|limit| **limit != Limit::Memory) {
        assert!(row(limit.what())[2].starts_with(&format!("--{} ", limit.name())), "{}", done.stderr);
    }
}
