//! Connects to a server, and emits the answer.

use std::net::TcpStream;

use podlens_guest::{Arguments, Error, rows};

fn run(_: Arguments) -> Result<(), Error> {
    rows::emit([format!("{:?}", TcpStream::connect("127.0.0.1:443"))])
}

podlens_test_guests::guest!(run);
