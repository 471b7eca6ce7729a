//! One call whose answer is read to its end.

use super::attempt::attempt;
use super::attempts::Attempts;
use super::body::{Receiver, Whole};
use super::{Ask, Call, Client, Failure, Response};
use crate::kube::Request;

pub(super) async fn send(client: &Client, request: &Request, call: Call) -> Result<Response, Failure> {
    let mut whole = Whole::default();
    let Response { body: (), wire_bytes, date, credential } = receive(client, request, call, &mut whole).await?;
    Ok(Response { body: whole.into_bytes(), wire_bytes, date, credential })
}

pub(super) async fn receive(
    client: &Client,
    request: &Request,
    call: Call,
    receiver: &mut dyn Receiver,
) -> Result<Response<()>, Failure> {
    let ask = Ask::new(client, request);
    let mut wire_bytes = 0;
    let mut attempts = Attempts::new(ask, call.deadline);
    loop {
        let with = attempts.next().await?;
        let attempt = attempt(ask, &with.pool, &with.credential, call.max_bytes, &mut wire_bytes, receiver);
        if let Some(date) = attempts.make(&with, attempt).await? {
            return Ok(Response { body: (), wire_bytes, date, credential: with.credential });
        }
    }
}
