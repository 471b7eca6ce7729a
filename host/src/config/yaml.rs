//! YAML that others wrote: bounded, without the parts that let a small text become a large one. JSON is YAML.

use serde::de::DeserializeOwned;
use serde_saphyr::Options;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};

/// Deepest nesting. A kubeconfig has five levels, an extension in it perhaps ten; arbitrary, bounds the parser's stack.
const MAX_DEPTH: usize = 32;
/// Most nodes of a text: a thousand entries of thirty fields. Arbitrary, bounds time and memory.
const MAX_NODES: usize = 100_000;

/// Reads one document. The error may quote it: tell its kind, not its text.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    serde_saphyr::from_str_with_options(text, options())
}

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: MAX_DEPTH,
        max_nodes: MAX_NODES,
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
