//! Paths: what each is, and which methods it takes. Nothing is decoded: every name that there is needs no escaping.

use hyper::Method;
use uuid::Uuid;

use crate::serve::metrics;
use crate::serve::policy::QueryName;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`
    Page,
    /// `/openapi.json`
    OpenApi,
    /// `/v1/queries`
    Queries,
    /// `/v1/queries/NAME`
    Query(QueryName),
    /// `/v1/queries/NAME/run`
    Run(QueryName),
    /// `/v1/runs/ID`
    RunReport(Uuid),
}

impl Route {
    pub(super) fn of(path: &str) -> Option<Self> {
        let parts: Vec<_> = path.strip_prefix('/')?.split('/').collect();
        Some(match parts.as_slice() {
            [""] => Self::Page,
            ["openapi.json"] => Self::OpenApi,
            ["v1", "queries"] => Self::Queries,
            ["v1", "queries", name] => Self::Query(QueryName::parse(name)?),
            ["v1", "queries", name, "run"] => Self::Run(QueryName::parse(name)?),
            ["v1", "runs", id] => Self::RunReport(run_id(id)?),
            _ => return None,
        })
    }

    /// The methods that it takes; HEAD is taken where GET is, but for runs, which it would waste.
    pub(super) fn methods(&self) -> &'static [Method] {
        match self {
            Self::Page | Self::OpenApi | Self::Queries | Self::RunReport(_) => &[Method::GET, Method::HEAD],
            Self::Query(_) => &[Method::GET, Method::HEAD, Method::PUT, Method::DELETE],
            Self::Run(_) => &[Method::GET, Method::POST],
        }
    }

    /// For metrics: one word for each, whatever names are in it.
    pub(super) fn word(&self) -> metrics::Route {
        match self {
            Self::Page => metrics::Route::Page,
            Self::OpenApi => metrics::Route::OpenApi,
            Self::Queries => metrics::Route::Queries,
            Self::Query(_) => metrics::Route::Query,
            Self::Run(_) => metrics::Route::Run,
            Self::RunReport(_) => metrics::Route::Report,
        }
    }
}

/// A run's name, in the one form that it is given out in.
fn run_id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_thing_or_nothing() {
        let name = || QueryName::parse("restarts").unwrap();
        let id = "6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11";
        for (path, expected) in [
            ("/", Some(Route::Page)),
            ("/openapi.json", Some(Route::OpenApi)),
            ("/v1/queries", Some(Route::Queries)),
            ("/v1/queries/restarts", Some(Route::Query(name()))),
            ("/v1/queries/restarts/run", Some(Route::Run(name()))),
            ("/v1/runs/6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11", Some(Route::RunReport(Uuid::try_parse(id).unwrap()))),
            ("", None),
            ("//", None),
            ("/v1", None),
            ("/v1/", None),
            ("/v1/queries/", None),
            ("//v1/queries", None),
            ("/v1//queries", None),
            ("/v1/./queries", None),
            ("/v1/queries/..", None),
            ("/v1/queries/../queries", None),
            ("/v1/queries/Restarts", None),
            ("/v1/queries/re%73tarts", None),
            ("/v1/queries/restarts%2frun", None),
            ("/v1/queries/restarts/", None),
            ("/v1/queries/restarts/run/", None),
            ("/v1/queries/restarts/run/x", None),
            ("/V1/queries", None),
            ("/v1/runs/6A1B8F7E-3F0C-4F6E-9C55-5D2F4F0F9D11", None),
            ("/v1/runs/6a1b8f7e3f0c4f6e9c555d2f4f0f9d11", None),
            ("/v1/runs/x", None),
            ("/metrics", None),
            ("*", None),
        ] {
            assert_eq!(Route::of(path), expected, "{path}");
        }
    }
}
