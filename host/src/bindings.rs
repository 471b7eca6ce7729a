//! The Rust side of `wit/`, generated. Nothing else lives here; `imports` implements it and `runtime` calls it.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "query",
    imports: {
        // These wait: for the cluster, or for the reader of the rows.
        "podlens:query/pods.[method]pod-pages.next": async | trappable,
        "podlens:query/pods.get": async | trappable,
        "podlens:query/rows.emit": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: {
        "podlens:query/pods.pod": crate::imports::HeldPod,
        "podlens:query/pods.pod-pages": crate::imports::OpenList,
    },
    trappable_error_type: { "podlens:query/types.error" => crate::imports::Failure },
});
