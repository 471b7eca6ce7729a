//! Bodies: what the proxy says itself, and what it hands on as it comes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::web::Stop;

/// Longest silence within a list or an object, as where `client` reads whole answers. A watch may be silent; whether the API server is
/// still there is asked by HTTP/2's pings then.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// The body of an answer.
pub(super) enum Body {
    /// Of the proxy's own.
    Whole(Full<Bytes>),
    /// The API server's. Nothing is read of it before the client has taken what was read before; dropped, it ends the request there.
    Relayed(Box<Relayed>),
}

/// A body on its way through. Of its frames only data is handed on: no trailers.
pub(super) struct Relayed {
    body: reqwest::Body,
    until: Until,
}

enum Until {
    Complete(Pace),
    Stopped {
        stop: Pin<Box<dyn Future<Output = ()> + Send>>,
        /// Whether what was handed on ends with a line, as an event does in JSON.
        at_line_end: bool,
        _place: Option<OwnedSemaphorePermit>,
    },
}

/// By when a body has to go on, and to end.
struct Pace {
    end: Instant,
    /// Set while the API server is waited for, at the earlier of `end` and [`IDLE_TIMEOUT`].
    silence: Option<Pin<Box<Sleep>>>,
}

/// What a watch is served with.
pub(super) struct Watching {
    /// Until when.
    pub(super) stop: Stop,
    /// Its place among the watches, for as long as it lasts.
    pub(super) place: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// What the proxy says itself.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self::Whole(bytes.into())
    }

    /// What the API server sends, which has to be complete by `end`.
    pub(super) fn relayed(body: reqwest::Body, end: Instant) -> Self {
        Self::Relayed(Box::new(Relayed { body, until: Until::Complete(Pace { end, silence: None }) }))
    }

    /// What the API server sends, for as long as it does and nobody asks to `stop`: then the body is complete if the last event is.
    pub(super) fn relayed_until(body: reqwest::Body, watching: Watching) -> Self {
        let Watching { stop, place } = watching;
        Self::Relayed(Box::new(Relayed {
            body,
            until: Until::Stopped { stop: Box::pin(stop.asked()), at_line_end: true, _place: place },
        }))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Whole(whole) => Pin::new(whole).poll_frame(context).map_err(|never| match never {}),
            Self::Relayed(relayed) => relayed.poll_frame(context).map_err(|error| {
                // The client is told by the end of its connection alone.
                tracing::warn!("{error}");
                error
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Relayed(relayed) => relayed.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Relayed(relayed) => relayed.body.size_hint(),
        }
    }
}

impl Relayed {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            let frame = Pin::new(&mut self.body).poll_frame(context);
            match &mut self.until {
                Until::Complete(pace) => {
                    if pace.poll_late(context, &frame).is_ready() {
                        return Poll::Ready(Some(Err(BodyError::Late)));
                    }
                }
                // What has come already is handed on first.
                Until::Stopped { stop, at_line_end, .. } if frame.is_pending() => {
                    if stop.as_mut().poll(context).is_ready() {
                        return Poll::Ready(if *at_line_end { None } else { Some(Err(BodyError::Stopped)) });
                    }
                }
                Until::Stopped { .. } => {}
            }
            match ready!(frame) {
                Some(Ok(frame)) => {
                    let Some(data) = frame.data_ref() else { continue };
                    if let (Until::Stopped { at_line_end, .. }, Some(last)) = (&mut self.until, data.last()) {
                        *at_line_end = *last == b'\n';
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
                // Its text could hold the URL.
                Some(Err(_)) => return Poll::Ready(Some(Err(BodyError::Lost))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Pace {
    /// Ready when the body is too slow: the API server's end of it, or the client's, which must not hold it for ever.
    fn poll_late<T>(&mut self, context: &mut Context<'_>, next: &Poll<Option<T>>) -> Poll<()> {
        match next {
            Poll::Ready(Some(_)) => {
                self.silence = None;
                if Instant::now() >= self.end { Poll::Ready(()) } else { Poll::Pending }
            }
            Poll::Ready(None) => Poll::Pending,
            Poll::Pending => {
                let end = self.end;
                self.silence
                    .get_or_insert_with(|| Box::pin(sleep_until(end.min(Instant::now() + IDLE_TIMEOUT))))
                    .as_mut()
                    .poll(context)
            }
        }
    }
}

/// Why a body was not handed on to its end. The client sees a connection that ends before the answer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    Lost,
    Late,
    /// The proxy ends, in the middle of an event.
    Stopped,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("the API server's answer broke off"),
            Self::Late => f.write_str("the API server's answer did not go on"),
            Self::Stopped => f.write_str("the proxy ends"),
        }
    }
}

impl std::error::Error for BodyError {}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::web::channel;

    /// Pieces of a body, each after some seconds.
    struct Script {
        piece: &'static [u8],
        pieces: VecDeque<u64>,
        wait: Option<Pin<Box<Sleep>>>,
    }

    impl HttpBody for Script {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
            let Some(seconds) = self.pieces.front().copied() else { return Poll::Ready(None) };
            let wait = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::from_secs(seconds))));
            ready!(wait.as_mut().poll(context));
            self.wait = None;
            self.pieces.pop_front();
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(self.piece)))))
        }
    }

    fn script(pieces: &[u64]) -> reqwest::Body {
        script_of(b"x", pieces)
    }

    fn script_of(piece: &'static [u8], pieces: &[u64]) -> reqwest::Body {
        reqwest::Body::wrap(Script { piece, pieces: pieces.iter().copied().collect(), wait: None })
    }

    /// How many bytes come, how it ends, and after how many seconds.
    async fn read(mut body: Body) -> (usize, Result<(), BodyError>, u64) {
        let (start, mut bytes) = (Instant::now(), 0);
        let ended = loop {
            match body.frame().await {
                Some(Ok(frame)) => bytes += frame.into_data().unwrap().len(),
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        (bytes, ended, start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_goes_on_and_ends() {
        let within = |pieces: &[u64]| Body::relayed(script(pieces), Instant::now() + Duration::from_secs(65));
        assert_eq!(read(within(&[])).await, (0, Ok(()), 0));
        assert_eq!(read(within(&[0, 9, 9])).await, (3, Ok(()), 18));
        assert_eq!(read(within(&[0, 11, 0])).await, (1, Err(BodyError::Late), 10));
        assert_eq!(read(within(&[9; 20])).await, (7, Err(BodyError::Late), 65));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_is_silent_as_long_as_it_likes() {
        let (_stopper, stop) = channel();
        assert_eq!(read(Body::relayed_until(script(&[3600, 3600]), Watching { stop, place: None })).await, (2, Ok(()), 7200));
        // Stopped after an event, or in one.
        for (piece, ended) in [(&b"\n"[..], Ok(())), (b"x", Err(BodyError::Stopped))] {
            let (stopper, stop) = channel();
            let stopping = async {
                tokio::time::sleep(Duration::from_secs(100)).await;
                stopper.stop();
            };
            let (read, ()) =
                tokio::join!(read(Body::relayed_until(script_of(piece, &[60, 60]), Watching { stop, place: None })), stopping);
            assert_eq!(read, (1, ended, 100));
        }
    }
}
