//! `podlens test`: the test cases of the example queries, and that a case can fail.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use podlens::kube::Manifest;
use podlens::{Grant, Recorder, RunOptions, Snapshot};
use podlens_tests::program::{self, Done};
use quick_junit::{NonSuccessKind, TestCaseStatus};
use tempfile::TempDir;

use crate::guests;
use crate::support::query;

fn queries() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/queries")
}

/// `podlens test`, without what it says of a component that takes long on a busy machine.
fn tested(folders: &[&Path], arguments: &[&str]) -> Done {
    let Done { code, stdout, stderr } = program::run(program::command().arg("test").args(folders).args(arguments));
    Done { code, stdout, stderr: stderr.replace("compiling the component …\n", "") }
}

/// Two pods, by name.
const PODS: &str = "apiVersion: v1\nkind: List\nitems:\n\
    - {apiVersion: v1, kind: Pod, metadata: {name: web-0, namespace: shop}}\n\
    - {apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop}}\n";
const ROWS: &str = r#"[{"namespace": "shop", "name": "web-0"}, {"namespace": "shop", "name": "web-1"}]"#;

/// A folder `pod-names` of a test's own, with cases for the query of that name.
struct Cases {
    folder: TempDir,
}

impl Cases {
    fn none() -> Self {
        let cases = Self { folder: tempfile::tempdir().expect("a temporary folder can be made") };
        fs::create_dir_all(cases.tests()).expect("a temporary folder can be written");
        cases
    }

    /// One case of this name, with the two pods and what else is in it.
    fn one(name: &str, files: &[(&str, &str)]) -> Self {
        Self::none().and(name, &[&[("case.yaml", ""), ("pods.yaml", PODS)], files].concat())
    }

    fn and(self, name: &str, files: &[(&str, &str)]) -> Self {
        fs::create_dir_all(self.path(name)).expect("a temporary folder can be written");
        for (file, text) in files {
            fs::write(self.path(name).join(file), text).expect("a temporary folder can be written");
        }
        self
    }

    fn query(&self) -> PathBuf {
        self.folder.path().join("pod-names")
    }

    fn tests(&self) -> PathBuf {
        self.query().join("test")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.tests().join(name)
    }

    /// The files of a case, by name.
    fn files(&self, name: &str) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.path(name)).expect("it is there").map(|entry| entry.expect("it can be read").path());
        let name = |path: &PathBuf| path.file_name().expect("it has a name").to_string_lossy().into_owned();
        entries.map(|path| (name(&path), fs::read_to_string(&path).expect("it is text"))).collect()
    }

    fn run(&self, arguments: &[&str]) -> Done {
        self.steady(tested(&[&self.query()], arguments))
    }

    /// What a run gave, without what differs from one to the next: the folder, and times in milliseconds and seconds.
    fn steady(&self, done: Done) -> Done {
        let steady = |text: &str| {
            let text = text.replace(&self.query().display().to_string(), "QUERY");
            let line = |line: &str| match line.rsplit_once(" (") {
                Some((line, time)) if time.starts_with(|it: char| it.is_ascii_digit()) && time.ends_with("s)\n") => {
                    format!("{line}\n")
                }
                _ => line.to_owned(),
            };
            text.split_inclusive('\n').map(line).collect::<String>()
        };
        Done { code: done.code, stdout: steady(&done.stdout), stderr: steady(&done.stderr) }
    }

    /// Runs the cases, and compares all that it says but for the line that names the component.
    #[track_caller]
    fn check(&self, arguments: &[&str], code: i32, lines: &[&str]) {
        let done = self.run(arguments);
        let (first, stdout) = done.stdout.split_once('\n').expect("it says which folder");
        assert!(first.starts_with("QUERY (component: "), "{first}");
        assert_eq!((stdout.lines().collect::<Vec<_>>(), done.stderr.as_str(), done.code), (lines.to_vec(), "", code));
    }

    /// Runs one case that cannot be read, and compares what is said of it.
    #[track_caller]
    fn check_unreadable(&self, why: &str) {
        let why = format!("      {why}");
        let done = self.run(&[]);
        let lines: Vec<_> = done.stdout.lines().collect();
        assert_eq!((done.code, &lines[1..]), (2, &["  UNREADABLE a", &why, "1 test case: 0 passed, 1 cannot be read"][..]));
    }
}

