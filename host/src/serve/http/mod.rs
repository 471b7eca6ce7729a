//! The server's HTTP API: a request becomes a run of the caller's tenant, or an answer about what it may run.
//!
//! `route.rs` is the grammar of paths, `accept.rs` and `parameters.rs` say what is asked for. `service.rs` answers, `run.rs` the
//! runs, `problem.rs` every refusal; `page.rs` is what a browser shows, and `health.rs` answers on the second listener. What each path
//! takes and gives is described by `openapi.json`, which is served.

mod accept;
mod body;
mod health;
mod page;
mod parameters;
mod problem;
mod route;
mod run;
mod service;

pub(crate) use health::Health;
pub(crate) use service::{Rules, Service};

#[cfg(test)]
mod tests;
