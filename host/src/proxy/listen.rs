//! Where clients come from: sockets that can be reached from this machine only.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::task::Poll;

use tokio::net::TcpListener;

use super::unix_socket::{UnixSocket, UnixSocketError};
use crate::web::browser::Hosts;
use crate::web::{Door, Stream};

/// Ports that are tried where the system chooses: another process may have the same one at the other address. Arbitrary.
const PORT_ATTEMPTS: usize = 10;

/// Sockets that listen.
#[derive(Debug)]
pub(crate) struct Listeners {
    listeners: Vec<Listener>,
    hosts: Hosts,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixSocket),
}

impl Listeners {
    /// 127.0.0.1, and ::1 where there is one; port 0 lets the system choose.
    pub(crate) async fn loopback(port: u16) -> Result<Self, ListenError> {
        let mut attempt = 1;
        loop {
            let (listener, first) = bind((Ipv4Addr::LOCALHOST, port).into()).await?;
            let second = bind((Ipv6Addr::LOCALHOST, first.port()).into()).await;
            let mut listeners = vec![Listener::Tcp(listener, first)];
            match second {
                Ok((listener, address)) => listeners.push(Listener::Tcp(listener, address)),
                // A client that tries `localhost` at both addresses must not find another server at one of them.
                Err(error) if error.is_in_use() && port == 0 && attempt < PORT_ATTEMPTS => {
                    attempt += 1;
                    continue;
                }
                Err(error) if error.is_no_such_address() => {}
                Err(error) => return Err(error),
            }
            return Ok(Self { listeners, hosts: Hosts::of_port(first.port(), None) });
        }
    }

    /// One address, which has to be a loopback address.
    pub(crate) async fn at(address: IpAddr, port: u16) -> Result<Self, ListenError> {
        if !address.is_loopback() {
            return Err(ListenError::NotLoopback(address));
        }
        let (listener, bound) = bind((address, port).into()).await?;
        Ok(Self { listeners: vec![Listener::Tcp(listener, bound)], hosts: Hosts::of_port(bound.port(), Some(address)) })
    }

    /// A Unix socket for this user alone.
    pub(crate) async fn unix(path: &Path) -> Result<Self, ListenError> {
        let socket = UnixSocket::bind(path).await.map_err(|error| ListenError::Unix(path.to_owned(), error))?;
        Ok(Self { listeners: vec![Listener::Unix(socket)], hosts: Hosts::of_socket() })
    }

    /// Where clients find them, as kubectl writes it.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = String> {
        self.listeners.iter().map(|listener| match listener {
            Listener::Tcp(_, address) => address.to_string(),
            Listener::Unix(socket) => socket.path().display().to_string(),
        })
    }

    pub(super) fn hosts(&self) -> &Hosts {
        &self.hosts
    }
}

impl Door for Listeners {
    type Arrived = Box<dyn Stream>;
    type Client = ();

    /// The next client, of whichever socket.
    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        poll_fn(|context| {
            for listener in &self.listeners {
                let accepted = match listener {
                    Listener::Tcp(listener, _) => listener.poll_accept(context).map_ok(|(stream, _)| {
                        let _ = stream.set_nodelay(true);
                        Box::new(stream) as Box<dyn Stream>
                    }),
                    Listener::Unix(socket) => socket.poll_accept(context).map_ok(|stream| Box::new(stream) as _),
                };
                if accepted.is_ready() {
                    return accepted;
                }
            }
            Poll::Pending
        })
        .await
    }

    async fn open(&self, arrived: Box<dyn Stream>) -> io::Result<(Box<dyn Stream>, ())> {
        Ok((arrived, ()))
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ListenError> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    bound.await.map_err(|error| ListenError::Tcp(address, error))
}

/// Why nothing listens.
#[derive(Debug)]
pub(crate) enum ListenError {
    NotLoopback(IpAddr),
    Tcp(SocketAddr, io::Error),
    Unix(PathBuf, UnixSocketError),
}

impl ListenError {
    fn is_in_use(&self) -> bool {
        matches!(self, Self::Tcp(_, error) if error.kind() == io::ErrorKind::AddrInUse)
    }

    /// As on a machine without IPv6.
    fn is_no_such_address(&self) -> bool {
        let unsupported = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
        matches!(self, Self::Tcp(_, error)
            if error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(unsupported))
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NotLoopback(_) => {
                "whoever reaches the proxy reads pods as you: to reach it from elsewhere, forward its port, as `ssh -L` does"
            }
            Self::Tcp(..) => "choose another port with `--port`; with `--port 0` the system does",
            Self::Unix(..) => "choose another path with `--unix-socket`",
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback(address) => write!(f, "`{address}` is not a loopback address, as `127.0.0.1` and `::1` are"),
            Self::Tcp(address, _) => write!(f, "cannot listen on `{address}`"),
            Self::Unix(path, _) => write!(f, "cannot listen on `{}`", crate::text::path(path)),
        }
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotLoopback(_) => None,
            Self::Tcp(_, error) => Some(error),
            Self::Unix(_, error) => Some(error),
        }
    }
}
