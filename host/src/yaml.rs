//! YAML that others wrote: bounded, without the parts that let a small text become a large one. JSON is YAML.

use serde::de::DeserializeOwned;
use serde_saphyr::Options;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};

/// What is read of a text at the most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Deepest nesting; bounds the parser's stack.
    pub(crate) depth: usize,
    /// Most nodes; bounds time and memory.
    pub(crate) nodes: usize,
}

/// Reads one document. The error may quote it: who shows it decides whether that is fit to be shown.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, bounds: Bounds) -> Result<T, serde_saphyr::Error> {
    serde_saphyr::from_str_with_options(text, options(bounds))
}

fn options(bounds: Bounds) -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: bounds.depth,
        max_nodes: bounds.nodes,
        // No tool writes aliases, and they are how a small file becomes a large one.
        max_aliases: 0,
        max_anchors: 0,
        max_merge_keys: 0,
    };
    serde_saphyr::options! {
        budget: budget,
        merge_keys: MergeKeyPolicy::Error,
        duplicate_keys: DuplicateKeyPolicy::Error,
        with_snippet: false,
    }
}
