//! Where lines go: a file, or standard output.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::path::Path;

use super::file::LogFile;
use super::line::{End, Torn};
use super::{Attempted, AuditError, Cause, LogName};

#[derive(Debug)]
pub(super) enum Sink {
    File(LogFile),
    /// What cannot be taken back.
    Stream(File),
}

impl Sink {
    pub(super) fn file(path: &Path) -> Result<(Self, End, Torn), AuditError> {
        let (file, end, torn) = LogFile::open(path).map_err(|cause| AuditError::open(path, cause))?;
        Ok((Self::File(file), end, torn))
    }

    /// Not the library's own standard output, which keeps what could not be written for the next time.
    pub(super) fn stdout() -> Result<Self, AuditError> {
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(stdout) => Ok(Self::Stream(stdout.into())),
            Err(error) => Err(AuditError { attempted: Attempted::Open, log: LogName::Stdout, cause: error.into() }),
        }
    }

    /// Goes to the new file where a log was renamed.
    pub(super) fn follow(&mut self) -> Result<(), Cause> {
        match self {
            Self::File(file) => file.follow(),
            Self::Stream(_) => Ok(()),
        }
    }

    /// Writes all bytes; else says how many of them are there now, and why not all.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), (usize, Cause)> {
        match self {
            Self::File(file) => file.append(bytes),
            Self::Stream(stream) => write_all(stream, bytes).map_err(|(written, error)| (written, error.into())),
        }
    }

    /// The error of a line that is not in the log.
    pub(super) fn failed(&self, cause: Cause) -> AuditError {
        AuditError { attempted: Attempted::Write, log: self.name(), cause }
    }

    pub(super) fn name(&self) -> LogName {
        match self {
            Self::File(file) => LogName::File(file.path().to_owned()),
            Self::Stream(_) => LogName::Stdout,
        }
    }
}

/// As [`Write::write_all`], which does not tell how far it came.
pub(super) fn write_all(mut to: impl Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match to.write(&bytes[written..]) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}
