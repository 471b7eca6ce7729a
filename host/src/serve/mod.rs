//! `podlens serve`: tenants' queries over shared pods, many at once.
//!
//! `policy` says who may do what, `admission.rs` who runs now and who waits, `audit` writes down what was done, and `metrics`
//! counts it. `outcome.rs` has the words that these share.
#![expect(dead_code, unused_imports, reason = "the server that uses all of this comes next")]

mod admission;
pub(crate) mod audit;
mod metrics;
mod outcome;
mod policy;
