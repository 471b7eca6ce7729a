//! Steps 6, 8 and 10: what the API server answers to anybody, and to us.

use jiff::Timestamp;
use tokio::time::Instant;

use super::PATIENCE;
use super::credentials::Verdict;
use super::reason::Reason;
use super::step::{Fact, Finding, Fix, Step};
use crate::Client;
use crate::client::Call;
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::kube::{Request, SelfSubjectReview, ServerVersion};
use crate::text::excerpt;

/// Most bytes of `/version`, which has some 400.
const VERSION_MAX_BYTES: u64 = 64 << 10;

/// Two clocks that differ by more than this make tokens and certificates fail on one side and not on the other; one minute is what
/// the API server forgives a token.
const SKEW_SECONDS: i64 = 60;

/// How the client's error of a status names it (`client/refusal.rs`).
const UNAUTHORIZED: &str = "with 401 ";
const NOT_FOUND: &str = "with 404 ";

/// What the server says of itself.
pub(super) struct About {
    version: Result<ServerVersion, Error>,
    /// Its clock, and ours at the same moment.
    clocks: Option<(Timestamp, Timestamp)>,
}

impl About {
    /// Asks for the version.
    pub(super) async fn ask(config: Config) -> Self {
        let mut clocks = None;
        let version = match Client::new(config) {
            Ok(client) => {
                let call = Call { deadline: Instant::now() + PATIENCE, max_bytes: VERSION_MAX_BYTES };
                let answer = client.send(&Request::version(), call).await;
                answer.map_err(Error::from).and_then(|answer| {
                    clocks = answer.date.map(|date| (date, Timestamp::now()));
                    ServerVersion::decode(&answer.body).map_err(|error| {
                        Error::server_error("what answers there is not the version of a Kubernetes API server").because(error)
                    })
                })
            }
            Err(error) => Err(error),
        };
        Self { version, clocks }
    }

    /// The server's clock, as well as it is known.
    pub(super) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        match self.clocks {
            Some((theirs, ours)) => now + theirs.duration_since(ours),
            None => now,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.version.is_ok()
    }

    /// Whether somebody without credentials is answered at all. A cluster may well refuse to speak with strangers: that is no fault
    /// where we are answered (`is_reached`).
    pub(super) fn anonymous(&self, is_reached: bool) -> Finding {
        match &self.version {
            Ok(_) => Step::Anonymous.good("the API server answers"),
            Err(error) if error.is_denied() => {
                Step::Anonymous.doubt("the API server answers, if only that it wants credentials").facts(causes(error))
            }
            Err(error) if is_reached => {
                Step::Anonymous.doubt(format!("it does not answer strangers, and does answer us: {error}")).facts(causes(error))
            }
            Err(error) => failed(Step::Anonymous, error),
        }
    }

    /// Which version, and whether our clocks agree.
    pub(super) fn version(&self, is_reached: bool) -> Finding {
        let version = match &self.version {
            Ok(version) => version,
            Err(error) if is_reached => {
                return Step::Version.doubt(format!("it does not tell its version: {error}")).facts(causes(error));
            }
            Err(error) => return failed(Step::Version, error),
        };
        let told = format!("{} on {}", excerpt(&version.git_version), excerpt(&version.platform));
        let Some((theirs, ours)) = self.clocks else { return Step::Version.good(told).fact("clock", "not told") };
        let skew = ours.duration_since(theirs).as_secs();
        if skew.abs() <= SKEW_SECONDS {
            return Step::Version.good(told).fact("clocks", format!("agree within {} s", skew.abs().max(1)));
        }
        let direction = if skew > 0 { "ahead of" } else { "behind" };
        Step::Version.doubt(format!("{told}; the clock here is {} s {direction} the server's", skew.abs())).fix(
            Fix::say("set the clock: certificates and tokens are good or bad by it").run(Ok("timedatectl set-ntp true".to_owned())),
        )
    }
}

/// Who the API server says we are.
pub(super) async fn identity(client: &Client) -> (Finding, Verdict, Option<SelfSubjectReview>) {
    let error = match client.self_subject_review(Instant::now() + PATIENCE).await {
        Ok(review) => {
            let finding = Step::Identity.good(format!("we are `{}`", excerpt(&review.username)));
            let finding = finding.fact("groups", crate::text::Quoted(&review.groups[..review.groups.len().min(16)]).to_string());
            return (finding, Verdict::Accepted, Some(review));
        }
        Err(error) => error,
    };
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    // Both are refusals to the rest of podlens: only here does it matter which.
    if error.is_denied() && error.to_string().contains(UNAUTHORIZED) {
        let text = "the API server does not accept these credentials (401), and never says why";
        let fix = Fix::say(
            "if nothing is wrong with the credentials above, they are another cluster's, or their pod or service account is gone: \
             a new pod gets new ones",
        );
        return (Step::Identity.bad(Reason::Unauthorized, text).fix(fix), Verdict::Refused, None);
    }
    if error.is_denied() && cause.contains("system:anonymous") {
        let text = "we are `system:anonymous`: the request came without credentials that the API server knows";
        let finding = Step::Identity.bad(Reason::Anonymous, text);
        return (finding.fix(Fix::say("see the credentials above")), Verdict::Refused, None);
    }
    // Only an API server gives a reason; a page of something before it is no word on who we are.
    if error.is_denied() && !cause.is_empty() {
        let finding = Step::Identity.doubt("the API server knows these credentials, and does not let us ask whose they are");
        return (finding.facts(causes(&error)), Verdict::Accepted, None);
    }
    if error.to_string().contains(NOT_FOUND) {
        let finding = Step::Identity.open("not told: before Kubernetes 1.28 there is no SelfSubjectReview");
        return (finding.facts(causes(&error)), Verdict::Unknown, None);
    }
    (failed(Step::Identity, &error), Verdict::Unknown, None)
}

/// An error of the client, which mostly says itself what to do.
pub(super) fn failed(step: Step, error: &Error) -> Finding {
    let reason = match error.kind() {
        Kind::Configuration | Kind::InvalidArgument => Reason::BadConfiguration,
        Kind::Unreachable => Reason::NoConnection,
        Kind::Unavailable | Kind::Expired => Reason::Unavailable,
        Kind::Denied => Reason::Unauthorized,
        Kind::NotFound | Kind::Server | Kind::Limit(_) | Kind::Component | Kind::Query | Kind::Fault => Reason::NoApiServer,
    };
    let fix = match (error.help(), reason) {
        (Some(help), _) => help.replace('\n', "; "),
        (None, Reason::Unavailable) => "try again: the API server, or what is before it, is busy or on its way down".to_owned(),
        (None, _) => "is this the address of a Kubernetes API server, and nothing between that answers in its place?".to_owned(),
    };
    step.bad(reason, error.to_string()).facts(causes(error)).fix(Fix::say(fix))
}

fn causes(error: &Error) -> Vec<Fact> {
    error.causes().map(|cause| Fact::new("because", cause.to_string())).collect()
}
