//! `metav1.Status`: how the API server says no.

use super::pod::{Envelope, ListMeta, PROTOBUF_MAGIC};
use prost::Message;

/// What the API server said with a failure, as far as podlens uses it.
///
/// Its message is for the operator and the log. It never reaches a guest.
#[derive(Clone, PartialEq, prost::Message, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null_is_default")]
    metadata: ListMeta,
    /// A sentence, such as `pods is forbidden: User "…" cannot list resource "pods" …`.
    #[prost(string, tag = "3")]
    pub(crate) message: String,
    /// A word, such as `Forbidden` or `Expired`.
    #[prost(string, tag = "4")]
    pub(crate) reason: String,
    #[prost(message, required, tag = "5")]
    #[serde(deserialize_with = "null_is_default")]
    details: StatusDetails,
}

#[derive(Clone, PartialEq, prost::Message, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatusDetails {
    #[prost(uint32, tag = "5")]
    retry_after_seconds: u32,
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de> + Default,
{
    use serde::Deserialize;
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl Status {
    /// Reads a failure's body, whatever its encoding. A body that is no Status (a proxy's page, plain text of the API server's
    /// own limits) gives an empty one: the HTTP status then speaks alone, and the body is never shown.
    pub(crate) fn decode(body: &[u8]) -> Self {
        if let Some(envelope) = body.strip_prefix(PROTOBUF_MAGIC) {
            return Envelope::decode(envelope)
                .ok()
                .filter(|envelope| envelope.type_meta.kind == "Status")
                .and_then(|envelope| Self::decode_raw(&envelope))
                .unwrap_or_default();
        }
        #[derive(serde::Deserialize)]
        struct Kind<'a> {
            #[serde(borrow)]
            kind: std::borrow::Cow<'a, str>,
        }
        match serde_json::from_slice::<Kind<'_>>(body) {
            Ok(Kind { kind }) if kind == "Status" => serde_json::from_slice(body).unwrap_or_default(),
            _ => Self::default(),
        }
    }

    fn decode_raw(envelope: &Envelope) -> Option<Self> {
        <Self as Message>::decode(envelope.raw.clone()).ok()
    }

    /// The token to go on with after an expired one, where the server gives it with a 410: the rest of the list, no longer of the
    /// same moment (apiserver `storage/etcd3/errors.go`, "inconsistent continuation").
    pub(crate) fn fresh_continue_token(&self) -> Option<super::ContinueToken> {
        super::ContinueToken::new(&self.metadata.continue_token)
    }

    /// Seconds to wait before trying again, where the server says.
    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        Some(self.details.retry_after_seconds).filter(|seconds| *seconds > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_answer_is_read_from_json() {
        let status = Status::decode(
            br#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden","reason":"Forbidden","details":{"kind":"pods"},"code":403}"#,
        );
        assert_eq!((status.reason.as_str(), status.message.as_str()), ("Forbidden", "pods is forbidden"));
        assert_eq!(status.fresh_continue_token(), None);
    }

    #[test]
    fn an_expired_answer_gives_the_token_to_go_on_with() {
        let json = br#"{"kind":"Status","metadata":{"continue":"fresh"},"reason":"Expired","details":null,"code":410}"#;
        assert_eq!(Status::decode(json).fresh_continue_token().map(|token| token.as_str().to_owned()), Some("fresh".into()));
    }

    #[test]
    fn protobuf_says_the_same() {
        let status = Status {
            metadata: ListMeta { continue_token: "fresh".into(), ..ListMeta::default() },
            message: "slow down".into(),
            reason: "TooManyRequests".into(),
            details: StatusDetails { retry_after_seconds: 7 },
        };
        let envelope = Envelope {
            type_meta: super::super::pod::TypeMeta { api_version: "v1".into(), kind: "Status".into() },
            raw: status.encode_to_vec().into(),
            ..Envelope::default()
        };
        let body = [PROTOBUF_MAGIC.as_slice(), &envelope.encode_to_vec()].concat();
        assert_eq!(Status::decode(&body), status);
        assert_eq!(status.retry_after_seconds(), Some(7));
    }

    #[test]
    fn anything_else_is_an_empty_status() {
        for body in [&b""[..], b"Too many requests", b"<html>", b"{\"kind\":\"PodList\"}", b"k8s\0garbage", b"{", b"[]", b"null"] {
            assert_eq!(Status::decode(body), Status::default());
        }
    }
}
