//! The instructions that pieces of work take are those that were committed, or fewer: a change that makes podlens slower is noticed on
//! a busy machine too, where time tells nothing.
//!
//! `tests/bench/micro` counts them, by valgrind. Counts differ by less than 0.5 % from run to run; more by compiler, C library and
//! processor, whose features both choose code by.

use std::collections::BTreeMap;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use podlens::{HostFunction, Limit};
use podlens_tests::program;

use crate::guests;
use crate::support::{Scenario, Source, pod};

/// What is counted is what the guest was told to do.
#[tokio::test]
async fn a_guest_does_as_much_as_it_is_told() {
    let source = Source::of([pod("shop", "web-0"), pod("shop", "web-1")]);
    let arguments = [("list", "true"), ("read", "name,namespace,metadata,spec,status,health"), ("times", "3"), ("rows", "4")];
    let ran = Scenario::guest(guests::WORKS).await.source(&source).arguments(&arguments).run().await;
    assert_eq!(ran.told(), "success");
    let read = [
        HostFunction::Name,
        HostFunction::Namespace,
        HostFunction::Metadata,
        HostFunction::Spec,
        HostFunction::Status,
        HostFunction::Health,
    ];
    for function in read {
        assert_eq!(ran.report.calls(function), 6, "{}", function.name());
    }
    assert_eq!((ran.report.used(Limit::Rows), ran.rows.len()), (4, 4));
}

/// How far a count may be above the committed one, and how far below it before somebody should commit it.
const TOLERATED_PERCENT: u64 = 10;

#[test]
#[cfg_attr(not(all(target_os = "linux", target_arch = "x86_64")), ignore = "instructions are counted on Linux on x86-64")]
fn no_piece_of_work_takes_more_instructions_than_before() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/micro/instructions.json");
    let read =
        |text: &str| -> BTreeMap<String, u64> { serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")) };
    let committed = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let counted = program::run(&mut Command::new(program::micro()));
    assert_eq!(counted.code, 0, "{}", counted.stderr);
    let (more, fewer) = differences(&read(&committed), &read(&counted.stdout));
    // What differs by chance stays as it is.
    if std::env::var_os("PODLENS_GOLDEN").is_some_and(|mode| mode == "write") {
        if !(more.is_empty() && fewer.is_empty()) {
            fs::write(&path, counted.stdout).expect("it is in the repository");
        }
        return;
    }
    let rewrite = "If it should be: PODLENS_GOLDEN=write, and CARGO_INCREMENTAL=0, for that is what the committed counts are of";
    if !fewer.is_empty() {
        // Past the test's own output, which is not shown where the test passes.
        let told = format!("{} could be lowered:\n{fewer}{rewrite}\n", path.display());
        io::stderr().write_all(told.as_bytes()).expect("standard error takes it");
    }
    assert!(more.is_empty(), "{} is not what was counted:\n{more}{rewrite}", path.display());
}

/// A line for each piece that takes more instructions than is tolerated, or that only one side has; and one for each that takes so many
/// fewer.
fn differences(committed: &BTreeMap<String, u64>, counted: &BTreeMap<String, u64>) -> (String, String) {
    let (mut more, mut fewer) = (String::new(), String::new());
    for (name, before) in committed {
        let Some(now) = counted.get(name) else {
            more += &format!("  {name}: {before}, and now not counted\n");
            continue;
        };
        let line = format!("  {name}: {before}, and now {now}, {:+.1} %\n", (*now as f64 / *before as f64 - 1.0) * 100.0);
        if *now > before + before * TOLERATED_PERCENT / 100 {
            more += &line;
        } else if *now < before - before * TOLERATED_PERCENT / 100 {
            fewer += &line;
        }
    }
    for (name, now) in counted.iter().filter(|(name, _)| !committed.contains_key(*name)) {
        more += &format!("  {name}: not there, and now {now}\n");
    }
    (more, fewer)
}

#[test]
fn a_tenth_more_is_a_difference() {
    let counts = |counts: &[(&str, u64)]| counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    let committed = counts(&[("a", 1000), ("b", 1000), ("c", 1000), ("d", 1000), ("gone", 1)]);
    let (more, fewer) = differences(&committed, &counts(&[("a", 1100), ("b", 1101), ("c", 900), ("d", 899), ("new", 7)]));
    assert_eq!(more, "  b: 1000, and now 1101, +10.1 %\n  gone: 1, and now not counted\n  new: not there, and now 7\n");
    assert_eq!(fewer, "  d: 1000, and now 899, -10.1 %\n");
}
