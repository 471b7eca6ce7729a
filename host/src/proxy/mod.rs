//! `podlens proxy`: the pods of the cluster over HTTP on this machine, to be read and nothing else.
//!
//! What `kubectl proxy` is for (`curl`, dashboards and scripts that speak no TLS and have no token), without its reach: that one passes
//! on any request of anybody who can connect, with its owner's credentials. Here a request is not passed on at all: it is read, and where
//! it is one of a few, another one is made from nothing ([`decide::decide`], which is pure, and `kube`'s constructors). What cannot be
//! expressed there cannot be asked: no other resource, no verb that changes something, no subresource such as `exec` or `log`, no header.
//! The grant holds for what is asked; the answer is handed on as it comes, and not read: an API server is believed here, as by kubectl.
//!
//! `route.rs`, `parameters.rs` and `accept.rs` are the grammar, `answer.rs` says what comes back; `listen.rs` and `server.rs` are where
//! clients come in. Not here: what a client may send, and how long it may take (`web`), who may read what (`policy`), and how the API
//! server is reached (`client`).

mod accept;
mod answer;
mod body;
mod decide;
mod discovery;
mod forward;
mod listen;
mod parameters;
mod route;
mod server;
mod status;
mod unix_socket;

pub(crate) use listen::{ListenError, Listeners};
pub(crate) use server::Proxy;

#[cfg(test)]
mod tests;
