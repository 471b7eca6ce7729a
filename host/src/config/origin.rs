//! Where a value came from, told in messages and by the command that prints the configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::text::excerpt;

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Sourced<T> {
    pub(crate) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The embedding program.
    Caller,
    /// An option of [`ConfigOptions`](super::ConfigOptions), by the name that the flag has.
    Option(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// The whole of a file.
    File(PathBuf),
    /// A field of a named entry of a kubeconfig: ``cluster `dev` in `/home/me/.kube/config` ``.
    Kubeconfig(Entry),
    /// The policy of a server.
    #[cfg(feature = "cli")]
    Policy,
    /// Nothing else was found.
    Default,
}

/// A named entry of a kubeconfig, and the file that defined it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `cluster`, `context` or `user`.
    pub(crate) list: &'static str,
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

impl Entry {
    /// The folder that the entry's relative paths start at.
    pub(crate) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller => f.write_str("the caller"),
            Self::Option(name) => write!(f, "the option `{name}`"),
            Self::Variable(name) => write!(f, "the environment's `{name}`"),
            Self::File(path) => write!(f, "`{}`", crate::text::path(path)),
            Self::Kubeconfig(entry) => entry.fmt(f),
            #[cfg(feature = "cli")]
            Self::Policy => f.write_str("the policy"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` in `{}`", self.list, excerpt(&self.name), crate::text::path(&self.file))
    }
}
