//! The bounds of a kubeconfig, and of what a credential plugin answers.

use serde::de::DeserializeOwned;

use crate::yaml::{self, Bounds};

/// A kubeconfig has five levels, an extension in it perhaps ten, and a thousand entries of thirty fields. Arbitrary.
const BOUNDS: Bounds = Bounds { depth: 32, nodes: 100_000 };

/// Reads one document. The error may quote it: tell its kind, not its text.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    yaml::parse(text, BOUNDS)
}
