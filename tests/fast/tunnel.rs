//! A proxy as a company has one: it connects a client to whatever it names, by `CONNECT` or SOCKS 5, and remembers what it was asked.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running proxy. Its thread ends with the program.
pub(crate) struct Tunnel {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

/// How clients speak to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// HTTP's `CONNECT` (RFC 9110 section 9.3.6).
    Connect,
    /// The same, and every request is refused.
    Refusal,
    /// SOCKS 5 (RFC 1928), without authentication.
    Socks,
}

impl Tunnel {
    /// Leads every connection to `target`, whatever name it is asked for.
    pub(crate) fn start(speaks: Speaks, target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let list = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let list = Arc::clone(&list);
                // What a client does wrong ends its own connection.
                thread::spawn(move || drop(serve(client, speaks, target, &list)));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The head of each `CONNECT`, or the name and port of each SOCKS request.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panics here").clone()
    }
}

fn serve(mut client: TcpStream, speaks: Speaks, target: u16, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let question = if speaks == Speaks::Socks { socks(&mut client)? } else { head(&mut client)? };
    asked.lock().expect("no test panics here").push(question);
    client.write_all(match speaks {
        Speaks::Connect => b"HTTP/1.1 200 OK\r\n\r\n",
        Speaks::Refusal => b"HTTP/1.1 403 Forbidden\r\n\r\n",
        Speaks::Socks => &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    })?;
    if speaks == Speaks::Refusal {
        return Ok(());
    }
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || pass(from_client, to_server));
    pass(server, client);
    Ok(())
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    // An end in either direction is the end of both, as far as these tests go.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

fn head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn socks(client: &mut TcpStream) -> io::Result<String> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting)?;
    client.read_exact(&mut vec![0; usize::from(greeting[1])])?;
    client.write_all(&[5, 0])?;
    let mut request = [0; 5];
    client.read_exact(&mut request)?;
    assert_eq!(&request[..4], [5, 1, 0, 3], "a connection to a name, which the proxy is to resolve");
    let mut name = vec![0; usize::from(request[4])];
    client.read_exact(&mut name)?;
    let mut port = [0; 2];
    client.read_exact(&mut port)?;
    Ok(format!("{}:{}", String::from_utf8_lossy(&name), u16::from_be_bytes(port)))
}
