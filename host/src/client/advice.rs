//! What to do about a refusal or a connection that does not come about: the one next step, and the command that finds out the rest.

use std::fmt::Display;

use crate::error::Error;

/// The last line of each such hint.
pub(crate) const DOCTOR: &str =
    "`podlens doctor`, with the same connection flags, looks at every step on the way to the API server";

/// Adds the next step to `error`.
pub(super) fn advise(error: Error, step: impl Display) -> Error {
    error.hint(format!("{step}\n{DOCTOR}"))
}
