//! One call: attempts until there is an answer, the attempts are used up, or the deadline comes. Which failure is followed by another
//! attempt, with what, and when, is decided here and nowhere else. Every request may be sent again: there is none that changes anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::credential::Credential;
use super::pool::Pool;
use super::presence::STARTING;
use super::refusal::Refused;
use super::retry::{self, MAX_ATTEMPTS};
use super::{Ask, Failure, Inner};
use crate::error::{Error, Kind};

/// What a call has tried so far.
pub(super) struct Attempts<'a> {
    inner: &'a Inner,
    ask: Ask<'a>,
    /// When the answer has to be complete; later by what a credential plugin needed.
    deadline: Instant,
    /// How much longer a credential plugin may move it.
    patience: Duration,
    /// Connections that were lost, and answers that may be better the next time.
    failed: u32,
    /// Connections that did not come about, and what a server did that had only just come back.
    waited: u32,
    /// Whether a connection ended while it was to answer.
    was_lost: bool,
    /// Since when it is asked again because it may have only just come back.
    given_time: Option<Instant>,
    /// Whether another credential was looked for after a 401, which happens once, and what was found.
    looked_for_another: bool,
    another: Option<Credential>,
    /// Whether authority and client certificate were read again, since the server or the client was not trusted. Once, too.
    read_again: bool,
    /// What the last attempt ended with.
    earlier: Option<Error>,
}

/// One attempt's.
pub(super) struct Try {
    pub(super) pool: Arc<Pool>,
    pub(super) credential: Credential,
    started: Instant,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(ask: Ask<'a>, deadline: Instant) -> Self {
        let inner = ask.inner;
        Self {
            inner,
            ask,
            deadline: inner.bounded(deadline),
            patience: inner.source.patience(),
            failed: 0,
            waited: 0,
            was_lost: false,
            given_time: None,
            looked_for_another: false,
            another: None,
            read_again: false,
            earlier: None,
        }
    }

    #[cfg(feature = "cli")]
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What the next attempt is made with.
    pub(super) async fn next(&mut self) -> Result<Try, Failure> {
        let credential = self.credential().await?;
        let started = Instant::now();
        let pool = self.in_time(self.inner.pools.get(&credential)).await?;
        Ok(Try { pool, credential, started })
    }

