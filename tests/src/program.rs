//! The `podlens` binary, run as a person would.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

/// Between two looks at the memory of a process.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// The binary, built from the sources as they are now with the profile of this test.
pub fn podlens() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| built("podlens"))
}

/// The program that counts instructions, likewise.
pub fn micro() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| built("podlens-micro"))
}

/// Builds the binary of this name, which its package has too.
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    // A test lies in TARGET_DIR/PROFILE/deps.
    let profile = test.ancestors().nth(2).expect("a test lies two folders below its profile's");
    let release: &[&str] = if profile.ends_with("release") { &["--release"] } else { &[] };
    let target_dir = profile.parent().expect("a profile's folder lies in the target folder");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", name, "--bin", name, "--target-dir"])
        .arg(target_dir)
        .args(release)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "building the binary `{name}` failed");
    profile.join(name)
}

/// A command for the binary in an environment of its own: no kubeconfig, no cluster, no home, no cache of compiled components.
pub fn command() -> Command {
    let mut command = Command::new(podlens());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent").env("RUST_BACKTRACE", "0");
    // Root could make the home.
    command.env("PODLENS_CACHE_DIR", "");
    command
}

/// What a run of the binary gave.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `command` to its end.
pub fn run(command: &mut Command) -> Done {
    let Output { status, stdout, stderr } = command.output().expect("podlens can be started");
    Done {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(stderr).expect("standard error is UTF-8"),
    }
}

/// Runs `command` to its end, and tells the most memory that it had resident, in KiB.
///
/// The kernel keeps that maximum, so that nothing between two looks is missed but what comes after the last one, within
/// [`LOOK_INTERVAL`] of the end.
pub fn run_with_peak(command: &mut Command) -> (Done, u64) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("podlens can be started");
    let status = format!("/proc/{}/status", child.id());
    let mut stdout = child.stdout.take().expect("it is piped");
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let mut peak = 0;
    while child.try_wait().expect("it can be waited for").is_none() {
        // One that has just ended has no memory to tell about.
        let look = fs::read_to_string(&status).unwrap_or_default();
        let line = look.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(peak);
        thread::sleep(LOOK_INTERVAL);
    }
    let stdout = reader.join().expect("it does not panic").expect("standard output is UTF-8");
    let output = child.wait_with_output().expect("it has ended");
    let stderr = String::from_utf8(output.stderr).expect("standard error is UTF-8");
    assert!(peak > 0, "this needs /proc");
    (Done { code: output.status.code().unwrap_or(-1), stdout, stderr }, peak)
}
