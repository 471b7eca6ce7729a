//! `podlens serve`, as its callers, its owner and the API server meet it: the program, over its sockets.
//!
//! `server.rs` starts one. `callers.rs` has who may call, `browser.rs` who may not be a web page, `tenants.rs` what tenants see of each other,
//! `runs.rs` the answers of a run, `rates.rs` too many of them, `uploads.rs` components that tenants bring, `audit.rs` what is on record,
//! `page.rs` what a browser shows, `metrics.rs` the second listener, `traces.rs` what a collector is told, and `life.rs` files that change, and the end.

mod audit;
mod browser;
mod callers;
mod life;
mod metrics;
mod page;
mod rates;
mod runs;
mod server;
mod tenants;
mod traces;
mod uploads;