// The example queries.

#[test]
fn every_example_query_passes_its_cases() {
    let mut folders: Vec<_> = fs::read_dir(queries())
        .expect("the repository has queries")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.join("Cargo.toml").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= 12, "{folders:?}");
    for folder in &folders {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("its name is text");
        let done = tested(&[folder], &["--component", name]);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{}", done.stdout);
        let head = format!("{} (component: {name})\n  ok", folder.display());
        assert!(done.stdout.starts_with(&head), "{head} is not the beginning of\n{}", done.stdout);
        let summary = done.stdout.lines().last().unwrap_or_default();
        let count = done.stdout.lines().filter(|line| line.starts_with("  ok ")).count();
        let plural = if count == 1 { "" } else { "s" };
        assert!(summary.starts_with(&format!("{count} test case{plural}: {count} passed (")), "{summary}");
    }
}

#[test]
fn a_case_fails_with_another_query() {
    let folder = queries().join("images");
    let done = tested(&[&folder], &["--component", "pod-names"]);
    assert_eq!(done.code, 1);
    assert!(done.stdout.contains("the rows are others") && done.stdout.contains("(component: pod-names)"), "{}", done.stdout);
}

// A case can fail.

#[test]
fn a_case_passes_by_the_values_of_its_rows() {
    Cases::one("a", &[("case.yaml", "description: Two pods"), ("expected.json", ROWS)]).check(
        &[],
        0,
        &["  ok      a: Two pods", "1 test case: 1 passed"],
    );
}

#[test]
fn another_row_fails() {
    let rows = ROWS.replace("web-1", "web-2");
    Cases::one("a", &[("expected.json", &rows)])
        .and("b", &[("case.yaml", ""), ("pods.yaml", PODS), ("expected.json", ROWS)])
        .check(
            &[],
            1,
            &[
                "  FAILED  a",
                "      the rows are others",
                "      (- expected, + actual)",
                "                \"name\": \"web-0\",",
                "            },",
                "            {",
                "                \"namespace\": \"shop\",",
                "      -         \"name\": \"web-2\",",
                "      +         \"name\": \"web-1\",",
                "            },",
                "        ]",
                "  ok      b",
                "2 test cases: 1 passed, 1 failed",
            ],
        );
}

#[test]
fn rows_have_an_order() {
    let rows = r#"[{"namespace": "shop", "name": "web-1"}, {"namespace": "shop", "name": "web-0"}]"#;
    assert_eq!(Cases::one("a", &[("expected.json", rows)]).run(&[]).code, 1);
}

#[test]
fn another_error_fails() {
    let case = ("case.yaml", "namespaces: []");
    let error = "error: the query could not be answered\r\n  caused by: no namespace is granted";
    Cases::one("a", &[case, ("expected-error.txt", error)]).check(&[], 0, &["  ok      a", "1 test case: 1 passed"]);
    Cases::one("a", &[case, ("expected-error.txt", &error.replace("no namespace", "nothing"))]).check(
        &[],
        1,
        &[
            "  FAILED  a",
            "      the error is another one",
            "      (- expected, + actual)",
            "        error: the query could not be answered",
            "      -   caused by: nothing is granted",
            "      +   caused by: no namespace is granted",
            "1 test case: 0 passed, 1 failed",
        ],
    );
}

