//! The components of `tests/guests`: a path for each.
//!
//! A guest that no test of the fast lane names does not compile: `fast/main.rs` has this file once more, where what is unused is denied.

include!(concat!(env!("OUT_DIR"), "/guests.rs"));
