//! How to reach the cluster: the flags of every command that does, and from these to a client.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;
use crate::{Client, Config, ConfigOptions};

/// How to reach the cluster.
#[derive(Debug, Default, clap::Args)]
pub(super) struct ConnectArgs {
    /// The kubeconfig's context to use [default: its current-context]
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    pub(super) context: Option<String>,

    #[command(flatten)]
    pub(super) reach: ReachArgs,
}

/// The heading of all these flags.
pub(super) const HEADING: &str = "Connection: the API server, and who you are to it";

/// How to reach a cluster, by kubectl's flags, whichever context it is in. Each goes before what the kubeconfig, or the pod's service
/// account, says.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = HEADING)]
pub(super) struct ReachArgs {
    /// The kubeconfig to use, and no other [default: $KUBECONFIG, ~/.kube/config, or the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub(super) kubeconfig: Option<PathBuf>,

    /// The kubeconfig's cluster to use [default: the context's]
    #[arg(long, value_name = "NAME")]
    pub(super) cluster: Option<String>,

    /// The kubeconfig's user to use [default: the context's]
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,

    /// The API server's address; no kubeconfig is needed then
    #[arg(long, value_name = "URL")]
    pub(super) server: Option<String>,

    /// The name that the server's certificate is for, if it is not the address's
    #[arg(long, value_name = "NAME")]
    pub(super) tls_server_name: Option<String>,

    /// The certificates that the server is trusted by, PEM
    #[arg(long, value_name = "FILE")]
    pub(super) certificate_authority: Option<PathBuf>,

    /// Trust any server: your credentials go to whoever answers
    #[arg(long)]
    pub(super) insecure_skip_tls_verify: bool,

    /// The file with your token
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,

    /// Your certificate, PEM
    #[arg(long, value_name = "FILE")]
    pub(super) client_certificate: Option<PathBuf>,

    /// Its key, PEM
    #[arg(long, value_name = "FILE")]
    pub(super) client_key: Option<PathBuf>,

    /// The user to impersonate
    #[arg(long = "as", value_name = "USER")]
    pub(super) impersonate_user: Option<String>,

    /// A group to impersonate; may be given several times
    #[arg(long = "as-group", value_name = "GROUP")]
    pub(super) impersonate_groups: Vec<String>,

    /// A credential plugin that the kubeconfig may run, such as `aws`; may be given several times [default: none]
    #[arg(long, value_name = "COMMAND")]
    pub(super) allow_exec: Vec<String>,

    /// The longest that one request may take, such as 10s; 0 for as long as the command has
    #[arg(long, value_name = "DURATION", value_parser = request_timeout, default_value = "0", hide_default_value = true)]
    pub(super) request_timeout: Duration,
}

/// Whole seconds, or a duration as Go writes it (client-go `clientcmd.ParseTimeout`).
fn request_timeout(text: &str) -> Result<Duration, String> {
    let seconds = || text.parse().ok().map(Duration::from_secs);
    let duration = || Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok();
    seconds().or_else(duration).ok_or_else(|| "expected a duration, such as 10s, 1m30s, or a number of seconds".to_owned())
}

/// Resolves the configuration, and prepares TLS and credentials.
pub(super) fn connect(args: ConnectArgs) -> Result<Client, Error> {
    Client::new(config(args)?)
}

/// Resolves the configuration.
pub(super) fn config(args: ConnectArgs) -> Result<Config, Error> {
    Config::infer(&options(args))
}

/// The flags as the library takes them.
pub(super) fn options(args: ConnectArgs) -> ConfigOptions {
    let ConnectArgs { context, reach: args } = args;
    ConfigOptions {
        kubeconfig: args.kubeconfig,
        context,
        cluster: args.cluster,
        user: args.user,
        server: args.server,
        tls_server_name: args.tls_server_name,
        insecure_skip_tls_verify: args.insecure_skip_tls_verify,
        certificate_authority: args.certificate_authority,
        client_certificate: args.client_certificate,
        client_key: args.client_key,
        token_file: args.token_file,
        impersonate_user: args.impersonate_user,
        impersonate_groups: args.impersonate_groups,
        request_timeout: Some(args.request_timeout).filter(|timeout| !timeout.is_zero()),
        allow_exec: args.allow_exec,
        dns_name: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_timeout_is_kubectls() {
        for (text, milliseconds) in [
            ("0", Some(0)),
            ("5", Some(5_000)),
            ("1m30s", Some(90_000)),
            ("1.5s", Some(1_500)),
            ("300ms", Some(300)),
            ("", None),
            ("-1", None),
            ("-1s", None),
            ("1 fortnight", None),
        ] {
            assert_eq!(request_timeout(text).ok().map(|it| it.as_millis()), milliseconds, "{text}");
        }
    }
}
