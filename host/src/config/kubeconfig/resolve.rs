//! From a context to a [`Config`]: its cluster, its user, its namespace, each checked.
//!
//! What podlens does not support is refused by name rather than passed over: each of these fields changes who asks, or whom.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::document::{Cluster, Context, User};
use super::merge::Merged;
use crate::config::in_cluster::DEFAULT_NAMESPACE;
use crate::config::origin::Entry;
use crate::config::pem::IdentitySource;
use crate::config::{Config, Credentials, Origin, Pem, Server, Sourced, TlsSources, Token};
use crate::error::{Error, Kind};
use crate::kube::Namespace;
use crate::text::excerpt;

/// Most contexts that a message lists.
const LISTED_CONTEXTS: usize = 20;

pub(super) fn resolve(merged: &Merged, context: Option<&str>) -> Result<Config, Error> {
    let (context, context_entry) = select(merged, context)?;
    let (cluster, cluster_entry) = cluster(merged, context, &context_entry)?;
    let (user, user_entry) = user(merged, context, &context_entry);

    refuse_cluster(cluster, &cluster_entry)?;
    refuse_user(user, &user_entry)?;
    let field = format!("`server` of {cluster_entry}");
    let server = Server::parse(text(&cluster.server).unwrap_or_default()).map_err(|error| error.into_error(&field))?;
    let authority = one_of(
        ("certificate-authority", &cluster.certificate_authority),
        ("certificate-authority-data", &cluster.certificate_authority_data),
        &cluster_entry,
    )?;
    let tls = TlsSources { authority, identity: identity(user, &user_entry)? };
    tls.load()?;
    Ok(Config {
        server: Sourced::new(server, Origin::Kubeconfig(cluster_entry)),
        namespace: namespace(context, &context_entry)?,
        tls,
        credentials: credentials(user, user_entry)?,
        unused_proxy: None,
    })
}

/// The context that was asked for, or the current one.
fn select<'a>(merged: &'a Merged, context: Option<&str>) -> Result<(&'a Context, Entry), Error> {
    let missing = |message: String| {
        Error::new(Kind::Configuration, message).hint(match merged.contexts.names().next() {
            Some(_) => format!("there are: {}", list(merged.contexts.names())),
            None => "there is no context at all".to_owned(),
        })
    };
    match (context, &merged.current_context) {
        (Some(name), _) => {
            let found = merged.contexts.get("context", name);
            found.ok_or_else(|| missing(format!("the kubeconfig has no context `{}`", excerpt(name))))
        }
        (None, Some((name, file))) => merged.contexts.get("context", name).ok_or_else(|| {
            missing(format!("there is no context `{}`, the `current-context` of `{}`", excerpt(name), file.display()))
        }),
        (None, None) => Err(missing("the kubeconfig has no `current-context`, and no context was asked for".to_owned())),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut shown: Vec<_> = names.take(LISTED_CONTEXTS + 1).map(|name| format!("`{}`", excerpt(name))).collect();
    if shown.len() > LISTED_CONTEXTS {
        shown[LISTED_CONTEXTS] = "…".to_owned();
    }
    shown.join(", ")
}

fn cluster<'a>(merged: &'a Merged, context: &Context, entry: &Entry) -> Result<(&'a Cluster, Entry), Error> {
    let Some(name) = text(&context.cluster) else {
        return Err(Error::new(Kind::Configuration, format!("{entry} names no cluster")));
    };
    merged
        .clusters
        .get("cluster", name)
        .ok_or_else(|| Error::new(Kind::Configuration, format!("there is no cluster `{}`, which {entry} names", excerpt(name))))
}

/// A context without a user, or with one that is nowhere defined, asks anonymously, as with client-go.
fn user<'a>(merged: &'a Merged, context: &Context, entry: &Entry) -> (Option<&'a User>, Entry) {
    match text(&context.user).and_then(|name| merged.users.get("user", name)) {
        Some((user, entry)) => (Some(user), entry),
        None => (None, entry.clone()),
    }
}

fn refuse_cluster(cluster: &Cluster, entry: &Entry) -> Result<(), Error> {
    let unsupported = |field: &str, hint: &str| Err(unsupported(field, entry).hint(hint));
    if cluster.insecure_skip_tls_verify == Some(true) {
        return unsupported("insecure-skip-tls-verify", "give the cluster's `certificate-authority-data` instead");
    }
    if text(&cluster.proxy_url).is_some() {
        return unsupported("proxy-url", "podlens connects to the API server directly");
    }
    if text(&cluster.tls_server_name).is_some() {
        return unsupported("tls-server-name", "write a `server` whose name is in the server's certificate");
    }
    Ok(())
}

