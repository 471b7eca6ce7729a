//! `podlens proxy`: the pods of the cluster over HTTP on this machine, to be read and nothing else.
//!
//! What `kubectl proxy` is for (`curl`, dashboards and scripts that speak no TLS and have no token), without its reach: that one passes
//! on any request of anybody who can connect, with its owner's credentials. Here a request is not passed on at all: it is read, and where
//! it is one of a few, another one is made from nothing ([`decide::decide`], which is pure, and `kube`'s constructors). What cannot be
//! expressed there cannot be asked: no other resource, no verb that changes something, no subresource such as `exec` or `log`, no header.
//! The grant holds for what is asked; the answer is handed on as it comes, and not read: an API server is believed here, as by kubectl.
//!
//! `browser.rs` keeps web pages out, `route.rs`, `parameters.rs` and `accept.rs` are the grammar, `answer.rs` says what comes back.
//! Around them is a server: `listen.rs`, `server.rs`, `connection.rs`, and what a client may send and how long it may take in `heads.rs`,
//! `socket.rs` and `seats.rs`. Not here: who may read what (`policy`), and how the API server is reached (`client`).

mod accept;
mod answer;
mod body;
mod browser;
mod connection;
mod decide;
mod discovery;
mod forward;
mod heads;
mod listen;
mod parameters;
mod route;
mod seats;
mod server;
mod socket;
mod status;
mod stop;
mod unix_socket;

pub(crate) use listen::{ListenError, Listeners};
pub(crate) use server::Proxy;

#[cfg(test)]
mod tests;
