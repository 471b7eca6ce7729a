//! One call whose answer is read to its end.

use super::attempt::attempt;
use super::attempts::Attempts;
use super::body::{Receiver, Whole};
use super::{Ask, Call, Failure, Inner, Response};
use crate::kube::Request;

pub(super) async fn send(inner: &Inner, request: &Request, call: Call) -> Result<Response, Failure> {
    let mut whole = Whole::default();
    let Response { body: (), wire_bytes, date, credential } = receive(inner, request, call, &mut whole).await?;
    Ok(Response { body: whole.into_bytes(), wire_bytes, date, credential })
}

pub(super) async fn receive(
    inner: &Inner,
    request: &Request,
    call: Call,
    receiver: &mut dyn Receiver,
) -> Result<Response<()>, Failure> {
    let ask = Ask { inner, request };
    let mut wire_bytes = 0;
    let mut attempts = Attempts::new(inner, ask, call.deadline);
    loop {
        let with = attempts.next().await?;
        let attempt = attempt(ask, &with.pool, &with.credential, call.max_bytes, &mut wire_bytes, receiver);
        if let Some(date) = attempts.make(&with, attempt).await? {
            return Ok(Response { body: (), wire_bytes, date, credential: with.credential });
        }
    }
}
