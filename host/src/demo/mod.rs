//! `podlens demo`: an API server in this process, on loopback, with pods as a small company has them.
//!
//! For a newcomer without a cluster. The client reaches it as it reaches any other: TLS, a service account's mount, RBAC, pages,
//! selectors, protobuf, watches. A server for others finds what it asks of a cluster, too: reviews of tokens and of access, and
//! impersonation. It is no Kubernetes: nothing can be created, and the pods never change.
//! All that it decides is in [`respond::respond`], which is pure; `listen.rs` is the thin shell of TLS and HTTP around it.

mod account;
mod answer;
mod attributes;
mod authenticate;
mod authorize;
mod certificates;
mod identity;
mod impersonate;
mod kubeconfig;
mod listen;
mod mount;
mod page;
mod pods;
mod position;
mod query;
mod respond;
mod review;
mod roles;
mod selectors;
mod status;
mod token;
mod user;
mod watch;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use account::{Account, Tenant};
use certificates::Certificates;
use respond::State;
use token::{ISSUER, Issuer};

/// The audience of the callers' tokens: the server that they call, which is not the API server.
const CALLED: &str = "podlens";

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
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        for account in Account::MOUNTED {
            let token = issuer.issue(account, ISSUER, state.pods(), now)?;
            mount::write(&mount_path(&folder, account), &token, &certificates.ca_pem, account.namespace(), now)?;
            state.accept(token, account, ISSUER);
        }
        let token = issuer.issue(Account::Server, ISSUER, state.pods(), now)?;
        let kubeconfig = kubeconfig::kubeconfig(address, &certificates.ca_pem, Account::Server, &token);
        mount::write_file(&kubeconfig_path(&folder), &kubeconfig)?;
        state.accept(token, Account::Server, ISSUER);
        for tenant in Tenant::ALL {
            let token = issuer.issue(Account::Caller(tenant), CALLED, state.pods(), now)?;
            mount::write_file(&caller_token_path(&folder, tenant), &token)?;
            state.accept(token, Account::Caller(tenant), CALLED);
        }
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

    /// The kubeconfig of [`Account::Server`].
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        kubeconfig_path(&self.folder)
    }

    /// The file with the token of the tenant's [`Account::Caller`], which is for the server that asks by [`kubeconfig`](Self::kubeconfig).
    pub(crate) fn caller_token(&self, tenant: Tenant) -> PathBuf {
        caller_token_path(&self.folder, tenant)
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

fn kubeconfig_path(folder: &TempDir) -> PathBuf {
    folder.path().join("serve.kubeconfig")
}

fn caller_token_path(folder: &TempDir, tenant: Tenant) -> PathBuf {
    folder.path().join(format!("{}.token", tenant.namespace()))
}

#[cfg(test)]
mod ask;
#[cfg(test)]
mod tests;
