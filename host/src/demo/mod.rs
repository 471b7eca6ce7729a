//! `podlens demo`: an API server in this process, on loopback, with pods as a small company has them.
//!
//! For a newcomer without a cluster. The client reaches it as it reaches any other: TLS, a service account's mount, RBAC, pages,
//! selectors, protobuf. It is no Kubernetes: nothing can be created or watched, and the pods never change.
//! All that it decides is in [`respond::respond`], which is pure; `listen.rs` is the thin shell of TLS and HTTP around it.

mod account;
mod answer;
mod attributes;
mod authenticate;
mod authorize;
mod certificates;
mod identity;
mod listen;
mod mount;
mod page;
mod pods;
mod position;
mod query;
mod respond;
mod status;
mod token;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use account::Account;
use certificates::Certificates;
use respond::State;
use token::Issuer;

/// A running API server. Dropping it ends its connections and deletes its folder.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    folder: TempDir,
    listening: JoinHandle<()>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1, with keys, certificates and tokens that are made now.
    pub(crate) async fn start() -> io::Result<Self> {
        let now = Timestamp::now();
        let certificates = Certificates::generate().map_err(io::Error::other)?;
        let tls = listen::tls_config(&certificates).map_err(io::Error::other)?;
        let mut state = State::new(pods::pods(now));
        let issuer = Issuer::new().map_err(io::Error::other)?;
        let folder = mount::private_folder()?;
        for account in Account::ALL {
            let token = issuer.issue(account, state.pods(), now)?;
            mount::write(&mount_path(&folder, account), &token, &certificates.ca_pem, account.namespace(), now)?;
            state.accept(token, account);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let listening = tokio::spawn(listen::serve(listener, tls, Arc::new(state)));
        Ok(Self { address, folder, listening })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The account's folder with `token`, `ca.crt` and `namespace`, as a pod finds it under
    /// `/var/run/secrets/kubernetes.io/serviceaccount`.
    pub(crate) fn mount(&self, account: Account) -> PathBuf {
        mount_path(&self.folder, account)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The connections belong to this task, and end with it.
        self.listening.abort();
    }
}

fn mount_path(folder: &TempDir, account: Account) -> PathBuf {
    folder.path().join(account.name())
}

#[cfg(test)]
mod tests;
