//! Bodies of answers: whole, or row by row as they come. And the reading of those of requests, within bounds.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::StatusCode;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::problem::Problem;
use crate::serve::runs::Answer;

/// How long the body of a request may take: so long, and as long as the longest that may come takes at so many bytes a second. Arbitrary.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
const BODY_BYTES_PER_SECOND: u32 = 256 * 1024;

/// How much of a whole answer is handed to hyper at once. Arbitrary.
const PIECE_BYTES: usize = 16 * 1024;

/// The body of an answer.
pub(crate) enum Body {
    /// What is left of it. hyper takes it piece by piece as it writes, so that it is known how much the client has.
    Whole {
        rest: Bytes,
        /// By when it has to be taken, where it is a run's.
        taken: Option<(Instant, Answer)>,
    },
    /// Pieces, as they come; complete when the other end says so, else the connection is broken off.
    Streamed {
        pieces: mpsc::Receiver<Piece>,
        /// Whether all that came was handed on, and the next answer is that it broke off.
        ends: bool,
    },
}

/// What a streamed body is made of.
#[derive(Debug)]
pub(crate) enum Piece {
    Bytes(Bytes),
    /// All has been sent.
    End,
}

/// The answer broke off. The client sees its connection end.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer broke off")
    }
}

impl std::error::Error for BrokenOff {}

impl Body {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole { rest: bytes.into(), taken: None }
    }

    /// The rows of a run, which hold a place among the tenant's answers until they are taken, and have to be by `deadline`.
    pub(super) fn rows(bytes: Bytes, deadline: Instant, answer: Answer) -> Self {
        Self::Whole { rest: bytes, taken: Some((deadline, answer)) }
    }

    pub(super) fn streamed(pieces: mpsc::Receiver<Piece>) -> Self {
        Self::Streamed { pieces, ends: false }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut *self {
            Self::Whole { rest, .. } if rest.is_empty() => Poll::Ready(None),
            Self::Whole { taken: Some((deadline, _)), .. } if Instant::now() > *deadline => Poll::Ready(Some(Err(BrokenOff))),
            Self::Whole { rest, .. } => {
                let piece = rest.split_to(rest.len().min(PIECE_BYTES));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Self::Streamed { pieces, ends } => match std::task::ready!(pieces.poll_recv(context)) {
                Some(Piece::Bytes(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Piece::End) => Poll::Ready(None),
                // hyper drops what it has not written yet with the connection: it has to come to write before it learns of this.
                None if !std::mem::replace(ends, true) => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                None => Poll::Ready(Some(Err(BrokenOff))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole { rest, .. } => rest.is_empty(),
            Self::Streamed { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole { rest, .. } => SizeHint::with_exact(rest.len() as u64),
            Self::Streamed { .. } => SizeHint::default(),
        }
    }
}

/// Reads the body of a request, at most so many bytes of it.
pub(super) async fn read(body: Incoming, max_bytes: usize) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body may have at most {max_bytes} bytes"));
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(too_large());
    }
    let most = Duration::from_secs(max_bytes as u64) / BODY_BYTES_PER_SECOND + BODY_TIMEOUT;
    match timeout(most, Limited::new(body, max_bytes).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::bad_request("the body did not come to its end")),
        Err(_) => {
            let slow = format!("the body has to be complete within {} s", most.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "bad_request", slow))
        }
    }
}
