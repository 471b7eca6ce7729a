//! Several kubeconfigs as one: the first file that defines an entry or the current context wins, as a whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::document::{Cluster, Context, Document, User};
use crate::config::origin::Entry;
use crate::error::{Error, Kind};
use crate::text::excerpt;

/// The entries of all files by name, each with the file that defined it.
#[derive(Default)]
pub(super) struct Merged {
    pub(super) current_context: Option<(String, PathBuf)>,
    pub(super) clusters: Entries<Cluster>,
    pub(super) contexts: Entries<Context>,
    pub(super) users: Entries<User>,
}

/// The entries of one list.
pub(super) struct Entries<T>(BTreeMap<String, (T, PathBuf)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl Merged {
    /// Adds a file, after those that go before it.
    pub(super) fn add(&mut self, document: Document, path: &Path) -> Result<(), Error> {
        // Made absolute once: relative paths of its entries start at its folder, whatever becomes of the working directory.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if let (None, Some(name)) = (&self.current_context, document.current_context.filter(|name| !name.is_empty())) {
            self.current_context = Some((name, path.clone()));
        }
        let clusters = document.clusters.into_iter().flatten().map(|it| (it.name, it.cluster));
        let contexts = document.contexts.into_iter().flatten().map(|it| (it.name, it.context));
        let users = document.users.into_iter().flatten().map(|it| (it.name, it.user));
        self.clusters.add("cluster", clusters, &path)?;
        self.contexts.add("context", contexts, &path)?;
        self.users.add("user", users, &path)
    }

    /// Whether no file says anything (client-go `clientcmdapi.IsConfigEmpty`).
    pub(super) fn is_empty(&self) -> bool {
        self.current_context.is_none() && self.clusters.0.is_empty() && self.contexts.0.is_empty() && self.users.0.is_empty()
    }
}

impl<T: Default> Entries<T> {
    /// Adds one file's list. A name that is there twice in one file is an error; one that another file has already is passed over.
    fn add(&mut self, list: &'static str, named: impl Iterator<Item = (String, Option<T>)>, path: &Path) -> Result<(), Error> {
        let mut own = BTreeMap::new();
        for (name, value) in named {
            if own.contains_key(&name) {
                let message = format!("the kubeconfig `{}` has two {list}s named `{}`", crate::text::path(path), excerpt(&name));
                return Err(Error::new(Kind::Configuration, message).hint("remove or rename one of them"));
            }
            own.insert(name, value.unwrap_or_default());
        }
        for (name, value) in own {
            self.0.entry(name).or_insert_with(|| (value, path.to_owned()));
        }
        Ok(())
    }

    /// The entry named `name`, and what to call it.
    pub(super) fn get(&self, list: &'static str, name: &str) -> Option<(&T, Entry)> {
        let (value, file) = self.0.get(name)?;
        Some((value, Entry { list, name: name.to_owned(), file: file.clone() }))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
