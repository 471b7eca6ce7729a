//! `metav1.Status` as the API server words it (apimachinery `pkg/api/errors/errors.go`, apiserver
//! `pkg/endpoints/handlers/responsewriters/errors.go`).

use hyper::StatusCode;

/// A failure, in both encodings.
#[derive(Clone, PartialEq, prost::Message, serde::Serialize)]
pub(super) struct Status {
    #[prost(message, required, tag = "1")]
    metadata: Empty,
    #[prost(string, tag = "2")]
    status: String,
    #[prost(string, tag = "3")]
    pub(super) message: String,
    #[prost(string, tag = "4")]
    reason: String,
    // In a box, so that a `Result` with a failure stays small.
    #[prost(message, optional, boxed, tag = "5")]
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Box<Details>>,
    #[prost(int32, tag = "6")]
    code: i32,
}

#[derive(Clone, PartialEq, prost::Message, serde::Serialize)]
struct Empty {}

#[derive(Clone, PartialEq, prost::Message, serde::Serialize)]
struct Details {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    /// The resource, such as `pods`; not the kind.
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
}

impl Status {
    /// Credentials that are none.
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized".into(), None)
    }

    /// `resource` is empty for a path that is no resource.
    pub(super) fn forbidden(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let qualified = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        let message = match (resource, name) {
            ("", _) => format!("forbidden: {why}"),
            (_, "") => format!("{qualified} is forbidden: {why}"),
            _ => format!("{qualified} {name:?} is forbidden: {why}"),
        };
        let details = Details { name: name.into(), group: group.into(), kind: resource.into() };
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message, Some(details))
    }

    pub(super) fn pod_not_found(name: &str) -> Self {
        let details = Details { name: name.into(), kind: "pods".into(), ..Details::default() };
        Self::new(StatusCode::NOT_FOUND, "NotFound", format!("pods {name:?} not found"), Some(details))
    }

    /// Nothing is served at this path.
    pub(super) fn no_such_resource() -> Self {
        let message = "the server could not find the requested resource".into();
        Self::new(StatusCode::NOT_FOUND, "NotFound", message, Some(Details::default()))
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource".into();
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message, Some(Details::default()))
    }

    pub(super) fn not_acceptable(offered: &str) -> Self {
        let message = format!("only the following media types are accepted: {offered}");
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message, None)
    }

    pub(super) fn bad_request(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message, None)
    }

    fn new(code: StatusCode, reason: &str, message: String, details: Option<Details>) -> Self {
        Self {
            metadata: Empty {},
            status: "Failure".into(),
            message,
            reason: reason.into(),
            details: details.map(Box::new),
            code: i32::from(code.as_u16()),
        }
    }

    pub(super) fn status_code(&self) -> StatusCode {
        // `new` was given one.
        u16::try_from(self.code).ok().and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or_default()
    }
}