#[test]
fn a_failure_that_is_not_expected_fails_and_so_does_one_that_does_not_come() {
    Cases::one("a", &[("case.yaml", "parameters: {max: 1}"), ("expected.json", "[]")]).check(
        &[],
        1,
        &[
            "  FAILED  a",
            "      the run fails",
            "      error: this query has no parameter `max`, it takes none",
            "      hint: give parameters as `-p key=value`",
            "1 test case: 0 passed, 1 failed",
        ],
    );
    Cases::one("a", &[("expected.json", ROWS), ("expected-error.txt", "error: nothing works")]).check(
        &[],
        1,
        &["  FAILED  a", "      the run does not fail, as `expected-error.txt` says", "1 test case: 0 passed, 1 failed"],
    );
}

#[test]
fn a_case_that_expects_nothing_fails() {
    Cases::one("a", &[]).check(
        &[],
        1,
        &[
            "  FAILED  a",
            "      it has neither `expected.json` nor `expected-error.txt`: write them with `--update`, and look at them",
            "1 test case: 0 passed, 1 failed",
        ],
    );
}

#[test]
fn faults_come_where_they_are_to_come() {
    for (fault, error) in [
        ("{error: denied}", "list 1, page 1: the API server refuses"),
        ("{page: 2, error: expired}", "list 1, page 2: the API server has dropped the snapshot that it was reading from"),
        ("{list: 1, page: 2, error: unavailable}", "list 1, page 2: the API server gives no usable answer"),
        ("{page: 2, error: truncated}", "list 1, page 2: the answer breaks off"),
    ] {
        let hint = if fault.contains("unavailable") { "hint: the API server asks to wait 1 s before trying again\n" } else { "" };
        let error = format!("error: the query could not be answered\n  caused by: {error}, since the test case says so\n{hint}");
        let case = format!("pageSize: 1\nfaults: [{fault}]");
        let rows = if fault.contains("page: 2") { r#"[{"namespace": "shop", "name": "web-0"}]"# } else { "[]" };
        let cases = Cases::one("a", &[("case.yaml", &case), ("expected-error.txt", &error), ("expected.json", rows)]);
        cases.check(&[], 0, &["  ok      a", "1 test case: 1 passed"]);
    }
}

#[test]
fn a_fault_in_a_get_comes_there() {
    let asks = ["--component", guests::ASKS];
    for (fault, cause) in [
        ("get: 1, error: not-found", "there is no such pod among those granted"),
        ("get: 1, error: denied", "get 1: the API server refuses, since the test case says so"),
    ] {
        let case = format!("parameters: {{namespace: shop, name: web-0}}\nfaults: [{{{fault}}}]");
        let error = format!("error: the query could not be answered\n  caused by: {cause}\n");
        Cases::one("a", &[("case.yaml", &case), ("expected-error.txt", &error)]).check(
            &asks,
            0,
            &["  ok      a", "1 test case: 1 passed"],
        );
    }
}

#[test]
fn a_fault_that_nothing_comes_upon_fails() {
    let case = "faults: [{list: 1, page: 3, error: denied}, {get: 1, error: denied}]";
    let told = [
        "  FAILED  a",
        "      nothing asked for list 1, page 3, which was to fail",
        "      nothing asked for get 1, which was to fail",
        "1 test case: 0 passed, 1 failed",
    ];
    let cases = Cases::one("a", &[("case.yaml", case), ("expected.json", ROWS)]);
    cases.check(&[], 1, &told);
    // That the answer is kept as it came does not help.
    assert_eq!(cases.run(&["--update"]).code, 1);
}

#[test]
fn a_fault_that_was_read_ahead_and_never_asked_for_was_not_met() {
    // It opens lists, whose first pages are then read, and asks for none of them.
    let component = ["--component", guests::OPENS_LISTS];
    let cases = Cases::one("a", &[("case.yaml", "faults: [{list: 1, error: denied}]")]);
    cases.run(&[&component[..], &["--update"]].concat());
    let told = ["  FAILED  a", "      nothing asked for list 1, page 1, which was to fail", "1 test case: 0 passed, 1 failed"];
    cases.check(&component, 1, &told);
}

#[test]
fn limits_and_the_clock_are_the_cases_own() {
    let case = "limits: {max-pods: 1}";
    let cases = Cases::one("a", &[("case.yaml", case)]);
    assert_eq!(cases.run(&["--update"]).code, 1);
    let error = &cases.files("a")["expected-error.txt"];
    assert!(error.contains("pods") && error.contains("--max-pods"), "{error}");

    let pods = "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, creationTimestamp: \"2026-06-01T00:00:00Z\"}}";
    let cases =
        Cases::none().and("a", &[("case.yaml", "now: 2026-06-01T02:00:00Z\nparameters: {bounds: 1h}"), ("pods.yaml", pods)]);
    assert_eq!(cases.run(&["--update", "--component", "age-histogram"]).code, 0);
    let rows: serde_json::Value = serde_json::from_str(&cases.files("a")["expected.json"]).expect("it is JSON");
    assert_eq!((&rows[0]["pods"], &rows[1]["pods"]), (&0.into(), &1.into()));
}

// Only what failed shows its log.

#[test]
fn the_log_of_a_query_is_shown_where_it_failed() {
    let component = ["--component", guests::PRINTS];
    let cases = Cases::one("a", &[]);
    let failed = cases.run(&component);
    assert!(failed.code == 1 && failed.stdout.contains("\n      query: "), "{}", failed.stdout);
    cases.run(&["--update", "--component", guests::PRINTS]);
    let passed = cases.run(&component);
    assert!(passed.code == 0 && !passed.stdout.contains("query: "), "{}", passed.stdout);
}

// `--update`.

#[test]
fn an_update_writes_what_happens_and_says_so() {
    let cases = Cases::one("a", &[("expected.json", "[]"), ("expected-error.txt", "error: it fails")]);
    cases.check(
        &["--update"],
        0,
        &["  updated a", "      wrote `expected.json`", "      removed `expected-error.txt`", "1 test case: 0 passed, 1 updated"],
    );
    let written = cases.files("a");
    let names: Vec<_> = written.keys().map(String::as_str).collect();
    assert_eq!(names, ["case.yaml", "expected.json", "pods.yaml"]);
    let rows = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("it is JSON");
    assert_eq!(rows(&written["expected.json"]), rows(ROWS));

    // What is as it happens stays as it is.
    cases.check(&["--update"], 0, &["  ok      a", "1 test case: 1 passed"]);
    assert_eq!(cases.files("a"), written);
    cases.check(&[], 0, &["  ok      a", "1 test case: 1 passed"]);
}

#[test]
fn an_update_of_the_example_queries_changes_nothing() {
    for query in ["pod-names", "restarts", "by-node"] {
        let cases = Cases::none();
        let from = queries().join(query).join("test");
        let mut names = Vec::new();
        for case in fs::read_dir(&from).expect("it has cases").map(|entry| entry.expect("it can be read")) {
            let name = case.file_name().into_string().expect("it is text");
            fs::create_dir(cases.path(&name)).expect("a temporary folder can be written");
            for file in fs::read_dir(case.path()).expect("it is a folder").map(|entry| entry.expect("it can be read")) {
                fs::copy(file.path(), cases.path(&name).join(file.file_name())).expect("a temporary folder can be written");
            }
            names.push(name);
        }
        let before: Vec<_> = names.iter().map(|name| cases.files(name)).collect();
        let done = cases.run(&["--update", "--component", query]);
        assert_eq!((done.code, names.iter().map(|name| cases.files(name)).collect::<Vec<_>>()), (0, before), "{}", done.stdout);
    }
}

#[test]
fn an_update_does_not_hide_that_a_run_fails() {
    let cases = Cases::one("a", &[("case.yaml", "namespaces: []"), ("expected.json", ROWS)]);
    cases.check(
        &["--update"],
        1,
        &[
            "  FAILED  a",
            "      removed `expected.json`",
            "      wrote `expected-error.txt`",
            "      the run fails; it is expected to from now on",
            "      error: the query could not be answered",
            "        caused by: no namespace is granted",
            "1 test case: 0 passed, 1 failed",
        ],
    );
    cases.check(&[], 0, &["  ok      a", "1 test case: 1 passed"]);
}

#[test]
fn an_update_writes_through_no_symlink() {
    let cases = Cases::one("a", &[]);
    let outside = cases.folder.path().join("outside");
    fs::write(&outside, "as it is").expect("a temporary folder can be written");
    symlink(&outside, cases.path("a").join("expected.json")).expect("a temporary folder can be written");
    assert_eq!(cases.run(&["--update"]).code, 2);
    assert_eq!(fs::read_to_string(outside).expect("it is there"), "as it is");
}

#[test]
fn what_is_outside_of_the_cases_is_neither_shown_nor_written() {
    let secret = "error: a secret\n";
    let cases = Cases::one("a", &[]);
    let outside = cases.folder.path().join("outside");
    for file in ["case.yaml", "pods.yaml", "expected.json", "expected-error.txt"] {
        fs::create_dir_all(&outside)
            .and_then(|()| fs::write(outside.join(file), secret))
            .expect("a temporary folder can be written");
        let there = cases.path("a").join(file);
        let before = fs::read(&there).ok();
        fs::remove_file(&there).ok();
        symlink(outside.join(file), &there).expect("a temporary folder can be written");
        cases.check_unreadable(&format!("`QUERY/test/a/{file}` leads out of the folder of the cases"));
        assert_eq!(cases.run(&["--update"]).code, 2);
        fs::remove_file(&there).expect("it is there");
        if let Some(before) = before {
            fs::write(&there, before).expect("a temporary folder can be written");
        }
        // What `--update` may have written before it came to this file.
        for written in ["expected.json", "expected-error.txt"] {
            fs::remove_file(cases.path("a").join(written)).ok();
        }
    }
    // Nor is a case's whole folder, or that of all of them.
    fs::remove_dir_all(cases.path("a")).expect("it is there");
    symlink(&outside, cases.path("a")).expect("a temporary folder can be written");
    cases.check_unreadable("`QUERY/test/a` leads out of the folder of the cases");
    assert_eq!(cases.run(&["--update"]).code, 2);
    fs::remove_dir_all(cases.tests()).expect("it is there");
    symlink(&outside, cases.tests()).expect("a temporary folder can be written");
    let refused = cases.run(&[]);
    assert!(
        refused.code == 2 && refused.stderr.starts_with("error: `QUERY/test` leads out of the query's folder\n"),
        "{refused:?}"
    );
    for file in ["case.yaml", "pods.yaml", "expected.json", "expected-error.txt"] {
        assert_eq!(fs::read_to_string(outside.join(file)).expect("it is there"), secret);
    }
}

#[test]
fn a_case_may_have_the_pods_of_another() {
    let cases = Cases::one("a", &[("expected.json", ROWS)]).and("b", &[("case.yaml", ""), ("expected.json", ROWS)]);
    symlink("../a/pods.yaml", cases.path("b").join("pods.yaml")).expect("a temporary folder can be written");
    cases.check(&[], 0, &["  ok      a", "  ok      b", "2 test cases: 2 passed"]);
}

// What cannot be read.

#[test]
fn a_case_that_cannot_be_read_is_told_and_the_others_run() {
    let cases = Cases::one("a", &[("case.yaml", "description: One\nselektor: app=web\n"), ("expected.json", ROWS)])
        .and("b", &[("case.yaml", ""), ("pods.yaml", PODS), ("expected.json", ROWS)]);
    let done = cases.run(&[]);
    assert_eq!(done.code, 2);
    for text in [
        "  UNREADABLE a\n      `QUERY/test/a/case.yaml` is no test case: ",
        "unknown field `selektor`, expected one of description, parameters, namespaces, selector, fieldSelector, wholeObjects, now, \
         pageSize, limits, faults at line 2, column 1",
        "  ok      b\n",
        "2 test cases: 1 passed, 1 cannot be read\n",
    ] {
        assert!(done.stdout.contains(text), "{text} is not in\n{}", done.stdout);
    }
}

#[test]
fn what_is_missing_is_named() {
    Cases::none().and("a", &[("pods.yaml", PODS)]).check_unreadable("`QUERY/test/a/case.yaml` is missing; it may be empty");
    Cases::none()
        .and("a", &[("case.yaml", "")])
        .check_unreadable("`QUERY/test/a` has none of `pods.yaml`, `pods.json`, `recording.json`");
    Cases::one("a", &[("pods.json", "{}")])
        .check_unreadable("`QUERY/test/a` has more than one of `pods.yaml`, `pods.json`, `recording.json`");
}

#[test]
fn hostile_files_are_bounded_and_shown_as_they_are() {
    let cases = Cases::none().and("a", &[("case.yaml", "")]);
    let pods = cases.path("a").join("pods.yaml");
    fs::create_dir(&pods).expect("a temporary folder can be written");
    cases.check_unreadable("`QUERY/test/a/pods.yaml` is not a file");
    fs::remove_dir(&pods).expect("it is there");
    symlink("/dev/zero", &pods).expect("a temporary folder can be written");
    cases.check_unreadable("`QUERY/test/a/pods.yaml` leads out of the folder of the cases");
    fs::remove_file(&pods).expect("it is there");
    fs::File::create(&pods).and_then(|file| file.set_len(1 << 40)).expect("it takes no room");
    cases.check_unreadable("`QUERY/test/a/pods.yaml` has more than 64 MiB");

    Cases::one("a", &[("pods.yaml", "{kind: Service, apiVersion: v1}")])
        .check_unreadable("`QUERY/test/a/pods.yaml` has objects, and none of them is a pod");
    Cases::one("a", &[("expected.json", "{}")]).check_unreadable(
        "`QUERY/test/a/expected.json` is not a JSON array of rows: invalid type: map, expected a sequence at line 1 column 0",
    );
    let rows = ROWS.replace("web-1", "web\\u001b[2J\\u202e");
    let description = r#"description: "\e[31mred\u202e""#;
    let done = Cases::one("a\u{1b}[31m", &[("case.yaml", description), ("expected.json", &rows)]).run(&[]);
    assert_eq!(done.code, 1);
    assert!(!done.stdout.contains(['\u{1b}', '\u{202e}']), "{}", done.stdout);
    assert!(done.stdout.contains(r"a\u{1b}[31m: \u{1b}[31mred\u{202e}"), "{}", done.stdout);
}

// Which cases, which component.

#[test]
fn a_filter_chooses_cases() {
    let case = [("case.yaml", ""), ("pods.yaml", PODS), ("expected.json", ROWS)];
    let cases = Cases::none().and("one-pod", &case).and("two-pods", &case);
    cases.check(&["--filter", "names/two"], 0, &["  ok      two-pods", "1 test case: 1 passed"]);
    let done = cases.run(&["--filter", "three"]);
    let error =
        "error: no case has `three` in it\nhint: `--filter` looks into `DIR/NAME`, the folder as it was given and the case's\n";
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (2, "", error));
}

