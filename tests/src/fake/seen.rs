//! A request as it arrived.

use std::io::{self, Read};

/// Most bytes of a request: what podlens sends is a few hundred.
const MAX_BYTES: usize = 64 * 1024;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// The query's names and values, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Seen {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The bearer token.
    pub fn token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The next request of a connection. `None` when the client has closed it in between.
    pub(super) fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let head_length = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if !more(stream, &mut bytes)? {
                return if bytes.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        };
        let head = String::from_utf8(bytes[..head_length].to_vec()).map_err(io::Error::other)?;
        let mut lines = head.split("\r\n");
        let mut request_line = lines.next().unwrap_or_default().split(' ');
        let method = request_line.next().unwrap_or_default().to_owned();
        let target = request_line.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut seen = Self { method, path: path.to_owned(), query: decode(query), headers, body: Vec::new() };
        let length = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = bytes.split_off(head_length + 4);
        while body.len() < length {
            if !more(stream, &mut body)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        seen.body = body;
        Ok(Some(seen))
    }
}

/// `false` at the end of the stream.
fn more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<bool> {
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::other("the request is too long"));
    }
    let mut piece = [0; 4096];
    let length = stream.read(&mut piece)?;
    bytes.extend_from_slice(&piece[..length]);
    Ok(length > 0)
}

/// `application/x-www-form-urlencoded`. What is not well-formed stays as it is, and so matches no expectation.
fn decode(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(name), unescape(value))
        })
        .collect()
}

fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let escaped = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], escaped) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_in_any_pieces() {
        /// Gives one byte at a time.
        struct Trickle<'a>(&'a [u8]);
        impl Read for Trickle<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let one = self.0.len().min(1);
                self.0.read(&mut buffer[..one])
            }
        }
        let bytes = b"POST /a/b?x=1+2&y=%2F%zz&z HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t\r\nContent-Length: 3\r\n\r\nabc";
        let seen = Seen::read(&mut Trickle(bytes)).unwrap().unwrap();
        assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.token()), ("POST", "/a/b", Some("t")));
        let query = [("x", "1 2"), ("y", "/%zz"), ("z", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!((seen.query.as_slice(), seen.body.as_slice()), (query.as_slice(), b"abc".as_slice()));
        assert_eq!(Seen::read(&mut Trickle(b"")).unwrap(), None);
        Seen::read(&mut Trickle(b"GET /")).unwrap_err();
    }
}
