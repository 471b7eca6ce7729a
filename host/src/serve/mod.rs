//! `podlens serve`: tenants' queries over shared pods, many at once.
//!
//! `audit` writes down what was done; `outcome.rs` has words that it shares with others.
#![expect(dead_code, reason = "the server that uses all of this comes next")]

pub(crate) mod audit;
mod outcome;
mod policy;
