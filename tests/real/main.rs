//! The real lane: the `podlens` binary against a real kube-apiserver, for what only a real one can prove: field names, RBAC, selectors,
//! paging, tokens that rotate, and how all of it looks to `kubectl`.
//!
//! Each test owns a namespace of the cluster that `arrange.rs` keeps, or a cluster where it stops or slows one. It needs Go, or
//! `KUBEBUILDER_ASSETS`; without either every test fails with that sentence, and none is skipped.
//!
//! Start with `account.rs`, the story that the README tells, and for `podlens serve` with `two_tenants.rs`.

mod account;
mod arrange;
mod canary;
mod cluster_info;
mod deploy;
#[cfg(target_os = "linux")]
mod deployed;
mod doctor;
mod encodings;
mod expiry;
mod get;
mod kubeconfig;
mod methods;
mod names;
mod objects;
mod proxy;
mod rbac;
mod restart;
mod rotation;
mod scale;
#[cfg(target_os = "linux")]
mod two_tenants;
mod usage;
mod watch;
