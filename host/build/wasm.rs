//! Builds packages of this workspace for WebAssembly, from inside a build script.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";

/// Builds with `cargo build ARGUMENTS` and returns the folder of the components. `out_dir` is the build script's own.
///
/// The components get a target folder of their own beside the profile's: this cargo runs inside another one, which holds the lock of
/// the ordinary folder.
pub(crate) fn build(root: &Path, out_dir: &Path, arguments: &[&str]) -> PathBuf {
    add_target();
    // OUT_DIR is TARGET_DIR/PROFILE/build/PACKAGE-HASH/out.
    let target_dir = out_dir.ancestors().nth(4).expect("OUT_DIR lies four folders below the target folder").join("wasm");
    let status = inner(&cargo())
        .current_dir(root)
        .args(["build", "--quiet", "--profile", "guest", "--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        .args(arguments)
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "building the WebAssembly components failed: see above");
    target_dir.join(TARGET).join("guest")
}

/// Adds the target to the toolchain if it is missing. Automatic installation may be switched off, so this asks for it.
fn add_target() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let libraries = inner(&rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let present = libraries.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir());
    if present {
        return;
    }
    let added = inner("rustup").args(["target", "add", TARGET]).status().is_ok_and(|status| status.success());
    assert!(added, "the target `{TARGET}` is missing: run `rustup target add {TARGET}`, or install its standard library");
}

fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// A command without what the outer cargo says of *its* target: flags, wrappers (clippy's among them), and folders.
fn inner(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let keep = name.to_str().is_none_or(|name| {
            !(name.starts_with("CARGO_ENCODED_")
                || name.starts_with("CARGO_BUILD_")
                || name.starts_with("CARGO_PROFILE_")
                || matches!(
                    name,
                    "CARGO_TARGET_DIR" | "RUSTFLAGS" | "RUSTC_WRAPPER" | "RUSTC_WORKSPACE_WRAPPER" | "TARGET" | "HOST"
                ))
        });
        if !keep {
            command.env_remove(&name);
        }
    }
    command
}
