//! One call: attempts until there is an answer, the attempts are used up, or the deadline comes.

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout_at};

use super::attempt::attempt;
use super::refusal::Refused;
use super::retry::{self, MAX_ATTEMPTS};
use super::{Ask, Call, Failure, Inner, Response};
use crate::config::Token;
use crate::error::{Error, Kind};
use crate::kube::Request;

pub(super) async fn send(inner: &Inner, request: &Request, call: Call) -> Result<Response, Failure> {
    let ask = Ask { config: &inner.config, request };
    let mut wire_bytes = 0;
    // The token of a second try after a 401. There is one such try.
    let mut replacement: Option<Arc<Token>> = None;
    let mut earlier: Option<Error> = None;
    let mut number = 1;
    loop {
        let one = async {
            let token = match &replacement {
                Some(token) => Some(Arc::clone(token)),
                None => inner.tokens.get().await,
            };
            let pool = inner.pool.get().await;
            let answer = attempt(ask, &pool, token.as_deref(), call.max_bytes, &mut wire_bytes).await;
            match (answer, token) {
                (Err(Refused::Unauthorized(error)), Some(token)) if replacement.is_none() => {
                    let other = inner.tokens.replace(&token).await;
                    (Err(Refused::Unauthorized(error)), other)
                }
                (answer, _) => (answer, None),
            }
        };
        let started = Instant::now();
        let Ok((answer, other_token)) = timeout_at(call.deadline, one).await else {
            return Err(Failure::Other(out_of_time(ask, earlier)));
        };
        let milliseconds = started.elapsed().as_millis();
        let refused = match answer {
            Ok(answer) => {
                tracing::debug!(request = %ask, number, milliseconds, bytes = answer.body.len(), "answered");
                return Ok(Response { body: answer.body, wire_bytes, date: answer.date });
            }
            Err(refused) => refused,
        };
        match (refused, other_token) {
            (Refused::Unauthorized(error), Some(token)) => {
                tracing::debug!(request = %ask, number, "unauthorized; trying the token that has come since");
                (earlier, replacement) = (Some(error), Some(token));
            }
            (Refused::Again { error, asked }, _) if ask.is_repeatable() && number < MAX_ATTEMPTS => {
                let delay = retry::delay(number, asked, retry::random());
                // Later than the deadline is never: say so now, with the time that the server asked for.
                if delay >= call.deadline.saturating_duration_since(Instant::now()) {
                    return Err(Failure::Other(error));
                }
                tracing::debug!(request = %ask, number, milliseconds, ?delay, "trying again after: {error}");
                earlier = Some(error);
                sleep(delay).await;
            }
            (Refused::Again { error, .. } | Refused::Unauthorized(error), _) => return Err(Failure::Other(error)),
            (Refused::Final(failure), _) => return Err(failure),
        }
        number += 1;
    }
}

fn out_of_time(ask: Ask<'_>, earlier: Option<Error>) -> Error {
    let error = Error::new(Kind::Unavailable, format!("`{}` gave no answer to {ask} in time", ask.address()));
    match earlier {
        Some(earlier) => error.because(earlier),
        None => error,
    }
}
