//! One call whose answer is read to its end.

use super::attempt::attempt;
use super::attempts::Attempts;
use super::{Ask, Call, Failure, Inner, Response};
use crate::kube::Request;

pub(super) async fn send(inner: &Inner, request: &Request, call: Call) -> Result<Response, Failure> {
    let ask = Ask { inner, request };
    let mut wire_bytes = 0;
    let mut attempts = Attempts::new(inner, ask, call.deadline);
    loop {
        let with = attempts.next().await?;
        let attempt = attempt(ask, &with.pool, &with.credential, call.max_bytes, &mut wire_bytes);
        if let Some(answer) = attempts.make(&with, attempt).await? {
            return Ok(Response { body: answer.body, wire_bytes, date: answer.date, credential: with.credential });
        }
    }
}
