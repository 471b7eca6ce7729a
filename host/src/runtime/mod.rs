//! Runs a query component inside its sandbox, within its budget.
//!
//! `engine.rs` compiles, `load.rs` decides whether a component is a query, `store.rs` is the only place where a store is made,
//! `run.rs` drives one run to its end, and `outcome.rs` says what that end was. What a guest may call is in `imports`.

mod cpu;
mod engine;
mod load;
mod log;
mod memory;
mod outcome;
mod run;
mod store;
mod wasi;

pub use engine::Runtime;
pub use load::Query;
pub use log::{LogLine, LogSink, LogStream};
pub use run::{Outcome, Report, Run, RunOptions};
