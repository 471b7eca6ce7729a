//! What both test lanes stand on.
//!
//! [`cluster`] is a real API server, [`fake`] one that misbehaves as it is told, [`guests`] are components of one behaviour
//! each, [`program`] runs the `podlens` binary, [`serving`] its servers, and [`canary`] knows a secret in any form. The tests themselves are in `fast/` and `real/`.

pub mod canary;
pub mod cluster;
pub mod fake;
pub mod guests;
pub mod program;
pub mod serving;
