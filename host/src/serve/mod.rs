//! `podlens serve`: tenants' queries over shared pods, many at once.
//!
//! A request is one caller's (`authenticate`), and the caller a tenant's, whom the policy (`policy`) gives queries (`queries`), pods and
//! limits. `runs` runs it: admitted in its turn (`admission.rs`), put on record (`audit`), with pods from the cache or the API server
//! (`cache`). `http` is the API around it, `traces` tells a collector of each step, and `listen.rs` where clients come in. `state.rs` holds
//! all that changes with the policy and the files, `probe.rs` asks whether the API server is there, and `server.rs` is the server's life.
//!
//! Each tenant reads as itself: the host has no right on pods of its own, unless the policy spells it out.

mod admission;
pub(crate) mod audit;
mod authenticate;
mod bucket;
mod cache;
mod http;
mod listen;
mod metrics;
mod outcome;
pub(crate) mod policy;
mod probe;
mod queries;
mod runs;
mod server;
mod state;
mod traces;

pub(crate) use listen::TlsFiles;
pub(crate) use queries::{Apart, rlimits};
pub(crate) use server::{PLACES, Server, ServerOptions};