#[test]
fn the_folder_of_the_cases_will_do() {
    let cases = Cases::one("a", &[("expected.json", ROWS)]);
    let done = tested(&[&cases.tests()], &[]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{}", done.stdout);
    let here = |path: PathBuf| program::run(Command::new(program::podlens()).args(["test", "."]).current_dir(path)).code;
    assert_eq!((here(cases.query()), here(cases.tests())), (0, 0));
}

#[test]
fn a_folder_without_cases_is_refused() {
    let done = Cases::none().run(&[]);
    let stderr =
        "error: `QUERY` has no test case\nhint: give a query's folder with `test/CASE/case.yaml` in it, or its folder `test`\n";
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (2, "", stderr));
    // Another folder is not taken for a case.
    let cases = Cases::none();
    fs::remove_dir(cases.tests())
        .and_then(|()| fs::create_dir(cases.query().join("src")))
        .expect("a temporary folder can be written");
    assert_eq!(cases.run(&[]), done);
}

#[test]
fn what_was_built_in_the_folder_is_tested() {
    let cases = Cases::one("a", &[("expected.json", ROWS)]);
    fs::write(cases.query().join("Cargo.toml"), "[package]\nname = \"mine\"").expect("a temporary folder can be written");
    fs::copy(guests::ASKS, cases.query().join("mine.wasm")).expect("a temporary folder can be written");
    let done = cases.run(&[]);
    assert!(done.code == 0 && done.stdout.starts_with("QUERY (component: mine.wasm)\n") && done.stderr.is_empty(), "{done:?}");
}

