//! Finds `etcd`, `kube-apiserver` and `kubectl`, once for each process. `tests/cluster/build` knows how.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The folder that holds the programs. The first build takes minutes; its progress goes to standard error, as do the instructions where
/// there is none to be had: once, however many tests ask.
pub(super) fn find() -> &'static Path {
    static ASSETS: OnceLock<Option<PathBuf>> = OnceLock::new();
    ASSETS
        .get_or_init(build)
        .as_deref()
        .expect("no Kubernetes API server to test against: install Go, or set KUBEBUILDER_ASSETS (see tests/cluster/build)")
}

fn build() -> Option<PathBuf> {
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/build"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("`tests/cluster/build` runs: it needs `bash`");
    if !output.status.success() {
        return None;
    }
    let stdout = String::from_utf8(output.stdout).expect("the folder's path is UTF-8");
    Some(PathBuf::from(stdout.lines().next_back().expect("a successful build prints its folder")))
}
