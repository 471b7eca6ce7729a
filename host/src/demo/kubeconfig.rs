//! A kubeconfig for an account, with all that it needs in it.

use std::net::SocketAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::account::Account;

/// Its values are made here and need no quotes.
pub(super) fn kubeconfig(address: SocketAddr, ca_pem: &str, account: Account, token: &str) -> String {
    let (ca, namespace) = (BASE64_STANDARD.encode(ca_pem), account.namespace());
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         current-context: demo\n\
         contexts:\n\
         - name: demo\n  \
           context: {{cluster: demo, user: {namespace}, namespace: {namespace}}}\n\
         clusters:\n\
         - name: demo\n  \
           cluster:\n    \
             server: https://{address}\n    \
             certificate-authority-data: {ca}\n\
         users:\n\
         - name: {namespace}\n  \
           user:\n    \
             token: {token}\n"
    )
}
