//! kubeconfig files by client-go's rules: k8s.io/client-go v0.37.2 `tools/clientcmd` (`loader.go`, `client_config.go`,
//! `validation.go`).
//!
//! `document.rs` reads one file, `merge.rs` joins several, `select.rs` chooses context, cluster and user, and `resolve.rs` makes a
//! [`Config`](super::Config) of them with `cluster.rs`, `user.rs`, `credentials.rs` and `exec.rs`. Nothing of an entry is ever
//! shown but its name and its addresses: the rest may be a credential, in a field where nobody expects it.

mod cluster;
mod credentials;
mod data;
mod document;
mod exec;
mod merge;
mod resolve;
mod select;
mod user;

use std::io;
use std::path::{Path, PathBuf};

use super::options::set;
#[cfg(feature = "cli")]
use super::way::Way;
use super::{Config, ConfigOptions, Environment, Impersonation, Sourced, TlsSources, file};
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

/// The configuration of the files and the options. `None` where there is nothing in the files, or no file, and the options name no
/// server.
pub(super) fn load(files: &Files, options: &ConfigOptions, environment: &dyn Environment) -> Result<Option<Config>, Error> {
    let merged = merge(files)?;
    if merged.is_empty() && set(&options.server).is_none() {
        return Ok(None);
    }
    resolve::resolve(&merged, options, environment).map(Some)
}

/// The way to the API server, where who we are to it cannot be told: for one who looks for what is wrong. `None` where not even the
/// address can be told.
#[cfg(feature = "cli")]
pub(super) fn way(files: &Files, options: &ConfigOptions) -> Option<Way> {
    resolve::way(&merge(files).ok()?, options)
}

fn merge(files: &Files) -> Result<Merged, Error> {
    let mut merged = Merged::default();
    for path in files.paths() {
        if let Some(document) = read(path, matches!(files, Files::Explicit(_)))? {
            merged.add(document, path)?;
        }
    }
    Ok(merged)
}

/// What the options alone say of TLS and of impersonation.
pub(super) fn of_options(options: &ConfigOptions) -> Result<(TlsSources, Option<Sourced<Impersonation>>), Error> {
    let tls = TlsSources {
        authority: cluster::authority(options, &None)?,
        server_name: cluster::server_name(options, &None)?,
        identity: user::identity(options, &None)?,
    };
    Ok((tls, user::impersonation(options, &None)?))
}

fn read(path: &Path, required: bool) -> Result<Option<Document>, Error> {
    let unreadable = || Error::new(Kind::Configuration, format!("cannot read the kubeconfig `{}`", crate::text::path(path)));
    match file::read(path) {
        Ok(bytes) => document::parse(&bytes).map(Some).map_err(|error| unreadable().because(error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => Ok(None),
        Err(error) => Err(unreadable().because(error)),
    }
}

#[cfg(test)]
mod tests;
