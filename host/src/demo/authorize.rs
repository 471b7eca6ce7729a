//! Whether a user may do something, by the table of roles (kubernetes `plugin/pkg/auth/authorizer/rbac/rbac.go`).

use super::attributes::{Attributes, Resource, Target};
use super::roles::{BINDINGS, Rule};
use super::status::Status;
use super::user::User;

/// Refuses what no role allows, in the API server's words.
pub(super) fn authorize(user: &User, attributes: &Attributes<'_>) -> Result<(), Status> {
    if allowed_by(user, attributes).is_some() { Ok(()) } else { Err(forbidden(user, attributes)) }
}

/// Why it is allowed; `None` if it is not.
pub(super) fn allowed_by(user: &User, attributes: &Attributes<'_>) -> Option<String> {
    let namespace = match &attributes.target {
        Target::Resource(resource) => resource.namespace,
        Target::Path(_) => "",
    };
    BINDINGS.iter().filter(|binding| binding.namespace.is_empty() || binding.namespace == namespace).find_map(|binding| {
        let subject = binding.subject(user)?;
        binding.rules.iter().any(|rule| allows(rule, attributes)).then(|| binding.reason(subject))
    })
}

fn allows(rule: &Rule, Attributes { verb, target }: &Attributes<'_>) -> bool {
    match (rule, target) {
        (Rule::Resources { verbs, group, resources, names }, Target::Resource(asked)) => {
            verbs.contains(&&**verb)
                && *group == asked.group
                && asked.subresource.is_empty()
                && resources.contains(&asked.resource)
                && (names.is_empty() || names.contains(&&*asked.name))
        }
        (Rule::Paths { verbs, paths }, Target::Path(asked)) => {
            let is_below = |path: &str| path.strip_suffix('*').is_some_and(|start| asked.starts_with(start));
            verbs.contains(&&**verb) && paths.iter().any(|path| path == asked || is_below(path))
        }
        _ => false,
    }
}

pub(super) fn forbidden(User { name: user, .. }: &User, Attributes { verb, target }: &Attributes<'_>) -> Status {
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
