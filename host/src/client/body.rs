//! Reading a body: bounded in bytes and in time. Who receives it as it comes has nothing until it is complete.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout};

use crate::kube::DecodeError;

/// Longest silence within a body, and the length of the window that the rate is taken over. Arbitrary; an API server writes a page as
/// fast as the network takes it.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Fewest bytes of a window, 1 KiB a second: what a server that means to hold a call open for ever falls below. Arbitrary; a modem is
/// faster.
const WINDOW_MIN_BYTES: u64 = 10 * 1024;

/// Most bytes that are set aside on the word of a `Content-Length`.
const RESERVE_MAX_BYTES: u64 = 16 << 20;

/// Where a body comes from.
pub(super) trait Chunks {
    type Error;
    /// Bytes of the body by its header, where it says.
    fn told_bytes(&self) -> Option<u64>;
    /// Whether it shares its connection with others.
    fn is_multiplexed(&self) -> bool;
    /// The next piece; `None` after the last one. An incomplete body ends with an error.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;
}

impl Chunks for reqwest::Response {
    type Error = reqwest::Error;

    fn told_bytes(&self) -> Option<u64> {
        self.content_length()
    }

    fn is_multiplexed(&self) -> bool {
        self.version() == reqwest::Version::HTTP_2
    }

    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send {
        self.chunk()
    }
}

/// Who is given a body while it comes.
pub(crate) trait Receiver: Send {
    /// A body begins, of so many bytes, if that is told. What came before was of an attempt that failed. `multiplexed`: other requests need no
    /// connection of their own meanwhile.
    fn begin(&mut self, told_bytes: Option<u64>, multiplexed: bool);

    /// The next piece. An error ends the call.
    fn receive(&mut self, piece: &[u8]) -> Result<(), DecodeError>;
}

/// A body as a whole.
#[derive(Default)]
pub(super) struct Whole(BytesMut);

impl Whole {
    pub(super) fn into_bytes(self) -> Bytes {
        self.0.freeze()
    }
}

impl Receiver for Whole {
    fn begin(&mut self, told_bytes: Option<u64>, _: bool) {
        let reserve = told_bytes.unwrap_or(0).min(RESERVE_MAX_BYTES);
        self.0 = BytesMut::with_capacity(usize::try_from(reserve).unwrap_or(0));
    }

    fn receive(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        self.0.extend_from_slice(piece);
        Ok(())
    }
}

/// Why a body was not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyError<E> {
    Unreadable(DecodeError),
    TooLarge,
    Silent,
    Slow,
    Lost(E),
}

/// Reads a body of at most `max_bytes` for `receiver`, and counts what came over the wire, of a body that fails as well.
pub(super) async fn read<C: Chunks>(
    chunks: &mut C,
    max_bytes: u64,
    wire_bytes: &mut u64,
    receiver: &mut dyn Receiver,
) -> Result<(), BodyError<C::Error>> {
    let told = chunks.told_bytes();
    if told.is_some_and(|told| told > max_bytes) {
        return Err(BodyError::TooLarge);
    }
    receiver.begin(told, chunks.is_multiplexed());
    let mut left = max_bytes;
    let mut pace = Pace::new(Instant::now());
    loop {
        let chunk = timeout(IDLE_TIMEOUT, chunks.next()).await.map_err(|_| BodyError::Silent)?.map_err(BodyError::Lost)?;
        let Some(chunk) = chunk else { return Ok(()) };
        let length = chunk.len() as u64;
        *wire_bytes = wire_bytes.saturating_add(length);
        left = left.checked_sub(length).ok_or(BodyError::TooLarge)?;
        receiver.receive(&chunk).map_err(BodyError::Unreadable)?;
        if !pace.keeps(Instant::now(), length) {
            return Err(BodyError::Slow);
        }
    }
}

/// The same, as a whole.
pub(super) async fn read_whole<C: Chunks>(
    chunks: &mut C,
    max_bytes: u64,
    wire_bytes: &mut u64,
) -> Result<Bytes, BodyError<C::Error>> {
    let mut whole = Whole::default();
    read(chunks, max_bytes, wire_bytes, &mut whole).await?;
    Ok(whole.into_bytes())
}

/// The rate of a body, window by window.
struct Pace {
    since: Instant,
    bytes: u64,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { since: now, bytes: 0 }
    }

    /// Whether the body is fast enough, after `bytes` more at `now`.
    fn keeps(&mut self, now: Instant, bytes: u64) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        if now.duration_since(self.since) < IDLE_TIMEOUT {
            return true;
        }
        let enough = self.bytes >= WINDOW_MIN_BYTES;
        *self = Self::new(now);
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Pieces, each after a time.
    struct Script {
        told: Option<u64>,
        pieces: VecDeque<(Duration, Result<Option<usize>, ()>)>,
    }

    impl Chunks for Script {
        type Error = ();

        fn told_bytes(&self) -> Option<u64> {
            self.told
        }

        fn is_multiplexed(&self) -> bool {
            false
        }

        async fn next(&mut self) -> Result<Option<Bytes>, ()> {
            let (after, piece) = self.pieces.pop_front().unwrap_or((Duration::ZERO, Ok(None)));
            tokio::time::sleep(after).await;
            piece.map(|piece| piece.map(|length| vec![b'x'; length].into()))
        }
    }

    async fn check(
        told: Option<u64>,
        pieces: &[(f64, Result<Option<usize>, ()>)],
        max_bytes: u64,
    ) -> (Result<usize, BodyError<()>>, u64, u64) {
        let pieces = pieces.iter().map(|(after, piece)| (Duration::from_secs_f64(*after), *piece)).collect();
        let (start, mut wire) = (Instant::now(), 0);
        let body = read_whole(&mut Script { told, pieces }, max_bytes, &mut wire).await;
        (body.map(|body| body.len()), wire, start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_bounded_in_bytes() {
        assert_eq!(check(None, &[], 0).await, (Ok(0), 0, 0));
        assert_eq!(check(Some(10), &[(0.0, Ok(Some(4))), (0.0, Ok(Some(6)))], 10).await, (Ok(10), 10, 0));
        assert_eq!(check(None, &[(0.0, Ok(Some(4))), (0.0, Ok(Some(7)))], 10).await, (Err(BodyError::TooLarge), 11, 0));
        // Not a byte is read of what tells its size.
        assert_eq!(check(Some(11), &[(0.0, Ok(Some(11)))], 10).await, (Err(BodyError::TooLarge), 0, 0));
        assert_eq!(check(Some(u64::MAX), &[], 10).await, (Err(BodyError::TooLarge), 0, 0));
        assert_eq!(check(None, &[(0.0, Ok(Some(4))), (0.0, Err(()))], 10).await, (Err(BodyError::Lost(())), 4, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_bounded_in_time() {
        assert_eq!(check(None, &[(11.0, Ok(Some(1)))], 10).await, (Err(BodyError::Silent), 0, 10));
        assert_eq!(check(None, &[(9.0, Ok(Some(1))), (11.0, Ok(None))], 10).await, (Err(BodyError::Silent), 1, 19));
        // A byte a second ends after one window.
        assert_eq!(check(None, &[(1.0, Ok(Some(1))); 1000], 10_000).await, (Err(BodyError::Slow), 10, 10));
        // 1 KiB a second goes on, and a short body may be slow.
        assert_eq!(check(None, &[(1.0, Ok(Some(1024))); 100], 1 << 20).await, (Ok(102_400), 102_400, 100));
        assert_eq!(check(None, &[(4.0, Ok(Some(1))), (4.0, Ok(Some(1)))], 10).await, (Ok(2), 2, 8));
    }
}
