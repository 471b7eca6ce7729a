//! kubeconfig files by client-go's rules: k8s.io/client-go v0.37.2 `tools/clientcmd` (`loader.go`, `client_config.go`,
//! `validation.go`).
//!
//! `document.rs` reads one file, `merge.rs` joins several, `resolve.rs` makes a [`Config`](super::Config) of one context. Nothing
//! of an entry is ever shown but its name: the rest may be a credential, in a field where nobody expects it.

mod document;
mod merge;
mod resolve;

use std::io;
use std::path::{Path, PathBuf};

use super::{Config, file};
use crate::error::{Error, Kind};
use document::Document;
use merge::Merged;

/// Which files to read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// One, which must exist.
    Explicit(PathBuf),
    /// In this order, those that exist.
    Found(Vec<PathBuf>),
}

impl Files {
    pub(super) fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Explicit(path) => std::slice::from_ref(path),
            Self::Found(paths) => paths,
        }
    }
}

/// The configuration of `context`, or of the files' current one. `None` where there is nothing in the files, or no file.
pub(super) fn load(files: &Files, context: Option<&str>) -> Result<Option<Config>, Error> {
    let mut merged = Merged::default();
    for path in files.paths() {
        if let Some(document) = read(path, matches!(files, Files::Explicit(_)))? {
            merged.add(document, path)?;
        }
    }
    if merged.is_empty() {
        return Ok(None);
    }
    resolve::resolve(&merged, context).map(Some)
}

fn read(path: &Path, required: bool) -> Result<Option<Document>, Error> {
    let unreadable = || Error::new(Kind::Configuration, format!("cannot read the kubeconfig `{}`", path.display()));
    match file::read(path) {
        Ok(bytes) => document::parse(&bytes).map(Some).map_err(|error| unreadable().because(error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => Ok(None),
        Err(error) => Err(unreadable().because(error)),
    }
}

#[cfg(test)]
mod tests;
