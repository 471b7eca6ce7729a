//! Small pieces of podlens' work, each to be measured alone.
//!
//! `benches/micro.rs` measures them in time: `cargo bench --package podlens-micro`. `main.rs` counts their instructions, which are the
//! same on a busy machine, and which the fast lane holds against `instructions.json`.
//!
//! [`page`] is what an API server sends, [`source`] gives it to runs, and [`works`] are the runs.

pub mod page;
pub mod pieces;
mod protobuf;
pub mod source;
pub mod works;
