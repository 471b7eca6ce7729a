//! Builds and runs the Go programs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Gives the Go program `name` the text `input`, and returns the lines of what it answers.
pub(crate) fn run(name: &str, input: String) -> Vec<String> {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let program = folder.path().join(name);
    build(name, &program);
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name} was built and does not run: {error}"));
    let mut stdin = child.stdin.take().expect("it is piped");
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map(|line| line.expect("it is text")).collect();
    let status = child.wait().expect("it was started");
    assert!(status.success(), "{name}: {status}");
    writer.join().expect("it does not panic").expect("the program reads all of it");
    lines
}

fn build(name: &str, program: &Path) {
    // The caller's own settings could build something else.
    let built = Command::new("go")
        .args(["build", "-mod=readonly", "-buildvcs=false", "-o"])
        .arg(program)
        .arg(format!("./{name}"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/differential"))
        .envs([("GOFLAGS", ""), ("GOWORK", "off"), ("CGO_ENABLED", "0")])
        .status()
        .expect("the differential lane needs Go: install it, or run the other lanes (tests/run fast, tests/run real)");
    assert!(built.success(), "the Go program `{name}` does not build");
}
