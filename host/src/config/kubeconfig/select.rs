//! Which context, cluster and user: those that the options name, else the context's, else the current context's.
//!
//! By client-go's rules (v0.37.2 `client_config.go`): what an option names must exist; a user that a context names and nobody defines is
//! an anonymous one; and a server from the options needs neither context nor cluster.

use super::document::{Cluster, Context, User};
use super::merge::Merged;
use crate::config::ConfigOptions;
use crate::config::options::set;
use crate::config::origin::Entry;
use crate::error::{Error, Kind};
use crate::text::excerpt;

/// Most names that a message lists.
const LISTED_NAMES: usize = 20;

/// An entry of a kubeconfig, where there is one.
pub(super) type Part<'a, T> = Option<(&'a T, Entry)>;

/// What a configuration is made of, the options aside.
pub(super) struct Selected<'a> {
    pub(super) context: Part<'a, Context>,
    pub(super) cluster: Part<'a, Cluster>,
    pub(super) user: Part<'a, User>,
}

pub(super) fn select<'a>(merged: &'a Merged, options: &ConfigOptions) -> Result<Selected<'a>, Error> {
    let context = context(merged, options)?;
    let cluster = cluster(merged, options, &context)?;
    let user = user(merged, options, &context)?;
    Ok(Selected { context, cluster, user })
}

fn context<'a>(merged: &'a Merged, options: &ConfigOptions) -> Result<Part<'a, Context>, Error> {
    let find = |name: &str, message: String| match merged.contexts.get("context", name) {
        Some(found) => Ok(Some(found)),
        None => Err(missing(message, "context", merged.contexts.names())),
    };
    match (set(&options.context), &merged.current_context) {
        (Some(name), _) => find(name, format!("the kubeconfig has no context `{}`", excerpt(name))),
        (None, Some((name, file))) => {
            find(name, format!("there is no context `{}`, the `current-context` of `{}`", excerpt(name), crate::text::path(file)))
        }
        (None, None) if set(&options.cluster).is_some() || set(&options.server).is_some() => Ok(None),
        (None, None) => {
            let message = "the kubeconfig has no `current-context`, and no context was asked for".to_owned();
            Err(missing(message, "context", merged.contexts.names()))
        }
    }
}

fn cluster<'a>(merged: &'a Merged, options: &ConfigOptions, context: &Part<'_, Context>) -> Result<Part<'a, Cluster>, Error> {
    if let Some(name) = set(&options.cluster) {
        let found = merged.clusters.get("cluster", name);
        let message = || format!("the kubeconfig has no cluster `{}`", excerpt(name));
        return found.map(Some).ok_or_else(|| missing(message(), "cluster", merged.clusters.names()));
    }
    let Some((context, entry)) = context else { return Ok(None) };
    let found = set(&context.cluster).and_then(|name| merged.clusters.get("cluster", name));
    match (found, set(&context.cluster)) {
        (None, _) if set(&options.server).is_some() => Ok(None),
        (None, None) => Err(Error::new(Kind::Configuration, format!("{entry} names no cluster"))),
        (None, Some(name)) => {
            let message = format!("there is no cluster `{}`, which {entry} names", excerpt(name));
            Err(missing(message, "cluster", merged.clusters.names()))
        }
        (found, _) => Ok(found),
    }
}

fn user<'a>(merged: &'a Merged, options: &ConfigOptions, context: &Part<'_, Context>) -> Result<Part<'a, User>, Error> {
    if let Some(name) = set(&options.user) {
        let found = merged.users.get("user", name);
        let message = || format!("the kubeconfig has no user `{}`", excerpt(name));
        return found.map(Some).ok_or_else(|| missing(message(), "user", merged.users.names()));
    }
    let Some((name, entry)) = context.as_ref().and_then(|(context, entry)| Some((set(&context.user)?, entry))) else {
        return Ok(None);
    };
    let found = merged.users.get("user", name);
    if found.is_none() {
        // As client-go does; but not without a word.
        tracing::warn!("there is no user `{}`, which {entry} names: requests are made as nobody", excerpt(name));
    }
    Ok(found)
}

fn missing<'a>(message: String, list: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let mut shown: Vec<_> = names.take(LISTED_NAMES + 1).map(|name| format!("`{}`", excerpt(name))).collect();
    if shown.len() > LISTED_NAMES {
        shown[LISTED_NAMES] = "…".to_owned();
    }
    Error::new(Kind::Configuration, message).hint(match shown.is_empty() {
        false => format!("there are: {}", shown.join(", ")),
        true => format!("there is no {list} at all"),
    })
}
