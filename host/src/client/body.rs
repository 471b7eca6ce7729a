//! Reading a body: bounded in bytes and in time, whole or not at all.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout};

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
    /// The next piece; `None` after the last one. An incomplete body ends with an error.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;
}

impl Chunks for reqwest::Response {
    type Error = reqwest::Error;

    fn told_bytes(&self) -> Option<u64> {
        self.content_length()
    }

    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send {
        self.chunk()
    }
}

/// Why a body was not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyError<E> {
    TooLarge,
    Silent,
    Slow,
    Lost(E),
}

/// Reads a body of at most `max_bytes`, and counts what came over the wire, of a body that fails as well.
pub(super) async fn read<C: Chunks>(chunks: &mut C, max_bytes: u64, wire_bytes: &mut u64) -> Result<Bytes, BodyError<C::Error>> {
    let told = chunks.told_bytes().unwrap_or(0);
    if told > max_bytes {
        return Err(BodyError::TooLarge);
    }
    let reserve = usize::try_from(told.min(RESERVE_MAX_BYTES)).unwrap_or(0);
    let mut body = BytesMut::with_capacity(reserve);
    let mut pace = Pace::new(Instant::now());
    loop {
        let chunk = timeout(IDLE_TIMEOUT, chunks.next()).await.map_err(|_| BodyError::Silent)?.map_err(BodyError::Lost)?;
        let Some(chunk) = chunk else { return Ok(body.freeze()) };
        *wire_bytes = wire_bytes.saturating_add(chunk.len() as u64);
        if (body.len() as u64).saturating_add(chunk.len() as u64) > max_bytes {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
        if !pace.keeps(Instant::now(), chunk.len() as u64) {
            return Err(BodyError::Slow);
        }
    }
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
        let body = read(&mut Script { told, pieces }, max_bytes, &mut wire).await;
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
