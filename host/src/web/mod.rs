//! A server for HTTP/1.1 clients who are not trusted, whatever is served.
//!
//! `accept.rs` takes them as long as there are seats (`seats.rs`) and until it is told to stop (`stop.rs`); `connection.rs` and `socket.rs`
//! bound what a client may send and how long it may take, and `heads.rs` refuses bytes that two parsers could read in two ways.
//! `form.rs` reads query strings, and `browser.rs` keeps web pages of other servers out. What is answered is not decided here.

mod accept;
pub(crate) mod browser;
mod connection;
mod form;
mod heads;
mod seats;
mod socket;
mod stop;

pub(crate) use accept::{Door, Room, Stream, accept};
pub(crate) use form::unescape;
pub(crate) use stop::Stop;
#[cfg(test)]
pub(crate) use {
    connection::serve,
    seats::Seats,
    stop::{Stopper, channel},
};
