//! The audit log: who ran what as whom, what was asked of the API server for it, and how it ended. Never what a pod holds, what a query
//! answers, the value of a parameter, or a token.
//!
//! One JSON object a line, `podlens.dev/audit/v1`, with the field names of `audit.k8s.io/v1` where that has one. The lines are a chain:
//!
//! - `seq` counts them from 1, and `previous` is the `hash` of the line before; 64 zeros in the first line of all.
//! - `hash` is the last field. It is the SHA-256, in lower-case hexadecimal digits, of the line's own bytes as they are in the file, without
//!   its newline and without that field: of the line's last 75 bytes, `,"hash":"…"}`, only the `}` is hashed. So nothing has to be parsed
//!   or ordered to check it, and this does:
//!   `sed -n 7p FILE | tr -d '\n' | sed 's/,"hash":"[0-9a-f]\{64\}"}$/}/' | sha256sum`.
//! - A crash can leave a line unfinished. The next line then has `torn`: how many bytes lie between the last whole line and it, the newline
//!   included, and their SHA-256.
//! - `lost` is how many events since the line before are not in the log, because they could not be written, or too many waited. What was to
//!   happen only once it was on record did not happen, and counts all the same: that somebody tried is not in the log either. A line that
//!   came late is not lost. The next line that is written tells it, which may have waited already when others were lost, so that `time` does
//!   not say when that was; of those after the last line nothing tells.
//! - `refusalsLeftOut` is how many refusals since the line before were more than a second may have.
//! - A file that continues another, which was renamed, goes on with `seq` and `previous`.
//!
//! The chain shows what was changed, removed, moved or added within it. It has no secret: who may write the file can write a whole new
//! chain, or cut off its end, and [`verify`] cannot tell. Against that, keep the last hash, which `podlens audit verify` prints, where this
//! machine cannot write, and ask for it later (`--through`).
//!
//! Each line is given to the system by one write, and is not waited for to reach the disk: what a crash of podlens leaves is whole, what a
//! loss of power leaves may lack the last seconds. A thread of its own writes, so that a disk or a reader that stands still holds up those
//! alone who have to be on record, and those not for long.
//!
//! `event.rs` has what is recorded, `writer.rs` hands it to the thread, `chain.rs` makes it the next line, `line.rs` has how that is
//! written and read, `sink.rs` and `file.rs` where to, `refusals.rs` how much of what anybody can cause.

mod chain;
mod event;
mod file;
mod line;
mod refusals;
mod sink;
pub(crate) mod verify;
mod writer;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use event::{
    Allowed, CallFailure, CallRecord, CallResponse, Caller, ChangeKind, Counts, Decision, Event, ObjectRef, PodsFrom, QueryChange,
    RefusalReason, Refused, Resource, Run, RunComplete, RunStarted, Subject, Verb,
};
pub(crate) use line::Hash;
pub(crate) use writer::{AuditLog, Recorded};

/// Where the log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Appended to a file, which is made where there is none.
    File(PathBuf),
    /// Standard output. What is written there is a chain of its own with each start.
    Stdout,
}

/// Told of each line, whether it is in the log, and whether that is otherwise than with the line before.
pub(crate) type Observer = Box<dyn Fn(Result<(), &AuditError>, bool) + Send + Sync>;

/// The log cannot be opened, or a line is not in it. Trying again can help where the disk was full.
#[derive(Debug)]
pub(crate) struct AuditError {
    attempted: Attempted,
    log: LogName,
    cause: Cause,
}

#[derive(Clone, Copy, Debug)]
enum Attempted {
    Open,
    Write,
}

/// A log in a message.
#[derive(Clone, Debug)]
enum LogName {
    File(PathBuf),
    Stdout,
}

#[derive(Debug)]
enum Cause {
    Io(io::Error),
    /// A link, a folder, a device or a pipe.
    NotOrdinary,
    /// Another server writes to it.
    Locked,
    /// It ends with something that was written by nobody here, or was changed since.
    End(&'static str),
    /// It grew by itself.
    Foreign,
    /// A new file took its place, and is not empty.
    NotEmpty,
    TooLong,
    /// Whoever reads it, or the disk, stands still.
    Stalled,
    /// As many lines wait as may.
    Full,
    /// Its thread has ended.
    Gone,
}

impl AuditError {
    fn open(path: &Path, cause: impl Into<Cause>) -> Self {
        Self { attempted: Attempted::Open, log: LogName::File(path.to_owned()), cause: cause.into() }
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rustix::io::Errno> for Cause {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.attempted {
            Attempted::Open => "cannot open the audit log",
            Attempted::Write => "cannot write to the audit log",
        };
        match &self.log {
            LogName::File(path) => write!(f, "{what} `{}`", crate::text::path(path))?,
            LogName::Stdout => write!(f, "{what} on standard output")?,
        }
        match self.cause {
            Cause::Io(_) => Ok(()),
            Cause::NotOrdinary => f.write_str(": it is not an ordinary file"),
            Cause::Locked => f.write_str(": another server writes to it"),
            Cause::End(what) => write!(f, ": {what}; look at it with `podlens audit verify`, and move it away"),
            Cause::Foreign => f.write_str(": something else has written to it"),
            Cause::NotEmpty => f.write_str(": there is another file in its place, which is not empty"),
            Cause::Stalled => write!(f, ": it has stood still for {} s", writer::PATIENCE.as_secs()),
            Cause::Full => f.write_str(": too many lines wait to be written"),
            Cause::Gone => f.write_str(": nobody writes it any more"),
            Cause::TooLong => write!(f, ": a line would have more than {} bytes", line::MAX_BYTES),
        }
    }
}

impl std::error::Error for AuditError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
