//! Whether an account may do what it asks. The roles are the ones that every cluster has (kubernetes
//! `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`), and one ClusterRole for `shop/podlens`.

use hyper::HeaderMap;

use super::account::Account;
use super::attributes::{Attributes, Resource, Target};
use super::status::Status;

const ANONYMOUS: &str = "system:anonymous";

/// Refuses what no role allows, in the API server's words.
pub(super) fn authorize(account: Option<Account>, headers: &HeaderMap, attributes: &Attributes<'_>) -> Result<(), Status> {
    // Nobody here may impersonate; to ignore the header would answer as somebody else than was asked for.
    if let Some(user) = headers.get("impersonate-user") {
        let user = user.to_str().unwrap_or_default();
        return Err(forbidden(account, &Attributes { verb: "impersonate".into(), target: impersonated(user) }));
    }
    if is_allowed(account, attributes) { Ok(()) } else { Err(forbidden(account, attributes)) }
}

fn is_allowed(account: Option<Account>, Attributes { verb, target }: &Attributes<'_>) -> bool {
    match target {
        Target::Path("/healthz" | "/livez" | "/readyz" | "/version" | "/version/") => verb == "get",
        // system:discovery
        Target::Path(path) => {
            let root = path.split('/').nth(1).unwrap_or_default();
            verb == "get" && account.is_some() && matches!(root, "api" | "apis" | "openapi")
        }
        Target::Resource(Resource { group, resource, subresource, .. }) => {
            let resource = (*group, *resource, &**subresource);
            match (&**verb, resource) {
                // system:basic-user
                ("create", ("authentication.k8s.io", "selfsubjectreviews", "")) => account.is_some(),
                ("get" | "list", ("", "pods", "")) => account == Some(Account::Podlens),
                _ => false,
            }
        }
    }
}

fn forbidden(account: Option<Account>, Attributes { verb, target }: &Attributes<'_>) -> Status {
    let user = account.map_or_else(|| ANONYMOUS.to_owned(), Account::user);
    let Resource { group, namespace, resource, name, subresource } = match target {
        Target::Resource(resource) => resource,
        Target::Path(path) => {
            return Status::forbidden("", "", "", &escape(&format!("User {user:?} cannot {verb} path {path:?}")));
        }
    };
    let slash = if subresource.is_empty() { "" } else { "/" };
    let place = match *namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    let resource_text = format!("{resource}{slash}{subresource}");
    let why = format!("User {user:?} cannot {verb} resource {resource_text:?} in API group {group:?} {place}");
    Status::forbidden(group, resource, name, &escape(&why))
}

/// The message may be shown by a browser.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The resource that the verb `impersonate` is checked against (apiserver `pkg/endpoints/filters/impersonation`).
fn impersonated(user: &str) -> Target<'_> {
    let account = user.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':'));
    Target::Resource(match account {
        Some((namespace, name)) => Resource { namespace, resource: "serviceaccounts", name: name.into(), ..Resource::default() },
        None => Resource { resource: "users", name: user.into(), ..Resource::default() },
    })
}
