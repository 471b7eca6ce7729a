//! The fast lane: needs cargo and the target `wasm32-wasip2`; on Linux on x86-64 valgrind too; nothing else.
//!
//! `sandbox.rs` runs the hostile guests, `hostile_serve.rs` has a server run them, `component.rs` loads what is no query, `policy.rs` asks for what is not granted,
//! `crossing.rs` compares what crosses into a guest, `instructions.rs` counts what work costs, and `tidy.rs` reads the sources.
//!
//! Of the binary, `cli.rs` has what is typed and printed, `wire.rs` what an API server can do wrong, `trust.rs`, `kubeconfig.rs` and
//! `tunnel.rs` the ways to it, `pods_from.rs`, `several.rs` and `watch.rs` where its pods come from, `failures.rs` what is told of a run that
//! was stopped, `inspect.rs`, `completions.rs`, `doctor.rs`, `rbac.rs`, `proxy.rs`, `serve/`, `audit.rs`, `policy_file.rs` and `demo.rs` the
//! subcommands of these names, `projects.rs` `podlens new` and `podlens build`, `query_tests.rs` `podlens test`, `frozen.rs` a query of an earlier version, `readme.rs` what the README claims, and `canary.rs` looks for
//! credentials where none may be.

mod arrange;
mod audit;
mod by_hand;
mod canary;
mod cli;
mod completions;
mod component;
mod crossing;
mod demo;
mod doctor;
mod failures;
mod frozen;
mod hostile_serve;
mod inspect;
mod instructions;
mod kubeconfig;
mod pods_from;
mod policy;
mod policy_file;
mod pool;
mod projects;
mod proxy;
mod query_tests;
mod rbac;
mod readme;
mod sandbox;
mod serve;
mod several;
mod support;
mod tidy;
mod trust;
mod tunnel;
mod watch;
mod wire;

/// The library's module once more, as this program's own: a guest that no test of it names does not compile.
#[deny(dead_code)]
#[expect(unreachable_pub, reason = "in the library it is public")]
#[path = "../src/guests.rs"]
mod guests;
