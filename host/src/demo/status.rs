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
    #[prost(message, repeated, tag = "4")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Cause>,
}

#[derive(Clone, PartialEq, prost::Message, serde::Serialize)]
struct Cause {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(string, tag = "3")]
    field: String,
}

/// A value that cannot be (apimachinery `pkg/util/validation/field/errors.go`).
#[derive(Debug)]
pub(super) struct Invalid {
    pub(super) field: &'static str,
    /// As JSON; `None` where it is the field that may not be given.
    pub(super) value: Option<String>,
    pub(super) why: String,
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
        let details = Details { name: name.into(), group: group.into(), kind: resource.into(), ..Details::default() };
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

    /// `kind` is empty where the API server has lost it: for an object that it has decoded.
    pub(super) fn invalid(group: &str, kind: &str, invalid: &[Invalid]) -> Self {
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let causes = invalid.iter().map(|Invalid { field, value, why }| {
            let (reason, message) = match value {
                Some(value) => ("FieldValueInvalid", format!("Invalid value: {value}: {why}")),
                None => ("FieldValueForbidden", format!("Forbidden: {why}")),
            };
            Cause { reason: reason.into(), message, field: (*field).into() }
        });
        let causes: Vec<Cause> = causes.collect();
        let each: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let all = if each.len() == 1 { each.concat() } else { format!("[{}]", each.join(", ")) };
        let details = Details { group: group.into(), kind: kind.into(), causes, ..Details::default() };
        let message = format!(r#"{qualified} "" is invalid: {all}"#);
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message, Some(details))
    }

    /// What came after a resource version is no longer known.
    pub(super) fn expired(message: String) -> Self {
        Self::new(StatusCode::GONE, "Expired", message, None)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit}");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message, None)
    }

    pub(super) fn unsupported_media_type(accepted: &str) -> Self {
        let message = format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message, None)
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
