//! From the flags to a client.

use super::args::ConnectArgs;
use crate::error::Error;
use crate::{Client, Config, ConfigOptions};

/// Resolves the configuration, and prepares TLS and credentials.
pub(super) fn connect(args: ConnectArgs) -> Result<Client, Error> {
    let options = ConfigOptions { kubeconfig: args.kubeconfig, context: args.context, ..ConfigOptions::default() };
    Client::new(Config::infer(&options)?)
}
