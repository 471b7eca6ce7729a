//! `podlens serve`: runs tenants' queries over shared pods.
//!
//! `policy/` is the file that says who may run what over which pods.

pub(crate) mod policy;