#[test]
fn a_component_that_is_older_than_its_sources_is_told() {
    let cases = Cases::one("a", &[("expected.json", ROWS)]);
    for folder in ["src", "wit", "node_modules/a"] {
        fs::create_dir_all(cases.query().join(folder)).expect("a temporary folder can be written");
    }
    let changed = |path: &str, when: SystemTime| {
        let file = fs::File::options().append(true).create(true).open(cases.query().join(path));
        file.and_then(|file| file.set_modified(when)).expect("a temporary folder can be written");
    };
    let built = SystemTime::now();
    let sources = ["Cargo.toml", "src/lib.rs", "wit/pods.wit"];
    fs::write(cases.query().join("Cargo.toml"), "[package]\nname = \"mine\"").expect("a temporary folder can be written");
    fs::copy(guests::ASKS, cases.query().join("mine.wasm")).expect("a temporary folder can be written");
    changed("mine.wasm", built);
    for source in sources {
        changed(source, built - Duration::from_secs(1));
    }
    // Neither of them goes into the component.
    for other in ["README.md", "node_modules/a/index.js", "test/a/case.yaml", ".gitignore"] {
        changed(other, built + Duration::from_secs(1));
    }
    assert_eq!((cases.run(&[]).code, cases.run(&[]).stderr.as_str()), (0, ""));
    for source in sources {
        changed(source, built + Duration::from_secs(1));
        let done = cases.run(&[]);
        let told = format!(
            "warning: `{source}` is newer than `mine.wasm`, which is tested all the same: build it again with `podlens build QUERY`\n"
        );
        assert_eq!((done.code, done.stderr.as_str()), (0, told.as_str()));
        changed(source, built - Duration::from_secs(1));
    }
}

