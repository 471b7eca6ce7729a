//! Files of a case: regular ones, of a bounded size, below the folder of all cases. Who writes a case may be somebody else than who runs
//! it, and what is in these files is shown.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::super::file;
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

/// The folder of one case, among those of all cases.
pub(super) struct CaseFolder {
    path: PathBuf,
    /// The folder of all cases, without symlinks.
    root: PathBuf,
}

impl CaseFolder {
    /// `cases` is the folder of all cases, and `name` that of one.
    pub(super) fn new(cases: &Path, name: &str) -> Result<Self, CaseError> {
        let path = cases.join(name);
        let root = fs::canonicalize(cases).map_err(|error| CaseError::of(&path, format_args!("cannot be read: {error}")))?;
        let folder = Self { path, root };
        folder.inside(&folder.path)?;
        Ok(folder)
    }

    /// As it is called to a person.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file of the case as it is called to a person.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where a path leads that is there. Another case's file will do; what is outside of all cases is none of theirs.
    fn inside(&self, path: &Path) -> Result<PathBuf, CaseError> {
        let real = fs::canonicalize(path).map_err(|error| CaseError::of(path, format_args!("cannot be read: {error}")))?;
        if real.starts_with(&self.root) { Ok(real) } else { Err(CaseError::of(path, "leads out of the folder of the cases")) }
    }

    /// Reads a file of at most `max_bytes`; `None` where there is none.
    pub(super) fn read(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, CaseError> {
        let path = self.file(name);
        let unreadable = |error: std::io::Error| CaseError::of(&path, format_args!("cannot be read: {error}"));
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            found => found.map_err(unreadable)?,
        };
        let real = self.inside(&path)?;
        // From a pipe or a device one would read for ever.
        if !fs::metadata(&real).map_err(unreadable)?.is_file() {
            return Err(CaseError::of(&path, "is not a file"));
        }
        let bytes = File::open(&real).and_then(|opened| file::read_at_most(opened, max_bytes)).map_err(unreadable)?;
        bytes.map(Some).ok_or_else(|| CaseError::of(&path, format_args!("has more than {} MiB", max_bytes >> 20)))
    }

    /// As [`read`](Self::read), for text.
    pub(super) fn read_text(&self, name: &str, max_bytes: u64) -> Result<Option<String>, CaseError> {
        let Some(bytes) = self.read(name, max_bytes)? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|_| CaseError::of(&self.file(name), "is not UTF-8 text"))
    }

    /// Writes a file, or removes it where there is nothing to write. Tells whether anything changed.
    pub(super) fn keep(&self, name: &str, content: Option<&[u8]>) -> Result<bool, CaseError> {
        let path = self.file(name);
        let unwritable = |error: std::io::Error| CaseError::of(&path, format_args!("cannot be written: {error}"));
        let found = fs::symlink_metadata(&path).ok();
        // Written through, it would change a file that is not the case's.
        if found.as_ref().is_some_and(|found| !found.is_file()) {
            return Err(CaseError::of(&path, "is not a regular file, and is left as it is"));
        }
        match (found, content) {
            (None, None) => Ok(false),
            (Some(_), None) => fs::remove_file(&path).map(|()| true).map_err(unwritable),
            (found, Some(content)) => {
                let is_as_long = found.is_some_and(|found| found.len() == content.len() as u64);
                if is_as_long && fs::read(&path).map_err(unwritable)? == content {
                    return Ok(false);
                }
                fs::write(&path, content).map(|()| true).map_err(unwritable)
            }
        }
    }
}
