//! Answers as the client gets them: which headers they have, and what of the API server's answer is handed on.

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::Value;

use super::body::Body;
use super::decide::ForwardKind;
use super::status::Status;

/// Leads from an answer to its line in the cluster's audit log.
const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");
/// Keeps an answer from being loaded by a page of another server as a picture or a script (Fetch standard). For browsers that send no
/// `Sec-Fetch-Site`.
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The content types of pods and of a Status. An answer that is handed on has one of these, as it stands here.
const OBJECTS: [&str; 4] = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/vnd.kubernetes.protobuf;stream=watch",
];
const TEXT: &str = "text/plain; charset=utf-8";

/// An answer of the proxy's own.
pub(super) fn json(content_type: HeaderValue, json: &Value) -> Response<Body> {
    answer(StatusCode::OK, content_type, Body::whole(format!("{json:#}\n").into()))
}

/// A refusal ends its connection: what follows on it may be a body that nobody reads.
pub(super) fn refusal(status: &Status) -> Response<Body> {
    let mut answer = failure(status);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    if status.code() == StatusCode::METHOD_NOT_ALLOWED {
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    answer
}

/// A failure that is not the client's.
pub(super) fn failure(status: &Status) -> Response<Body> {
    answer(status.code(), HeaderValue::from_static(OBJECTS[0]), Body::whole(status.json()))
}

/// What the API server answered, if it is something that an API server answers.
pub(super) fn relay(kind: ForwardKind, code: StatusCode, headers: &HeaderMap, body: impl FnOnce() -> Body) -> Response<Body> {
    let mut relayed = match (code.as_u16(), content_type(kind, headers)) {
        (200 | 400..=599, Some(content_type)) => answer(code, HeaderValue::from_static(content_type), body()),
        // The API server's own limits answer with text, and what stands before an API server with a page. The code says enough.
        (400..=599, None) => failure(&Status::new(code, format!("the API server answers {code}, without more"))),
        (200, None) => no_api_server("what answers in the API server's place sends neither JSON, YAML nor protobuf"),
        (300..=399, _) => {
            no_api_server("what answers in the API server's place redirects, and no redirect is followed: an API server sends none")
        }
        _ => no_api_server(&format!("the API server answers {code}, which is no answer to a read")),
    };
    for (name, fits) in [(AUDIT_ID, is_uuid as fn(&[u8]) -> bool), (RETRY_AFTER, is_number)] {
        if let Some(value) = headers.get(&name).filter(|value| fits(value.as_bytes())) {
            relayed.headers_mut().insert(name, value.clone());
        }
    }
    relayed
}

/// For the client and, since it is for the proxy's owner to mend, for the log.
fn no_api_server(message: &str) -> Response<Body> {
    tracing::warn!("{message}");
    failure(&Status::bad_gateway(message))
}

/// The form of an audit ID that nobody chose: anything else could be anything.
fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_number(value: &[u8]) -> bool {
    (1..=10).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

/// The known content type that this answer has.
fn content_type(kind: ForwardKind, headers: &HeaderMap) -> Option<&'static str> {
    if headers.contains_key(CONTENT_ENCODING) {
        // Not asked for, and so not understood by whoever asked.
        return None;
    }
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let object = OBJECTS.into_iter().find(|known| is_same(known, content_type));
    object.or((kind == ForwardKind::Health).then_some(TEXT))
}

/// Blanks around `;` and the order of what they divide mean nothing (RFC 9110 section 8.3.1).
fn is_same(known: &str, given: &str) -> bool {
    let parts = |text: &str| {
        let mut parts: Vec<_> = text.split(';').map(|part| part.trim().to_ascii_lowercase()).collect();
        parts.sort_unstable();
        parts
    };
    parts(known) == parts(given)
}

fn answer(code: StatusCode, content_type: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        // As the API server says for all that is about the cluster.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache, private")),
        // Neither a page nor a part of one.
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
        (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    ] {
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    async fn relayed(kind: ForwardKind, code: u16, pairs: &[(&'static str, &str)]) -> (u16, HeaderMap, String) {
        let body = || Body::whole("upstream".into());
        let (head, body) = relay(kind, StatusCode::from_u16(code).unwrap(), &headers(pairs), body).into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_an_api_server_answers_is_handed_on() {
        for (kind, code, content_type, expected) in [
            (ForwardKind::Object, 200, "application/json", "application/json"),
            (
                ForwardKind::Watch,
                200,
                "Application/Vnd.kubernetes.protobuf ; Stream=watch",
                "application/vnd.kubernetes.protobuf;stream=watch",
            ),
            (ForwardKind::Object, 200, "application/yaml", "application/yaml"),
            (ForwardKind::Object, 403, "application/json", "application/json"),
            (ForwardKind::Object, 500, "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf"),
            (ForwardKind::Health, 200, "text/plain; charset=utf-8", "text/plain; charset=utf-8"),
            (ForwardKind::Health, 500, "text/html", "text/plain; charset=utf-8"),
            (ForwardKind::Health, 403, "application/json", "application/json"),
        ] {
            let (seen, headers, body) = relayed(kind, code, &[("content-type", content_type)]).await;
            assert_eq!((seen, &headers[CONTENT_TYPE], body.as_str()), (code, &HeaderValue::from_static(expected), "upstream"));
        }
    }

    #[tokio::test]
    async fn anything_else_is_told_and_not_shown() {
        let json = ("content-type", "application/json");
        for (code, pairs, expected) in [
            (200, &[][..], 502),
            (200, &[("content-type", "text/html")], 502),
            (200, &[("content-type", "text/plain")], 502),
            (200, &[("content-type", "application/json;charset=utf-16")], 502),
            (200, &[json, ("content-encoding", "gzip")], 502),
            (201, &[json], 502),
            (204, &[json], 502),
            (206, &[json], 502),
            (301, &[json, ("location", "/api/v1/secrets")], 502),
            (307, &[json, ("location", "https://evil.example/")], 502),
            (401, &[("content-type", "text/html")], 401),
            (403, &[], 403),
            (429, &[("content-type", "text/plain")], 429),
            (503, &[json, ("content-encoding", "gzip")], 503),
            (600, &[json], 502),
        ] {
            let (seen, headers, body) = relayed(ForwardKind::Object, code, pairs).await;
            let status: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(
                (seen, &status["kind"], &status["code"]),
                (expected, &"Status".into(), &expected.into()),
                "{code} {pairs:?}"
            );
            assert!(!headers.contains_key("location") && headers[CONTENT_TYPE] == "application/json");
        }
    }

    #[tokio::test]
    async fn only_known_headers_are_handed_on() {
        let pairs = [
            ("content-type", "application/json"),
            ("audit-id", "6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11"),
            ("retry-after", "1"),
            ("access-control-allow-origin", "*"),
            ("set-cookie", "a=b"),
            ("www-authenticate", "Basic"),
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("location", "https://evil.example/"),
            ("x-kubernetes-pf-flowschema-uid", "a"),
            ("warning", "299 - \"b\""),
        ];
        let (_, headers, _) = relayed(ForwardKind::Object, 429, &pairs).await;
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let expected = [
            "audit-id",
            "cache-control",
            "content-security-policy",
            "content-type",
            "cross-origin-resource-policy",
            "retry-after",
            "x-content-type-options",
        ];
        assert_eq!(names, expected);
        for value in
            ["a b", "canary-token-0123456789", "6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d111", "6a1b8f7e03f0c04f6e09c5505d2f4f0f9d11"]
        {
            let (_, headers, _) = relayed(ForwardKind::Object, 200, &[pairs[0], ("audit-id", value)]).await;
            assert!(!headers.contains_key(AUDIT_ID), "{value}");
        }
    }
}
