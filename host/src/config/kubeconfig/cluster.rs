//! Where the API server is and how it is told from another: the cluster's fields, and the options that go before them.

use rustls::pki_types::ServerName;

use super::data::one_of;
use super::document::Cluster;
use super::select::Part;
use crate::config::options::set;
use crate::config::origin::Entry;
use crate::config::{Authority, ConfigOptions, Origin, Pem, Proxy, Server, Sourced};
use crate::error::{Error, Kind};
use crate::text::excerpt;

/// The address.
pub(super) fn server(options: &ConfigOptions, part: &Part<'_, Cluster>) -> Result<Sourced<Server>, Error> {
    if let Some(text) = set(&options.server) {
        let origin = Origin::Option("server");
        let server = Server::parse(text).map_err(|error| error.into_error(&origin.to_string()))?;
        return Ok(Sourced::new(server, origin));
    }
    let Some((cluster, entry)) = part else {
        return Err(Error::new(Kind::Configuration, "there is no address of an API server: no cluster and no `server`"));
    };
    let field = format!("`server` of {entry}");
    let server = Server::parse(set(&cluster.server).unwrap_or_default()).map_err(|error| error.into_error(&field))?;
    Ok(Sourced::new(server, Origin::Kubeconfig(entry.clone())))
}

/// Whom to trust. An option of either kind replaces all that the cluster says of trust.
pub(super) fn authority(options: &ConfigOptions, part: &Part<'_, Cluster>) -> Result<Authority, Error> {
    match (&options.certificate_authority, options.insecure_skip_tls_verify) {
        (Some(_), true) => Err(both("the options")),
        (Some(path), false) => Ok(Authority::Given(Pem::File(path.clone()))),
        (None, true) => Ok(Authority::Anybody(Origin::Option("insecure-skip-tls-verify"))),
        (None, false) => match part {
            Some((cluster, entry)) => of_entry(cluster, entry),
            None => Ok(Authority::Platform),
        },
    }
}

fn of_entry(cluster: &Cluster, entry: &Entry) -> Result<Authority, Error> {
    let given = one_of(
        ("certificate-authority", &cluster.certificate_authority),
        ("certificate-authority-data", &cluster.certificate_authority_data),
        entry,
    )?;
    match (given, cluster.insecure_skip_tls_verify.unwrap_or_default()) {
        (Some(_), true) => Err(both(&entry.to_string())),
        (Some(pem), false) => Ok(Authority::Given(pem)),
        (None, true) => Ok(Authority::Anybody(Origin::Kubeconfig(entry.clone()))),
        (None, false) => Ok(Authority::Platform),
    }
}

fn both(what: &str) -> Error {
    let message = format!("{what}: `insecure-skip-tls-verify` and a certificate authority are both set");
    Error::new(Kind::Configuration, message).hint("remove `insecure-skip-tls-verify`: the authority is what makes it unnecessary")
}

/// The name that the certificate has to be for. A server from the options is another one than the kubeconfig's name was written for.
pub(super) fn server_name(
    options: &ConfigOptions,
    part: &Part<'_, Cluster>,
) -> Result<Option<Sourced<ServerName<'static>>>, Error> {
    let option = set(&options.tls_server_name).map(|name| (name, Origin::Option("tls-server-name")));
    let field = || {
        let (cluster, entry) = part.as_ref().filter(|_| set(&options.server).is_none())?;
        Some((set(&cluster.tls_server_name)?, Origin::Kubeconfig(entry.clone())))
    };
    let Some((name, origin)) = option.or_else(field) else { return Ok(None) };
    match ServerName::try_from(name.to_owned()) {
        Ok(name) => Ok(Some(Sourced::new(name, origin))),
        Err(_) => {
            let message = format!("the `tls-server-name` `{}` of {origin} is not a DNS name or an IP address", excerpt(name));
            Err(Error::new(Kind::Configuration, message))
        }
    }
}

/// The proxy.
pub(super) fn proxy(part: &Part<'_, Cluster>) -> Result<Option<Sourced<Proxy>>, Error> {
    let Some((cluster, entry)) = part else { return Ok(None) };
    let Some(text) = set(&cluster.proxy_url) else { return Ok(None) };
    match Proxy::parse(text) {
        Ok(proxy) => Ok(Some(Sourced::new(proxy, Origin::Kubeconfig(entry.clone())))),
        Err(error) => Err(Error::new(Kind::Configuration, format!("cannot use the `proxy-url` of {entry}")).because(error)),
    }
}
