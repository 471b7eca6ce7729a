//! The whole answer: a comment on each object, and the object.

use super::manifest::{self, Right};
use super::naming::fold;
use super::needs::Needs;
use super::subject::Subject;
use crate::Query;
use crate::cli::builtin;
use crate::kube::ServiceAccount;
use crate::text;

/// Where the pod's image has a component that does not come with podlens.
const QUERIES_FOLDER: &str = "/queries";

pub(super) fn document(component: &str, query: &Query, needs: &Needs, account: &ServiceAccount) -> String {
    let subject = Subject::Account(account.clone());
    let mut objects = vec![(
        vec![
            format!("{}, and all that it may: made by `podlens rbac` from what the query imports.", visible(component)),
            needed(needs),
            String::new(),
            "Who the query runs as. No pod gets this account's token unless it asks for it, as the pod below does.".to_owned(),
        ],
        manifest::service_account(account),
    )];
    if !needs.verbs().is_empty() {
        for namespace in needs.places() {
            let right = Right { subject: &subject, verbs: needs.verbs(), namespace };
            let place = namespace.map_or("in all namespaces".to_owned(), |namespace| format!("in the namespace `{namespace}`"));
            let role = vec![
                format!("What may be done, {place}."),
                "It replaces what the account got there for another component: if both are to work, give each an account of its own"
                    .to_owned(),
                "(`--service-account`).".to_owned(),
            ];
            objects.push((role, right.role()));
            objects.push((vec![format!("That the account may do it, {place}.")], right.binding()));
        }
    }
    objects.push(pod(component, query, needs, account));
    let texts: Vec<_> = objects
        .into_iter()
        .map(|(comments, object)| {
            let comments: Vec<_> = comments.iter().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect();
            comments.concat() + &object
        })
        .collect();
    texts.join("---\n")
}

fn needed(needs: &Needs) -> String {
    match needs.verbs() {
        [] => "It imports neither `list` nor `get`: it reads no pods, and needs no role.".to_owned(),
        [verb] => format!("It imports `{verb}` of podlens:query/pods, and nothing else that reads pods."),
        _ => "It imports `list` and `get` of podlens:query/pods.".to_owned(),
    }
}

fn pod(component: &str, query: &Query, needs: &Needs, account: &ServiceAccount) -> (Vec<String>, String) {
    let mut comments =
        vec!["One run of it; `kubectl logs` shows the answer. The image is to be one of yours that has `podlens`.".to_owned()];
    let file = std::path::Path::new(component);
    let stem = file.file_stem().map_or_else(|| "query".into(), std::ffi::OsStr::to_string_lossy);
    let name = format!("{}-{}", account.name(), fold(&stem, &stem));
    let is_builtin = builtin::query(component).is_some();
    let path = if is_builtin {
        component.to_owned()
    } else {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or("query.wasm");
        let path = format!("{QUERIES_FOLDER}/{name}");
        comments.push(format!("It also has to have the component, as `{}`.", visible(&path)));
        path
    };
    let mut command = vec!["podlens".to_owned(), "run".to_owned(), path];
    match needs.places().as_slice() {
        // A pod's own namespace is what is read without a flag.
        [Some(only)] if **only == account.namespace => {}
        [None] => command.push("-A".to_owned()),
        places => command.extend(places.iter().flatten().flat_map(|namespace| ["-n".to_owned(), namespace.to_string()])),
    }
    for parameter in query.description().parameters.iter().filter(|parameter| parameter.required && parameter.default.is_none()) {
        comments.push(format!("Its parameter `{0}` needs a value in place of `{1}`.", parameter.name, VALUE));
        command.extend(["-p".to_owned(), format!("{}={VALUE}", parameter.name)]);
    }
    comments.push("What a pod runs cannot be changed: to run it another time, or otherwise, delete it first.".to_owned());
    (comments, manifest::pod(&name, account, &command))
}

/// What stands where the operator has to write something.
const VALUE: &str = "VALUE";

/// A comment ends with its line.
fn visible(text: &str) -> String {
    format!("`{}`", text::visible(text))
}
