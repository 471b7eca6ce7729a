//! Accepts clients until it is told to stop, as many as there are seats.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection;
use super::seats::Seats;
use super::stop::{self, Stop};

/// Wait after a failed `accept`, so that running out of file descriptors does not become a busy loop. Arbitrary.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Between two looks for a client that waits, while all of them have requests. Arbitrary.
const SEAT_RETRY: Duration = Duration::from_millis(50);

/// What a client is connected by.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where clients come in.
pub(crate) trait Door: Send + Sync + 'static {
    /// A client that was accepted and of whom nothing was read.
    type Arrived: Send + 'static;
    /// What is known of a client besides its requests.
    type Client: Clone + Send + Sync + 'static;

    /// The next one.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Arrived>> + Send;

    /// Does with a client what comes before its first request, such as a TLS handshake. Bounds its own time; others are not kept waiting.
    fn open(&self, arrived: Self::Arrived) -> impl Future<Output = io::Result<(Box<dyn Stream>, Self::Client)>> + Send;
}

/// For how many there is room, and how long they may take to leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Most clients at once, each with one request.
    pub(crate) clients: usize,
    /// How long a client may keep a connection without a request, and take for the head of one.
    pub(crate) idle: Duration,
    /// How long answers that are under way may take after the wish to end.
    pub(crate) grace: Duration,
}

/// Answers the clients of `door` until `stop`, and then for as long as `room` gives those that have asked. `answer` is told of the wish to
/// end.
pub(crate) async fn accept<D, A, F, B>(door: Arc<D>, room: Room, stop: impl Future<Output = ()>, answer: A)
where
    D: Door,
    A: Fn(Request<Incoming>, D::Client, Stop) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let (stopper, stopped) = stop::channel();
    let seats = Seats::default();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    'accept: loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = door.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        let arrived = match accepted {
            Ok(arrived) => arrived,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                // As where there are no more descriptors: who says nothing has one.
                seats.free_one();
                sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        while connections.len() >= room.clients {
            seats.free_one();
            tokio::select! {
                () = &mut stop => break 'accept,
                _ = connections.join_next() => {}
                () = sleep(SEAT_RETRY) => {}
            }
        }
        let (door, seat, stop, answer) = (Arc::clone(&door), seats.seat(), stopped.clone(), answer.clone());
        connections.spawn(async move {
            let opened = tokio::select! {
                opened = door.open(arrived) => opened,
                () = seat.left() => return,
            };
            // Who is in needs it no more: closed, it has to be.
            drop(door);
            let (stream, client) = match opened {
                Ok(opened) => opened,
                Err(error) => return tracing::debug!(%error, "a client did not come in"),
            };
            // On the heap, for as long as there is a request: most connections have none.
            let answer = |request| Box::pin(answer(request, client.clone(), stop.clone()));
            if let Err(error) = connection::serve(stream, seat, stop.clone(), room.idle, answer).await {
                tracing::debug!(%error, "a client's connection ended");
            }
        });
    }
    drop(door);
    stopper.stop();
    let _ = timeout(room.grace, async { while connections.join_next().await.is_some() {} }).await;
}
