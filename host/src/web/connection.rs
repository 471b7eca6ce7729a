//! One client's connection: HTTP/1.1 with bounds on everything that a client sends before it is understood.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::seats::{Busy, Seat};
use super::socket::Socket;
use super::stop::Stop;

/// Most bytes of a head, twice what the longest target that is served has, and most headers: browsers send about 20. Arbitrary.
const HEAD_MAX_BYTES: usize = 16 * 1024;
const HEAD_MAX_HEADERS: usize = 64;

/// Serves a connection to its end: the client's, that of the server, or until its seat is another's.
pub(crate) async fn serve<A, B>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    seat: Seat,
    stop: Stop,
    idle: Duration,
    answer: impl Fn(Request<Incoming>) -> A,
) -> hyper::Result<()>
where
    A: Future<Output = Response<B>>,
    B: Body + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let seat = Arc::new(seat);
    let service = service_fn(|request: Request<Incoming>| {
        let busy = seat.busy();
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await.map(|body| Held { body, _busy: busy })) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(idle).max_headers(HEAD_MAX_HEADERS).max_buf_size(HEAD_MAX_BYTES);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(Socket::new(stream)), service));
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = seat.left() => return Ok(()),
        () = stop.asked() => {}
    }
    if seat.waits() {
        return Ok(());
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// A body, and the seat that its client has until the last of it is read of. What of it is still on its way then, some KiB, is no longer
/// waited for when others need the seat or the server ends.
struct Held<B> {
    body: B,
    _busy: Busy,
}

impl<B: Body + Unpin> Body for Held<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