fn refuse_user(user: Option<&User>, entry: &Entry) -> Result<(), Error> {
    let Some(user) = user else { return Ok(()) };
    let token_hint = "`kubectl create token NAME` gives a token for a service account; put it into `tokenFile` or `token`";
    if let Some(exec) = &user.exec {
        let command = exec.command.as_deref().map(|command| format!("`{}` is not run; ", excerpt(command)));
        return Err(unsupported("exec", entry).hint(format!("{}{token_hint}", command.unwrap_or_default())));
    }
    if let Some(provider) = &user.auth_provider {
        let name = provider.name.as_deref().map(|name| format!("`{}` is not built in; ", excerpt(name)));
        return Err(unsupported("auth-provider", entry).hint(format!("{}{token_hint}", name.unwrap_or_default())));
    }
    for (field, is_set) in [
        ("username", text(&user.username).is_some()),
        ("password", text(&user.password).is_some()),
        ("as", text(&user.impersonate).is_some()),
        ("as-uid", text(&user.as_uid).is_some()),
        ("as-groups", user.as_groups.as_ref().is_some_and(|groups| !groups.is_empty())),
        ("as-user-extra", user.as_user_extra.is_some()),
    ] {
        if is_set {
            return Err(unsupported(field, entry).hint(token_hint));
        }
    }
    Ok(())
}

fn unsupported(field: &str, entry: &Entry) -> Error {
    Error::new(Kind::Configuration, format!("`{field}` of {entry} is not supported"))
}

fn identity(user: Option<&User>, entry: &Entry) -> Result<Option<IdentitySource>, Error> {
    let Some(user) = user else { return Ok(None) };
    let certificate = one_of(
        ("client-certificate", &user.client_certificate),
        ("client-certificate-data", &user.client_certificate_data),
        entry,
    )?;
    let key = one_of(("client-key", &user.client_key), ("client-key-data", &user.client_key_data), entry)?;
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(IdentitySource { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Error::new(Kind::Configuration, format!("{entry} has a client certificate and no client key"))),
        (None, Some(_)) => Err(Error::new(Kind::Configuration, format!("{entry} has a client key and no client certificate"))),
    }
}

/// The file comes before the token, as with client-go (`transport/token_source.go`: the file's token replaces the other).
fn credentials(user: Option<&User>, entry: Entry) -> Result<Sourced<Credentials>, Error> {
    let credentials = match user {
        Some(User { token_file: Some(path), .. }) if !path.is_empty() => Credentials::token_file(entry.folder().join(path))?,
        Some(User { token: Some(token), .. }) if !token.is_empty() => Credentials::Token(
            Token::parse(token.as_bytes())
                .map_err(|error| Error::new(Kind::Configuration, format!("cannot use the `token` of {entry}")).because(error))?,
        ),
        _ => Credentials::None,
    };
    Ok(Sourced::new(credentials, Origin::Kubeconfig(entry)))
}

fn namespace(context: &Context, entry: &Entry) -> Result<Sourced<Namespace>, Error> {
    let (name, origin) = match text(&context.namespace) {
        Some(name) => (name, Origin::Kubeconfig(entry.clone())),
        None => (DEFAULT_NAMESPACE, Origin::Default),
    };
    match Namespace::parse(name) {
        Ok(namespace) => Ok(Sourced::new(namespace, origin)),
        Err(error) => Err(Error::new(Kind::Configuration, format!("the `namespace` of {entry} is not usable")).because(error)),
    }
}

/// The file or the data; both is an error, as with client-go's validation.
fn one_of(
    file: (&'static str, &Option<String>),
    data: (&'static str, &Option<String>),
    entry: &Entry,
) -> Result<Option<Pem>, Error> {
    match (text(file.1), text(data.1)) {
        (None, None) => Ok(None),
        (Some(path), None) => Ok(Some(Pem::File(entry.folder().join(PathBuf::from(path))))),
        (None, Some(encoded)) => {
            // As Go's decoder does, line breaks within are passed over.
            let encoded: Vec<u8> = encoded.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let text = STANDARD.decode(encoded).map_err(|_| {
                // The decoder's own text would tell a byte of what may be a key.
                Error::new(Kind::Configuration, format!("`{}` of {entry} is not base64", data.0))
            })?;
            Ok(Some(Pem::Inline { text: text.into(), field: data.0, origin: Origin::Kubeconfig(entry.clone()) }))
        }
        (Some(_), Some(_)) => {
            let message = format!("`{}` and `{}` of {entry} are both set", file.0, data.0);
            Err(Error::new(Kind::Configuration, message).hint("remove one of them"))
        }
    }
}

/// An empty value is an unset one, as with client-go.
fn text(field: &Option<String>) -> Option<&str> {
    field.as_deref().filter(|value| !value.is_empty())
}
