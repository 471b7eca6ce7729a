//! How the bytes of requests have to look, beyond what hyper demands: every line ends with CRLF, and no line has a bare CR, a bare LF
//! or a NUL in it; the request line has no fragment; how long a body is stands there once, as a number or as `chunked`. Two parsers that
//! disagree on any of these see different requests in the same bytes.
//!
//! Only heads are looked at. What comes after one that announces a body is nobody's request: whoever answers it ends the connection.

/// The headers that announce a body.
const CONTENT_LENGTH: &[u8] = b"content-length:";
const TRANSFER_ENCODING: &[u8] = b"transfer-encoding:";

/// How a body may be encoded for its transfer.
const CHUNKED: &[u8] = b"chunked";

/// How much is looked at of a line: more than these take with a blank or two between them.
const LOOKED_AT_BYTES: usize = 32;

/// Looks at the bytes of a connection, in whatever pieces they come.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    place: Place,
    after_carriage_return: bool,
    /// The beginning of the line, in lower case, and the line's length.
    line: [u8; LOOKED_AT_BYTES],
    line_bytes: usize,
    announces_body: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    RequestLine,
    Headers,
    /// After a head that announced a body: to the end of the connection.
    Body,
}

/// The bytes are not those of a request that has one meaning.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous;

impl Heads {
    /// Takes the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), Ambiguous> {
        bytes.iter().try_for_each(|byte| self.take_byte(*byte))
    }

    /// Whether the last head announced a body.
    pub(crate) fn announced_body(&self) -> bool {
        self.place == Place::Body
    }

    fn take_byte(&mut self, byte: u8) -> Result<(), Ambiguous> {
        if self.place == Place::Body {
            return Ok(());
        }
        if std::mem::replace(&mut self.after_carriage_return, byte == b'\r') != (byte == b'\n') {
            return Err(Ambiguous);
        }
        match byte {
            b'\r' => {}
            b'\n' => return self.end_line(),
            b'\0' => return Err(Ambiguous),
            b'#' if self.place == Place::RequestLine => return Err(Ambiguous),
            _ => {
                if let Some(place) = self.line.get_mut(self.line_bytes) {
                    *place = byte.to_ascii_lowercase();
                }
                self.line_bytes = self.line_bytes.saturating_add(1);
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), Ambiguous> {
        let line = &self.line[..self.line_bytes.min(LOOKED_AT_BYTES)];
        self.place = match self.place {
            // Empty lines before a request are passed over (RFC 9112 section 2.2).
            Place::RequestLine if line.is_empty() => Place::RequestLine,
            Place::Headers if line.is_empty() && self.announces_body => Place::Body,
            Place::Headers if line.is_empty() => Place::RequestLine,
            Place::Headers => {
                let encoding = line.strip_prefix(TRANSFER_ENCODING);
                if encoding.is_some() || line.starts_with(CONTENT_LENGTH) {
                    let is_plain =
                        encoding.is_none_or(|encoding| encoding.trim_ascii() == CHUNKED && self.line_bytes < LOOKED_AT_BYTES);
                    if !is_plain || std::mem::replace(&mut self.announces_body, true) {
                        return Err(Ambiguous);
                    }
                }
                Place::Headers
            }
            Place::RequestLine | Place::Body => Place::Headers,
        };
        self.line_bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &str, expected: bool) {
        assert_eq!(Heads::default().take(bytes.as_bytes()).is_ok(), expected, "{bytes:?}");
        let mut heads = Heads::default();
        let by_byte = bytes.as_bytes().chunks(1).try_for_each(|byte| heads.take(byte));
        assert_eq!(by_byte.is_ok(), expected, "{bytes:?}, byte by byte");
    }

    #[test]
    fn lines_end_with_crlf() {
        let host = "Host: localhost\r\n";
        for (bytes, expected) in [
            ("", true),
            ("GET / HTTP/1.1\r\n", true),
            (&format!("GET / HTTP/1.1\r\n{host}\r\n"), true),
            (&format!("GET / HTTP/1.1\r\n{host}\r\nGET / HTTP/1.1\r\n{host}\r\n"), true),
            (&format!("\r\n\r\nGET / HTTP/1.1\r\n{host}\r\n"), true),
            ("GET / HTTP/1.1\n", false),
            ("GET / HTTP/1.1\r\nHost: localhost\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: localhost\r\n\n", false),
            ("GET / HTTP/1.1\r\r\n", false),
            ("GET / HTTP/1.1\rHost: localhost\r\n", false),
            ("GET / HTTP/1.1\r\nA: b\rc\r\n", false),
            ("GET /\0 HTTP/1.1\r\n", false),
            ("GET / HTTP/1.1\r\nA: \0\r\n", false),
            ("GET /#a HTTP/1.1\r\n", false),
            ("GET /?a#b HTTP/1.1\r\n", false),
            ("GET / HTTP/1.1\r\nA: #b\r\n", true),
            (&format!("GET / HTTP/1.1\r\n{host}\r\nGET / HTTP/1.1\n\n"), false),
            ("\n", false),
        ] {
            check(bytes, expected);
        }
    }

    #[test]
    fn a_body_is_not_looked_at() {
        for (header, expected) in [
            ("Content-Length: 3", true),
            ("content-LENGTH:3", true),
            ("Transfer-Encoding: chunked", true),
            ("X-Content-Length: 3", false),
            ("Content-Lengths: 3", false),
            ("Content-Length : 3", false),
            (" Content-Length: 3", false),
        ] {
            check(&format!("POST / HTTP/1.1\r\nHost: a\r\n{header}\r\nA: b\r\n\r\na\nb"), expected);
            // The head itself is, all of it.
            check(&format!("POST / HTTP/1.1\r\n{header}\r\nA: b\n\r\n"), false);
        }
    }

    #[test]
    fn how_long_a_body_is_is_told_once() {
        for (headers, expected) in [
            ("Transfer-Encoding:chunked", true),
            ("Transfer-Encoding:  Chunked ", true),
            ("Content-Length: 3\r\nContent-Length: 3", false),
            ("Content-Length: 3\r\nTransfer-Encoding: chunked", false),
            ("Transfer-Encoding: chunked\r\nContent-Length: 3", false),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", false),
            ("Transfer-Encoding: gzip, chunked", false),
            ("Transfer-Encoding: identity", false),
            ("Transfer-Encoding: chunked, gzip", false),
            ("Transfer-Encoding: chunked                  , gzip", false),
            ("Transfer-Encoding: \u{b}chunked", false),
            ("Transfer-Encoding:", false),
        ] {
            check(&format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n"), expected);
        }
    }
}
