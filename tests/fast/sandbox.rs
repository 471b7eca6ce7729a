//! Hostile guests, and what becomes of each: the exact outcome, in bounded time, while other runs on the same runtime and thread
//! give their right answers ([`contained`] sees to that).

use std::error::Error as _;
use std::time::Duration;

use podlens::{Error, Limit, Trap};

use crate::by_hand::{IMPORTS, Parts, list_labels};
use crate::guests;
use crate::support::{Answer, Ran, Scenario, Source, contained, large, load, pod, runtime, told};

/// What the operator is told where a limit ended the run.
fn reached(what_and_value: &str, flag: &str) -> String {
    format!("the run reached its limit of {what_and_value}\nraise it with `--{flag}`, if the query should have more")
}

#[track_caller]
fn ended_by(ran: &Ran, limit: Limit, value: &str) {
    assert_eq!(ran.told(), reached(&format!("{}: {value}", limit.what()), limit.name()));
    assert_eq!(ran.error().limit(), Some(limit.name()));
    assert!(!ran.error().is_query() && !ran.error().is_retryable(), "{:?}", ran.error());
}

/// The query failed by itself; the first line of what the operator is told.
#[track_caller]
fn failed_by_itself(ran: &Ran, message: &str) {
    assert!(ran.error().is_query(), "{}", ran.told());
    assert_eq!(ran.error().to_string(), message);
}

/// Why the engine stopped the query, without where.
fn cause(ran: &Ran) -> String {
    let source = ran.error().source().expect("there is a cause").to_string();
    source.lines().next().unwrap_or_default().to_owned()
}

// Processor time and wall time.

#[tokio::test]
async fn an_endless_loop_ends_at_the_limit_of_processor_time() {
    let ran = contained(Scenario::guest(guests::LOOPS).await.limit(Limit::CpuTime, 200)).await;
    ended_by(&ran, Limit::CpuTime, "200ms");
    let used = ran.report.used(Limit::CpuTime);
    // Looked at every 10 ms.
    assert!((200..400).contains(&used), "{used} ms");
}

#[tokio::test]
async fn an_endless_loop_ends_at_the_limit_of_wall_time() {
    let ran = contained(Scenario::guest(guests::LOOPS).await.limit(Limit::WallTime, 300)).await;
    ended_by(&ran, Limit::WallTime, "300ms");
}

#[tokio::test]
async fn a_query_that_never_describes_itself_is_not_loaded() {
    let error = load(guests::LOOPS_IN_DESCRIBE).await.expect_err("it never describes itself");
    assert_eq!(told(&error), "the query cannot describe itself: the run reached its limit of processor time: 5s");
    assert_eq!(error.limit(), Some("cpu-limit"));
}

