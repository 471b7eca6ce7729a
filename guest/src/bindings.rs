//! What wit-bindgen makes of the contract in `wit/`, and nothing else.
//!
//! Query authors meet these types under the names that the other modules give them.

wit_bindgen::generate!({
    path: "../wit",
    world: "query",
    // Ours, since the generated `Display` would print the `Debug` form.
    with: { "podlens:query/types@0.1.0/error": crate::Error },
    // For the unit tests of queries.
    additional_derives: [PartialEq],
    pub_export_macro: true,
    default_bindings_module: "podlens_guest::bindings",
});
