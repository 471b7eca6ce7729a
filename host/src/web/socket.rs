//! A client's socket: what comes over it is looked at before hyper reads it, a client that takes nothing for long is left, and one that is
//! answered before all of its request was read can still read the answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::heads::{Ambiguous, Heads};

/// How long a client may take nothing of what is there for it. Arbitrary: a person who looks at a list in a pager reads on, or fetches it
/// again; and what waits for a client holds buffers here and at the API server.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client that was answered before all of its request was read may send nothing of the rest, and take for all of it: nginx'
/// `lingering_timeout` and `lingering_time`.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);
const LINGER_TIME: Duration = Duration::from_secs(30);

/// A connection to a client.
pub(crate) struct Socket<S> {
    stream: S,
    heads: Heads,
    /// Set while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Set when nothing more is sent to the client: until when it is waited for, unless it sends, and at the longest.
    lingers: Option<(Pin<Box<Sleep>>, Instant)>,
}

impl<S> Socket<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, heads: Heads::default(), stalled: None, lingers: None }
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

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
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

    /// Says that nothing more comes. After a request with a body, which may not have been read, takes and forgets what the client sends until
    /// it has read that: a socket that is closed over bytes that nobody read is reset, and what the client has not read of the answer is lost
    /// (RFC 9112 section 9.6).
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, heads, lingers, .. } = &mut *self;
        let (lingers, last) = match lingers {
            Some(lingers) => lingers,
            None => {
                ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
                if !heads.announced_body() {
                    return Poll::Ready(Ok(()));
                }
                lingers.insert((Box::pin(sleep(LINGER_TIMEOUT)), Instant::now() + LINGER_TIME))
            }
        };
        let mut bytes = [0; 4096];
        while lingers.as_mut().poll(context).is_pending() {
            let mut forgotten = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut *stream).poll_read(context, &mut forgotten)) {
                Ok(()) if !forgotten.filled().is_empty() => {
                    lingers.as_mut().reset((Instant::now() + LINGER_TIMEOUT).min(*last));
                }
                // It has gone.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

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

    /// A socket that has read a head, and its client.
    async fn after_head(head: &[u8]) -> (DuplexStream, Socket<DuplexStream>) {
        let (mut client, server) = duplex(64);
        let mut socket = Socket::new(server);
        client.write_all(head).await.unwrap();
        socket.read_exact(&mut vec![0; head.len()]).await.unwrap();
        (client, socket)
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_still_sends_is_taken_until_it_goes_or_for_so_long() {
        for (pause, pieces, goes, expected) in [
            (Duration::ZERO, 8, true, Duration::ZERO),
            (Duration::ZERO, 8, false, LINGER_TIMEOUT),
            (LINGER_TIMEOUT - Duration::from_secs(1), 3, true, 3 * (LINGER_TIMEOUT - Duration::from_secs(1))),
            (Duration::from_secs(1), 60, false, LINGER_TIME),
        ] {
            let (mut client, mut socket) = after_head(b"PUT / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n").await;
            let began = Instant::now();
            let sends = async {
                // The end of what is sent to it comes at once.
                assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
                for _ in 0..pieces {
                    tokio::time::sleep(pause).await;
                    client.write_all(&[b'x'; 100]).await.unwrap();
                }
                if goes { drop(client) } else { std::future::pending().await }
            };
            tokio::select! {
                closed = socket.shutdown() => closed.unwrap(),
                () = async { sends.await; std::future::pending().await } => {}
            }
            assert_eq!(began.elapsed(), expected, "{pause:?} {pieces} {goes}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_sent_no_body_is_not_waited_for() {
        let (client, mut socket) = after_head(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let start = Instant::now();
        socket.shutdown().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        drop(client);
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
