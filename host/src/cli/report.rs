//! Words for people, all on standard error.
#![expect(clippy::print_stderr, reason = "this is where the binary prints")]

use std::error::Error as StdError;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use super::exit::{Failure, USAGE};
use super::plugin;
use crate::error::Error;
use crate::text::visible;

/// What decides how much of podlens' own log is shown, such as `debug` or `podlens=trace`.
const LOG_VARIABLE: &str = "PODLENS_LOG";

/// What is shown where it is not set: warnings, and what a server takes of its files, since who may do what is in them.
const DEFAULT_LOG: &str = "warn,podlens::serve::state=info";

/// Shows podlens' own log on standard error: what [`LOG_VARIABLE`] says, or [`DEFAULT_LOG`].
pub(super) fn start_log() {
    let asked = std::env::var(LOG_VARIABLE).unwrap_or_default();
    let filter = EnvFilter::builder().parse(&asked).ok().filter(|_| !asked.is_empty());
    if filter.is_none() && !asked.is_empty() {
        say(&format!("warning: `{LOG_VARIABLE}` is not understood; expected such as `debug` or `podlens=trace`"));
    }
    let filter = filter.unwrap_or_else(|| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colours are not among its features; told so, it does not complain.
        .with_ansi(false)
        .init();
}

/// Prints one line.
pub(super) fn say(line: &str) {
    eprintln!("{line}");
}

/// Prints a failure with its causes, and what to do about it.
pub(super) fn failed(failure: &Failure) -> ExitCode {
    eprint!("{}", told(failure, plugin::as_typed));
    ExitCode::from(failure.code)
}

/// A failure with its causes, and what to do about it, a line each.
///
/// The same however podlens was started; what is printed at once says [`plugin::as_typed`].
pub(super) fn explained(failure: &Failure) -> String {
    told(failure, str::to_owned)
}

fn told(failure: &Failure, hint_as: fn(&str) -> String) -> String {
    let error: &dyn StdError = failure.error.as_ref();
    let mut text = format!("error: {}\n", indented(error));
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!("  caused by: {}\n", indented(error));
        cause = error.source();
    }
    for line in failure.hint.iter().flat_map(|hint| hint.lines()) {
        text += &format!("hint: {}\n", hint_as(line));
    }
    text
}

/// A warning with its causes, and what to do about it, a line each.
pub(super) fn warning(message: &str, error: &Error) -> String {
    let failure = Failure::from(error.clone());
    let text = told(&failure, plugin::as_typed);
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    format!("warning: {message}\n  caused by: {}", text.trim_end())
}

fn indented(error: &dyn StdError) -> String {
    // A cause may quote what it is about, such as a name in a component.
    error.to_string().trim_end().lines().map(visible).collect::<Vec<_>>().join("\n    ")
}

/// Prints what clap says: help and version on standard output with success, all else as wrong usage.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    // A reader that has gone away needs no help.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}