#[test]
fn a_project_that_is_not_built_does_not_pass_by_the_query_of_its_name() {
    let cases = Cases::one("a", &[("expected.json", ROWS)]);
    assert_eq!(cases.run(&[]).code, 0, "a folder without a project is that of a query that comes with podlens");
    for (manifest, text, code, told) in [
        ("Cargo.toml", "[package]\nname = \"pod-names\"", 6, "build it with `podlens build QUERY`"),
        ("Cargo.toml", "[package", 2, "error: `QUERY/Cargo.toml` does not name a project\n"),
        ("package.json", "{", 2, "error: `QUERY/package.json` does not name a project\n"),
        ("pyproject.toml", "", 2, "error: `QUERY/pyproject.toml` does not name a project\n"),
    ] {
        let manifest = cases.query().join(manifest);
        fs::write(&manifest, text).expect("a temporary folder can be written");
        let done = cases.run(&[]);
        assert_eq!((done.code, done.stdout.as_str()), (code, ""));
        assert!(done.stderr.contains(told), "{}", done.stderr);
        assert_eq!(cases.run(&["--component", "pod-names"]).code, 0);
        fs::remove_file(manifest).expect("it is there");
    }
}

#[test]
fn without_a_component_nothing_is_tested() {
    let cases = Cases::one("a", &[("expected.json", ROWS)]);
    let other = cases.folder.path().join("mine");
    fs::rename(cases.query(), &other).expect("a temporary folder can be written");
    let done = tested(&[&other], &[]);
    assert_eq!((done.code, done.stdout.as_str()), (6, ""));
    assert!(done.stderr.ends_with("hint: name it with `--component`\n"), "{}", done.stderr);
    fs::write(other.join("Cargo.toml"), "[package]\nname = \"mine\"").expect("a temporary folder can be written");
    let done = tested(&[&other], &[]);
    assert!(done.code == 6 && done.stderr.contains("mine.wasm` is not there: build it with `podlens build "), "{}", done.stderr);
}

