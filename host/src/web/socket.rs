//! A client's socket: what comes over it is looked at before hyper reads it, and a client that takes nothing for long is left.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::heads::{Ambiguous, Heads};

/// How long a client may take nothing of what is there for it. Arbitrary: a person who looks at a list in a pager reads on, or fetches it
/// again; and what waits for a client holds buffers here and at the API server.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection to a client.
pub(crate) struct Socket<S> {
    stream: S,
    heads: Heads,
    /// Set while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Socket<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, heads: Heads::default(), stalled: None }
    }

    /// A write's result, or the end of the wait for one.
    fn or_stalled<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL_TIMEOUT)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        match self.heads.take(&buffer.filled()[before..]) {
            Ok(()) => read,
            Err(Ambiguous) => Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.or_stalled(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.or_stalled(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_left() {
        let (client, server) = duplex(8);
        let mut socket = Socket::new(server);
        let start = Instant::now();
        let error = socket.write_all(&[b'x'; 64]).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed()), (io::ErrorKind::TimedOut, STALL_TIMEOUT));
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_is_not() {
        let (mut client, server) = duplex(8);
        let mut socket = Socket::new(server);
        let slow = async {
            for _ in 0..8 {
                tokio::time::sleep(STALL_TIMEOUT - Duration::from_secs(1)).await;
                client.read_exact(&mut [0; 8]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(socket.write_all(&[b'x'; 64]), slow);
        written.unwrap();
    }

    #[tokio::test]
    async fn what_is_ambiguous_is_not_read() {
        let (mut client, server) = duplex(64);
        let mut socket = Socket::new(server);
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        assert_eq!(socket.read(&mut [0; 64]).await.unwrap(), 16);
        client.write_all(b"Host: a\n").await.unwrap();
        assert_eq!(socket.read(&mut [0; 64]).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