#[tokio::test]
async fn work_before_and_after_the_query_counts() {
    let endless = "(loop $again (br $again))";
    let parts = Parts { more: format!("(func $start {endless}) (start $start)"), ..Parts::default() };
    let error = runtime().load(parts.build()).await.expect_err("it never starts");
    assert_eq!(error.limit(), Some("cpu-limit"));
    for parts in [
        Parts { more: format!(r#"(func (export "cabi_post_run") (param i32) {endless})"#), ..Parts::default() },
        // Its argument makes the host call `cabi_realloc`, in the middle of passing it.
        Parts {
            imports: IMPORTS.into(),
            realloc: format!("{endless} unreachable"),
            run: "(call $list (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
                (call $next (i32.load (i32.const 68)) (i32.const 64))
                (i32.const 0)"
                .into(),
            ..Parts::default()
        },
    ] {
        let scenario = Scenario::component(parts.build()).await.source(&Source::of([pod("shop", "web-0")]));
        ended_by(&contained(scenario.limit(Limit::CpuTime, 200)).await, Limit::CpuTime, "200ms");
    }
}

/// One instruction of WebAssembly can take long: filling a large memory looks at the clock once.
#[tokio::test]
async fn filling_memory_for_ever_ends_in_time() {
    let parts = Parts {
        memory: r#"(memory (export "memory") 2048)"#.into(),
        run: "(loop $again (memory.fill (i32.const 65536) (i32.const 1) (i32.const 134000000)) (br $again)) unreachable".into(),
        ..Parts::default()
    };
    let ran = contained(Scenario::component(parts.build()).await.limit(Limit::CpuTime, 200)).await;
    ended_by(&ran, Limit::CpuTime, "200ms");
}

#[tokio::test]
async fn sleeping_is_cut_and_costs_no_processor_time() {
    let ran = contained(Scenario::guest(guests::SLEEPS).await.limit(Limit::WallTime, 300)).await;
    ended_by(&ran, Limit::WallTime, "300ms");
    let used = ran.report.used(Limit::CpuTime);
    assert!(used < 100, "{used} ms");
}

#[tokio::test]
async fn a_host_call_that_never_returns_is_cut_and_its_read_is_dropped() {
    for arguments in [&[][..], &[("namespace", "shop"), ("name", "web-0")]] {
        let source = Source::default().answers(Answer::Never);
        let scenario = Scenario::guest(guests::ASKS).await.arguments(arguments).source(&source);
        let ran = contained(scenario.limit(Limit::WallTime, 300)).await;
        ended_by(&ran, Limit::WallTime, "300ms");
        assert_eq!(source.requests(), if arguments.is_empty() { 2 } else { 1 });
        source.until_waiting(0).await;
        source.until_released().await;
    }
}

#[tokio::test]
async fn a_run_that_is_dropped_ends() {
    let source = Source::default().answers(Answer::Never);
    let run = Scenario::guest(guests::ASKS).await.source(&source).start();
    source.until_waiting(1).await;
    drop(run);
    source.until_waiting(0).await;
    source.until_released().await;
    // While it computes, too.
    let source = Source::default();
    let run = Scenario::guest(guests::LOOPS).await.source(&source).start();
    while run.used(Limit::CpuTime) == 0 {
        tokio::task::yield_now().await;
    }
    drop(run);
    source.until_released().await;
}

// Memory.

#[tokio::test]
async fn memory_is_bounded() {
    let ran = contained(Scenario::guest(guests::GROWS).await.limit(Limit::Memory, 64 << 20)).await;
    ended_by(&ran, Limit::Memory, "64Mi");
    let used = ran.report.used(Limit::Memory);
    assert!((32 << 20..=64 << 20).contains(&used), "{used} bytes");
}

/// The limit is on the sum of all memories and tables, not on each.
#[tokio::test]
async fn many_memories_are_bounded_together() {
    let grow = |instructions: &str| format!("(loop $again {instructions} (br $again)) unreachable");
    for parts in [
        Parts {
            more: "(memory $second 1) (memory $third 1) (memory $fourth 1)".into(),
            run: grow(
                "(drop (memory.grow 0 (i32.const 16))) (drop (memory.grow $second (i32.const 16)))
                (drop (memory.grow $third (i32.const 16))) (drop (memory.grow $fourth (i32.const 16)))",
            ),
            ..Parts::default()
        },
        Parts {
            more: "(table $first 1 funcref) (table $second 1 funcref)".into(),
            run: grow(
                "(drop (table.grow $first (ref.null func) (i32.const 65536)))
                (drop (table.grow $second (ref.null func) (i32.const 65536)))",
            ),
            ..Parts::default()
        },
    ] {
        let ran = contained(Scenario::component(parts.build()).await.limit(Limit::Memory, 16 << 20)).await;
        ended_by(&ran, Limit::Memory, "16Mi");
        let used = ran.report.used(Limit::Memory);
        assert!((14 << 20..=16 << 20).contains(&used), "{used} bytes");
    }
}

#[tokio::test]
async fn memory_that_is_there_from_the_start_is_bounded() {
    // Four memories of 100 MiB each; describing itself has the default limit of 256 MiB.
    let more = "(memory 1600) (memory 1600) (memory 1600) (memory 1600)".into();
    let error = runtime().load(Parts { more, ..Parts::default() }.build()).await.expect_err("it is too large");
    assert_eq!(error.limit(), Some("memory-limit"));
    assert_eq!(told(&error), "the query cannot describe itself: the run reached its limit of memory: 256Mi");
}

#[tokio::test]
async fn pods_that_a_query_keeps_are_its_memory() {
    let source = Source::of((0..100).map(|index| large("shop", &format!("web-{index}"), 100_000)));
    let ran = contained(Scenario::guest(guests::HOARDS_PODS).await.source(&source).limit(Limit::Memory, 32 << 20)).await;
    ended_by(&ran, Limit::Memory, "32Mi");
}

#[tokio::test]
async fn a_query_that_keeps_too_many_pods_is_told_to_drop_some() {
    let source = Source::of((0..500).map(|index| pod("shop", &format!("web-{index}"))));
    let ran = contained(Scenario::guest(guests::HOARDS_PODS).await.source(&source).limit(Limit::Memory, 1 << 30)).await;
    assert_eq!(ran.error().limit(), Some("handles"));
    assert_eq!(
        ran.told(),
        "the query holds more than 65536 pods, lists and streams at once\n\
         let it keep what it needs of a pod, and drop the pod before it reads on; no flag raises this"
    );
}

// What a query sends out.

#[tokio::test]
async fn rows_are_bounded() {
    let ran = contained(Scenario::guest(guests::EMITS).await.limit(Limit::Rows, 1000)).await;
    ended_by(&ran, Limit::Rows, "1000");
    assert_eq!(ran.rows.len(), 1000);
}

#[tokio::test]
async fn bytes_of_rows_are_bounded() {
    let ran = contained(Scenario::guest(guests::EMITS).await.limit(Limit::OutputBytes, 1300)).await;
    ended_by(&ran, Limit::OutputBytes, "1300");
    // A row is charged 8 bytes, and the 5 of `again`.
    assert_eq!((ran.rows.len(), ran.report.used(Limit::OutputBytes)), (100, 1300));
}

#[tokio::test]
async fn a_query_waits_for_a_slow_reader() {
    let source = Source::default();
    let mut run = Scenario::guest(guests::EMITS).await.source(&source).limit(Limit::CpuTime, 10_000).start();
    for read in 0..3 {
        let full = 256 + read;
        // It has emitted one more, which waits for its place.
        while run.used(Limit::Rows) < full + 1 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(run.used(Limit::Rows), full + 1);
        assert!(run.next_row().await.is_some());
    }
    assert!(run.used(Limit::CpuTime) < 1000, "waiting costs {} ms", run.used(Limit::CpuTime));
    // The reader goes away.
    drop(run);
    source.until_released().await;
}

#[tokio::test]
async fn an_endless_log_is_cut_once_and_the_run_goes_on() {
    let scenario = Scenario::guest(guests::LOGS).await.limit(Limit::LogBytes, 1024).limit(Limit::CpuTime, 200);
    let ran = contained(scenario).await;
    ended_by(&ran, Limit::CpuTime, "200ms");
    let (cut, rest): (Vec<_>, Vec<_>) = ran.log.iter().partition(|line| line.starts_with("Host"));
    assert_eq!(cut, ["Host: log limit of 1Ki reached: the rest is dropped (raise it with `--max-log-bytes`)"]);
    assert_eq!((rest.len(), rest.first().unwrap().as_str(), rest.last().unwrap().as_str()), (171, "Stdout: again", "Stdout: agai"));
}

#[tokio::test]
async fn what_a_query_prints_is_made_harmless() {
    let ran = contained(Scenario::guest(guests::PRINTS).await.limit(Limit::LogBytes, 1 << 20)).await;
    assert_eq!((ran.told().as_str(), ran.rows), ("success", vec!["printed".to_owned()]));
    let (long, short): (Vec<_>, Vec<_>) = ran.log.iter().partition(|line| line.contains(" long "));
    assert_eq!(
        short,
        [
            "Stdout: plain",
            "Stdout: \\u{1b}[31mred\\u{1b}[0m",
            "Stdout: before\\u{d}after",
            "Stdout: bell\\u{7}, C1 \\u{9b}31m, turned \\u{202e}round",
            // The end of the long line, whose length is that of whole pieces.
            "Stdout: ",
            "Stderr: to stderr",
            "Stderr: without an end",
        ]
    );
    // A line that is too long is broken up, and nothing of it is lost.
    let pieces: Vec<_> = long.iter().map(|line| line.strip_prefix("Stdout: ").expect("it was printed there")).collect();
    assert!(pieces.iter().all(|piece| piece.len() <= 4096), "{pieces:?}");
    assert_eq!(pieces.concat(), "long ".repeat(1 << 15));
}

#[tokio::test]
async fn rows_that_do_not_fit_are_refused_one_by_one() {
    let ran = contained(Scenario::guest(guests::BAD_ROWS).await).await;
    assert_eq!(ran.told(), "success");
    let range = "expected `-62135596800` to `253402300799`, the seconds of the years 1 to 9999";
    let refusals = [
        "InvalidArgument(\"row has 0 cells, expected 3, one for each column\")",
        "InvalidArgument(\"row has 2 cells, expected 3, one for each column\")",
        "InvalidArgument(\"row has 4 cells, expected 3, one for each column\")",
        "InvalidArgument(\"cell for column `answer` is of type `integer`, expected type `text`\")",
        "InvalidArgument(\"cell for column `number` is of type `integer`, expected type `number`\")",
        "InvalidArgument(\"cell for column `time` is of type `integer`, expected type `time`\")",
        "InvalidArgument(\"cell for column `number` is `NaN`, expected a finite number\")",
        "InvalidArgument(\"cell for column `number` is `inf`, expected a finite number\")",
        &format!("InvalidArgument(\"cell for column `time` is `9223372036854775807`, {range}\")"),
        &format!("InvalidArgument(\"cell for column `time` is `-9223372036854775808`, {range}\")"),
        "LimitExceeded(\"text for column `answer` has 65537 bytes, expected at most 65536\")",
    ];
    assert_eq!(ran.rows, refusals.map(|refusal| format!("Err({refusal}) | none | none")));
}

// How a query ends itself.

#[tokio::test]
async fn a_panic_is_told_in_its_own_words() {
    let ran = contained(Scenario::guest(guests::PANICS).await).await;
    failed_by_itself(&ran, "the query panicked while it should run");
    let told =
        "the query panicked while it should run: panicked at tests/guests/examples/panics.rs:6:5:\nthe guest's own words\nat ";
    assert!(ran.told().starts_with(told), "{}", ran.told());
    // Told by the error, and nowhere else.
    assert_eq!(ran.log, [""; 0]);
    let trap = Trap::of(ran.error()).expect("the cause is a trap");
    assert_eq!(trap.message, ["panicked at tests/guests/examples/panics.rs:6:5:", "the guest's own words"]);
    // The outermost is what the component exports; what is between is the compiler's choice.
    assert_eq!(trap.frames.last().and_then(|frame| frame.function.as_deref()), Some("run"));
    assert!(trap.machinery_frames > 0, "{trap:?}");
}

#[tokio::test]
async fn a_stack_overflow_ends_the_query_only() {
    let parts = Parts { more: "(func $deep (call $deep))".into(), ..Parts::run("(call $deep) (i32.const 0)") };
    let ran = contained(Scenario::component(parts.build()).await).await;
    failed_by_itself(&ran, "the query overflowed its stack while it should run");
    assert!(ran.told().starts_with(&format!("{}: wasm trap: call stack exhausted\nat ", ran.error())), "{}", ran.told());
    assert_eq!(ran.told().lines().count(), 13, "the innermost calls are told: {}", ran.told());
}

#[tokio::test]
async fn exiting_ends_the_query_only() {
    let ran = contained(Scenario::guest(guests::EXITS).await).await;
    assert_eq!(ran.told(), "the query ended its process with status 1 while it should run");
    assert!(ran.error().is_query());
}

// Calls of the host.

#[tokio::test]
async fn requests_are_bounded_in_each_unit() {
    let pods = || (0..10).map(|index| pod("shop", &format!("web-{index}")));
    for (limit, value, shown) in [
        (Limit::Requests, 100, "100"),
        (Limit::HostCalls, 1000, "1000"),
        (Limit::Pods, 255, "255"),
        (Limit::ResponseBytes, 64 << 10, "64Ki"),
    ] {
        let source = Source::of(pods()).page_pods(5);
        let ran = contained(Scenario::guest(guests::LISTS_FOREVER).await.source(&source).limit(limit, value)).await;
        ended_by(&ran, limit, shown);
        assert!(ran.report.used(limit) <= value);
        // Each was charged before it was made; a list itself costs a call only.
        assert!(source.requests() <= 1001, "{} requests", source.requests());
    }
}

#[tokio::test]
async fn a_source_without_end_is_bounded() {
    for (answer, limit) in [(Answer::Endless, Limit::Pods), (Answer::Endless, Limit::Requests), (Answer::Hollow, Limit::Requests)] {
        let source = Source::of([pod("shop", "web-0")]).answers(answer);
        let ran = contained(Scenario::guest(guests::ASKS).await.source(&source).limit(limit, 50)).await;
        ended_by(&ran, limit, "50");
        // One list, and reads: each was charged before it was made.
        assert!(source.requests() <= 1 + 51, "{} requests", source.requests());
    }
}

#[tokio::test]
async fn open_lists_are_bounded_and_read_no_further_ahead() {
    let source = Source::of((0..5000).map(|index| pod("shop", &format!("web-{index}"))));
    let ran = contained(Scenario::guest(guests::OPENS_LISTS).await.source(&source)).await;
    assert_eq!(ran.rows, ["16 open: LimitExceeded(\"16 lists are open: drop one first\")"]);
    assert_eq!(ran.told(), "success");
    // Each list has one page waiting, and may have read another.
    assert!(source.requests() <= 16 * 3, "{} requests", source.requests());
}

#[tokio::test]
async fn what_is_read_ahead_and_never_asked_for_reaches_no_limit() {
    for limit in [Limit::Pods, Limit::Requests, Limit::ResponseBytes] {
        let source = Source::of((0..5000).map(|index| pod("shop", &format!("web-{index}"))));
        let ran = contained(Scenario::guest(guests::OPENS_LISTS).await.source(&source).limit(limit, 1)).await;
        assert_eq!(ran.told(), "success", "{limit:?}");
        // What is asked for does.
        let ran = contained(Scenario::guest(guests::ASKS).await.source(&source).limit(limit, 1)).await;
        assert_eq!(ran.error().limit(), Some(limit.name()));
    }
}

#[tokio::test]
async fn more_random_bytes_than_a_host_has_are_refused() {
    let ran = contained(Scenario::guest(guests::RANDOM_HOG).await).await;
    failed_by_itself(&ran, "the query trapped while it should run");
    assert_eq!(cause(&ran), "requested len 1099511627776 exceeds limit 65536");
}

#[tokio::test]
async fn huge_texts_are_refused_before_they_are_read() {
    let huge = |bytes: u32| Parts {
        imports: IMPORTS.into(),
        memory: r#"(memory (export "memory") 512)"#.into(),
        ..Parts::run(format!("(memory.fill (i32.const 65536) (i32.const 97) (i32.const {bytes})) {}", list_labels(65536, bytes)))
    };
    let source = Source::of([pod("shop", "web-0")]);
    // The query may handle it.
    let ran = contained(Scenario::component(huge(1 << 20).build()).await.source(&source)).await;
    failed_by_itself(&ran, "the query answered with an error");
    assert!(ran.told().ends_with(": invalid argument: label selector has 1048576 bytes: at most 4096 are read"), "{}", ran.told());
    // More than any call may pass: it is not even copied.
    let ran = contained(Scenario::component(huge(16 << 20).build()).await.source(&source)).await;
    failed_by_itself(&ran, "the query trapped while it should run");
    assert!(cause(&ran).starts_with("too much data is being copied between the host and the guest"), "{}", ran.told());
    assert_eq!(source.requests(), 0);
}

#[tokio::test]
async fn malformed_calls_end_the_query_only() {
    let list = |realloc: &str, more: &str| Parts {
        imports: IMPORTS.into(),
        run: format!("{} drop {more} (i32.const 0)", list_labels(0, 0)),
        realloc: realloc.into(),
        ..Parts::default()
    };
    let next = "(call $next (i32.load (i32.const 68)) (i32.const 64))";
    let name = "(call $name (i32.load (i32.load (i32.const 72))) (i32.const 64))";
    let good = Parts::default().realloc;
    for (what, parts, expected) in [
        (
            "text outside of the memory",
            Parts { imports: IMPORTS.into(), ..Parts::run(list_labels(65_536, 1)) },
            "string pointer/length out of bounds of memory",
        ),
        (
            "text past the address space",
            Parts { imports: IMPORTS.into(), ..Parts::run(list_labels(u32::MAX, u32::MAX)) },
            "string pointer/length out of bounds of memory",
        ),
        (
            "text that is no UTF-8",
            Parts {
                imports: IMPORTS.into(),
                ..Parts::run(format!("(i32.store (i32.const 512) (i32.const 0xff)) {}", list_labels(512, 1)))
            },
            "invalid utf-8 sequence of 1 bytes from index 0",
        ),
        (
            "more cells than there is memory",
            Parts {
                imports: IMPORTS.into(),
                ..Parts::run("(call $emit (i32.const 0) (i32.const 0x7fffffff) (i32.const 64)) (i32.const 64)")
            },
            "list pointer/length out of bounds of memory",
        ),
        (
            "a cell of no kind",
            Parts {
                imports: IMPORTS.into(),
                ..Parts::run(
                    "(i32.store (i32.const 512) (i32.const 77))
                    (call $emit (i32.const 512) (i32.const 1) (i32.const 64)) (i32.const 64)",
                )
            },
            "unexpected discriminant: 77",
        ),
        ("an answer outside of the memory", Parts::run("(i32.const -8)"), "pointer out of bounds of memory"),
        (
            "an answer of no kind",
            Parts::run("(i32.store8 (i32.const 64) (i32.const 9)) (i32.const 64)"),
            "invalid expected discriminant",
        ),
        ("an allocation outside of the memory", list("(i32.const 0x7ffffff8)", next), "realloc return: beyond end of memory"),
        ("an allocation that is not aligned", list("(i32.const 32769)", next), "realloc return: result not aligned"),
        ("an allocation that traps", list("unreachable", next), "wasm trap: wasm `unreachable` instruction executed"),
        (
            "an allocation that calls the host",
            list(&format!("{} ", list_labels(0, 0)), next),
            "wasm trap: cannot leave component instance",
        ),
        ("a handle that was never given", list(&good, "(call $name (i32.const 7) (i32.const 64))"), "unknown handle index 7"),
        (
            "a handle that was dropped",
            list(&good, &format!("{next} (call $drop-pod (i32.load (i32.load (i32.const 72)))) {name}")),
            "unknown handle index 2",
        ),
        (
            "a list taken for a pod",
            list(&good, "(call $name (i32.load (i32.const 68)) (i32.const 64))"),
            "handle index 1 used with the wrong type, expected guest-defined resource but found a different guest-defined resource",
        ),
    ] {
        let scenario = Scenario::component(parts.build()).await.source(&Source::of([pod("shop", "web-0")]));
        let ran = contained(scenario).await;
        assert!(ran.error().is_query(), "{what}: {}", ran.told());
        assert_eq!(cause(&ran), expected, "{what}");
    }
    // The scaffolding itself is sound.
    let scenario = Scenario::component(list(&good, &format!("{next} {name}")).build()).await;
    assert_eq!(scenario.source(&Source::of([pod("shop", "web-0")])).run().await.told(), "success");
}

#[tokio::test]
async fn a_query_may_swallow_an_error_but_not_a_limit() {
    let message = "what was attempted";
    for (error, word) in [
        (Error::denied(message), "denied"),
        (Error::not_found(), "not-found"),
        (Error::expired(message), "expired"),
        (Error::unavailable(message, Some(Duration::from_secs(3))), "unavailable"),
        (Error::server_error(message), "server-error"),
    ] {
        let source = Source::default().answers(Answer::Fails(error));
        let scenario = Scenario::guest(guests::SWALLOWS).await.arguments(&[("namespace", "shop")]).source(&source);
        let ran = contained(scenario).await;
        assert_eq!((ran.told().as_str(), ran.rows), ("success", vec![word.to_owned()]));
    }
    let source = Source::of([pod("shop", "web-0"), pod("shop", "web-1")]);
    let scenario = Scenario::guest(guests::SWALLOWS).await.arguments(&[("namespace", "shop")]).source(&source);
    let ran = contained(scenario.limit(Limit::Pods, 1)).await;
    ended_by(&ran, Limit::Pods, "1");
    assert!(ran.rows.is_empty());
}

// What is outside.

#[tokio::test]
async fn there_is_no_world_outside() {
    let ran = contained(Scenario::guest(guests::READS_WORLD).await).await;
    assert_eq!((ran.told().as_str(), ran.rows), ("success", Vec::new()));
}

#[tokio::test]
async fn a_query_that_wants_a_socket_is_not_loaded() {
    let error = load(guests::OPENS_SOCKET).await.expect_err("sockets are not offered");
    assert!(error.is_component());
    let named = error.to_string();
    for interface in ["wasi:sockets/tcp@", "wasi:sockets/udp@", "wasi:sockets/ip-name-lookup@"] {
        assert!(named.starts_with("the component imports `wasi:sockets/") && named.contains(interface), "{named}");
    }
    assert!(named.ends_with(", which no query is offered") && !named.contains("wasi:io"), "{named}");
}

#[tokio::test]
async fn a_query_that_describes_itself_wrongly_is_not_loaded() {
    let error = load(guests::BAD_DESCRIPTION).await.expect_err("two columns have one name");
    assert!(error.is_component());
    assert_eq!(told(&error), "the query describes itself wrongly: two columns are named `name`, expected different names");
}
