//! From a context and the options to a [`Config`]: cluster, user and namespace, each checked.

use super::document::{Cluster, Context};
use super::merge::Merged;
use super::select::{Part, Selected, select};
use super::{cluster, credentials, exec, user};
use crate::config::environment::{Environment, PATH};
use crate::config::options::set;
#[cfg(feature = "cli")]
use crate::config::way::Way;
use crate::config::{Config, ConfigOptions, Origin, Sourced, TlsSources, Unused};
use crate::error::{Error, Kind};
use crate::kube::Namespace;

pub(super) fn resolve(merged: &Merged, options: &ConfigOptions, environment: &dyn Environment) -> Result<Config, Error> {
    let Selected { context, cluster: cluster_part, user: user_part } = select(merged, options)?;
    let server = cluster::server(options, &cluster_part)?;
    let proxy = cluster::proxy(&cluster_part)?;
    let tls = TlsSources {
        authority: cluster::authority(options, &cluster_part)?,
        server_name: cluster::server_name(options, &cluster_part)?,
        identity: user::identity(options, &user_part)?,
    };
    tls.load()?;
    let mut unused = unused(options, &cluster_part);
    let path = environment.non_empty(PATH);
    let exec = exec::Context {
        allow: &options.allow_exec,
        path: path.as_deref(),
        server: &server.value,
        tls: &tls,
        proxy: proxy.as_ref().map(|proxy| &proxy.value),
        cluster: &cluster_part,
    };
    let credentials = credentials::credentials(options, &user_part, tls.identity.is_some(), exec, &mut unused)?;
    Ok(Config {
        namespace: namespace(&context)?,
        impersonation: user::impersonation(options, &user_part)?,
        request_timeout: options.request_timeout,
        server,
        tls,
        credentials,
        proxy,
        unused,
    })
}

/// What [`resolve`] finds of the way to the API server, each part by itself.
#[cfg(feature = "cli")]
pub(super) fn way(merged: &Merged, options: &ConfigOptions) -> Option<Way> {
    // A user that is not there does not change where the cluster is.
    let Selected { cluster: part, .. } = select(merged, &ConfigOptions { user: None, ..options.clone() }).ok()?;
    let tls = || {
        let (authority, server_name) = (cluster::authority(options, &part)?, cluster::server_name(options, &part)?);
        Ok(TlsSources { authority, server_name, identity: None })
    };
    Some(Way { server: cluster::server(options, &part).ok()?, proxy: cluster::proxy(&part), tls: tls() })
}

/// Fields of the cluster that an option goes before, or that mean nothing here.
fn unused(options: &ConfigOptions, part: &Part<'_, Cluster>) -> Vec<Unused> {
    let Some((cluster, _)) = part else { return Vec::new() };
    let by_server = set(&options.server).is_some();
    let by_trust = options.insecure_skip_tls_verify || options.certificate_authority.is_some();
    let option = |field, is_set: bool, by| is_set.then_some(Unused::Field { field, by });
    [
        option("server", by_server && set(&cluster.server).is_some(), "the option `server`"),
        option(
            "tls-server-name",
            (by_server || set(&options.tls_server_name).is_some()) && set(&cluster.tls_server_name).is_some(),
            "an option",
        ),
        option("certificate-authority", by_trust && set(&cluster.certificate_authority).is_some(), "an option"),
        option("certificate-authority-data", by_trust && set(&cluster.certificate_authority_data).is_some(), "an option"),
        option("insecure-skip-tls-verify", by_trust && cluster.insecure_skip_tls_verify == Some(true), "an option"),
        (cluster.disable_compression == Some(true)).then_some(Unused::DisableCompression),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn namespace(part: &Part<'_, Context>) -> Result<Sourced<Namespace>, Error> {
    let named = part.as_ref().and_then(|(context, entry)| Some((set(&context.namespace)?, entry)));
    let Some((name, entry)) = named else { return Ok(Sourced::new(Namespace::default(), Origin::Default)) };
    let origin = Origin::Kubeconfig(entry.clone());
    match Namespace::parse(name) {
        Ok(namespace) => Ok(Sourced::new(namespace, origin)),
        Err(error) => Err(Error::new(Kind::Configuration, format!("the `namespace` of {origin} is not usable")).because(error)),
    }
}
