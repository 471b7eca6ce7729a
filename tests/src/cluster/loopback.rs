//! One port on both loopback addresses.
//!
//! kube-apiserver binds one address. `::` would be both families, and every interface of the machine with them; a test's
//! API server, which hands out an admin token, stays on loopback. So it binds 127.0.0.1, and `[::1]` at the same port is
//! a listener here that copies bytes: TLS stays between client and API server.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A port that was free on both addresses. The IPv6 side is held; on IPv4 the API server may still lose it.
#[derive(Debug)]
pub(super) struct Loopback {
    port: u16,
    ipv6: Option<TcpListener>,
    stopped: Arc<AtomicBool>,
}

impl Loopback {
    pub(super) fn reserve() -> Self {
        loop {
            let ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok();
            let wanted = ipv6.as_ref().map_or(0, |listener| local_address(listener).port());
            // Freed at the end of the statement, for the API server.
            if let Ok(port) = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).map(|it| local_address(&it).port()) {
                return Self { port, ipv6, stopped: Arc::default() };
            }
        }
    }

    pub(super) fn ipv4(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// `None` on a machine without IPv6.
    pub(super) fn ipv6(&self) -> Option<SocketAddr> {
        self.ipv6.as_ref().map(local_address)
    }

    /// Serves IPv6 until this value is dropped. While the API server is away, connections are closed at once.
    pub(super) fn forward_ipv6(&self) {
        let Some(listener) = &self.ipv6 else { return };
        let listener = listener.try_clone().expect("a socket can be duplicated");
        let (target, stopped) = (self.ipv4(), Arc::clone(&self.stopped));
        thread::spawn(move || {
            for client in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(target)) {
                    forward(client, server);
                }
            }
        });
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts, which holds the port.
        if let Some(address) = self.ipv6() {
            drop(TcpStream::connect(address));
        }
    }
}

fn local_address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("a bound socket has an address")
}

/// Copies both ways, on a thread for each, until both sides are done.
fn forward(client: TcpStream, server: TcpStream) {
    for stream in [&client, &server] {
        // A TLS record must not wait for the acknowledgement of the one before.
        stream.set_nodelay(true).expect("a connected socket takes its options");
    }
    let duplicate = |stream: &TcpStream| stream.try_clone().expect("a socket can be duplicated");
    for (mut from, mut to) in [(duplicate(&client), duplicate(&server)), (server, client)] {
        thread::spawn(move || {
            // An error is the end of this connection, which each side sees for itself.
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}
