//! One call whose answer is read line by line, for as long as it lasts: a watch.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout};

use super::attempt::begin;
use super::attempts::Attempts;
use super::{Ask, Client, Failure};
use crate::error::{Error, Kind};
use crate::kube::Request;

/// Longest line. etcd stores no request above 1.5 MiB (etcd `DefaultMaxRequestBytes`), and JSON is up to a few times as long.
const MAX_LINE_BYTES: usize = 4 << 20;

/// The lines of an answer, as they come. Dropped, it ends the request.
pub(crate) struct Lines {
    response: reqwest::Response,
    buffer: BytesMut,
    /// How much of the buffer has no end of a line.
    searched: usize,
    address: String,
}

impl Client {
    /// Sends `request`, and gives back its answer as soon as it begins well, which it has to by `deadline`. Retried like
    /// [`send`](Client::send) until then.
    pub(crate) async fn lines(&self, request: &Request, deadline: Instant) -> Result<Lines, Failure> {
        let ask = Ask::new(self, request);
        let mut attempts = Attempts::new(ask, deadline);
        loop {
            let with = attempts.next().await?;
            if let Some(response) = attempts.make(&with, begin(ask, &with.pool, &with.credential)).await? {
                let address = self.address().to_owned();
                return Ok(Lines { response, buffer: BytesMut::new(), searched: 0, address });
            }
        }
    }
}

impl Lines {
    /// The next line without its end; `None` after the last one. What comes after the last end of a line is no line. Silence longer than
    /// `silence` is an error for which [`Error::is_unavailable`] holds, as a broken connection is.
    pub(crate) async fn next(&mut self, silence: Duration) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer[self.searched..]) {
                let line = self.buffer.split_to(self.searched + end + 1).freeze();
                self.searched = 0;
                return Ok(Some(line.slice(..line.len() - 1)));
            }
            self.searched = self.buffer.len();
            if self.searched > MAX_LINE_BYTES {
                let message = format!("`{}` sends a change of more than {MAX_LINE_BYTES} bytes", self.address);
                return Err(Error::new(Kind::Server, message));
            }
            let lost = || Error::new(Kind::Unavailable, format!("the connection to `{}` was lost", self.address));
            match timeout(silence, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => self.buffer.extend_from_slice(&chunk),
                Ok(Ok(None)) => return Ok(None),
                // Without its cause: that would name the URL, and with it what was asked.
                Ok(Err(_)) => return Err(lost()),
                Err(_) => return Err(lost().because(std::io::Error::other(format!("it was silent for {} s", silence.as_secs())))),
            }
        }
    }
}
