//! How a run ended, in the words that the audit log and the metrics share. The words are closed: who reads them can list them.

use crate::error::{Error, Kind};
use crate::limits::Limit;
use crate::runtime::Trap;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// The query has answered.
    Ok,
    /// The query answered with an error, or cannot be used as one.
    GuestError,
    /// The query trapped.
    Trap,
    /// The run took longer than it may.
    Deadline,
    /// Another limit ended it, by name.
    Limit(&'static str),
    /// The grant, or the API server, refused.
    Denied,
    /// It was not begun: there were too many.
    Throttled,
    /// The API server gave no usable answer.
    Upstream,
    /// Who asked has gone, or is a tenant no more; or the server stopped.
    Cancelled,
    /// The server's own fault.
    Internal,
}

impl Outcome {
    /// One of each, the limit's name aside.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 10] = [
        Self::Ok,
        Self::GuestError,
        Self::Trap,
        Self::Deadline,
        Self::Limit("max-pods"),
        Self::Denied,
        Self::Throttled,
        Self::Upstream,
        Self::Cancelled,
        Self::Internal,
    ];

    /// What the result of a run tells. A run that was cancelled, or was not begun, has none.
    pub(crate) fn of(result: &Result<(), Error>) -> Self {
        let Err(error) = result else { return Self::Ok };
        match error.kind() {
            Kind::Limit(name) if name == Limit::WallTime.name() => Self::Deadline,
            Kind::Limit(name) => Self::Limit(name),
            Kind::Denied => Self::Denied,
            Kind::Fault => Self::Internal,
            Kind::Query if Trap::of(error).is_some() => Self::Trap,
            Kind::Query | Kind::NotFound | Kind::InvalidArgument | Kind::Component => Self::GuestError,
            Kind::Configuration | Kind::Unreachable | Kind::Unavailable | Kind::Expired | Kind::Server => Self::Upstream,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::GuestError => "guest_error",
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Limit(_) => "limit",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Upstream => "upstream",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// The limit that ended the run.
    pub(crate) fn limit(self) -> Option<&'static str> {
        match self {
            Self::Deadline => Some(Limit::WallTime.name()),
            Self::Limit(name) => Some(name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_has_an_outcome() {
        assert_eq!(Outcome::of(&Ok(())), Outcome::Ok);
        for (kind, outcome) in [
            (Kind::Limit("timeout"), Outcome::Deadline),
            (Kind::Limit("max-pods"), Outcome::Limit("max-pods")),
            (Kind::Limit("handles"), Outcome::Limit("handles")),
            (Kind::Denied, Outcome::Denied),
            (Kind::Query, Outcome::GuestError),
            (Kind::NotFound, Outcome::GuestError),
            (Kind::Unavailable, Outcome::Upstream),
            (Kind::Expired, Outcome::Upstream),
        ] {
            assert_eq!(Outcome::of(&Err(Error::new(kind, "it failed"))), outcome);
        }
    }

    #[test]
    fn each_has_a_word_of_its_own() {
        let names: std::collections::BTreeSet<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        assert_eq!(names.len(), Outcome::ALL.len());
    }
}
