//! One line of a watch: what happened to which pod.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::decode::json_pod;
use super::{DecodeError, ReadPod};

/// Most memory that a pod may take, by [`ReadPod::size_bytes`]. Those met in practice take some 5 KB; a hostile line of empty items takes a
/// hundred times its length.
const MAX_POD_BYTES: usize = 16 << 20;

/// What happened, as a watch tells it.
#[derive(Clone, Debug)]
pub(crate) enum WatchEvent {
    /// The pod is there, new or changed.
    Present(ReadPod),
    /// The pod is gone, or no longer selected.
    Gone(ReadPod),
    /// Nothing, up to this resource version.
    Bookmark(String),
    /// The server no longer knows what came after the resource version that was asked for.
    Expired,
    /// The server ends the watch for another reason, which its Status has in a word.
    Failed(String),
}

impl WatchEvent {
    /// Reads a line. `objects`: keep the pod's JSON.
    pub(crate) fn decode(line: &[u8], objects: bool) -> Result<Self, DecodeError> {
        #[derive(serde::Deserialize)]
        struct Event<'a> {
            #[serde(borrow, rename = "type")]
            kind: Cow<'a, str>,
            #[serde(borrow)]
            object: &'a RawValue,
        }
        #[derive(serde::Deserialize)]
        struct Failure {
            #[serde(default)]
            code: u16,
            #[serde(default)]
            reason: String,
        }
        let malformed = || DecodeError::malformed("WatchEvent");
        let event: Event<'_> = serde_json::from_slice(line).map_err(|_| malformed())?;
        let present = |pod: ReadPod| if pod.size_bytes() > MAX_POD_BYTES { Err(malformed()) } else { Ok(Self::Present(pod)) };
        match &*event.kind {
            "ADDED" | "MODIFIED" => present(json_pod(event.object, objects)?),
            "DELETED" => Ok(Self::Gone(json_pod(event.object, false)?)),
            "BOOKMARK" => Ok(Self::Bookmark(json_pod(event.object, false)?.metadata().resource_version)),
            "ERROR" => {
                let Failure { code, reason } = serde_json::from_str(event.object.get()).map_err(|_| malformed())?;
                Ok(if code == 410 || matches!(reason.as_str(), "Expired" | "Gone") { Self::Expired } else { Self::Failed(reason) })
            }
            _ => Err(malformed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_is_read() {
        let pod =
            r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"shop","resourceVersion":"7"},"spec":{"x":1}}"#;
        let decode =
            |kind: &str, object: &str| WatchEvent::decode(format!(r#"{{"type":"{kind}","object":{object}}}"#).as_bytes(), true);
        for kind in ["ADDED", "MODIFIED"] {
            let Ok(WatchEvent::Present(read)) = decode(kind, pod) else { panic!("{kind}") };
            assert_eq!((read.name(), read.object()), ("a", Some(pod)));
        }
        assert!(matches!(decode("DELETED", pod), Ok(WatchEvent::Gone(read)) if read.namespace() == "shop"));
        assert!(matches!(decode("BOOKMARK", pod), Ok(WatchEvent::Bookmark(version)) if version == "7"));
        for gone in [r#"{"kind":"Status","code":410,"reason":"Expired"}"#, r#"{"code":410}"#, r#"{"reason":"Gone"}"#] {
            assert!(matches!(decode("ERROR", gone), Ok(WatchEvent::Expired)), "{gone}");
        }
        assert!(
            matches!(decode("ERROR", r#"{"reason":"InternalError"}"#), Ok(WatchEvent::Failed(reason)) if reason == "InternalError")
        );
        for (kind, object) in [("ADDED", "7"), ("ADDED", "[]"), ("OTHER", pod), ("ERROR", "[1]")] {
            assert!(decode(kind, object).is_err() || kind == "ERROR", "{kind} {object}");
        }
        WatchEvent::decode(b"", false).unwrap_err();
    }
}
