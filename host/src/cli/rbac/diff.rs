//! What an account lacks of what a query needs, and what it may do besides.
//!
//! By SubjectAccessReview each question is put by itself, so that what is not asked is not seen. An account that asks about itself
//! gets a list of its rules, where nothing needs to be guessed, but of one namespace at a time; what holds in all of them is asked,
//! too.

use super::ask::{self, Asker};
use super::needs::Needs;
use crate::error::Error;
use crate::kube::{Access, Namespace};
use crate::output::style::{Mark, Style};
use crate::text::excerpt;

/// What is asked about besides the needed: pods and what hangs on them, and what makes an account dangerous.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("*", &["*"]),
    ("pods", &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]),
    ("pods/log", &["get"]),
    ("pods/exec", &["create", "get"]),
    ("pods/attach", &["create", "get"]),
    ("pods/portforward", &["create", "get"]),
    ("pods/proxy", &["create", "get"]),
    ("pods/ephemeralcontainers", &["patch", "update"]),
    ("pods/status", &["patch", "update"]),
    ("pods/resize", &["patch", "update"]),
    ("pods/eviction", &["create"]),
    ("pods/binding", &["create"]),
    ("secrets", &["get", "list"]),
    ("configmaps", &["get", "list"]),
    ("serviceaccounts", &["impersonate"]),
    ("serviceaccounts/token", &["create"]),
];
/// The same of what is in no namespace.
const CLUSTER_QUESTIONS: &[(&str, &[&str])] =
    &[("nodes", &["get", "list"]), ("nodes/proxy", &["create", "get"]), ("namespaces", &["get", "list"])];

pub(super) struct Diff {
    head: String,
    /// Needed and allowed, needed and missing, allowed and not needed.
    has: Vec<String>,
    missing: Vec<String>,
    too_much: Vec<String>,
    notes: Vec<String>,
    /// Whether the API server knows that it does not tell everything.
    is_incomplete: bool,
}

pub(super) async fn diff(asker: &Asker<'_>, needs: &Needs) -> Result<Diff, Error> {
    let mut diff = Diff {
        head: format!("{}:", asker.who()),
        has: Vec::new(),
        missing: Vec::new(),
        too_much: Vec::new(),
        notes: Vec::new(),
        is_incomplete: false,
    };
    let needed = needs.accesses();
    for access in &needed {
        let answer = asker.ask(access).await?;
        let list = if answer.allowed { &mut diff.has } else { &mut diff.missing };
        list.push(format!("{access}{}", ask::because(&answer)));
    }
    // All namespaces first: what holds there needs no word for each of them.
    let mut places = vec![None];
    if asker.is_about_anybody() {
        places.extend(needs.places().into_iter().filter(Option::is_some));
    }
    let everywhere = questions(asker, needs, &places, &mut diff).await?;
    if !asker.is_about_anybody() {
        rules(asker, needs, &everywhere, &mut diff).await?;
    }
    Ok(diff)
}

/// Puts the questions, for each of the places, and tells what is allowed in all namespaces.
async fn questions(
    asker: &Asker<'_>,
    needs: &Needs,
    places: &[Option<&Namespace>],
    diff: &mut Diff,
) -> Result<Vec<(String, String)>, Error> {
    let needed = needs.accesses();
    let mut everywhere: Vec<(String, String)> = Vec::new();
    let mut count = 0;
    'places: for namespace in places {
        let questions = if namespace.is_none() { [QUESTIONS, CLUSTER_QUESTIONS].concat() } else { QUESTIONS.to_vec() };
        for (resource, verb) in questions.iter().flat_map(|(resource, verbs)| verbs.iter().map(move |verb| (*resource, *verb))) {
            let access = Access { verb, resource, namespace: *namespace };
            let is_needed = needed.contains(&access) || needed.contains(&Access { namespace: None, ..access });
            if is_needed || holds(&everywhere, resource, verb) {
                continue;
            }
            count += 1;
            let answer = asker.ask(&access).await?;
            if !answer.allowed {
                continue;
            }
            diff.too_much.push(format!("{access}{}", ask::because(&answer)));
            if namespace.is_none() {
                everywhere.push((resource.to_owned(), verb.to_owned()));
            }
            match (resource, namespace) {
                // An admin may do everything: the rest is no news.
                ("*", None) => break 'places,
                ("*", Some(_)) => continue 'places,
                _ => {}
            }
        }
    }
    let places: Vec<_> = places.iter().flatten().map(|namespace| format!("`{namespace}`")).collect();
    let places = if places.is_empty() {
        "all namespaces together".to_owned()
    } else {
        format!("all namespaces together, {}", places.join(", "))
    };
    diff.notes.push(format!(
        "asked by {}: {count} questions besides the needed, for {places}, about pods and their subresources, secrets, config maps, \
         nodes, namespaces and tokens; not seen: other resources, other namespaces, and rights on single objects by name",
        asker.how()
    ));
    Ok(everywhere)
}

/// Whether a right is among those.
fn holds(rights: &[(String, String)], resource: &str, verb: &str) -> bool {
    rights.iter().any(|(known, by)| (known == "*" || known == resource) && (by == "*" || by == verb))
}

/// Lists the rules of each place but for those that hold in all namespaces.
async fn rules(asker: &Asker<'_>, needs: &Needs, everywhere: &[(String, String)], diff: &mut Diff) -> Result<(), Error> {
    let own = &asker.account().namespace;
    let places: Vec<&Namespace> = needs.places().into_iter().map(|namespace| namespace.unwrap_or(own)).collect();
    for namespace in &places {
        let rules = asker.rules(namespace).await?;
        for right in rules.rights() {
            let is_needed = right.resource == "pods" && needs.verbs().contains(&&*right.verb);
            if !is_needed && !holds(everywhere, &right.resource, &right.verb) {
                let names: Vec<_> = right.names.iter().map(|name| format!("`{}`", excerpt(name))).collect();
                let names = if names.is_empty() { String::new() } else { format!(", only {}", names.join(", ")) };
                let (verb, resource) = (excerpt(&right.verb), excerpt(&right.resource));
                diff.too_much.push(format!("{verb} {resource} in `{namespace}`{names}"));
            }
        }
        if rules.incomplete {
            diff.is_incomplete = true;
            let why =
                if rules.evaluation_error.is_empty() { String::new() } else { format!(": {}", excerpt(&rules.evaluation_error)) };
            diff.notes.push(format!("the list for `{namespace}` is incomplete, says the API server{why}: there may be more"));
        }
    }
    let places: Vec<_> = places.iter().map(|namespace| format!("`{namespace}`")).collect();
    diff.notes.push(format!(
        "listed by SelfSubjectRulesReview for {}, as we may not ask by SubjectAccessReview; not seen: other namespaces",
        places.join(", ")
    ));
    Ok(())
}

impl Diff {
    pub(super) fn is_missing_something(&self) -> bool {
        !self.missing.is_empty()
    }

    pub(super) fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    pub(super) fn has_too_much(&self) -> bool {
        !self.too_much.is_empty()
    }

    pub(super) fn lines(&self, style: &Style) -> Vec<String> {
        let mut lines = vec![self.head.clone()];
        for (mark, sign, what, list) in [
            (Mark::Good, "=", "needed", &self.has),
            (Mark::Bad, "-", "missing", &self.missing),
            (Mark::Doubt, "+", "not needed", &self.too_much),
        ] {
            lines.extend(list.iter().map(|access| format!("  {} {what}: {access}", style.paint(mark, sign))));
        }
        lines.extend(self.notes.iter().cloned());
        lines
    }
}
