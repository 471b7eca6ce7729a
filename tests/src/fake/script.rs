//! What a test writes: what it expects, and what is answered.

use std::time::Duration;

use super::Seen;

/// A request that the script expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    method: &'static str,
    path: String,
    query: Option<Vec<(String, String)>>,
    token: Option<Option<String>>,
}

/// A GET of `path`, with any query.
pub fn get(path: &str) -> Expected {
    Expected { method: "GET", path: path.to_owned(), query: None, token: None }
}

/// A POST to `path`.
pub fn post(path: &str) -> Expected {
    Expected { method: "POST", ..get(path) }
}

impl Expected {
    /// With exactly this query, in this order.
    pub fn query(mut self, query: &[(&str, &str)]) -> Self {
        self.query = Some(query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
        self
    }

    /// With this bearer token.
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(Some(token.to_owned()));
        self
    }

    /// Without any `Authorization`.
    pub fn anonymous(mut self) -> Self {
        self.token = Some(None);
        self
    }

    pub(super) fn is(&self, seen: &Seen) -> bool {
        let token_fits = match &self.token {
            None => true,
            Some(None) => seen.header("authorization").is_none(),
            Some(token) => seen.token() == token.as_deref(),
        };
        self.method == seen.method
            && self.path == seen.path
            && self.query.as_ref().is_none_or(|query| *query == seen.query)
            && token_fits
    }
}

/// What a connection does in place of TLS and HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Closes the connection before a handshake.
    Close,
    /// Never says anything.
    Hang,
    /// Answers the handshake with an HTTP response in plain text, as the wrong port does.
    PlainHttp,
    /// Agrees on HTTP/2, and then says GOAWAY to the first request.
    GoAway,
}

/// An answer, byte by byte. Without a modifier it is a well-formed one with `Content-Length`, and the connection stays open.
#[derive(Clone, Debug)]
pub struct Answer {
    code: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    framing: Framing,
    held: bool,
    pub(super) delivery: Delivery,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length,
    /// In chunks of so many bytes.
    Chunked(usize),
    UntilClose,
    /// Exactly `body`, head included.
    Raw,
}

/// How the bytes leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Whole,
    /// So many bytes, head included, and then the connection is cut: no close_notify, no end of anything.
    CutAfter(usize),
    /// So many bytes, and then nothing more.
    HangAfter(usize),
    /// The head, and then a byte of the body after each pause.
    Drip(Duration),
    /// The head, and then the body so many times. It is never in memory as a whole.
    Times(usize),
}

impl Answer {
    fn new(code: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            code,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
            framing: Framing::Length,
            held: false,
            delivery: Delivery::Whole,
        }
    }

    /// JSON.
    pub fn json(code: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(code, "application/json", body)
    }

    /// Kubernetes' protobuf, with its magic number already in `body`.
    pub fn protobuf(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "application/vnd.kubernetes.protobuf", body)
    }

    /// Plain text, as the API server's own limits and proxies answer.
    pub fn text(code: u16, body: &str) -> Self {
        Self::new(code, "text/plain; charset=utf-8", body)
    }

    /// A `metav1.Status` as JSON.
    pub fn status(code: u16, reason: &str, message: &str) -> Self {
        Self::status_with(code, reason, message, &serde_json::json!({}), &serde_json::json!({}))
    }

    /// The same with `metadata` (a `continue` token) and `details` (`retryAfterSeconds`).
    pub fn status_with(code: u16, reason: &str, message: &str, metadata: &serde_json::Value, details: &serde_json::Value) -> Self {
        let status = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": message, "reason": reason, "details": details, "code": code,
        });
        Self::json(code, status.to_string())
    }

    /// A redirect.
    pub fn redirect(code: u16, location: &str) -> Self {
        Self::text(code, "").header("Location", location)
    }

    /// Exactly these bytes, head included; then the connection is closed.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { framing: Framing::Raw, headers: Vec::new(), ..Self::new(0, "", bytes) }
    }

    /// Reads the request and cuts the connection.
    pub fn cut() -> Self {
        Self::raw([]).cut_after(0)
    }

    /// Reads the request and says nothing.
    pub fn hang() -> Self {
        Self::raw([]).hang_after(0)
    }

    /// Adds a header, or replaces one of the same name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a header out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// In chunks of so many bytes.
    pub fn chunked(mut self, bytes: usize) -> Self {
        self.framing = Framing::Chunked(bytes.max(1));
        self
    }

    /// Without a length: the body ends with the connection.
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self
    }

    /// Cuts the connection after so many bytes, head included.
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.delivery = Delivery::CutAfter(bytes);
        self
    }

    /// Cuts the connection before the last byte.
    pub fn truncated(self) -> Self {
        let all = self.bytes().len();
        self.cut_after(all.saturating_sub(1))
    }

    /// Says nothing more after so many bytes, head included.
    pub fn hang_after(mut self, bytes: usize) -> Self {
        self.delivery = Delivery::HangAfter(bytes);
        self
    }

    /// Sends the body byte by byte, a pause before each.
    pub fn drip(mut self, pause: Duration) -> Self {
        self.delivery = Delivery::Drip(pause);
        self
    }

    /// Sends the body so many times, as one: a long answer that takes no memory here.
    pub fn times(mut self, times: usize) -> Self {
        self.delivery = Delivery::Times(times);
        self
    }

    /// Waits for [`Fake::release`](super::Fake::release) before the first byte.
    pub fn held(mut self) -> Self {
        self.held = true;
        self
    }

    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Whether another request can follow on the connection.
    pub(super) fn keeps_alive(&self) -> bool {
        matches!(self.framing, Framing::Length | Framing::Chunked(_)) && !matches!(self.delivery, Delivery::CutAfter(_))
    }

    /// Bytes of the head.
    pub(super) fn head_length(&self) -> usize {
        self.head().len()
    }

    fn head(&self) -> Vec<u8> {
        use std::fmt::Write as _;
        if self.framing == Framing::Raw {
            return Vec::new();
        }
        // The reason phrase is free, and a client reads none.
        let mut head = format!("HTTP/1.1 {} -\r\n", self.code);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").expect("a string takes everything");
        }
        head.push_str(&match self.framing {
            Framing::Length if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) => {
                let times = if let Delivery::Times(times) = self.delivery { times } else { 1 };
                format!("Content-Length: {}\r\n\r\n", self.body.len() * times)
            }
            Framing::Length => "\r\n".to_owned(),
            Framing::Chunked(_) => "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
            Framing::UntilClose | Framing::Raw => "Connection: close\r\n\r\n".to_owned(),
        });
        head.into_bytes()
    }

    /// All of it, as it would be sent undisturbed.
    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.framed_body(), self.end().to_vec()].concat()
    }

    /// The body once, in its chunks if it has any.
    pub(super) fn framed_body(&self) -> Vec<u8> {
        let Framing::Chunked(length) = self.framing else { return self.body.clone() };
        let chunk = |chunk: &[u8]| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
        self.body.chunks(length).flat_map(chunk).collect()
    }

    /// What comes after the body.
    pub(super) fn end(&self) -> &'static [u8] {
        if matches!(self.framing, Framing::Chunked(_)) { b"0\r\n\r\n" } else { b"" }
    }
}
