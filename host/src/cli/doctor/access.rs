//! Step 9: may we list and get pods? The authorizers are asked, and then the list itself: only that is proof.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::PATIENCE;
use super::reason::Reason;
use super::remedy::Remedies;
use super::step::{Fact, Finding, Fix, Step};
use crate::Client;
use crate::cli::rbac::Subject;
use crate::client::Call;
use crate::error::Error;
use crate::kube::{Access, AccessAnswer, Detail, FieldSelector, Health, LabelSelector, ListPods, Namespace, Request};
use crate::text::push_visible_at_most;

/// Most bytes of a list of one pod. A pod has some 10 KB, and etcd takes none above 1.5 MiB.
const LIST_MAX_BYTES: u64 = 4 << 20;
/// How long an API server may need to be ready once it listens. Two seconds are usual; arbitrary beyond that: a person waits for it.
const STARTING: Duration = Duration::from_secs(5);
/// Between two looks whether it is. Arbitrary.
const READY_INTERVAL: Duration = Duration::from_millis(200);
/// Most characters of a reason: it names a binding, a role and a subject.
const REASON_MAX_CHARACTERS: usize = 400;
/// Where a binding is looked for that is missing where it should be: besides the account's own namespace, where people forget `-n`.
const OTHER_PLACES: [&str; 2] = ["default", "kube-system"];

/// Which pods are to be read, and by whom.
pub(super) struct Wish<'a> {
    /// `None` is all namespaces.
    pub(super) places: Vec<Option<&'a Namespace>>,
    /// The namespace that is meant where none is named.
    pub(super) own: &'a Namespace,
    /// Who we are, as far as that is known.
    pub(super) subject: Option<&'a Subject>,
}

/// What holds in one place.
struct Place<'a> {
    namespace: Option<&'a Namespace>,
    /// `Err`: the authorizers were not to be asked.
    list: Result<AccessAnswer, Error>,
    get: Result<AccessAnswer, Error>,
    /// Whether a list came, or why none did.
    listed: Result<(), Error>,
}

/// What we may do in each of the places.
pub(super) async fn access(client: &Client, wish: &Wish<'_>, remedies: &Remedies<'_>) -> Finding {
    let mut looked = look(client, wish).await;
    if looked.iter().any(Place::is_refused) {
        until_ready(client).await;
        looked = look(client, wish).await;
    }
    let mut wanting: Vec<&Place<'_>> = looked.iter().filter(|place| !place.is_enough()).collect();
    // What lacks more comes first.
    wanting.sort_by_key(|place| place.listed.is_ok());
    let mut facts: Vec<Fact> = looked.iter().flat_map(Place::facts).collect();
    let Some(first) = wanting.first() else {
        if !wish.places.contains(&None) {
            facts.extend(everywhere(client).await);
        }
        let places: Vec<_> = looked.iter().map(|place| place_name(place.namespace)).collect();
        let places = places.join(" and ");
        let finding = match looked.iter().find(|place| place.get.is_err()) {
            None => Step::Access.good(format!("we may list and get pods {places}")),
            Some(_) => Step::Access.doubt(format!("we may list pods {places}; whether we may get one is not told")),
        };
        return finding.facts(facts);
    };
    if let Err(error) = &first.listed
        && !error.is_denied()
    {
        return super::asked::failed(Step::Access, error).facts(facts);
    }
    let elsewhere = elsewhere(client, wish).await;
    let flag = elsewhere.as_ref().map(|(namespace, _)| namespace.clone()).filter(|_| wish.places == [Some(wish.own)]);
    let (reason, complaint) = first.complaint(wish, elsewhere.as_ref().map(|(namespace, _)| namespace));
    facts.extend(elsewhere.map(|(namespace, answer)| Fact::new(format!("list in `{namespace}`"), answered(&Ok(answer)))));
    let places: Vec<_> = wanting.iter().map(|place| place.namespace).collect();
    let mut fix = match wish.subject {
        Some(subject) => remedies.no_access(subject, &places),
        None => Fix::say("`podlens rbac` prints the role and the binding; the API server does not tell whom they are for"),
    };
    if let Some(namespace) = flag {
        fix.text = format!("if it is the pods of `{namespace}` that are wanted, say `-n {namespace}`; else {}", fix.text);
    }
    Step::Access.bad(reason, complaint).facts(facts).fix(fix)
}

async fn look<'a>(client: &Client, wish: &Wish<'a>) -> Vec<Place<'a>> {
    let mut looked = Vec::new();
    for namespace in &wish.places {
        looked.push(Place::look(client, *namespace).await);
    }
    looked
}

/// An API server that has just been started listens, and refuses everything, before it knows its roles. Waits until it says that it is
/// ready, or for [`STARTING`].
async fn until_ready(client: &Client) {
    let end = Instant::now() + STARTING;
    loop {
        let answer = client.stream(&Request::health(Health::Readyz), end).await;
        if answer.is_ok_and(|answer| answer.code.is_success()) || Instant::now() + READY_INTERVAL > end {
            return;
        }
        sleep(READY_INTERVAL).await;
    }
}

