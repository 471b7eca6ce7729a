//! Answers in the encoding that the request accepts: JSON, or Kubernetes' protobuf. A watch is told in JSON alone.

use bytes::Bytes;
use hyper::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use hyper::http::HeaderValue;
use hyper::{HeaderMap, Response, StatusCode};
use prost::Message;
use serde::Serialize;

use super::status::Status;
use super::watch::Watch;
use crate::kube::{Envelope, PROTOBUF_MAGIC};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Protobuf,
}

impl Encoding {
    /// The first media type of `Accept` that is offered; JSON where nothing is asked for. `q` is not read, as no client of the
    /// demo sends it. Clauses for another form of the object (`as=Table`) are passed over, as a server without that form does.
    pub(super) fn negotiate(headers: &HeaderMap) -> Result<Self, Status> {
        let mut clauses = headers.get_all(ACCEPT).iter().flat_map(|value| value.to_str().unwrap_or_default().split(',')).peekable();
        if clauses.peek().is_none() {
            return Ok(Self::Json);
        }
        clauses.find_map(Self::of_clause).ok_or_else(|| Status::not_acceptable(&format!("{JSON}, {PROTOBUF}")))
    }

    /// Whether a watch can be told: JSON has to be accepted, at whichever place.
    pub(super) fn negotiate_watch(headers: &HeaderMap) -> Result<(), Status> {
        let mut clauses = headers.get_all(ACCEPT).iter().flat_map(|value| value.to_str().unwrap_or_default().split(',')).peekable();
        let accepted = clauses.peek().is_none() || clauses.any(|clause| Self::of_clause(clause) == Some(Self::Json));
        if accepted { Ok(()) } else { Err(Status::not_acceptable(JSON)) }
    }

    fn of_clause(clause: &str) -> Option<Self> {
        let mut parts = clause.split(';').map(str::trim);
        let media_type = parts.next()?;
        if parts.any(|parameter| parameter.starts_with("as=")) {
            return None;
        }
        match media_type {
            JSON | "*/*" | "application/*" => Some(Self::Json),
            PROTOBUF => Some(Self::Protobuf),
            _ => None,
        }
    }
}

/// What is sent.
pub(super) enum Answer {
    Whole(Response<Bytes>),
    /// With the head of [`watch_head`].
    Watch(Watch),
}

/// An object with its type written in front.
pub(super) fn object<T: Message + Serialize>(encoding: Encoding, kind: &str, object: &T) -> Response<Bytes> {
    with_code(StatusCode::OK, encoding, kind, object)
}

/// A failure. It is told even to a client that accepts neither encoding.
pub(super) fn failure(headers: &HeaderMap, status: &Status) -> Response<Bytes> {
    with_code(status.status_code(), Encoding::negotiate(headers).unwrap_or(Encoding::Json), "Status", status)
}

/// JSON that has no other encoding here.
pub(super) fn json(code: StatusCode, value: &serde_json::Value) -> Response<Bytes> {
    body(code, JSON, Bytes::from(value.to_string()))
}

pub(super) fn text(text: &'static str) -> Response<Bytes> {
    body(StatusCode::OK, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

/// The head of a watch, and of its body nothing.
pub(super) fn watch_head() -> Response<()> {
    body(StatusCode::OK, JSON, ())
}

/// An object of the core group in JSON, its type in front.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Typed<'a, T> {
    kind: &'a str,
    api_version: &'a str,
    #[serde(flatten)]
    object: &'a T,
}

impl<'a, T> Typed<'a, T> {
    pub(super) fn new(kind: &'a str, object: &'a T) -> Self {
        Self { kind, api_version: "v1", object }
    }
}

fn with_code<T: Message + Serialize>(code: StatusCode, encoding: Encoding, kind: &str, object: &T) -> Response<Bytes> {
    match encoding {
        Encoding::Json => {
            let typed = Typed::new(kind, object);
            // Maps with text keys and times of this era: nothing that JSON lacks.
            body(code, JSON, Bytes::from(serde_json::to_vec(&typed).expect("demo objects are JSON")))
        }
        Encoding::Protobuf => {
            let mut envelope = Envelope { raw: object.encode_to_vec().into(), ..Envelope::default() };
            envelope.type_meta.api_version = "v1".into();
            envelope.type_meta.kind = kind.into();
            body(code, PROTOBUF, Bytes::from([PROTOBUF_MAGIC.as_slice(), &envelope.encode_to_vec()].concat()))
        }
    }
}

fn body<B>(code: StatusCode, content_type: &'static str, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_offered_encoding_is_taken() {
        for (accept, expected) in [
            (None, Some(Encoding::Json)),
            (Some("*/*"), Some(Encoding::Json)),
            (Some("application/json"), Some(Encoding::Json)),
            (Some("application/vnd.kubernetes.protobuf,application/json"), Some(Encoding::Protobuf)),
            (Some("application/json, application/vnd.kubernetes.protobuf"), Some(Encoding::Json)),
            (Some("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"), Some(Encoding::Json)),
            (Some("application/json;as=Table;v=v1;g=meta.k8s.io"), None),
            (Some("text/html"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(Encoding::negotiate(&headers).ok(), expected, "{accept:?}");
        }
    }
}
