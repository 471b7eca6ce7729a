//! The other end of the next connection.

/// Whom to connect to: the API server, or the proxy before it.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_proxy: bool,
}

impl Peer {
    /// Host and port, as in a URL.
    pub(super) fn address(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }
}
