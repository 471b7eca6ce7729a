//! The user's credential for the `Authorization` header, and the option that goes before it.

use super::document::User;
use super::exec;
use super::select::Part;
use crate::config::options::set;
use crate::config::origin::Entry;
use crate::config::{ConfigOptions, Credentials, Origin, Sourced, Token, Unused};
use crate::error::{Error, Kind};
use crate::text::excerpt;

/// What each request carries, and in `unused` what that makes unnecessary.
///
/// A credential plugin comes last: it is asked where there is nothing else, a client certificate included.
pub(super) fn credentials(
    options: &ConfigOptions,
    part: &Part<'_, User>,
    has_identity: bool,
    exec: exec::Context<'_>,
    unused: &mut Vec<Unused>,
) -> Result<Sourced<Credentials>, Error> {
    let plugin = match part {
        Some((user, entry)) => {
            refuse_auth_provider(user, entry)?;
            user.exec.as_ref().map(|plugin| exec::check(plugin, entry)).transpose()?.map(|plugin| (plugin, entry))
        }
        None => None,
    };
    match (fixed(options, part, unused)?, plugin) {
        (None, Some((plugin, entry))) if !has_identity => {
            Ok(Sourced::new(Credentials::Exec(plugin.allowed(entry, exec)?.into()), origin(part)))
        }
        (found, plugin) => {
            if plugin.is_some() {
                unused.push(Unused::Field { field: "exec", by: "another credential" });
            }
            Ok(found.unwrap_or_else(|| Sourced::new(Credentials::None, origin(part))))
        }
    }
}

/// A token, or a user and a password. The token's file comes before the token, as with client-go (`transport/token_source.go`: the file's
/// replaces the other). One that cannot be read is an error, where client-go goes on with the token: a slip must not change who asks.
fn fixed(options: &ConfigOptions, part: &Part<'_, User>, unused: &mut Vec<Unused>) -> Result<Option<Sourced<Credentials>>, Error> {
    let token = part.as_ref().and_then(|(user, _)| set(&user.token));
    let file = match (&options.token_file, part) {
        (Some(path), _) => Some((path.clone(), Origin::Option("token-file"))),
        (None, Some((user, entry))) => set(&user.token_file).map(|path| (entry.folder().join(path), origin(part))),
        (None, None) => None,
    };
    match (file, token, basic(part)?) {
        (None, None, None) => Ok(None),
        (None, None, Some(basic)) => Ok(Some(Sourced::new(Credentials::Fixed(basic), origin(part)))),
        (_, _, Some(_)) => {
            let message = format!("{} has a token and a user with a password: only one of them can be sent", origin(part));
            Err(Error::new(Kind::Configuration, message).hint("remove one of them"))
        }
        (Some((path, from)), token, None) => {
            unused.extend(token.map(|_| Unused::Field { field: "token", by: "the token's file" }));
            Ok(Some(Sourced::new(Credentials::token_file(path)?, from)))
        }
        (None, Some(token), None) => given(token, part).map(Some),
    }
}

fn given(token: &str, part: &Part<'_, User>) -> Result<Sourced<Credentials>, Error> {
    match Token::parse(token.as_bytes()) {
        Ok(token) => Ok(Sourced::new(Credentials::Fixed(token), origin(part))),
        Err(error) => Err(Error::new(Kind::Configuration, format!("cannot use the `token` of {}", origin(part))).because(error)),
    }
}

fn origin(part: &Part<'_, User>) -> Origin {
    part.as_ref().map_or(Origin::Default, |(_, entry)| Origin::Kubeconfig(entry.clone()))
}

fn basic(part: &Part<'_, User>) -> Result<Option<Token>, Error> {
    let Some((user, entry)) = part else { return Ok(None) };
    match (set(&user.username), set(&user.password)) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::new(Kind::Configuration, format!("{entry} has a `password` and no `username`"))),
        (Some(name), password) => Token::basic(name, password.unwrap_or_default())
            .map(Some)
            .ok_or_else(|| Error::new(Kind::Configuration, format!("the `username` of {entry} has a colon in it"))),
    }
}

/// Plugins that were part of client-go once. Where their credential comes from now is told there, too.
fn refuse_auth_provider(user: &User, entry: &Entry) -> Result<(), Error> {
    let Some(provider) = &user.auth_provider else { return Ok(()) };
    let name = provider.name.as_deref().unwrap_or_default();
    let message = format!("the `auth-provider` `{}` of {entry} is not supported", excerpt(name));
    Err(Error::new(Kind::Configuration, message).hint(match name {
        "gcp" => {
            "it was removed from kubectl, too: `gcloud container clusters get-credentials` writes an entry with the credential \
             plugin `gke-gcloud-auth-plugin`, which `--allow-exec gke-gcloud-auth-plugin` lets podlens run"
        }
        "azure" => {
            "it was removed from kubectl, too: `kubelogin convert-kubeconfig` writes an entry with the credential plugin \
             `kubelogin`, which `--allow-exec kubelogin` lets podlens run"
        }
        "oidc" => {
            "use a credential plugin, such as `kubectl oidc-login`, in an `exec` entry, and let podlens run it with `--allow-exec`"
        }
        _ => "use a credential plugin in an `exec` entry, and let podlens run it with `--allow-exec`",
    }))
}
