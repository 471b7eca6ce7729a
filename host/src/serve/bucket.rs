//! How often something may be done: a bucket of tokens, one for each time.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    /// Tokens that it gets in a second, and holds at most.
    per_second: f64,
    burst: f64,
    filled: Instant,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(per_second: f64, burst: f64, now: Instant) -> Self {
        Self { tokens: burst, per_second, burst, filled: now }
    }

    /// Changes what it gets and holds from now on.
    pub(crate) fn set(&mut self, per_second: f64, burst: f64, now: Instant) {
        self.tokens = self.tokens_at(now).min(burst);
        (self.per_second, self.burst, self.filled) = (per_second, burst, now);
    }

    /// Takes a token; else tells when there is one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        (self.tokens, self.filled) = (self.tokens_at(now), now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::try_from_secs_f64((1.0 - self.tokens) / self.per_second).unwrap_or(Duration::MAX))
    }

    /// Puts a token back that was not needed.
    pub(crate) fn put_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.burst);
    }

    /// Whether it is as a new one.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.tokens_at(now) >= self.burst
    }

    fn tokens_at(&self, now: Instant) -> f64 {
        (self.tokens + now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second).min(self.burst)
    }
}
