//! Which failure gives which exit code. Documented in `podlens --help` and the README.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::error::{Error, Kind};

/// Why the program does not end with success.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) error: Box<dyn std::error::Error>,
    pub(super) hint: Option<String>,
}

pub(super) const ERROR: u8 = 1;
/// As clap's own.
pub(super) const USAGE: u8 = 2;
const REFUSED: u8 = 3;
const UNREACHABLE: u8 = 4;
const LIMIT: u8 = 5;
const COMPONENT: u8 = 6;
/// The answer is of some clusters, namespaces or files, not of all that were named.
pub(super) const PARTIAL: u8 = 7;

impl Failure {
    /// Whether nobody reads on.
    pub(super) fn is_broken_pipe(&self) -> bool {
        let output = self.error.downcast_ref::<Output>();
        output.is_some_and(|Output(error)| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Something on the command line is wrong.
    pub(super) fn usage(error: impl std::error::Error + 'static, hint: impl Into<String>) -> Self {
        Self { code: USAGE, error: Box::new(error), hint: Some(hint.into()) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            Kind::InvalidArgument => USAGE,
            Kind::Denied => REFUSED,
            Kind::Configuration | Kind::Unreachable | Kind::Unavailable | Kind::Expired | Kind::Server => UNREACHABLE,
            Kind::Limit(_) => LIMIT,
            Kind::Component => COMPONENT,
            Kind::Query | Kind::NotFound | Kind::Fault => ERROR,
        };
        let wait = error.wait().map(|wait| format!("the API server asks to wait {} s before trying again", wait.as_secs()));
        let hint = error.help().map(str::to_owned).or(wait);
        Self { code, error: Box::new(error), hint }
    }
}

/// Printing failed.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { code: ERROR, error: Box::new(Output(error)), hint: None }
    }
}

#[derive(Debug)]
struct Output(io::Error);

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer cannot be written")
    }
}

impl std::error::Error for Output {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// What a subcommand ends with. A reader that has gone away is no failure: it has what it wanted.
pub(super) fn unless_broken_pipe(result: io::Result<()>) -> Result<ExitCode, Failure> {
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.into()),
    }
}
