//! Builds the guests of `tests/guests`, and gives each a constant with the path of its component.

#[path = "../host/build/wasm.rs"]
mod wasm;

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../host/build/wasm.rs");
    for path in ["guests", "../guest/src", "../guest/Cargo.toml", "../wit", "../Cargo.toml"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out_dir = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR")).join("..");
    let built = wasm::build(&root, Path::new(&out_dir), &["-p", "podlens-test-guests", "-p", "podlens-frozen-guest", "--examples"]);

    let mut names: Vec<String> = ["guests/examples", "guests/frozen/examples"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder).expect("it is in the repository"))
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.replace('-', "_")))
        .collect();
    names.sort();
    let mut constants = String::new();
    for name in names {
        let path = built.join("examples").join(&name).with_extension("wasm");
        assert!(path.exists(), "{} was not built: is it named in tests/guests/Cargo.toml?", path.display());
        constants += &format!("/// `{}.rs` of the guests.\n", name.replace('_', "-"));
        constants += &format!("pub const {}: &str = {:?};\n", name.to_uppercase(), path.display().to_string());
    }
    fs::write(Path::new(&out_dir).join("guests.rs"), constants).expect("OUT_DIR can be written");
}
