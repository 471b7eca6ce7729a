//! Queries written in WebAssembly text: for what no compiler makes.
//!
//! [`Parts`] is a core module in pieces, each of which a test can replace; `wit-component` makes a component of it and the WIT.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, WorldId};

/// A query that describes one column, emits nothing and succeeds.
///
/// Memory: the description is at 1024, 0 to 1023 are zero, 32768 and above are for `cabi_realloc`. An export returns the address
/// of its result; 0, the address of zeroes, is success.
pub(crate) struct Parts {
    /// The version of the WIT.
    pub(crate) version: &'static str,
    /// Declarations in `interface rows` of the WIT besides those that it has.
    pub(crate) wit: &'static str,
    pub(crate) imports: String,
    pub(crate) memory: String,
    pub(crate) describe: String,
    pub(crate) realloc: String,
    /// The body of the function `run`.
    pub(crate) run: String,
    /// More of the module.
    pub(crate) more: String,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            version: "0.1.0",
            wit: "",
            imports: String::new(),
            memory: r#"(memory (export "memory") 1)"#.to_owned(),
            describe: "(i32.const 1024)".to_owned(),
            realloc: "
                (local $given i32)
                (local.set $given (global.get $free))
                (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 7)) (i32.const -8)))
                (local.get $given)"
                .to_owned(),
            run: "(i32.const 0)".to_owned(),
            more: String::new(),
        }
    }
}

impl Parts {
    /// A query of the contract as it is.
    pub(crate) fn run(body: impl Into<String>) -> Self {
        Self { run: body.into(), ..Self::default() }
    }

    /// The component.
    pub(crate) fn build(&self) -> Vec<u8> {
        let Self { imports, memory, describe, realloc, run, more, .. } = self;
        let text = format!(
            r#"(module
                {imports}
                {memory}
                (global $free (mut i32) (i32.const 32768))
                (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
                    {realloc})
                (func (export "describe") (result i32)
                    {describe})
                (func (export "run") (param $arguments i32) (param $count i32) (result i32)
                    {run})
                {more}
                ;; Title and summary, one column, no parameter.
                (data (i32.const 1024) (i32 1088 7 1088 7 1056 1 0 0))
                ;; The column: name, type, description, priority and whether it is a metric.
                (data (i32.const 1056) (i32 1095 4 0 1088 7 0))
                (data (i32.const 1088) "By hand" "text"))"#
        );
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"));
        let (resolve, world) = self.contract();
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("the WIT can be embedded");
        let mut encoder = ComponentEncoder::default();
        encoder.module(&module).unwrap_or_else(|error| panic!("{error:?}"));
        encoder.encode().unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn contract(&self) -> (Resolve, WorldId) {
        let read = |file: &str| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit").join(file);
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        // One text: `world.wit`, which names the package, comes first.
        let wit = ["world.wit", "types.wit", "pods.wit", "rows.wit"].map(read).concat();
        let wit = wit.replace("podlens:query@0.1.0", &format!("podlens:query@{}", self.version));
        let wit = wit.replace("interface rows {", &format!("interface rows {{ {}", self.wit));
        let mut resolve = Resolve::default();
        let package = resolve.push_str("podlens.wit", &wit).unwrap_or_else(|error| panic!("{error:?}"));
        let world = resolve.select_world(&[package], Some("query")).expect("the package has the world `query`");
        (resolve, world)
    }
}

/// The contract as it is.
pub(crate) fn contract() -> (Resolve, WorldId) {
    Parts::default().contract()
}

/// The functions of the contract that read and answer, as a module imports them.
pub(crate) const IMPORTS: &str = r#"
    (import "podlens:query/pods@0.1.0" "list"
        (func $list (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "podlens:query/pods@0.1.0" "get" (func $get (param i32 i32 i32 i32 i32 i32)))
    (import "podlens:query/pods@0.1.0" "[method]pod-pages.next" (func $next (param i32 i32)))
    (import "podlens:query/pods@0.1.0" "[method]pod.name" (func $name (param i32 i32)))
    (import "podlens:query/pods@0.1.0" "[resource-drop]pod" (func $drop-pod (param i32)))
    (import "podlens:query/rows@0.1.0" "emit" (func $emit (param i32 i32 i32)))"#;

/// Calls `list` with a namespace of `bytes` bytes at `address`, and returns what it said as the query's own answer: both are a
/// result whose error is at the same place.
pub(crate) fn list_namespace(address: u32, bytes: u32) -> String {
    list(&[1, address, bytes, 0, 0, 0, 0, 0, 0, 0])
}

/// As [`list_namespace`], with a label selector.
pub(crate) fn list_labels(address: u32, bytes: u32) -> String {
    list(&[0, 0, 0, 1, address, bytes, 0, 0, 0, 0])
}

fn list(arguments: &[u32]) -> String {
    let arguments: String = arguments.iter().map(|it| format!("(i32.const {it})")).collect();
    format!("(call $list {arguments} (i32.const 64)) (i32.const 64)")
}
