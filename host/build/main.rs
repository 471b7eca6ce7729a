//! Builds the example queries for WebAssembly and embeds them, so that `podlens run restarts` needs nothing else on disk.
//!
//! Only for the binary: an embedder of the library builds nothing here.

#![expect(clippy::print_stdout, reason = "cargo reads a build script's standard output")]

mod wasm;

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build");
    if env::var_os("CARGO_FEATURE_CLI").is_none() {
        return;
    }
    let out_dir = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR")).join("..");
    let mut names: Vec<String> = fs::read_dir(root.join("guest/queries"))
        .expect("guest/queries is in the repository")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| root.join("guest/queries").join(name).join("Cargo.toml").exists())
        .collect();
    names.sort();
    // Of a query its sources: a change of a test case builds nothing. A new query changes the lock file.
    let sources = names.iter().flat_map(|name| ["src", "Cargo.toml"].map(|part| format!("guest/queries/{name}/{part}")));
    for path in ["wit", "guest/src", "guest/Cargo.toml", "Cargo.toml", "Cargo.lock"].map(str::to_owned).into_iter().chain(sources) {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    let packages: Vec<&str> = names.iter().flat_map(|name| ["-p", name]).collect();
    let built = wasm::build(&root, Path::new(&out_dir), &packages);

    let mut table = String::from("&[\n");
    for name in &names {
        let path = built.join(name.replace('-', "_")).with_extension("wasm");
        let summary = description(&root.join("guest/queries").join(name).join("Cargo.toml"));
        table += &format!("    ({name:?}, {summary:?}, include_bytes!({:?})),\n", path.display().to_string());
    }
    table += "]\n";
    fs::write(Path::new(&out_dir).join("builtin_queries.rs"), table).expect("OUT_DIR can be written");
}

/// The description of a package, without its full stop: the summary that the query gives of itself, which a test holds it to.
fn description(manifest: &Path) -> String {
    let text = fs::read_to_string(manifest).expect("a query has a manifest");
    let line = text.lines().find_map(|line| line.strip_prefix("description = ")).expect("a query's manifest has a description");
    line.trim().trim_matches('"').trim_end_matches('.').to_owned()
}
