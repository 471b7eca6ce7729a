//! May an account do something? Asked about ourselves, if we are it, and else by a SubjectAccessReview, which few may post.

use std::time::Duration;

use tokio::time::Instant;

use crate::Client;
use crate::client::Call;
use crate::error::{Error, Kind};
use crate::kube::{Access, AccessAnswer, DecodeError, Namespace, Request, Rules, ServiceAccount};
use crate::text::excerpt;

/// How long each answer may take. Arbitrary: a person waits for it.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long all of them together may take. Some seventy questions, of a millisecond or two each; arbitrary.
const PATIENCE_WITH_ALL: Duration = Duration::from_secs(60);

/// Most bytes of an answer. A review has some hundred; a list of rules is as long as the roles of an account.
const MAX_BYTES: u64 = 1 << 20;

/// Asks about one account.
pub(super) struct Asker<'a> {
    client: &'a Client,
    account: ServiceAccount,
    means: Means,
    /// When the last answer has to be there.
    end: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Means {
    /// About anybody.
    SubjectAccessReview,
    /// About ourselves.
    SelfSubjectAccessReview,
}

impl<'a> Asker<'a> {
    /// Finds out by which means the account can be asked about.
    pub(super) async fn find(client: &'a Client, account: ServiceAccount) -> Result<Self, Error> {
        // The first question decides; what it asks is of no matter.
        let probe = Access { verb: "list", resource: "pods", namespace: Some(&account.namespace) };
        let request = Request::subject_access_review(&probe, &account);
        let end = Instant::now() + PATIENCE_WITH_ALL;
        let means = match send(client, &request, end).await {
            Ok(_) => Means::SubjectAccessReview,
            Err(error) if error.is_denied() => {
                let us = client.self_subject_review(Instant::now() + PATIENCE).await?.username;
                if us != account.user() {
                    let message = format!("`{}` may not ask what `{}` may", excerpt(&us), account.user());
                    return Err(Error::new(Kind::Denied, message).because(error).hint(
                        "run this as that account, or as somebody who may create `subjectaccessreviews`, such as a cluster's admin",
                    ));
                }
                Means::SelfSubjectAccessReview
            }
            Err(error) => return Err(error),
        };
        Ok(Self { client, account, means, end })
    }

    /// Whether anybody can be asked about.
    pub(super) fn is_about_anybody(&self) -> bool {
        self.means == Means::SubjectAccessReview
    }

    pub(super) async fn ask(&self, access: &Access<'_>) -> Result<AccessAnswer, Error> {
        let request = match self.means {
            Means::SubjectAccessReview => Request::subject_access_review(access, &self.account),
            Means::SelfSubjectAccessReview => Request::self_subject_access_review(access),
        };
        let body = send(self.client, &request, self.end).await?;
        AccessAnswer::decode(&body).map_err(|error| undecodable(self.client, error))
    }

    /// What we may do in a namespace, for an account that is ourselves.
    pub(super) async fn rules(&self, namespace: &Namespace) -> Result<Rules, Error> {
        let body = send(self.client, &Request::self_subject_rules_review(namespace), self.end).await?;
        Rules::decode(&body).map_err(|error| undecodable(self.client, error))
    }

    pub(super) fn who(&self) -> String {
        format!("`{}`", self.account.user())
    }

    pub(super) fn how(&self) -> &'static str {
        match self.means {
            Means::SubjectAccessReview => "SubjectAccessReview",
            Means::SelfSubjectAccessReview => "SelfSubjectAccessReview, as we are it",
        }
    }

    pub(super) fn account(&self) -> &ServiceAccount {
        &self.account
    }
}

async fn send(client: &Client, request: &Request, end: Instant) -> Result<bytes::Bytes, Error> {
    let call = Call { deadline: end.min(Instant::now() + PATIENCE), max_bytes: MAX_BYTES };
    Ok(client.ask(request, call).await?.body)
}

fn undecodable(client: &Client, error: DecodeError) -> Error {
    Error::new(Kind::Server, format!("cannot read the review that `{}` gave", client.address())).because(error)
}

/// Why, in the API server's words, where it has any.
pub(super) fn because(answer: &AccessAnswer) -> String {
    let reasons: Vec<_> = [&answer.reason, &answer.evaluation_error]
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| long_excerpt(text))
        .collect();
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}

/// A reason names a binding, a role and a subject, each of which may be long.
fn long_excerpt(text: &str) -> String {
    crate::text::visible_at_most(text.trim(), 512)
}
