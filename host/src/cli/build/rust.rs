//! A query in Rust: cargo builds it for `wasm32-wasip2`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::failed;
use super::tool::Tool;
use crate::cli::component;
use crate::cli::project::Project;
use crate::cli::report;
use crate::error::Error;
use crate::text;

const TARGET: &str = "wasm32-wasip2";
const GET_RUST: &str = "install Rust with rustup: https://rustup.rs";

pub(super) async fn build(project: &Project) -> Result<Vec<u8>, Error> {
    add_target(&project.folder).await?;
    let cargo = Tool::new("cargo", &project.folder, GET_RUST).args([
        "build",
        "--release",
        "--target",
        TARGET,
        "--message-format=json-render-diagnostics",
    ]);
    cargo.say();
    let messages = cargo.answer().await?;
    let manifest = project.folder.join(project.language.manifest());
    let manifest = manifest.canonicalize().unwrap_or(manifest);
    let path = String::from_utf8_lossy(&messages).lines().find_map(|line| component_of(line, &manifest)).ok_or_else(|| {
        failed("cargo made no component of this project")
            .hint("a query is a library: `Cargo.toml` needs `[lib]` with `crate-type = [\"cdylib\"]`")
    })?;
    component::read(&path).map_err(|error| failed(format!("`{}` cannot be read", text::path(&path))).because(error))
}

/// Adds the target to the toolchain of this folder if it is missing.
async fn add_target(folder: &Path) -> Result<(), Error> {
    let libraries = Tool::new("rustc", folder, GET_RUST).args(["--print", "target-libdir", "--target", TARGET]).answer().await?;
    if Path::new(String::from_utf8_lossy(&libraries).trim()).is_dir() {
        return Ok(());
    }
    report::say(&format!("the toolchain has no target `{TARGET}` yet: adding it"));
    let get_it = "install the standard library of the target `wasm32-wasip2`, as your Rust was installed";
    Tool::new("rustup", folder, get_it).args(["target", "add", TARGET]).run().await
}

/// One line of what `cargo build --message-format=json` prints (the Cargo Book, "External tools").
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// The component, if the line tells that it was made of this manifest's package.
fn component_of(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Message = serde_json::from_str(line).ok()?;
    let is_it = message.reason == "compiler-artifact" && message.manifest_path == manifest;
    message.filenames.into_iter().find(|path| is_it && path.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_the_one_of_this_package() {
        let manifest = Path::new("/q/Cargo.toml");
        for (line, expected) in [
            (
                r#"{"reason":"compiler-artifact","manifest_path":"/q/Cargo.toml","filenames":["/t/q.rlib","/t/q.wasm"]}"#,
                Some("/t/q.wasm"),
            ),
            (r#"{"reason":"compiler-artifact","manifest_path":"/q/Cargo.toml","filenames":["/t/q.rlib"]}"#, None),
            (r#"{"reason":"compiler-artifact","manifest_path":"/other/Cargo.toml","filenames":["/t/other.wasm"]}"#, None),
            (r#"{"reason":"build-finished","success":true}"#, None),
            ("not JSON", None),
        ] {
            assert_eq!(component_of(line, manifest).as_deref(), expected.map(Path::new), "{line}");
        }
    }
}
