//! Runs a query component inside its sandbox, within its budget.
//!
//! `engine.rs` says what WebAssembly is accepted; `load.rs` decides whether a component is a query, and `describe.rs` asks it what it
//! is; `run.rs` is one run. Both enter the guest through `confine.rs`, in a store that only `store.rs` makes, and `outcome.rs` says how
//! it ended; `instantiate.rs` enters it no further than an instance takes. What a guest may call is in `imports`. `inspect/` tells of any
//! file what it is, and `cache.rs` keeps what was compiled.

#[cfg(feature = "cache")]
mod cache;
mod confine;
mod cpu;
mod describe;
mod engine;
mod epoch;
mod inspect;
mod instantiate;
mod load;
mod log;
mod memory;
mod outcome;
mod pool;
mod run;
mod store;
mod trap;
mod uses;
mod wasi;

#[cfg(feature = "cache")]
pub use cache::CompileCache;
pub use engine::{Runtime, RuntimeOptions};
pub use inspect::{
    Abilities, Annotation, ComponentKind, Digest, Export, ExternKind, Import, Inspection, Listed, Offered, Producer, Sizes,
};
#[cfg(feature = "cli")]
pub(crate) use load::MAX_COMPONENT_BYTES;
pub use load::{Compilation, Query};
pub use log::{LogLine, LogSink, LogStream};
pub use run::{Outcome, Report, Run, RunOptions};
pub use trap::{Frame, Trap};
pub use uses::PodAccess;

pub use crate::imports::{HostCall, HostFunction};