// Recordings and reports.

#[tokio::test]
async fn a_recorded_run_is_a_case() {
    let pods = Manifest::parse(PODS.as_bytes(), false).expect("they are pods").pods;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let grant = Grant::all_namespaces();
    let recorder = Recorder::new(Arc::new(Snapshot::new(pods).page_size(1)), &grant, now);
    let mut options = RunOptions::default();
    options.grant = grant;
    query(guests::ASKS).await.run(Arc::new(recorder.clone()), options).finish().await.result.expect("it answers");

    let recording = recorder.recording().expect("it is small").to_json();
    let files = [("recording.json", recording.as_str()), ("expected.json", ROWS)];
    let asks = ["--component", guests::ASKS];
    Cases::none()
        .and("a", &[&[("case.yaml", "")], &files[..]].concat())
        .and("b", &[&[("case.yaml", "faults: [{page: 2, error: expired}]")], &files[..]].concat())
        .and("c", &[&[("case.yaml", "pageSize: 2")], &files[..]].concat())
        .check(
            &asks,
            2,
            &[
                "  ok      a",
                "  FAILED  b",
                "      the run fails",
                "      error: the query could not be answered",
                "        caused by: list 1, page 2: the API server has dropped the snapshot that it was reading from, since the test case says so",
                "      the rows are others",
                "      (- expected, + actual)",
                "            {",
                "                \"namespace\": \"shop\",",
                "                \"name\": \"web-0\",",
                "            },",
                "      -     {",
                "      -         \"namespace\": \"shop\",",
                "      -         \"name\": \"web-1\",",
                "      -     },",
                "        ]",
                "  UNREADABLE c",
                "      `QUERY/test/c/case.yaml` is no test case: `pageSize` is given beside a recording, which has its pages",
                "3 test cases: 1 passed, 1 failed, 1 cannot be read",
            ],
        );
}

