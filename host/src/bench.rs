//! What `tests/bench/micro` measures alone and the API does not have. No part of the API: it may change or go at any time.
//!
//! A cargo feature of its own would have the tests build the whole host twice.

use bytes::Bytes;

use crate::error::{Error, Kind};
use crate::kube::{ReadPod, decode_list};

/// The pods of a page, from the body of the API server's answer.
///
/// # Errors
///
/// When it is none.
pub fn decode_page(body: &Bytes) -> Result<Vec<ReadPod>, Error> {
    let list = decode_list(body, false).map_err(|error| Error::new(Kind::Server, "the page cannot be read").because(error))?;
    Ok(list.pods)
}