    /// Makes the attempt, as long as there is time. What it answers ends the call; `None` asks for another.
    pub(super) async fn make<T>(
        &mut self,
        with: &Try,
        attempt: impl Future<Output = Result<T, Refused>>,
    ) -> Result<Option<T>, Failure> {
        let answer = match with.pool.shows(&with.credential) {
            true => self.in_time(attempt).await?,
            false => Err(cannot_show(self.ask)),
        };
        let (request, number, milliseconds) = (self.ask, self.failed + self.waited + 1, with.started.elapsed().as_millis());
        let refused = match answer {
            Ok(answer) => {
                tracing::debug!(%request, number, milliseconds, "answered");
                self.inner.retries.succeeded();
                return Ok(Some(answer));
            }
            Err(refused) => refused,
        };
        if self.has_another(&refused, with).await {
            tracing::debug!(%request, number, "refused; trying with the files as they are now");
            return Ok(None);
        }
        let (error, delay) = self.after(refused)?;
        tracing::debug!(%request, number, milliseconds, ?delay, "trying again after: {error}");
        self.earlier = Some(error);
        sleep(delay).await;
        Ok(None)
    }

    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        timeout_at(self.deadline, work).await.map_err(|_| Failure::Other(self.out_of_time()))
    }

    /// The credential of the moment. What a plugin needed for it is not the API server's time, and moves the deadline.
    async fn credential(&mut self) -> Result<Credential, Failure> {
        if let Some(another) = &self.another {
            return Ok(another.clone());
        }
        let got = self.patiently(self.inner.source.get()).await;
        got.unwrap_or_else(|| Err(self.out_of_time())).map_err(Failure::Other)
    }

    /// Whether files, or a plugin, have by now what a server that does not know us, or whom we do not know, may accept.
    async fn has_another(&mut self, refused: &Refused, with: &Try) -> bool {
        if let Refused::Unauthorized(error) = refused
            && !self.looked_for_another
        {
            self.looked_for_another = true;
            self.another = self.patiently(self.inner.source.replace(&with.credential)).await.flatten();
            self.earlier = Some(error.clone());
            if self.another.is_some() {
                return true;
            }
        }
        // A certificate of the client that has ended is a 401, too.
        if let Refused::Unauthorized(error) | Refused::Untrusted(error) = refused
            && !self.read_again
        {
            self.read_again = true;
            self.earlier = Some(error.clone());
            return self.inner.pools.read_again(&with.pool).await;
        }
        false
    }

    /// Waits for a credential, for longer than the deadline allows if a plugin asks for it.
    async fn patiently<T>(&mut self, credential: impl Future<Output = T>) -> Option<T> {
        let started = Instant::now();
        let got = timeout_at(self.deadline + self.patience, credential).await;
        let taken = started.elapsed().min(self.patience);
        self.deadline += taken;
        self.patience -= taken;
        got.ok()
    }

    /// How long to wait before the next attempt, and the error that it is hoped to do better than. `Err` where there is none.
    ///
    /// An API server that nobody can reach may be a slip in the address, and is told at once. One that has answered before is being
    /// replaced, or its network is: that is waited for until the deadline, and nothing was sent to it, so that any request may be repeated.
    /// What goes wrong with it when it has only just come back is asked again, too, for as long as one call may take that to be the reason.
    ///
    /// A connection that ends takes with it all that was asked on it, however much that is: the clients' part in it is none, and each call
    /// has its first repetition of that free.
    fn after(&mut self, refused: Refused) -> Result<(Error, Duration), Failure> {
        let (error, delay) = match refused {
            Refused::Down(error) | Refused::Cut(error) if self.inner.presence.was_away() => (error, self.wait(None)),
            Refused::Unauthorized(error) | Refused::Forbidden(error) | Refused::Lost(error) if self.gives_time() => {
                (error, self.wait(None))
            }
            Refused::Again { error, asked } if self.gives_time() => (error, self.wait(asked)),
            // One that names a time has room by then.
            Refused::Again { error, asked } if self.may_repeat(asked.is_some()) => (error, self.fail(asked)),
            Refused::Lost(error) if self.may_repeat_lost() => (error, self.fail(None)),
            Refused::Cut(error) if self.may_repeat(false) => (error, self.fail(None)),
            Refused::Again { error, .. }
            | Refused::Cut(error)
            | Refused::Down(error)
            | Refused::Lost(error)
            | Refused::Unauthorized(error)
            | Refused::Forbidden(error)
            | Refused::Untrusted(error) => return Err(Failure::Other(error)),
            Refused::Final(failure) => return Err(failure),
        };
        // Later than the deadline is never: say so now, with the time that the server asked for.
        if delay >= self.deadline.saturating_duration_since(Instant::now()) {
            return Err(Failure::Other(error));
        }
        Ok((error, delay))
    }

    /// Whether the request may be sent again to a server that got it. It may be ill, and of that the clients together must not make more,
    /// unless the repetition `is_free`.
    fn may_repeat(&self, is_free: bool) -> bool {
        self.failed + 1 < MAX_ATTEMPTS && (is_free || self.inner.retries.take())
    }

    fn may_repeat_lost(&mut self) -> bool {
        let is_first = !std::mem::replace(&mut self.was_lost, true);
        self.may_repeat(is_first)
    }

    /// Whether the server may have only just come back. One that seems to for ever is ill, and asked no more often than that allows.
    fn gives_time(&mut self) -> bool {
        self.inner.presence.is_starting() && self.given_time.get_or_insert_with(Instant::now).elapsed() < STARTING
    }

    fn fail(&mut self, asked: Option<Duration>) -> Duration {
        self.failed += 1;
        retry::delay(self.failed, asked, retry::random())
    }

    fn wait(&mut self, asked: Option<Duration>) -> Duration {
        self.waited += 1;
        retry::delay(self.waited, asked, retry::random())
    }

    fn out_of_time(&self) -> Error {
        let ask = self.ask;
        let error = Error::new(Kind::Unavailable, format!("`{}` gave no answer to {ask} in time", ask.address()));
        match &self.earlier {
            Some(earlier) => error.because(earlier.clone()),
            None => error,
        }
    }
}

/// A credential with a client certificate, and no connection that shows it: what is sent would be answered as somebody else's.
fn cannot_show(ask: Ask<'_>) -> Refused {
    let message = format!("{ask} is not sent: the client certificate that the credential plugin gave cannot be shown");
    Refused::Again { error: Error::new(Kind::Configuration, message), asked: None }
}
