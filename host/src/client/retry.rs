//! When to try again: pure arithmetic, no clock.
//!
//! Retried is what met a lost connection, 429, 500, 502, 503 or 504: GETs, and reviews, which change nothing. client-go retries the
//! statuses only with `Retry-After`, up to ten times and for however long that header says; here an attempt without it is retried too, the
//! number is smaller, and the caller's deadline bounds everything. A server that is away, and one that has only just come back, are another
//! matter, see `attempts.rs`; a certificate that is not to be trusted is told at once.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderValue;

/// Most attempts of one call, the first included. Four waits come to 0.75 s at most where the server asks for none: enough for a
/// connection that went stale and an API server behind a load balancer that is being replaced, and no more than five times the load
/// on one that is ill.
pub(super) const MAX_ATTEMPTS: u32 = 5;

/// The first wait, doubled with each attempt up to the second number. Arbitrary; the same magnitudes as in kube-rs's `RetryPolicy`.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// How long to wait after attempt number `attempt` (from 1). Half of the back-off is by chance, so that clients that failed together do
/// not come back together. Never sooner than the server `asked`.
pub(super) fn delay(attempt: u32, asked: Option<Duration>, random: u64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let backoff = FIRST_BACKOFF.saturating_mul(1 << doublings).min(MAX_BACKOFF);
    let half = backoff / 2;
    let jitter = Duration::from_micros(random % (micros(half) + 1));
    match asked {
        Some(asked) => asked.max(half).saturating_add(jitter),
        None => half + jitter,
    }
}

/// The seconds of a `Retry-After` header. The API server sends nothing else; a date or anything else is as good as no header. A number
/// beyond `u64` is the largest one: not soon.
pub(super) fn retry_after(value: &HeaderValue) -> Option<Duration> {
    let digits = value.as_bytes().trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX);
    Some(Duration::from_secs(seconds))
}

/// What one client may repeat unasked: as much as it is answered, so that a server which is ill gets at most a fifth more than it would
/// without (the retry throttling of gRPC, A6), and [`RetryBudget::MOST`] at first. Not of this are a call's first lost connection, and what is
/// asked of a server that has only just come back.
pub(super) struct RetryBudget(Mutex<u32>);

impl RetryBudget {
    /// One repetition, and what one answer adds to it.
    const ONE: u32 = 5;
    const ANSWER: u32 = 1;
    /// Two calls with all their attempts, and some; arbitrary.
    const MOST: u32 = 10 * Self::ONE;

    pub(super) fn succeeded(&self) {
        let mut left = self.left();
        *left = (*left + Self::ANSWER).min(Self::MOST);
    }

    /// Takes one, if there is one.
    pub(super) fn take(&self) -> bool {
        let mut left = self.left();
        let rest = left.checked_sub(Self::ONE);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }

    fn left(&self) -> MutexGuard<'_, u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self(Mutex::new(Self::MOST))
    }
}

/// Chance without a dependency: the standard library seeds its hasher from the system's random numbers.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_half_of_each_is_chance() {
        let bounds = |attempt| (delay(attempt, None, 0), delay(attempt, None, micros(MAX_BACKOFF)));
        let milliseconds = Duration::from_millis;
        assert_eq!(bounds(1).0, milliseconds(25));
        assert_eq!(bounds(2).0, milliseconds(50));
        assert_eq!(bounds(6).0, milliseconds(800));
        for attempt in [7, 8, 17, 18, u32::MAX] {
            assert_eq!(bounds(attempt).0, milliseconds(1000));
        }
        for attempt in 1..40 {
            for _ in 0..50 {
                let delay = delay(attempt, None, random());
                assert!(delay >= bounds(attempt).0 && delay <= bounds(attempt).0 * 2, "{attempt} {delay:?}");
            }
        }
    }

    #[test]
    fn what_is_repeated_unasked_is_a_fifth_of_what_is_answered() {
        let budget = RetryBudget::default();
        assert_eq!((0..100).filter(|_| budget.take()).count(), 10);
        for _ in 0..100 {
            budget.succeeded();
        }
        assert_eq!((0..100).filter(|_| budget.take()).count(), 10);
        let taken = (0..1000).filter(|_| {
            budget.succeeded();
            budget.take()
        });
        assert_eq!(taken.count(), 200);
    }

    #[test]
    fn the_servers_wish_is_never_cut_short() {
        for seconds in [0, 1, 7, 1 << 32, u64::MAX] {
            let asked = Duration::from_secs(seconds);
            assert!(delay(1, Some(asked), random()) >= asked);
        }
        assert!(delay(1, Some(Duration::ZERO), 0) > Duration::ZERO);
    }

    #[test]
    fn retry_after_is_whole_seconds() {
        for (value, seconds) in [
            ("0", Some(0)),
            ("1", Some(1)),
            (" 5 ", Some(5)),
            ("4294967296", Some(1 << 32)),
            ("9223372036854775808", Some(1 << 63)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", Some(u64::MAX)),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1, 2", None),
            ("", None),
            ("soon", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            let header = HeaderValue::from_str(value).unwrap();
            assert_eq!(retry_after(&header), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
