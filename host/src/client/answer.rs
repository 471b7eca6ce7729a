//! The head of an answer: which heads promise a body that is worth reading.

use std::fmt;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap};

use crate::kube::Accept;
use crate::text::excerpt;

/// Why an answer with a good status is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeadError {
    /// podlens asks for no compression: a bound on bytes would not hold for what comes out of it.
    Encoded(String),
    NoContentType,
    ContentType {
        found: String,
        accept: Accept,
    },
}

/// Whether a body with these headers is JSON or Kubernetes' protobuf, as asked for.
pub(super) fn check(headers: &HeaderMap, accept: Accept) -> Result<(), HeadError> {
    let text = |bytes: &[u8]| excerpt(&String::from_utf8_lossy(bytes));
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && encoding.as_bytes() != b"identity"
    {
        return Err(HeadError::Encoded(text(encoding.as_bytes())));
    }
    let content_type = headers.get(CONTENT_TYPE).ok_or(HeadError::NoContentType)?.as_bytes();
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    match (media_type.as_slice(), accept) {
        (b"application/json", _)
        | (b"application/vnd.kubernetes.protobuf", Accept::Protobuf | Accept::Metadata | Accept::MetadataList) => Ok(()),
        _ => Err(HeadError::ContentType { found: text(content_type), accept }),
    }
}

/// The server's clock, RFC 9110 section 5.6.7. Anything but the one format that is sent today is no clock.
pub(super) fn date(headers: &HeaderMap) -> Option<jiff::Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoded(encoding) => write!(f, "it is encoded as `{encoding}`, which was not asked for"),
            Self::NoContentType => f.write_str("it does not say its content type"),
            Self::ContentType { found, accept } => {
                let asked_for = match accept {
                    Accept::Protobuf | Accept::Metadata | Accept::MetadataList => "JSON or protobuf",
                    Accept::Json => "JSON",
                    #[cfg(feature = "cli")]
                    Accept::Forwarded(_) => "representation",
                };
                write!(f, "its content type is `{found}`, not the {asked_for} that was asked for")
            }
        }
    }
}

impl std::error::Error for HeadError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(reqwest::header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn json_and_protobuf_are_taken_as_asked_for() {
        for (content_type, accept, good) in [
            ("application/json", Accept::Json, true),
            ("application/json", Accept::Protobuf, true),
            ("Application/JSON; charset=utf-8", Accept::Json, true),
            ("application/vnd.kubernetes.protobuf", Accept::Protobuf, true),
            ("application/vnd.kubernetes.protobuf", Accept::Json, false),
            ("application/json2", Accept::Json, false),
            ("text/html", Accept::Protobuf, false),
            ("text/plain; application/json", Accept::Json, false),
            ("", Accept::Json, false),
        ] {
            assert_eq!(check(&headers(&[(CONTENT_TYPE, content_type)]), accept).is_ok(), good, "{content_type}");
        }
        assert_eq!(check(&HeaderMap::new(), Accept::Json), Err(HeadError::NoContentType));
    }

    #[test]
    fn an_encoding_is_refused() {
        let json = (CONTENT_TYPE, "application/json");
        assert_eq!(check(&headers(&[json.clone(), (CONTENT_ENCODING, "identity")]), Accept::Json), Ok(()));
        for encoding in ["gzip", "br", "gzip, gzip", ""] {
            let refused = check(&headers(&[json.clone(), (CONTENT_ENCODING, encoding)]), Accept::Json);
            assert_eq!(refused, Err(HeadError::Encoded(encoding.to_owned())));
        }
    }

    #[test]
    fn the_servers_clock_is_read() {
        let told = |value| date(&headers(&[(DATE, value)])).map(|date| date.to_string());
        assert_eq!(told("Tue, 24 Nov 2026 06:00:07 GMT").as_deref(), Some("2026-11-24T06:00:07Z"));
        assert_eq!(told("now"), None);
        assert_eq!(date(&HeaderMap::new()), None);
    }
}
