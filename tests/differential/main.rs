//! The differential lane: podlens and the Go code that Kubernetes itself uses, asked the same.
//!
//! `kubeconfig.rs` has kubeconfigs resolved by `podlens config view` and by client-go, `cases.rs` makes them; `validators.rs` asks about
//! names and label selectors. The Go side is `kubeconfig/` and `validators/`, one module with client-go and apimachinery v0.37.2 (`go.rs`
//! builds them). It needs Go, and no API server; without Go every test fails with that sentence, and none is skipped.

mod cases;
mod go;
mod kubeconfig;
mod printers;
mod validators;
