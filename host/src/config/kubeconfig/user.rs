//! Who we are: the user's client certificate, whom it impersonates, and the options that go before that. Its other credentials are in
//! `credentials.rs`.

use std::path::PathBuf;

use super::data::one_of;
use super::document::User;
use super::select::Part;
use crate::config::impersonation::{Impersonation, Wish};
use crate::config::options::set;
use crate::config::pem::IdentitySource;
use crate::config::{ConfigOptions, Origin, Pem, Sourced};
use crate::error::{Error, Kind};

/// The client certificate. An option replaces the field of its kind, file or data, and nothing else.
pub(super) fn identity(options: &ConfigOptions, part: &Part<'_, User>) -> Result<Option<IdentitySource>, Error> {
    let certificate = pem(&options.client_certificate, part, |user| {
        [("client-certificate", &user.client_certificate), ("client-certificate-data", &user.client_certificate_data)]
    })?;
    let key =
        pem(&options.client_key, part, |user| [("client-key", &user.client_key), ("client-key-data", &user.client_key_data)])?;
    let half = |this: &str, other: &str| {
        let who = part.as_ref().map_or_else(|| "the options".to_owned(), |(_, entry)| entry.to_string());
        Err(Error::new(Kind::Configuration, format!("{who}: there is a client {this} and no client {other}")))
    };
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(IdentitySource { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => half("certificate", "key"),
        (None, Some(_)) => half("key", "certificate"),
    }
}

fn pem(
    option: &Option<PathBuf>,
    part: &Part<'_, User>,
    fields: impl Fn(&User) -> [(&'static str, &Option<String>); 2],
) -> Result<Option<Pem>, Error> {
    match (option, part) {
        (Some(path), _) => Ok(Some(Pem::File(path.clone()))),
        (None, Some((user, entry))) => {
            let [file, data] = fields(user);
            one_of(file, data, entry)
        }
        (None, None) => Ok(None),
    }
}

/// Whom to impersonate. An option replaces the field of its kind.
pub(super) fn impersonation(options: &ConfigOptions, part: &Part<'_, User>) -> Result<Option<Sourced<Impersonation>>, Error> {
    let user = part.as_ref().map(|(user, _)| *user);
    // Empty, as from a variable that is not set, it is nobody: to go on as ourselves would be more than was asked for.
    let option = options.impersonate_user.as_deref();
    let groups = match options.impersonate_groups.as_slice() {
        [] => user.and_then(|user| user.as_groups.as_deref()).unwrap_or_default(),
        groups => groups,
    };
    let wish = Wish {
        user: option.or_else(|| set(&user?.impersonate)),
        uid: user.and_then(|user| set(&user.as_uid)),
        groups,
        extra: user.and_then(|user| user.as_user_extra.as_ref()),
    };
    let origin = match (option, part) {
        (None, Some((_, entry))) if wish.user.is_some() || options.impersonate_groups.is_empty() => {
            Origin::Kubeconfig(entry.clone())
        }
        (None, _) => Origin::Option("as-group"),
        (Some(_), _) => Origin::Option("as"),
    };
    match Impersonation::new(&wish) {
        Ok(impersonation) => Ok(impersonation.map(|impersonation| Sourced::new(impersonation, origin))),
        Err(error) => {
            let error = Error::new(Kind::Configuration, format!("cannot impersonate as {origin} says")).because(error);
            Err(if wish.user.is_none() { error.hint("name the user, too: `--as`, or `as` in the kubeconfig") } else { error })
        }
    }
}