impl<'a> Place<'a> {
    async fn look(client: &Client, namespace: Option<&'a Namespace>) -> Self {
        let (labels, fields) = (LabelSelector::default(), FieldSelector::default());
        let list = ListPods { namespace, labels: &labels, fields: &fields, detail: Detail::Fields, limit: 1, continue_token: None };
        let (may_list, may_get) = (may(client, "list", namespace).await, may(client, "get", namespace).await);
        let call = Call { deadline: Instant::now() + PATIENCE, max_bytes: LIST_MAX_BYTES };
        Self {
            namespace,
            list: may_list,
            get: may_get,
            listed: client.send(&Request::list_pods(&list), call).await.map(|_| ()).map_err(Error::from),
        }
    }

    fn is_refused(&self) -> bool {
        self.listed.as_ref().is_err_and(Error::is_denied)
    }

    /// Both verbs; where the authorizers cannot be asked, the list has to do.
    fn is_enough(&self) -> bool {
        self.listed.is_ok() && self.get.as_ref().map_or(true, |answer| answer.allowed)
    }

    fn complaint(&self, wish: &Wish<'_>, elsewhere: Option<&Namespace>) -> (Reason, String) {
        let place = place_name(self.namespace);
        let may_get = self.get.as_ref().is_ok_and(|answer| answer.allowed);
        if self.listed.is_ok() {
            let text = format!(
                "we may list pods {place}, and not get one: the role has `list` without `get` (queries that only list need no \
                 `get`)"
            );
            return (Reason::ListWithoutGet, text);
        }
        if may_get {
            let text = format!("we may get pods {place}, and not list them: the role has `get` without `list`");
            return (Reason::GetWithoutList, text);
        }
        match (elsewhere, self.namespace) {
            (Some(other), None) => {
                let text = format!("we may not list pods {place}, and may in `{other}`: `-A` needs a ClusterRoleBinding");
                (Reason::NoBindingHere, text)
            }
            (Some(other), Some(namespace)) if namespace == wish.own => {
                let text =
                    format!("we may not list pods {place}, and may in `{other}`: the role binding is in the wrong namespace");
                (Reason::NoBindingHere, text)
            }
            (Some(other), Some(_)) => {
                let text =
                    format!("we may not list pods {place}, and may in `{other}`: each namespace needs a role binding of its own");
                (Reason::NoBindingHere, text)
            }
            (None, Some(_)) => {
                let text = format!(
                    "we may not list pods {place}: no role binding there gives us a role with `list` on pods (a role alone gives \
                     nothing)"
                );
                (Reason::NoRole, text)
            }
            (None, None) => {
                let text = format!("we may not list pods {place}: no cluster role binding gives us a role with `list` on pods");
                (Reason::NoRole, text)
            }
        }
    }

    fn facts(&self) -> Vec<Fact> {
        let place = place_name(self.namespace);
        let mut facts =
            vec![Fact::new(format!("list {place}"), answered(&self.list)), Fact::new(format!("get {place}"), answered(&self.get))];
        if let Err(error) = &self.listed {
            facts.push(Fact::new("the API server says", said(error)));
        }
        facts
    }
}

async fn may(client: &Client, verb: &str, namespace: Option<&Namespace>) -> Result<AccessAnswer, Error> {
    client.may_we(&Access { verb, resource: "pods", namespace }, Instant::now() + PATIENCE).await
}

/// Whether all namespaces may be read as well: good to know, and nothing that has to be.
async fn everywhere(client: &Client) -> Option<Fact> {
    let answer = may(client, "list", None).await.ok()?;
    Some(Fact::new("list in all namespaces", if answer.allowed { "allowed" } else { "not allowed, and not needed without `-A`" }))
}

/// Another namespace where we may list pods.
async fn elsewhere(client: &Client, wish: &Wish<'_>) -> Option<(Namespace, AccessAnswer)> {
    let accounts = match wish.subject {
        Some(Subject::Account(account)) => Some(account.namespace.clone()),
        _ => None,
    };
    let others = OTHER_PLACES.iter().filter_map(|name| Namespace::parse(name).ok());
    for namespace in [wish.own.clone()].into_iter().chain(accounts).chain(others) {
        if wish.places.contains(&Some(&namespace)) {
            continue;
        }
        if let Ok(answer) = may(client, "list", Some(&namespace)).await
            && answer.allowed
        {
            return Some((namespace, answer));
        }
    }
    None
}

fn place_name(namespace: Option<&Namespace>) -> String {
    namespace.map_or("in all namespaces".to_owned(), |namespace| format!("in `{namespace}`"))
}

fn answered(answer: &Result<AccessAnswer, Error>) -> String {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return format!("not told: {error}"),
    };
    let mut text = if answer.allowed { "allowed" } else { "not allowed" }.to_owned();
    for reason in [&answer.reason, &answer.evaluation_error] {
        if !reason.is_empty() {
            text += ": ";
            push_visible_at_most(&mut text, reason.trim(), REASON_MAX_CHARACTERS);
        }
    }
    text
}

/// The API server's own words, else ours.
fn said(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
