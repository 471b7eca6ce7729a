//! The browser lane: the pages of `podlens serve` in a real browser, with scripts and without.
//!
//! It needs Chromium, and Node.js with npm, which installs what drives it. Each test here is a file beside this one, whose tests
//! run against a server and a demo's API server of their own: `queries.test.mjs` has the list and its forms, `table.test.mjs` the answers,
//! `hostile.test.mjs` words that would be scripts, `foreign.test.mjs` pages of other servers, `look.test.mjs` what can be measured of the
//! looks; `browser.mjs` is what they stand on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use podlens_tests::serving::{Demo, Serving, sha256};
use podlens_tests::{guests, program};

/// Where a browser may be.
const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

/// The browser of this machine.
fn chromium() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).flat_map(|folder| CHROMIUM.map(|name| folder.join(name))).find(|path| path.is_file());
    found.expect("the browser lane needs Chromium: install `chromium`; or run another lane, such as `tests/run fast`")
}

/// Installs what drives it, where that is not there as `package-lock.json` has it.
fn install() {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = folder();
    let changed = |name: &str| fs::metadata(folder.join(name)).and_then(|metadata| metadata.modified()).ok();
    // npm writes the second at its end.
    if changed("node_modules/.package-lock.json") > changed("package-lock.json") {
        return;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
    let done = npm.output().expect("the browser lane needs Node.js 20 or later, with npm");
    assert!(done.status.success(), "npm ci: {}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
}

/// A tenant that everybody on this machine is, and another's query.
fn policy(queries: &[(&str, String)]) -> String {
    let queries: String =
        queries.iter().map(|(name, digest)| format!("  - {{name: {name}, digest: \"sha256:{digest}\"}}\n")).collect();
    format!(
        "apiVersion: podlens.dev/v1alpha1
kind: Policy
tenants:
- name: shop
  callers: [{{anonymous: true}}]
  identity: {{serviceAccount: {{namespace: shop, name: podlens-reader}}}}
  namespaces: [shop]
  rates: {{runsPerSecond: 100}}
  queries:
  - name: restarts
{queries}- name: payments
  callers: [{{serviceAccount: {{namespace: payments, name: dashboards}}}}]
  identity: {{serviceAccount: {{namespace: payments, name: podlens-reader}}}}
  namespaces: [payments]
  queries: [{{name: pod-names}}]
"
    )
}

/// Runs the tests of a file in the browser, and returns the server that they had.
#[track_caller]
fn run(file: &str) -> Serving {
    let chromium = chromium();
    install();
    let demo = Demo::start();
    let components = [guests::ALL_TYPES, guests::ECHO_ARGUMENTS, guests::HOSTILE_WORDS]
        .map(|path| fs::read(path).expect("the build has made it"));
    let [all_types, echo, hostile] = [0, 1, 2].map(|at: usize| sha256(&components[at]));
    let queries = [("all-types", all_types), ("echo", echo), ("hostile", hostile), ("missing", "0".repeat(64))];
    let server = Serving::start(program::podlens(), &demo.kubeconfig(), &policy(&queries), &components, &[]);
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap", file]).current_dir(folder());
    node.env("PODLENS_URL", format!("http://localhost:{}", server.api().port()));
    node.env("PODLENS_HEALTH_URL", format!("http://{}", server.health()));
    node.env("CHROMIUM", chromium);
    let done = node.output().expect("the browser lane needs Node.js 20 or later, with npm");
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{told}{}{}", String::from_utf8_lossy(&done.stderr), server.said());
    // Tests that are skipped, or that are none, look like success otherwise.
    let count = |what: &str| told.lines().find_map(|line| line.strip_prefix(&format!("# {what} "))?.parse::<u32>().ok());
    assert_eq!((count("fail"), count("skipped"), count("cancelled")), (Some(0), Some(0), Some(0)), "{told}");
    assert!(count("pass") > Some(2), "{told}");
    server
}

#[test]
fn queries_are_listed_filled_in_and_run() {
    run("queries.test.mjs");
}

#[test]
fn a_table_is_sorted_and_filtered_or_plain() {
    run("table.test.mjs");
}

#[test]
fn words_are_never_scripts() {
    run("hostile.test.mjs");
}

#[test]
fn pages_of_others_begin_no_run() {
    let server = run("foreign.test.mjs");
    // The one of the server's own page.
    assert_eq!(server.audit_log().matches("\"stage\":\"RunStarted\"").count(), 1, "{}", server.audit_log());
}

#[test]
fn pages_can_be_read_on_every_screen_and_on_paper() {
    run("look.test.mjs");
}
