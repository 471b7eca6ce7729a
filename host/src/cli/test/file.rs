//! Files of a case: regular ones, of a bounded size. Who writes a case may be somebody else than who runs it.

use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use crate::text;

/// Why a case cannot be read or written.
#[derive(Debug)]
pub(super) struct CaseError(String);

impl CaseError {
    /// `what` is the end of a sentence whose subject is the file, and fit to be shown.
    pub(super) fn of(path: &Path, what: impl fmt::Display) -> Self {
        Self(format!("`{}` {what}", text::path(path)))
    }
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a file of at most `max_bytes`; `None` where there is none.
pub(super) fn read(path: &Path, max_bytes: u64) -> Result<Option<Vec<u8>>, CaseError> {
    let unreadable = |error: std::io::Error| CaseError::of(path, format_args!("cannot be read: {error}"));
    // A symlink may lead to another case's file; to a pipe or a device, from which one would read for ever, it may not.
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => return Ok(None),
        metadata => metadata.map_err(unreadable)?,
    };
    if !metadata.is_file() {
        return Err(CaseError::of(path, "is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(max_bytes + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > max_bytes {
        return Err(CaseError::of(path, format_args!("has more than {} MiB", max_bytes >> 20)));
    }
    Ok(Some(bytes))
}

/// As [`read`], for text.
pub(super) fn read_text(path: &Path, max_bytes: u64) -> Result<Option<String>, CaseError> {
    let Some(bytes) = read(path, max_bytes)? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).map_err(|_| CaseError::of(path, "is not UTF-8 text"))
}

/// Writes a file, or removes it where there is nothing to write. Tells whether anything changed.
pub(super) fn keep(path: &Path, content: Option<&[u8]>) -> Result<bool, CaseError> {
    let unwritable = |error: std::io::Error| CaseError::of(path, format_args!("cannot be written: {error}"));
    let found = fs::symlink_metadata(path).ok();
    // Written through, it would change a file that is not the case's.
    if found.as_ref().is_some_and(|found| !found.is_file()) {
        return Err(CaseError::of(path, "is not a regular file, and is left as it is"));
    }
    match (found, content) {
        (None, None) => Ok(false),
        (Some(_), None) => fs::remove_file(path).map(|()| true).map_err(unwritable),
        (found, Some(content)) => {
            if found.is_some_and(|found| found.len() == content.len() as u64) && fs::read(path).map_err(unwritable)? == content {
                return Ok(false);
            }
            fs::write(path, content).map(|()| true).map_err(unwritable)
        }
    }
}
