//! What `tests/bench/micro` measures alone and the API does not have. No part of the API: it may change or go at any time.
//!
//! A cargo feature of its own would have the tests build the whole host twice.

use crate::error::{Error, Kind};
use crate::kube::{DecodeError, Detail, ListDecoder, ReadPod};
use crate::runtime::Query;

/// The pods of a page, from the body of the API server's answer.
///
/// # Errors
///
/// When it is none.
pub fn decode_page(body: &[u8]) -> Result<Vec<ReadPod>, Error> {
    let unreadable = |error: DecodeError| Error::new(Kind::Server, "the page cannot be read").because(error);
    let mut list = ListDecoder::new(Detail::Fields);
    // As it comes over HTTP/2.
    for piece in body.chunks(16 << 10) {
        list.push(piece).map_err(unreadable)?;
    }
    Ok(list.finish().map_err(unreadable)?.pods)
}

/// An instance of a query, made as each run makes its own, and dropped.
///
/// # Errors
///
/// When it cannot be made.
pub async fn instantiate(query: &Query) -> Result<(), Error> {
    query.instantiate().await
}