#[test]
fn a_junit_report_has_every_case() {
    let rows = ROWS.replace("web-1", "<web> & \\u001b]]>");
    let cases = Cases::one("failed", &[("expected.json", &rows)])
        .and("passed", &[("case.yaml", ""), ("pods.yaml", PODS), ("expected.json", ROWS)])
        .and("unreadable", &[("case.yaml", "now: 7")]);
    let file = cases.folder.path().join("junit.xml");
    assert_eq!(cases.run(&["--junit", &file.display().to_string()]).code, 2);

    let report = quick_junit::Report::deserialize_from_str(&fs::read_to_string(file).expect("it was written")).expect("it is XML");
    assert_eq!((report.tests, report.failures, report.errors, report.test_suites.len()), (3, 1, 1, 1));
    let suite = &report.test_suites[0];
    assert_eq!(suite.name.as_str(), cases.query().display().to_string());
    let kinds: Vec<_> = suite
        .test_cases
        .iter()
        .map(|case| match &case.status {
            TestCaseStatus::NonSuccess { kind, message, .. } => (case.name.as_str(), Some((*kind, message.as_deref()))),
            _ => (case.name.as_str(), None),
        })
        .collect();
    let [failed, passed, unreadable] = &kinds[..] else { panic!("{kinds:?}") };
    assert_eq!(*failed, ("failed", Some((NonSuccessKind::Failure, Some("the rows are others")))));
    assert_eq!(*passed, ("passed", None));
    assert!(matches!(unreadable, ("unreadable", Some((NonSuccessKind::Error, Some(_))))), "{unreadable:?}");
}
