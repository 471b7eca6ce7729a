//! The words that labels may have.

use std::borrow::Cow;

use hyper::Method;

use crate::limits::Limit;

/// A value of a label.
pub(super) type Label = Cow<'static, str>;

/// What has no word, or no room, of its own.
pub(super) const OTHER: Label = Cow::Borrowed("other");

/// The limit that is not one of [`Limit`]'s: nobody sets it.
const HANDLES: &str = "handles";

/// How runs end, as `Outcome` names it.
pub(super) const OUTCOMES: [&str; 10] =
    ["ok", "guest_error", "trap", "deadline", "limit", "denied", "throttled", "upstream", "cancelled", "internal"];

/// All limits that can end a run.
pub(super) fn limits() -> impl Iterator<Item = &'static str> {
    Limit::ALL.iter().map(|limit| limit.name()).chain([HANDLES])
}

/// The word for a method that has one. Anybody can make up others.
pub(crate) fn known_method(method: &Method) -> Option<&'static str> {
    Some(match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => return None,
    })
}

pub(super) fn result(is_good: bool) -> Label {
    Cow::Borrowed(if is_good { "success" } else { "error" })
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident: $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// What a request is for.
    Route {
        Page: "/",
        Queries: "/v1/queries",
        Query: "/v1/queries/{name}",
        Run: "/v1/queries/{name}/run",
        Report: "/v1/runs/{id}",
        OpenApi: "/openapi.json",
        /// Nothing that there is.
        Other: "other",
    }
}

words! {
    /// Why a request was turned away before its route.
    HttpRejection {
        Origin: "origin",
        Auth: "auth",
    }
}

words! {
    /// What the cache had for a run.
    CacheLookup {
        Hit: "hit",
        /// The API server was asked instead.
        Miss: "miss",
    }
}

words! {
    /// What became of a span that has ended.
    SpanEnd {
        /// The collector has it.
        Exported: "exported",
        /// The collector did not take it.
        Failed: "failed",
        /// Too many waited already.
        QueueFull: "queue_full",
    }
}
